import type { AttemptEnd, RecordedEnd } from '../domain/outcome.js';
import type { Failure } from '../domain/errors.js';
import type { LaunchRequest } from '../domain/launch-request.js';
import type { JobStatus } from '../domain/job-plan.js';
import type { LaunchChange, QueueChange } from '../domain/operations.js';
import type { TargetName } from '../domain/words.js';
import type { LaunchNote } from '../workflows/messages.js';

/**
 * What workflows may call, and with what. Inputs and results are objects: new fields are optional, unknown ones are kept, so that agents
 * and control workers of neighbouring versions understand each other. No secrets.
 */

/** Names one attempt under one claim. */
export interface AttemptRef {
  launchId: string;
  claim: string;
  epoch: number;
  attempt: number;
  target: TargetName;
  /** The job's name at the target. */
  name: string;
}

/** On `launch-control`, by control workers; they have the store. */
export interface ControlActivities {
  /** A workflow started by hand: makes the row, or finds it when this was done before. */
  admit(input: {
    request: LaunchRequest & { entity: string; project: string };
    workflowId: string;
  }): Promise<LaunchNote>;
  /** The row as it is. */
  readNote(input: { launchId: string; workflowId: string }): Promise<LaunchNote>;
  /** Somebody cancelled the workflow with Temporal's own tools. Answers the row after it. */
  cancel(input: { launchId: string; actor: string }): Promise<LaunchNote>;
  recordEnd(input: { launchId: string; claim: string; end: AttemptEnd }): Promise<RecordedEnd>;
  /** Back to its place in line. `gone`: the claim is not ours any more, a newer note tells what is. */
  giveBack(input: {
    launchId: string;
    claim: string;
    agentLost: boolean;
    /** Its loss says nothing against the launch: it left in order, or never began. */
    blameless?: boolean;
    nextAttempt: boolean;
    reason: string;
  }): Promise<'returned' | 'ended' | 'gone'>;
  /** A signal asked for it. Answers what came of it in a sentence; a refusal is an answer too. */
  change(input: {
    launchId: string;
    change: LaunchChange;
    argument: unknown;
    actor: string;
  }): Promise<{ said: string }>;
  changeQueue(input: { change: QueueChange; actor: string }): Promise<QueueChangeAnswer>;
  /** How a row ended that somebody else ended (cancelled while it waited). */
  readEnd(input: { launchId: string }): Promise<RecordedEnd>;
}

/** The queue after the change. */
export interface QueueChangeAnswer {
  /** `entity/queue`. */
  queue: string;
  paused: boolean;
  draining: boolean;
  waiting: number;
  held: number;
  running: number;
}

/** On `launch.<entity>.<queue>`. */
export interface TicketActivities {
  ticket(input: { queueId: number; class?: string }): Promise<{ left: number }>;
}

/** On `agent.<id>.<incarnation>`: the process that holds the slot. */
export interface AgentActivities {
  supervise(input: AttemptRef): Promise<SuperviseResult>;
  prepare(input: AttemptRef): Promise<void>;
  submit(input: AttemptRef): Promise<{ adopted: boolean }>;
}

/** Type of the failure of a supervise that finds its claim at work already: what to do is to look for the job. */
export const heldAlreadyType = 'held-already';

export type SuperviseResult =
  | { kind: 'ended'; status: JobStatus }
  | {
      kind: 'failed';
      failure: Failure;
      /** `unused`: nothing was asked of the target. `closed`: no job of this name can begin any more. */
      name?: 'unused' | 'closed';
    }
  | { kind: 'stopped' }
  /** The claim was not ours any more when we began. */
  | { kind: 'fenced' };

/** On `target.<target>.<place>.watch`: any agent of the place. */
export interface WatchActivities {
  watch(input: AttemptRef): Promise<WatchResult>;
  /** True when there was a job to end. */
  kill(input: { target: TargetName; name: string }): Promise<boolean>;
}

export type WatchResult =
  | { kind: 'ended'; status: JobStatus }
  /** There is no such job, and from now on there cannot be one of this name. */
  | { kind: 'absent' };
