import { sql, type RawBuilder, type Selectable } from 'kysely';
import { behind, orderDirection, orderValue, type Order } from './keyset.js';
import type { Store } from './open.js';
import type { CollectionKind, Schema } from './schema.js';

/** Types and collections of a project, as readers list them. */

export interface CollectionRow extends Selectable<Schema['artifact_collection']> {
  project_name: string;
  entity_id: number;
  entity_name: string;
}

const selectCollections = (db: Store) =>
  db
    .selectFrom('artifact_collection')
    .innerJoin('project', 'project.id', 'artifact_collection.project_id')
    .innerJoin('entity', 'entity.id', 'project.entity_id')
    .selectAll('artifact_collection')
    .select(['project.name as project_name', 'entity.id as entity_id', 'entity.name as entity_name']);

/** Deleted ones too: versions still name them. */
export const collectionsByIds = (db: Store, ids: readonly number[]): Promise<CollectionRow[]> =>
  selectCollections(db)
    .where('artifact_collection.id', 'in', [...ids])
    .execute();

export const collectionNamed = (db: Store, projectId: number, name: string): Promise<CollectionRow | undefined> =>
  selectCollections(db)
    .where('artifact_collection.project_id', '=', projectId)
    .where('artifact_collection.name', '=', name)
    .where('artifact_collection.state', '=', 'READY')
    .executeTakeFirst();

export interface CollectionFilter {
  /** Of the collection and its project. */
  scope: RawBuilder<boolean>;
  kinds?: readonly CollectionKind[] | undefined;
  type?: string | undefined;
  where?: RawBuilder<boolean> | undefined;
}

export const inProject = (projectId: number): RawBuilder<boolean> =>
  sql<boolean>`artifact_collection.project_id = ${projectId}`;

const filtered = (db: Store, filter: CollectionFilter) =>
  selectCollections(db)
    .where(filter.scope)
    .where('artifact_collection.state', '=', 'READY')
    .$if(filter.kinds !== undefined, (q) => q.where('artifact_collection.kind', 'in', [...(filter.kinds ?? [])]))
    .$if(filter.type !== undefined, (q) => q.where('artifact_collection.type', '=', filter.type ?? ''))
    .$if(filter.where !== undefined, (q) => q.where(filter.where ?? sql<boolean>`true`));

/** One more than the limit, to see whether there are more. */
export const listCollections = (
  db: Store,
  filter: CollectionFilter,
  page: { order: Order; after?: string | null | undefined; limit: number },
): Promise<(CollectionRow & { order_value: string })[]> => {
  const id = sql`artifact_collection.id`;
  const direction = orderDirection(page.order);
  return filtered(db, filter)
    .select(orderValue(page.order).as('order_value'))
    .$if(!!page.after, (q) => q.where(behind(page.order, id, page.after ?? '')))
    .orderBy(page.order.expression, direction)
    .orderBy(id, direction)
    .limit(page.limit + 1)
    .execute();
};

export async function countCollections(db: Store, filter: CollectionFilter): Promise<number> {
  const row = await filtered(db, filter)
    .clearSelect()
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow();
  return row.n;
}

export interface TypeRow {
  name: string;
  /** Of its first collection. */
  created_at: Date;
}

/** A type is there while it has a collection; with `includeAll` also when a registry only says that it takes it. One more than the limit. */
export const listTypes = (
  db: Store,
  projectId: number,
  page: { name?: string | undefined; after?: string | null | undefined; limit: number; includeAll?: boolean },
): Promise<TypeRow[]> => {
  const used = db
    .selectFrom('artifact_collection')
    .select(['type as name', 'created_at'])
    .where('project_id', '=', projectId)
    .where('state', '=', 'READY');
  const taken = db
    .selectFrom('registry_artifact_type')
    .select(['name', 'created_at'])
    .where('project_id', '=', projectId);
  return db
    .selectFrom((page.includeAll ? used.unionAll(taken) : used).as('listed'))
    .select((eb) => ['listed.name', eb.fn.min<Date>('listed.created_at').as('created_at')])
    .$if(page.name !== undefined, (q) => q.where('listed.name', '=', page.name ?? ''))
    .$if(!!page.after, (q) => q.where('listed.name', '>', page.after ?? ''))
    .groupBy('listed.name')
    .orderBy('listed.name')
    .limit(page.limit + 1)
    .execute();
};

export const tagsOfCollections = (db: Store, ids: readonly number[]) =>
  db
    .selectFrom('artifact_collection_tag')
    .select(['collection_id', 'tag'])
    .where('collection_id', 'in', [...ids])
    .orderBy('tag')
    .execute();

/** Those that people gave, by name. One more than the limit. */
export const aliasesOfCollection = (
  db: Store,
  collectionId: number,
  page: { after?: string | null | undefined; limit: number },
) =>
  db
    .selectFrom('artifact_alias')
    .select(['collection_id', 'artifact_id', 'alias'])
    .where('collection_id', '=', collectionId)
    .$if(!!page.after, (q) => q.where('alias', '>', page.after ?? ''))
    .orderBy('alias')
    .limit(page.limit + 1)
    .execute();
