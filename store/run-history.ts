import { isJsonObject, type Json } from '../domain/extended-json.js';
import type { Store } from './open.js';
import { countLines, evenly, lineOfStep, readHistoryOf, readLines, sampleLines } from './run-lines.js';

/** What is computed from the lines of a run when somebody asks. */

/** Up to here every line is looked at; beyond, an even sample stands for them. */
const exactLines = 10_000;
const batch = 2_000;

export interface HistoryKeys {
  keys: Record<string, { typeCounts: { type: string; count: number }[]; monotonic: boolean; previousValue: Json }>;
  lastStep: number;
  sets: [];
}

/** Which metrics a run has; nested values count under dotted names. Counts are of the lines looked at. */
export async function historyKeys(db: Store, runId: number): Promise<HistoryKeys> {
  const total = await countLines(db, runId, 'history');
  const seen = new Map<string, { types: Map<string, number>; last: Json; monotonic: boolean }>();
  let lastStep = -1;
  for await (const { values } of eachSampled(db, runId, total)) {
    for (const [key, value] of flatten(values)) {
      const entry = seen.get(key) ?? { types: new Map<string, number>(), last: null, monotonic: true };
      if (typeof value === 'number' && typeof entry.last === 'number' && value < entry.last) entry.monotonic = false;
      entry.types.set(typeOf(value), (entry.types.get(typeOf(value)) ?? 0) + 1);
      entry.last = value;
      seen.set(key, entry);
    }
    if (typeof values['_step'] === 'number') lastStep = values['_step'];
  }
  const keys = [...seen].map(([key, { types, last, monotonic }]) => {
    const typeCounts = [...types].map(([type, count]) => ({ type, count }));
    return [key, { typeCounts, monotonic: monotonic && types.has('number'), previousValue: last }] as const;
  });
  return { keys: Object.fromEntries(keys), lastStep, sets: [] };
}

async function* eachSampled(db: Store, runId: number, total: number) {
  if (total > exactLines) {
    yield* readHistoryOf(await sampleLines(db, runId, 'history', { total, samples: exactLines }));
    return;
  }
  for await (const lines of batches(db, runId, 0)) yield* readHistoryOf(lines);
}

export async function* batches(db: Store, runId: number, from: number) {
  for (let at = from; ;) {
    const lines = await readLines(db, runId, 'history', { from: at, limit: batch });
    if (lines.length > 0) yield lines;
    const last = lines.at(-1);
    if (!last || lines.length < batch) return;
    at = last.line + 1;
  }
}

export interface SampleSpec {
  keys: string[];
  samples: number;
  minStep?: number;
  /** Inclusive. */
  maxStep?: number;
}

/** Rows that have all the keys, with those keys only, evenly thinned to the number of samples. Steps only grow, so a range is one stretch. */
export async function sampledHistory(db: Store, runId: number, spec: SampleSpec): Promise<Record<string, Json>[]> {
  const { keys, samples, minStep, maxStep = Infinity } = spec;
  const total = await countLines(db, runId, 'history');
  const from = minStep === undefined ? 0 : await lineOfStep(db, runId, minStep, total);
  const rows: Record<string, Json>[] = [];
  collect: for await (const lines of batches(db, runId, from)) {
    for (const { values } of readHistoryOf(lines)) {
      if (typeof values['_step'] === 'number' && values['_step'] > maxStep) break collect;
      const row = keys.map((key) => [key, valueAt(values, key)] as const);
      if (row.every(([, value]) => value !== undefined))
        rows.push(Object.fromEntries(row.map(([key, value]) => [key, value ?? null])));
    }
  }
  return evenly(rows.length, Math.max(1, samples)).flatMap((i) => rows.slice(i, i + 1));
}

/** Last value of each system metric. Different metrics come in different lines, so the last few are laid over each other. */
export async function systemMetrics(db: Store, runId: number): Promise<Record<string, Json>> {
  const total = await countLines(db, runId, 'events');
  const lines = readHistoryOf(await readLines(db, runId, 'events', { from: Math.max(0, total - 20), limit: 20 }));
  const merged = Object.fromEntries(lines.flatMap(({ values }) => Object.entries(values)));
  return Object.fromEntries(Object.entries(merged).filter(([key]) => key.startsWith('system')));
}

/** A key as logged, or a path through nested values. */
function valueAt(values: Record<string, Json>, key: string): Json | undefined {
  if (Object.hasOwn(values, key)) return values[key];
  let at: Json | undefined = values;
  for (const part of key.split('.')) at = isJsonObject(at) && Object.hasOwn(at, part) ? at[part] : undefined;
  return at;
}

function* flatten(values: Record<string, Json>, prefix = '', depth = 0): Generator<[string, Json]> {
  for (const [key, value] of Object.entries(values)) {
    // Media and tables (`_type`) are one value; deeper than this nobody charts.
    if (isJsonObject(value) && !('_type' in value) && depth < 8) yield* flatten(value, `${prefix}${key}.`, depth + 1);
    else yield [prefix + key, value];
  }
}

function typeOf(value: Json): string {
  if (value === null) return 'nil';
  if (Array.isArray(value)) return 'list';
  if (isJsonObject(value)) return typeof value['_type'] === 'string' ? value['_type'] : 'map';
  // NaN and the like come as strings (domain/extended-json.ts) but were logged as numbers.
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return 'number';
  return typeof value;
}
