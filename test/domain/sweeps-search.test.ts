import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { at } from '../../domain/sweeps/assignment.js';
import { bayesNext, expectedImprovement, type Trial } from '../../domain/sweeps/bayes.js';
import { readSweepConfig, type SweepConfig } from '../../domain/sweeps/config.js';
import { cholesky, fitGaussianProcess, solveLower, solveUpper } from '../../domain/sweeps/gaussian-process.js';
import { gridAt, gridSize } from '../../domain/sweeps/grid.js';
import { runsToStop, type Progress } from '../../domain/sweeps/hyperband.js';
import { drawAssignment } from '../../domain/sweeps/random.js';
import { canonicalText, PyNumber, toJsonText } from '../../domain/sweeps/value.js';
import { numbersFrom } from '../support/random.js';

function config(yaml: string): SweepConfig {
  const read = readSweepConfig(yaml);
  if ('errors' in read) throw new Error(read.errors.join(' '));
  return read.config;
}

describe('a grid', () => {
  test('walks the product, the last name fastest, nested ones too', () => {
    const { parameters } = config(
      'method: grid\nparameters: {b: {values: [x, y]}, a: {min: 1, max: 2}, opt: {parameters: {lr: {values: [1.0, 0.5]}, k: {value: 7}}}}',
    );
    expect(gridSize(parameters)).toBe(8);
    expect([0, 1, 2, 7].map((i) => toJsonText(gridAt(parameters, i)))).toEqual([
      '{"a":1,"b":"x","opt":{"k":7,"lr":1.0}}',
      '{"a":1,"b":"x","opt":{"k":7,"lr":0.5}}',
      '{"a":1,"b":"y","opt":{"k":7,"lr":1.0}}',
      '{"a":2,"b":"y","opt":{"k":7,"lr":0.5}}',
    ]);
  });

  test('has every combination once', () => {
    const axis = fc.oneof(
      fc
        .uniqueArray(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 4 })
        .map((v) => ({ yaml: `{values: [${v.join(', ')}]}`, n: v.length })),
      fc
        .tuple(fc.integer({ min: -3, max: 3 }), fc.nat(3))
        .map(([min, n]) => ({ yaml: `{min: ${min}, max: ${min + n}}`, n: n + 1 })),
      fc
        .integer({ min: 1, max: 4 })
        .map((n) => ({ yaml: `{distribution: q_uniform, min: 0.0, max: ${n / 10}, q: 0.1}`, n })),
    );
    fc.assert(
      fc.property(fc.array(axis, { minLength: 1, maxLength: 4 }), (axes) => {
        const { parameters } = config(
          `method: grid\nparameters:\n${axes.map((a, i) => `  p${i}: ${a.yaml}`).join('\n')}\n`,
        );
        const size = axes.reduce((product, a) => product * a.n, 1);
        expect(gridSize(parameters)).toBe(size);
        const keys = Array.from({ length: size }, (_, i) => canonicalText(gridAt(parameters, i)));
        expect(new Set(keys).size).toBe(size);
      }),
      { seed: 11, numRuns: 60 },
    );
  });

  test('takes 1 and 1.0 for one value', () =>
    expect(gridSize(config('method: grid\nparameters: {a: {values: [1, 1.0, 2]}}').parameters)).toBe(2));
});

describe('the Gaussian process', () => {
  test('solves by Cholesky what was multiplied', () => {
    const random = numbersFrom(2);
    const n = 12;
    const a = Array.from({ length: n }, () => Array.from({ length: n }, () => random() - 0.5));
    const matrix = a.map((row, i) =>
      a.map((other, j) => row.reduce((sum, x, k) => sum + x * (other[k] ?? 0), 0) + (i === j ? 0.1 : 0)),
    );
    const x = Array.from({ length: n }, (_, i) => i - 3);
    const b = matrix.map((row) => row.reduce((sum, value, i) => sum + value * (x[i] ?? 0), 0));
    const lower = cholesky(matrix);
    expect(lower).toBeDefined();
    const solved = solveUpper(lower ?? [], solveLower(lower ?? [], b));
    for (const [i, value] of x.entries()) expect(solved[i]).toBeCloseTo(value, 8);
    expect(
      cholesky([
        [1, 2],
        [2, 1],
      ]),
    ).toBeUndefined();
  });

  test('goes through its points and is unsure between them', () => {
    const points = [0, 0.25, 0.5, 0.75, 1].map((x) => [x]);
    const model = fitGaussianProcess(
      points,
      points.map(([x = 0]) => Math.sin(6 * x) * 100 + 1000),
    );
    for (const [x = 0] of points) {
      expect(model.predict([x]).mean).toBeCloseTo(Math.sin(6 * x) * 100 + 1000, 0);
      expect(model.predict([x]).deviation).toBeLessThan(1);
    }
    expect(model.predict([0.6]).deviation).toBeGreaterThan(model.predict([0.51]).deviation);
  });

  test('equal values and a single one are no trouble', () => {
    expect(fitGaussianProcess([[0.1], [0.9]], [5, 5]).predict([0.5]).mean).toBeCloseTo(5);
    expect(fitGaussianProcess([[0.1]], [5]).predict([0.5]).mean).toBeCloseTo(5);
  });

  test('expected improvement is that of the normal distribution', () => {
    expect(expectedImprovement(0, 0, 1)).toBeCloseTo(0.3989, 4);
    expect(expectedImprovement(1, 0, 0)).toBe(1);
    expect(expectedImprovement(0, 5, 1e-3)).toBeCloseTo(0, 10);
  });
});

