import { sql } from 'kysely';
import type { Loss } from '../domain/parking.js';
import type { Labels } from '../domain/requirements.js';
import type { Holder, WaitingAgent, WaitingFacts } from '../domain/waiting-facts.js';
import type { HoldCause } from '../domain/words.js';
import { agentTtlMs } from './agent-registry.js';
import type { Store } from './open.js';

/**
 * What keeps a launch waiting, as of one moment. Every statement looks at counters, at an index's first rows, or at what runs: the cost does not
 * grow with the line (but for `fair` queues, whose order exists only when it is sorted).
 */

/** Whose waiting is looked at: a launch, or one that somebody thinks of enqueueing. */
export interface WaitingSubject {
  launch: WaitingFacts['launch'];
  queueId: number;
  project: { id: number | null; entity: string; name: string };
  /** Null: at the end of its priority. */
  rank: number | null;
  /** How many claims it has had. */
  epoch: number;
}

/** Undefined: there is no such launch, or it does not wait. */
export async function waitingSubject(db: Store, launchId: string): Promise<WaitingSubject | undefined> {
  const result = await sql<{
    queueId: number;
    rank: number;
    epoch: number;
    priority: number;
    requires: Labels;
    hold: HoldCause | null;
    heldBy: string | null;
    holdReason: string | null;
    heldAt: Date | null;
    releaseAt: Date | null;
    losses: Loss[];
    projectId: number;
    project: string;
    entity: string;
  }>`
    select l.queue_id as "queueId", l.rank, l.epoch, l.priority, l.requires, l.hold, l.held_by as "heldBy", l.hold_reason as "holdReason",
      l.release_at as "releaseAt", l.losses, l.project_id as "projectId", p.name as project, e.name as entity,
      case when l.held then (select max(at) from launch_event where launch_id = l.id and type in ('held', 'returned', 'queued')) end as "heldAt"
    from launch l join project p on p.id = l.project_id join entity e on e.id = p.entity_id
    where l.id = ${launchId} and l.state = 'queued'`.execute(db);
  const row = result.rows[0];
  if (!row) return undefined;
  const { queueId, rank, epoch, projectId, project, entity, ...launch } = row;
  return {
    launch: { id: launchId, ...launch },
    queueId,
    project: { id: projectId, entity, name: project },
    rank,
    epoch,
  };
}

/** More launches than this hold slots nowhere that an estimate would still be worth anything. */
const mostHolders = 2_000;
const mostAgents = 2_000;

const holding = sql`('claimed', 'preparing', 'submitting', 'starting', 'running', 'stopping')`;
const alive = sql`a.heartbeat_at > clock_timestamp() - make_interval(secs => ${agentTtlMs / 1000})`;
/** Behind every rank that was ever given. */
const endOfLine = '9000000000000000000';

/** As JSON brings it: times are text. */
type Json<T> = { [K in keyof T]: T[K] extends Date ? string : T[K] extends Date | null ? string | null : T[K] };

interface FactsRow {
  now: Date;
  queue: Json<WaitingFacts['queue']>;
  project: { maxRunning: number | null; running: number; ahead: number };
  line: { ahead: number; higher: number; waiting: number; fairPosition: number | null };
  agents: Json<WaitingAgent>[];
  elsewhere: { name: string; ok: boolean; details: string[] | null; n: number }[];
  holders: Json<Holder>[];
  others: WaitingFacts['others'];
}

