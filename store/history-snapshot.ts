import { blockLines } from '../domain/metric-segment.js';
import { isRunOpen } from '../domain/words.js';
import { foldLines } from './metric-fold.js';
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
  // Inside of a caller's transaction that one's view has to do.
  const within = <R>(work: (tx: Store) => Promise<R>): Promise<R> =>
    db.isTransaction
      ? work(db)
      : db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(work);
  // Usually nothing is due, and one look in the view that is read says so: a page of a hundred runs does this a hundred times.
  const found = await within(async (tx) => {
    const state = await stateOf(tx, runId, file);
    return isDue(state) ? { due: state } : { value: await read(tx, state) };
  });
  if ('value' in found) return found.value;
  await foldLines(db, runId, file, { rest: !found.due.open });
  return within(async (tx) => read(tx, await stateOf(tx, runId, file)));
}

interface State extends HistoryState {
  open: boolean;
  dirty: boolean;
}

const isDue = ({ total, folded, open, dirty }: State): boolean =>
  dirty || total - folded >= blockLines || (!open && folded < total);

async function stateOf(db: Store, runId: number, file: MetricFile): Promise<State> {
  const row = await db
    .selectFrom('run')
    .leftJoin('metric_fold', (join) => join.onRef('run_id', '=', 'run.id').on('file', '=', file))
    .select(['state', file === 'history' ? 'history_lines as total' : 'events_lines as total'])
    .select(['folded', 'partial', 'dirty'])
    .where('run.id', '=', runId)
    .executeTakeFirst();
  if (row === undefined) return { total: 0, folded: 0, partial: false, open: false, dirty: false };
  return {
    total: row.total,
    folded: Math.min(row.folded ?? 0, row.total),
    partial: row.partial ?? false,
    open: isRunOpen(row.state),
    dirty: (row.dirty ?? []).length > 0,
  };
}
