import { sql } from 'kysely';
import type { LaunchState } from '../domain/words.js';
import type { Store } from './open.js';

/** The claim protocol's statements (docs/claim-protocol.md). The rules are in the functions of migration 0002; here they get types. */

export interface ClaimRequest {
  queueId: number;
  /** Of the polled line: which launches `left` counts. Default: those that require no labels. */
  class?: string | undefined;
  /** Temporal run id / activity id; null for agents that claim without a ticket. */
  ticket: string | null;
  /** Attempt of the ticket activity, from 1: fences an answer that comes after Temporal gave the ticket to somebody else. */
  ticketAttempt: number;
  agentId: string;
  incarnation: string;
  privateQueue: string;
  place: string;
}

export type ClaimAnswer = { left: number } & (
  { outcome: 'granted'; launchId: string; claim: string; epoch: number; v: number } | { outcome: ClaimRefusal }
);

/**
 * `none`: nobody waits that this agent may take. `limited`: the queue or its projects run as many as they may, or only launches that require
 * other labels wait. `quarantined`, `draining`: this agent takes nothing now.
 */
export const claimRefusals = [
  'none',
  'paused',
  'limited',
  'quarantined',
  'draining',
  'stale',
  'spent',
  'superseded',
] as const;
export type ClaimRefusal = (typeof claimRefusals)[number];

export async function claim(db: Store, request: ClaimRequest): Promise<ClaimAnswer> {
  const { queueId, ticket, ticketAttempt, agentId, incarnation, privateQueue, place } = request;
  const result = await sql<{
    answer: ClaimAnswer;
  }>`select line_claim(${queueId}::int, ${request.class ?? ''}, ${ticket}::text, ${ticketAttempt}::int,
    ${agentId}::text, ${incarnation}::text, ${privateQueue}::text, ${place}::text) as answer`.execute(db);
  return only(result.rows).answer;
}

/** False: the claim was lost, the caller is fenced. */
export async function confirm(db: Store, launchId: string, claimId: string, incarnation: string): Promise<boolean> {
  const result = await sql<{
    ok: boolean;
  }>`select line_confirm(${launchId}, ${claimId}::uuid, ${incarnation}) as ok`.execute(db);
  return only(result.rows).ok;
}

/** Before a row is put in line or changed there, and before the row's own lock. Held to the end of the transaction. */
export async function lockLineOf(tx: Store, launchId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(1, queue_id) from launch where id = ${launchId}`.execute(tx);
}

export interface GiveBack {
  launchId: string;
  claim: string;
  /** Everybody but the launch's workflow may give back unconfirmed claims only. */
  unconfirmedOnly: boolean;
  agentLost?: boolean;
  nextAttempt?: boolean;
  reason: string;
}

/** Puts the launch back in its own place. False: the claim was not the one named any more. */
export async function giveBack(db: Store, g: GiveBack): Promise<boolean> {
  const result = await sql<{ ok: boolean }>`select line_give_back(${g.launchId}, ${g.claim}::uuid, ${g.unconfirmedOnly},
    ${g.agentLost ?? false}, ${g.nextAttempt ?? false}, ${g.reason}) as ok`.execute(db);
  return only(result.rows).ok;
}

/** The state after the cancel; null when there is no such launch. */
export async function cancel(db: Store, launchId: string, actor: string, failure: object): Promise<LaunchState | null> {
  const result = await sql<{ state: LaunchState | null }>`
    select line_cancel(${launchId}, ${actor}, ${JSON.stringify(failure)}::jsonb) as state`.execute(db);
  return only(result.rows).state;
}

/** Claims that nobody confirmed in time, given back. Answers the queues whose line moved. */
export async function giveBackUnconfirmed(db: Store, olderThanMs: number): Promise<number[]> {
  const rows = await db
    .selectFrom('launch')
    .select(['id', 'claim', 'queue_id'])
    .where('state', '=', 'claimed')
    .where('claimed_at', '<', sql<Date>`clock_timestamp() - make_interval(secs => ${olderThanMs / 1000})`)
    .limit(200)
    .execute();
  const moved = new Set<number>();
  for (const row of rows) {
    if (!row.claim) continue;
    const reason = 'the agent that took it did not begin in time';
    if (await giveBack(db, { launchId: row.id, claim: row.claim, unconfirmedOnly: true, reason }))
      moved.add(row.queue_id);
  }
  return [...moved];
}

/** What an agent's earlier process took and did not begin: given back at once when a new process says hello. */
export async function giveBackOfIncarnation(db: Store, agentId: string, currentIncarnation: string): Promise<number[]> {
  const rows = await db
    .selectFrom('launch')
    .select(['id', 'claim', 'queue_id'])
    .where('state', '=', 'claimed')
    .where('agent_id', '=', agentId)
    .where('incarnation', '<>', currentIncarnation)
    .execute();
  const moved = new Set<number>();
  for (const row of rows) {
    if (!row.claim) continue;
    const reason = 'its agent was restarted';
    if (await giveBack(db, { launchId: row.id, claim: row.claim, unconfirmedOnly: true, reason }))
      moved.add(row.queue_id);
  }
  return [...moved];
}

/** Launches of the line that could be claimed now, counted up to 41. */
export async function left(db: Store, queueId: number, lineClass = ''): Promise<number> {
  const result = await sql<{ left: number }>`select line_left(${queueId}::int, ${lineClass}) as left`.execute(db);
  return only(result.rows).left;
}

/** 1 = next. Undefined: not waiting, or held. From counters: a few hundred rows, however long the line; a fair queue is sorted. */
export async function positionOf(db: Store, launchId: string): Promise<number | undefined> {
  const result = await sql<{ position: number | null }>`select line_position(${launchId}) as position`.execute(db);
  return only(result.rows).position ?? undefined;
}

/** How many wait and how many of the waiting are held. From counters. */
export async function countsOfLine(db: Store, queueId: number): Promise<{ waiting: number; held: number }> {
  const result = await sql<{ waiting: number; held: number }>`select * from line_counts(${queueId}::int)`.execute(db);
  return only(result.rows);
}

/** Folds what changed in the lines into their counters. Answers how many lines had changes. */
export async function foldCounters(db: Store): Promise<number> {
  const result = await sql<{ queue_id: number }>`select distinct queue_id from line_change`.execute(db);
  for (const { queue_id } of result.rows) await sql`select line_fold(${queue_id}::int)`.execute(db);
  return result.rows.length;
}

function only<T>(rows: readonly T[]): T {
  const row = rows[0];
  if (row === undefined) throw new Error('a statement that answers one row answered none');
  return row;
}
