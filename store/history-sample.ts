import type { Json } from '../domain/extended-json.js';
import { valueAt } from '../domain/metric-segment.js';
import { findMatches, readPicks, type Matches, type Picks, type StepRange } from './history-picks.js';
import { withHistory, type HistoryState } from './history-snapshot.js';
import { eachLineBatch } from './line-batches.js';
import type { Store } from './open.js';
import { evenly, valuesOf } from './run-lines.js';
import type { MetricFile } from './schema.js';

export interface SampleSpec extends StepRange {
  keys: string[];
  samples: number;
}

/**
 * Rows that have all the keys, with those keys only, evenly thinned to the number of samples, in the order of lines. From a million lines this
 * reads what is known of a thousand segments and the few hundred numbers that are asked for.
 */
export async function sampledHistory(
  db: Store,
  runId: number,
  spec: SampleSpec,
  file: MetricFile = 'history',
): Promise<Record<string, Json>[]> {
  const keys = [...new Set(spec.keys)];
  const samples = Math.max(1, spec.samples);
  if (keys.length === 0) return [];
  return withHistory(db, runId, file, async (tx, state) => {
    const { found: folded, missing } = await findMatches(tx, runId, file, keys, spec);
    // Where a key is in no chunk, `folded` is empty.
    const inLines = missing && (await keysInLinesOnly(tx, runId, file, keys, state));
    const foldedCount = folded.reduce((sum, { count }) => sum + count, 0);
    const tail = await readTail(tx, runId, file, {
      ...spec,
      keys,
      from: inLines ? 0 : state.folded,
      until: state.total,
      ...(inLines ? { samples } : { samples: Infinity }),
    });
    const wanted = evenly(foldedCount + tail.length, samples);
    const rows = await readPicks(tx, runId, file, keys, pick(folded, wanted));
    for (const at of wanted) {
      const row = at < foldedCount ? undefined : tail[at - foldedCount];
      if (row) rows.push(row);
    }
    return rows.map((values) => Object.fromEntries(keys.map((key, i) => [key, values[i] ?? null])));
  });
}

/** The picked places, by segment. */
function pick(folded: readonly Matches[], wanted: readonly number[]): Picks[] {
  const picks: Picks[] = [];
  let before = 0;
  let next = 0;
  for (const matches of folded) {
    const lines = matches.at ?? undefined;
    const at: number[] = [];
    for (let place = wanted[next]; place !== undefined && place < before + matches.count; place = wanted[++next])
      at.push(lines ? (lines[place - before] ?? 0) : place - before);
    before += matches.count;
    if (at.length > 0) picks.push({ matches, at });
  }
  return picks;
}

/**
 * Rows of lines as they came: those not folded yet, or all when a key is in no chunk. Of all, no more than a few times `samples` are held: every
 * second one is dropped when there are more.
 */
async function readTail(
  db: Store,
  runId: number,
  file: MetricFile,
  range: { keys: string[]; from: number; until: number; samples: number } & StepRange,
): Promise<Json[][]> {
  const { keys, minStep, maxStep } = range;
  let rows: Json[][] = [];
  let stride = 1;
  let seen = 0;
  let last: Json[] | undefined;
  for await (const lines of eachLineBatch(db, runId, file, range))
    for (const { content } of lines) {
      const values = valuesOf(content);
      if (!values || !isInRange(values['_step'], { minStep, maxStep })) continue;
      const found = keys.map((key) => valueAt(values, key));
      if (found.some((value) => value === undefined)) continue;
      last = found.map((value) => value ?? null);
      if (seen++ % stride === 0) rows.push(last);
      if (rows.length > 4 * range.samples) {
        rows = rows.filter((_, i) => i % 2 === 0);
        stride *= 2;
      }
    }
  if (last && rows.at(-1) !== last) rows.push(last);
  return rows;
}

function isInRange(
  step: Json | undefined,
  { minStep, maxStep }: { minStep?: number | undefined; maxStep?: number | undefined },
): boolean {
  if (minStep === undefined && maxStep === undefined) return true;
  return typeof step === 'number' && step >= (minStep ?? -Infinity) && step <= (maxStep ?? Infinity);
}

/** A key that no chunk has, although lines may. */
async function keysInLinesOnly(
  db: Store,
  runId: number,
  file: MetricFile,
  keys: readonly string[],
  state: HistoryState,
): Promise<boolean> {
  if (state.folded === 0) return false;
  const rows = await db
    .selectFrom('run_metric')
    .select('key')
    .where('run_id', '=', runId)
    .where('file', '=', file)
    .where('key', 'in', [...keys])
    .execute();
  if (rows.length === keys.length) return false;
  if (state.partial) return true;
  const known = new Set(rows.map(({ key }) => key));
  const missing = keys.filter((key) => !known.has(key));
  for (const key of missing) {
    const ancestors = key
      .split('.')
      .slice(0, -1)
      .map((_, i, parts) => parts.slice(0, i + 1).join('.'));
    const near = await db
      .selectFrom('run_metric')
      .select('key')
      .where('run_id', '=', runId)
      .where('file', '=', file)
      .where((eb) =>
        eb.or([
          eb(eb.fn('starts_with', ['key', eb.val(key + '.')]), '=', true),
          ...(ancestors.length > 0 ? [eb('key', 'in', ancestors)] : []),
        ]),
      )
      .limit(1)
      .executeTakeFirst();
    if (near) return true;
  }
  return false;
}
