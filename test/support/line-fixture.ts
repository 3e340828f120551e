import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { admitLaunch } from '../../store/admission.js';
import type { Store } from '../../store/open.js';
import type { LaunchRequest } from '../../domain/launch-request.js';

/** An entity with a job, queues and agents, straight in the store: for tests of the line that need no API. */
export interface LineFixture {
  entity: string;
  entityId: number;
  job: string;
  queue(name: string): Promise<number>;
  agent(name: string): Promise<{ id: string; incarnation: string }>;
  enqueue(queue: string, over?: Partial<LaunchRequest> & { idempotencyKey?: string }): Promise<string>;
}

export async function lineFixture(db: Store, entity = 'ada'): Promise<LineFixture> {
  const { id: entityId } = await db
    .insertInto('entity')
    .values({ name: entity, kind: 'user' })
    .returning('id')
    .executeTakeFirstOrThrow();
  const project = await db
    .insertInto('project')
    .values({ entity_id: entityId, name: 'demo' })
    .returning('id')
    .executeTakeFirstOrThrow();
  const collection = await db
    .insertInto('artifact_collection')
    .values({ project_id: project.id, type: 'job', name: 'train', next_index: 1 })
    .returning('id')
    .executeTakeFirstOrThrow();
  const artifact = await db
    .insertInto('artifact')
    .values({ collection_id: collection.id, version_index: 0, state: 'COMMITTED', digest: 'd', metadata: '{}' })
    .returning('id')
    .executeTakeFirstOrThrow();
  await db
    .insertInto('artifact_membership')
    .values({ collection_id: collection.id, artifact_id: artifact.id, version_index: 0 })
    .execute();
  await db
    .insertInto('artifact_alias')
    .values({ collection_id: collection.id, alias: 'latest', artifact_id: artifact.id })
    .execute();
  return {
    entity,
    entityId,
    job: `${entity}/demo/train:latest`,
    async queue(name) {
      const row = await db
        .insertInto('queue')
        .values({ entity_id: entityId, name, target: 'process', resource_config: '{}' })
        .returning('id')
        .executeTakeFirstOrThrow();
      return row.id;
    },
    async agent(name) {
      const agent = { id: `agent-${name}`, incarnation: randomBytes(8).toString('hex') };
      await sql`insert into agent (id, entity_id, name, incarnation, max_jobs) values (${agent.id}, ${entityId}, ${name}, ${agent.incarnation}, 4)
        on conflict (id) do update set incarnation = excluded.incarnation`.execute(db);
      return agent;
    },
    async enqueue(queue, { idempotencyKey, ...over } = {}) {
      const admitted = await admitLaunch(db, {
        request: { queue, job: `${entity}/demo/train`, ...over },
        actorName: entity,
        defaultEntity: entity,
        idempotencyKey,
        windowSize: 200,
      });
      return admitted.launchId;
    },
  };
}
