import { describe, expect, test } from 'vitest';
import { readSweepConfig } from '../../domain/sweeps/config.js';
import { readYaml } from '../../domain/sweeps/read-yaml.js';
import { canonicalText, toJsonText } from '../../domain/sweeps/value.js';

const errorsOf = (yaml: string): string => {
  const read = readSweepConfig(yaml);
  return 'errors' in read ? read.errors.join('\n') : '';
};
const random = (parameter: string) => `method: random\nparameters:\n  lr: ${parameter}\n`;

describe('numbers reach the program as they were written', () => {
  test.each([
    ['1.0', '1.0'],
    ['1', '1'],
    ['-0.50', '-0.5'],
    ['1e-3', '0.001'],
    ['1.0e-05', '0.00001'],
    ['1E5', '100000.0'],
    ['1e+25', '1e+25'],
    ['0x10', '16'],
    ['017', '15'],
    ['1_000', '1000'],
    ['123456789012345678901', '123456789012345678901'],
    ['.5', '0.5'],
    ['.inf', 'Infinity'],
    ['"1.0"', '"1.0"'],
    ["'008'", '"008"'],
    ['yes', 'true'],
    ['n', '"n"'],
    ['~', 'null'],
    ['2020-01-02', '"2020-01-02"'],
    ['[1, 1.0, {a: 2.0}]', '[1,1.0,{"a":2.0}]'],
    ['v1.0', '"v1.0"'],
  ])('%s', (yaml, json) => expect(toJsonText(readYaml(yaml))).toBe(json));

  test('what is equal compares equal', () => {
    expect(canonicalText(readYaml('{b: 3.0, a: [1]}'))).toBe(canonicalText(readYaml('{a: [1.0], b: 3}')));
    expect(canonicalText(readYaml('"3"'))).not.toBe(canonicalText(readYaml('3')));
  });
});

describe('a mistake is answered with a sentence that names its place', () => {
  test.each([
    ['method: genetic\nparameters: {a: {value: 1}}', 'method: there is no search method "genetic"'],
    ['parameters: {a: {value: 1}}', 'method: is missing'],
    ['method: random', 'parameters: must be a map with at least one parameter.'],
    [random('{values: []}'), 'parameters.lr: "values" must be a list with at least one value.'],
    [random('{min: 3, max: 1}'), 'parameters.lr: "min" (3) is greater than "max" (1).'],
    [random('{distribution: gaussian}'), 'parameters.lr: there is no distribution "gaussian"'],
    [random('{distribution: uniform, min: 0}'), 'parameters.lr: needs "max".'],
    [random('{distribution: int_uniform, min: 0.5, max: 3}'), 'parameters.lr: "min" must be a whole number, not 0.5.'],
    [random('{distribution: log_uniform_values, min: 0, max: 3}'), 'must be greater than 0 for a logarithmic scale'],
    [random('{distribution: log_uniform, min: 0.001, max: 1000}'), 'use log_uniform_values'],
    [random('{distribution: normal, sigma: 0}'), '"sigma" must be greater than 0'],
    [random('{distribution: q_uniform, min: 0, max: 1, q: 0}'), '"q" must be a number greater than 0'],
    [random('{values: [1, 2], probabilities: [1]}'), '"probabilities" must be a list as long as "values" (2).'],
    [random('{parameters: {deep: {values: []}}}'), 'parameters.lr.deep: "values"'],
    [random('3'), 'parameters.lr: must be a map'],
    ['method: bayes\nparameters: {a: {min: 0.0, max: 1.0}}', 'metric: Bayesian search needs a "metric"'],
    ['method: bayes\nmetric: {name: l}\nparameters: {a: {value: 1}}', 'at least one parameter that is not a constant'],
    ['method: grid\nparameters: {a: {min: 0.0, max: 1.0}}', 'parameters.a: a grid cannot be laid over uniform'],
    [random('{value: 1}') + 'run_cap: 0', 'run_cap: must be a whole number of at least 1'],
    [random('{value: 1}') + 'metric: {goal: minimize}', 'metric: needs the "name"'],
    [random('{value: 1}') + 'metric: {name: a, goal: best}', 'metric.goal: must be minimize or maximize'],
    [random('{value: 1}') + 'early_terminate: {type: hyperband, min_iter: 3}', 'early_terminate needs a "metric"'],
    [
      random('{value: 1}') + 'metric: {name: a}\nearly_terminate: {type: median}',
      'early_terminate.type: must be hyperband',
    ],
    [
      random('{value: 1}') + 'metric: {name: a}\nearly_terminate: {type: hyperband, max_iter: 2, s: 2}',
      'leaves no band',
    ],
    ['[1, 2]', 'The config must be a map'],
    ['a: [1', 'not valid YAML'],
    ['a: 1\na: 2', 'not valid YAML'],
  ])('%s', (yaml, sentence) => expect(errorsOf(yaml)).toContain(sentence));

  test('a few lines cannot unfold into gigabytes', () => {
    const levels = Array.from({ length: 30 }, (_, i) => `l${i + 1}: &l${i + 1} [${'*l' + i}, ${'*l' + i}]`);
    expect(errorsOf(['l0: &l0 [x, x]', ...levels].join('\n'))).toContain('more than 200000 values');
  });
});

test('what is only unknown is a warning', () => {
  const read = readSweepConfig(`${random('{min: 0.0, max: 1.0, mu: 3}')}priority: high\n`);
  expect(read).toMatchObject({
    warnings: [
      '"priority" is not a key of sweep configs and is ignored.',
      'parameters.lr: "mu" means nothing for the distribution uniform and is ignored.',
    ],
  });
});

test('bands of early termination are those of the reference', () => {
  const bands = (rule: string) => {
    const read = readSweepConfig(
      `${random('{value: 1}')}metric: {name: a}\nearly_terminate: {type: hyperband, ${rule}}`,
    );
    return 'errors' in read ? read.errors : read.config.earlyTerminate?.bands;
  };
  expect(bands('min_iter: 3')?.slice(0, 4)).toEqual([3, 9, 27, 81]);
  expect(bands('max_iter: 27, s: 2')).toEqual([3, 9]);
  expect(bands('max_iter: 5, eta: 2, s: 5')).toEqual([1, 2]);
});
