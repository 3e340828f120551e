import type { FieldError } from './resource-config.js';

/**
 * What a job takes: the part of JSON Schema that the wandb client knows, and what Pydantic writes. The client only draws forms with it; here
 * it is enforced. A schema that is wrong must never refuse a launch that was right: what is not understood is a warning where the schema is
 * given, and is passed over where it is used.
 */

export type InputSchema = Record<string, unknown>;

/** Where the schemas of a job lie in the metadata of its version. */
export const configInputs = '@wandb.config';
export interface InputSchemas {
  /** Of `wandb.config`. */
  config?: InputSchema;
  /** Of files that the program reads: path -> schema. */
  files: Record<string, InputSchema>;
}

export function inputSchemasOf(metadata: unknown): InputSchemas {
  const schemas = isObject(metadata) ? metadata['input_schemas'] : undefined;
  if (!isObject(schemas)) return { files: {} };
  const config = schemas[configInputs];
  const files = schemas['files'];
  return {
    ...(isObject(config) ? { config } : {}),
    files: isObject(files)
      ? Object.fromEntries(Object.entries(files).filter((entry): entry is [string, InputSchema] => isObject(entry[1])))
      : {},
  };
}

/** Keywords that say nothing about which values fit. */
const annotations = new Set(
  '$schema $id $defs definitions title description label placeholder format default examples deprecated readOnly writeOnly discriminator'.split(
    ' ',
  ),
);
const types = ['boolean', 'integer', 'number', 'string', 'object', 'array', 'null'] as const;
type JsonType = (typeof types)[number];
const isType = (value: unknown): value is JsonType => types.some((type) => type === value);

const numbers = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'] as const;
const counts = ['minLength', 'maxLength', 'minItems', 'maxItems'] as const;
const lists = ['allOf', 'anyOf', 'oneOf'] as const;

const maxDepth = 64;
const maxErrors = 50;

/** What is wrong with a schema, and which parts of it will not be enforced; a path is `properties.lr.minimum`. */
export function checkInputSchema(schema: unknown): { errors: FieldError[]; warnings: FieldError[] } {
  const errors: FieldError[] = [];
  const warnings: FieldError[] = [];
  const visit = (part: unknown, path: string, depth: number): void => {
    if (errors.length + warnings.length >= maxErrors) return;
    if (depth > maxDepth) return void errors.push({ path, message: 'is nested too deeply' });
    if (typeof part === 'boolean') return;
    if (!isObject(part)) return void errors.push({ path, message: 'must be a schema: an object' });
    const at = (key: string) => (path === '' ? key : `${path}.${key}`);
    for (const [key, value] of Object.entries(part)) {
      const problem = problemOfKeyword(key, value, schema);
      if (problem !== undefined) errors.push({ path: at(key), message: problem });
      else if (isUnknown(key)) warnings.push({ path: at(key), message: 'is not enforced' });
    }
    for (const key of ['properties', '$defs', 'definitions'])
      if (isObject(part[key]))
        for (const [name, inner] of Object.entries(part[key])) visit(inner, at(`${key}.${name}`), depth + 1);
    for (const key of lists)
      if (Array.isArray(part[key]))
        for (const [i, inner] of part[key].entries()) visit(inner, at(`${key}.${i}`), depth + 1);
    for (const key of ['items', 'additionalProperties'])
      if (part[key] !== undefined) visit(part[key], at(key), depth + 1);
  };
  visit(schema, '', 0);
  return { errors, warnings };
}

function problemOfKeyword(key: string, value: unknown, root: unknown): string | undefined {
  if (key === 'type') {
    const names = Array.isArray(value) ? value : [value];
    return names.length > 0 && names.every(isType) ? undefined : `must be of ${types.join(', ')}`;
  }
  if (key === 'required')
    return typeof value === 'boolean' || (Array.isArray(value) && value.every((name) => typeof name === 'string'))
      ? undefined
      : 'must be a list of names, or true or false';
  if (key === 'enum') return Array.isArray(value) && value.length > 0 ? undefined : 'must be a list of values';
  if (key === 'properties') return isObject(value) ? undefined : 'must be an object of schemas';
  if (key === 'uniqueItems') return typeof value === 'boolean' ? undefined : 'must be true or false';
  if (isOneOf(numbers, key)) return typeof value === 'number' ? undefined : 'must be a number';
  if (isOneOf(counts, key))
    return Number.isSafeInteger(value) && Number(value) >= 0 ? undefined : 'must be a whole number from 0 on';
  if (isOneOf(lists, key)) return Array.isArray(value) && value.length > 0 ? undefined : 'must be a list of schemas';
  if (key === '$ref')
    return typeof value === 'string' && lookUp(root, value) !== undefined
      ? undefined
      : 'names nothing in this schema: write #/$defs/NAME';
  return undefined;
}

