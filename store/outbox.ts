import { sql } from 'kysely';
import type { LaunchState, TargetName } from '../domain/words.js';
import type { Store } from './open.js';

/**
 * The outbox of `tell`: a row that its workflow must hear of is `due`. Whoever changes a row in a way the workflow must know sets `due` in
 * the same transaction; who tells leases rows by moving `due` a little, so that several API processes do not tell the same ones and a
 * crash between commit and tell is healed by the next sweep.
 */

/** A launch's row with the names its workflow needs. */
export interface NoteRow {
  launchId: string;
  queueId: number;
  workflowId: string;
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
  class: string;
  jobName: string;
  told: boolean;
  cancelRequested: boolean;
  claim: string | null;
  epoch: number;
  agentId: string | null;
  agentName: string | null;
  privateQueue: string | null;
  place: string | null;
}

const noteColumns = sql`
  l.id as "launchId", l.queue_id as "queueId", l.workflow_id as "workflowId", l.v, l.state, l.attempt, q.target, qe.name as entity, q.name as queue,
  p.name as project, pe.name as "projectEntity", l.author, l.priority, l.class, l.spec->>'job' as "jobName", l.told,
  l.cancel_requested_at is not null as "cancelRequested", l.claim, l.epoch, l.agent_id as "agentId", a.name as "agentName",
  l.private_queue as "privateQueue", l.place`;
const noteJoins = sql`
  join queue q on q.id = l.queue_id join entity qe on qe.id = q.entity_id
  join project p on p.id = l.project_id join entity pe on pe.id = p.entity_id
  left join agent a on a.id = l.agent_id`;

/** Due rows, leased for `leaseMs`: who does not manage to tell by then leaves them to the next sweep. */
export async function leaseDue(db: Store, limit: number, leaseMs: number): Promise<NoteRow[]> {
  const result = await sql<NoteRow>`
    with due as (
      select id from launch where due <= clock_timestamp() order by due limit ${limit} for update skip locked
    ), l as (
      update launch set due = clock_timestamp() + make_interval(secs => ${leaseMs / 1000}) from due where launch.id = due.id
      returning launch.*
    )
    select ${noteColumns} from l ${noteJoins}`.execute(db);
  return result.rows;
}

export async function noteOf(db: Store, launchId: string): Promise<NoteRow | undefined> {
  const result = await sql<NoteRow>`select ${noteColumns} from launch l ${noteJoins} where l.id = ${launchId}`.execute(
    db,
  );
  return result.rows[0];
}

/**
 * The workflow has the note with this version. An unconfirmed claim stays due until supervise confirms it. A launch that ended while the note
 * was on its way, or is held by another claim than the note's, is told again: the note may have been overtaken and may have begun a workflow
 * that knows nothing newer.
 */
export async function markTold(db: Store, launchId: string, v: number, claim: string | null): Promise<void> {
  await sql`update launch set told = true, due = case
      when v = ${v} and state <> 'claimed' then null
      when v > ${v} and (state in ('finished', 'failed', 'stopped') or (state <> 'queued' and claim is distinct from ${claim}::uuid))
        then clock_timestamp()
      else due end
    where id = ${launchId}`.execute(db);
}

/** The launch's workflow exists and knows the row; somebody still has to be told that the launch waits. */
export async function markStarted(db: Store, launchId: string): Promise<void> {
  await sql`update launch set told = true, due = clock_timestamp() where id = ${launchId} and state = 'queued'`.execute(
    db,
  );
}

/**
 * Launches at the front of their line whose workflow does not exist yet become due. Under the line's lock: it writes waiting rows.
 * Answers how many.
 */
