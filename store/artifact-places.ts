import { sql, type RawBuilder, type Selectable } from 'kysely';
import { versionIndexOf } from '../domain/job.js';
import { selectVersions, type VersionRow } from './artifact-versions.js';
import { behind, orderDirection, orderValue, type Order } from './keyset.js';
import type { Store } from './open.js';
import type { Schema } from './schema.js';

/** Versions by their places: in the sequence that they were logged to, and in the portfolios that they are linked into. */

export type PlaceRow = Selectable<Schema['artifact_membership']>;

/** By `vN` of this collection, or by alias. */
export async function placeNamed(db: Store, collectionId: number, alias: string): Promise<PlaceRow | undefined> {
  const index = versionIndexOf(alias);
  const places = db
    .selectFrom('artifact_membership')
    .selectAll('artifact_membership')
    .where('artifact_membership.collection_id', '=', collectionId);
  if (index !== undefined) return places.where('artifact_membership.version_index', '=', index).executeTakeFirst();
  return places
    .innerJoin('artifact_alias', (join) =>
      join
        .onRef('artifact_alias.collection_id', '=', 'artifact_membership.collection_id')
        .onRef('artifact_alias.artifact_id', '=', 'artifact_membership.artifact_id'),
    )
    .where('artifact_alias.alias', '=', alias)
    .executeTakeFirst();
}

export const versionsByIds = (db: Store, ids: readonly number[]): Promise<VersionRow[]> =>
  selectVersions(db)
    .where('artifact.id', 'in', [...ids])
    .execute();

/** Oldest first: its own sequence, then what it was linked into. */
export const placesOfVersions = (db: Store, ids: readonly number[]) =>
  db
    .selectFrom('artifact_membership')
    .innerJoin('artifact_collection', 'artifact_collection.id', 'artifact_membership.collection_id')
    .selectAll('artifact_membership')
    .select('artifact_collection.project_id')
    .where('artifact_membership.artifact_id', 'in', [...ids])
    .orderBy('artifact_membership.id')
    .execute();

export const aliasesOfVersions = (db: Store, ids: readonly number[]) =>
  db
    .selectFrom('artifact_alias')
    .innerJoin('artifact_collection', 'artifact_collection.id', 'artifact_alias.collection_id')
    .select([
      'artifact_alias.artifact_id',
      'artifact_alias.collection_id',
      'artifact_alias.alias',
      'artifact_collection.project_id',
    ])
    .where('artifact_alias.artifact_id', 'in', [...ids])
    .orderBy('artifact_alias.collection_id')
    .orderBy('artifact_alias.alias')
    .execute();

export const tagsOfVersions = (db: Store, ids: readonly number[]) =>
  db
    .selectFrom('artifact_tag')
    .select(['artifact_id', 'tag'])
    .where('artifact_id', 'in', [...ids])
    .orderBy('tag')
    .execute();

export const manifestsOfVersions = (db: Store, ids: readonly number[]) =>
  db
    .selectFrom('artifact_manifest')
    .selectAll()
    .where('artifact_id', 'in', [...ids])
    .where('current', '=', true)
    .orderBy('id')
    .execute();

/** A version in the list of a collection, with its index there. */
export interface ListedVersion extends VersionRow {
  place_index: number;
}

export const placeIndexOrder = (descending: boolean): Order => ({
  expression: sql`artifact_membership.version_index`,
  type: 'bigint',
  descending,
});

const committedIn = (db: Store, collectionId: number, where: RawBuilder<boolean> | undefined) =>
  selectVersions(db)
    .innerJoin('artifact_membership', 'artifact_membership.artifact_id', 'artifact.id')
    .select('artifact_membership.version_index as place_index')
    .where('artifact_membership.collection_id', '=', collectionId)
    .where('artifact.state', '=', 'COMMITTED')
    .$if(where !== undefined, (q) => q.where(where ?? sql<boolean>`true`));

/** One more than the limit, to see whether there are more. */
export const listVersions = (
  db: Store,
  collectionId: number,
  page: { where?: RawBuilder<boolean> | undefined; order: Order; after?: string | null | undefined; limit: number },
): Promise<(ListedVersion & { order_value: string })[]> => {
  const id = sql`artifact.id`;
  const direction = orderDirection(page.order);
  return committedIn(db, collectionId, page.where)
    .select(orderValue(page.order).as('order_value'))
    .$if(!!page.after, (q) => q.where(behind(page.order, id, page.after ?? '')))
    .orderBy(page.order.expression, direction)
    .orderBy(id, direction)
    .limit(page.limit + 1)
    .execute();
};

export async function countVersions(db: Store, collectionId: number, where?: RawBuilder<boolean>): Promise<number> {
  const row = await committedIn(db, collectionId, where)
    .clearSelect()
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow();
  return row.n;
}
