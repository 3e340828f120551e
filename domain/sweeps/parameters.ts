import type { Distribution, Shape } from './distribution.js';
import { isValueMap, PyNumber, shown, type Value, type ValueMap } from './value.js';

/** One parameter of a search, nested ones under their path: `optimizer: {parameters: {lr: …}}` is `['optimizer', 'lr']`. */
export interface Parameter {
  path: readonly string[];
  distribution: Distribution;
}

export interface Findings {
  parameters: Parameter[];
  /** What cannot be searched, a sentence each. */
  errors: string[];
  /** What is ignored. */
  warnings: string[];
}

const deepestNesting = 20;

/** In the order of their paths, as the reference sorts them: a grid is walked in this order. */
export function readParameters(given: ValueMap): Findings {
  const findings: Findings = { parameters: [], errors: [], warnings: [] };
  collect(given, [], findings);
  findings.parameters.sort((a, b) => (a.path.join('.') < b.path.join('.') ? -1 : 1));
  return findings;
}

function collect(given: ValueMap, above: readonly string[], findings: Findings): void {
  for (const [name, spec] of Object.entries(given)) {
    const path = [...above, name];
    const where = `parameters.${path.join('.')}`;
    if (!isValueMap(spec)) {
      findings.errors.push(`${where}: must be a map such as {values: [1, 2]} or {min: 0, max: 1}, not ${shown(spec)}.`);
      continue;
    }
    if ('parameters' in spec) {
      if (!isValueMap(spec['parameters'])) findings.errors.push(`${where}.parameters: must be a map of parameters.`);
      else if (path.length >= deepestNesting)
        findings.errors.push(`${where}: nested more than ${deepestNesting} deep.`);
      else collect(spec['parameters'], path, findings);
      continue;
    }
    const read = readDistribution(spec);
    if (typeof read === 'string') findings.errors.push(`${where}: ${read}`);
    else {
      findings.parameters.push({ path, distribution: read.distribution });
      const ignored = Object.keys(spec).filter((key) => !read.used.includes(key) && key !== 'distribution');
      for (const key of ignored)
        findings.warnings.push(`${where}: "${key}" means nothing for the distribution ${read.name} and is ignored.`);
    }
  }
}

interface Read {
  distribution: Distribution;
  name: string;
  used: readonly string[];
}

export const distributionNames = [
  'constant',
  'categorical',
  'categorical_w_probabilities',
  'int_uniform',
  'uniform',
  'q_uniform',
  'log_uniform',
  'log_uniform_values',
  'q_log_uniform',
  'q_log_uniform_values',
  'inv_log_uniform',
  'inv_log_uniform_values',
  'normal',
  'q_normal',
  'log_normal',
  'q_log_normal',
  'beta',
  'q_beta',
] as const;
type Name = (typeof distributionNames)[number];

function readDistribution(spec: ValueMap): Read | string {
  const given = spec['distribution'];
  const name = given === undefined || given === null ? impliedName(spec) : distributionNames.find((n) => n === given);
  if (name === undefined)
    return given === undefined || given === null
      ? 'needs one of "value", "values", "min" and "max", "distribution", "parameters".'
      : `there is no distribution ${shown(given)}; known are ${distributionNames.join(', ')}.`;
  const read = readNamed(name, spec);
  return typeof read === 'string' ? read : { ...read, name };
}

function impliedName(spec: ValueMap): Name | undefined {
  const { min, max } = spec;
  if ('value' in spec) return 'constant';
  if ('values' in spec) return 'categorical';
  if (min !== undefined && max !== undefined) {
    if ('q' in spec) return 'q_uniform';
    const whole = min instanceof PyNumber && max instanceof PyNumber && min.isInt && max.isInt;
    return whole ? 'int_uniform' : 'uniform';
  }
  if ('mu' in spec || 'sigma' in spec) return 'normal';
  if ('a' in spec || 'b' in spec) return 'beta';
  return undefined;
}

