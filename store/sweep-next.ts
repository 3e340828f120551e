import { randomBytes, randomInt } from 'node:crypto';
import { asArgs, fromArgs, type Assignment } from '../domain/sweeps/assignment.js';
import { bayesNext } from '../domain/sweeps/bayes.js';
import type { SweepConfig } from '../domain/sweeps/config.js';
import { gridAt, gridSize } from '../domain/sweeps/grid.js';
import { newRunId } from '../domain/ids.js';
import { drawAssignment, type Random } from '../domain/sweeps/random.js';
import type { Store } from './open.js';
import { resultsOf } from './sweep-metrics.js';
import { keyOf, knownKeys } from './sweep-sets.js';
import type { LockedSweep } from './sweeps.js';

/** The search of this server: which set comes next. Call under the sweep's lock. */

export const secureRandom: Random = () => randomInt(2 ** 47) / 2 ** 47;

export type Next = { assignment: Assignment; gridNext?: number } | 'exhausted';

export async function chooseNext(
  tx: Store,
  sweep: LockedSweep,
  config: SweepConfig,
  random: Random = secureRandom,
): Promise<Next> {
  if (await targetReached(tx, sweep, config)) return 'exhausted';
  switch (config.method) {
    case 'grid':
      return nextOfGrid(tx, sweep, config);
    case 'bayes': {
      if (!config.metric) return 'exhausted';
      const results = await resultsOf(tx, sweep, config.metric);
      const trials = results.map(({ bestValue, worst, latest, ...rest }) => ({
        assignment: rest.assignment,
        open: rest.open,
        ...(bestValue === undefined ? {} : { best: bestValue }),
        ...(worst === undefined ? {} : { worst }),
        ...(latest === undefined ? {} : { latest }),
      }));
      return { assignment: bayesNext(config.parameters, config.metric, trials, random) };
    }
    default:
      return { assignment: drawAssignment(config.parameters, random) };
  }
}

/** Any run that reached the target ends the search. */
async function targetReached(tx: Store, sweep: LockedSweep, { metric }: SweepConfig): Promise<boolean> {
  if (metric?.target === undefined) return false;
  const { target, goal } = metric;
  const results = await resultsOf(tx, sweep, metric);
  return results.some(
    ({ bestValue }) => bestValue !== undefined && (goal === 'maximize' ? bestValue >= target : bestValue <= target),
  );
}

/** From where the walk stands, over what is there already: runs of an earlier config, prior ones, ones that were enqueued by hand. */
async function nextOfGrid(tx: Store, sweep: LockedSweep, config: SweepConfig): Promise<Next> {
  const size = gridSize(config.parameters);
  let batch = 4;
  for (let from = sweep.grid_next; from < size; from += batch) {
    batch = Math.min(batch * 4, 1_000);
    const sets = Array.from({ length: Math.min(batch, size - from) }, (_, i) => gridAt(config.parameters, from + i));
    const keys = sets.map((set) => keyOf(asArgs(set)));
    const known = await knownKeys(tx, sweep.id, keys);
    const found = keys.findIndex((key) => !known.has(key));
    const assignment = sets[found];
    if (assignment) return { assignment: fromArgs(asArgs(assignment)), gridNext: from + found + 1 };
  }
  return 'exhausted';
}

/** How many runs there will be; undefined when only its agents know. */
export function expectedRuns(config: SweepConfig): number | undefined {
  const size = config.chooser === 'server' && config.method === 'grid' ? gridSize(config.parameters) : undefined;
  if (size === undefined) return config.runCap;
  return config.runCap === undefined ? size : Math.min(size, config.runCap);
}

/** A run id that nobody in the project has. */
export async function freshRunName(tx: Store, projectId: number): Promise<string> {
  for (;;) {
    const name = newRunId(randomBytes);
    const taken = await tx
      .selectFrom('run')
      .select('id')
      .where('project_id', '=', projectId)
      .where('name', '=', name)
      .executeTakeFirst();
    if (!taken) return name;
  }
}
