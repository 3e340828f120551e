import type { LaunchState, TargetName } from '../domain/words.js';

/** What the API and the workflows say to each other. Names and shapes are a contract with running workflows: add, never change. */

export const signalNames = { tell: 'tell', more: 'more' } as const;

/** `tell`: the launch's row as the workflow needs it. A note with a version not above the last one seen is ignored. */
export interface LaunchNote {
  launchId: string;
  v: number;
  state: LaunchState;
  attempt: number;
  target: TargetName;
  /** `entity/queue`. */
  queue: string;
  /** `entity/project`. */
  project: string;
  /** Who asked for it. */
  user: string;
  /** 0 = critical … 3 = low. */
  priority: number;
  /** Set while an agent holds the launch. */
  claim?: ClaimNote;
  cancelRequested: boolean;
}

export interface ClaimNote {
  id: string;
  epoch: number;
  agentId: string;
  agentName: string;
  privateQueue: string;
  place: string;
}

/** `more`: so many launches of the line can be claimed (counted up to 41). */
export type MoreNote = number;

export interface LineInput {
  queueId: number;
  entity: string;
  queue: string;
  /** Hash of the labels that launches of this line require; absent: none. */
  class?: string;
  /** Only when continued as new: tickets that were out. */
  carried?: number;
}

/** What the launch workflow answers. */
export interface LaunchResult {
  launchId: string;
  state: LaunchState;
  exitCode: number | null;
  failure: string | null;
}

/** A launch's row as the store gives it (`store/outbox.ts`). */
export interface NoteFacts {
  launchId: string;
  v: number;
  state: LaunchState;
  attempt: number;
  target: TargetName;
  entity: string;
  queue: string;
  project: string;
  projectEntity: string;
  author: string;
  priority: number;
  cancelRequested: boolean;
  claim: string | null;
  epoch: number;
  agentId: string | null;
  agentName: string | null;
  privateQueue: string | null;
  place: string | null;
}

export function noteFrom(row: NoteFacts): LaunchNote {
  const { claim, agentId, privateQueue, place } = row;
  return {
    launchId: row.launchId,
    v: row.v,
    state: row.state,
    attempt: row.attempt,
    target: row.target,
    queue: `${row.entity}/${row.queue}`,
    project: `${row.projectEntity}/${row.project}`,
    user: row.author,
    priority: row.priority,
    cancelRequested: row.cancelRequested,
    ...(claim && agentId && privateQueue && place
      ? { claim: { id: claim, epoch: row.epoch, agentId, agentName: row.agentName ?? agentId, privateQueue, place } }
      : {}),
  };
}
