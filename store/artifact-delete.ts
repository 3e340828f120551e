import { removePlace } from './artifact-collections.js';
import type { Store } from './open.js';
import { inTransaction } from './transaction.js';

/**
 * Deletes a version: its places and aliases everywhere, its files and uploads. Its row stays, for the launches, runs and other versions that
 * name it. The bytes are removed by the sweep, when no other version has them. False when it was deleted already.
 */
export async function deleteVersion(db: Store, artifactId: number): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    const collections = await tx
      .selectFrom('artifact')
      .leftJoin('artifact_membership as place', 'place.artifact_id', 'artifact.id')
      .select(['artifact.collection_id', 'place.collection_id as linked_id'])
      .where('artifact.id', '=', artifactId)
      .execute();
    const ids = new Set(collections.flatMap((row) => [row.collection_id, ...(row.linked_id ? [row.linked_id] : [])]));
    // In one order, so that two of these cannot wait for each other.
    const locked = await tx
      .selectFrom('artifact_collection')
      .select('id')
      .where('id', 'in', [...ids, 0])
      .orderBy('id')
      .forUpdate()
      .execute();
    const done = await tx
      .updateTable('artifact')
      .set({ state: 'DELETED', deleted_at: new Date(), updated_at: new Date(), expires_at: null })
      .where('id', '=', artifactId)
      .where('state', '!=', 'DELETED')
      .executeTakeFirst();
    if (done.numUpdatedRows === 0n) return false;
    for (const { id } of locked) await removePlace(tx, id, artifactId);
    await tx.deleteFrom('artifact_tag').where('artifact_id', '=', artifactId).execute();
    await tx.deleteFrom('artifact_upload').where('artifact_id', '=', artifactId).execute();
    await tx.deleteFrom('artifact_file').where('artifact_id', '=', artifactId).execute();
    await tx.deleteFrom('artifact_reference').where('artifact_id', '=', artifactId).execute();
    await tx.updateTable('artifact_manifest').set({ current: false }).where('artifact_id', '=', artifactId).execute();
    return true;
  });
}
