import { z } from 'zod';
import { DavitError } from './errors.js';

/**
 * What the target is told about a launch: the queue's config with its template variables filled in, the launch's own merged over it, and
 * macros put in last of all. Everything here is pure, and is the same for a preview, an enqueue and the agent.
 */

export type ResourceConfig = Record<string, unknown>;

/** Objects merge key by key, everything else (lists too) is replaced. Neither side is changed. */
export function mergeConfig(base: ResourceConfig, over: ResourceConfig): ResourceConfig {
  const merged: ResourceConfig = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = Object.hasOwn(merged, key) ? merged[key] : undefined;
    put(merged, key, isPlainObject(below) && isPlainObject(value) ? mergeConfig(below, value) : value);
  }
  return merged;
}

/** defineProperty: a key named __proto__ is data like any other. */
const put = (into: ResourceConfig, key: string, value: unknown): void => {
  Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
};

const isPlainObject = (value: unknown): value is ResourceConfig =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The same config with every text in it put through `change`, at any depth; keys stay. */
function mapTexts(value: unknown, change: (text: string) => unknown): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((inner) => mapTexts(inner, change));
  if (!isPlainObject(value)) return value;
  const mapped: ResourceConfig = {};
  for (const [key, inner] of Object.entries(value)) put(mapped, key, mapTexts(inner, change));
  return mapped;
}

// Template variables

export const templateValueSchema = z.union([z.string().max(4096), z.number()]);
export type TemplateValue = z.infer<typeof templateValueSchema>;
export const templateValuesSchema = z
  .record(z.string().max(64), templateValueSchema)
  .refine((values) => Object.keys(values).length <= 100, 'at most 100 values');

export interface FieldError {
  path: string;
  message: string;
}

const variableSchema = z.strictObject({
  schema: z.strictObject({
    type: z.enum(['string', 'integer', 'number']),
    enum: z.array(templateValueSchema).min(1).max(1000).optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    default: templateValueSchema.optional(),
  }),
  description: z.string().max(10_000).optional(),
});
type TemplateVariable = z.infer<typeof variableSchema>;

/** What an admin lets a launch choose: name -> schema, as the wandb client writes it. */
export const templateVariablesSchema = z
  .record(
    z
      .string()
      .max(64)
      .regex(/^[A-Za-z_][A-Za-z0-9_-]*$/, 'use letters, digits, "_" and "-"; begin with a letter or "_"'),
    variableSchema,
  )
  .superRefine((variables, context) => {
    if (Object.keys(variables).length > 100) context.addIssue({ code: 'custom', message: 'at most 100 variables' });
    for (const [name, variable] of Object.entries(variables))
      for (const { path, message } of problemsOfVariable(variable))
        context.addIssue({ code: 'custom', path: [name, 'schema', ...path], message });
  });
export type TemplateVariables = z.infer<typeof templateVariablesSchema>;

function problemsOfVariable({ schema }: TemplateVariable): { path: (string | number)[]; message: string }[] {
  const { type, enum: choices, minimum, maximum, default: standard, ...rest } = schema;
  const problems: { path: (string | number)[]; message: string }[] = [];
  if (type === 'string')
    for (const bound of ['minimum', 'maximum'] as const)
      if (schema[bound] !== undefined) problems.push({ path: [bound], message: 'only numbers have one' });
  if (minimum !== undefined && maximum !== undefined && minimum > maximum)
    problems.push({ path: ['minimum'], message: 'is larger than maximum' });
  for (const [i, choice] of (choices ?? []).entries()) {
    const problem = problemOfValue({ type, ...rest }, choice);
    if (problem !== undefined) problems.push({ path: ['enum', i], message: problem });
  }
  if (standard !== undefined && problems.length === 0) {
    const problem = problemOfValue(schema, standard);
    if (problem !== undefined) problems.push({ path: ['default'], message: problem });
  }
  return problems;
}

function problemOfValue(schema: TemplateVariable['schema'], value: TemplateValue): string | undefined {
  const { type, enum: choices, minimum, maximum } = schema;
  if (type === 'string' ? typeof value !== 'string' : typeof value !== 'number') return `must be of type ${type}`;
  if (type === 'integer' && !Number.isSafeInteger(value)) return 'must be a whole number';
  if (choices !== undefined && !choices.includes(value)) return `must be one of ${choices.join(', ')}`;
  if (minimum !== undefined && Number(value) < minimum) return `must be at least ${minimum}`;
  return maximum !== undefined && Number(value) > maximum ? `must be at most ${maximum}` : undefined;
}

/** On a command line everything is text: a text that is a number counts as one where a number is wanted. */
const asWanted = ({ schema }: TemplateVariable, value: TemplateValue): TemplateValue =>
  schema.type !== 'string' && typeof value === 'string' && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value.trim())
    ? Number(value)
    : value;

