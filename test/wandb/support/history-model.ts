import type { Json } from '../../../domain/extended-json.js';
import { valueAt } from '../../../domain/metric-segment.js';
import { addValue, emptyStats, type MetricStats } from '../../../domain/metric-stats.js';
import { evenly, valuesOf } from '../../../store/run-lines.js';

/** A history as a list of lines in memory: what the store has to answer like. */
export class HistoryModel {
  readonly #lines = new Map<number, string>();
  #end = 0;

  write(offset: number, content: readonly string[]): void {
    for (const [i, text] of content.entries()) this.#lines.set(offset + i, text);
  }

  /** The same below a line. A run that was cut in a gap counts the lines of the gap. */
  upTo(end: number): HistoryModel {
    const cut = new HistoryModel();
    for (const [line, text] of this.#lines) if (line < end) cut.write(line, [text]);
    cut.#end = end;
    return cut;
  }

  get count(): number {
    return Math.max(this.#end, Math.max(-1, ...this.#lines.keys()) + 1);
  }

  get lastStep(): number {
    return Math.max(-1, ...this.#rows().map(({ step }) => step));
  }

  texts(range: { min: number; max: number } = { min: -Infinity, max: Infinity }): string[] {
    return this.#rows()
      .filter(({ step }) => step >= range.min && step <= range.max)
      .map(({ text }) => text);
  }

  sampled(spec: { keys: string[]; samples: number; minStep?: number; maxStep?: number }): Record<string, Json>[] {
    const rows = this.#rows()
      .filter(({ step }) => step >= (spec.minStep ?? -Infinity) && step <= (spec.maxStep ?? Infinity))
      .filter(({ values }) => spec.keys.every((key) => valueAt(values, key) !== undefined));
    return evenly(rows.length, spec.samples).map((i) =>
      Object.fromEntries(spec.keys.map((key) => [key, valueAt(rows[i]?.values ?? {}, key) ?? null])),
    );
  }

  stats(key: string): MetricStats | undefined {
    const found = this.#rows().flatMap(({ values }) => {
      const value = valueAt(values, key);
      return value === undefined ? [] : [value];
    });
    if (found.length === 0) return undefined;
    const stats = emptyStats();
    for (const value of found) addValue(stats, value);
    return stats;
  }

  #rows(): { text: string; step: number; values: Record<string, Json> }[] {
    return [...this.#lines]
      .sort(([a], [b]) => a - b)
      .flatMap(([, text]) => {
        const values = valuesOf(text);
        const step = values?.['_step'];
        return values && typeof step === 'number' ? [{ text, step, values }] : [];
      });
  }
}
