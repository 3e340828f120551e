import { sql } from 'kysely';
import { commonBits, rankOf, type Bits } from '../domain/bits.js';
import type { Json } from '../domain/extended-json.js';
import { valueAt } from '../domain/metric-segment.js';
import { shown } from '../domain/metric-stats.js';
import type { Store } from './open.js';
import { valuesOf } from './run-lines.js';
import type { MetricFile } from './schema.js';

/** The folded part of a run's lines: which of them have some keys, without looking at a line, and their values by a few hundred reads. */

export interface StepRange {
  minStep?: number;
  /** Inclusive. */
  maxStep?: number;
}

/** One key in one segment, without its numbers. */
interface Head {
  key: string;
  first: number;
  until: number;
  lines: number;
  present: Buffer | null;
  numeric: boolean;
  low: number | null;
  high: number | null;
}

/** Lines of one segment that have all the keys. */
export interface Matches {
  first: number;
  /** Numbers of lines from `first`, in order; undefined = all `count` of them. */
  at: number[] | undefined;
  count: number;
  heads: ReadonlyMap<string, Head>;
}

/**
 * Lines that have all the keys and a step in the range, by segments in order. `missing`: one of the keys is in no chunk of
 * the range, so nothing is found.
 */
export async function findMatches(
  db: Store,
  runId: number,
  file: MetricFile,
  keys: readonly string[],
  range: StepRange,
): Promise<{ found: Matches[]; missing: boolean }> {
  const { minStep = -Infinity, maxStep = Infinity } = range;
  const ranged = minStep > -Infinity || maxStep < Infinity;
  const wanted = [...new Set(ranged ? [...keys, '_step'] : keys)];
  const bySegment = new Map<number, Map<string, Head>>();
  for (const head of await readHeads(db, runId, file, wanted, { minStep, maxStep, ranged })) {
    const heads = bySegment.get(head.first) ?? new Map<string, Head>();
    heads.set(head.key, head);
    bySegment.set(head.first, heads);
  }
  const found: Matches[] = [];
  const split: Matches[] = [];
  for (const [first, heads] of [...bySegment].sort(([a], [b]) => a - b)) {
    if (heads.size < wanted.length) continue;
    const bits: Bits[] = [...heads.values()].map((head) => head.present ?? undefined);
    const size = [...heads.values()][0]?.until ?? first;
    const at = bits.every((set) => set === undefined) ? undefined : commonBits(size - first, bits);
    const count = at?.length ?? size - first;
    if (count === 0) continue;
    const matches: Matches = { first, at, count, heads };
    found.push(matches);
    const step = heads.get('_step');
    if (ranged && step && !((step.low ?? -Infinity) >= minStep && (step.high ?? Infinity) <= maxStep))
      split.push(matches);
  }
  if (split.length > 0) await narrow(db, runId, file, split, { minStep, maxStep });
  const seen = new Set([...bySegment.values()].flatMap((heads) => [...heads.keys()]));
  return { found: found.filter(({ count }) => count > 0), missing: keys.some((key) => !seen.has(key)) };
}

async function readHeads(
  db: Store,
  runId: number,
  file: MetricFile,
  keys: readonly string[],
  { minStep, maxStep, ranged }: { minStep: number; maxStep: number; ranged: boolean },
): Promise<Head[]> {
  // As an array, so that it is looked for once: as a join, a planner that knows nothing of the table yet may look for it once a row.
  const inRange = ranged
    ? sql`and first = any(array(
        select first from metric_chunk where run_id = ${runId}::int and file = ${file} and key = '_step'
          and high >= ${minStep}::float8 and low <= ${maxStep}::float8))`
    : sql``;
  const { rows } = await sql<Head>`
    select key, first, until, lines, present, numbers is not null as numeric, low, high from metric_chunk
    where run_id = ${runId}::int and file = ${file} and key = any(${keys}::text[]) ${inRange}
  `.execute(db);
  return rows;
}

/** Segments that lie across an end of the range lose the lines outside of it. */
async function narrow(
  db: Store,
  runId: number,
  file: MetricFile,
  split: readonly Matches[],
  { minStep, maxStep }: { minStep: number; maxStep: number },
): Promise<void> {
  const picks = split.map((matches) => ({ matches, at: allOf(matches) }));
  const steps = await readPicks(db, runId, file, ['_step'], picks);
  let next = 0;
  for (const { matches, at } of picks) {
    matches.at = at.filter(() => {
      const step = steps[next++]?.[0];
      return typeof step === 'number' && step >= minStep && step <= maxStep;
    });
    matches.count = matches.at.length;
  }
}

export const allOf = (matches: Matches): number[] => matches.at ?? Array.from({ length: matches.count }, (_, i) => i);

export interface Picks {
  matches: Matches;
  /** Lines from the beginning of the segment. */
  at: readonly number[];
}

/** Up to so many numbers of a chunk are cut out one by one; for more the whole is read. */
const fewPicks = 12;