const isUnknown = (key: string): boolean =>
  !annotations.has(key) &&
  !['type', 'required', 'enum', 'const', 'properties', 'additionalProperties', 'items', 'uniqueItems', '$ref'].includes(
    key,
  ) &&
  ![...numbers, ...counts, ...lists].some((known) => known === key);

interface Asked {
  root: unknown;
  /** The value is laid over one that is there: what it leaves out is not missing. */
  partial: boolean;
  /** Schemas that may still be looked at: one that refers to itself twice would double with each step. */
  budget: number;
}
const maxSteps = 20_000;

/**
 * Why a value does not fit, field by field; nothing when it fits. `partial`: the value is laid over one that is there (a file), so nothing is
 * missing from it. A field with a default is never missing.
 */
export function inputErrors(
  schema: InputSchema,
  value: unknown,
  path: string,
  { partial = false }: { partial?: boolean } = {},
): FieldError[] {
  return errorsOf(schema, value, path, 0, { root: schema, partial, budget: maxSteps }).slice(0, maxErrors);
}

function errorsOf(given: unknown, value: unknown, path: string, depth: number, asked: Asked): FieldError[] {
  if (given === false) return [{ path, message: 'is not taken here' }];
  // Deeper than any form: whoever wrote a schema that goes round in circles is not helped by a refusal.
  if (!isObject(given) || depth > maxDepth || --asked.budget < 0) return [];
  const schema = given;
  const one = (message: string): FieldError[] => [{ path, message }];
  const below = (inner: unknown, at = path, what: unknown = value) => errorsOf(inner, what, at, depth + 1, asked);

  const wanted = (Array.isArray(schema['type']) ? schema['type'] : [schema['type']]).filter(isType);
  if (wanted.length > 0 && !wanted.some((type) => isOfType(type, value)))
    return one(`must be ${wanted.map(wordOfType).join(' or ')}`);
  if (Array.isArray(schema['enum']) && !schema['enum'].some((choice) => isSame(choice, value)))
    return one(`must be one of ${schema['enum'].slice(0, 20).map(shown).join(', ')}`);
  if ('const' in schema && !isSame(schema['const'], value)) return one(`must be ${shown(schema['const'])}`);

  const errors: FieldError[] = [];
  const word = problemOfSize(schema, value);
  if (word !== undefined) errors.push(...one(word));
  if (typeof schema['$ref'] === 'string') errors.push(...below(lookUp(asked.root, schema['$ref'])));
  for (const inner of listOf(schema['allOf'])) errors.push(...below(inner));
  for (const key of ['anyOf', 'oneOf'] as const)
    errors.push(...errorsOfChoice(listOf(schema[key]), value, path, below));
  if (Array.isArray(value)) {
    for (const [i, inner] of value.entries()) {
      if (errors.length >= maxErrors) break;
      errors.push(...below(schema['items'], `${path}.${i}`, inner));
    }
  } else if (isObject(value)) errors.push(...errorsOfFields(schema, value, path, asked, below));
  return errors;
}

type Below = (schema: unknown, path?: string, value?: unknown) => FieldError[];

/** Of several schemas one must fit. When one is for values of this very kind, it says what is wrong; else the whole does. */
function errorsOfChoice(choices: readonly unknown[], value: unknown, path: string, below: Below): FieldError[] {
  if (choices.length === 0) return [];
  const tried = choices.map((choice) => below(choice));
  if (tried.some((errors) => errors.length === 0)) return [];
  const near = tried.filter((_, i) => {
    const choice = choices[i];
    const type = isObject(choice) ? choice['type'] : undefined;
    return !isType(type) || isOfType(type, value);
  });
  const [only] = near;
  if (near.length === 1 && only !== undefined) return only;
  const messages = [
    ...new Set(
      tried
        .flat()
        .filter((error) => error.path === path)
        .map((error) => error.message),
    ),
  ];
  return [{ path, message: messages.length > 0 ? messages.join(', or ') : 'fits none of what is taken here' }];
}

