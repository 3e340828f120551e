import { sql } from 'kysely';
import { DavitError } from '../domain/errors.js';
import { joinConfigs, leadsOf } from '../domain/joined-json.js';
import { syncedProcess } from '../domain/run-processes.js';
import { inventRunName } from '../domain/run-name.js';
import type { RunState } from '../domain/words.js';
import type { LifeStart } from './life-start.js';
import type { Store } from './open.js';
import { copyHistory } from './run-branch.js';
import { recognize, startReplay } from './run-replays.js';
import { joinLife, startLife, type Started } from './run-lives.js';
import { addWriter } from './run-writers.js';
import { runById, type RunRow } from './runs.js';
import { storable } from './text.js';
import { inTransaction } from './transaction.js';

export interface RunUpsert {
  projectId: number;
  /** The short id. */
  name: string;
  /** Who the run belongs to when it is made. */
  userId?: number;
  /** The launch whose key made the request. */
  launchId?: string;
  /** Undefined = leave as it is. */
  fields: RunFields;
  /** The first request of a process: it begins the run, anew if need be. */
  start?: LifeStart;
  /** Which process this is, when several write the run together: they join it, and none begins it anew. */
  writer?: string;
  /** The run begins with what another one had logged up to a step. */
  fork?: { id: number; step: number };
}

export interface RunFields {
  displayName?: string;
  description?: string;
  notes?: string;
  /** Whole JSON texts, kept as they are. */
  config?: string;
  summary?: string;
  commit?: string;
  host?: string;
  program?: string;
  repo?: string;
  jobType?: string;
  group?: string;
  sweepName?: string;
  tags?: string[];
  state?: RunState;
}

/** Makes the run or changes what is given. Repeating it is harmless; two at once make one run. */
export async function upsertRun(db: Store, upsert: RunUpsert): Promise<{ run: RunRow; inserted: boolean }> {
  return inTransaction(db, async (tx) => {
    const known = await tx
      .selectFrom('run')
      .select(lifeColumns)
      .where('project_id', '=', upsert.projectId)
      .where('name', '=', upsert.name)
      .forUpdate()
      .executeTakeFirst();
    if (known) await takeOver(tx, known, upsert);
    const made = known ? undefined : await insertRun(tx, upsert);
    // Not made by us and not seen before: another request made it between our look and our insert.
    const row = known ?? made ?? (await lockedRun(tx, upsert));
    const { id } = row;
    const started = upsert.start ? await begin(tx, row, upsert, upsert.start) : await goOn(tx, row, upsert);
    // A late one would put back the config that its process began with.
    if (!made && started !== 'late') await updateRun(tx, id, upsert, row.config);
    const run = await runById(tx, id);
    if (!run) throw new Error(`run ${upsert.name} vanished while it was written`);
    if ((made || upsert.start) && run.launch_id !== null) await tellLaunch(tx, run.launch_id);
    return { run, inserted: made !== undefined };
  });
}

const lifeColumns = [
  'id',
  'launch_id',
  'state',
  'life',
  'spoken',
  'history_lines',
  'log_lines',
  'events_lines',
  'config',
  'summary',
  'line_base',
  'stopped',
  'exit_code',
  'ended_at',
] as const;
type LockedRun = Awaited<ReturnType<typeof lockedRun>>;

async function begin(tx: Store, row: LockedRun, upsert: RunUpsert, start: LifeStart): Promise<Started> {
  if (upsert.writer !== undefined && row.life > 0) return joinLife(tx, row, upsert.writer, start);
  const synced = syncedProcess(upsert.fields.config, row.line_base.processes ?? []);
  if (synced !== -1 && upsert.writer === undefined && (row.line_base.processes?.length ?? 0) > 1)
    return startReplay(tx, row, synced, start);
  const started = await startLife(tx, row, start, upsert.fork !== undefined);
  if (upsert.writer !== undefined) await addWriter(tx, row.id, upsert.writer, false);
  if (started === 'empty' && upsert.fork) await copyHistory(tx, upsert.fork, row.id);
  return started;
}

/** A later request of a process may be the first one to say which it is. */
async function goOn(tx: Store, row: LockedRun, upsert: RunUpsert): Promise<Started> {
  if (upsert.writer !== undefined) return 'on';
  return recognize(tx, row, upsert.fields.config);
}

