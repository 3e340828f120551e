import type { Loss } from './parking.js';
import type { Labels } from './requirements.js';
import type { Discipline, HoldCause, LaunchState, TargetName } from './words.js';

/** Everything that decides when a launch is taken, as it was at one moment. Read by store/waiting.ts. */
export interface WaitingFacts {
  now: Date;
  /** Temporal does not answer this API since then: no tickets go out. */
  temporalAway?: { since: Date; message: string } | undefined;
  launch: {
    /** Null: it does not exist, somebody asks what would be if it did. */
    id: string | null;
    priority: number;
    requires: Labels;
    hold: HoldCause | null;
    heldBy: string | null;
    holdReason: string | null;
    heldAt: Date | null;
    releaseAt: Date | null;
    /** Agents that were lost while they held it. */
    losses: readonly Loss[];
  };
  queue: {
    id: number;
    entity: string;
    name: string;
    target: TargetName;
    discipline: Discipline;
    paused: boolean;
    pausedBy: string | null;
    pausedAt: Date | null;
    pauseReason: string | null;
    maxRunning: number | null;
    /** Launches that hold a slot. */
    running: number;
    lastClaimAt: Date | null;
  };
  project: {
    /** Null: it comes into being with the launch. */
    id: number | null;
    entity: string;
    name: string;
    /** In this queue. */
    maxRunning: number | null;
    running: number;
    /** Launches of the project that stand before this one; counted up to 10,000, and only when there is a limit. */
    ahead: number;
  };
  line: {
    /** 1 = next; null: held. */
    position: number | null;
    /** Launches that stand before it, or would if it were not held. */
    ahead: number;
    /** Of these, such of a higher priority. */
    higher: number;
    waiting: number;
  };
  /** Every agent that serves the queue, in whatever condition. */
  agents: readonly WaitingAgent[];
  elsewhere: {
    /** Agents of the entity whose target of this kind did not pass its check: such an agent serves no queue of it. */
    unreachable: readonly { name: string; details: readonly string[] }[];
    /** Agents of the entity that could run such jobs and serve other queues. */
    otherQueues: number;
  };
  /** Launches that hold slots: of this queue, and of its agents. */
  holders: readonly Holder[];
  /** Other queues of the same agents in which somebody waits. */
  others: { queues: number; waiting: number };
}

export interface WaitingAgent {
  id: string;
  name: string;
  labels: Labels;
  /** -1: unlimited. */
  maxJobs: number;
  used: number;
  heartbeatAt: Date;
  alive: boolean;
  stopped: boolean;
  draining: boolean;
  /** Who wanted it to drain or stop. */
  wantedBy: string | null;
  quarantinedAt: Date | null;
  quarantineReason: string | null;
  /** In quarantine, but it may take one launch now to prove itself. */
  mayProbe: boolean;
  /** What the agent found when it checked its target; null: it says nothing of it. */
  check: { ok: boolean; details: readonly string[] } | null;
}

export interface Holder {
  launchId: string;
  state: LaunchState;
  agentId: string | null;
  agent: string | null;
  queueId: number;
  queue: string;
  projectId: number;
  since: Date;
}

export const heldMsOf = (facts: Pick<WaitingFacts, 'now'>, holder: Holder): number =>
  Math.max(0, facts.now.getTime() - holder.since.getTime());
