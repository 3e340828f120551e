import { sql } from 'kysely';
import type { LaunchState } from '../domain/words.js';
import type { Store } from './open.js';

/** Launches as they are read and listed. What moves them is store/line.ts. */

const launches = (db: Store) =>
  db
    .selectFrom('launch')
    .innerJoin('queue', 'queue.id', 'launch.queue_id')
    .innerJoin('entity as queue_entity', 'queue_entity.id', 'queue.entity_id')
    .innerJoin('project', 'project.id', 'launch.project_id')
    .innerJoin('entity', 'entity.id', 'project.entity_id')
    .leftJoin('artifact', 'artifact.id', 'launch.job_artifact_id')
    .leftJoin('artifact_collection as job', 'job.id', 'artifact.collection_id')
    .leftJoin('agent', 'agent.id', 'launch.agent_id')
    .select([
      'launch.id',
      'launch.workflow_id',
      'launch.author',
      'launch.state',
      'launch.reason',
      'launch.priority',
      'launch.held',
      'launch.epoch',
      'launch.attempt',
      'launch.run_name',
      'launch.spec',
      'launch.require_run',
      'launch.cancel_requested_at',
      'launch.cancelled_by',
      'launch.failure',
      'launch.exit_code',
      'launch.node',
      'launch.created_at',
      'launch.claimed_at',
      'launch.started_at',
      'launch.ended_at',
      'launch.relaunch_of',
      'launch.v',
      'launch.project_id',
      'queue.name as queue',
      'queue.target',
      'queue_entity.name as queue_entity',
      'project.name as project',
      'entity.name as entity',
      'entity.id as entity_id',
      'job.name as job_name',
      'artifact.version_index as job_version',
      'agent.name as agent',
    ]);

export type LaunchRow = Awaited<ReturnType<typeof launchById>> & object;

export const launchById = (db: Store, id: string) => launches(db).where('launch.id', '=', id).executeTakeFirst();

/** What a target was or would be asked to do, and what it made of it. */
export const planOfLaunch = (db: Store, id: string) =>
  db.selectFrom('launch').select(['request', 'plan']).where('id', '=', id).executeTakeFirst();

/** Has the job called wandb.init? Then there is a run row with the launch's run name. */
export const runOfLaunch = (db: Store, launch: { project_id: number; run_name: string }) =>
  db
    .selectFrom('run')
    .select(['name', 'display_name', 'state'])
    .where('project_id', '=', launch.project_id)
    .where('name', '=', launch.run_name)
    .executeTakeFirst();

export interface LaunchFilter {
  entityIds: readonly number[] | 'all';
  project?: string | undefined;
  queue?: { entity?: string | undefined; name: string } | undefined;
  states?: readonly LaunchState[] | undefined;
  author?: string | undefined;
  job?: string | undefined;
  since?: Date | undefined;
  until?: Date | undefined;
}

/** Newest first. Ids sort by time, so a page that begins behind an id stays the same page whatever is enqueued meanwhile. */
export function listLaunches(db: Store, filter: LaunchFilter, page: { beforeId?: string | undefined; limit: number }) {
  let query = launches(db);
  const { entityIds, project, queue, states, author, job, since, until } = filter;
  if (entityIds !== 'all') query = query.where('entity.id', 'in', entityIds.length === 0 ? [-1] : entityIds);
  if (project !== undefined) query = query.where('project.name', '=', project);
  if (queue !== undefined) {
    query = query.where('queue.name', '=', queue.name);
    if (queue.entity !== undefined) query = query.where('queue_entity.name', '=', queue.entity);
  }
  if (states !== undefined) query = query.where('launch.state', 'in', states);
  if (author !== undefined) query = query.where('launch.author', '=', author);
  if (job !== undefined) query = query.where('job.name', '=', job);
  if (since !== undefined) query = query.where('launch.created_at', '>=', since);
  if (until !== undefined) query = query.where('launch.created_at', '<', until);
  if (page.beforeId !== undefined) query = query.where('launch.id', '<', page.beforeId);
  return query.orderBy('launch.id', 'desc').limit(page.limit).execute();
}

/** Who uses a job: how many launches of each version, and when the last one was. */
export const usesOfJob = (db: Store, collectionId: number) =>
  db
    .selectFrom('launch')
    .innerJoin('artifact', 'artifact.id', 'launch.job_artifact_id')
    .select((eb) => [
      'launch.job_artifact_id as artifact_id',
      eb.fn.countAll<number>().as('launches'),
      sql<string>`max(launch.id)`.as('last_id'),
      eb.fn.max('launch.created_at').as('last_at'),
    ])
    .where('artifact.collection_id', '=', collectionId)
    .groupBy('launch.job_artifact_id')
    .execute();
