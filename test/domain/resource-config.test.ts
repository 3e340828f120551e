import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  applyMacros,
  fillTemplate,
  resourceConfigOf,
  splitBuilder,
  templateValues,
  templateVariablesSchema,
  type TemplateVariables,
} from '../../domain/resource-config.js';

const configs = fc.dictionary(fc.string(), fc.jsonValue()) as fc.Arbitrary<Record<string, unknown>>;
/** What is the same with all texts blanked: its shape. */
const shapeOf = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'string' ? '' : inner)));
const variable = (schema: TemplateVariables[string]['schema']): TemplateVariables => ({ x: { schema } });

describe('template variables', () => {
  test('a whole text becomes the value with its type, a part of one its words, at any depth', () => {
    const values = { gpus: 2, tier: 'big' };
    expect(fillTemplate({ a: '{{gpus}}', b: ['{{ tier }}-{{gpus}}'], c: { d: '{{none}} {{gpus' } }, values)).toEqual({
      a: 2,
      b: ['big-2'],
      c: { d: '{{none}} {{gpus' },
    });
  });

  test('filling in changes texts only: keys, numbers and shape stay, and without values nothing changes', () => {
    fc.assert(
      fc.property(configs, fc.string(), (config, word) => {
        expect(fillTemplate(config, {})).toEqual(config);
        expect(shapeOf(fillTemplate(config, { word }))).toEqual(shapeOf(config));
      }),
    );
  });

  test('what a value holds is never looked at for variables or macros of the same pass', () => {
    expect(fillTemplate({ a: '{{x}}' }, { x: '{{y}}', y: 'no' })).toEqual({ a: '{{y}}' });
    expect(applyMacros({ a: '${x}' }, { x: '${y}', y: 'no' })).toEqual({ a: '${y}' });
  });

  test('a value is accepted exactly when it has the type, is among the choices and within the bounds', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -50, max: 50 }),
        fc.integer({ min: -50, max: 50 }),
        fc.oneof(fc.integer({ min: -100, max: 100 }), fc.double({ noNaN: true, min: -100, max: 100 })),
        (a, b, value) => {
          const [minimum, maximum] = [Math.min(a, b), Math.max(a, b)];
          const { errors, values } = templateValues(variable({ type: 'integer', minimum, maximum }), { x: value });
          const fits = Number.isInteger(value) && value >= minimum && value <= maximum;
          expect(errors.length === 0).toBe(fits);
          if (fits) expect(values).toEqual({ x: value });
        },
      ),
    );
  });

  const cases: [string, TemplateVariables[string]['schema'], string | number | undefined, string | number | RegExp][] =
    [
      ['a default is taken when nothing is given', { type: 'integer', default: 3 }, undefined, 3],
      ['without a default it is needed', { type: 'string' }, undefined, /is needed/],
      ['a text that is a number counts as one', { type: 'number' }, ' 1e-3 ', 0.001],
      ['any other text does not', { type: 'integer' }, '3 apples', /of type integer/],
      ['a number is no text', { type: 'string' }, 3, /of type string/],
      ['one of the choices', { type: 'string', enum: ['a', 'b'] }, 'c', /one of a, b/],
    ];
  test.each(cases)('%s', (_, schema, given, wanted) => {
    const { values, errors } = templateValues(variable(schema), given === undefined ? {} : { x: given });
    if (wanted instanceof RegExp) expect(errors[0]?.message).toMatch(wanted);
    else expect([values['x'], errors]).toEqual([wanted, []]);
  });

  test('an unknown name is refused, and the names that there are are said', () => {
    expect(templateValues(variable({ type: 'integer', default: 1 }), { y: 1 }).errors).toEqual([
      { path: 'y', message: 'the queue has only x' },
    ]);
    expect(templateValues({}, { y: 1 }).errors[0]?.message).toContain('no template variables');
  });

  test('a definition that contradicts itself is refused where it does', () => {
    const problems = (schema: unknown) =>
      (templateVariablesSchema.safeParse({ x: { schema } }).error?.issues ?? []).map((issue) => issue.path.join('.'));
    expect(problems({ type: 'integer', minimum: 1, maximum: 4, default: 2, enum: [1, 2, 4] })).toEqual([]);
    expect(problems({ type: 'integer', default: 9, maximum: 4 })).toEqual(['x.schema.default']);
    expect(problems({ type: 'integer', minimum: 5, maximum: 4 })).toEqual(['x.schema.minimum']);
    expect(problems({ type: 'string', maximum: 4 })).toEqual(['x.schema.maximum']);
    expect(problems({ type: 'integer', enum: [1, 'two'] })).toEqual(['x.schema.enum.1']);
    expect(problems({ type: 'boolean' })).toEqual(['x.schema.type']);
  });
});

describe('the config of a launch', () => {
  test('is the queue’s, filled in, with the launch’s own over it', () => {
    expect(
      resourceConfigOf({
        queue: { memory: '8g', limits: { gpu: '{{gpus}}', cpu: 2 } },
        variables: { gpus: { schema: { type: 'integer', default: 1 } } },
        launch: { limits: { cpu: 4 } },
      }),
    ).toEqual({ resourceConfig: { memory: '8g', limits: { gpu: 1, cpu: 4 } }, errors: [], warnings: [] });
  });

  test('is without its own parameters when it gives values of variables, and says so', () => {
    const both = resourceConfigOf({
      queue: { gpus: '{{gpus}}' },
      variables: { gpus: { schema: { type: 'integer' } } },
      values: { gpus: 2 },
      launch: { gpus: 8 },
    });
    expect(both.resourceConfig).toEqual({ gpus: 2 });
    expect(both.warnings).toHaveLength(1);
  });

  test('without variables and without its own it is the queue’s, whatever that is', () => {
    fc.assert(
      fc.property(configs, (queue) => {
        expect(resourceConfigOf({ queue }).resourceConfig).toEqual(queue);
      }),
    );
  });
});

describe('macros', () => {
  test('only declared names are put in; the environment of the process never is', () => {
    fc.assert(
      fc.property(configs, (config) => {
        expect(applyMacros(config, {})).toEqual(config);
      }),
    );
    process.env['DAVIT_TEST_MACRO'] = 'secret';
    expect(applyMacros({ a: ['x-${run_id}-${PATH}-${DAVIT_TEST_MACRO}-${toString}'] }, { run_id: 'r1' })).toEqual({
      a: ['x-r1-${PATH}-${DAVIT_TEST_MACRO}-${toString}'],
    });
  });

  test('every place of a declared name is replaced, and nothing else of the text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('${run_id}', '${other}', 'text', '$', '{', '}')),
        fc.string(),
        (parts, id) => {
          const text = parts.join('');
          expect(applyMacros({ text }, { run_id: id })).toEqual({ text: text.split('${run_id}').join(id) });
        },
      ),
    );
  });
});

test('the builder’s part never reaches the target, unless nobody understands it', () => {
  expect(
    splitBuilder({ gpus: 1, builder: { accelerator: { base_image: 'cuda:12' }, base_image: 'python:3.12' } }),
  ).toEqual({
    config: { gpus: 1 },
    baseImage: 'python:3.12',
    acceleratorBaseImage: 'cuda:12',
  });
  expect(splitBuilder({ gpus: 1 })).toEqual({ config: { gpus: 1 } });
  expect(splitBuilder({ builder: { odd: 1 } })).toEqual({ config: { builder: { odd: 1 } } });
});
