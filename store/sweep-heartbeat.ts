import { sql } from 'kysely';
import { asArgs } from '../domain/sweeps/assignment.js';
import type { SweepConfig } from '../domain/sweeps/config.js';
import { isSweepOpen, isSweepOver } from '../domain/sweeps/state.js';
import { isValueMap, toJsonText, type Value, type ValueMap } from '../domain/sweeps/value.js';
import type { Store } from './open.js';
import { readController, recordScheduled } from './sweep-controller.js';
import { chooseNext, expectedRuns, freshRunName } from './sweep-next.js';
import { agentSilentMs, endSet, insertSet, openSets, settleSets, type OpenSet } from './sweep-sets.js';
import { configOf, lockSweep, type LockedSweep } from './sweeps.js';

/** How often an agent is told of one set before it counts as failed: its answer may get lost, but a program may also end before it begins. */
const mostGives = 3;

export interface Heartbeat {
  agentId: number;
  /** Runs that live in this agent. */
  alive: readonly string[];
  silentMs?: number;
}

/**
 * What an agent is to do, as the JSON text of a list. One transaction under the sweep's lock: a set is written before it is given, the same agent gets
 * the same set until its run was seen, and no two agents get one. Undefined = there is no such agent (any more).
 */
export async function agentHeartbeat(db: Store, beat: Heartbeat): Promise<string | undefined> {
  return db.transaction().execute(async (tx) => {
    const agent = await tx.selectFrom('sweep_agent').selectAll().where('id', '=', beat.agentId).executeTakeFirst();
    const sweep = agent && (await lockSweep(tx, agent.sweep_id));
    if (!sweep) return undefined;
    await tx
      .updateTable('sweep_agent')
      .set({ heartbeat_at: sql`now()`, exited: false })
      .where('id', '=', agent.id)
      .execute();
    const state = sweep.state === 'PENDING' ? 'RUNNING' : sweep.state;
    await tx
      .updateTable('sweep')
      .set({ heartbeat_at: sql`now()`, state })
      .where('id', '=', sweep.id)
      .execute();
    await settleSets(tx, sweep, beat.silentMs ?? agentSilentMs);
    await readSigns(tx, sweep, agent.id, beat.alive);
    const config = configOf(sweep);
    if (config?.chooser === 'controller') await stopEarly(tx, sweep, readController(sweep.controller).earlyStop);
    if (beat.alive.length > 0) return JSON.stringify(await stops(tx, sweep, beat.alive));
    if (isSweepOpen(state)) {
      const command = config && (await commandOfNextSet(tx, sweep, config, agent.id));
      if (command !== undefined) return `[${command}]`;
      if (!(await isDone(tx, sweep))) return '[]';
    } else if (!isSweepOver(state)) return '[]';
    await tx.updateTable('sweep_agent').set({ exited: true }).where('id', '=', agent.id).execute();
    return JSON.stringify([{ type: 'exit' }]);
  });
}

/** What the agent's own list of live runs says about the sets. */
async function readSigns(tx: Store, sweep: LockedSweep, agentId: number, alive: readonly string[]): Promise<void> {
  if (alive.length > 0)
    await tx
      .updateTable('sweep_set')
      .set({ state: 'started', agent_id: agentId, gives: 1, resumes: false })
      .where('sweep_id', '=', sweep.id)
      .where('run_name', 'in', [...alive])
      .where('state', 'in', ['waiting', 'given'])
      .execute();
  // Seen before, gone now, and no run was made: its program ended before wandb.init.
  await sql`
    update sweep_set s set state = 'ended'
    where s.sweep_id = ${sweep.id} and s.agent_id = ${agentId} and s.state = 'started' and not (s.run_name = any(${[...alive]}::text[]))
      and not exists (select from run r where r.project_id = ${sweep.project_id} and r.name = s.run_name and r.state <> 'pending')
  `.execute(tx);
  // It was told to stop and is gone: a process that its agent ended says nothing more, and nobody has to wait until it counts as crashed.
  await sql`
    update run r set state = 'killed', ended_at = now()
    from sweep_set s
    where s.sweep_id = ${sweep.id} and s.agent_id = ${agentId} and s.state = 'started' and not (s.run_name = any(${[...alive]}::text[]))
      and r.project_id = ${sweep.project_id} and r.name = s.run_name and r.state in ('pending', 'running', 'preempting')
      and (s.stop or r.stopped or ${sweep.state} = 'CANCELED')
  `.execute(tx);
}