/** The values of the keys in the picked lines, in the order of the picks. */
export async function readPicks(
  db: Store,
  runId: number,
  file: MetricFile,
  keys: readonly string[],
  picks: readonly Picks[],
): Promise<Json[][]> {
  const rows: Json[][] = picks.flatMap(({ at }) => at.map(() => keys.map(() => null)));
  const single: { key: number; first: number; rank: number; row: number }[] = [];
  const whole: { key: number; first: number; ranks: number[]; row: number }[] = [];
  const raw = new Map<number, { row: number; keys: number[] }>();
  let row = 0;
  for (const { matches, at } of picks) {
    for (const [k, key] of keys.entries()) {
      const head = matches.heads.get(key);
      if (!head) continue;
      if (!head.numeric)
        for (const [i, line] of at.entries()) {
          const known = raw.get(matches.first + line) ?? { row: row + i, keys: [] };
          known.keys.push(k);
          raw.set(matches.first + line, known);
        }
      else {
        const ranks = at.map((line) => rankOf(head.present ?? undefined, line));
        if (at.length > fewPicks) whole.push({ key: k, first: head.first, ranks, row });
        else for (const [i, rank] of ranks.entries()) single.push({ key: k, first: head.first, rank, row: row + i });
      }
    }
    row += at.length;
  }
  const set = (at: number, key: number, value: Json) => {
    const target = rows[at];
    if (target) target[key] = value;
  };
  for (const [i, value] of (await readSingle(db, runId, file, keys, single)).entries()) {
    const pick = single[i];
    if (pick && value !== undefined) set(pick.row, pick.key, shown(value));
  }
  await readWhole(db, runId, file, keys, whole, set);
  await readRaw(db, runId, file, keys, raw, set);
  return rows;
}

async function readSingle(
  db: Store,
  runId: number,
  file: MetricFile,
  keys: readonly string[],
  picks: readonly { key: number; first: number; rank: number }[],
): Promise<(number | undefined)[]> {
  const values: (number | undefined)[] = [];
  if (picks.length === 0) return values;
  const { rows } = await sql<{ n: number; bytes: Buffer }>`
    select n::int, substring(c.numbers from rank * 8 + 1 for 8) as bytes
    from unnest(${picks.map((p) => keys[p.key] ?? '')}::text[], ${picks.map((p) => p.first)}::int[], ${picks.map((p) => p.rank)}::int[])
      with ordinality as pick (key, first, rank, n)
    join metric_chunk c on c.run_id = ${runId}::int and c.file = ${file} and c.key = pick.key and c.first = pick.first
  `.execute(db);
  for (const { n, bytes } of rows) if (bytes.length === 8) values[n - 1] = bytes.readDoubleLE(0);
  return values;
}

type Put = (row: number, key: number, value: Json) => void;

/** A few megabytes of numbers at a time. */
const chunksPerRead = 500;

async function readWhole(
  db: Store,
  runId: number,
  file: MetricFile,
  keys: readonly string[],
  picks: readonly { key: number; first: number; ranks: number[]; row: number }[],
  put: Put,
): Promise<void> {
  for (let at = 0; at < picks.length; at += chunksPerRead) {
    const some = picks.slice(at, at + chunksPerRead);
    const { rows } = await sql<{ n: number; numbers: Buffer }>`
      select n::int, c.numbers
      from unnest(${some.map((p) => keys[p.key] ?? '')}::text[], ${some.map((p) => p.first)}::int[]) with ordinality as pick (key, first, n)
      join metric_chunk c on c.run_id = ${runId}::int and c.file = ${file} and c.key = pick.key and c.first = pick.first
    `.execute(db);
    for (const { n, numbers } of rows) {
      const pick = some[n - 1];
      for (const [i, rank] of pick?.ranks.entries() ?? [])
        if (pick && rank * 8 + 8 <= numbers.length) put(pick.row + i, pick.key, shown(numbers.readDoubleLE(rank * 8)));
    }
  }
}

/** Values that are no numbers stand in the lines only. */
async function readRaw(
  db: Store,
  runId: number,
  file: MetricFile,
  keys: readonly string[],
  picks: ReadonlyMap<number, { row: number; keys: number[] }>,
  put: Put,
): Promise<void> {
  const lines = [...picks.keys()];
  const perRead = 200;
  for (let at = 0; at < lines.length; at += perRead) {
    const some = await db
      .selectFrom('run_line')
      .select(['line', 'content'])
      .where('run_id', '=', runId)
      .where('file', '=', file)
      .where(sql<boolean>`line = any(${lines.slice(at, at + perRead)}::int[])`)
      .execute();
    for (const { line, content } of some) {
      const pick = picks.get(line);
      const values = valuesOf(content) ?? {};
      for (const key of pick?.keys ?? []) put(pick?.row ?? 0, key, valueAt(values, keys[key] ?? '') ?? null);
    }
  }
}
