import { sql } from 'kysely';
import type { Discipline, HoldCause, LaunchState, TargetName } from '../domain/words.js';
import { agentTtlMs } from './agent-registry.js';
import type { Store } from './open.js';

/** Lines as an operator watches them: every queue in a row each, or one queue with its first in line. Asked every second, so cheap at any length. */

export interface LineSummary {
  queueId: number;
  entity: string;
  queue: string;
  target: TargetName;
  paused: boolean;
  pausedBy: string | null;
  pausedAt: Date | null;
  pauseReason: string | null;
  draining: boolean;
  discipline: Discipline;
  maxRunning: number | null;
  maxRunningPerProject: number | null;
  maxWaiting: number | null;
  waiting: number;
  held: number;
  running: number;
  /** Of the first of each priority: when the longest waiting one came into line. */
  oldestQueuedAt: Date | null;
  /** Agents that serve it and may take something. */
  agents: number;
  /** Null: at least one has no limit. */
  slots: number | null;
  slotsBusy: number;
  /** Ends of launches in the last minutes; null: nothing is known yet. */
  endedPerMinute: number | null;
}

const holding = sql`('claimed', 'preparing', 'submitting', 'starting', 'running', 'stopping')`;

/** How far back a rate looks, and how many ends it reads at most: under heavy load a shorter time says as much. */
const rateMinutes = 5;
const rateEnds = 5_000;

export async function summariesOfLines(
  db: Store,
  filter: { entityIds: readonly number[] | 'all'; queue?: string },
): Promise<LineSummary[]> {
  const { entityIds, queue } = filter;
  const wanted = sql`q.deleted_at is null
    and ${entityIds === 'all' ? sql`true` : sql`q.entity_id = any(${[...entityIds]}::int[])`}
    and ${queue === undefined ? sql`true` : sql`q.name = ${queue}`}`;
  const { rows } = await sql<LineSummary>`
    with busy as (
      select agent_id, count(*)::int as n from launch
      where agent_id is not null and state not in ('queued', 'finished', 'failed', 'stopped') group by 1
    ), serving as (
      select aq.queue_id, count(*)::int as agents, bool_or(a.max_jobs < 0) as unlimited, sum(greatest(0, a.max_jobs))::int as slots,
        sum(coalesce(b.n, 0))::int as busy
      from agent_queue aq join agent a on a.id = aq.agent_id left join busy b on b.agent_id = a.id
      where a.status = 'active' and a.wanted = 'active' and a.quarantined_at is null
        and a.heartbeat_at > clock_timestamp() - make_interval(secs => ${agentTtlMs / 1000})
      group by 1
    ), recent as (
      select queue_id, at from launch_end order by xid desc, n desc limit ${rateEnds}
    ), span as (
      select case when count(*) < ${rateEnds} then ${rateMinutes}::float8
        else least(${rateMinutes}::float8, greatest(0.01, extract(epoch from clock_timestamp() - min(at)) / 60)) end as minutes
      from recent
    ), ended as (
      select queue_id, count(*)::int as n from recent, span
      where at > clock_timestamp() - make_interval(secs => span.minutes * 60) group by 1
    )
    select q.id as "queueId", e.name as entity, q.name as queue, q.target, q.paused, q.paused_by as "pausedBy", q.paused_at as "pausedAt",
      q.pause_reason as "pauseReason", q.draining, q.discipline, q.max_running as "maxRunning",
      q.max_running_per_project as "maxRunningPerProject", q.max_waiting as "maxWaiting",
      c.waiting, c.held, line_holding(q.id) as running, first.at as "oldestQueuedAt",
      coalesce(s.agents, 0) as agents, case when s.unlimited then null else coalesce(s.slots, 0) end as slots,
      coalesce(s.busy, 0) as "slotsBusy", (coalesce(d.n, 0) / span.minutes)::float8 as "endedPerMinute"
    from queue q join entity e on e.id = q.entity_id cross join span
      cross join lateral line_counts(q.id) c
      left join serving s on s.queue_id = q.id
      left join ended d on d.queue_id = q.id
      left join lateral (
        select min(l.queued_at) as at from (values (0), (1), (2), (3)) as p(priority)
          cross join lateral (select queued_at from launch
            where queue_id = q.id and state = 'queued' and not held and priority = p.priority order by rank limit 1) l
      ) first on true
    where ${wanted}
    order by e.name, q.name`.execute(db);
  return rows;
}

