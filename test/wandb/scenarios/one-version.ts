import { wandbVersions } from '../../support/wandb-clients.js';
import { scenarios } from './index.js';
import { runScenarios } from './run-scenarios.js';

/** For `npm run test:wandb`: what run.config.ts says by the environment, of one version all scenarios, every second one, or those named. */
const version = wandbVersions.find((known) => known === process.env['DAVIT_WANDB_VERSION']);
if (version === undefined) throw new Error(`DAVIT_WANDB_VERSION must be one of ${wandbVersions.join(', ')}`);
const half = process.env['DAVIT_WANDB_HALF'];
const wanted = (process.env['DAVIT_WANDB_SCENARIOS'] ?? '').split(',').filter((name) => name !== '');
for (const name of wanted)
  if (!scenarios.some((scenario) => scenario.name === name))
    throw new Error(`no scenario ${name}; there are ${scenarios.map((scenario) => scenario.name).join(', ')}`);

runScenarios(
  version,
  scenarios
    .filter((_, index) => half === undefined || index % 2 === Number(half))
    .filter(({ name }) => wanted.length === 0 || wanted.includes(name)),
);
