import { DavitError } from '../domain/errors.js';
import { lockCollectionsOf, removePlace, setAliases } from './artifact-collections.js';
import { deleteVersion } from './artifact-delete.js';
import type { VersionRow } from './artifact-versions.js';
import type { Store } from './open.js';
import { inTransaction } from './transaction.js';

/** Changes to committed versions: what is said about them, their aliases, their end. */

export interface VersionChanges {
  description?: string;
  metadata?: string;
  /** Seconds after it was made; null: inherited; -2: never. */
  ttlSeconds?: number | null;
  tagsToAdd: readonly string[];
  tagsToDelete: readonly string[];
}

export async function updateVersion(db: Store, version: VersionRow, changes: VersionChanges): Promise<void> {
  const { description, metadata, ttlSeconds, tagsToAdd, tagsToDelete } = changes;
  await inTransaction(db, async (tx) => {
    const done = await tx
      .updateTable('artifact')
      .set({
        updated_at: new Date(),
        ...(description === undefined ? {} : { description }),
        ...(metadata === undefined ? {} : { metadata }),
        ...(ttlSeconds === undefined
          ? {}
          : { ttl_seconds: ttlSeconds, expires_at: expiry(version.created_at, ttlSeconds) }),
      })
      .where('id', '=', version.id)
      .where('state', '!=', 'DELETED')
      .executeTakeFirst();
    if (done.numUpdatedRows === 0n) throw new DavitError('not-found', 'This version was deleted.');
    if (tagsToDelete.length > 0)
      await tx
        .deleteFrom('artifact_tag')
        .where('artifact_id', '=', version.id)
        .where('tag', 'in', [...tagsToDelete])
        .execute();
    if (tagsToAdd.length > 0)
      await tx
        .insertInto('artifact_tag')
        .values([...new Set(tagsToAdd)].map((tag) => ({ artifact_id: version.id, tag })))
        .onConflict((c) => c.columns(['artifact_id', 'tag']).doNothing())
        .execute();
  });
}

const expiry = (createdAt: Date, ttlSeconds: number | null): Date | null =>
  ttlSeconds === null || ttlSeconds <= 0 ? null : new Date(createdAt.getTime() + ttlSeconds * 1000);

/** Locks collections in one order, so that two changes cannot wait for each other; gives those that are still there. */
async function lockAll(tx: Store, ids: readonly number[]): Promise<Set<number>> {
  const rows = await tx
    .selectFrom('artifact_collection')
    .select('id')
    .where('id', 'in', [...ids, 0])
    .where('state', '=', 'READY')
    // Sequences first.
    .orderBy('kind', 'desc')
    .orderBy('id')
    .forUpdate()
    .execute();
  return new Set(rows.map((row) => row.id));
}

export interface AliasesOfCollection {
  collectionId: number;
  aliases: readonly string[];
}

/** All or none. Throws `not-found` when the version has no place in one of the collections. */
export const addAliases = (db: Store, artifactId: number, wanted: readonly AliasesOfCollection[]): Promise<void> =>
  inTransaction(db, async (tx) => {
    const ids = wanted.map((one) => one.collectionId);
    const there = await lockAll(tx, ids);
    const places = await tx
      .selectFrom('artifact_membership')
      .select('collection_id')
      .where('artifact_id', '=', artifactId)
      .where('collection_id', 'in', [...ids, 0])
      .execute();
    const placed = new Set(places.map((row) => row.collection_id));
    for (const { collectionId, aliases } of wanted) {
      if (!there.has(collectionId) || !placed.has(collectionId))
        throw new DavitError('not-found', 'The version is not in the collection whose alias it should have.');
      await setAliases(tx, collectionId, artifactId, aliases);
    }
  });

/** Takes away those that the version has; others are left where they are. */
export const removeAliases = (db: Store, artifactId: number, unwanted: readonly AliasesOfCollection[]): Promise<void> =>
  inTransaction(db, async (tx) => {
    await lockAll(
      tx,
      unwanted.map((one) => one.collectionId),
    );
    for (const { collectionId, aliases } of unwanted)
      await tx
        .deleteFrom('artifact_alias')
        .where('collection_id', '=', collectionId)
        .where('artifact_id', '=', artifactId)
        .where('alias', 'in', [...aliases, ''])
        .execute();
  });

/** The version has these aliases in this collection, and no others. */
export const replaceAliases = (
  db: Store,
  artifactId: number,
  { collectionId, aliases }: AliasesOfCollection,
): Promise<void> =>
  inTransaction(db, async (tx) => {
    await addAliases(tx, artifactId, [{ collectionId, aliases }]);
    await tx
      .deleteFrom('artifact_alias')
      .where('collection_id', '=', collectionId)
      .where('artifact_id', '=', artifactId)
      .where('alias', 'not in', [...aliases, ''])
      .execute();
  });

/**
 * Deletes a version for good. While it has aliases it is refused, unless they may go with it: somebody relies on the name.
 * False when it was deleted already.
 */
export const deleteVersionUnlessNamed = (
  db: Store,
  artifactId: number,
  { withAliases }: { withAliases: boolean },
): Promise<boolean> =>
  inTransaction(db, async (tx) => {
    await lockCollectionsOf(tx, artifactId);
    if (!withAliases) {
      const named = await tx
        .selectFrom('artifact_alias')
        .select('alias')
        .where('artifact_id', '=', artifactId)
        .orderBy('alias')
        .limit(10)
        .execute();
      if (named.length > 0)
        throw new DavitError(
          'conflict',
          `This version has aliases (${named.map((row) => row.alias).join(', ')}): remove them first, or delete it with delete_aliases=True.`,
        );
    }
    return deleteVersion(tx, artifactId);
  });

/** Takes a version out of a portfolio. False when it is not in it. */
export const unlinkVersion = (db: Store, artifactId: number, portfolioId: number): Promise<boolean> =>
  inTransaction(db, async (tx) => {
    await lockAll(tx, [portfolioId]);
    const place = await tx
      .selectFrom('artifact_membership')
      .select('id')
      .where('artifact_id', '=', artifactId)
      .where('collection_id', '=', portfolioId)
      .executeTakeFirst();
    if (!place) return false;
    await removePlace(tx, portfolioId, artifactId);
    return true;
  });
