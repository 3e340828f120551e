import { failure, type Failure } from './errors.js';
import type { JobStatus } from './job-plan.js';
import type { LaunchState, RunState, TerminalState } from './words.js';

/** How an attempt ended, as the workflow knows it. */
export type AttemptEnd =
  | {
      kind: 'ended';
      status: JobStatus;
      /** Its agent was lost while the job was there; in what way. Another one saw the end. */
      agentLost?: string;
    }
  | {
      kind: 'failed';
      failure: Failure;
      /** What the agent made sure of: nothing was asked of the target, or no job of this name can begin any more. */
      name?: 'unused' | 'closed';
    }
  /** Cancelled before there was a job, or the job was killed by our own cancel. */
  | {
      kind: 'stopped';
      /** Nobody could reach the place of its job. Else there is none any more. */
      name?: 'unknown';
    };

export interface EndFacts {
  end: AttemptEnd;
  /** Somebody, or a time-out, asked for a stop. */
  cancelRequested: boolean;
  /** Of the time-out, when nobody but it asked. */
  timedOut?: Failure | undefined;
  requireRun: boolean;
  /** The run of this launch, when the job ever called wandb.init. */
  run: { state: RunState } | undefined;
  /** During this attempt the job said that its machine is about to be taken away (wandb's `mark_preempting`). */
  saidPreempting?: boolean | undefined;
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
  const { end, cancelRequested, timedOut } = facts;
  const stopped = (exitCode: number | undefined): LaunchEnd =>
    timedOut
      ? { state: 'failed', exitCode, failure: timedOut, runState: 'killed' }
      : { state: 'stopped', exitCode, failure: failure('cancelled', 'run'), runState: 'killed' };

  if (end.kind === 'failed' && !(cancelRequested && end.failure.code === 'submit-after-kill')) {
    return { state: 'failed', exitCode: undefined, failure: end.failure, runState: 'crashed' };
  }
  if (end.kind !== 'ended') return stopped(undefined);

  const { status } = end;
  const exitCode = status.exitCode;
  if (status.killed || (cancelRequested && exitCode === undefined)) return stopped(exitCode);
  // Whoever cancels does not care what the job made of it; a time-out that came too late did nothing, and its own end is the truth.
  if (cancelRequested && !timedOut && exitCode !== 0) return stopped(exitCode);
  if (status.preempted || (facts.saidPreempting && exitCode !== 0)) {
    return { state: 'failed', exitCode, failure: failure('preempted', 'run', status.reason), runState: 'preempted' };
  }
  if (status.lost || exitCode === undefined) {
    return {
      state: 'failed',
      exitCode: undefined,
      failure: failure('job-lost', 'run', status.reason),
      runState: 'crashed',
    };
  }
  if (status.outOfMemory) {
    return { state: 'failed', exitCode, failure: failure('out-of-memory', 'run', status.reason), runState: 'crashed' };
  }
  if (status.signal !== undefined) {
    const hint = status.reason === undefined ? '' : ` ${status.reason}`;
    const message = `The job was ended by ${status.signal}, which Davit did not send.${hint}`;
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

/**
 * The end as it stands in the store. `recorded: false`: the launch has not ended, or another claim holds it; `again`: this end put it back in
 * line, to be tried again.
 */
export type RecordedEnd =
  | { recorded: true; state: LaunchState; exitCode: number | null; failure: string | null }
  | { recorded: false; again?: true };