function readNamed(name: Name, spec: ValueMap): Omit<Read, 'name'> | string {
  if (name === 'constant') {
    if (!('value' in spec)) return 'a constant needs "value".';
    return { distribution: { kind: 'constant', value: spec['value'] ?? null }, used: ['value'] };
  }
  if (name === 'categorical' || name === 'categorical_w_probabilities') return readCategorical(spec);
  if (name === 'int_uniform') {
    const min = wholeIn(spec, 'min');
    const max = wholeIn(spec, 'max');
    if (typeof min === 'string') return min;
    if (typeof max === 'string') return max;
    if (min > max) return `"min" (${min}) is greater than "max" (${max}).`;
    return { distribution: { kind: 'int_uniform', min, max }, used: ['min', 'max'] };
  }
  const quantized = name.startsWith('q_');
  const q = quantized ? (spec['q'] ?? PyNumber.int(1)) : undefined;
  if (q !== undefined && !(q instanceof PyNumber && q.value > 0 && Number.isFinite(q.value)))
    return `"q" must be a number greater than 0, not ${shown(q)}.`;
  const shape = readShape(name.replace(/^q_/, ''), spec);
  if (typeof shape === 'string') return shape;
  const used = 'mu' in shape ? ['mu', 'sigma'] : 'a' in shape ? ['a', 'b'] : ['min', 'max'];
  return q === undefined ? { distribution: shape, used } : { distribution: { ...shape, q }, used: [...used, 'q'] };
}

function readShape(name: string, spec: ValueMap): Shape | string {
  if (name === 'normal' || name === 'log_normal') {
    const mu = numberIn(spec, 'mu', 0);
    const sigma = numberIn(spec, 'sigma', 1);
    if (typeof mu === 'string') return mu;
    if (typeof sigma === 'string') return sigma;
    return sigma > 0 ? { kind: name, mu, sigma } : `"sigma" must be greater than 0, not ${sigma}.`;
  }
  if (name === 'beta') {
    const a = numberIn(spec, 'a', 1);
    const b = numberIn(spec, 'b', 1);
    if (typeof a === 'string') return a;
    if (typeof b === 'string') return b;
    return a > 0 && b > 0 ? { kind: 'beta', a, b } : '"a" and "b" must be greater than 0.';
  }
  const min = numberIn(spec, 'min');
  const max = numberIn(spec, 'max');
  if (typeof min === 'string') return min;
  if (typeof max === 'string') return max;
  if (min > max) return `"min" (${min}) is greater than "max" (${max}).`;
  if (name === 'uniform') return { kind: 'uniform', min, max };
  if (name.endsWith('_values')) {
    if (min <= 0) return `"min" must be greater than 0 for a logarithmic scale, not ${min}.`;
    return name.startsWith('inv_')
      ? { kind: 'inv_log_uniform', min: -Math.log(max), max: -Math.log(min) }
      : { kind: 'log_uniform', min: Math.log(min), max: Math.log(max) };
  }
  if (Math.abs(min) > 700 || Math.abs(max) > 700)
    return `"min" and "max" are exponents of e here, and e^${Math.abs(min) > 700 ? min : max} is no number; for plain bounds use ${name}_values.`;
  return name === 'inv_log_uniform' ? { kind: 'inv_log_uniform', min, max } : { kind: 'log_uniform', min, max };
}

function readCategorical(spec: ValueMap): Omit<Read, 'name'> | string {
  const { values, probabilities } = spec;
  if (!Array.isArray(values) || values.length === 0) return '"values" must be a list with at least one value.';
  if (probabilities === undefined || probabilities === null)
    return { distribution: { kind: 'categorical', values }, used: ['values', 'probabilities'] };
  if (!Array.isArray(probabilities) || probabilities.length !== values.length)
    return `"probabilities" must be a list as long as "values" (${values.length}).`;
  const weights = probabilities.map((p: Value) => (p instanceof PyNumber ? p.value : NaN));
  if (!weights.every((w) => w >= 0 && Number.isFinite(w))) return '"probabilities" must be numbers of at least 0.';
  if (!weights.some((w) => w > 0)) return '"probabilities" are all 0.';
  return { distribution: { kind: 'categorical', values, weights }, used: ['values', 'probabilities'] };
}

function numberIn(spec: ValueMap, key: string, byDefault?: number): number | string {
  const given = spec[key] ?? undefined;
  if (given === undefined) return byDefault ?? `needs "${key}".`;
  if (given instanceof PyNumber && Number.isFinite(given.value)) return given.value;
  return `"${key}" must be a number, not ${shown(given)}.`;
}

function wholeIn(spec: ValueMap, key: string): number | string {
  const number = numberIn(spec, key);
  if (typeof number === 'string' || Number.isSafeInteger(number)) return number;
  return `"${key}" must be a whole number, not ${number}.`;
}
