import { failure, type Failure } from './errors.js';
import type { JobStatus } from './job-plan.js';
import type { LaunchState, RunState, TerminalState } from './words.js';

/** How an attempt ended, as the workflow knows it. */
export type AttemptEnd =
  | { kind: 'ended'; status: JobStatus }
  | { kind: 'failed'; failure: Failure }
  /** Cancelled before there was a job, or the job was killed by our own cancel. */
  | { kind: 'stopped' };

export interface EndFacts {
  end: AttemptEnd;
  cancelRequested: boolean;
  requireRun: boolean;
  /** The run of this launch, when the job ever called wandb.init. */
  run: { state: RunState } | undefined;
}

export interface LaunchEnd {
  state: TerminalState;
  exitCode: number | undefined;
  failure: Failure | undefined;
  /** What becomes of a run that is still open: its process is gone, so nobody else will say. */
  runState: RunState | undefined;
}

/** The one place that decides what a launch's end is called. */
export function endOf(facts: EndFacts): LaunchEnd {
  const { end, cancelRequested } = facts;
  if (end.kind === 'failed' && !(cancelRequested && end.failure.code === 'submit-after-kill')) {
    return { state: 'failed', exitCode: undefined, failure: end.failure, runState: 'crashed' };
  }
  if (end.kind !== 'ended')
    return { state: 'stopped', exitCode: undefined, failure: failure('cancelled', 'run'), runState: 'killed' };

  const { status } = end;
  const exitCode = status.exitCode;
  if (status.killed || (cancelRequested && exitCode !== 0)) {
    return { state: 'stopped', exitCode, failure: failure('cancelled', 'run'), runState: 'killed' };
  }
  if (status.lost || exitCode === undefined) {
    return {
      state: 'failed',
      exitCode: undefined,
      failure: failure('job-lost', 'run', status.reason),
      runState: 'crashed',
    };
  }
  if (status.signal !== undefined) {
    const message = `The job was ended by ${status.signal}, which Davit did not send.`;
    return { state: 'failed', exitCode, failure: failure('job-killed', 'run', message), runState: 'crashed' };
  }
  if (exitCode !== 0) {
    return {
      state: 'failed',
      exitCode,
      failure: failure('job-failed', 'run', `The job ended with exit code ${exitCode}.`),
      runState: 'failed',
    };
  }
  if (facts.requireRun && (!facts.run || facts.run.state === 'pending')) {
    return { state: 'failed', exitCode, failure: failure('no-run', 'run'), runState: undefined };
  }
  return { state: 'finished', exitCode, failure: undefined, runState: 'finished' };
}

/** The end as it stands in the store; `recorded: false`: the launch has not ended, or another claim holds it. */
export type RecordedEnd =
  { recorded: true; state: LaunchState; exitCode: number | null; failure: string | null } | { recorded: false };
