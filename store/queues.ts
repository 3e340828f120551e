import { sql } from 'kysely';
import type { InputChecks } from '../domain/launch-inputs.js';
import type { TemplateVariables } from '../domain/resource-config.js';
import type { RetryPolicy, Timeouts } from '../domain/retry-policy.js';
import type { Discipline, TargetName } from '../domain/words.js';
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
  queues(db)
    .where('queue.entity_id', '=', entityId)
    .where('queue.name', '=', name)
    .where('queue.deleted_at', 'is', null)
    .executeTakeFirst();

/** What an admin may say about a queue. Null: no limit, nothing of the queue's own. */
export interface QueueSettings {
  description: string;
  requireRun: boolean;
  resourceConfig: Record<string, unknown>;
  templateVariables: TemplateVariables;
  inputs: InputChecks;
  priorities: boolean;
  discipline: Discipline;
  maxRunning: number | null;
  maxRunningPerProject: number | null;
  maxWaiting: number | null;
  ttlMs: number | null;
  retry: RetryPolicy | null;
  timeouts: Timeouts | null;
  /** Names of secrets that its launches may use. */
  secrets: string[];
  /** Given to every job of it: variable → name of a secret. */
  secretVariables: Record<string, string>;
}
export type QueueChange = { [K in keyof QueueSettings]?: QueueSettings[K] | undefined };

const json = (value: object | null): string | null => (value === null ? null : JSON.stringify(value));
const columnsOf = (s: QueueChange) => ({
  ...(s.description === undefined ? {} : { description: s.description }),
  ...(s.requireRun === undefined ? {} : { require_run: s.requireRun }),
  ...(s.resourceConfig === undefined ? {} : { resource_config: JSON.stringify(s.resourceConfig) }),
  ...(s.templateVariables === undefined ? {} : { template_variables: JSON.stringify(s.templateVariables) }),
  ...(s.inputs === undefined ? {} : { inputs: s.inputs }),
  ...(s.priorities === undefined ? {} : { priorities: s.priorities }),
  ...(s.discipline === undefined ? {} : { discipline: s.discipline }),
  ...(s.maxRunning === undefined ? {} : { max_running: s.maxRunning }),
  ...(s.maxRunningPerProject === undefined ? {} : { max_running_per_project: s.maxRunningPerProject }),
  ...(s.maxWaiting === undefined ? {} : { max_waiting: s.maxWaiting }),
  ...(s.ttlMs === undefined ? {} : { ttl_ms: s.ttlMs }),
  ...(s.retry === undefined ? {} : { retry: json(s.retry) }),
  ...(s.timeouts === undefined ? {} : { timeouts: json(s.timeouts) }),
  ...(s.secrets === undefined ? {} : { secrets: s.secrets }),
  ...(s.secretVariables === undefined ? {} : { secret_variables: JSON.stringify(s.secretVariables) }),
});

export async function createQueue(
  db: Store,
  queue: QueueChange & { entityId: number; name: string; target: TargetName; createdBy: string },
): Promise<number | undefined> {
  const row = await db
    .insertInto('queue')
    .values({
      entity_id: queue.entityId,
      name: queue.name,
      target: queue.target,
      created_by: queue.createdBy,
      resource_config: '{}',
      ...columnsOf(queue),
    })
    .onConflict((c) => c.columns(['entity_id', 'name']).where('deleted_at', 'is', null).doNothing())
    .returning('id')
    .executeTakeFirst();
  return row?.id;
}

/** A queue's target never changes: what waits in it was planned for that target. False: it was deleted. */
export async function updateQueue(db: Store, id: number, change: QueueChange): Promise<boolean> {
  const row = await db
    .updateTable('queue')
    .set({ ...columnsOf(change), updated_at: new Date() })
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

export interface QueueProject {
  projectId: number;
  maxRunning: number | null;
  weight: number;
}

/** Replaces what single projects may do in a queue. */
export async function setQueueProjects(db: Store, queueId: number, projects: readonly QueueProject[]): Promise<void> {
  await db.deleteFrom('queue_project').where('queue_id', '=', queueId).execute();
  if (projects.length === 0) return;
  await db
    .insertInto('queue_project')
    .values(
      projects.map(({ projectId, maxRunning, weight }) => ({
        queue_id: queueId,
        project_id: projectId,
        max_running: maxRunning,
        weight,
      })),
    )
    .execute();
}

export const projectsOfQueues = (db: Store, ids: readonly number[]) =>
  db
    .selectFrom('queue_project')
    .innerJoin('project', 'project.id', 'queue_project.project_id')
    .innerJoin('entity', 'entity.id', 'project.entity_id')
    .select(['queue_id', 'max_running', 'weight', 'project.name as project', 'entity.name as entity'])
    .where('queue_id', 'in', ids.length === 0 ? [-1] : ids)
    .orderBy('entity.name')
    .orderBy('project.name')
    .execute();

export const listQueues = (
  db: Store,
  filter: { entityIds: readonly number[] | 'all' },
  page: { after?: { entity: string; name: string }; limit: number },
) => {
  const { entityIds } = filter;
  return queues(db)
    .where('queue.deleted_at', 'is', null)
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

export interface QueueCounts {
  waiting: number;
  held: number;
  running: number;
  agents: number;
  /** For how long the oldest of those waits that are first in line in their priority. */
  oldestWaitingMs: number | null;
}
const noCounts: QueueCounts = { waiting: 0, held: 0, running: 0, agents: 0, oldestWaitingMs: null };

/** How many launches wait in each of the queues (and how many more are held) and how many are under way, and how many agents serve it. */
export async function countsOfQueues(db: Store, ids: readonly number[]): Promise<Map<number, QueueCounts>> {
  const counts = new Map<number, QueueCounts>(ids.map((id) => [id, { ...noCounts }]));
  if (ids.length === 0) return counts;
  const open = await sql<Omit<QueueCounts, 'agents'> & { queueId: number }>`
    select q.id as "queueId", c.waiting, c.held, line_holding(q.id) as running,
      -- Four steps into an index, however long the line.
      (select case when count(*) > 0 then greatest(0, extract(epoch from clock_timestamp() - min(first.queued_at)) * 1000)::float8 end
        from (values (0), (1), (2), (3)) as p(priority)
          cross join lateral (select l.queued_at from launch l where l.queue_id = q.id and l.state = 'queued' and not l.held
            and l.priority = p.priority order by l.rank limit 1) first) as "oldestWaitingMs"
    from unnest(${[...ids]}::int[]) as q(id) cross join lateral line_counts(q.id) c`.execute(db);
  const agents = await db
    .selectFrom('agent_queue')
    .innerJoin('agent', 'agent.id', 'agent_queue.agent_id')
    .select((eb) => ['agent_queue.queue_id', eb.fn.countAll<number>().as('agents')])
    .where('agent_queue.queue_id', 'in', ids)
    .where('agent.status', '=', 'active')
    .where('agent.wanted', '=', 'active')
    .groupBy('agent_queue.queue_id')
    .execute();
  for (const { queueId, ...row } of open.rows) {
    const count = counts.get(queueId);
    if (count) Object.assign(count, row);
  }
  for (const row of agents) {
    const count = counts.get(row.queue_id);
    if (count) count.agents = row.agents;
  }
  return counts;
}
