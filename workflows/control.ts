import { ApplicationFailure, ActivityFailure, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { ControlActivities } from '../activities/contract.js';
import { profiles } from './profiles.js';

const local = proxyLocalActivities<ControlActivities>(profiles.controlAtOnce);
const queued = proxyActivities<ControlActivities>({ ...profiles.control, summary: 'record in the store' });

/**
 * What the workflow asks of the store. As a rule the store answers in milliseconds, so each is first tried within the workflow task: one event
 * instead of six. When the store is away, it becomes an ordinary activity, which Temporal repeats without events until the store answers.
 * All of them may be repeated.
 */
export const control: ControlActivities = {
  admit: (input) =>
    soonElseLater(
      () => local.admit(input),
      () => queued.admit(input),
    ),
  readNote: (input) =>
    soonElseLater(
      () => local.readNote(input),
      () => queued.readNote(input),
    ),
  cancel: (input) =>
    soonElseLater(
      () => local.cancel(input),
      () => queued.cancel(input),
    ),
  recordEnd: (input) =>
    soonElseLater(
      () => local.recordEnd(input),
      () => queued.recordEnd(input),
    ),
  giveBack: (input) =>
    soonElseLater(
      () => local.giveBack(input),
      () => queued.giveBack(input),
    ),
  change: (input) =>
    soonElseLater(
      () => local.change(input),
      () => queued.change(input),
    ),
  changeQueue: (input) =>
    soonElseLater(
      () => local.changeQueue(input),
      () => queued.changeQueue(input),
    ),
  readEnd: (input) =>
    soonElseLater(
      () => local.readEnd(input),
      () => queued.readEnd(input),
    ),
};

async function soonElseLater<T>(soon: () => Promise<T>, later: () => Promise<T>): Promise<T> {
  try {
    return await soon();
  } catch (error) {
    // An answer, and a final one: repeating the question is no use.
    if (error instanceof ActivityFailure && error.cause instanceof ApplicationFailure && error.cause.nonRetryable)
      throw error;
    return later();
  }
}
