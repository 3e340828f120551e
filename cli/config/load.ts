import { existsSync, readFileSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';
import { DavitError } from '../../domain/errors.js';
import type { Setting, Settings, Values } from './settings.js';
import { flagOfSetting, optionOf, schemaOf, variableOf, variablesOf } from './settings.js';
import { suggest } from './suggest.js';
import type { ProcessName } from './variables.js';
import { unknownVariables } from './variables.js';

export interface Sources {
  /** By key of the setting, as commander gives them. */
  flags: Record<string, unknown>;
  env: NodeJS.ProcessEnv;
  /** A configuration file that was named: it has to exist. */
  file?: string | undefined;
  /** One that is read when it exists. */
  defaultFile?: string | undefined;
}

export interface Loaded<V> {
  values: V;
  /** Where each value came from: `--port`, `DAVIT_PORT`, the path of the file, or `default`. */
  origins: Record<string, string>;
}

interface Problem {
  /** The key as its source spells it. */
  path: string;
  message: string;
}

/** Flags before environment before file before default. Everything that is wrong is said at once. */
export function loadConfig<S extends Settings>(process: ProcessName, settings: S, sources: Sources): Loaded<Values<S>> {
  const problems: Problem[] = [];
  const { values: fromFile, path } = readFile(sources, problems);
  const raw: Record<string, unknown> = {};
  const origins: Record<string, string> = {};

  for (const key of Object.keys(fromFile)) {
    if (Object.hasOwn(settings, key)) continue;
    const meant = suggest(key, Object.keys(settings));
    problems.push({ path: `${key} (${path})`, message: `is not a setting of davit ${process}${ask(meant)}` });
  }
  for (const { name, meant } of unknownVariables(sources.env, process)) {
    problems.push({ path: name, message: `is not a variable of Davit${ask(meant)}` });
  }

  for (const [key, one] of Object.entries(settings)) {
    const found = find(key, one, sources, fromFile, path);
    origins[key] = found?.origin ?? 'default';
    if (found === undefined) {
      if (one.required) problems.push({ path: key, message: missing(key, one) });
      continue;
    }
    raw[key] = found.value;
  }

  const parsed = schemaOf(settings).safeParse(raw);
  for (const issue of parsed.error?.issues ?? []) {
    const key = String(issue.path[0] ?? '');
    const one = settings[key];
    // What is missing was said above, with where to put it.
    if (one === undefined || !Object.hasOwn(raw, key)) continue;
    const shown = one.secret === 'no' ? `, not ${JSON.stringify(raw[key])}` : '';
    problems.push({ path: `${key} (${origins[key] ?? ''})`, message: `must be ${one.allowed}${shown}` });
  }
  if (problems.length > 0 || !parsed.success) throw invalid(process, problems);
  return { values: parsed.data, origins };
}

function find(key: string, one: Setting<unknown>, sources: Sources, fromFile: Record<string, unknown>, path: string) {
  const flag = sources.flags[one.itemFlag ?? optionOf(key)];
  if (flag !== undefined) return { value: flag, origin: flagOfSetting(key, one) };
  for (const name of variablesOf(key, one)) {
    const value = sources.env[name];
    // Empty counts as not set: that is what `NAME= command` is mostly meant for.
    if (value !== undefined && value !== '') return { value, origin: name };
  }
  const value = fromFile[key];
  return value === undefined || value === null ? undefined : { value, origin: path };
}

function readFile(sources: Sources, problems: Problem[]): { values: Record<string, unknown>; path: string } {
  const path = sources.file ?? sources.defaultFile;
  if (path === undefined || (sources.file === undefined && !existsSync(path))) return { values: {}, path: '' };
  try {
    const values: unknown = parseYaml(readFileSync(path, 'utf8')) ?? {};
    if (typeof values === 'object' && !Array.isArray(values)) {
      return { values: values as Record<string, unknown>, path };
    }
    problems.push({ path, message: 'must be a YAML mapping of settings to values' });
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    problems.push({ path, message: `cannot be read: ${reason}` });
  }
  return { values: {}, path };
}

const ask = (meant: string | undefined) => (meant === undefined ? '' : `; did you mean ${meant}?`);

function missing(key: string, one: Setting<unknown>): string {
  const places = one.secret === 'yes' ? [variableOf(key)] : [flagOfSetting(key, one), ...variablesOf(key, one)];
  return `is needed and not given: set ${places.join(' or ')}, or ${key} in the file, to ${one.allowed}`;
}

/** For rules between settings, which a process checks after loading. */
export function invalid(process: ProcessName, problems: Problem[]): DavitError {
  const lines = problems.map(({ path, message }) => `${path} ${message}`);
  return new DavitError('invalid-configuration', `davit ${process}: ${lines.join('; ')}.`, { errors: problems });
}
