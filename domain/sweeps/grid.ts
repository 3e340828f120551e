import { cleanProduct, type Distribution } from './distribution.js';
import type { Parameter } from './parameters.js';
import { nested, type Assignment } from './assignment.js';
import { canonicalText, PyNumber, type Value } from './value.js';

/** Every combination once, the last name varying fastest. Never laid out: the n-th is computed. */

interface Axis {
  path: readonly string[];
  size: number;
  value(index: number): Value;
}

/** Why these parameters have no grid; undefined = they have. */
export function gridProblem(parameters: readonly Parameter[]): string | undefined {
  for (const { path, distribution } of parameters)
    if (!axisOf(path, distribution))
      return (
        `parameters.${path.join('.')}: a grid cannot be laid over ${distribution.kind}; use values, int_uniform or q_uniform, ` +
        'or the method random or bayes.'
      );
  if (gridSize(parameters) > Number.MAX_SAFE_INTEGER)
    return 'parameters: the grid has more combinations than can be counted.';
  return undefined;
}

export const gridSize = (parameters: readonly Parameter[]): number =>
  axes(parameters).reduce((size, axis) => size * axis.size, 1);

export function gridAt(parameters: readonly Parameter[], index: number): Assignment {
  let left = index;
  const chosen = axes(parameters)
    .reverse()
    .map((axis): [readonly string[], Value] => {
      const at = left % axis.size;
      left = Math.floor(left / axis.size);
      return [axis.path, axis.value(at)];
    })
    .reverse();
  return nested(chosen);
}

const axes = (parameters: readonly Parameter[]): Axis[] =>
  parameters.flatMap(({ path, distribution }) => axisOf(path, distribution) ?? []);

function axisOf(path: readonly string[], distribution: Distribution): Axis | undefined {
  switch (distribution.kind) {
    case 'constant':
      return { path, size: 1, value: () => distribution.value };
    case 'categorical': {
      if (distribution.weights) return undefined;
      const values = distinct(distribution.values);
      return { path, size: values.length, value: (i) => values[i] ?? null };
    }
    case 'int_uniform':
      return {
        path,
        size: distribution.max - distribution.min + 1,
        value: (i) => PyNumber.int(distribution.min + i),
      };
    case 'uniform': {
      const { q, min, max } = distribution;
      if (!q) return undefined;
      // From min in steps of q, max left out, as the reference does; but never nothing.
      const size = Math.max(1, Math.ceil((max - min) / q.value - 1e-9));
      const whole = q.isInt && Number.isInteger(min);
      return {
        path,
        size,
        value: (i) => (whole ? PyNumber.int(min + i * q.value) : PyNumber.float(clean(min + cleanProduct(i, q.value)))),
      };
    }
    default:
      return undefined;
  }
}

const clean = (value: number): number => Number(value.toPrecision(15));

/** `values: [1, 1.0]` is one value: the second would give the same run again. */
function distinct(values: readonly Value[]): Value[] {
  const byKey = new Map<string, Value>();
  for (const value of values) {
    const key = canonicalText(value);
    if (!byKey.has(key)) byKey.set(key, value);
  }
  return [...byKey.values()];
}
