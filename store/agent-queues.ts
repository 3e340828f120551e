import { sql } from 'kysely';
import type { TargetName } from '../domain/words.js';
import type { Store } from './open.js';
import type { AgentTarget } from './schema.js';

/** Which agent serves which queues. */

export interface ServedQueue {
  queueId: number;
  entity: string;
  queue: string;
  /** Of the queue's lines, this one. */
  class: string;
  target: TargetName;
}

export interface Serving {
  agentId: string;
  entityId: number;
  /** Queue names of the entity; `*`: every queue whose target this agent has. */
  queues: readonly string[];
  targets: Record<string, AgentTarget>;
  /** Queues that its key is bound to; undefined: every one of the entity. */
  boundTo?: readonly number[] | undefined;
}

export const bindQueues = async (db: Store, serving: Serving): Promise<ServedQueue[]> =>
  (await bindQueuesOfMany(db, [serving])).get(serving.agentId) ?? [];

/**
 * Which queues the agents serve now, with each of their lines whose required labels they have; new ones are picked up with a heartbeat.
 * Unknown names are left out. One statement as long as nothing has changed: a thousand agents ask for this every few seconds.
 */
export async function bindQueuesOfMany(db: Store, serving: readonly Serving[]): Promise<Map<string, ServedQueue[]>> {
  const asks = serving.map(({ agentId, entityId, queues, targets, boundTo }) => ({
    id: agentId,
    entity: entityId,
    names: queues.includes('*') ? null : [...new Set(queues)],
    bound: boundTo ?? null,
    targets: Object.entries(targets).flatMap(([name, target]) => (target.ok ? [name] : [])),
  }));
  const { rows } = await sql<ServedQueue & { agentId: string; serves: boolean; bound: boolean }>`
    with asks as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(asks)}::jsonb) as a (id text, entity int, names text[], bound int[], targets text[])
    )
    select asks.id as "agentId", q.id as "queueId", e.name as entity, q.name as queue, q.target, c.class, true as serves,
      b.queue_id is not null as bound
    from asks join agent on agent.id = asks.id
      cross join lateral (
        select q.* from unnest(asks.names) n (name) join queue q on q.entity_id = asks.entity and q.name = n.name and q.deleted_at is null
        union all
        select q.* from queue q where asks.names is null and q.entity_id = asks.entity and q.deleted_at is null
      ) q
      join entity e on e.id = q.entity_id
      left join agent_queue b on b.agent_id = asks.id and b.queue_id = q.id
      cross join lateral (
        select '' as class
        union all
        select class from line where queue_id = q.id and requires <@ agent.labels
      ) c
    where q.target = any(asks.targets) and (asks.bound is null or q.id = any(asks.bound))
    union all
    select agent_id, queue_id, '', '', '', '', false, true from agent_queue where agent_id in (select id from asks)
    order by 1, 2, 6`.execute(db);

  const served = new Map<string, ServedQueue[]>(asks.map(({ id }) => [id, []]));
  const fresh = new Map<string, { agent_id: string; queue_id: number }>();
  const gone = new Map<string, { agentId: string; queueId: number }>();
  for (const { agentId, queueId, serves, bound, entity, queue, class: lineClass, target } of rows) {
    const key = `${agentId} ${queueId}`;
    if (!serves) gone.set(key, { agentId, queueId });
    else served.get(agentId)?.push({ queueId, entity, queue, class: lineClass, target });
    if (serves && !bound) fresh.set(key, { agent_id: agentId, queue_id: queueId });
  }
  for (const [agentId, queues] of served) for (const { queueId } of queues) gone.delete(`${agentId} ${queueId}`);
  for (const { agentId, queueId } of gone.values())
    await db.deleteFrom('agent_queue').where('agent_id', '=', agentId).where('queue_id', '=', queueId).execute();
  if (fresh.size > 0) {
    await db
      .insertInto('agent_queue')
      .values([...fresh.values()])
      .onConflict((c) => c.doNothing())
      .execute();
  }
  return served;
}
