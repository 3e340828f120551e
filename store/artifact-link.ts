import { DavitError } from '../domain/errors.js';
import { lockCollection, lockCollectionById, placeVersion, setAliases } from './artifact-collections.js';
import type { PlaceRow } from './artifact-places.js';
import type { VersionRow } from './artifact-versions.js';
import type { Store } from './open.js';
import { holdRegistry } from './registries.js';
import { inTransaction } from './transaction.js';

/**
 * Gives a version a place in a portfolio, which is made if there is none. The version that was linked last is the portfolio's `latest`;
 * linking one again only adds aliases. What is linked does not expire any more.
 */
export const linkVersion = (
  db: Store,
  version: VersionRow,
  target: { projectId: number; portfolio: string; aliases: readonly string[] },
): Promise<PlaceRow> =>
  inTransaction(db, async (tx) => {
    await holdRegistry(tx, target.projectId, version.type);
    // Whoever deletes the version begins there too, so it cannot be deleted in between, nor keep a place after it was.
    await lockCollectionById(tx, version.collection_id);
    const collection = await lockCollection(tx, {
      projectId: target.projectId,
      type: version.type,
      collection: target.portfolio,
      kind: 'PORTFOLIO',
    });
    const there = await tx
      .updateTable('artifact')
      .set((eb) => ({
        expires_at: null,
        ttl_seconds: eb.case().when('expires_at', 'is', null).then(eb.ref('ttl_seconds')).else(-2).end(),
      }))
      .where('id', '=', version.id)
      .where('state', '=', 'COMMITTED')
      .executeTakeFirst();
    if (there.numUpdatedRows === 0n)
      throw new DavitError('conflict', 'Only a version that is committed, and not deleted, can be linked.');
    const { membershipId, created } = await placeVersion(tx, collection, version.id);
    await setAliases(tx, collection.id, version.id, [...(created ? ['latest'] : []), ...target.aliases]);
    return tx.selectFrom('artifact_membership').selectAll().where('id', '=', membershipId).executeTakeFirstOrThrow();
  });
