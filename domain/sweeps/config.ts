import { gridProblem } from './grid.js';
import { readParameters, type Parameter } from './parameters.js';
import { readYaml } from './read-yaml.js';
import { isValueMap, PyNumber, shown, type Value, type ValueMap } from './value.js';

export const searchMethods = ['grid', 'random', 'bayes'] as const;

export type Impute = 'best' | 'worst' | 'latest';

export interface Metric {
  name: string;
  goal: 'minimize' | 'maximize';
  target?: number;
  impute: Impute;
}

export interface Hyperband {
  /** Numbers of logged values at which runs are compared, ascending. */
  bands: number[];
  eta: number;
  strict: boolean;
}

export interface SweepConfig {
  method: string;
  /** Who chooses: this server, a process of the user's with `controller: {type: local}`, or one with `scheduler:` (wandb sweep-scheduler). */
  chooser: 'server' | 'controller' | 'scheduler';
  parameters: Parameter[];
  metric?: Metric;
  earlyTerminate?: Hyperband;
  runCap?: number;
  program?: string;
  name?: string;
  description?: string;
}

export type ReadConfig = { config: SweepConfig; warnings: string[] } | { errors: string[] };

const knownKeys = new Set(
  (
    'method parameters metric early_terminate program command name description project entity run_cap controller job image_uri kind ' +
    'apiVersion scheduler metrics settings $schema launch'
  ).split(' '),
);

/** Reads a sweep's YAML. Whatever would make the search other than its author meant is an error; what is merely unknown, a warning. */
export function readSweepConfig(text: string): ReadConfig {
  let given: Value;
  try {
    given = readYaml(text);
  } catch (error) {
    return { errors: [`The config is not valid YAML: ${error instanceof Error ? error.message : 'unreadable'}`] };
  }
  if (!isValueMap(given)) return { errors: ['The config must be a map with "method" and "parameters".'] };
  const errors: string[] = [];
  const warnings = Object.keys(given)
    .filter((key) => !knownKeys.has(key))
    .map((key) => `"${key}" is not a key of sweep configs and is ignored.`);
  const chooser = chooserOf(given);
  const method = readMethod(given, chooser, errors);
  const found = readParameterSection(given, chooser, errors);
  warnings.push(...found.warnings);
  const metric = readMetric(given['metric'], errors);
  const earlyTerminate = readHyperband(given['early_terminate'], errors);
  const runCap = readRunCap(given['run_cap'], errors);
  if (chooser === 'server' && method === 'bayes') {
    if (given['metric'] === undefined) errors.push('metric: Bayesian search needs a "metric" to improve.');
    if (errors.length === 0 && found.parameters.every((p) => p.distribution.kind === 'constant'))
      errors.push('parameters: Bayesian search needs at least one parameter that is not a constant.');
  }
  if (given['early_terminate'] !== undefined && given['early_terminate'] !== null && given['metric'] === undefined)
    errors.push('metric: early_terminate needs a "metric" to judge by.');
  if (chooser === 'server' && method === 'grid') {
    const problem = gridProblem(found.parameters);
    if (problem) errors.push(problem);
  }
  if (errors.length > 0) return { errors };
  return {
    config: {
      method,
      chooser,
      parameters: found.parameters,
      ...(metric ? { metric } : {}),
      ...(earlyTerminate ? { earlyTerminate } : {}),
      ...(runCap === undefined ? {} : { runCap }),
      ...textIn('program', given),
      ...textIn('name', given),
      ...textIn('description', given),
    },
    warnings,
  };
}

const textIn = <K extends string>(key: K, given: ValueMap): Partial<Record<K, string>> => {
  const value = given[key];
  return (typeof value === 'string' && value !== '' ? { [key]: value } : {}) as Partial<Record<K, string>>;
};

function chooserOf(given: ValueMap): SweepConfig['chooser'] {
  const { controller, scheduler } = given;
  if (isValueMap(scheduler)) return 'scheduler';
  return isValueMap(controller) && controller['type'] === 'local' ? 'controller' : 'server';
}

function readMethod(given: ValueMap, chooser: SweepConfig['chooser'], errors: string[]): string {
  const { method } = given;
  const known = searchMethods.find((m) => m === method);
  if (known) return known;
  if (chooser !== 'server') return typeof method === 'string' ? method : 'custom';
  errors.push(
    method === undefined
      ? 'method: is missing; use grid, random or bayes.'
      : `method: there is no search method ${shown(method)}; use grid, random or bayes.`,
  );
  return '';
}

