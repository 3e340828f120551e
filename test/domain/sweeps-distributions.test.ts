import { describe, expect, test } from 'vitest';
import { position, quantile, type Search } from '../../domain/sweeps/distribution.js';
import { readParameters } from '../../domain/sweeps/parameters.js';
import { readYaml } from '../../domain/sweeps/read-yaml.js';
import { betaCdf, betaQuantile, normalCdf, normalQuantile } from '../../domain/sweeps/statistics.js';
import { isValueMap, PyNumber, toJsonText } from '../../domain/sweeps/value.js';
import { numbersFrom } from '../support/random.js';

function distribution(yaml: string): Search {
  const value = readYaml(`p: ${yaml}`);
  const { parameters, errors } = readParameters(isValueMap(value) ? value : {});
  expect(errors).toEqual([]);
  const found = parameters[0]?.distribution;
  if (!found || found.kind === 'constant') throw new Error('nothing to search');
  return found;
}

function draws(yaml: string, n = 4000): number[] {
  const random = numbersFrom(17);
  const found = distribution(yaml);
  return Array.from({ length: n }, () => {
    const value = quantile(found, random());
    if (!(value instanceof PyNumber)) throw new Error('not a number');
    return value.value;
  }).sort((a, b) => a - b);
}

describe('the mathematics agree with published values', () => {
  test.each([
    [0, 0.5],
    [1, 0.8413447460685429],
    [-1.959963984540054, 0.025],
    [3.090232306167813, 0.999],
    [-6, 9.865876450376981e-10],
  ])('normal: P(z < %d) = %d', (z, p) => {
    expect(normalCdf(z)).toBeCloseTo(p, 12);
    expect(normalQuantile(p)).toBeCloseTo(z, 6);
  });
  test.each([
    [0.5, 2, 2, 0.5],
    [0.2, 2, 5, 0.34464],
    [0.5, 0.5, 0.5, 0.5],
    [0.9, 8, 1, 0.43046721],
  ])('beta: P(x < %d; %d, %d) = %d', (x, a, b, p) => {
    expect(betaCdf(x, a, b)).toBeCloseTo(p, 9);
    expect(betaQuantile(p, a, b)).toBeCloseTo(x, 9);
  });
});

test.each([
  ['{min: 0.0, max: 2.0}', 0.5, 1, 1.5],
  ['{distribution: log_uniform, min: 0, max: 4}', Math.E, Math.E ** 2, Math.E ** 3],
  ['{distribution: log_uniform_values, min: 1e-4, max: 1}', 1e-3, 1e-2, 1e-1],
  ['{distribution: inv_log_uniform_values, min: 1e-4, max: 1}', 1e-3, 1e-2, 1e-1],
  ['{distribution: inv_log_uniform, min: 0, max: 4}', Math.E ** -3, Math.E ** -2, Math.E ** -1],
  ['{distribution: normal, mu: 10, sigma: 2}', 8.651, 10, 11.349],
  ['{distribution: log_normal}', 0.5094, 1, 1.963],
  ['{distribution: beta, a: 2, b: 2}', 0.3264, 0.5, 0.6736],
])('%s is drawn as its quartiles say', (yaml, ...quartiles) => {
  const found = draws(yaml);
  for (const [i, expected] of quartiles.entries()) {
    const own = found[Math.floor((found.length * (i + 1)) / 4)] ?? NaN;
    // Compared where the distribution is even: as probabilities.
    const p = position(distribution(yaml), PyNumber.float(own)) ?? NaN;
    expect(Math.abs(p - (i + 1) / 4)).toBeLessThan(0.03);
    const exact = quantile(distribution(yaml), (i + 1) / 4);
    expect(exact instanceof PyNumber ? exact.value / expected : NaN).toBeCloseTo(1, 3);
  }
});

test('whole numbers include both ends and come as ints', () => {
  const found = draws('{min: 3, max: 6}');
  expect(new Set(found)).toEqual(new Set([3, 4, 5, 6]));
  expect(toJsonText(quantile(distribution('{min: 3, max: 6}'), 0.999999))).toBe('6');
});

test.each([
  ['{distribution: q_uniform, min: 0.0, max: 1.0, q: 0.25}', /^(0\.0|0\.25|0\.5|0\.75|1\.0)$/],
  ['{distribution: q_uniform, min: 0, max: 100, q: 10}', /^\d+0?$/],
  ['{distribution: q_log_uniform_values, min: 16, max: 512, q: 16}', /^\d+$/],
  ['{distribution: q_normal, mu: 0, sigma: 10, q: 5}', /^-?\d+$/],
  ['{distribution: q_log_normal, q: 0.5}', /^\d+\.[05]$/],
  ['{distribution: q_beta, a: 2, b: 3, q: 0.1}', /^[01]\.\d$/],
])('%s is drawn in multiples of q, an int when q is one', (yaml, form) => {
  const random = numbersFrom(3);
  const found = distribution(yaml);
  for (let i = 0; i < 500; i++) expect(toJsonText(quantile(found, random()))).toMatch(form);
});

test('weights make values as likely as they say, and 0 never', () => {
  const found = distribution('{values: [a, b, c], probabilities: [3, 0, 1]}');
  const random = numbersFrom(5);
  const counts = new Map<unknown, number>();
  for (let i = 0; i < 4000; i++) {
    const value = quantile(found, random());
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  expect(counts.get('b')).toBeUndefined();
  expect((counts.get('a') ?? 0) / 4000).toBeCloseTo(0.75, 1);
});

test('a place on the line and the value there lead back to each other', () => {
  for (const yaml of [
    '{min: 0.0, max: 2.0}',
    '{distribution: log_uniform_values, min: 1e-4, max: 1}',
    '{distribution: inv_log_uniform_values, min: 1e-4, max: 1}',
    '{distribution: normal, mu: 3, sigma: 2}',
    '{distribution: log_normal, mu: 1, sigma: 0.5}',
    '{distribution: beta, a: 2, b: 5}',
  ])
    for (const p of [0.05, 0.3, 0.5, 0.77, 0.99])
      expect(position(distribution(yaml), quantile(distribution(yaml), p))).toBeCloseTo(p, 6);
});
