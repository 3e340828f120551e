import { artifactReadingScenarios } from './artifact-reading.js';
import { artifactScenarios } from './artifacts.js';
import { digestScenarios } from './artifact-digests.js';
import { cliScenarios } from './cli.js';
import { consoleScenarios } from './console.js';
import { deletingScenarios } from './deleting.js';
import { fileScenarios } from './files.js';
import { historyFileScenarios } from './history-files.js';
import { historyScenarios } from './history.js';
import { lifeScenarios } from './lives.js';
import { mediaScenarios } from './media.js';
import { offlineScenarios } from './offline.js';
import { publicApiScenarios } from './public-api.js';
import { registryScenarios } from './registries.js';
import { runScenarioList } from './runs.js';
import type { Scenario } from './scenario.js';
import { sweepChangeScenarios } from './sweep-changes.js';
import { sweepScenarios } from './sweeps.js';
import { syncScenarios } from './sync.js';
import { wholeRunScenarios } from './whole-run.js';

/** Every scenario, in the order of the table's rows: each area's own file, one line here. */
export const scenarios: readonly Scenario[] = unique([
  ...wholeRunScenarios,
  ...runScenarioList,
  ...lifeScenarios,
  ...consoleScenarios,
  ...fileScenarios,
  ...historyScenarios,
  ...historyFileScenarios,
  ...artifactScenarios,
  ...mediaScenarios,
  ...offlineScenarios,
  ...syncScenarios,
  ...cliScenarios,
  ...sweepScenarios,
  ...sweepChangeScenarios,
  ...publicApiScenarios,
  ...artifactReadingScenarios,
  ...registryScenarios,
  ...digestScenarios,
  ...deletingScenarios,
]);

/** Names are rows of a table and names of projects: two scenarios of one name would write into each other. */
function unique(all: readonly Scenario[]): readonly Scenario[] {
  const seen = new Set<string>();
  for (const { name } of all) {
    if (seen.has(name) || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) throw new Error(`the name of a scenario: ${name}`);
    seen.add(name);
  }
  return all;
}
