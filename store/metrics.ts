import { sql } from 'kysely';
import type { LaunchState } from '../domain/words.js';
import { foldEnds } from './launch-ends.js';
import type { Store } from './open.js';

/** What the whole installation looks like at one moment, in a handful of statements whose cost does not grow with the waiting launches. */
export interface MetricsSnapshot {
  queues: {
    entity: string;
    queue: string;
    target: string;
    paused: boolean;
    draining: boolean;
    maxRunning: number | null;
    waiting: number;
    held: number;
    /** Of those that may be claimed now: null when nobody may. */
    oldestSeconds: number | null;
    /** Agents that would take a launch of this queue if they had a slot, and the slots that they have (null: unlimited). */
    agents: number;
    freeSlots: number | null;
  }[];
  /** Launches that hold a slot. */
  holding: { entity: string; queue: string; state: LaunchState; n: number }[];
  ends: { entity: string; queue: string; state: LaunchState; code: string; stage: string; fault: string; n: number }[];
  agents: {
    entity: string;
    agent: string;
    /** -1: unlimited. */
    maxJobs: number;
    used: number;
    heartbeatSeconds: number;
    condition: 'active' | 'draining' | 'quarantined' | 'lost';
  }[];
  outbox: { due: number; oldestSeconds: number };
}

const holdingStates = sql`('claimed', 'preparing', 'submitting', 'starting', 'running', 'stopping')`;
/** A lost agent is shown for so long: its name may never come back. */
const lostShownHours = 24;

export async function readMetrics(db: Store, agentTtlMs: number): Promise<MetricsSnapshot> {
  await foldEnds(db);
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (tx) => {
      await sql`set local statement_timeout = '10s'`.execute(tx);
      const alive = sql`a.heartbeat_at > clock_timestamp() - make_interval(secs => ${agentTtlMs / 1000})`;
      const agents = await sql<MetricsSnapshot['agents'][number] & { id: string }>`
        select a.id, e.name as entity, a.name as agent, a.max_jobs as "maxJobs",
          (select count(*)::int from launch l where l.agent_id = a.id and l.state not in ('queued', 'finished', 'failed', 'stopped')) as used,
          greatest(0, extract(epoch from clock_timestamp() - a.heartbeat_at))::float8 as "heartbeatSeconds",
          case when not (${alive}) then 'lost' when a.quarantined_at is not null then 'quarantined'
            when a.status <> 'active' or a.wanted <> 'active' then 'draining' else 'active' end as condition
        from agent a join entity e on e.id = a.entity_id
        where a.status <> 'stopped' and a.heartbeat_at > clock_timestamp() - make_interval(hours => ${lostShownHours})`.execute(
        tx,
      );
      const queues = await sql<MetricsSnapshot['queues'][number]>`
        with parts as (
          select queue_id, held, sum(waiting) as n from line_count group by 1, 2
          union all select queue_id, held, sum(delta) from line_change group by 1, 2
        ), counts as (
          select queue_id, (coalesce(sum(n) filter (where not held), 0))::int as waiting, (coalesce(sum(n) filter (where held), 0))::int as held
          from parts group by 1
        ), holding as (
          select queue_id, count(*)::int as n from launch where state in ${holdingStates} group by 1
        ), serving as (
          select aq.queue_id, count(*)::int as agents, bool_or(s.max_jobs < 0) as unlimited,
            coalesce(sum(greatest(0, s.max_jobs - s.used)) filter (where s.max_jobs >= 0), 0)::int as free
          from agent_queue aq
            join jsonb_to_recordset(${JSON.stringify(serving(agents.rows))}::jsonb) as s(id text, max_jobs int, used int) on s.id = aq.agent_id
          group by 1
        )
        select e.name as entity, q.name as queue, q.target, q.paused, q.draining, q.max_running as "maxRunning",
          coalesce(c.waiting, 0) as waiting, coalesce(c.held, 0) as held, coalesce(s.agents, 0) as agents,
          case when s.unlimited then null else coalesce(s.free, 0) end as "freeSlots",
          case when c.waiting > 0 and not q.paused and (q.max_running is null or coalesce(h.n, 0) < q.max_running) then (
            select greatest(0, extract(epoch from clock_timestamp() - min(first.queued_at)))::float8
            from (values (0), (1), (2), (3)) as p(priority)
              -- First in line of each priority: four steps into an index, however long the line.
              cross join lateral (select l.queued_at from launch l
                where l.queue_id = q.id and l.state = 'queued' and not l.held and l.priority = p.priority order by l.rank limit 1) first
          ) end as "oldestSeconds"
        from queue q join entity e on e.id = q.entity_id
          left join counts c on c.queue_id = q.id left join holding h on h.queue_id = q.id left join serving s on s.queue_id = q.id
        where q.deleted_at is null`.execute(tx);
      const holding = await sql<MetricsSnapshot['holding'][number]>`
        select e.name as entity, q.name as queue, h.state, sum(h.n)::int as n
        from (select queue_id, state, count(*) as n from launch where state in ${holdingStates} group by 1, 2) h
          join queue q on q.id = h.queue_id join entity e on e.id = q.entity_id group by 1, 2, 3`.execute(tx);
      // By name: a queue that was deleted and made again goes on counting.
      const ends = await sql<MetricsSnapshot['ends'][number]>`
        select e.name as entity, q.name as queue, c.state, c.code, c.stage, c.fault, sum(c.n)::float8 as n
        from launch_end_count c join queue q on q.id = c.queue_id join entity e on e.id = q.entity_id group by 1, 2, 3, 4, 5, 6`.execute(
        tx,
      );
      // Leasing moves \`due\`, so the age counts from the change that is to be told; a row that waits may have become due long after it.
      const outbox = await sql<MetricsSnapshot['outbox']>`
        select count(*)::int as due, coalesce(max(greatest(0, extract(epoch from clock_timestamp() - case state
          when 'queued' then due when 'claimed' then claimed_at when 'stopping' then coalesce(cancel_requested_at, due)
          else coalesce(ended_at, due) end))), 0)::float8 as "oldestSeconds"
        from (select state, due, claimed_at, cancel_requested_at, ended_at from launch where due is not null limit 100000) d`.execute(
        tx,
      );
      return {
        queues: queues.rows,
        holding: holding.rows,
        ends: ends.rows,
        agents: agents.rows,
        outbox: outbox.rows[0] ?? { due: 0, oldestSeconds: 0 },
      };
    });
}

const serving = (agents: readonly (MetricsSnapshot['agents'][number] & { id: string })[]) =>
  agents
    .filter(({ condition }) => condition === 'active')
    .map(({ id, maxJobs, used }) => ({ id, max_jobs: maxJobs, used }));

export interface ClaimWait {
  entity: string;
  queue: string;
  /** Null: it was claimed before, so its acceptance says nothing about this claim. */
  sinceEnqueueSeconds: number | null;
  sinceQueuedSeconds: number;
}

/** How long these launches waited for the claim that they are under now, by the database's clock alone. */
export async function claimWaits(db: Store, launchIds: readonly string[]): Promise<ClaimWait[]> {
  const { rows } = await sql<ClaimWait>`
    select e.name as entity, q.name as queue,
      case when l.epoch = 1 then greatest(0, extract(epoch from l.claimed_at - l.created_at))::float8 end as "sinceEnqueueSeconds",
      greatest(0, extract(epoch from l.claimed_at - l.queued_at))::float8 as "sinceQueuedSeconds"
    from launch l join queue q on q.id = l.queue_id join entity e on e.id = q.entity_id
    where l.id = any(${launchIds}::text[]) and l.claimed_at is not null`.execute(db);
  return rows;
}
