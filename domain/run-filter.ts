import { DavitError } from './errors.js';
import { isJsonObject, parseExtendedJson, type Json } from './extended-json.js';
import { runKey, type RunKey } from './run-filter-keys.js';
import { postgresRegex } from './run-filter-regex.js';
import { within } from './run-filter-values.js';

/**
 * The filter language of `wandb.Api().runs`: JSON after the manner of MongoDB. This is its one parser; whoever evaluates filters (the
 * database, the model in the tests) works on what it returns. A missing value is equal to null, smaller or greater than nothing, and
 * `$ne`, `$nin`, `$not` and `$nor` are true wherever the opposite is not.
 */
export type RunFilter =
  | { is: 'and'; of: RunFilter[] }
  | { is: 'or'; of: RunFilter[] }
  | { is: 'not'; of: RunFilter }
  | { is: 'test'; key: RunKey; test: RunTest };

export type RunTest =
  | { op: 'eq'; value: Json }
  | { op: 'in'; values: Json[] }
  | { op: 'all'; values: Json[] }
  | { op: 'gt' | 'gte' | 'lt' | 'lte'; value: number | string }
  | { op: 'exists' }
  /** `pattern` is PostgreSQL's; `source` is as it was asked for. */
  | { op: 'regex'; pattern: string; source: string; ignoreCase: boolean }
  | { op: 'contains'; value: string };

export const filterLimits = {
  /** Characters of the whole text. */
  text: 1_000_000,
  depth: 32,
  /** Conditions of all kinds. */
  conditions: 500,
  /** Values of one `$in`: a client may well ask for a few thousand runs by name. */
  values: 20_000,
};

/** Undefined: every run. Throws `invalid-request` with a sentence that names the key or operator. */
export function parseRunFilter(text: string | null | undefined): RunFilter | undefined {
  if (!text) return undefined;
  if (text.length > filterLimits.text) throw bad(`Filters have at most ${filterLimits.text} characters.`);
  let json: Json;
  try {
    json = parseExtendedJson(text);
  } catch {
    throw bad('The filters are not valid JSON.');
  }
  if (json === null) return undefined;
  const filter = new Parser().object(json, 0, 'Filters');
  return filter.is === 'and' && filter.of.length === 0 ? undefined : filter;
}

const bad = (message: string) => new DavitError('invalid-request', message);
const shown = (value: Json): string => JSON.stringify(value).slice(0, 100);
const not = (of: RunFilter): RunFilter => ({ is: 'not', of });

class Parser {
  private conditions = 0;

  object(json: Json, depth: number, what: string): RunFilter {
    this.count(depth);
    if (!isJsonObject(json)) throw bad(`${what} must be an object, not ${shown(json)}.`);
    const of = Object.entries(json).map(([key, value]) => this.entry(key, value, depth));
    return of.length === 1 && of[0] ? of[0] : { is: 'and', of };
  }

  private count(depth: number): void {
    if (depth > filterLimits.depth) throw bad(`Filters are at most ${filterLimits.depth} levels deep.`);
    if (++this.conditions > filterLimits.conditions)
      throw bad(`Filters have at most ${filterLimits.conditions} conditions; ask for many values by $in.`);
  }

  private entry(key: string, value: Json, depth: number): RunFilter {
    switch (key) {
      case '$and':
        return { is: 'and', of: this.list(key, value, depth) };
      case '$or':
        return { is: 'or', of: this.list(key, value, depth) };
      case '$nor':
        return not({ is: 'or', of: this.list(key, value, depth) });
      case '$not':
        return not(this.object(value, depth + 1, '"$not"'));
    }
    if (key.startsWith('$')) throw bad(`Filters do not know the operator "${key.slice(0, 100)}" in this place.`);
    return this.condition(runKey(key), key, value, depth);
  }

  private list(operator: string, value: Json, depth: number): RunFilter[] {
    if (!Array.isArray(value) || value.length === 0)
      throw bad(`"${operator}" needs a list of one filter or more, not ${shown(value)}.`);
    return value.map((each) => this.object(each, depth + 1, `An entry of "${operator}"`));
  }

  /** `key: value`, or `key: { $operator: value, … }`. */
  private condition(key: RunKey, name: string, value: Json, depth: number): RunFilter {
    this.count(depth);
    const test = (given: RunTest): RunFilter => ({ is: 'test', key, test: within(key, name, given) });
    if (!isJsonObject(value) || Object.keys(value).length === 0 || !Object.keys(value).some((k) => k.startsWith('$')))
      return test({ op: 'eq', value });
    const of = Object.entries(value)
      .filter(([operator]) => operator !== '$options')
      .map(([operator, operand]): RunFilter => {
        this.count(depth);
        switch (operator) {
          case '$eq':
            return test({ op: 'eq', value: operand });
          case '$ne':
            return not(test({ op: 'eq', value: operand }));
          case '$gt':
          case '$gte':
          case '$lt':
          case '$lte':
            if (typeof operand !== 'number' && typeof operand !== 'string')
              throw bad(`"${operator}" of "${name}" needs a number, a text or a time, not ${shown(operand)}.`);
            return test({ op: comparisons[operator], value: operand });
          case '$in':
            return test({ op: 'in', values: this.values(operator, name, operand) });
          case '$nin':
            return not(test({ op: 'in', values: this.values(operator, name, operand) }));
          case '$all':
            return test({ op: 'all', values: this.values(operator, name, operand) });
          case '$exists':
            return operand === false || operand === 0 ? not(test({ op: 'exists' })) : test({ op: 'exists' });
          case '$regex': {
            if (typeof operand !== 'string') throw bad(`"$regex" of "${name}" needs a text, not ${shown(operand)}.`);
            const options = value['$options'] ?? '';
            if (typeof options !== 'string' || /[^i]/.test(options))
              throw bad(`"$options" of "${name}" may only be "i".`);
            return test({ op: 'regex', ...postgresRegex(operand, name, options === 'i') });
          }
          case '$contains':
            if (typeof operand !== 'string') throw bad(`"$contains" of "${name}" needs a text, not ${shown(operand)}.`);
            return test({ op: 'contains', value: operand });
          case '$not':
            return not(this.condition(key, name, operand, depth + 1));
          default:
            throw bad(`Filters do not know the operator "${operator.slice(0, 100)}" (of "${name}").`);
        }
      });
    return of.length === 1 && of[0] ? of[0] : { is: 'and', of };
  }

  private values(operator: string, name: string, operand: Json): Json[] {
    if (!Array.isArray(operand)) throw bad(`"${operator}" of "${name}" needs a list, not ${shown(operand)}.`);
    if (operand.length > filterLimits.values)
      throw bad(`"${operator}" of "${name}" has more than ${filterLimits.values} values.`);
    return operand;
  }
}

const comparisons = { $gt: 'gt', $gte: 'gte', $lt: 'lt', $lte: 'lte' } as const;