/** In one statement: it sees one moment, and asking costs one round trip. */
export async function waitingFacts(db: Store, subject: WaitingSubject): Promise<WaitingFacts> {
  const result = await sql<FactsRow>`
    with q as materialized (select * from queue where id = ${subject.queueId}),
      serving as materialized (select agent_id from agent_queue where queue_id = ${subject.queueId} limit ${mostAgents})
    select clock_timestamp() as now, (select to_jsonb(x) from (${queueOf}) x) as queue, (select to_jsonb(x) from (${projectOf(subject)}) x) as project,
      (select to_jsonb(x) from (${lineOf(subject)}) x) as line, (select coalesce(jsonb_agg(x), '[]') from (${agentsOf}) x) as agents,
      (select coalesce(jsonb_agg(x), '[]') from (${elsewhereOf}) x) as elsewhere, (select coalesce(jsonb_agg(x), '[]') from (${holdersOf}) x) as holders,
      (select to_jsonb(x) from (${othersOf}) x) as others
    from q`.execute(db);
  const row = result.rows[0];
  if (!row) throw new Error(`queue ${subject.queueId} is gone`);
  const { queue, line, elsewhere } = row;
  // In a fair queue the place is not what the rank says.
  const place = line.fairPosition ?? line.ahead + 1;
  const isHeld = subject.launch.hold !== null;
  return {
    now: row.now,
    launch: subject.launch,
    queue: { ...queue, pausedAt: dateOf(queue.pausedAt), lastClaimAt: dateOf(queue.lastClaimAt) },
    project: { ...subject.project, ...row.project },
    line: {
      position: isHeld ? null : place,
      ahead: isHeld ? line.ahead : place - 1,
      higher: line.higher,
      waiting: line.waiting,
    },
    agents: row.agents.map((agent) => ({
      ...agent,
      heartbeatAt: new Date(agent.heartbeatAt),
      quarantinedAt: dateOf(agent.quarantinedAt),
    })),
    elsewhere: {
      unreachable: elsewhere.filter(({ ok }) => !ok).map(({ name, details }) => ({ name, details: details ?? [] })),
      otherQueues: elsewhere.find(({ ok }) => ok)?.n ?? 0,
    },
    holders: row.holders.map((holder) => ({ ...holder, since: new Date(holder.since) })),
    others: row.others,
  };
}

const dateOf = (text: string | null): Date | null => (text === null ? null : new Date(text));

const queueOf = sql`
  select q.id, e.name as entity, q.name, q.target, q.discipline, q.paused, q.paused_by as "pausedBy", q.paused_at as "pausedAt",
    q.pause_reason as "pauseReason", q.max_running as "maxRunning", line_holding(q.id) as running, q.claimed_at as "lastClaimAt"
  from q join entity e on e.id = q.entity_id`;

/** Who stands before it in its project is counted only where the project has a limit. */
const projectOf = ({ project, launch, rank }: WaitingSubject) => sql`
  select l.max as "maxRunning",
    (select count(*)::int from launch r where r.queue_id = q.id and r.project_id = ${project.id}::int and r.state in ${holding}) as running,
    case when l.max is null then 0 else (select count(*)::int from (
      -- By each set of required labels, as the index has it.
      select 1 from (select '' as class union select class from line where queue_id = q.id) k
        join launch w on w.queue_id = q.id and w.class = k.class and w.project_id = ${project.id}::int and w.state = 'queued' and not w.held
      where w.priority < ${launch.priority} or (w.priority = ${launch.priority} and w.rank < ${rank ?? endOfLine}::bigint) limit 10000) few) end as ahead
  from q cross join lateral (select coalesce((select p.max_running from queue_project p where p.queue_id = q.id
    and p.project_id = ${project.id}::int), q.max_running_per_project) as max) l`;

/** The sum that `line_position` makes, for held launches and for those that are not there yet as well. */
function lineOf(subject: WaitingSubject) {
  const { launch } = subject;
  const rank = sql`${subject.rank ?? endOfLine}::bigint`;
  const before = sql`queue_id = q.id and not held and (priority < ${launch.priority} or (priority = ${launch.priority} and block < ${rank} >> 30))`;
  const higher = sql`queue_id = q.id and not held and priority < ${launch.priority}`;
  const fair =
    launch.hold !== null
      ? sql`null::int`
      : launch.id === null
        ? fairPosition(subject)
        : sql`line_position(${launch.id})`;
  return sql`
    select (coalesce((select sum(waiting) from line_count where ${before}), 0)
        + coalesce((select sum(delta) from line_change where ${before}), 0)
        + (select count(*) from launch where queue_id = q.id and state = 'queued' and not held and priority = ${launch.priority}
          and rank >= (${rank} >> 30) << 30 and (rank < ${rank} or (rank = ${rank} and id < ${launch.id ?? ''}))))::int as ahead,
      (coalesce((select sum(waiting) from line_count where ${higher}), 0)
        + coalesce((select sum(delta) from line_change where ${higher}), 0))::int as higher,
      (select waiting from line_counts(q.id)) as waiting,
      case when q.discipline = 'fair' then ${fair} end as "fairPosition"
    from q`;
}

