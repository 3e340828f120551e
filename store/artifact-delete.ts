import { lockCollectionsOf, removePlace } from './artifact-collections.js';
import type { Store } from './open.js';
import { inTransaction } from './transaction.js';

/**
 * Deletes a version: its places and aliases everywhere, its files and uploads. Its row stays, for the launches, runs and other versions that
 * name it. The bytes are removed by the sweep, when no other version has them. False when it was deleted already.
 */
export async function deleteVersion(db: Store, artifactId: number): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    const collections = await lockCollectionsOf(tx, artifactId);
    const done = await tx
      .updateTable('artifact')
      .set({ state: 'DELETED', deleted_at: new Date(), updated_at: new Date(), expires_at: null })
      .where('id', '=', artifactId)
      .where('state', '!=', 'DELETED')
      .executeTakeFirst();
    if (done.numUpdatedRows === 0n) return false;
    for (const id of collections) await removePlace(tx, id, artifactId);
    await tx.deleteFrom('artifact_tag').where('artifact_id', '=', artifactId).execute();
    await tx.deleteFrom('artifact_upload').where('artifact_id', '=', artifactId).execute();
    await tx.deleteFrom('artifact_file').where('artifact_id', '=', artifactId).execute();
    await tx.deleteFrom('artifact_reference').where('artifact_id', '=', artifactId).execute();
    await tx.updateTable('artifact_manifest').set({ current: false }).where('artifact_id', '=', artifactId).execute();
    return true;
  });
}
