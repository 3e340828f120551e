import { z } from 'zod';
import { nameSchema } from './ids.js';

/** Named secrets: what they may be called and hold. Their values are in nothing that is shown, and stored only under a key. */

export const secretNameSchema = nameSchema;

/** What is shorter could not be hidden in a log: too much else looks like it. */
export const minSecretBytes = 4;
/** Half of what the system takes for one variable. */
export const maxSecretBytes = 64 * 1024;

export const secretValueSchema = z
  .string()
  .refine((value) => Buffer.byteLength(value) >= minSecretBytes, `must have at least ${minSecretBytes} bytes`)
  .refine((value) => Buffer.byteLength(value) <= maxSecretBytes, `must have at most ${maxSecretBytes} bytes`);

const secretVariableSchema = z
  .string()
  .max(256)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not a name of an environment variable')
  .refine((name) => !/^(WANDB|DAVIT)_/.test(name), 'is one that Davit sets itself');

/** Variable of the job → name of the secret that it is to hold. */
export const secretVariablesSchema = z
  .record(secretVariableSchema, secretNameSchema)
  .refine((variables) => Object.keys(variables).length <= 100, 'must name at most 100 variables');
export type SecretVariables = z.infer<typeof secretVariablesSchema>;

/** What an admin says about a queue: which secrets its launches may name, and which every job of it is given. */
export interface QueueSecrets {
  secrets: readonly string[];
  secretVariables: SecretVariables;
}

/** What the queue gives its jobs is allowed without being said a second time. */
export const allowsSecret = (queue: QueueSecrets, name: string): boolean =>
  queue.secrets.includes(name) || Object.values(queue.secretVariables).includes(name);

/** The launch's own variables go before those of its queue. */
export const secretVariablesOf = (queue: QueueSecrets, launch: SecretVariables | undefined): SecretVariables => ({
  ...queue.secretVariables,
  ...launch,
});
