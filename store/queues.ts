import type { TargetName } from '../domain/words.js';
import type { Store } from './open.js';

/** Queues as things with a name. Their line (who is next) is store/line.ts. */

const queues = (db: Store) =>
  db
    .selectFrom('queue')
    .innerJoin('entity', 'entity.id', 'queue.entity_id')
    .selectAll('queue')
    .select('entity.name as entity');
export type QueueRow = Awaited<ReturnType<typeof queueById>> & object;

export const queueById = (db: Store, id: number) => queues(db).where('queue.id', '=', id).executeTakeFirst();

export const queueByName = (db: Store, entityId: number, name: string) =>
  queues(db).where('queue.entity_id', '=', entityId).where('queue.name', '=', name).executeTakeFirst();

export async function createQueue(
  db: Store,
  queue: {
    entityId: number;
    name: string;
    target: TargetName;
    description: string;
    requireRun: boolean;
    resourceConfig: Record<string, unknown>;
    createdBy: string;
  },
): Promise<number | undefined> {
  const row = await db
    .insertInto('queue')
    .values({
      entity_id: queue.entityId,
      name: queue.name,
      target: queue.target,
      description: queue.description,
      require_run: queue.requireRun,
      resource_config: JSON.stringify(queue.resourceConfig),
      created_by: queue.createdBy,
    })
    .onConflict((c) => c.columns(['entity_id', 'name']).doNothing())
    .returning('id')
    .executeTakeFirst();
  return row?.id;
}

/** A queue's target never changes: what waits in it was planned for that target. */
export async function updateQueue(
  db: Store,
  id: number,
  change: { description?: string; requireRun?: boolean; resourceConfig?: Record<string, unknown> },
): Promise<void> {
  await db
    .updateTable('queue')
    .set({
      ...(change.description === undefined ? {} : { description: change.description }),
      ...(change.requireRun === undefined ? {} : { require_run: change.requireRun }),
      ...(change.resourceConfig === undefined ? {} : { resource_config: JSON.stringify(change.resourceConfig) }),
      updated_at: new Date(),
    })
    .where('id', '=', id)
    .execute();
}

export const listQueues = (
  db: Store,
  filter: { entityIds: readonly number[] | 'all' },
  page: { after?: { entity: string; name: string }; limit: number },
) => {
  const { entityIds } = filter;
  return queues(db)
    .$if(entityIds !== 'all', (q) =>
      q.where('queue.entity_id', 'in', entityIds === 'all' || entityIds.length === 0 ? [-1] : entityIds),
    )
    .$if(page.after !== undefined, (q) =>
      q.where(({ eb, refTuple, tuple }) =>
        eb(refTuple('entity.name', 'queue.name'), '>', tuple(page.after?.entity ?? '', page.after?.name ?? '')),
      ),
    )
    .orderBy('entity.name')
    .orderBy('queue.name')
    .limit(page.limit)
    .execute();
};

/** How many launches wait in each of the queues and how many are under way, and how many agents serve it. */
export async function countsOfQueues(
  db: Store,
  ids: readonly number[],
): Promise<Map<number, { waiting: number; running: number; agents: number }>> {
  const counts = new Map(ids.map((id) => [id, { waiting: 0, running: 0, agents: 0 }]));
  if (ids.length === 0) return counts;
  const open = await db
    .selectFrom('launch')
    .select((eb) => [
      'queue_id',
      eb.fn.countAll<number>().filterWhere('state', '=', 'queued').as('waiting'),
      eb.fn.countAll<number>().filterWhere('state', '!=', 'queued').as('running'),
    ])
    .where('queue_id', 'in', ids)
    .where('state', 'not in', ['finished', 'failed', 'stopped'])
    .groupBy('queue_id')
    .execute();
  const agents = await db
    .selectFrom('agent_queue')
    .innerJoin('agent', 'agent.id', 'agent_queue.agent_id')
    .select((eb) => ['agent_queue.queue_id', eb.fn.countAll<number>().as('agents')])
    .where('agent_queue.queue_id', 'in', ids)
    .where('agent.status', '=', 'active')
    .groupBy('agent_queue.queue_id')
    .execute();
  for (const row of open) {
    const count = counts.get(row.queue_id);
    if (count) Object.assign(count, { waiting: row.waiting, running: row.running });
  }
  for (const row of agents) {
    const count = counts.get(row.queue_id);
    if (count) count.agents = row.agents;
  }
  return counts;
}
