import { sql } from 'kysely';
import type { Store } from './open.js';

/** Launches as they are read. Lists of them: launch-lists.ts. What moves them: line.ts and line-operations.ts. */

export const launches = (db: Store) =>
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
      'launch.expires_at',
      'launch.requires',
      'launch.queue_id',
      'launch.rank',
      'launch.hold',
      'launch.held_by',
      'launch.hold_reason',
      'launch.release_at',
      'launch.retries',
      'launch.deadline',
      'launch.deadline_at',
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
      'launch.image',
      'launch.v',
      'launch.project_id',
      'queue.name as queue',
      'queue.target',
      'queue_entity.name as queue_entity',
      'queue.entity_id as queue_entity_id',
      'project.name as project',
      'entity.name as entity',
      'entity.id as entity_id',
      'job.name as job_name',
      'artifact.version_index as job_version',
      'agent.name as agent',
    ])
    .select(sql<{ commit: string } | null>`launch.request -> 'git'`.as('git'));

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

export async function launchesByIds(db: Store, ids: readonly string[]): Promise<Map<string, LaunchRow>> {
  const rows = ids.length === 0 ? [] : await launches(db).where('launch.id', 'in', ids).execute();
  return new Map(rows.map((row) => [row.id, row]));
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
