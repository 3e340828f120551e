import { sql } from 'kysely';
import { fromArgs, type Assignment } from '../domain/sweeps/assignment.js';
import type { Metric } from '../domain/sweeps/config.js';
import type { RunState } from '../domain/words.js';
import type { Store } from './open.js';
import { summaryValue } from './sweep-metrics.js';
import { agentSilentMs, argsOf } from './sweep-sets.js';

/** What people want to see of sweeps: counts, and the parameter sets with what became of them. */

/** For each of these sweeps how many of its runs are in which state. */
export async function runStatesOfSweeps(
  db: Store,
  projectId: number,
  names: readonly string[],
): Promise<Map<string, Partial<Record<RunState, number>>>> {
  const states = new Map<string, Partial<Record<RunState, number>>>();
  if (names.length === 0) return states;
  const rows = await db
    .selectFrom('run')
    .select(['sweep_name', 'state', (eb) => eb.fn.countAll<number>().as('n')])
    .where('project_id', '=', projectId)
    .where('sweep_name', 'in', [...names])
    .groupBy(['sweep_name', 'state'])
    .execute();
  for (const { sweep_name: name, state, n } of rows) states.set(name ?? '', { ...states.get(name ?? ''), [state]: n });
  return states;
}

/** For each of these sweeps how many agents have shown a sign of life of late, and have not left. */
export async function aliveAgentsOfSweeps(db: Store, ids: readonly number[]): Promise<Map<number, number>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('sweep_agent')
    .select(['sweep_id', (eb) => eb.fn.countAll<number>().as('n')])
    .where('sweep_id', 'in', [...ids])
    .where('exited', '=', false)
    .where('heartbeat_at', '>', sql<Date>`now() - ${agentSilentMs} * interval '1 ms'`)
    .groupBy('sweep_id')
    .execute();
  return new Map(rows.map((row) => [row.sweep_id, row.n]));
}

export interface ShownSet {
  n: number;
  origin: 'search' | 'enqueued' | 'controller' | 'prior' | 'foreign';
  state: 'waiting' | 'given' | 'started' | 'ended';
  run: string;
  parameters: Assignment;
  /** Undefined: the run has not begun, or was deleted. */
  runState: RunState | undefined;
  displayName: string | undefined;
  /** The metric in the run's summary. */
  value: number | undefined;
  createdAt: Date;
}

/** In the order in which they were decided; one more than the limit. */
export async function setsOfSweep(
  db: Store,
  sweep: { id: number; project_id: number },
  metric: Metric | undefined,
  page: { limit: number; afterN: number },
): Promise<ShownSet[]> {
  const rows = await db
    .selectFrom('sweep_set as s')
    .leftJoin('run as r', (join) => join.onRef('r.name', '=', 's.run_name').on('r.project_id', '=', sweep.project_id))
    .select(['s.n', 's.origin', 's.state', 's.run_name', 's.args', 's.created_at'])
    .select(['r.state as run_state', 'r.display_name', 'r.summary'])
    .where('s.sweep_id', '=', sweep.id)
    .where('s.n', '>', page.afterN)
    .orderBy('s.n')
    .limit(page.limit + 1)
    .execute();
  return rows.map((row) => ({
    n: row.n,
    origin: row.origin,
    state: row.state,
    run: row.run_name,
    parameters: fromArgs(argsOf(row.args)),
    runState: row.run_state ?? undefined,
    displayName: row.display_name ?? undefined,
    value: metric && row.summary !== null ? summaryValue(row.summary, metric.name) : undefined,
    createdAt: row.created_at,
  }));
}
