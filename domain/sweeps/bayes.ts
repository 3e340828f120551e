import { nested, at, type Assignment } from './assignment.js';
import type { Metric } from './config.js';
import { position, quantile, type Search } from './distribution.js';
import { fitGaussianProcess } from './gaussian-process.js';
import type { Parameter } from './parameters.js';
import { drawAssignment, type Random } from './random.js';
import { normalCdf, normalPdf } from './statistics.js';

/** What is known of a run when the next set is chosen. */
export interface Trial {
  assignment: Assignment;
  /** Not ended yet: its result is guessed by the model, so that several agents do not try the same spot. */
  open: boolean;
  /** The best value so far, in the direction of the goal; undefined when it logged none. */
  best?: number;
  worst?: number;
  latest?: number;
}

const mostPoints = 100;
const candidates = 1000;

/** The set with the highest expected improvement among random ones; a random one while fewer than two results are there. */
export function bayesNext(
  parameters: readonly Parameter[],
  metric: Metric,
  trials: readonly Trial[],
  random: Random,
): Assignment {
  const searched = parameters.flatMap(({ path, distribution }) =>
    distribution.kind === 'constant' ? [] : [{ path, distribution }],
  );
  const sign = metric.goal === 'maximize' ? -1 : 1;
  const placed = trials.flatMap((trial) => {
    const point = pointOf(searched, trial.assignment);
    return point ? [{ trial, point }] : [];
  });
  const known = placed.flatMap(({ trial, point }) => {
    const value = resultOf(trial, metric, trials);
    return trial.open || value === undefined ? [] : [{ point, value: sign * value }];
  });
  if (known.length < 2) return drawAssignment(parameters, random);
  // The newest say most about where the search stands; all together would cost the cube of their number.
  const open = placed.filter(({ trial }) => trial.open).slice(-(mostPoints - 5));
  const used = known.slice(-Math.max(5, mostPoints - open.length));
  const best = [...known].sort((a, b) => a.value - b.value).slice(0, 5);
  const samples = [...new Set([...best, ...used])];
  let model = fitGaussianProcess(
    samples.map((s) => s.point),
    samples.map((s) => s.value),
  );
  if (open.length > 0) {
    const all = [...samples, ...open.map(({ point }) => ({ point, value: model.predict(point).mean }))];
    model = fitGaussianProcess(
      all.map((s) => s.point),
      all.map((s) => s.value),
    );
  }
  const incumbent = Math.min(...samples.map((s) => s.value));
  const bestPoint = best[0]?.point;
  let chosen: number[] = [];
  let top = -Infinity;
  for (let i = 0; i < candidates; i++) {
    const point = candidate(searched.length, bestPoint, i, random);
    const { mean, deviation } = model.predict(point);
    const improvement = expectedImprovement(incumbent, mean, deviation);
    if (improvement > top) [top, chosen] = [improvement, point];
  }
  return assignmentAt(parameters, chosen);
}

/** How much better than `incumbent` (smaller) a normal guess is expected to be. */
export function expectedImprovement(incumbent: number, mean: number, deviation: number): number {
  if (deviation <= 1e-12) return Math.max(0, incumbent - mean);
  const z = (incumbent - mean) / deviation;
  return (incumbent - mean) * normalCdf(z) + deviation * normalPdf(z);
}

/** Most anywhere; one in five close to the best so far, which random points alone hardly ever hit in many dimensions. */
function candidate(dimensions: number, best: readonly number[] | undefined, i: number, random: Random): number[] {
  if (!best || i % 5 !== 0) return Array.from({ length: dimensions }, () => random());
  const width = i % 10 === 0 ? 0.1 : 0.02;
  return best.map((x) => Math.min(1, Math.max(0, x + width * (random() + random() + random() - 1.5))));
}

function pointOf(searched: readonly { path: readonly string[]; distribution: Search }[], assignment: Assignment) {
  const point = searched.map(({ path, distribution }) => {
    const value = at(assignment, path);
    return value === undefined ? undefined : position(distribution, value);
  });
  return point.every((p) => p !== undefined) ? point : undefined;
}

function assignmentAt(parameters: readonly Parameter[], point: readonly number[]): Assignment {
  let i = 0;
  return nested(
    parameters.map(({ path, distribution }) => [
      path,
      distribution.kind === 'constant' ? distribution.value : quantile(distribution, point[i++] ?? 0.5),
    ]),
  );
}

/** Ended without a value: it counts as the worst of all that there is (or as `impute` says), so that the search keeps away. */
function resultOf(trial: Trial, metric: Metric, trials: readonly Trial[]): number | undefined {
  if (trial.best !== undefined) return metric.impute === 'latest' ? (trial.latest ?? trial.best) : trial.best;
  const worst = trials.flatMap((t) => (t.open || t.worst === undefined ? [] : [t.worst]));
  if (worst.length === 0) return 0;
  return metric.goal === 'maximize' ? Math.min(...worst) : Math.max(...worst);
}
