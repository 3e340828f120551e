import { ApplicationFailure } from '@temporalio/workflow';
import type { QueueChangeAnswer } from '../activities/contract.js';
import { queueChangeSchema } from '../domain/operations.js';
import { control } from './control.js';

/** Pauses, resumes, drains or undrains a queue: for operators who have Temporal's tools at hand. The same change as over REST. */
export async function queue(input: unknown): Promise<QueueChangeAnswer> {
  const parsed = queueChangeSchema.safeParse(input);
  if (!parsed.success) {
    const problems = parsed.error.issues
      .map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`)
      .join('; ');
    throw ApplicationFailure.nonRetryable(`This is no change of a queue: ${problems}`, 'invalid-request');
  }
  return control.changeQueue({ change: parsed.data, actor: 'temporal' });
}
