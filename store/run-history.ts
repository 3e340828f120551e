import type { Json } from '../domain/extended-json.js';
import { numberOf } from '../domain/metric-stats.js';
import { metricStats } from './metric-stats.js';
import type { Store } from './open.js';

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