/** The values of all of a queue's variables: those that are given, and defaults; or what is wrong with them, by name. */
export function templateValues(
  variables: TemplateVariables,
  given: Readonly<Record<string, TemplateValue>> = {},
): { values: Record<string, TemplateValue>; errors: FieldError[] } {
  const values: Record<string, TemplateValue> = {};
  const errors: FieldError[] = [];
  const names = Object.keys(variables);
  for (const name of Object.keys(given))
    if (!Object.hasOwn(variables, name))
      errors.push({
        path: name,
        message: names.length === 0 ? 'the queue has no template variables' : `the queue has only ${names.join(', ')}`,
      });
  for (const [name, variable] of Object.entries(variables)) {
    const said = Object.hasOwn(given, name) ? given[name] : undefined;
    const value = said === undefined ? variable.schema.default : asWanted(variable, said);
    const problem = value === undefined ? 'is needed: it has no default' : problemOfValue(variable.schema, value);
    if (problem !== undefined) errors.push({ path: name, message: problem });
    else if (value !== undefined) put(values, name, value);
  }
  return { values, errors };
}

/** `{{name}}`: as a whole text it becomes the value with its type, inside a text its words. A name without a value stays as it is. */
export function fillTemplate(config: ResourceConfig, values: Readonly<Record<string, TemplateValue>>): ResourceConfig {
  const change = (text: string): unknown => {
    const whole = /^\{\{\s*([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}$/.exec(text)?.[1];
    if (whole !== undefined) return Object.hasOwn(values, whole) ? values[whole] : text;
    return text.replaceAll(/\{\{\s*([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}/g, (as, name: string) =>
      Object.hasOwn(values, name) ? String(values[name]) : as,
    );
  };
  return mapTexts(config, change) as ResourceConfig;
}

export interface ResourceConfigParts {
  queue: ResourceConfig;
  variables?: TemplateVariables | null | undefined;
  /** Values of template variables that the launch gives. */
  values?: Readonly<Record<string, TemplateValue>> | undefined;
  /** The launch's own parameters. */
  launch?: ResourceConfig | undefined;
}

/**
 * The queue's config with its variables filled in, under the launch's own. A launch that gives values of variables cannot give parameters as
 * well: the values win, and it is told.
 */
export function resourceConfigOf({ queue, variables, values, launch }: ResourceConfigParts): {
  resourceConfig: ResourceConfig;
  errors: FieldError[];
  warnings: string[];
} {
  const filled = templateValues(variables ?? {}, values);
  const base = fillTemplate(queue, filled.values);
  const isGiven = Object.keys(values ?? {}).length > 0;
  const isDropped = isGiven && Object.keys(launch ?? {}).length > 0;
  return {
    resourceConfig: launch === undefined || isDropped ? base : mergeConfig(base, launch),
    errors: filled.errors,
    warnings: isDropped
      ? ['The launch gives values of template variables, so its own resource config was left out.']
      : [],
  };
}

export const templateError = (errors: readonly FieldError[]): DavitError =>
  new DavitError(
    'invalid-template-values',
    `The template variables do not fit the queue: ${errors.map(({ path, message }) => `${path} ${message}`).join('; ')}.`,
    { errors: errors.map(({ path, message }) => ({ path: `templateVariables.${path}`, message })) },
  );

// Macros

/** What `${name}` may stand for. The agent adds what its own configuration declares, and nothing else of its environment. */
export const launchMacros = ['project_name', 'entity_name', 'run_id', 'run_name', 'author'] as const;
export type LaunchMacros = Record<(typeof launchMacros)[number], string>;

/** `${name}` in every text of the config, once: what a macro stands for is not looked at again. Unknown ones stay as they are. */
export const applyMacros = (config: ResourceConfig, macros: Readonly<Record<string, string>>): ResourceConfig =>
  mapTexts(config, (text) =>
    text.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (as, name: string) =>
      Object.hasOwn(macros, name) ? (macros[name] ?? as) : as,
    ),
  ) as ResourceConfig;

// The builder's part

const image = z.string().min(1).max(512);
const builderPartSchema = z.strictObject({
  base_image: image.optional(),
  accelerator: z.strictObject({ base_image: image.optional() }).optional(),
  cuda: z.strictObject({ base_image: image.optional() }).optional(),
});

/** The key `builder` is for whoever makes the image; the target never sees it. One that is not understood stays, for the target to refuse. */
export function splitBuilder(config: ResourceConfig): {
  config: ResourceConfig;
  baseImage?: string;
  acceleratorBaseImage?: string;
} {
  const { builder, ...rest } = config;
  const parsed = builderPartSchema.safeParse(builder);
  if (!parsed.success) return { config };
  const { base_image: baseImage, accelerator, cuda } = parsed.data;
  const acceleratorBaseImage = accelerator?.base_image ?? cuda?.base_image;
  return {
    config: rest,
    ...(baseImage === undefined ? {} : { baseImage }),
    ...(acceleratorBaseImage === undefined ? {} : { acceleratorBaseImage }),
  };
}