export async function topUpWindow(db: Store, queueId: number, windowSize: number): Promise<number> {
  return db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(1, ${queueId}::int)`.execute(tx);
    const result = await sql<{ id: string }>`
      update launch set due = clock_timestamp() from (
        select id from launch where queue_id = ${queueId} and state = 'queued' and not held order by priority, rank limit ${windowSize}
      ) front
      where launch.id = front.id and not launch.told and launch.due is null
        -- While a bulk goes over the line, whoever is at its front now may be gone in a moment; a claim makes its workflow all the same.
        and not exists (select 1 from bulk b join queue q on q.id = ${queueId}
          where b.state = 'running' and b.action <> 'retry' and (b.queue_id = q.id or (b.queue_id is null and b.entity_id = q.entity_id)))
      returning launch.id`.execute(tx);
    return result.rows.length;
  });
}

export interface WaitingLine {
  queueId: number;
  entity: string;
  queue: string;
  class: string;
  /** Since the last claim, or since ever. */
  quietMs: number;
  /** An agent lives that could take one of its launches. */
  agentsAlive: boolean;
}

/** Lines in which a launch waits that could be claimed now. `queueId`: of this queue only. */
export async function waitingLines(db: Store, agentTtlMs: number, queueId?: number): Promise<WaitingLine[]> {
  const result = await sql<WaitingLine>`
    select q.id as "queueId", e.name as entity, q.name as queue, c.class,
      coalesce(extract(epoch from clock_timestamp() - q.claimed_at) * 1000, 1e12)::float8 as "quietMs",
      exists (select 1 from agent_queue aq join agent a on a.id = aq.agent_id
        where aq.queue_id = q.id and a.status = 'active' and a.wanted = 'active' and c.requires <@ a.labels
          and (a.quarantined_at is null or (a.probe_launch is null and a.probe_after <= clock_timestamp()))
          and a.heartbeat_at > clock_timestamp() - make_interval(secs => ${agentTtlMs / 1000})) as "agentsAlive"
    from queue q join entity e on e.id = q.entity_id
      cross join lateral (select '' as class, '{}'::jsonb as requires union all select class, requires from line where queue_id = q.id) c
    where not q.paused and (${queueId ?? null}::int is null or q.id = ${queueId ?? null}::int)
      and exists (select 1 from launch l where l.queue_id = q.id and l.state = 'queued' and not l.held)
      and line_left(q.id, c.class) > 0`.execute(db);
  return result.rows;
}

/**
 * Temporal's data is another than the one the rows were told to (lost, or restored from an older copy): every row that should have a
 * workflow is told again. Waiting rows lose `told`, so that the window starts them in order.
 */
export async function forgetTold(db: Store): Promise<number> {
  const queues = await db.selectFrom('queue').select('id').execute();
  let forgotten = 0;
  for (const { id } of queues) {
    // Line by line, under its lock: it writes waiting rows.
    forgotten += await db.transaction().execute(async (tx) => {
      await sql`select pg_advisory_xact_lock(1, ${id}::int)`.execute(tx);
      const result = await sql<{ id: string }>`
        update launch set told = false, due = case when state = 'queued' then null else clock_timestamp() end
        where queue_id = ${id} and state not in ('finished', 'failed', 'stopped') and (told or state <> 'queued')
        returning id`.execute(tx);
      return result.rows.length;
    });
  }
  return forgotten;
}

/** Open launches that are believed to have a workflow, after `afterId`: for the slow check that they really have. */
export async function toldLaunches(
  db: Store,
  afterId: string,
  limit: number,
): Promise<{ id: string; workflowId: string }[]> {
  return db
    .selectFrom('launch')
    .select(['id', 'workflow_id as workflowId'])
    .where('state', 'not in', ['finished', 'failed', 'stopped'])
    .where('told', '=', true)
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** This launch's workflow is gone (terminated, its data restored from before): the next tell makes a new one, also for a row that only waits. */
export async function tellAnew(db: Store, launchId: string): Promise<void> {
  await sql`update launch set told = false, due = clock_timestamp() where id = ${launchId}
    and state not in ('finished', 'failed', 'stopped')`.execute(db);
}

/** The ended ones of these launches, whose workflows are open: the workflows do not know it, and are told. Answers their ids. */
export async function tellEnded(db: Store, launchIds: readonly string[]): Promise<string[]> {
  const result = await sql<{ id: string }>`update launch set due = clock_timestamp()
    where id = any(${launchIds}::text[]) and state in ('finished', 'failed', 'stopped')
      and ended_at < clock_timestamp() - interval '10 seconds' and due is null
    returning id`.execute(db);
  return result.rows.map(({ id }) => id);
}
