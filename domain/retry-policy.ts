import { z } from 'zod';

/** When a launch is tried again, and how long its steps may take. */

const codes = /^exit(:\d{1,3}(,\d{1,3})*)?$/;
export const retryCauses = ['preempted', 'agent-lost', 'image-pull', 'submit', 'start-timeout'] as const;
const causeSchema = z.union([
  z.enum(retryCauses),
  z.string().max(200).regex(codes, 'write exit, or exit:<codes> with commas between'),
]);

const durationMs = z
  .int()
  .min(1)
  .max(90 * 24 * 3600_000);

export const retryPolicySchema = z.strictObject({
  /** Cause -> how many more times. `exit`: any exit code but 0; `exit:137,143`: these. */
  causes: z.record(causeSchema, z.strictObject({ attempts: z.int().min(0).max(1_000) })),
  /** Pause before a retry: initial, times factor for each one after, at most max. Default: 10 s, 2, 10 min; none after a preemption. */
  backoff: z
    .strictObject({
      initialMs: z
        .int()
        .min(0)
        .max(24 * 3600_000)
        .optional(),
      factor: z.number().min(1).max(10).optional(),
      maxMs: z
        .int()
        .min(0)
        .max(24 * 3600_000)
        .optional(),
    })
    .optional(),
  /** `same`: a retry keeps the attempt's number where nothing was started yet. Default: new. */
  attempt: z.enum(['same', 'new']).optional(),
  /** `resume`: the retry goes on with the same run; `new`: each gets a run of its own. Default: resume. */
  run: z.enum(['resume', 'new']).optional(),
});
export type RetryPolicy = z.infer<typeof retryPolicySchema>;

export const timeoutsSchema = z.strictObject({
  /** From the claim to the hand-over to the target. */
  prepareMs: durationMs.optional(),
  /** From the hand-over to the job running. */
  startMs: durationMs.optional(),
  /** From the job running to its end. */
  runMs: durationMs.optional(),
  /** From acceptance to the end, waiting included. */
  totalMs: durationMs.optional(),
});
export type Timeouts = z.infer<typeof timeoutsSchema>;

/** As users of W&B Launch expect: a preempted job is tried five times more, nothing else is. */
export const defaultRetryPolicy: RetryPolicy = { causes: { preempted: { attempts: 5 } } };