describe('Bayesian search', () => {
  const space = (goal: string) =>
    config(
      `method: bayes\nmetric: {name: f, goal: ${goal}}\nparameters:\n  x: {min: -5.0, max: 10.0}\n  y: {min: 0.0, max: 15.0}\n`,
    );
  /** Branin: three valleys of depth 0.397887. */
  const branin = (x: number, y: number) =>
    (y - (5.1 * x * x) / (4 * Math.PI ** 2) + (5 * x) / Math.PI - 6) ** 2 +
    10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) +
    10;
  /** One valley, slanted, on another scale. */
  const bowl = (x: number, y: number) => 1e4 + (x - 3) ** 2 * 5 + (y - 4) ** 2 + (x - 3) * (y - 4);

  function bestOf(
    goal: 'minimize' | 'maximize',
    f: (x: number, y: number) => number,
    seed: number,
    bayes: boolean,
  ): number {
    const random = numbersFrom(seed);
    const { parameters, metric } = space(goal);
    if (!metric) throw new Error('no metric');
    const sign = goal === 'maximize' ? -1 : 1;
    const trials: Trial[] = [];
    for (let i = 0; i < 20; i++) {
      const assignment = bayes ? bayesNext(parameters, metric, trials, random) : drawAssignment(parameters, random);
      const number = (name: string) => {
        const value = at(assignment, [name]);
        return value instanceof PyNumber ? value.value : NaN;
      };
      const value = sign * f(number('x'), number('y'));
      trials.push({ assignment, open: false, best: value, worst: value, latest: value });
    }
    return Math.min(...trials.map((t) => sign * (t.best ?? Infinity)));
  }
  const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

  test.each([
    ['Branin, minimized', 'minimize', branin],
    ['a bowl, maximized upside down', 'maximize', bowl],
  ] as const)('finds better than random: %s', { timeout: 300_000 }, (_, goal, f) => {
    const seeds = [1, 2, 3, 4, 5];
    const guided = median(seeds.map((seed) => bestOf(goal, f, seed, true)));
    const blind = median(seeds.map((seed) => bestOf(goal, f, seed, false)));
    expect(guided).toBeLessThan(blind);
  });

  test('agents at once do not try one spot', () => {
    const random = numbersFrom(9);
    const { parameters, metric } = space('minimize');
    if (!metric) throw new Error('no metric');
    const trials: Trial[] = [0, 1, 2, 3].map(() => {
      const assignment = drawAssignment(parameters, random);
      return { assignment, open: false, best: random(), worst: 1, latest: 1 };
    });
    const texts = Array.from({ length: 4 }, () => {
      const assignment = bayesNext(parameters, metric, trials, random);
      trials.push({ assignment, open: true });
      return toJsonText(assignment);
    });
    expect(new Set(texts).size).toBe(4);
  });
});

describe('hyperband', () => {
  const run = (name: string, running: boolean, values: number[]): Progress => ({
    name,
    running,
    count: values.length,
    atBand: new Map([1, 3].flatMap((band) => (values[band - 1] === undefined ? [] : [[band, values[band - 1] ?? 0]]))),
    best: Math.min(...values),
  });
  const rule = { bands: [1, 3], eta: 2, strict: false };
  const metric = { name: 'loss', goal: 'minimize', impute: 'worst' } as const;

  test('stops who is worse than the best share at its band, and nobody else', () => {
    const runs = [
      run('finished-bad', false, [9, 9, 9]),
      run('good', true, [5, 4, 3]),
      run('better', true, [5, 4, 1]),
      run('bad', true, [8, 8, 8]),
      run('worst', true, [10, 10, 10]),
      run('new', true, []),
    ].map((r) => (r.count === 0 ? { ...r, best: Infinity } : r));
    expect(runsToStop(rule, metric, runs)).toEqual(['worst']);
    expect(runsToStop({ ...rule, eta: 4 }, metric, runs)).toEqual(['bad', 'worst']);
  });

  test('judges a quick run by the bands that it passed, not only by the one where it is alone', () =>
    expect(runsToStop({ ...rule, eta: 3 }, metric, [run('a', false, [1]), run('b', true, [9, 9, 9])])).toEqual(['b']));

  test('lets a run recover unless it is strict', () => {
    const runs = [run('a', true, [1, 1, 5, 1]), run('b', false, [1, 1, 2]), run('c', false, [1, 1, 2])];
    expect(runsToStop({ ...rule, bands: [3] }, metric, runs)).toEqual([]);
    expect(runsToStop({ ...rule, bands: [3], strict: true, eta: 3 }, metric, runs)).toEqual(['a']);
  });
});