export interface LaunchInLine {
  id: string;
  /** Null: held, or under way. */
  position: number | null;
  state: LaunchState;
  priority: number;
  job: string;
  entity: string;
  project: string;
  author: string;
  agent: string | null;
  queuedAt: Date;
  claimedAt: Date | null;
  startedAt: Date | null;
  hold: HoldCause | null;
  holdReason: string | null;
  requires: Record<string, string>;
}

const shown = sql`l.id, l.state, l.priority, coalesce(job.name || ':v' || artifact.version_index, l.spec->>'job') as job,
  entity.name as entity, project.name as project, l.author, agent.name as agent, l.queued_at as "queuedAt", l.claimed_at as "claimedAt",
  l.started_at as "startedAt", l.hold, l.hold_reason as "holdReason", l.requires`;
const named = sql`join project on project.id = l.project_id join entity on entity.id = project.entity_id
  left join artifact on artifact.id = l.job_artifact_id left join artifact_collection job on job.id = artifact.collection_id
  left join agent on agent.id = l.agent_id`;

/** The first in line in the order in which they are taken, as if nothing ended or came meanwhile. */
export async function firstInLine(
  db: Store,
  queue: { id: number; discipline: Discipline },
  limit: number,
): Promise<LaunchInLine[]> {
  const order = queue.discipline === 'fair' ? fairOrder(queue.id, limit) : plainOrder(queue.id, limit);
  const { rows } = await sql<LaunchInLine>`
    with line as (${order})
    select ${shown}, line.position from line join launch l on l.id = line.id ${named} order by line.position`.execute(
    db,
  );
  return rows;
}

const plainOrder = (queueId: number, limit: number) => sql`
  select id, row_number() over (order by priority, rank, id)::int as position from (
    select id, priority, rank from launch where queue_id = ${queueId} and state = 'queued' and not held
    order by priority, rank, id limit ${limit}) first`;

/** As line_position has it; the first of each project are enough to know the first of all. */
const fairOrder = (queueId: number, limit: number) => sql`
  select id, position from (
    select id, row_number() over (order by priority, (running + nth) / weight, rank, id)::int as position from (
      select f.id, f.priority, f.rank, k.running, k.weight,
        row_number() over (partition by k.project_id order by f.priority, f.rank, f.id) - 1 as nth
      from queue q cross join lateral line_kinds(q) k cross join lateral (
        select l.id, l.priority, l.rank from launch l where l.queue_id = q.id and l.class = k.class and l.project_id = k.project_id
          and l.state = 'queued' and not l.held order by l.priority, l.rank, l.id limit ${limit}) f
      where q.id = ${queueId}
    ) heads
  ) placed where position <= ${limit}`;

/** Waiting, but passed over. */
export async function heldInLine(db: Store, queueId: number, limit: number): Promise<LaunchInLine[]> {
  const { rows } = await sql<LaunchInLine>`
    select ${shown}, null::int as position from launch l ${named}
    where l.queue_id = ${queueId} and l.state = 'queued' and l.held order by l.priority, l.rank, l.id limit ${limit}`.execute(
    db,
  );
  return rows;
}

/** What holds a slot, the longest first. */
export async function underWay(db: Store, queueId: number, limit: number): Promise<LaunchInLine[]> {
  const { rows } = await sql<LaunchInLine>`
    select ${shown}, null::int as position from launch l ${named}
    where l.queue_id = ${queueId} and l.state in ${holding} order by l.claimed_at, l.id limit ${limit}`.execute(db);
  return rows;
}
