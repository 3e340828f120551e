import { emptyBits, setBit, type Bits } from './bits.js';
import { isJsonObject, type Json } from './extended-json.js';
import { addValue, emptyStats, numberOf, type MetricStats } from './metric-stats.js';

/** Lines of one block; a segment never reaches over the end of its block, so lines that are written again touch one block only. */
export const blockLines = 1_024;
/** Different names that are charted in one run. Lines keep the others too, only slower to read. */
export const mostKeys = 10_000;
export const longestKey = 500;
/** What every line has, and ranges are found by: always charted. */
export const isOfEveryLine = (key: string): boolean => key === '_step' || key === '_runtime' || key === '_timestamp';

export interface Chunk {
  key: string;
  /** Lines that have the key. */
  lines: number;
  present: Bits;
  /** In the order of lines; undefined when one of the values is no number. */
  numbers: Float64Array | undefined;
  stats: MetricStats;
}

export interface Segment {
  first: number;
  until: number;
  lines: number;
  present: Bits;
  chunks: Chunk[];
  /** A key was left out. */
  partial: boolean;
}

/** Folds lines `first` … `until` - 1 into a segment. `isCharted` says whether a key that is seen for the first time still has room. */
export class SegmentBuilder {
  readonly #chunks = new Map<string, { lines: number[]; numbers: number[] | undefined; stats: MetricStats }>();
  readonly #lines: number[] = [];
  #partial = false;

  constructor(
    private readonly first: number,
    private readonly isCharted: (key: string) => boolean,
  ) {}

  add(line: number, values: Record<string, Json>): void {
    const at = line - this.first;
    this.#lines.push(at);
    for (const [key, value] of flatten(values)) {
      let chunk = this.#chunks.get(key);
      if (!chunk) {
        if (key.length > longestKey || !this.isCharted(key)) {
          this.#partial = true;
          continue;
        }
        chunk = { lines: [], numbers: [], stats: emptyStats() };
        this.#chunks.set(key, chunk);
      }
      // `a.b` may stand there as itself and as `b` in `a`; the first counts.
      if (chunk.lines.at(-1) === at) continue;
      chunk.lines.push(at);
      const number = numberOf(value);
      if (number === undefined) chunk.numbers = undefined;
      else chunk.numbers?.push(number);
      addValue(chunk.stats, value);
    }
  }

  finish(until: number): Segment {
    const size = until - this.first;
    return {
      first: this.first,
      until,
      lines: this.#lines.length,
      present: bitsOf(this.#lines, size),
      partial: this.#partial,
      chunks: [...this.#chunks].map(([key, { lines, numbers, stats }]) => ({
        key,
        lines: lines.length,
        present: bitsOf(lines, size),
        numbers: numbers && Float64Array.from(numbers),
        stats,
      })),
    };
  }
}

function bitsOf(lines: readonly number[], size: number): Bits {
  if (lines.length === size) return undefined;
  const bits = emptyBits(size);
  for (const at of lines) setBit(bits, at);
  return bits;
}

/** Nested values under dotted names. Media and tables (`_type`) are one value; deeper than eight nobody charts. */
export function* flatten(values: Record<string, Json>, prefix = '', depth = 0): Generator<[string, Json]> {
  for (const key in values) {
    const value = values[key];
    if (value === undefined) continue;
    if (isJsonObject(value) && !('_type' in value) && depth < 8) yield* flatten(value, `${prefix}${key}.`, depth + 1);
    else yield [prefix + key, value];
  }
}

/** A key as logged, or a path through nested values; names may hold dots themselves. */
export function valueAt(values: Record<string, Json>, key: string): Json | undefined {
  if (Object.hasOwn(values, key)) return values[key];
  for (let dot = key.indexOf('.'); dot >= 0; dot = key.indexOf('.', dot + 1)) {
    const head = key.slice(0, dot);
    const inner = Object.hasOwn(values, head) ? values[head] : undefined;
    const found = isJsonObject(inner) ? valueAt(inner, key.slice(dot + 1)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
