import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkInputSchema, inputErrors, inputSchemasOf } from '../../domain/input-schema.js';
import { checkInputs } from '../../domain/launch-inputs.js';

const errorsOf = (schema: Record<string, unknown>, value: unknown): string[] =>
  inputErrors(schema, value, 'config').map(({ path, message }) => `${path} ${message}`);

/** As Pydantic 2 writes a model with a nested model, an optional field, an enum and forbidden extras. */
const pydantic = {
  $defs: {
    Optimizer: {
      properties: {
        name: { enum: ['adam', 'sgd'], title: 'Name', type: 'string' },
        lr: { exclusiveMinimum: 0, title: 'Lr', type: 'number' },
      },
      required: ['name', 'lr'],
      title: 'Optimizer',
      type: 'object',
    },
  },
  additionalProperties: false,
  properties: {
    epochs: { default: 10, maximum: 1000, minimum: 1, title: 'Epochs', type: 'integer' },
    optimizer: { $ref: '#/$defs/Optimizer' },
    seed: { anyOf: [{ type: 'integer' }, { type: 'null' }], default: null, title: 'Seed' },
    tags: { items: { type: 'string' }, maxItems: 3, title: 'Tags', type: 'array', uniqueItems: true },
  },
  required: ['optimizer', 'tags'],
  title: 'Config',
  type: 'object',
};

describe('inputs are checked field by field', () => {
  const good = { optimizer: { name: 'adam', lr: 0.1 }, tags: ['a'] };
  const cases: [string, unknown, string[]][] = [
    ['what fits', good, []],
    ['all that fits', { ...good, epochs: 1000, seed: null }, []],
    ['what is missing', { tags: [] }, ['config.optimizer is needed']],
    [
      'a wrong type inside',
      { ...good, optimizer: { name: 'adam', lr: 'fast' } },
      ['config.optimizer.lr must be a number'],
    ],
    ['a bound', { ...good, epochs: 0 }, ['config.epochs must be at least 1']],
    ['an open bound', { ...good, optimizer: { name: 'sgd', lr: 0 } }, ['config.optimizer.lr must be more than 0']],
    [
      'a choice',
      { ...good, optimizer: { name: 'lion', lr: 1 } },
      ['config.optimizer.name must be one of "adam", "sgd"'],
    ],
    ['neither of two types', { ...good, seed: 'x' }, ['config.seed must be a whole number, or must be null']],
    ['a half number', { ...good, epochs: 1.5 }, ['config.epochs must be a whole number']],
    ['too many of them', { ...good, tags: ['a', 'b', 'c', 'd'] }, ['config.tags must have at most 3 items']],
    ['the same twice', { ...good, tags: ['a', 'a'] }, ['config.tags must not have the same item twice']],
    ['an item', { ...good, tags: ['a', 1] }, ['config.tags.1 must be a text']],
    [
      'a name that nobody knows',
      { ...good, epoch: 3 },
      ['config.epoch is not known here; known are epochs, optimizer, seed, tags'],
    ],
    [
      'everything at once',
      { epochs: true, tags: 'x' },
      ['config.optimizer is needed', 'config.epochs must be a whole number', 'config.tags must be a list'],
    ],
  ];
  test.each(cases)('%s', (_, value, errors) => expect(errorsOf(pydantic, value)).toEqual(errors));

  test('the client’s own way of saying that a field is needed counts', () => {
    const schema = { type: 'object', properties: { lr: { type: 'number', required: true }, n: { type: 'integer' } } };
    expect(errorsOf(schema, {})).toEqual(['config.lr is needed']);
    expect(errorsOf(schema, { lr: 1 })).toEqual([]);
  });

  test('of a file only what is laid over it is checked', () => {
    expect(inputErrors(pydantic, { epochs: 0 }, 'f', { partial: true }).map(({ path }) => path)).toEqual(['f.epochs']);
  });
});

test('a schema never makes the check throw or hang, whatever it and the value are', () => {
  const keys = [
    'type',
    'properties',
    'items',
    'anyOf',
    'allOf',
    'enum',
    'required',
    'minimum',
    '$ref',
    'additionalProperties',
  ];
  const { schema } = fc.letrec((tie) => ({
    schema: fc.dictionary(
      fc.constantFrom(...keys),
      fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.constantFrom('object', 'number', '#', '#/properties/a', null, 3, true),
        fc.array(tie('schema'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('a', 'b'), tie('schema'), { maxKeys: 2 }),
        tie('schema'),
      ),
    ),
  }));
  fc.assert(
    fc.property(schema, fc.jsonValue(), (any, value) => {
      const one = any;
      checkInputSchema(one);
      inputErrors(one, value, 'config');
    }),
    { numRuns: 60 },
  );
  // One that doubles with each step.
  const twice = { anyOf: [{ $ref: '#' }, { $ref: '#' }] };
  expect(errorsOf(twice, 1)).toEqual([]);
});

test('a value fits the schema that says just this value, and no other', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (value, other) => {
      expect(errorsOf({ const: value }, value)).toEqual([]);
      expect(errorsOf({ enum: [other, value] }, value)).toEqual([]);
      const same = errorsOf({ const: value }, other).length === 0;
      if (same) expect(other).toEqual(value);
    }),
  );
});

test('what is wrong with a schema is an error, what is not enforced a warning, each with its place', () => {
  expect(checkInputSchema(pydantic)).toEqual({ errors: [], warnings: [] });
  const { errors, warnings } = checkInputSchema({
    type: 'objekt',
    properties: { a: { type: 'string', pattern: '^x' }, b: { minimum: 'one' }, c: { $ref: '#/$defs/none' } },
  });
  expect(errors.map(({ path }) => path)).toEqual(['type', 'properties.b.minimum', 'properties.c.$ref']);
  expect(warnings).toEqual([{ path: 'properties.a.pattern', message: 'is not enforced' }]);
  expect(checkInputSchema([]).errors).toHaveLength(1);
});

test('a queue that only warns accepts what others refuse, and says the same', () => {
  const metadata = {
    input_schemas: { '@wandb.config': pydantic, files: { 'c.yaml': { properties: { a: { type: 'string' } } } } },
  };
  const overrides = { config: { tags: [] }, files: { 'c.yaml': { a: 1 }, 'other.yaml': { a: 1 } } };
  expect(checkInputs({ metadata, overrides, checks: 'warn' })).toEqual([
    'overrides.config.optimizer is needed.',
    'overrides.files.c.yaml.a must be a text.',
  ]);
  expect(() => checkInputs({ metadata, overrides, checks: 'enforce' })).toThrow('overrides.config.optimizer is needed');
  expect(checkInputs({ metadata: { _partial: true }, overrides, checks: 'enforce' })).toEqual([]);
  expect(inputSchemasOf({ input_schemas: 'x' })).toEqual({ files: {} });
});
