import { betaCdf, betaQuantile, normalCdf, normalQuantile } from './statistics.js';
import { canonicalText, PyNumber, type Value } from './value.js';

/** How one parameter is chosen, read and checked (parameters.ts). */
export type Distribution =
  | { kind: 'constant'; value: Value }
  | { kind: 'categorical'; values: Value[]; weights?: number[] }
  | { kind: 'int_uniform'; min: number; max: number }
  | Continuous;

/** A number from a line; with `q`, rounded to a multiple of it (an int when `q` is one). */
export type Continuous = Shape & { q?: PyNumber };

export type Shape =
  | { kind: 'uniform'; min: number; max: number }
  /** Bounds are natural logarithms. */
  | { kind: 'log_uniform'; min: number; max: number }
  /** The logarithm of the inverse is uniform. Bounds are those of that logarithm. */
  | { kind: 'inv_log_uniform'; min: number; max: number }
  | { kind: 'normal'; mu: number; sigma: number }
  | { kind: 'log_normal'; mu: number; sigma: number }
  | { kind: 'beta'; a: number; b: number };

export type Search = Exclude<Distribution, { kind: 'constant' }>;

/** The value at probability `p` (0 … 1): a uniform `p` draws from the distribution. */
export function quantile(distribution: Search, p: number): Value {
  if (distribution.kind === 'categorical') return distribution.values[indexAt(distribution, p)] ?? null;
  if (distribution.kind === 'int_uniform') {
    const { min, max } = distribution;
    return PyNumber.int(Math.min(max, min + Math.floor(p * (max - min + 1))));
  }
  const x = shapeQuantile(distribution, p);
  if (!distribution.q) return PyNumber.float(x);
  const { q } = distribution;
  const steps = roundHalfEven(x / q.value);
  if (!q.isInt || !Number.isFinite(steps * q.value)) return PyNumber.float(cleanProduct(steps, q.value));
  return PyNumber.int(steps * q.value);
}

/** Where a value lies, 0 … 1; undefined when this distribution cannot have made it. Weights do not bend the space that is searched. */
export function position(distribution: Search, value: Value): number | undefined {
  if (distribution.kind === 'categorical') {
    const key = canonicalText(value);
    const index = distribution.values.findIndex((v) => canonicalText(v) === key);
    return index < 0 ? undefined : (index + 0.5) / distribution.values.length;
  }
  if (!(value instanceof PyNumber) || !Number.isFinite(value.value)) return undefined;
  if (distribution.kind === 'int_uniform') {
    const { min, max } = distribution;
    return clamp((value.value - min + 0.5) / (max - min + 1));
  }
  const p = shapeCdf(distribution, value.value);
  return Number.isNaN(p) ? undefined : clamp(p);
}

const clamp = (p: number): number => Math.min(1, Math.max(0, p));

function indexAt({ values, weights }: { values: Value[]; weights?: number[] }, p: number): number {
  if (!weights) return Math.min(values.length - 1, Math.floor(p * values.length));
  const total = weights.reduce((sum, w) => sum + w, 0);
  let left = p * total;
  const found = weights.findIndex((w) => w > 0 && (left -= w) < 0);
  return found >= 0 ? found : weights.findLastIndex((w) => w > 0);
}

function shapeQuantile(shape: Shape, p: number): number {
  // The ends of a line without ends are never drawn.
  const inside = Math.min(1 - 1e-12, Math.max(1e-12, p));
  switch (shape.kind) {
    case 'uniform':
      return between(shape, p);
    case 'log_uniform':
      return Math.exp(between(shape, p));
    case 'inv_log_uniform':
      return Math.exp(-between(shape, 1 - p));
    case 'normal':
      return shape.mu + shape.sigma * normalQuantile(inside);
    case 'log_normal':
      return Math.exp(shape.mu + shape.sigma * normalQuantile(inside));
    case 'beta':
      return betaQuantile(p, shape.a, shape.b);
  }
}

function shapeCdf(shape: Shape, x: number): number {
  switch (shape.kind) {
    case 'uniform':
      return share(shape, x);
    case 'log_uniform':
      return share(shape, Math.log(x));
    case 'inv_log_uniform':
      return 1 - share(shape, -Math.log(x));
    case 'normal':
      return normalCdf((x - shape.mu) / shape.sigma);
    case 'log_normal':
      return x <= 0 ? 0 : normalCdf((Math.log(x) - shape.mu) / shape.sigma);
    case 'beta':
      return betaCdf(x, shape.a, shape.b);
  }
}

const between = ({ min, max }: { min: number; max: number }, p: number): number =>
  Math.min(Math.max(min + p * (max - min), min), max);
const share = ({ min, max }: { min: number; max: number }, x: number): number =>
  max === min ? 0.5 : (x - min) / (max - min);

/** As Python rounds: 0.5 goes to the even neighbour. */
function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

/** 3 × 0.1 is 0.3 to whoever wrote 0.1. */
export const cleanProduct = (steps: number, q: number): number => Number((steps * q).toPrecision(15));
