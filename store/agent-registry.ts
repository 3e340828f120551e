import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { DavitError } from '../domain/errors.js';
import type { Labels } from '../domain/requirements.js';
import type { TargetName } from '../domain/words.js';
import { giveBackOfIncarnation } from './line.js';
import type { Store } from './open.js';
import type { AgentStatus, AgentTarget } from './schema.js';

/** Agents as they register and show that they live. One process per agent name: a second one is refused. */

/** A process that has not been heard of for so long has ended: longer than three heartbeats. */
export const agentTtlMs = 12_000;

export interface Hello {
  entityId: number;
  name: string;
  incarnation: string;
  /** The process before this one, when the agent knows for sure that it has ended (it found its lock left behind). */
  endedIncarnation?: string | undefined;
  host: string;
  pid: number;
  version: string;
  maxJobs: number;
  targets: Record<string, AgentTarget>;
  /** What it can, for launches that require it. */
  labels?: Labels | undefined;
  /** Different launches that must fail on it in a row until it takes nothing more; 0: never. */
  quarantineAfter?: number | undefined;
  /** Queue names of the entity; `*`: every queue whose target this agent has. */
  queues: readonly string[];
  keyId?: string | undefined;
  /** Queues that its key is bound to; undefined: every one of the entity. */
  boundTo?: readonly number[] | undefined;
}

/** What an agent is to do, besides serving its queues. */
export interface AgentOrders {
  wanted: AgentStatus;
  /** Set while it takes nothing because launches failed on it. */
  quarantine: { reason: string; probeAfter: string | null } | null;
  /** It may take launches now; in quarantine: one, to prove itself. */
  mayTake: boolean;
}

export interface ServedQueue {
  queueId: number;
  entity: string;
  queue: string;
  /** Of the queue's lines, this one. */
  class: string;
  target: TargetName;
}

