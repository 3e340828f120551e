import { sql } from 'kysely';
import { DavitError } from '../domain/errors.js';
import { agentTtlMs, lockAgentName } from './agent-registry.js';
import { audit } from './audit.js';
import type { Store } from './open.js';
import type { AgentStatus } from './schema.js';

/** Agents as they are shown, and what operators want of them. Registering and heartbeats belong to the agent protocol. */

const agents = (db: Store) =>
  db
    .selectFrom('agent')
    .innerJoin('entity', 'entity.id', 'agent.entity_id')
    .leftJoin('api_key', 'api_key.id', 'agent.key_id')
    .selectAll('agent')
    .select(['entity.name as entity', 'api_key.queue_ids as bound_queue_ids'])
    // By the clock that wrote it: a clock of ours that is wrong must not make agents look lost.
    .select(
      sql<number>`greatest(0, extract(epoch from clock_timestamp() - agent.heartbeat_at) * 1000)::float8`.as('age_ms'),
    );

export const agentByName = (db: Store, entityId: number, name: string) =>
  agents(db).where('agent.entity_id', '=', entityId).where('agent.name', '=', name).executeTakeFirst();

export const listAgents = (
  db: Store,
  filter: { entityIds: readonly number[] | 'all' },
  page: { after?: { entity: string; name: string }; limit: number },
) => {
  const { entityIds } = filter;
  return agents(db)
    .$if(entityIds !== 'all', (q) =>
      q.where('agent.entity_id', 'in', entityIds === 'all' || entityIds.length === 0 ? [-1] : entityIds),
    )
    .$if(page.after !== undefined, (q) =>
      q.where(({ eb, refTuple, tuple }) =>
        eb(refTuple('entity.name', 'agent.name'), '>', tuple(page.after?.entity ?? '', page.after?.name ?? '')),
      ),
    )
    .orderBy('entity.name')
    .orderBy('agent.name')
    .limit(page.limit)
    .execute();
};

export interface Duties {
  /** entity/queue. */
  queues: string[];
  launches: { id: string; state: string; queue: string; project: string; since: Date }[];
}

/** What each agent serves and what it holds. */
export async function dutiesOfAgents(db: Store, ids: readonly string[]): Promise<Map<string, Duties>> {
  const duties = new Map<string, Duties>(ids.map((id) => [id, { queues: [], launches: [] }]));
  if (ids.length === 0) return duties;
  const queues = await db
    .selectFrom('agent_queue')
    .innerJoin('queue', 'queue.id', 'agent_queue.queue_id')
    .innerJoin('entity', 'entity.id', 'queue.entity_id')
    .select(['agent_queue.agent_id', 'queue.name', 'entity.name as entity'])
    .where('agent_queue.agent_id', 'in', ids)
    .where('queue.deleted_at', 'is', null)
    .orderBy('entity.name')
    .orderBy('queue.name')
    .execute();
  const launches = await sql<Duties['launches'][number] & { agentId: string }>`
    select l.id, l.state, l.agent_id as "agentId", qe.name || '/' || q.name as queue, pe.name || '/' || p.name as project,
      coalesce((select max(at) from launch_event e where e.launch_id = l.id and e.type = l.state), l.claimed_at, l.created_at) as since
    from launch l join queue q on q.id = l.queue_id join entity qe on qe.id = q.entity_id
      join project p on p.id = l.project_id join entity pe on pe.id = p.entity_id
    where l.agent_id = any(${[...ids]}::text[]) and l.state not in ('queued', 'finished', 'failed', 'stopped')
    order by l.id`.execute(db);
  for (const row of queues) duties.get(row.agent_id)?.queues.push(`${row.entity}/${row.name}`);
  for (const { agentId, ...launch } of launches.rows) duties.get(agentId)?.launches.push(launch);
  return duties;
}

/** Names of queues by id, deleted ones included: what keys are bound to. */
export async function queueNames(db: Store, ids: readonly number[]): Promise<Map<number, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('queue')
    .innerJoin('entity', 'entity.id', 'queue.entity_id')
    .select(['queue.id', 'queue.name', 'entity.name as entity'])
    .where('queue.id', 'in', [...ids])
    .execute();
  return new Map(rows.map((row) => [row.id, `${row.entity}/${row.name}`]));
}

// What operators want.

interface Named {
  id: string;
  entity: string;
  name: string;
}
const subjectOf = ({ entity, name }: Named): string => `agent/${entity}/${name}`;

/** The agent hears of it with its next heartbeat; claims obey at once. */
export async function wantAgent(db: Store, agent: Named, wanted: AgentStatus, by: string): Promise<void> {
  const actions = { active: 'agent.activate', draining: 'agent.drain', stopped: 'agent.stop' } as const;
  await db.transaction().execute(async (tx) => {
    await tx
      .updateTable('agent')
      .set({ wanted, wanted_by: wanted === 'active' ? null : by })
      .where('id', '=', agent.id)
      .execute();
    await audit(tx, { actor: by, action: actions[wanted], subject: subjectOf(agent) });
  });
}

/** Out of quarantine, with a clean sheet. False: it was not in it. */
export async function releaseAgent(db: Store, agent: Named, by: string): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('agent')
      .select(['quarantined_at', 'quarantine'])
      .where('id', '=', agent.id)
      .forUpdate()
      .executeTakeFirst();
    await tx.deleteFrom('agent_trouble').where('agent_id', '=', agent.id).execute();
    if (!row?.quarantined_at) return false;
    await tx
      .updateTable('agent')
      .set({ quarantined_at: null, quarantine: null, probe_after: null, probe_launch: null, probe_ms: null })
      .where('id', '=', agent.id)
      .execute();
    await audit(tx, {
      actor: by,
      action: 'agent.release',
      subject: subjectOf(agent),
      data: { reason: row.quarantine?.reason ?? '' },
    });
    return true;
  });
}

/** Forgets an agent that is gone and holds nothing; everything else is refused. */
export async function deleteAgent(db: Store, agent: Named & { entity_id: number }, by: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    // An agent that comes back in this moment comes back before or after.
    await lockAgentName(tx, agent.entity_id, agent.name);
    const alive = await sql<{
      pid: number;
      host: string;
    }>`select pid, host from agent where id = ${agent.id} and status <> 'stopped'
      and heartbeat_at > clock_timestamp() - make_interval(secs => ${agentTtlMs / 1000})`.execute(tx);
    const process = alive.rows[0];
    if (process) {
      const sentence = `Agent "${agent.name}" lives: process ${process.pid} on ${process.host}. Stop it first.`;
      throw new DavitError('agent-in-use', sentence);
    }
    const held = await tx
      .selectFrom('launch')
      .select('id')
      .where('agent_id', '=', agent.id)
      .where('state', 'not in', ['queued', 'finished', 'failed', 'stopped'])
      .orderBy('id')
      .limit(10)
      .execute();
    if (held.length > 0) {
      const ids = held.map(({ id }) => id).join(', ');
      throw new DavitError('agent-in-use', `Agent "${agent.name}" is gone, but still answers for: ${ids}.`);
    }
    await tx.deleteFrom('agent').where('id', '=', agent.id).execute();
    await audit(tx, { actor: by, action: 'agent.delete', subject: subjectOf(agent) });
  });
}

export async function queuesOfAgent(db: Store, agentId: string): Promise<number[]> {
  const rows = await db.selectFrom('agent_queue').select('queue_id').where('agent_id', '=', agentId).execute();
  return rows.map((row) => row.queue_id);
}
