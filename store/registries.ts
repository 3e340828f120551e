import { sql, type RawBuilder, type Selectable } from 'kysely';
import { DavitError } from '../domain/errors.js';
import { listTypes } from './artifact-lists.js';
import type { PlaceRow } from './artifact-places.js';
import { behind, orderDirection, orderValue, type Order } from './keyset.js';
import type { Store } from './open.js';
import type { Schema } from './schema.js';
import { inTransaction } from './transaction.js';

/** Registries: projects named `wandb-registry-…`, into whose collections versions are linked. */

export interface RegistryPage {
  order: Order;
  after?: string | null | undefined;
  limit: number;
}

/** Of a project: it is one of this entity's registries, and one that meets the condition. */
export const registriesOf = (entityId: number, where?: RawBuilder<boolean>): RawBuilder<boolean> =>
  sql<boolean>`(project.entity_id = ${entityId} and project.name like 'wandb-registry-_%' and ${where ?? sql`true`})`;

/** One more than the limit, to see whether there are more. */
export const listRegistries = (
  db: Store,
  scope: RawBuilder<boolean>,
  page: RegistryPage,
): Promise<(Selectable<Schema['project']> & { order_value: string })[]> => {
  const id = sql`project.id`;
  const direction = orderDirection(page.order);
  return db
    .selectFrom('project')
    .selectAll('project')
    .select(orderValue(page.order).as('order_value'))
    .where(scope)
    .$if(!!page.after, (q) => q.where(behind(page.order, id, page.after ?? '')))
    .orderBy(page.order.expression, direction)
    .orderBy(id, direction)
    .limit(page.limit + 1)
    .execute();
};

const linked = (db: Store, scope: readonly RawBuilder<boolean>[]) =>
  db
    .selectFrom('artifact_membership')
    .innerJoin('artifact_collection', 'artifact_collection.id', 'artifact_membership.collection_id')
    .innerJoin('project', 'project.id', 'artifact_collection.project_id')
    .innerJoin('artifact', 'artifact.id', 'artifact_membership.artifact_id')
    .where('artifact_collection.kind', '=', 'PORTFOLIO')
    .where('artifact_collection.state', '=', 'READY')
    .where('artifact.state', '=', 'COMMITTED')
    .where((eb) => eb.and([...scope]));

/** What is linked into registries; the scope speaks of project, collection, place and version. One more than the limit. */
export const listLinked = (
  db: Store,
  scope: readonly RawBuilder<boolean>[],
  page: RegistryPage,
): Promise<(PlaceRow & { order_value: string })[]> => {
  const id = sql`artifact_membership.id`;
  const direction = orderDirection(page.order);
  return linked(db, scope)
    .selectAll('artifact_membership')
    .select(orderValue(page.order).as('order_value'))
    .$if(!!page.after, (q) => q.where(behind(page.order, id, page.after ?? '')))
    .orderBy(page.order.expression, direction)
    .orderBy(id, direction)
    .limit(page.limit + 1)
    .execute();
};

export async function countLinked(db: Store, scope: readonly RawBuilder<boolean>[]): Promise<number> {
  const row = await linked(db, scope)
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow();
  return row.n;
}

export const registrySettings = (db: Store, ids: readonly number[]) =>
  db
    .selectFrom('project')
    .select(['id', 'any_artifact_type', 'updated_at'])
    .where('id', 'in', [...ids])
    .execute();

/** In the transaction of a link: the project stays, and what it takes stays so, until the link is made. */
export async function holdRegistry(tx: Store, projectId: number, type: string): Promise<void> {
  const project = await tx
    .selectFrom('project')
    .select(['name', 'any_artifact_type'])
    .where('id', '=', projectId)
    .forShare()
    .executeTakeFirst();
  if (!project) throw new DavitError('not-found', 'The project to link into was deleted.');
  if (project.any_artifact_type) return;
  const taken = await listTypes(tx, projectId, { limit: 20, includeAll: true });
  if (taken.some(({ name }) => name === type)) return;
  throw new DavitError(
    'conflict',
    `"${project.name}" takes artifacts of some types only (${taken.map(({ name }) => name).join(', ')}), and "${type}" is none of them. Its artifact_types can be added to.`,
  );
}

export interface RegistryChanges {
  description?: string;
  /** False: those that are named, and those that it has already. */
  anyType?: boolean;
  /** Added to those that were named before. */
  types: readonly string[];
}

export const changeRegistry = (db: Store, projectId: number, changes: RegistryChanges): Promise<void> =>
  inTransaction(db, async (tx) => {
    await tx
      .updateTable('project')
      .set({
        updated_at: new Date(),
        ...(changes.description === undefined ? {} : { description: changes.description }),
        ...(changes.anyType === undefined ? {} : { any_artifact_type: changes.anyType }),
      })
      .where('id', '=', projectId)
      .execute();
    if (changes.types.length === 0) return;
    await tx
      .insertInto('registry_artifact_type')
      .values([...new Set(changes.types)].map((name) => ({ project_id: projectId, name })))
      .onConflict((c) => c.columns(['project_id', 'name']).doNothing())
      .execute();
  });

export async function renameRegistry(db: Store, projectId: number, name: string): Promise<void> {
  await db
    .updateTable('project')
    .set({ name, updated_at: new Date() })
    .where('id', '=', projectId)
    .execute()
    .catch((error: unknown) => {
      if ((error as { code?: unknown }).code === '23505')
        throw new DavitError('conflict', `There is a project "${name}" already.`);
      throw error;
    });
}

/**
 * Takes the registry away with its collections and links; versions stay where they were logged. Refused when more than links is in it: runs
 * and versions are not to vanish by this.
 */
export const deleteRegistry = (db: Store, projectId: number): Promise<boolean> =>
  inTransaction(db, async (tx) => {
    // Before its collections: whoever links holds the project first.
    const project = await tx
      .selectFrom('project')
      .select('name')
      .where('id', '=', projectId)
      .forUpdate()
      .executeTakeFirst();
    if (!project) return false;
    const sweep = await tx.selectFrom('sweep').select('id').where('project_id', '=', projectId).executeTakeFirst();
    const more = new DavitError(
      'conflict',
      `"${project.name}" has more than links in it (runs, sweeps, launches, or versions that were logged there), so it is not deleted.`,
    );
    if (sweep) throw more;
    const portfolios = await tx
      .selectFrom('artifact_collection')
      .select('id')
      .where('project_id', '=', projectId)
      .where('kind', '=', 'PORTFOLIO')
      .orderBy('id')
      .forUpdate()
      .execute();
    const ids = portfolios.map(({ id }) => id);
    try {
      if (ids.length > 0) {
        await tx.deleteFrom('artifact_alias').where('collection_id', 'in', ids).execute();
        await tx.deleteFrom('artifact_membership').where('collection_id', 'in', ids).execute();
        await tx.deleteFrom('artifact_collection_tag').where('collection_id', 'in', ids).execute();
        await tx.deleteFrom('artifact_collection').where('id', 'in', ids).execute();
      }
      await tx.deleteFrom('project').where('id', '=', projectId).execute();
    } catch (error) {
      // Rows that refer to it.
      if ((error as { code?: unknown }).code === '23503') throw more;
      throw error;
    }
    return true;
  });