/** Commands for live runs: those that somebody stopped, all of a cancelled sweep, and those whose set another agent has by now. Repeated until they are gone. */
async function stops(
  tx: Store,
  sweep: LockedSweep,
  alive: readonly string[],
): Promise<{ type: 'stop'; run_id: string }[]> {
  if (sweep.state === 'CANCELED') return alive.map((name) => ({ type: 'stop', run_id: name }));
  const { rows } = await sql<{ name: string }>`
    select name from unnest(${[...alive]}::text[]) name
    where exists (select from run r where r.project_id = ${sweep.project_id} and r.name = name.name and r.stopped)
      or exists (select from sweep_set s where s.sweep_id = ${sweep.id} and (name.name = any(s.former) or (s.stop and s.run_name = name.name)))
  `.execute(tx);
  return rows.map(({ name }) => ({ type: 'stop', run_id: name }));
}

/**
 * Gives runs up. Their agents end them and go on with the next set; the answer to a run's own stream would interrupt the whole process, and with it an agent that
 * runs functions. It is the way only where no agent is left to tell.
 */
export async function stopEarly(tx: Store, sweep: LockedSweep, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const told = await sql<{ run_name: string }>`
    update sweep_set s set stop = true
    from sweep_agent a
    where s.sweep_id = ${sweep.id} and s.run_name = any(${[...names]}::text[]) and a.id = s.agent_id and not a.exited
      and a.heartbeat_at > now() - ${agentSilentMs} * interval '1 ms'
    returning s.run_name
  `.execute(tx);
  const rest = names.filter((name) => !told.rows.some((row) => row.run_name === name));
  if (rest.length === 0) return;
  await tx
    .updateTable('run')
    .set({ stopped: true })
    .where('project_id', '=', sweep.project_id)
    .where('sweep_name', '=', sweep.name)
    .where('name', 'in', rest)
    .where('state', 'in', ['pending', 'running', 'preempting'])
    .execute();
}

async function commandOfNextSet(
  tx: Store,
  sweep: LockedSweep,
  config: SweepConfig,
  agentId: number,
): Promise<string | undefined> {
  const open = await openSets(tx, sweep.id);
  const own = open.find((set) => set.state === 'given' && set.agent_id === agentId);
  if (own && own.gives < mostGives) return giveAgain(tx, own, config, agentId);
  if (own) await endSet(tx, sweep.id, own.n);
  const waiting = open.find((set) => set.state === 'waiting');
  if (waiting) return giveAgain(tx, await renamed(tx, sweep, waiting), config, agentId);
  if (sweep.exhausted) return undefined;
  if (config.runCap !== undefined && sweep.decided >= config.runCap) return exhaust(tx, sweep);
  if (config.chooser === 'scheduler') return undefined;
  return config.chooser === 'controller'
    ? giveOfController(tx, sweep, config, agentId)
    : giveOfSearch(tx, sweep, config, agentId);
}

async function exhaust(tx: Store, sweep: LockedSweep): Promise<undefined> {
  sweep.exhausted = true;
  await tx.updateTable('sweep').set({ exhausted: true }).where('id', '=', sweep.id).execute();
  return undefined;
}

async function giveOfSearch(tx: Store, sweep: LockedSweep, config: SweepConfig, agentId: number) {
  const next = await chooseNext(tx, sweep, config);
  if (next === 'exhausted') return exhaust(tx, sweep);
  const gridNext = next.gridNext ?? sweep.grid_next;
  const args = asArgs(next.assignment);
  const command = await giveNew(tx, sweep, config, { agentId, args, origin: 'search' });
  // Known at once that this was the last one: its agent may have been told to take just as many.
  const expected = expectedRuns(config);
  const exhausted = expected !== undefined && sweep.decided + 1 >= expected;
  await tx.updateTable('sweep').set({ grid_next: gridNext, exhausted }).where('id', '=', sweep.id).execute();
  return command;
}

/** The set that a local controller put onto its schedule. */
async function giveOfController(tx: Store, sweep: LockedSweep, config: SweepConfig, agentId: number) {
  const { schedule } = readController(sweep.controller);
  const entry = schedule.find(({ id }) => !recordScheduled(sweep.scheduler).some((s) => s.id === id));
  if (!entry) return undefined;
  if (entry.args === null) return exhaust(tx, sweep);
  const runName = await freshRunName(tx, sweep.project_id);
  const command = await giveNew(tx, sweep, config, { agentId, args: entry.args, origin: 'controller', runName });
  const scheduled = [...recordScheduled(sweep.scheduler), { id: entry.id, runid: runName }].slice(-1_000);
  await tx
    .updateTable('sweep')
    .set({ scheduler: JSON.stringify({ scheduled }) })
    .where('id', '=', sweep.id)
    .execute();
  return command;
}

