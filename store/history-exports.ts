import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { tableColumns } from '../domain/history-table.js';
import { isRunOpen } from '../domain/words.js';
import type { Blobs } from './blobs/blobs.js';
import { parquetOfHistory, StepError, type LineRange } from './history-parquet.js';
import { withHistory } from './history-snapshot.js';
import type { Store } from './open.js';

/**
 * Files of history, for clients that read whole histories. A client keeps its copy under the run's name and the file's place in the list and
 * never asks again, so a file that was given out stands for ever: a run that goes on gets another behind it, and one whose exported lines
 * change is read by pages from then on. docs/decisions/0014-history-exports.md has the why.
 */

interface Deps {
  db: Store;
  blobs: Blobs;
}

/** A run that is resumed more often than this is read by pages: a client goes through all files for each page. */
const mostFiles = 20;
/** As much as S3 takes in one piece. */
const mostBytes = 5 * 1024 * 1024 * 1024;
/** Whoever began a file so long ago is taken for dead; another may begin it. */
const givenUpMs = 10 * 60_000;
/** Nothing writes so long: what is left of it is removed. */
const abandonedMs = 24 * 3600 * 1000;

/** `files`: blob keys, in order; together they hold every line. `due`: they could be made. `pages`: there are none to be had. */
export type Exported = { kind: 'files'; files: string[] } | { kind: 'due'; range: LineRange } | { kind: 'pages' };

export async function exportedHistory(db: Store, runId: number): Promise<Exported> {
  const run = await db
    .selectFrom('run')
    .select(['id', 'state', 'history_lines', 'project_id', 'name'])
    .where('id', '=', runId)
    .executeTakeFirst();
  if (!run || isRunOpen(run.state)) return { kind: 'pages' };
  const made = await db
    .selectFrom('history_export')
    .select(['run_id', 'first', 'until', 'blob_key', 'spoiled'])
    .where('made_at', 'is not', null)
    .where('project_id', '=', run.project_id)
    .where('run_name', '=', run.name)
    .orderBy('first')
    .execute();
  // Somebody may hold a copy of what is no longer so, or of a deleted run of this name.
  if (made.some(({ run_id, spoiled }) => run_id !== run.id || spoiled)) return { kind: 'pages' };
  const until = made.at(-1)?.until ?? 0;
  if (until >= run.history_lines)
    return { kind: 'files', files: made.flatMap(({ blob_key }) => (blob_key === null ? [] : [blob_key])) };
  if (made.length >= mostFiles) return { kind: 'pages' };
  return { kind: 'due', range: { first: until, until: run.history_lines } };
}

/** Would a file tell this history rightly? */
export const isExportable = (db: Store, runId: number): Promise<boolean> =>
  withHistory(db, runId, 'history', async (tx) => (await columnsOf(tx, runId)) !== undefined);

/**
 * Makes the file that is due. False: there is none to be made, or somebody is at it. The bytes are whole before the file counts; killed
 * anywhere, nothing of it is seen, and `sweepHistoryExports` removes the rest.
 */
export async function exportHistory(deps: Deps, runId: number): Promise<boolean> {
  const { db, blobs } = deps;
  const begun = await begin(db, runId);
  if (!begun) return false;
  const { id, key, range } = begun;
  try {
    const written = await withHistory(db, runId, 'history', async (tx, { folded }) => {
      const columns = await columnsOf(tx, runId);
      // The run may have gone on already, and what it logged before may not be folded.
      if (!columns || folded < range.until) return false;
      const source = Readable.from(parquetOfHistory(tx, runId, range, columns), { objectMode: false });
      await blobs.put(key, source, { maxBytes: mostBytes });
      return true;
    });
    if (written && (await finish(db, id, runId))) return true;
  } catch (error) {
    await remove(deps, id, key).catch(() => undefined);
    if (error instanceof StepError) return false;
    throw error;
  }
  await remove(deps, id, key);
  return false;
}

