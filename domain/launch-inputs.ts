import { z } from 'zod';
import { DavitError } from './errors.js';
import { inputErrors, inputSchemasOf } from './input-schema.js';
import type { LaunchRequest } from './launch-request.js';
import type { FieldError } from './resource-config.js';

/** What a queue does with inputs that do not fit what the job takes: refuse the launch, or accept it and say so. */
export const inputChecks = ['enforce', 'warn'] as const;
export type InputChecks = (typeof inputChecks)[number];
export const inputChecksSchema = z.enum(inputChecks);

/** What is wrong with a launch's inputs, by field of the request. Without a schema everything fits. */
export function problemsOfInputs(metadata: unknown, overrides: LaunchRequest['overrides']): FieldError[] {
  const { config, files } = inputSchemasOf(metadata);
  return [
    ...(config === undefined ? [] : inputErrors(config, overrides?.config ?? {}, 'overrides.config')),
    // A file is there already: the launch changes some of it.
    ...Object.entries(overrides?.files ?? {}).flatMap(([path, values]) => {
      const schema = Object.hasOwn(files, path) ? files[path] : undefined;
      return schema === undefined ? [] : inputErrors(schema, values, `overrides.files.${path}`, { partial: true });
    }),
  ];
}

/** Throws `invalid-inputs`, or answers warnings where the queue only warns. */
export function checkInputs(facts: {
  metadata: unknown;
  overrides: LaunchRequest['overrides'];
  checks: InputChecks;
}): string[] {
  const errors = problemsOfInputs(facts.metadata, facts.overrides);
  const sentences = errors.map(({ path, message }) => `${path} ${message}`);
  if (errors.length === 0 || facts.checks === 'warn') return sentences.map((sentence) => `${sentence}.`);
  throw new DavitError('invalid-inputs', `The inputs do not fit what the job takes: ${sentences.join('; ')}.`, {
    errors,
  });
}
