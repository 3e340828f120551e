import type { Json } from '../domain/extended-json.js';
import { flatten, isOfEveryLine, mostKeys } from '../domain/metric-segment.js';
import { addStats, addValue, emptyStats, numberOf, type MetricStats } from '../domain/metric-stats.js';
import { withHistory } from './history-snapshot.js';
import { eachLineBatch } from './line-batches.js';
import type { Store } from './open.js';
import { valuesOf } from './run-lines.js';
import type { MetricFile } from './schema.js';

/** What is known of every metric of a run: of the folded lines it stands in run_metric, of the few behind them it is counted here. */
export async function metricStats(
  db: Store,
  runId: number,
  file: MetricFile = 'history',
): Promise<Map<string, MetricStats>> {
  return withHistory(db, runId, file, async (tx, state) => {
    const rows = await tx
      .selectFrom('run_metric')
      .select(['key', 'stats'])
      .where('run_id', '=', runId)
      .where('file', '=', file)
      .orderBy('key')
      .execute();
    const known = new Map(rows.map(({ key, stats }) => [key, stats]));
    const tail = new Map<string, MetricStats>();
    for await (const lines of eachLineBatch(tx, runId, file, { from: state.folded, until: state.total }))
      for (const { content } of lines) {
        for (const [key, value] of flatten(valuesOf(content) ?? {})) {
          let stats = tail.get(key);
          if (!stats) {
            if (tail.size >= mostKeys && !isOfEveryLine(key)) continue;
            tail.set(key, (stats = emptyStats()));
          }
          addValue(stats, value);
        }
      }
    for (const [key, next] of tail) {
      const stats = known.get(key);
      if (stats) addStats(stats, next);
      else if (known.size < mostKeys || isOfEveryLine(key)) known.set(key, next);
    }
    return known;
  });
}

export interface HistoryKeys {
  keys: Record<string, { typeCounts: { type: string; count: number }[]; monotonic: boolean; previousValue: Json }>;
  lastStep: number;
  sets: [];
}

/** Which metrics a run has, in the form of the client's `historyKeys`; nested values count under dotted names. */
export async function historyKeys(db: Store, runId: number): Promise<HistoryKeys> {
  const metrics = await metricStats(db, runId);
  const keys = [...metrics].map(([key, { types, monotonic, last }]) => {
    const typeCounts = Object.entries(types).map(([type, count]) => ({ type, count }));
    return [key, { typeCounts, monotonic: monotonic && Object.hasOwn(types, 'number'), previousValue: last }] as const;
  });
  return { keys: Object.fromEntries(keys), lastStep: numberOf(metrics.get('_step')?.max) ?? -1, sets: [] };
}

/** Last value of each system metric. */
export async function systemMetrics(db: Store, runId: number): Promise<Record<string, Json>> {
  const metrics = await metricStats(db, runId, 'events');
  return Object.fromEntries(
    [...metrics].filter(([key]) => key.startsWith('system')).map(([key, stats]) => [key, stats.last]),
  );
}
