import type { LaunchState } from './words.js';
import { isTerminal, isWaiting } from './words.js';

/** What the launch workflow does next, given the newest note and the claim it dealt with last. Pure. */

export interface FlowNote {
  state: LaunchState;
  claim?: { id: string };
}

export type FlowStep =
  /** Nothing yet: the launch stands in line, or what the note says was dealt with. */
  | 'wait'
  /** An agent took it: supervise, prepare, submit on that agent. */
  | 'serve'
  /** An agent was already at work although this workflow knows nothing of it (Temporal lost its data): find the job and follow it. */
  | 'adopt'
  /** The row is final. */
  | 'end';

export function nextStep(note: FlowNote | undefined, lastClaim: string | undefined): FlowStep {
  if (!note) return 'wait';
  if (isTerminal(note.state)) return 'end';
  if (isWaiting(note.state) || !note.claim || note.claim.id === lastClaim) return 'wait';
  return note.state === 'claimed' ? 'serve' : 'adopt';
}

/** What to do about an attempt that lost its agent. */
export type LossStep = 'watch' | 'give-back';

/**
 * Once the target may have been asked to create the job, only a look at the place can tell whether it exists; before that, there is
 * nothing to find.
 */
export const afterLoss = (submitScheduled: boolean): LossStep => (submitScheduled ? 'watch' : 'give-back');
