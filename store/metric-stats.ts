import { sql } from 'kysely';
import { flatten, longestKey } from '../domain/metric-segment.js';
import { addStats, addValue, emptyStats, type MetricStats } from '../domain/metric-stats.js';
import { withHistory, type HistoryState } from './history-snapshot.js';
import { eachLineBatch } from './line-batches.js';
import { roomForKeys } from './metric-fold.js';
import type { Store } from './open.js';
import { valuesOf } from './run-lines.js';
import type { MetricFile } from './schema.js';
import { storable } from './text.js';

/** What is known of the metrics of a run: of the folded lines it stands in run_metric, of the few behind them it is counted here. */

export const metricStats = (
  db: Store,
  runId: number,
  file: MetricFile = 'history',
): Promise<Map<string, MetricStats>> =>
  withHistory(db, runId, file, async (tx, state) => {
    const rows = await foldedMetrics(tx, runId, file).execute();
    return withTail(rows, await tailStats(tx, runId, file, state));
  });

export interface MetricPage {
  limit: number;
  /** The last name that was seen. */
  after?: string;
  key?: string;
  prefix?: string;
}

/** In the order of their names, by code point; one more than the limit. */
export const listMetrics = (
  db: Store,
  runId: number,
  file: MetricFile,
  { limit, after, key, prefix }: MetricPage,
): Promise<[string, MetricStats][]> =>
  withHistory(db, runId, file, async (tx, state) => {
    const rows = await foldedMetrics(tx, runId, file)
      .$if(key !== undefined, (query) => query.where('key', '=', key ?? ''))
      .$if(prefix !== undefined, (query) => query.where(sql<boolean>`starts_with(key, ${prefix ?? ''})`))
      .$if(after !== undefined, (query) => query.where(sql<boolean>`key collate "C" > ${after ?? ''}`))
      .limit(limit + 1)
      .execute();
    // What lies behind a full page comes with a later one.
    const end = rows.length > limit ? rows.at(-1)?.key : undefined;
    const tail = [...(await tailStats(tx, runId, file, state))].filter(
      ([name]) =>
        (key === undefined || name === key) &&
        (prefix === undefined || name.startsWith(prefix)) &&
        (after === undefined || inOrder(after, name) < 0) &&
        (end === undefined || inOrder(name, end) <= 0),
    );
    return [...withTail(rows, tail)].sort(([a], [b]) => inOrder(a, b)).slice(0, limit + 1);
  });

const foldedMetrics = (tx: Store, runId: number, file: MetricFile) =>
  tx
    .selectFrom('run_metric')
    .select(['key', 'stats'])
    .where('run_id', '=', runId)
    .where('file', '=', file)
    .orderBy(sql`key collate "C"`);

/** As the database orders by bytes; JavaScript's own order differs beyond the first plane. */
const inOrder = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

function withTail(
  rows: readonly { key: string; stats: MetricStats }[],
  tail: Iterable<[string, MetricStats]>,
): Map<string, MetricStats> {
  const all = new Map(rows.map(({ key, stats }) => [key, stats]));
  for (const [key, next] of tail) {
    const stats = all.get(key);
    if (stats) addStats(stats, next);
    else all.set(key, next);
  }
  return all;
}

/** Counted as folding would count them. */
async function tailStats(
  tx: Store,
  runId: number,
  file: MetricFile,
  state: HistoryState,
): Promise<Map<string, MetricStats>> {
  const tail = new Map<string, { stats: MetricStats; line: number } | undefined>();
  const stats = new Map<string, MetricStats>();
  if (state.folded >= state.total) return stats;
  const isCharted = await roomForKeys(tx, runId, file);
  for await (const lines of eachLineBatch(tx, runId, file, { from: state.folded, until: state.total }))
    for (const { line, content } of lines)
      for (const [key, value] of flatten(valuesOf(content) ?? {})) {
        if (!tail.has(key)) {
          const name = storable(key);
          const charted = key.length <= longestKey && isCharted(name);
          const fresh = charted ? { stats: emptyStats(), line: -1 } : undefined;
          tail.set(key, fresh);
          if (fresh) stats.set(name, fresh.stats);
        }
        const known = tail.get(key);
        // A name may stand there as itself and as a path; the first counts.
        if (!known || known.line === line) continue;
        known.line = line;
        addValue(known.stats, value);
      }
  return stats;
}
