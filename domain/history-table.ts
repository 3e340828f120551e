import { numberOf, type MetricStats } from './metric-stats.js';

/** History as a table of a parquet file: a row for each line, a column of numbers for each key. */

/** Bounds of one file, so that the memory to write it does not grow with the run. */
const mostColumns = 1_000;
const mostValues = 512 * 1024 * 1024;

/**
 * The columns, `_step` among them; undefined when clients would not read from a file what they read from pages. Clients of 0.28 and later give a
 * row for every line, whether it has the keys that were asked for or not, 0.28 takes one column for another behind a nested one, and none
 * finds a key within another. So all lines must have the same keys, each a number, in the order of steps.
 */
export function tableColumns(
  metrics: readonly { key: string; stats: MetricStats }[],
  lines: number,
): string[] | undefined {
  const step = metrics.find(({ key }) => key === '_step');
  if (!step?.stats.monotonic || (numberOf(step.stats.min) ?? -1) < 0) return undefined;
  if (metrics.length > mostColumns || metrics.length * lines > mostValues) return undefined;
  if (!metrics.every(({ key, stats }) => isName(key) && isOfAll(stats, lines))) return undefined;
  return metrics.map(({ key }) => key);
}

/** A dot may be the way into a nested value; where U+FFFD stands the name as logged is not known. */
const isName = (key: string): boolean => key !== '' && !/[.\ufffd]/.test(key);

function isOfAll({ types, min, max }: MetricStats, lines: number): boolean {
  if (types['number'] !== lines || Object.keys(types).length !== 1) return false;
  return isExact(numberOf(min)) && isExact(numberOf(max));
}

/** Larger whole numbers are not all the same as eight bytes; as text they are. */
const isExact = (value: number | undefined): boolean =>
  value === undefined || !Number.isFinite(value) || Math.abs(value) <= Number.MAX_SAFE_INTEGER;

/** Written at once: some megabytes, and tens of milliseconds in which nothing else is done. */
const valuesOfGroup = 256 * 1024;
/** What is known of each part of each column is held to the end of the file. */
const mostParts = 50_000;

/** Rows of a row group. */
export const groupRows = (columns: number, rows: number): number =>
  Math.max(1, Math.ceil(valuesOfGroup / columns), Math.ceil((rows * columns) / mostParts));
