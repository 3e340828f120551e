import { DavitError } from '../domain/errors.js';
import type { CollectionKind } from './schema.js';
import type { Store } from './open.js';

/** Collections of versions, and the places and aliases that versions have in them. */

export interface LockedCollection {
  id: number;
  type: string;
  kind: CollectionKind;
  next_index: number;
}

/**
 * Made if absent, and locked: whatever changes the places and aliases of a collection does it under this lock, one after another. In a
 * transaction only.
 */
export async function lockCollection(
  tx: Store,
  wanted: { projectId: number; type: string; collection: string; kind?: CollectionKind },
): Promise<LockedCollection> {
  const kind = wanted.kind ?? 'SEQUENCE';
  await tx
    .insertInto('artifact_collection')
    .values({ project_id: wanted.projectId, type: wanted.type, name: wanted.collection, kind })
    .onConflict((c) => c.columns(['project_id', 'name']).where('state', '=', 'READY').doNothing())
    .execute();
  const row = await tx
    .selectFrom('artifact_collection')
    .select(['id', 'type', 'kind', 'next_index'])
    .where('project_id', '=', wanted.projectId)
    .where('name', '=', wanted.collection)
    .where('state', '=', 'READY')
    .forUpdate()
    .executeTakeFirstOrThrow();
  if (row.type !== wanted.type)
    throw new DavitError('conflict', `"${wanted.collection}" exists already as an artifact of type ${row.type}.`);
  if (row.kind !== kind)
    throw new DavitError(
      'conflict',
      row.kind === 'PORTFOLIO'
        ? `"${wanted.collection}" is a collection of links: versions are logged elsewhere and linked into it.`
        : `"${wanted.collection}" is a collection that versions are logged to: nothing can be linked into it.`,
    );
  return row;
}

/** The same by its number. Undefined when it is gone. */
export const lockCollectionById = (tx: Store, id: number): Promise<LockedCollection | undefined> =>
  tx
    .selectFrom('artifact_collection')
    .select(['id', 'type', 'kind', 'next_index'])
    .where('id', '=', id)
    .where('state', '=', 'READY')
    .forUpdate()
    .executeTakeFirst();

/**
 * Locks every collection that the version has a place in and gives their ids. Its own sequence comes first: whoever links the version holds that
 * too, so what is read after it stays so. Sequences before portfolios, then by id, is the order of all who lock several.
 */
export async function lockCollectionsOf(tx: Store, artifactId: number): Promise<number[]> {
  const own = await tx
    .selectFrom('artifact_collection')
    .select('id')
    .where('id', '=', (eb) => eb.selectFrom('artifact').select('collection_id').where('artifact.id', '=', artifactId))
    .forUpdate()
    .executeTakeFirst();
  if (!own) return [];
  const linked = await tx
    .selectFrom('artifact_collection')
    .select('id')
    .where('id', '!=', own.id)
    .where('id', 'in', (eb) =>
      eb.selectFrom('artifact_membership').select('collection_id').where('artifact_id', '=', artifactId),
    )
    .orderBy('id')
    .forUpdate()
    .execute();
  return [own.id, ...linked.map((row) => row.id)];
}

/** Gives the version a place in the locked collection and counts on; the place that it has already stays. */
export async function placeVersion(
  tx: Store,
  collection: LockedCollection,
  artifactId: number,
): Promise<{ membershipId: number; versionIndex: number; created: boolean }> {
  const there = await tx
    .selectFrom('artifact_membership')
    .select(['id', 'version_index'])
    .where('collection_id', '=', collection.id)
    .where('artifact_id', '=', artifactId)
    .executeTakeFirst();
  if (there) return { membershipId: there.id, versionIndex: there.version_index, created: false };
  const versionIndex = collection.next_index;
  const { id } = await tx
    .insertInto('artifact_membership')
    .values({ collection_id: collection.id, artifact_id: artifactId, version_index: versionIndex })
    .returning('id')
    .executeTakeFirstOrThrow();
  await tx
    .updateTable('artifact_collection')
    .set({ next_index: versionIndex + 1, updated_at: new Date() })
    .where('id', '=', collection.id)
    .execute();
  return { membershipId: id, versionIndex, created: true };
}

/** Moves aliases to a version that has its place in the locked collection. */
export async function setAliases(
  tx: Store,
  collectionId: number,
  artifactId: number,
  aliases: readonly string[],
): Promise<void> {
  if (aliases.length === 0) return;
  await tx
    .insertInto('artifact_alias')
    .values([...new Set(aliases)].map((alias) => ({ collection_id: collectionId, alias, artifact_id: artifactId })))
    .onConflict((c) =>
      c.columns(['collection_id', 'alias']).doUpdateSet({ artifact_id: artifactId, created_at: new Date() }),
    )
    .execute();
}

/** Takes the version out of the locked collection, with its aliases; `latest` goes to the newest that is left. */
export async function removePlace(tx: Store, collectionId: number, artifactId: number): Promise<void> {
  const lost = await tx
    .deleteFrom('artifact_alias')
    .where('collection_id', '=', collectionId)
    .where('artifact_id', '=', artifactId)
    .returning('alias')
    .execute();
  await tx
    .deleteFrom('artifact_membership')
    .where('collection_id', '=', collectionId)
    .where('artifact_id', '=', artifactId)
    .execute();
  if (!lost.some((row) => row.alias === 'latest')) return;
  const newest = await tx
    .selectFrom('artifact_membership')
    .select('artifact_id')
    .where('collection_id', '=', collectionId)
    .orderBy('version_index', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (newest) await setAliases(tx, collectionId, newest.artifact_id, ['latest']);
}
