import type { Labels } from '../requirements.js';
import { launchesOf } from './pick-next.js';
import { isQueued, putLaunch, rankGap, type LaunchRow, type Lines } from './rows.js';

/** Acceptance: from its answer on, a launch is never lost. */

export interface NewLaunch {
  id: string;
  queue: string;
  project: string;
  priority: number;
  requires: Labels;
  held: boolean;
  /** Steps; else as the queue says. */
  ttl: number | null;
}

export type EnqueueOutcome =
  'accepted' | 'known' | 'unknown-queue' | 'queue-draining' | 'priority-not-allowed' | 'queue-full';

export const mediumPriority = 2;

export function enqueue(lines: Lines, asked: NewLaunch): { lines: Lines; outcome: EnqueueOutcome } {
  const queue = lines.queues.get(asked.queue);
  if (!queue) return { lines, outcome: 'unknown-queue' };
  if (lines.launches.has(asked.id)) return { lines, outcome: 'known' };
  const refusal = refusalOf(lines, asked.queue, asked.priority);
  if (refusal) return { lines, outcome: refusal };
  const ttl = asked.ttl ?? queue.ttl;
  const row: LaunchRow = {
    id: asked.id,
    queue: asked.queue,
    project: asked.project,
    priority: asked.priority,
    rank: (lines.ranks + 1) * rankGap,
    requires: asked.requires,
    hold: asked.held ? 'user' : null,
    releaseAt: null,
    expiresAt: ttl === null ? null : lines.now + ttl,
    queuedAt: lines.now,
    state: 'queued',
    epoch: 0,
    claim: null,
    agent: null,
    incarnation: null,
    attempt: 1,
    submitting: false,
    cancelRequested: false,
    v: 1,
    due: !asked.held,
    told: false,
  };
  return { lines: putLaunch({ ...lines, ranks: lines.ranks + 1 }, row), outcome: 'accepted' };
}

/** Why a queue takes no launch of this priority now; the same for new launches and for transferred ones. */
export function refusalOf(
  lines: Lines,
  queueId: string,
  priority: number,
): Exclude<EnqueueOutcome, 'accepted' | 'known'> | undefined {
  const queue = lines.queues.get(queueId);
  if (!queue) return 'unknown-queue';
  if (queue.draining) return 'queue-draining';
  if (!queue.priorities && priority !== mediumPriority) return 'priority-not-allowed';
  const waiting = launchesOf(lines, queueId).filter(isQueued).length;
  return waiting >= (queue.maxWaiting ?? Infinity) ? 'queue-full' : undefined;
}
