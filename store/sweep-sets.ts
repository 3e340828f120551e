import { sql } from 'kysely';
import { fromArgs } from '../domain/sweeps/assignment.js';
import { readYaml } from '../domain/sweeps/read-yaml.js';
import { canonicalText, isValueMap, toJsonText, type ValueMap } from '../domain/sweeps/value.js';
import type { Store } from './open.js';
import type { LockedSweep } from './sweeps.js';
import { storable } from './text.js';

/** The parameter sets of a sweep: what was decided, and what became of it. Call under the sweep's lock. */

/** An agent shows a sign of life each 5 s; one that is silent for longer than this is taken for dead. */
export const agentSilentMs = 90_000;
/** Agents that go silent one after the other with the same set before its run begins; then the set counts as failed. */
const mostAgents = 3;

export interface NewSet {
  origin: 'search' | 'enqueued' | 'controller' | 'prior' | 'foreign';
  state: 'waiting' | 'given' | 'started' | 'ended';
  runName: string;
  /** {param: {value}} */
  args: ValueMap;
  agentId?: number;
}

export async function insertSet(tx: Store, sweepId: number, set: NewSet): Promise<void> {
  const given = set.state === 'given';
  await sql`
    insert into sweep_set (sweep_id, n, origin, state, run_name, args, key, agent_id, gives, given_at)
    select ${sweepId}::int, coalesce(max(n), 0) + 1, ${set.origin}, ${set.state}, ${set.runName}, ${storable(toJsonText(set.args))},
      ${keyOf(set.args)}, ${set.agentId ?? null}::int, ${given ? 1 : 0}, case when ${given} then now() end
    from sweep_set where sweep_id = ${sweepId}
    on conflict (sweep_id, run_name) do nothing
  `.execute(tx);
}

/** Equal for equal sets, whatever wrote them. */
export const keyOf = (args: ValueMap): string => storable(canonicalText(fromArgs(args)));

/** Which of these sets the sweep has already. */
export async function knownKeys(tx: Store, sweepId: number, keys: readonly string[]): Promise<Set<string>> {
  const { rows } = await sql<{ key: string }>`
    select key from sweep_set where sweep_id = ${sweepId} and md5(key) = any(select md5(k) from unnest(${[...keys]}::text[]) k)
  `.execute(tx);
  return new Set(rows.map((row) => row.key));
}

/** The args of a set as values that keep their types. */
export function argsOf(text: string): ValueMap {
  const value = readYaml(text);
  return isValueMap(value) ? value : {};
}

export type OpenSet = Awaited<ReturnType<typeof openSets>>[number];

export const openSets = (tx: Store, sweepId: number) =>
  tx
    .selectFrom('sweep_set')
    .selectAll()
    .where('sweep_id', '=', sweepId)
    .where('state', '<>', 'ended')
    .orderBy('n')
    .execute();

/**
 * Brings the sets to what their runs and agents say by now:
 * a run that exists has started; an ended run's set has ended; one that was pre-empted waits for somebody to go on with it; one whose agent went silent
 * before the run began waits under another run name, so that the two can never be the same run.
 */
export async function settleSets(tx: Store, sweep: LockedSweep, silentMs: number): Promise<void> {
  await sql`
    update sweep_set s set state = 'started', resumes = false
    from run r
    where s.sweep_id = ${sweep.id} and s.state in ('waiting', 'given') and r.project_id = ${sweep.project_id} and r.name = s.run_name
      and r.state <> 'pending' and not (s.resumes and r.state = 'preempted')
  `.execute(tx);
  // It did not fail: it was ended.
  await sql`
    update run r set state = 'killed'
    from sweep_set s
    where s.sweep_id = ${sweep.id} and s.stop and s.state <> 'ended' and r.project_id = ${sweep.project_id} and r.name = s.run_name
      and r.state = 'failed'
  `.execute(tx);
  await sql`
    update sweep_set s
    set state = case when r.state = 'preempted' then 'waiting' else 'ended' end,
      resumes = r.state = 'preempted', gives = 0,
      agent_id = case when r.state = 'preempted' then null else s.agent_id end
    from run r
    where s.sweep_id = ${sweep.id} and s.state = 'started' and r.project_id = ${sweep.project_id} and r.name = s.run_name
      and r.state in ('finished', 'failed', 'crashed', 'killed', 'preempted')
  `.execute(tx);
  const { rows } = await sql<{ n: number; begun: boolean; tries: number }>`
    select s.n, cardinality(s.former) + 1 as tries,
      exists (select from run r where r.project_id = ${sweep.project_id} and r.name = s.run_name and r.state <> 'pending') as begun
    from sweep_set s left join sweep_agent a on a.id = s.agent_id
    where s.sweep_id = ${sweep.id} and s.state in ('given', 'started')
      and (a.id is null or a.exited or a.heartbeat_at < now() - ${silentMs} * interval '1 ms')
      and s.origin not in ('prior', 'foreign')
      -- While the API was down nobody could show signs of life.
      and not exists (select from setting where key = 'runs-watched'
        and split_part(value, '|', 1)::timestamptz > now() - ${silentMs} * interval '1 ms')
  `.execute(tx);
  for (const row of rows) {
    // A run that has begun is judged by its own signs of life.
    if (row.begun) continue;
    // One that takes its agents with it must not take all of them.
    if (row.tries < mostAgents) await takeBack(tx, sweep.id, row.n);
    else await endSet(tx, sweep.id, row.n);
  }
}

export const endSet = (tx: Store, sweepId: number, n: number) =>
  tx.updateTable('sweep_set').set({ state: 'ended' }).where('sweep_id', '=', sweepId).where('n', '=', n).execute();

/** Nobody has it any more. A run that exists already (announced, or to be continued) keeps its name; any other gets a new one when it is given. */
const takeBack = (tx: Store, sweepId: number, n: number) =>
  tx
    .updateTable('sweep_set')
    .set({ state: 'waiting', agent_id: null, gives: 0 })
    .where('sweep_id', '=', sweepId)
    .where('n', '=', n)
    .execute();

/**
 * A run says that it is of this sweep. One whose set was given to another agent meanwhile is told to stop: its set is tried under another name. One
 * that the sweep never gave (started by hand) joins it, so that the search knows what was tried.
 */
export async function joinSweep(
  tx: Store,
  sweep: LockedSweep,
  run: { id: number; name: string; config: string },
): Promise<void> {
  const known = await tx
    .selectFrom('sweep_set')
    .select(['n', 'state'])
    .where('sweep_id', '=', sweep.id)
    .where('run_name', '=', run.name)
    .executeTakeFirst();
  if (known) return;
  const replaced = await sql`
    select from sweep_set where sweep_id = ${sweep.id} and ${run.name} = any(former)
  `.execute(tx);
  if (replaced.rows.length > 0) {
    await tx.updateTable('run').set({ stopped: true }).where('id', '=', run.id).execute();
    return;
  }
  await insertSet(tx, sweep.id, {
    origin: 'foreign',
    state: 'started',
    runName: run.name,
    args: argsFromConfig(run.config),
  });
}

/** A run's config as args; empty when it cannot be read. */
export function argsFromConfig(config: string): ValueMap {
  try {
    return Object.fromEntries(Object.entries(argsOf(config)).filter(([key]) => key !== '_wandb'));
  } catch {
    return {};
  }
}
