import type { Hyperband, Metric } from '../domain/sweeps/config.js';
import { fromArgs, type Assignment } from '../domain/sweeps/assignment.js';
import type { Progress } from '../domain/sweeps/hyperband.js';
import { isJsonObject, parseObjectOrEmpty, type Json } from '../domain/extended-json.js';
import { isRunOpen, type RunState } from '../domain/words.js';
import type { Store } from './open.js';
import { sampledHistory } from './history-sample.js';
import { argsOf } from './sweep-sets.js';

/** What the runs of a sweep logged of its metric. */

export interface SetResult extends Progress {
  assignment: Assignment;
  /** Not ended, or not begun. */
  open: boolean;
  worst: number | undefined;
  latest: number | undefined;
  /** Undefined when it logged none. */
  bestValue: number | undefined;
}

/** More values than this of one run are looked at in an even sample. */
const mostValues = 20_000;

interface Series {
  count: number;
  atBand: Map<number, number>;
  best: number | undefined;
  worst: number | undefined;
  latest: number | undefined;
}

/** By run, metric and what was logged so far; an ended run is read once. */
const seen = new Map<string, Series>();
const mostSeen = 5_000;

export async function resultsOf(
  db: Store,
  sweep: { id: number; project_id: number },
  metric: Metric,
  rule?: Hyperband,
): Promise<SetResult[]> {
  const rows = await db
    .selectFrom('sweep_set as s')
    .leftJoin('run as r', (join) => join.onRef('r.name', '=', 's.run_name').on('r.project_id', '=', sweep.project_id))
    .select(['s.run_name', 's.args', 's.state as set_state', 'r.id', 'r.state', 'r.summary', 'r.history_lines'])
    .where('s.sweep_id', '=', sweep.id)
    .orderBy('s.n')
    .execute();
  const results: SetResult[] = [];
  for (const row of rows) {
    const state: RunState | null = row.state;
    const series =
      row.id === null
        ? undefined
        : await seriesOf(db, { id: row.id, lines: row.history_lines ?? 0, summary: row.summary ?? '' }, metric, rule);
    results.push({
      name: row.run_name,
      running: state === 'running' || state === 'preempting',
      open: state === null ? row.set_state !== 'ended' : isRunOpen(state),
      assignment: fromArgs(argsOf(row.args)),
      count: series?.count ?? 0,
      atBand: series?.atBand ?? new Map(),
      best: series?.best ?? 0,
      bestValue: series?.best,
      worst: series?.worst,
      latest: series?.latest,
    });
  }
  return results;
}

async function seriesOf(
  db: Store,
  run: { id: number; lines: number; summary: string },
  metric: Metric,
  rule: Hyperband | undefined,
): Promise<Series> {
  const own = summaryValue(run.summary, metric.name);
  const key = JSON.stringify([
    run.id,
    run.lines,
    own ?? null,
    metric.name,
    metric.goal,
    rule?.bands.slice(0, 8) ?? null,
  ]);
  const known = seen.get(key);
  if (known) return known;
  const rows = await sampledHistory(db, run.id, { keys: [metric.name], samples: mostValues });
  const values = rows.flatMap((row) => finite(row[metric.name]) ?? []);
  // A summary that the program set itself counts too: many log their result only there.
  const all = own === undefined ? values : [...values, own];
  const [low, high] = extremes(all);
  const series: Series = {
    count: values.length,
    atBand: new Map(
      (rule?.bands ?? []).flatMap((band) => (values[band - 1] === undefined ? [] : [[band, values[band - 1] ?? 0]])),
    ),
    best: metric.goal === 'maximize' ? high : low,
    worst: metric.goal === 'maximize' ? low : high,
    latest: own ?? values.at(-1),
  };
  if (seen.size >= mostSeen) seen.clear();
  seen.set(key, series);
  return series;
}

function extremes(values: readonly number[]): [number | undefined, number | undefined] {
  let low: number | undefined;
  let high: number | undefined;
  for (const value of values) {
    if (low === undefined || value < low) low = value;
    if (high === undefined || value > high) high = value;
  }
  return [low, high];
}

const finite = (value: Json | undefined): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

/** A metric in a run's summary: by its name, else by its path through nested values; of `{min, max}` and the like (define_metric) the last. */
export function summaryValue(summary: string, name: string): number | undefined {
  const values = parseObjectOrEmpty(summary);
  let value: Json | undefined = Object.hasOwn(values, name) ? values[name] : undefined;
  if (value === undefined) {
    value = values;
    for (const part of name.split('.'))
      value = isJsonObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  }
  return finite(isJsonObject(value) ? value['last'] : value);
}

/** The run with the best value in its summary, for each sweep of a page: what lists show. */
export async function bestOfSweeps(
  db: Store,
  projectId: number,
  sweeps: readonly { name: string; metric: Metric | undefined }[],
): Promise<Map<string, { run: string; value: number }>> {
  const metrics = new Map(sweeps.flatMap(({ name, metric }) => (metric ? [[name, metric] as const] : [])));
  const best = new Map<string, { run: string; value: number }>();
  if (metrics.size === 0) return best;
  const rows = await db
    .selectFrom('run')
    .select(['name', 'sweep_name', 'summary'])
    .where('project_id', '=', projectId)
    .where('sweep_name', 'in', [...metrics.keys()])
    .orderBy('id', 'desc')
    .limit(10_000)
    .execute();
  for (const { name: run, sweep_name: name, summary } of rows) {
    const metric = name === null ? undefined : metrics.get(name);
    const value = metric && summaryValue(summary, metric.name);
    if (name === null || value === undefined) continue;
    const before = best.get(name)?.value;
    const better = before === undefined || (metric?.goal === 'maximize' ? value > before : value < before);
    if (better) best.set(name, { run, value });
  }
  return best;
}