/** Held by whoever says hello under a name and by whoever deletes the agent of that name: one comes before the other. */
export async function lockAgentName(tx: Store, entityId: number, name: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(3, hashtext(${`${entityId}/${name}`}))`.execute(tx);
}

/** Throws `agent-duplicate` while another process works under the name, `agent-stopped` when an operator wants none. Repeated by the same process it changes nothing. */
export async function registerAgent(db: Store, hello: Hello): Promise<{ agentId: string; moved: number[] }> {
  const agentId = await db.transaction().execute(async (tx) => {
    await lockAgentName(tx, hello.entityId, hello.name);
    const before = await tx
      .selectFrom('agent')
      .select(['id', 'incarnation', 'host', 'pid', 'status', 'wanted', 'wanted_by'])
      .select(sql<boolean>`heartbeat_at > clock_timestamp() - make_interval(secs => ${agentTtlMs / 1000})`.as('alive'))
      .where('entity_id', '=', hello.entityId)
      .where('name', '=', hello.name)
      .executeTakeFirst();
    const other = before && before.incarnation !== hello.incarnation;
    if (other && before.alive && before.status !== 'stopped' && before.incarnation !== hello.endedIncarnation) {
      throw new DavitError(
        'agent-duplicate',
        `Agent "${hello.name}" runs already: process ${before.pid} on ${before.host}. When that process is gone, its name is free after ${agentTtlMs / 1000} s.`,
      );
    }
    if (before?.wanted === 'stopped') {
      const by = before.wanted_by === null ? '' : ` by ${before.wanted_by}`;
      throw new DavitError(
        'agent-stopped',
        `Agent "${hello.name}" was stopped${by}, and nobody has activated it since.`,
      );
    }
    const row = {
      incarnation: hello.incarnation,
      host: hello.host,
      pid: hello.pid,
      version: hello.version,
      max_jobs: hello.maxJobs,
      status: 'active' as const,
      targets: JSON.stringify(hello.targets),
      labels: JSON.stringify(hello.labels ?? {}),
      quarantine_after: hello.quarantineAfter ?? 3,
      key_id: hello.keyId ?? null,
      heartbeat_at: sql<Date>`clock_timestamp()` as unknown as Date,
    };
    if (before) {
      await tx
        .updateTable('agent')
        .set({ ...row, ...(other ? { started_at: sql<Date>`clock_timestamp()` as unknown as Date } : {}) })
        .where('id', '=', before.id)
        .execute();
      return before.id;
    }
    const id = `a${randomBytes(5).toString('hex')}`;
    await tx
      .insertInto('agent')
      .values({ id, entity_id: hello.entityId, name: hello.name, ...row })
      .execute();
    return id;
  });
  const moved = await giveBackOfIncarnation(db, agentId, hello.incarnation);
  await bindQueues(db, agentId, hello);
  return { agentId, moved };
}

/**
 * Which queues the agent serves now, with each of their lines whose required labels it has; new ones are picked up with a heartbeat. Unknown
 * names are left out. One statement as long as nothing has changed: a thousand agents ask for this every few seconds.
 */
export async function bindQueues(
  db: Store,
  agentId: string,
  wanted: Pick<Hello, 'entityId' | 'queues' | 'targets' | 'boundTo'>,
): Promise<ServedQueue[]> {
  const targets = Object.entries(wanted.targets).flatMap(([name, target]) => (target.ok ? [name] : []));
  const names = wanted.queues.includes('*') ? null : [...wanted.queues];
  const boundTo = wanted.boundTo === undefined ? null : [...wanted.boundTo];
  const found = await sql<ServedQueue & { serves: boolean; bound: boolean }>`
    select q.id as "queueId", e.name as entity, q.name as queue, q.target, c.class, true as serves, a.queue_id is not null as bound
    from queue q join entity e on e.id = q.entity_id
      left join agent_queue a on a.agent_id = ${agentId} and a.queue_id = q.id
      cross join lateral (
        select '' as class
        union all
        select class from line where queue_id = q.id and requires <@ (select labels from agent where id = ${agentId})
      ) c
    where q.entity_id = ${wanted.entityId} and q.deleted_at is null and q.target = any(${targets}::text[])
      and (${boundTo}::int[] is null or q.id = any(${boundTo}::int[])) and (${names}::text[] is null or q.name = any(${names}::text[]))
    union all
    select queue_id, '', '', '', '', false, true from agent_queue where agent_id = ${agentId}
    order by 1, 5`.execute(db);
  const served = found.rows.filter(({ serves }) => serves);
  const ids = new Set(served.map(({ queueId }) => queueId));
  const gone = found.rows.filter((row) => !row.serves && !ids.has(row.queueId)).map(({ queueId }) => queueId);
  const fresh = new Set(served.filter(({ bound }) => !bound).map(({ queueId }) => queueId));
  if (gone.length > 0)
    await db.deleteFrom('agent_queue').where('agent_id', '=', agentId).where('queue_id', 'in', gone).execute();
  if (fresh.size > 0) {
    await db
      .insertInto('agent_queue')
      .values([...fresh].map((queue_id) => ({ agent_id: agentId, queue_id })))
      .onConflict((c) => c.doNothing())
      .execute();
  }
  return served.map(({ queueId, entity, queue, class: lineClass, target }) => ({
    queueId,
    entity,
    queue,
    class: lineClass,
    target,
  }));
}

/** Undefined: a newer process took the name over; the caller must end. */
export async function agentHeartbeat(
  db: Store,
  beat: { agentId: string; entityId: number | undefined; incarnation: string; status: AgentStatus },
): Promise<(AgentOrders & { entityId: number; targets: Record<string, AgentTarget> }) | undefined> {
  const { agentId, entityId, incarnation, status } = beat;
  if (entityId === undefined) return undefined;
  const result = await sql<AgentOrders & { entityId: number; targets: Record<string, AgentTarget> }>`
    update agent set heartbeat_at = clock_timestamp(), status = ${status}
    where id = ${agentId} and entity_id = ${entityId} and incarnation = ${incarnation}
    returning entity_id as "entityId", targets, ${orders}`.execute(db);
  return result.rows[0];
}

export async function ordersOf(db: Store, agentId: string): Promise<AgentOrders> {
  const result = await sql<AgentOrders>`select ${orders} from agent where id = ${agentId}`.execute(db);
  const row = result.rows[0];
  if (!row) throw new DavitError('agent-superseded');
  return row;
}

const orders = sql`wanted,
  case when quarantined_at is not null then jsonb_build_object('reason', quarantine->>'reason', 'probeAfter', probe_after) end as quarantine,
  wanted = 'active' and (quarantined_at is null or (probe_launch is null and probe_after <= clock_timestamp())) as "mayTake"`;