async function columnsOf(tx: Store, runId: number): Promise<string[] | undefined> {
  const fold = await tx
    .selectFrom('metric_fold')
    .select('partial')
    .where('run_id', '=', runId)
    .where('file', '=', 'history')
    .executeTakeFirst();
  if (!fold || fold.partial) return undefined;
  const { lines } = await tx
    .selectFrom('metric_segment')
    .select((eb) => eb.fn.coalesce(eb.fn.sum<number>('lines'), eb.lit(0)).as('lines'))
    .where('run_id', '=', runId)
    .where('file', '=', 'history')
    .executeTakeFirstOrThrow();
  const metrics = await tx
    .selectFrom('run_metric')
    .select(['key', 'stats'])
    .where('run_id', '=', runId)
    .where('file', '=', 'history')
    .orderBy('key')
    .execute();
  return tableColumns(metrics, Number(lines));
}

/** The row before the first byte, under the run's row: whoever changes lines from now on finds it. */
async function begin(db: Store, runId: number): Promise<{ id: number; key: string; range: LineRange } | undefined> {
  return db.transaction().execute(async (tx) => {
    const run = await tx
      .selectFrom('run')
      .select(['project_id', 'name'])
      .where('id', '=', runId)
      .forUpdate()
      .executeTakeFirst();
    const state = await exportedHistory(tx, runId);
    if (!run || state.kind !== 'due') return undefined;
    const { range } = state;
    const other = await tx
      .selectFrom('history_export')
      .select('id')
      .where('run_id', '=', runId)
      .where('made_at', 'is', null)
      .where('spoiled', '=', false)
      .where('begun_at', '>', new Date(Date.now() - givenUpMs))
      .executeTakeFirst();
    if (other) return undefined;
    const key = `history/${runId}/${randomBytes(12).toString('hex')}`;
    const { id } = await tx
      .insertInto('history_export')
      .values({ run_id: runId, project_id: run.project_id, run_name: run.name, ...range, blob_key: key })
      .returning('id')
      .executeTakeFirstOrThrow();
    return { id, key, range };
  });
}

/** False when its lines changed meanwhile, or the run was deleted, or another made the same file. */
async function finish(db: Store, id: number, runId: number): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    await tx.selectFrom('run').select('id').where('id', '=', runId).forUpdate().execute();
    const rows = await tx
      .selectFrom('history_export')
      .select(['id', 'first', 'until', 'made_at', 'spoiled'])
      .where('run_id', '=', runId)
      .execute();
    const mine = rows.find((row) => row.id === id);
    if (!mine || mine.spoiled || rows.some((row) => row.made_at !== null && row.until > mine.first)) return false;
    await tx.updateTable('history_export').set({ made_at: new Date() }).where('id', '=', id).execute();
    return true;
  });
}

/** Bytes first: the row is what knows of them. */
async function remove({ db, blobs }: Deps, id: number, key: string): Promise<void> {
  await blobs.remove(key);
  await db.deleteFrom('history_export').where('id', '=', id).execute();
}

/** Lines from `from` on were changed or cut. In the transaction that does so, which holds the run's row. */
export async function spoilExports(tx: Store, runId: number, from: number): Promise<void> {
  await tx
    .updateTable('history_export')
    .set({ spoiled: true })
    .where('run_id', '=', runId)
    .where('until', '>', from)
    .where('spoiled', '=', false)
    .execute();
}

const atOnce = 200;

/** Removes bytes that nobody is given any more. Returns how many; again while there are any. */
export async function sweepHistoryExports(
  { db, blobs }: Deps,
  options: { abandonedMs?: number } = {},
): Promise<number> {
  const before = new Date(Date.now() - (options.abandonedMs ?? abandonedMs));
  const rows = await db
    .selectFrom('history_export')
    .select(['id', 'blob_key', 'made_at', 'project_id'])
    .where((eb) =>
      eb.or([
        eb.and([
          eb('made_at', 'is not', null),
          eb('blob_key', 'is not', null),
          eb.or([eb('spoiled', '=', true), eb('run_id', 'is', null)]),
        ]),
        eb.and([eb('made_at', 'is', null), eb('begun_at', '<', before)]),
        eb('project_id', 'is', null),
      ]),
    )
    .limit(atOnce)
    .execute();
  for (const { id, blob_key, made_at, project_id } of rows) {
    if (blob_key !== null) await blobs.remove(blob_key);
    // What was given out is remembered: copies of it are kept under a name that may be used again.
    if (made_at !== null && project_id !== null)
      await db.updateTable('history_export').set({ blob_key: null, spoiled: true }).where('id', '=', id).execute();
    else await db.deleteFrom('history_export').where('id', '=', id).execute();
  }
  return rows.length;
}
