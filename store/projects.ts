import type { Store } from './open.js';

export const projectByName = (db: Store, entityId: number, name: string) =>
  db.selectFrom('project').selectAll().where('entity_id', '=', entityId).where('name', '=', name).executeTakeFirst();

export const projectsByIds = (db: Store, ids: readonly number[]) =>
  db
    .selectFrom('project')
    .innerJoin('entity', 'entity.id', 'project.entity_id')
    .selectAll('project')
    .select(['entity.name as entity_name', 'entity.kind as entity_kind'])
    .where('project.id', 'in', [...ids])
    .execute();

export const projectsOfEntity = async (db: Store, entityId: number): Promise<number[]> =>
  (await db.selectFrom('project').select('id').where('entity_id', '=', entityId).execute()).map((row) => row.id);

/** The project of this name, made if there is none: projects come into being with the first thing in them. */
export async function ensureProject(
  db: Store,
  entityId: number,
  name: string,
): Promise<{ id: number; created: boolean }> {
  const known = await projectByName(db, entityId, name);
  if (known) return { id: known.id, created: false };
  const made = await db
    .insertInto('project')
    .values({ entity_id: entityId, name })
    .onConflict((c) => c.columns(['entity_id', 'name']).doNothing())
    .returning('id')
    .executeTakeFirst();
  if (made) return { id: made.id, created: true };
  // Somebody else made it in between.
  const theirs = await projectByName(db, entityId, name);
  if (!theirs) throw new Error(`project ${name} neither made nor found`);
  return { id: theirs.id, created: false };
}

export const createProject = (db: Store, project: { entityId: number; name: string; description: string }) =>
  db
    .insertInto('project')
    .values({ entity_id: project.entityId, name: project.name, description: project.description })
    .onConflict((c) => c.columns(['entity_id', 'name']).doNothing())
    .returningAll()
    .executeTakeFirst();

export const listProjects = (db: Store, entityId: number, page: { afterName?: string; limit: number }) =>
  db
    .selectFrom('project')
    .selectAll('project')
    .select((eb) => [
      eb
        .selectFrom('run')
        .whereRef('run.project_id', '=', 'project.id')
        .select((e) => e.fn.countAll<number>().as('n'))
        .as('runs'),
      eb
        .selectFrom('artifact_collection')
        .whereRef('artifact_collection.project_id', '=', 'project.id')
        .where('artifact_collection.type', '=', 'job')
        .where('artifact_collection.state', '=', 'READY')
        .select((e) => e.fn.countAll<number>().as('n'))
        .as('jobs'),
    ])
    .where('entity_id', '=', entityId)
    .$if(page.afterName !== undefined, (q) => q.where('name', '>', page.afterName ?? ''))
    .orderBy('name')
    .limit(page.limit)
    .execute();
