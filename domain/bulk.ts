import { z } from 'zod';
import { jobNameSchema, launchIdSchema, nameSchema } from './ids.js';
import { labelsSchema } from './requirements.js';
import { holdCauses, isTerminal, launchStates, prioritySchema, type LaunchState } from './words.js';

/** Work on many launches at once: what is done, to which launches, and which of them it can be done to. */

export const bulkActions = ['cancel', 'retry', 'hold', 'release', 'move', 'priority', 'transfer'] as const;
export type BulkAction = (typeof bulkActions)[number];

/** One, or a list of them. */
const oneOrMore = <T extends z.ZodType>(item: T) =>
  z.union([item, z.array(item).min(1).max(50)]).transform((value) => (Array.isArray(value) ? value : [value]));

/** `entity/name`, or a name in the entity of the bulk. */
const reference = z
  .string()
  .max(129)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}(\/[A-Za-z0-9][A-Za-z0-9_.-]{0,63})?$/, 'write name or entity/name');

export const bulkFilterSchema = z
  .strictObject({
    queue: reference.optional(),
    project: reference.optional(),
    state: oneOrMore(z.enum([...launchStates, 'held'])).optional(),
    /** Only launches that are held for this. */
    hold: oneOrMore(z.enum(holdCauses)).optional(),
    author: z.string().min(1).max(256).optional(),
    priority: oneOrMore(prioritySchema).optional(),
    /** Name of the job, any version. */
    job: jobNameSchema.optional(),
    /** Labels that the launch requires, these and perhaps more. */
    labels: labelsSchema.optional(),
    /** Accepted longer ago than this. */
    olderThanMs: z
      .int()
      .min(0)
      .max(10 * 365 * 24 * 3600_000)
      .optional(),
    ids: z.array(launchIdSchema).min(1).max(10_000).optional(),
  })
  // Nothing said would be everything there is: whoever wants that names the queue.
  .refine((filter) => Object.values(filter).some((value) => value !== undefined), 'name at least one condition');
export type BulkFilter = z.output<typeof bulkFilterSchema>;

const paramsSchema = z.strictObject({
  to: z.enum(['front', 'back']).optional(),
  priority: prioritySchema.optional(),
  queue: reference.optional(),
  reason: z.string().max(1_000).optional(),
});
export type BulkParams = z.output<typeof paramsSchema>;

const neededParam: Partial<Record<BulkAction, keyof BulkParams>> = {
  move: 'to',
  priority: 'priority',
  transfer: 'queue',
};

export const bulkRequestSchema = z
  .strictObject({
    /** Whose queues; default: the filter's, else your own. */
    entity: nameSchema.optional(),
    action: z.enum(bulkActions),
    filter: bulkFilterSchema,
    /** move: to; priority: priority; transfer: queue; hold: reason, if there is one. */
    params: paramsSchema.optional(),
    /** Lists what would change and changes nothing. */
    dryRun: z.boolean().optional(),
  })
  .superRefine(({ action, params = {} }, context) => {
    const needed = neededParam[action];
    if (needed !== undefined && params[needed] === undefined)
      context.addIssue({ code: 'custom', path: ['params', needed], message: `${action} needs it` });
    for (const [name, value] of Object.entries(params))
      if (value !== undefined && name !== needed && !(action === 'hold' && name === 'reason'))
        context.addIssue({ code: 'custom', path: ['params', name], message: `${action} does not take it` });
  });

/** In which states a launch can be changed so; without a word about states, a retry is for what went wrong. */
export function statesOf(action: BulkAction, wanted: BulkFilter['state']): LaunchState[] {
  const possible = launchStates.filter((state) =>
    action === 'cancel' ? !isTerminal(state) : action === 'retry' ? isTerminal(state) : state === 'queued',
  );
  if (wanted === undefined) return action === 'retry' ? ['failed', 'stopped'] : possible;
  return possible.filter((state) => wanted.includes(state) || (state === 'queued' && wanted.includes('held')));
}
