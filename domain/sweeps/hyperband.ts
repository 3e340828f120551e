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
 * best 1/eta of them has to go. Every band that was reached counts: a quick run passes several between two looks. `strict` judges by the value at the band
 * itself, otherwise by the best so far, which lets a run recover.
 */
export function runsToStop(rule: Hyperband, metric: Metric, runs: readonly Progress[]): string[] {
  const sign = metric.goal === 'maximize' ? -1 : 1;
  const thresholds = rule.bands.map((band) => {
    const there = runs
      .flatMap((run) => (run.atBand.has(band) ? [sign * (run.atBand.get(band) ?? 0)] : []))
      .sort((a, b) => a - b);
    return there[Math.min(there.length - 1, Math.floor(there.length / rule.eta))] ?? Infinity;
  });
  return runs.flatMap((run) => {
    const isWorse = rule.bands.some((band, i) => {
      const there = run.atBand.get(band);
      return there !== undefined && sign * (rule.strict ? there : run.best) > (thresholds[i] ?? Infinity);
    });
    return run.running && isWorse ? [run.name] : [];
  });
}