/** The order of `line_position`, with one more launch of the project at the end of its priority. */
const fairPosition = ({ launch, project }: WaitingSubject) => sql`(
  select count(*)::int + 1 from (
    select l.priority, coalesce(r.n, 0) + row_number() over (partition by l.project_id order by l.priority, l.rank, l.id) - 1 as load,
      coalesce(p.weight, 1) as weight
    from launch l left join queue_project p on p.queue_id = l.queue_id and p.project_id = l.project_id
      left join (select project_id, count(*) as n from launch where queue_id = q.id and state in ${holding} group by 1) r
        on r.project_id = l.project_id
    where l.queue_id = q.id and l.state = 'queued' and not l.held
  ) w, (
    select (select count(*) from launch where queue_id = q.id and project_id = ${project.id}::int and (state in ${holding}
        or (state = 'queued' and not held and priority <= ${launch.priority}))) as load,
      coalesce((select weight from queue_project where queue_id = q.id and project_id = ${project.id}::int), 1) as weight
  ) mine
  where w.priority < ${launch.priority} or (w.priority = ${launch.priority} and w.load / w.weight <= mine.load / mine.weight))`;

const agentsOf = sql`
  select a.id, a.name, a.labels, a.max_jobs as "maxJobs", a.heartbeat_at as "heartbeatAt", ${alive} as alive,
    (a.status = 'stopped' or a.wanted = 'stopped') as stopped, (a.status = 'draining' or a.wanted = 'draining') as draining,
    case when a.wanted <> 'active' then a.wanted_by end as "wantedBy", a.quarantined_at as "quarantinedAt",
    a.quarantine->>'reason' as "quarantineReason",
    coalesce(a.quarantined_at is not null and a.probe_launch is null and a.probe_after <= clock_timestamp(), false) as "mayProbe",
    a.targets->q.target as check,
    (select count(*)::int from launch l where l.agent_id = a.id and l.state not in ('queued', 'finished', 'failed', 'stopped')) as used
  from q, serving s join agent a on a.id = s.agent_id order by a.name`;

const elsewhereOf = sql`
  select name, ok, details, count(*) over (partition by ok)::int as n from (
    select a.name, coalesce((a.targets->q.target->>'ok')::boolean, false) as ok, a.targets->q.target->'details' as details
    from q join agent a on a.entity_id = q.entity_id
    where a.targets ? q.target and a.status <> 'stopped' and ${alive} and a.id not in (select agent_id from serving)
  ) elsewhere order by ok, name limit 10`;

const holdersOf = sql`
  select l.id as "launchId", l.state, l.agent_id as "agentId", a.name as agent, l.queue_id as "queueId", e.name || '/' || lq.name as queue,
    l.project_id as "projectId", coalesce(l.claimed_at, l.queued_at) as since
  from (
    select l.id from q join launch l on l.queue_id = q.id and l.state in ${holding}
    union
    select l.id from serving s join launch l on l.agent_id = s.agent_id and l.state not in ('queued', 'finished', 'failed', 'stopped')
    limit ${mostHolders}
  ) ids join launch l on l.id = ids.id
    join queue lq on lq.id = l.queue_id join entity e on e.id = lq.entity_id left join agent a on a.id = l.agent_id`;

const othersOf = sql`
  select count(*)::int as queues, coalesce(sum(c.waiting), 0)::int as waiting
  from (select distinct aq.queue_id from serving s join agent_queue aq on aq.agent_id = s.agent_id where aq.queue_id <> (select id from q)
      limit 500) o
    join queue oq on oq.id = o.queue_id and not oq.paused cross join lateral line_counts(oq.id) c
  where c.waiting > 0`;
