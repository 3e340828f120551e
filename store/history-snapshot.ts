import { blockLines } from '../domain/metric-segment.js';
import { isRunOpen } from '../domain/words.js';
import { foldLines, foldOf } from './metric-fold.js';
import type { Store } from './open.js';
import type { MetricFile } from './schema.js';

/** How the lines of a run lie: folded below, as they came behind. */
export interface HistoryState {
  total: number;
  folded: number;
  /** Some keys are in lines only. */
  partial: boolean;
}

/**
 * Reads under one view of the database: a fold, a rewind or a rewrite in between would pair numbers with the wrong lines. Whatever is due is
 * folded first, so that what is read as it came is never more than a block.
 */
export async function withHistory<T>(
  db: Store,
  runId: number,
  file: MetricFile,
  read: (tx: Store, state: HistoryState) => Promise<T>,
): Promise<T> {
  await foldWhatIsDue(db, runId, file);
  const readNow = async (tx: Store): Promise<T> => {
    const { total } = await totals(tx, runId, file);
    const { folded, partial } = await foldOf(tx, runId, file);
    return read(tx, { total, folded: Math.min(folded, total), partial });
  };
  // Inside of a caller's transaction that one's view has to do.
  if (db.isTransaction) return readNow(db);
  return db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(readNow);
}

async function foldWhatIsDue(db: Store, runId: number, file: MetricFile): Promise<void> {
  const { total, open } = await totals(db, runId, file);
  const { folded, dirty } = await foldOf(db, runId, file);
  if (dirty.length > 0 || total - folded >= blockLines || (!open && folded < total))
    await foldLines(db, runId, file, { rest: !open });
}

async function totals(db: Store, runId: number, file: MetricFile): Promise<{ total: number; open: boolean }> {
  const row = await db
    .selectFrom('run')
    .select(['state', file === 'history' ? 'history_lines as total' : 'events_lines as total'])
    .where('id', '=', runId)
    .executeTakeFirst();
  return { total: row?.total ?? 0, open: row !== undefined && isRunOpen(row.state) };
}
