import { oldestWandb } from '../support/wandb-clients.js';
import { scenarios } from './scenarios/index.js';
import { runScenarios } from './scenarios/run-scenarios.js';

// Every second scenario with the oldest client, so that the suites stay within their time; all of them, with all versions: `npm run test:wandb`.
runScenarios(
  oldestWandb,
  scenarios.filter((_, index) => index % 2 === 0),
);
