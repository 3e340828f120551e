import { sql } from 'kysely';
import { numberOfPriority, priorities, type LaunchState, type Priority } from '../domain/words.js';
import type { Labels } from '../domain/requirements.js';
import { launches, type LaunchRow } from './launches.js';
import type { Store } from './open.js';

/**
 * Pages of launches. Names become ids before the list is asked for: with values instead of joins the planner knows from its statistics
 * whether to walk the list or to fetch the few rows that fit.
 */
export interface LaunchFilter {
  entityIds: readonly number[] | 'all';
  project?: string | undefined;
  queue?: { entity?: string | undefined; name: string } | undefined;
  /** `queued` is whatever waits, `held` what waits and is held. */
  states?: readonly (LaunchState | 'held')[] | undefined;
  priorities?: readonly Priority[] | undefined;
  author?: string | undefined;
  job?: string | undefined;
  /** Labels that the launch requires, these and perhaps more. */
  labels?: Labels | undefined;
  since?: Date | undefined;
  until?: Date | undefined;
}

/** Newest first. Ids sort by time, so a page that begins behind an id stays the same page whatever is enqueued meanwhile. */
export async function listLaunches(
  db: Store,
  filter: LaunchFilter,
  page: { beforeId?: string | undefined; limit: number },
): Promise<LaunchRow[]> {
  const query = await filtered(db, filter);
  return (
    query
      ?.$if(page.beforeId !== undefined, (q) => q.where('launch.id', '<', page.beforeId ?? ''))
      .orderBy('launch.id', 'desc')
      .limit(page.limit)
      .execute() ?? []
  );
}

export type LinePlace = [priority: number, rank: number, id: string];

/**
 * What waits in a queue and is not held, in the order of its line. Priority by priority: each is one stretch of the index, which the planner
 * does not see in a comparison of tuples.
 */
export async function listLine(
  db: Store,
  queueId: number,
  filter: LaunchFilter,
  page: { after?: LinePlace | undefined; limit: number },
): Promise<LaunchRow[]> {
  const { priorities: wanted = priorities, ...others } = filter;
  const query = (await filtered(db, others))
    ?.where('launch.queue_id', '=', queueId)
    .where('launch.state', '=', 'queued')
    .where((eb) => eb.not('launch.held'));
  if (!query) return [];
  const [fromPriority = 0, fromRank = 0, fromId = ''] = page.after ?? [];
  const found: LaunchRow[] = [];
  for (const priority of wanted.map((name) => numberOfPriority[name]).sort()) {
    if (priority < fromPriority || found.length >= page.limit) continue;
    const rows = await query
      .where('launch.priority', '=', priority)
      .$if(page.after !== undefined && priority === fromPriority, (q) =>
        q
          .where('launch.rank', '>=', fromRank)
          .where((eb) => eb.or([eb('launch.rank', '>', fromRank), eb('launch.id', '>', fromId)])),
      )
      .orderBy('launch.rank')
      .orderBy('launch.id')
      .limit(page.limit - found.length)
      .execute();
    found.push(...rows);
  }
  return found;
}

/** Queues of this name, deleted ones too: their launches can still be read. */
export const queuesNamed = (db: Store, queue: { entity?: string | undefined; name: string }) =>
  db
    .selectFrom('queue')
    .innerJoin('entity', 'entity.id', 'queue.entity_id')
    .select(['queue.id', 'queue.entity_id', 'queue.deleted_at'])
    .where('queue.name', '=', queue.name)
    .$if(queue.entity !== undefined, (q) => q.where('entity.name', '=', queue.entity ?? ''))
    .execute();

/** Undefined: nothing can fit. */
async function filtered(db: Store, filter: LaunchFilter) {
  const { entityIds, project, queue, states, priorities: wanted, author, job, labels, since, until } = filter;
  let query = launches(db);
  if (entityIds !== 'all' || project !== undefined) {
    const projects = await db
      .selectFrom('project')
      .select('id')
      .$if(entityIds !== 'all', (q) => q.where('entity_id', 'in', entityIds === 'all' ? [] : [-1, ...entityIds]))
      .$if(project !== undefined, (q) => q.where('name', '=', project ?? ''))
      .execute();
    if (projects.length === 0) return undefined;
    query = query.where('launch.project_id', 'in', idsOf(projects));
  }
  if (queue !== undefined) {
    const queues = await queuesNamed(db, queue);
    if (queues.length === 0) return undefined;
    query = query.where('launch.queue_id', 'in', idsOf(queues));
  }
  if (job !== undefined) {
    const versions = await db
      .selectFrom('artifact')
      .innerJoin('artifact_collection as c', 'c.id', 'artifact.collection_id')
      .select('artifact.id')
      .where('c.type', '=', 'job')
      .where('c.name', '=', job)
      .execute();
    if (versions.length === 0) return undefined;
    query = query.where('launch.job_artifact_id', 'in', idsOf(versions));
  }
  if (states !== undefined) {
    const stored = states.map((state): LaunchState => (state === 'held' ? 'queued' : state));
    query = query.where('launch.state', 'in', stored);
    if (states.every((state) => state === 'held')) query = query.where('launch.held', '=', true);
    else if (states.includes('held') && !states.includes('queued'))
      query = query.where((eb) => eb.or([eb('launch.state', '<>', 'queued'), eb('launch.held', '=', true)]));
  }
  if (wanted !== undefined) {
    const numbers = wanted.map((priority) => numberOfPriority[priority]);
    query = query.where('launch.priority', 'in', numbers);
  }
  if (author !== undefined) query = query.where('launch.author', '=', author);
  if (labels !== undefined)
    query = query
      .where('launch.class', '<>', '')
      .where(sql<boolean>`launch.requires @> ${JSON.stringify(labels)}::jsonb`);
  if (since !== undefined) query = query.where('launch.created_at', '>=', since);
  if (until !== undefined) query = query.where('launch.created_at', '<', until);
  return query;
}

const idsOf = (rows: readonly { id: number }[]): number[] => rows.map(({ id }) => id);
