import { randomBytes } from 'node:crypto';
import { DavitError } from '../domain/errors.js';
import { newRunId } from '../domain/ids.js';
import { stateProblem } from '../domain/sweeps/state.js';
import { toJsonText, type ValueMap } from '../domain/sweeps/value.js';
import { audit } from './audit.js';
import type { Store } from './open.js';
import { upsertRun } from './run-upsert.js';
import { freshRunName } from './sweep-next.js';
import { argsFromConfig, insertSet, joinSweep } from './sweep-sets.js';
import { insertSweep, lockSweep, updateSweep, type LockedSweep, type SweepFields, type SweepRow } from './sweeps.js';

/** What people do to sweeps. Each change stands with its audit row or not at all. */

export async function createSweep(
  db: Store,
  sweep: {
    project: { id: number; name: string; entityName: string };
    actor: string;
    userId?: number;
    config: string;
    fields: SweepFields;
    priorRuns: readonly string[];
  },
): Promise<number> {
  const { project, actor, priorRuns, ...rest } = sweep;
  return db.transaction().execute(async (tx) => {
    const name = await freshSweepName(tx, project.id);
    const id = await insertSweep(tx, { ...rest, projectId: project.id, name });
    if (priorRuns.length > 0) await addPriorRuns(tx, { id, projectId: project.id, name }, priorRuns);
    const subject = subjectOf({ name, project_name: project.name, entity_name: project.entityName });
    await audit(tx, { actor, action: 'sweep.create', subject });
    return id;
  });
}

async function freshSweepName(tx: Store, projectId: number): Promise<string> {
  for (;;) {
    const name = newRunId(randomBytes);
    const taken = await tx
      .selectFrom('sweep')
      .select('id')
      .where('project_id', '=', projectId)
      .where('name', '=', name)
      .executeTakeFirst();
    if (!taken) return name;
  }
}

/** Runs of before whose results the search knows from the start. One that is of no sweep becomes one of this. They do not count for the cap. */
async function addPriorRuns(
  tx: Store,
  sweep: { id: number; projectId: number; name: string },
  names: readonly string[],
): Promise<void> {
  const runs = await tx
    .selectFrom('run')
    .select(['id', 'name', 'config', 'sweep_name'])
    .where('project_id', '=', sweep.projectId)
    .where('name', 'in', [...new Set(names)])
    .orderBy('id')
    .execute();
  const missing = names.find((name) => !runs.some((run) => run.name === name));
  if (missing !== undefined)
    throw new DavitError('not-found', `There is no run "${missing}" in this project to begin the sweep with.`);
  for (const run of runs)
    await insertSet(tx, sweep.id, {
      origin: 'prior',
      state: 'ended',
      runName: run.name,
      args: argsFromConfig(run.config),
    });
  const free = runs.flatMap((run) => (run.sweep_name ? [] : [run.id]));
  if (free.length > 0) await tx.updateTable('run').set({ sweep_name: sweep.name }).where('id', 'in', free).execute();
}

/** Changes a sweep. Cancelling one stops its runs, with the next answer to their streams and by their agents. */
export async function changeSweep(db: Store, known: SweepRow, fields: SweepFields, actor: string): Promise<void> {
  const { id } = known;
  await db.transaction().execute(async (tx) => {
    const sweep = await lockSweep(tx, id);
    if (!sweep) throw new DavitError('not-found', 'The sweep was deleted.');
    const problem = fields.state && stateProblem(sweep.state, fields.state);
    if (problem) throw new DavitError('sweep-state', problem);
    const { config, ...others } = fields;
    // The same text again (a local controller sends it each time) is no other search.
    await updateSweep(tx, id, config === undefined || config === sweep.config ? others : fields);
    if (isAct(sweep, fields))
      await audit(tx, {
        actor,
        action: fields.state ? 'sweep.state' : 'sweep.update',
        subject: subjectOf(known),
        data: fields.state ? { state: fields.state } : {},
      });
    if (fields.state === 'CANCELED') {
      await tx
        .updateTable('run')
        .set({ stopped: true })
        .where('project_id', '=', sweep.project_id)
        .where('sweep_name', '=', sweep.name)
        .where('state', 'in', ['pending', 'running', 'preempting'])
        .execute();
      await tx
        .updateTable('sweep_set')
        .set({ state: 'ended' })
        .where('sweep_id', '=', id)
        .where('state', 'in', ['waiting', 'given'])
        .execute();
    }
  });
}

/** A local controller tells its schedule every few seconds; that is its stream, not an act of somebody's. */
const isAct = (sweep: LockedSweep, { state, config, displayName, description }: SweepFields): boolean =>
  state !== undefined ||
  (config !== undefined && config !== sweep.config) ||
  (displayName !== undefined && displayName !== sweep.display_name) ||
  (description !== undefined && description !== sweep.description);

const subjectOf = (sweep: Pick<SweepRow, 'name' | 'project_name' | 'entity_name'>): string =>
  `sweep/${sweep.entity_name}/${sweep.project_name}/${sweep.name}`;

/** A set that somebody else chose: its run is there and pending until an agent takes it. */
export async function enqueueSweepRun(
  db: Store,
  known: SweepRow,
  run: { args: ValueMap; actor: string; displayName?: string; userId?: number },
): Promise<string> {
  return db.transaction().execute(async (tx) => {
    const sweep = await lockSweep(tx, known.id);
    if (!sweep) throw new DavitError('not-found', 'The sweep was deleted.');
    if (sweep.state === 'CANCELED' || sweep.state === 'FINISHED')
      throw new DavitError('invalid-request', `The sweep is ${sweep.state.toLowerCase()}: it takes no more runs.`);
    const name = await freshRunName(tx, sweep.project_id);
    await upsertRun(tx, {
      projectId: sweep.project_id,
      name,
      ...(run.userId === undefined ? {} : { userId: run.userId }),
      fields: {
        state: 'pending',
        sweepName: sweep.name,
        config: toJsonText(run.args),
        ...(run.displayName ? { displayName: run.displayName } : {}),
      },
    });
    await insertSet(tx, sweep.id, { origin: 'enqueued', state: 'waiting', runName: name, args: run.args });
    await tx
      .updateTable('sweep')
      .set((eb) => ({ decided: eb('decided', '+', 1) }))
      .where('id', '=', sweep.id)
      .execute();
    await audit(tx, { actor: run.actor, action: 'sweep.enqueue', subject: subjectOf(known), data: { run: name } });
    return name;
  });
}

/** Called for each run that names a sweep when it begins. */
export async function runNamesSweep(
  db: Store,
  projectId: number,
  sweepName: string,
  run: { id: number; name: string; config: string },
): Promise<void> {
  const found = await db
    .selectFrom('sweep')
    .select('id')
    .where('project_id', '=', projectId)
    .where('name', '=', sweepName)
    .executeTakeFirst();
  if (!found) return;
  await db.transaction().execute(async (tx) => {
    const sweep = await lockSweep(tx, found.id);
    if (sweep) await joinSweep(tx, sweep, run);
  });
}
