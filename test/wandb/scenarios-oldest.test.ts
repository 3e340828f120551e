import { oldestWandb } from '../support/wandb-clients.js';
import { runScenarios } from './scenarios/run-scenarios.js';

// Every scenario with the oldest client. A file per version: two workers share them. All versions: `npm run test:wandb`.
runScenarios(oldestWandb);
