import { z } from 'zod';
import { launchIdSchema, nameSchema } from './ids.js';
import { prioritySchema } from './words.js';

/** What may be asked of launches and queues by a message to Temporal. The same changes as over REST; here their shapes. */

const reason = z.string().max(500).optional();

/** Where a launch is to stand, within its own priority. */
export const placeSchema = z.union([
  z.strictObject({ to: z.enum(['front', 'back']) }),
  z.strictObject({ before: launchIdSchema }),
  z.strictObject({ after: launchIdSchema }),
]);

/** Signal name -> its one argument. */
export const launchChanges = {
  move: placeSchema,
  hold: z.strictObject({ reason }).optional(),
  release: z.strictObject({}).optional(),
  priority: z.strictObject({ priority: prioritySchema }),
} as const;
export type LaunchChange = keyof typeof launchChanges;

export const queueActions = ['pause', 'resume', 'drain', 'undrain'] as const;

/** Input of the `queue` workflow. */
export const queueChangeSchema = z.strictObject({
  entity: nameSchema,
  queue: nameSchema,
  action: z.enum(queueActions),
  reason,
});
export type QueueChange = z.infer<typeof queueChangeSchema>;
