import { isJsonObject, type Json } from './extended-json.js';

/**
 * What is known of one metric without looking at its values: of a stretch of lines, or of all. JSON has no NaN and no infinity, so such
 * numbers stand as the strings that extended JSON gives them.
 */
export interface MetricStats {
  /** Lines that have it, by the kind of value. */
  types: Record<string, number>;
  /** Of numbers: NaN is no least and no greatest. */
  min?: Num;
  max?: Num;
  /** Of the finite ones, for the mean. */
  sum: number;
  finite: number;
  firstNumber?: Num;
  lastNumber?: Num;
  /** No number is less than the one before it. */
  monotonic: boolean;
  /** The last value of any kind; long ones are left out. */
  last: Json;
}

export type Num = number | 'NaN' | 'Infinity' | '-Infinity';

/** Different kinds that are told apart; media kinds come from outside. */
const mostTypes = 20;
const longestLast = 2_000;

export const numberOf = (value: Json | undefined): number | undefined =>
  typeof value === 'number' ? value : isSpecial(value) ? Number(value) : undefined;

const isSpecial = (value: Json | undefined): boolean =>
  value === 'NaN' || value === 'Infinity' || value === '-Infinity';

export const shown = (value: number): Num => (Number.isFinite(value) ? value : (String(value) as Num));

export function emptyStats(): MetricStats {
  return { types: {}, sum: 0, finite: 0, monotonic: true, last: null };
}

/** One more line that has it. Changes `stats`. */
export function addValue(stats: MetricStats, value: Json): void {
  const number = numberOf(value);
  count(stats, number === undefined ? typeOf(value) : 'number', 1);
  stats.last = short(value);
  if (number === undefined) return;
  const previous = numberOf(stats.lastNumber);
  if (previous !== undefined && number < previous) stats.monotonic = false;
  widen(stats, number, number);
  if (Number.isFinite(number)) {
    stats.sum += number;
    stats.finite++;
  }
  stats.firstNumber ??= shown(number);
  stats.lastNumber = shown(number);
}

/** The stretch behind `stats` is added to it. Changes `stats`. */
export function addStats(stats: MetricStats, next: MetricStats): void {
  for (const [type, n] of Object.entries(next.types)) count(stats, type, n);
  const before = numberOf(stats.lastNumber);
  const after = numberOf(next.firstNumber);
  if (!next.monotonic || (before !== undefined && after !== undefined && after < before)) stats.monotonic = false;
  const [low, high] = [numberOf(next.min), numberOf(next.max)];
  if (low !== undefined && high !== undefined) widen(stats, low, high);
  stats.sum += next.sum;
  stats.finite += next.finite;
  if (next.firstNumber !== undefined) stats.firstNumber ??= next.firstNumber;
  if (next.lastNumber !== undefined) stats.lastNumber = next.lastNumber;
  stats.last = next.last;
}

export const meanOf = (stats: MetricStats): number | undefined => {
  if (stats.finite === 0) return undefined;
  const mean = stats.sum / stats.finite;
  return Number.isFinite(mean) ? mean : undefined;
};

/** As clients name kinds of values. */
export function typeOf(value: Json): string {
  if (value === null) return 'nil';
  if (Array.isArray(value)) return 'list';
  if (isJsonObject(value)) return typeof value['_type'] === 'string' ? value['_type'].slice(0, 100) : 'map';
  return typeof value;
}

function widen(stats: MetricStats, low: number, high: number): void {
  if (Number.isNaN(low) || Number.isNaN(high)) return;
  stats.min = shown(Math.min(numberOf(stats.min) ?? low, low));
  stats.max = shown(Math.max(numberOf(stats.max) ?? high, high));
}

function count(stats: MetricStats, type: string, n: number): void {
  const known = Object.hasOwn(stats.types, type) || Object.keys(stats.types).length < mostTypes;
  const name = known ? type : 'other';
  stats.types[name] = (Object.hasOwn(stats.types, name) ? (stats.types[name] ?? 0) : 0) + n;
}

function short(value: Json): Json {
  if (typeof value === 'string') return value.length <= longestLast ? value : null;
  if (typeof value !== 'object' || value === null) return value;
  return JSON.stringify(value).length <= longestLast ? value : null;
}
