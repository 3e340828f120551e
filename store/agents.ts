import type { Store } from './open.js';

/** Agents as they are shown. Registering and heartbeats belong to the agent protocol. */

const agents = (db: Store) =>
  db
    .selectFrom('agent')
    .innerJoin('entity', 'entity.id', 'agent.entity_id')
    .selectAll('agent')
    .select('entity.name as entity');

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

/** What each agent serves and what it holds. */
export async function dutiesOfAgents(
  db: Store,
  ids: readonly string[],
): Promise<Map<string, { queues: string[]; launches: { id: string; state: string }[] }>> {
  const duties = new Map<string, { queues: string[]; launches: { id: string; state: string }[] }>(
    ids.map((id) => [id, { queues: [], launches: [] }]),
  );
  if (ids.length === 0) return duties;
  const queues = await db
    .selectFrom('agent_queue')
    .innerJoin('queue', 'queue.id', 'agent_queue.queue_id')
    .innerJoin('entity', 'entity.id', 'queue.entity_id')
    .select(['agent_queue.agent_id', 'queue.name', 'entity.name as entity'])
    .where('agent_queue.agent_id', 'in', ids)
    .orderBy('entity.name')
    .orderBy('queue.name')
    .execute();
  const launches = await db
    .selectFrom('launch')
    .select(['id', 'state', 'agent_id'])
    .where('agent_id', 'in', ids)
    .where('state', 'not in', ['queued', 'finished', 'failed', 'stopped'])
    .orderBy('id')
    .execute();
  for (const row of queues) duties.get(row.agent_id)?.queues.push(`${row.entity}/${row.name}`);
  for (const row of launches) duties.get(row.agent_id ?? '')?.launches.push({ id: row.id, state: row.state });
  return duties;
}