/** A launch whose run id was fixed to that of an earlier launch continues its run, which is then its own. No other launch may touch it. */
async function takeOver(tx: Store, known: { id: number; launch_id: string | null }, upsert: RunUpsert): Promise<void> {
  const { launchId } = upsert;
  if (launchId === undefined || known.launch_id === launchId) return;
  if ((await launchOf(tx, upsert))?.id === launchId)
    await tx.updateTable('run').set({ launch_id: launchId }).where('id', '=', known.id).execute();
  else if (known.launch_id !== null)
    throw new DavitError('forbidden', `The run "${upsert.name}" belongs to another launch than this key.`);
}

async function insertRun(tx: Store, upsert: RunUpsert): Promise<LockedRun | undefined> {
  const launch = await launchOf(tx, upsert);
  const displayName = upsert.fields.displayName || launch?.displayName || (await inventedName(tx, upsert.projectId));
  return tx
    .insertInto('run')
    .values({
      ...columns(upsert.fields),
      project_id: upsert.projectId,
      name: upsert.name,
      display_name: storable(displayName),
      user_id: upsert.userId ?? null,
      launch_id: launch?.id ?? null,
    })
    .onConflict((c) => c.columns(['project_id', 'name']).doNothing())
    .returning(lifeColumns)
    .executeTakeFirst();
}

const lockedRun = (tx: Store, upsert: RunUpsert) =>
  tx
    .selectFrom('run')
    .select(lifeColumns)
    .where('project_id', '=', upsert.projectId)
    .where('name', '=', upsert.name)
    .forUpdate()
    .executeTakeFirstOrThrow();

async function updateRun(tx: Store, id: number, upsert: RunUpsert, config: string): Promise<void> {
  const { fields, writer } = upsert;
  const changed = columns(fields);
  await tx
    .updateTable('run')
    .set({
      ...changed,
      ...(writer === undefined || fields.config === undefined
        ? {}
        : { config: storable(joinConfigs(config, fields.config)) }),
      // A sign of life, but not of an ended run's: notes may be edited years later.
      heartbeat_at: sql`case when state in ('running', 'preempting') then now() else heartbeat_at end`,
    })
    .where('id', '=', id)
    .execute();
  if (writer !== undefined && fields.config !== undefined && leadsOf(fields.config, writer))
    await addWriter(tx, id, writer, true);
}

/** The launch that this run was fixed for at enqueue: the run's id says so, whoever's key is used. */
async function launchOf(
  tx: Store,
  upsert: RunUpsert,
): Promise<{ id: string; displayName: string | undefined } | undefined> {
  const row = await tx
    .selectFrom('launch')
    .select(['id', 'spec'])
    .where('project_id', '=', upsert.projectId)
    .where('run_name', '=', upsert.name)
    // A fixed run id may have been launched more than once: the one that asks, else the newest.
    .orderBy(sql`id = ${upsert.launchId ?? ''}`, 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row && { id: row.id, displayName: row.spec.name };
}

async function inventedName(tx: Store, projectId: number): Promise<string> {
  const { n } = await tx
    .selectFrom('run')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('project_id', '=', projectId)
    .executeTakeFirstOrThrow();
  return inventRunName(n + 1, Math.random);
}

/** Whoever follows the launch looks again. */
export async function tellLaunch(tx: Store, launchId: string): Promise<void> {
  await sql`select pg_notify('davit', ${'launch ' + launchId})`.execute(tx);
}

function columns(fields: RunFields) {
  const text = <K extends string>(column: K, value: string | undefined) =>
    (value === undefined ? {} : { [column]: storable(value) }) as Partial<Record<K, string>>;
  return {
    // An empty display name is none: the run keeps the one it has.
    ...(fields.displayName ? text('display_name', fields.displayName) : {}),
    ...text('description', fields.description),
    ...text('notes', fields.notes),
    ...text('config', fields.config),
    ...text('summary', fields.summary),
    ...text('commit', fields.commit),
    ...text('host', fields.host),
    ...text('program', fields.program),
    ...text('repo', fields.repo),
    ...text('job_type', fields.jobType),
    ...text('group_name', fields.group),
    ...text('sweep_name', fields.sweepName),
    ...(fields.tags === undefined ? {} : { tags: [...new Set(fields.tags.map(storable))] }),
    ...(fields.state === undefined ? {} : { state: fields.state }),
  };
}
