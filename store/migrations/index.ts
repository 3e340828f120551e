import * as base from './0001-base.js';
import * as line from './0002-line.js';
import * as order from './0003-order.js';
import * as retry from './0004-retry.js';
import * as agents from './0005-agents.js';
import * as operations from './0006-operations.js';
import * as estimates from './0007-estimates.js';
import * as launchEnds from './0008-launch-ends.js';
import * as metrics from './0009-metrics.js';
import * as runs from './0010-runs.js';
import * as artifacts from './0011-artifacts.js';
import * as sweeps from './0012-sweeps.js';
import * as publicApi from './0013-public-api.js';
import * as runFiles from './0014-run-files.js';
import * as drains from './0015-drains.js';
import * as runLists from './0016-run-lists.js';
import * as registries from './0017-registries.js';
import * as deletedRuns from './0018-deleted-runs.js';
import * as historyExports from './0019-history-exports.js';
import * as runKeys from './0020-run-keys.js';
import * as runNumbers from './0021-run-numbers.js';
import * as jobInputs from './0022-job-inputs.js';
import * as secrets from './0023-secrets.js';
import * as builds from './0024-builds.js';

export interface Migration {
  name: string;
  up: string;
}

/** In order; the place in this list is the migration's number. */
export const migrations: readonly Migration[] = [
  base,
  line,
  order,
  retry,
  agents,
  operations,
  estimates,
  launchEnds,
  metrics,
  runs,
  artifacts,
  sweeps,
  publicApi,
  runFiles,
  drains,
  runLists,
  registries,
  deletedRuns,
  historyExports,
  runKeys,
  runNumbers,
  jobInputs,
  secrets,
  builds,
];