function errorsOfFields(
  schema: InputSchema,
  value: Record<string, unknown>,
  path: string,
  { partial, root }: Asked,
  below: Below,
): FieldError[] {
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const errors: FieldError[] = [];
  const known = (name: string) => (Object.hasOwn(properties, name) ? properties[name] : undefined);
  if (!partial) {
    const required = new Set(listOf(schema['required']).filter((name) => typeof name === 'string'));
    // The wandb client's own way: the field says it of itself.
    for (const [name, field] of Object.entries(properties))
      if (isObject(field) && field['required'] === true) required.add(name);
    for (const name of required)
      if (!Object.hasOwn(value, name) && !hasDefault(known(name), root))
        errors.push({ path: `${path}.${name}`, message: 'is needed' });
  }
  const others = schema['additionalProperties'];
  for (const [name, inner] of Object.entries(value)) {
    if (errors.length >= maxErrors) break;
    const field = known(name);
    if (field !== undefined) errors.push(...below(field, `${path}.${name}`, inner));
    else if (others === false) errors.push({ path: `${path}.${name}`, message: unknownField(Object.keys(properties)) });
    else errors.push(...below(others, `${path}.${name}`, inner));
  }
  return errors;
}

const unknownField = (names: readonly string[]): string =>
  names.length === 0 ? 'is not known here' : `is not known here; known are ${names.slice(0, 20).join(', ')}`;

function hasDefault(field: unknown, root: unknown): boolean {
  if (!isObject(field)) return false;
  if ('default' in field) return true;
  const named = typeof field['$ref'] === 'string' ? lookUp(root, field['$ref']) : undefined;
  return isObject(named) && 'default' in named;
}

function problemOfSize(schema: InputSchema, value: unknown): string | undefined {
  const limit = (key: (typeof numbers)[number] | (typeof counts)[number]): number | undefined =>
    typeof schema[key] === 'number' ? schema[key] : undefined;
  if (typeof value === 'number') {
    const [min, max, above, below, step] = numbers.map(limit);
    if (min !== undefined && value < min) return `must be at least ${min}`;
    if (max !== undefined && value > max) return `must be at most ${max}`;
    if (above !== undefined && value <= above) return `must be more than ${above}`;
    if (below !== undefined && value >= below) return `must be less than ${below}`;
    if (step !== undefined && step > 0 && !isMultiple(value, step)) return `must be a multiple of ${step}`;
  }
  const [minLength, maxLength, minItems, maxItems] = counts.map(limit);
  if (typeof value === 'string') {
    const length = [...value].length;
    if (minLength !== undefined && length < minLength) return `must have at least ${minLength} characters`;
    if (maxLength !== undefined && length > maxLength) return `must have at most ${maxLength} characters`;
  }
  if (Array.isArray(value)) {
    if (minItems !== undefined && value.length < minItems) return `must have at least ${minItems} items`;
    if (maxItems !== undefined && value.length > maxItems) return `must have at most ${maxItems} items`;
    if (schema['uniqueItems'] === true && new Set(value.map(canonical)).size < value.length)
      return 'must not have the same item twice';
  }
  return undefined;
}

/** 0.3 is a multiple of 0.1, whatever floating point says. */
const isMultiple = (value: number, step: number): boolean => {
  const times = value / step;
  return Math.abs(times - Math.round(times)) <= 1e-9 * Math.max(1, Math.abs(times));
};

function isOfType(type: JsonType, value: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    default:
      return typeof value === type;
  }
}

const words: Record<JsonType, string> = {
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  string: 'a text',
  object: 'an object',
  array: 'a list',
  null: 'null',
};
const wordOfType = (type: JsonType): string => words[type];

/** `#/$defs/Name`: the part of the schema that it names. */
function lookUp(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#')) return undefined;
  let at = root;
  for (const step of reference.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (!isObject(at) || !Object.hasOwn(at, key)) return undefined;
    at = at[key];
  }
  return at;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isOneOf = <T extends string>(names: readonly T[], key: string): key is T => names.some((name) => name === key);
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const shown = (value: unknown): string => JSON.stringify(value).slice(0, 100);

/** The same text for values that JSON Schema calls equal. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
const isSame = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);