function readParameterSection(given: ValueMap, chooser: SweepConfig['chooser'], errors: string[]) {
  const none = { parameters: [], warnings: [] };
  const section = given['parameters'];
  if (section === undefined && chooser !== 'server') return none;
  if (!isValueMap(section) || Object.keys(section).length === 0) {
    errors.push('parameters: must be a map with at least one parameter.');
    return none;
  }
  const found = readParameters(section);
  // A search of the user's own may know distributions that are not ours.
  if (chooser === 'server') errors.push(...found.errors);
  return found;
}

function readMetric(given: Value | undefined, errors: string[]): Metric | undefined {
  if (given === undefined || given === null) return undefined;
  if (!isValueMap(given) || typeof given['name'] !== 'string' || given['name'] === '') {
    errors.push('metric: needs the "name" of what runs log, such as {name: loss, goal: minimize}.');
    return undefined;
  }
  const { goal = 'minimize', target, impute = 'worst' } = given;
  if (goal !== 'minimize' && goal !== 'maximize')
    errors.push(`metric.goal: must be minimize or maximize, not ${shown(goal)}.`);
  if (target !== undefined && target !== null && !(target instanceof PyNumber))
    errors.push(`metric.target: must be a number, not ${shown(target)}.`);
  if (impute !== 'best' && impute !== 'worst' && impute !== 'latest')
    errors.push(`metric.impute: must be best, worst or latest, not ${shown(impute)}.`);
  return {
    name: given['name'],
    goal: goal === 'maximize' ? goal : 'minimize',
    impute: impute === 'best' || impute === 'latest' ? impute : 'worst',
    ...(target instanceof PyNumber ? { target: target.value } : {}),
  };
}

function readRunCap(given: Value | undefined, errors: string[]): number | undefined {
  if (given === undefined || given === null) return undefined;
  if (given instanceof PyNumber && given.value >= 1 && Number.isSafeInteger(given.value)) return given.value;
  errors.push(`run_cap: must be a whole number of at least 1, not ${shown(given)}.`);
  return undefined;
}

function readHyperband(given: Value | undefined, errors: string[]): Hyperband | undefined {
  if (given === undefined || given === null) return undefined;
  const wrong = (sentence: string): undefined => void errors.push(`early_terminate${sentence}`);
  if (!isValueMap(given)) return wrong(': must be a map such as {type: hyperband, min_iter: 3}.');
  if (given['type'] !== 'hyperband') return wrong(`.type: must be hyperband, not ${shown(given['type'])}.`);
  const number = (key: string): number | undefined => (given[key] instanceof PyNumber ? given[key].value : undefined);
  const eta = given['eta'] === undefined ? 3 : number('eta');
  if (eta === undefined || !(eta > 1) || !Number.isFinite(eta))
    return wrong(`.eta: must be a number greater than 1, not ${shown(given['eta'])}.`);
  const strict = given['strict'] === true;
  const minIter = number('min_iter');
  const maxIter = number('max_iter');
  const s = number('s');
  if (minIter !== undefined && minIter >= 1) return { bands: bandsFrom(minIter, eta), eta, strict };
  if (maxIter === undefined || s === undefined || s < 1 || maxIter < 1)
    return wrong(': needs either "min_iter" (at least 1), or "max_iter" and "s".');
  const bands = bandsBelow(maxIter, s, eta);
  if (bands.length === 0)
    return wrong(
      `: max_iter ${maxIter} divided by eta ${eta} leaves no band of at least 1; raise max_iter or lower eta.`,
    );
  return { bands, eta, strict };
}

/** min_iter · eta^k, as far as a run may get. */
function bandsFrom(minIter: number, eta: number): number[] {
  const bands = new Set<number>();
  for (let band = minIter; band < 1e9 && bands.size < 100; band *= eta) bands.add(Math.floor(band));
  return [...bands];
}

function bandsBelow(maxIter: number, s: number, eta: number): number[] {
  const bands = new Set<number>();
  let band = maxIter / eta;
  for (let i = 0; i < Math.min(s, 100) && band >= 1; i++, band /= eta) bands.add(Math.floor(band));
  return [...bands].sort((a, b) => a - b);
}