async function giveNew(
  tx: Store,
  sweep: LockedSweep,
  config: SweepConfig,
  set: { agentId: number; args: ValueMap; origin: 'search' | 'controller'; runName?: string },
): Promise<string> {
  const runName = set.runName ?? (await freshRunName(tx, sweep.project_id));
  await insertSet(tx, sweep.id, { origin: set.origin, state: 'given', runName, args: set.args, agentId: set.agentId });
  await tx
    .updateTable('sweep')
    .set((eb) => ({ decided: eb('decided', '+', 1) }))
    .where('id', '=', sweep.id)
    .execute();
  return runCommand('run', runName, config, toJsonText(set.args));
}

async function giveAgain(tx: Store, set: OpenSet, config: SweepConfig, agentId: number): Promise<string> {
  await tx
    .updateTable('sweep_set')
    .set((eb) => ({ state: 'given', agent_id: agentId, gives: eb('gives', '+', 1), given_at: sql`now()` }))
    .where('sweep_id', '=', set.sweep_id)
    .where('n', '=', set.n)
    .execute();
  return runCommand(set.resumes ? 'resume' : 'run', set.run_name, config, set.args);
}

/**
 * A set that an agent had which went silent gets another run id: should that agent come back with the old one, the two are not one run with two writers,
 * and the old one is stopped. What has a run already keeps its id.
 */
async function renamed(tx: Store, sweep: LockedSweep, set: OpenSet): Promise<OpenSet> {
  if (set.resumes || set.given_at === null) return set;
  const run = await tx
    .selectFrom('run')
    .select('id')
    .where('project_id', '=', sweep.project_id)
    .where('name', '=', set.run_name)
    .executeTakeFirst();
  if (run) return set;
  const runName = await freshRunName(tx, sweep.project_id);
  await tx
    .updateTable('sweep_set')
    .set({ run_name: runName, former: sql`array_append(former, run_name)` })
    .where('sweep_id', '=', set.sweep_id)
    .where('n', '=', set.n)
    .execute();
  return { ...set, run_name: runName };
}

/** `args` is JSON text already, with its numbers as they are. */
const runCommand = (type: 'run' | 'resume', runName: string, config: SweepConfig, args: string): string =>
  `{"type":"${type}","run_id":${JSON.stringify(runName)},"id":${JSON.stringify(runName)},` +
  `"program":${JSON.stringify(config.program ?? null)},"args":${args}}`;

/** Nothing more to give: the agent may go. The last one out ends the sweep. A set that was given and not yet seen may still come back. */
async function isDone(tx: Store, sweep: LockedSweep): Promise<boolean> {
  if (!sweep.exhausted) return false;
  const open = await openSets(tx, sweep.id);
  if (open.length === 0) await finish(tx, sweep.id);
  return open.every((set) => set.state === 'started');
}

const finish = (tx: Store, sweepId: number) =>
  tx
    .updateTable('sweep')
    .set({ state: 'FINISHED', updated_at: sql`now()` })
    .where('id', '=', sweepId)
    .where('state', 'in', ['PENDING', 'RUNNING'])
    .execute();

/** Ends sweeps whose last run has ended while no agent came back to ask. Called every few seconds; returns how many it ended. */
export async function finishSweeps(db: Store, options: { silentMs?: number; sweepId?: number } = {}): Promise<number> {
  const candidates = await db
    .selectFrom('sweep')
    .select('id')
    .where('state', 'in', ['PENDING', 'RUNNING'])
    .where('exhausted', '=', true)
    .$if(options.sweepId !== undefined, (q) => q.where('id', '=', options.sweepId ?? 0))
    .limit(100)
    .execute();
  let ended = 0;
  for (const { id } of candidates)
    ended += await db.transaction().execute(async (tx) => {
      const sweep = await lockSweep(tx, id);
      if (!sweep?.exhausted || !isSweepOpen(sweep.state)) return 0;
      await settleSets(tx, sweep, options.silentMs ?? agentSilentMs);
      if ((await openSets(tx, id)).length > 0) return 0;
      await finish(tx, id);
      return 1;
    });
  return ended;
}

/** Live runs out of what an agent sends: `{"<run id>": true}`. */
export function aliveRuns(runState: Value): string[] {
  if (!isValueMap(runState)) return [];
  return Object.entries(runState).flatMap(([name, value]) => (value === true ? [name] : []));
}
