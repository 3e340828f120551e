import { sql, type RawBuilder } from 'kysely';
import { DavitError } from '../domain/errors.js';
import { postgresRegex } from '../domain/run-filter-regex.js';
import { storable } from './text.js';

/**
 * Filters of versions and collections: JSON after the manner of MongoDB, over a closed list of keys. Values are parameters; nothing of a
 * client's text ever becomes SQL.
 */
export interface FilterKey {
  /** `list`: the key has many values, and a condition is true when one of them meets it. */
  type: 'text' | 'number' | 'time' | 'list';
  /** Of a list: a query for its values as `value`. */
  expression: RawBuilder<unknown>;
}

const deepest = 16;
const mostConditions = 200;
const mostValues = 5_000;

const bad = (message: string) => new DavitError('invalid-request', message);

export function filterSql(
  text: string | null | undefined,
  keyOf: (name: string) => FilterKey | undefined,
): RawBuilder<boolean> | undefined {
  if (!text) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw bad('The filters are not valid JSON.');
  }
  if (json === null) return undefined;
  let conditions = 0;

  function object(value: unknown, depth: number): RawBuilder<boolean> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad('Filters must be an object.');
    if (depth > deepest) throw bad(`Filters are at most ${deepest} levels deep.`);
    const parts = Object.entries(value).map(([name, operand]) => entry(name, operand, depth));
    return parts.length === 0 ? sql<boolean>`true` : sql<boolean>`(${sql.join(parts, sql` and `)})`;
  }

  function entry(name: string, operand: unknown, depth: number): RawBuilder<boolean> {
    if (++conditions > mostConditions) throw bad(`Filters have at most ${mostConditions} conditions.`);
    if (name === '$and' || name === '$or' || name === '$nor') {
      if (!Array.isArray(operand) || operand.length === 0) throw bad(`"${name}" needs a list of filters.`);
      const parts = operand.map((one) => object(one, depth + 1));
      const joined = sql<boolean>`(${sql.join(parts, name === '$and' ? sql` and ` : sql` or `)})`;
      return name === '$nor' ? negated(joined) : joined;
    }
    if (name === '$not') return negated(object(operand, depth + 1));
    const key = keyOf(name);
    if (!key) throw bad(`Artifacts cannot be filtered by "${name.slice(0, 100)}".`);
    if (typeof operand !== 'object' || operand === null || Array.isArray(operand))
      return compare(key, name, '$eq', operand);
    const parts = Object.entries(operand).map(([operator, value]) =>
      operator === '$not'
        ? negated(entry(name, value, depth + 1))
        : operator === '$ne'
          ? negated(compare(key, name, '$eq', value))
          : operator === '$nin'
            ? negated(compare(key, name, '$in', value))
            : compare(key, name, operator, value),
    );
    return parts.length === 0 ? sql<boolean>`true` : sql<boolean>`(${sql.join(parts, sql` and `)})`;
  }

  return object(json, 0);
}

/** Unknown is false before it is turned round. */
const negated = (condition: RawBuilder<boolean>): RawBuilder<boolean> =>
  sql<boolean>`not coalesce(${condition}, false)`;

const comparisons: Record<string, RawBuilder<unknown>> = {
  $eq: sql`=`,
  $gt: sql`>`,
  $gte: sql`>=`,
  $lt: sql`<`,
  $lte: sql`<=`,
};

function compare(key: FilterKey, name: string, operator: string, value: unknown): RawBuilder<boolean> {
  if (key.type === 'list') {
    const one = compare({ type: 'text', expression: sql`value` }, name, operator, value);
    return sql<boolean>`exists (select 1 from (${key.expression}) as listed where ${one})`;
  }
  const { expression } = key;
  if (operator === '$in') {
    if (!Array.isArray(value) || value.length > mostValues) throw bad(`"$in" of "${name}" needs a list of values.`);
    if (value.length === 0) return sql<boolean>`false`;
    return sql<boolean>`${expression} in (${sql.join(value.map((each) => parameter(key, name, each)))})`;
  }
  if (operator === '$exists')
    return value === false ? sql<boolean>`${expression} is null` : sql<boolean>`${expression} is not null`;
  if (operator === '$contains' && key.type === 'text' && typeof value === 'string')
    return sql<boolean>`position(${value} in ${expression}) > 0`;
  if (operator === '$regex' && key.type === 'text' && typeof value === 'string')
    return sql<boolean>`${expression} ~ ${storable(postgresRegex(value, name).pattern)}`;
  const comparison = comparisons[operator];
  if (!comparison) throw bad(`Artifacts cannot be filtered with "${operator.slice(0, 100)}" of "${name}".`);
  return sql<boolean>`${expression} ${comparison} ${parameter(key, name, value)}`;
}

function parameter(key: FilterKey, name: string, value: unknown): RawBuilder<unknown> {
  if (key.type === 'number') {
    if (typeof value !== 'number') throw bad(`"${name}" is compared with numbers.`);
    return sql`${value}::float8`;
  }
  if (typeof value !== 'string') throw bad(`"${name}" is compared with texts.`);
  if (key.type !== 'time') return sql`${value}`;
  const time = new Date(value);
  if (Number.isNaN(time.getTime())) throw bad(`"${name}" is compared with times like 2026-01-31T12:00:00Z.`);
  return sql`${time}`;
}
