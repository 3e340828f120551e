import type { Discipline, HoldCause, LaunchState } from '../words.js';
import { holdsSlot as stateHoldsSlot, isWaiting } from '../words.js';
import type { Labels } from '../requirements.js';

/**
 * The store's half of the model: what the tables of the line hold, as plain values. Nothing here is ever changed in place; every operation
 * (accept.ts, claim.ts, order.ts, settings.ts) answers new rows. Time is the number of steps done so far.
 */

export interface QueueRow {
  readonly id: string;
  readonly paused: boolean;
  /** Refuses new launches and works off the rest. */
  readonly draining: boolean;
  /** False: only `medium` is accepted. */
  readonly priorities: boolean;
  readonly discipline: Discipline;
  /** null = no limit, here and below. */
  readonly maxRunning: number | null;
  readonly maxRunningPerProject: number | null;
  readonly projects: Readonly<Record<string, { readonly maxRunning: number | null; readonly weight: number }>>;
  /** Held launches wait too. */
  readonly maxWaiting: number | null;
  readonly ttl: number | null;
}

export interface LaunchRow {
  readonly id: string;
  readonly queue: string;
  readonly project: string;
  /** 0 = critical … 3 = low. */
  readonly priority: number;
  readonly rank: number;
  readonly requires: Labels;
  readonly hold: HoldCause | null;
  readonly releaseAt: number | null;
  readonly expiresAt: number | null;
  /** When it came into line last. */
  readonly queuedAt: number;
  readonly state: LaunchState;
  readonly epoch: number;
  readonly claim: string | null;
  readonly agent: string | null;
  readonly incarnation: string | null;
  readonly attempt: number;
  /** The target may have been asked to create this attempt's job. */
  readonly submitting: boolean;
  readonly cancelRequested: boolean;
  /** Version of the row; due: its workflow must be told of it; told: its workflow is believed to exist. */
  readonly v: number;
  readonly due: boolean;
  readonly told: boolean;
}

export interface AgentRow {
  readonly id: string;
  readonly incarnation: string;
  readonly labels: Labels;
  /** Wanted to take nothing more. */
  readonly draining: boolean;
  readonly quarantined: boolean;
}

/** What a ticket was answered with, so that it is answered the same again. */
export interface TicketRow {
  readonly attempt: number;
  readonly launch: string;
  readonly claim: string;
}

export interface Lines {
  readonly now: number;
  /** Ranks drawn so far. */
  readonly ranks: number;
  readonly queues: ReadonlyMap<string, QueueRow>;
  readonly launches: ReadonlyMap<string, LaunchRow>;
  readonly agents: ReadonlyMap<string, AgentRow>;
  readonly tickets: ReadonlyMap<string, TicketRow>;
}

export const emptyLines: Lines = {
  now: 0,
  ranks: 0,
  queues: new Map(),
  launches: new Map(),
  agents: new Map(),
  tickets: new Map(),
};

export const newQueue = (id: string, over: Partial<QueueRow> = {}): QueueRow => ({
  id,
  paused: false,
  draining: false,
  priorities: true,
  discipline: 'fifo',
  maxRunning: null,
  maxRunningPerProject: null,
  projects: {},
  maxWaiting: null,
  ttl: null,
  ...over,
});

/** Ranks are far apart so that a launch can be put between two others. */
export const rankGap = 2 ** 20;

export const isQueued = (launch: LaunchRow): boolean => isWaiting(launch.state);
/** It occupies one of the places that limits count: from its claim to its end. */
export const holdsSlot = (launch: LaunchRow): boolean => stateHoldsSlot(launch.state);

export function withKey<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value);
}
export function without<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  if (!map.has(key)) return map;
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}

export const putLaunch = (lines: Lines, launch: LaunchRow): Lines => ({
  ...lines,
  launches: withKey(lines.launches, launch.id, launch),
});
export const putQueue = (lines: Lines, queue: QueueRow): Lines => ({
  ...lines,
  queues: withKey(lines.queues, queue.id, queue),
});
export const putAgent = (lines: Lines, agent: AgentRow): Lines => ({
  ...lines,
  agents: withKey(lines.agents, agent.id, agent),
});

/** Every change that its workflow must hear of: a new version, due. */
export const changed = (launch: LaunchRow, over: Partial<LaunchRow>): LaunchRow => ({
  ...launch,
  v: launch.v + 1,
  due: true,
  ...over,
});
