import { sql } from 'kysely';
import { deleteVersion } from './artifact-delete.js';
import type { Store } from './open.js';
import { inTransaction } from './transaction.js';

/** The client shows a sign of life each 30 s; what is silent for longer than this has crashed. */
export const runSilentMs = 5 * 60_000;

/** Sweeps further apart than this mean that nobody watched: the API was down, and so was everybody's way to show signs of life. */
const watchGapMs = 60_000;
const watchSetting = 'runs-watched';

/**
 * Marks runs that have been silent for too long: `crashed`, or `preempted` when they had announced that. A later sign of life revives them.
 * Time in which no API process swept does not count as silence. Called every few seconds by each of them; returns what changed.
 */
export async function markCrashedRuns(
  db: Store,
  silentMs: number = runSilentMs,
): Promise<{ id: number; state: string }[]> {
  const { rows } = await sql<{ id: number; state: string }>`
    with watched as (
      insert into setting as s (key, value)
      values (${watchSetting}, now()::text || '|' || now()::text)
      on conflict (key) do update set value =
        case when split_part(s.value, '|', 2)::timestamptz < now() - ${watchGapMs} * interval '1 ms'
          then now()::text else split_part(s.value, '|', 1) end || '|' || now()::text
      returning split_part(value, '|', 1)::timestamptz as since
    ), silent as (
      update run
      set state = case run.state when 'preempting' then 'preempted' else 'crashed' end, ended_at = run.heartbeat_at
      from watched
      where run.state in ('running', 'preempting')
        and run.heartbeat_at < now() - ${silentMs} * interval '1 ms'
        and watched.since < now() - ${silentMs} * interval '1 ms'
      returning run.id, run.state, run.launch_id
    )
    select id, state, case when launch_id is not null then pg_notify('davit', 'launch ' || launch_id) end from silent
  `.execute(db);
  return rows.map(({ id, state }) => ({ id, state }));
}

/** Asks the run to stop: its process learns it with the next answer to its file stream. False when there is no such run. */
export async function requestRunStop(db: Store, runId: number): Promise<boolean> {
  const done = await db.updateTable('run').set({ stopped: true }).where('id', '=', runId).executeTakeFirst();
  return done.numUpdatedRows > 0n;
}

const settable = {
  pending: ['pending', 'running', 'failed', 'crashed', 'preempted'],
  failed: ['failed', 'pending', 'running'],
} as const;

/** By a person, for a run whose process cannot say it itself. False when the run is in no state that can become this one. */
export async function setRunState(db: Store, runId: number, state: keyof typeof settable): Promise<boolean> {
  const done = await db
    .updateTable('run')
    .set({ state, ended_at: state === 'failed' ? sql`coalesce(ended_at, now())` : null })
    .where('id', '=', runId)
    .where('state', 'in', [...settable[state]])
    .executeTakeFirst();
  return done.numUpdatedRows > 0n;
}

/** With its lines and file names; the bytes of files are swept elsewhere. What it logged as artifacts stays, and remembers its name. */
export const deleteRun = (db: Store, runId: number): Promise<boolean> =>
  inTransaction(db, async (tx) => {
    const run = await tx.selectFrom('run').select('name').where('id', '=', runId).forUpdate().executeTakeFirst();
    if (!run) return false;
    await tx.updateTable('artifact').set({ deleted_run: run.name }).where('run_id', '=', runId).execute();
    await tx.deleteFrom('run').where('id', '=', runId).execute();
    return true;
  });

/** The versions that it logged. Returns how many there were. */
export async function deleteRunArtifacts(db: Store, runId: number): Promise<number> {
  const versions = await db
    .selectFrom('artifact')
    .select('id')
    .where('run_id', '=', runId)
    .where('state', '!=', 'DELETED')
    .orderBy('id')
    .execute();
  for (const { id } of versions) await deleteVersion(db, id);
  return versions.length;
}
