import { DavitError } from '../../domain/errors.js';
import { isJsonObject, parseExtendedJson, type Json } from '../../domain/extended-json.js';
import { fromArgs } from '../../domain/sweeps/assignment.js';
import { readYaml } from '../../domain/sweeps/read-yaml.js';
import { isValueMap, type Value, type ValueMap } from '../../domain/sweeps/value.js';

/** JSON texts that come with requests about sweeps. */

/** A JSON object; `{}` for nothing. */
export function readObjectOf(text: string | null | undefined, what: string): Record<string, Json> {
  if (!text || text === 'null') return {};
  let value: Json;
  try {
    value = parseExtendedJson(text);
  } catch {
    throw new DavitError('invalid-request', `"${what}" is not valid JSON.`);
  }
  if (!isJsonObject(value)) throw new DavitError('invalid-request', `"${what}" must be a JSON object.`);
  return value;
}

/** A run's parameters, plain (`{lr: 0.1}`) or as commands have them (`{lr: {value: 0.1}}`), with numbers as they were written. */
export function readArgs(text: string): ValueMap {
  let value: Value;
  try {
    parseExtendedJson(text);
    value = readYaml(text);
  } catch {
    throw new DavitError('invalid-request', '"config" is not valid JSON.');
  }
  if (!isValueMap(value)) throw new DavitError('invalid-request', '"config" must be a JSON object.');
  return Object.fromEntries(Object.entries(fromArgs(value)).map(([name, entry]) => [name, { value: entry }]));
}

/** Names out of `{"$or": [{"name": …}, …]}`: what `wandb sweep --prior_run` sends. */
export function readPriorRuns(text: string | null | undefined): string[] {
  const filters = readObjectOf(text, 'priorRunsFilters');
  const keys = Object.keys(filters);
  if (keys.length === 0) return [];
  const either = filters['$or'];
  const names = (Array.isArray(either) ? either : [filters]).map((entry) =>
    isJsonObject(entry) && Object.keys(entry).length === 1 && typeof entry['name'] === 'string'
      ? entry['name']
      : undefined,
  );
  if (keys.length > 1 || !names.every((name) => name !== undefined))
    throw new DavitError('invalid-request', 'Prior runs are named by their ids: {"$or": [{"name": "<run id>"}]}.');
  if (names.length > 1_000) throw new DavitError('invalid-request', 'A sweep can begin with at most 1000 prior runs.');
  return names;
}
