import { DavitError } from '../domain/errors.js';
import { lockCollectionById, setAliases } from './artifact-collections.js';
import type { CollectionRow } from './artifact-lists.js';
import type { Store } from './open.js';
import { inTransaction } from './transaction.js';

/** Changes to collections. */

export async function updateCollection(
  db: Store,
  collection: CollectionRow,
  changes: { name?: string; description?: string; type?: string },
): Promise<void> {
  const updated = await db
    .updateTable('artifact_collection')
    .set({ ...changes, updated_at: new Date() })
    .where('id', '=', collection.id)
    .where('state', '=', 'READY')
    .executeTakeFirst()
    .catch((error: unknown) => {
      // The index on names: somebody has this one.
      if ((error as { code?: unknown }).code === '23505')
        throw new DavitError('conflict', `There is a collection "${changes.name ?? ''}" in this project already.`);
      throw error;
    });
  if (updated.numUpdatedRows === 0n) throw new DavitError('not-found', 'This collection was deleted.');
}

export async function tagCollection(db: Store, collectionId: number, tags: readonly string[]): Promise<void> {
  if (tags.length === 0) return;
  await db
    .insertInto('artifact_collection_tag')
    .values([...new Set(tags)].map((tag) => ({ collection_id: collectionId, tag })))
    .onConflict((c) => c.columns(['collection_id', 'tag']).doNothing())
    .execute();
}

export async function untagCollection(db: Store, collectionId: number, tags: readonly string[]): Promise<void> {
  if (tags.length === 0) return;
  await db
    .deleteFrom('artifact_collection_tag')
    .where('collection_id', '=', collectionId)
    .where('tag', 'in', [...tags])
    .execute();
}

/**
 * Deletes a collection: a portfolio loses its links, a sequence its versions with all their links. Rows stay for whoever names them; the
 * name is free at once. False when it was deleted already.
 */
export const deleteCollection = (db: Store, collection: Pick<CollectionRow, 'id' | 'kind'>): Promise<boolean> =>
  inTransaction(db, async (tx) => {
    const isSequence = collection.kind === 'SEQUENCE';
    const own = tx.selectFrom('artifact').select('id').where('collection_id', '=', collection.id);
    // Before its links are read: whoever links one of its versions holds it as well.
    await lockCollectionById(tx, collection.id);
    const linked = isSequence
      ? await tx
          .selectFrom('artifact_collection')
          .select('id')
          .where('id', '!=', collection.id)
          .where('id', 'in', (eb) =>
            eb.selectFrom('artifact_membership').select('collection_id').where('artifact_id', 'in', own),
          )
          .orderBy('id')
          .forUpdate()
          .execute()
      : [];
    const done = await tx
      .updateTable('artifact_collection')
      .set({ state: 'DELETED', updated_at: new Date() })
      .where('id', '=', collection.id)
      .where('state', '=', 'READY')
      .executeTakeFirst();
    if (done.numUpdatedRows === 0n) return false;
    if (isSequence) {
      await tx
        .updateTable('artifact')
        .set({ state: 'DELETED', deleted_at: new Date(), updated_at: new Date(), expires_at: null })
        .where('collection_id', '=', collection.id)
        .where('state', '!=', 'DELETED')
        .execute();
      await tx.deleteFrom('artifact_alias').where('artifact_id', 'in', own).execute();
      await tx.deleteFrom('artifact_membership').where('artifact_id', 'in', own).execute();
      await tx.deleteFrom('artifact_tag').where('artifact_id', 'in', own).execute();
      await tx.deleteFrom('artifact_upload').where('artifact_id', 'in', own).execute();
      await tx.deleteFrom('artifact_file').where('artifact_id', 'in', own).execute();
      await tx.deleteFrom('artifact_reference').where('artifact_id', 'in', own).execute();
      await tx.updateTable('artifact_manifest').set({ current: false }).where('artifact_id', 'in', own).execute();
      for (const { id } of linked) await mendLatest(tx, id);
    }
    await tx.deleteFrom('artifact_alias').where('collection_id', '=', collection.id).execute();
    await tx.deleteFrom('artifact_membership').where('collection_id', '=', collection.id).execute();
    await tx.deleteFrom('artifact_collection_tag').where('collection_id', '=', collection.id).execute();
    return true;
  });

/** `latest` of a locked portfolio that lost links: the newest that is left. */
async function mendLatest(tx: Store, collectionId: number): Promise<void> {
  const latest = await tx
    .selectFrom('artifact_alias')
    .select('artifact_id')
    .where('collection_id', '=', collectionId)
    .where('alias', '=', 'latest')
    .executeTakeFirst();
  if (latest) return;
  const newest = await tx
    .selectFrom('artifact_membership')
    .select('artifact_id')
    .where('collection_id', '=', collectionId)
    .orderBy('version_index', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (newest) await setAliases(tx, collectionId, newest.artifact_id, ['latest']);
}
