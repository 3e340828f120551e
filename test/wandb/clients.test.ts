import { newestWandb, oldestWandb, wandbVersions } from '../support/wandb-clients.js';
import { runScenarios } from './scenarios/run-scenarios.js';
import { wholeRunScenarios } from './scenarios/whole-run.js';

// The oldest and the newest client run every scenario (scenarios-*.test.ts), this one among them.
for (const version of wandbVersions)
  if (version !== oldestWandb && version !== newestWandb) runScenarios(version, wholeRunScenarios);
