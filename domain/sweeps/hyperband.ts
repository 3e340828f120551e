import type { Hyperband, Metric } from './config.js';

/** A run as early termination sees it. */
export interface Progress {
  name: string;
  running: boolean;
  /** How many values of the metric it logged. */
  count: number;
  /** The value logged as the n-th (from 1), for each band that it reached. */
  atBand: ReadonlyMap<number, number>;
  /** The best so far, in the direction of the goal. */
  best: number;
}

/**
 * Names of the running runs to stop. At each band all runs that reached it are compared, ended ones too; whoever is past it and worse than the
 * best 1/eta of them has to go. `strict` judges by the value at the band itself, otherwise by the best so far, which lets a run recover.
 */
export function runsToStop(rule: Hyperband, metric: Metric, runs: readonly Progress[]): string[] {
  const sign = metric.goal === 'maximize' ? -1 : 1;
  return runs.flatMap((run) => {
    if (!run.running) return [];
    const band = rule.bands.filter((b) => b <= run.count && run.atBand.has(b)).at(-1);
    if (band === undefined) return [];
    const there = runs
      .flatMap((r) => (r.atBand.has(band) ? [sign * (r.atBand.get(band) ?? 0)] : []))
      .sort((a, b) => a - b);
    const threshold = there[Math.min(there.length - 1, Math.floor(there.length / rule.eta))] ?? Infinity;
    const own = sign * (rule.strict ? (run.atBand.get(band) ?? 0) : run.best);
    return own > threshold ? [run.name] : [];
  });
}
