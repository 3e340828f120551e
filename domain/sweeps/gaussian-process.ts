/** Regression by a Gaussian process with a Matérn 3/2 kernel, for the few hundred points that a search ever has. */

export interface GaussianProcess {
  /** Mean and standard deviation at a point. */
  predict(point: readonly number[]): { mean: number; deviation: number };
}

/** Length scales that are tried; points lie in [0, 1] in each dimension. The likeliest wins. */
const lengthScales = [0.05, 0.1, 0.2, 0.35, 0.6, 1, 2];
const noise = 1e-6;

/** `values` may have any scale and offset. At least one point. */
export function fitGaussianProcess(points: readonly (readonly number[])[], values: readonly number[]): GaussianProcess {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const spread = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length) || 1;
  const normal = values.map((v) => (v - mean) / spread);
  const fits = lengthScales.flatMap((scale) => fit(points, normal, scale) ?? []);
  const best = fits.reduce<Fit | undefined>((top, f) => (top && top.likelihood >= f.likelihood ? top : f), undefined);
  return {
    predict(point) {
      if (!best) return { mean, deviation: spread };
      const k = points.map((p) => matern(distance(p, point), best.scale));
      const predicted = k.reduce((sum, value, i) => sum + value * (best.weights[i] ?? 0), 0);
      const v = solveLower(best.lower, k);
      const variance = Math.max(0, 1 - v.reduce((sum, x) => sum + x * x, 0));
      return { mean: mean + spread * predicted, deviation: spread * Math.sqrt(variance) };
    },
  };
}

interface Fit {
  scale: number;
  lower: number[][];
  weights: number[];
  likelihood: number;
}

function fit(points: readonly (readonly number[])[], values: readonly number[], scale: number): Fit | undefined {
  const kernel = points.map((a, i) => points.map((b, j) => matern(distance(a, b), scale) + (i === j ? noise : 0)));
  const lower = cholesky(kernel);
  if (!lower) return undefined;
  const weights = solveUpper(lower, solveLower(lower, values));
  const quadratic = values.reduce((sum, v, i) => sum + v * (weights[i] ?? 0), 0);
  const logDeterminant = lower.reduce((sum, row, i) => sum + Math.log(row[i] ?? 1), 0);
  return { scale, lower, weights, likelihood: -quadratic / 2 - logDeterminant };
}

export function matern(d: number, scale: number): number {
  const r = (Math.sqrt(3) * d) / scale;
  return (1 + r) * Math.exp(-r);
}

const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.sqrt(a.reduce((sum, x, i) => sum + (x - (b[i] ?? 0)) ** 2, 0));

/** L with L·Lᵀ = matrix; undefined when the matrix is not positive definite. */
export function cholesky(matrix: readonly (readonly number[])[]): number[][] | undefined {
  const lower: number[][] = [];
  for (const [i, source] of matrix.entries()) {
    const row: number[] = [];
    lower.push(row);
    for (let j = 0; j <= i; j++) {
      const other = lower[j] ?? [];
      let sum = source[j] ?? 0;
      for (let k = 0; k < j; k++) sum -= (row[k] ?? 0) * (other[k] ?? 0);
      if (i === j) {
        if (!(sum > 0)) return undefined;
        row.push(Math.sqrt(sum));
      } else row.push(sum / (other[j] ?? 1));
    }
  }
  return lower;
}

/** x with L·x = b. */
export function solveLower(lower: readonly (readonly number[])[], b: readonly number[]): number[] {
  const x: number[] = [];
  for (const [i, row] of lower.entries()) {
    let sum = b[i] ?? 0;
    for (let k = 0; k < i; k++) sum -= (row[k] ?? 0) * (x[k] ?? 0);
    x.push(sum / (row[i] ?? 1));
  }
  return x;
}

/** x with Lᵀ·x = b. */
export function solveUpper(lower: readonly (readonly number[])[], b: readonly number[]): number[] {
  const x = [...b];
  for (let i = lower.length - 1; i >= 0; i--) {
    let sum = b[i] ?? 0;
    for (let k = i + 1; k < lower.length; k++) sum -= (lower[k]?.[i] ?? 0) * (x[k] ?? 0);
    x[i] = sum / (lower[i]?.[i] ?? 1);
  }
  return x;
}
