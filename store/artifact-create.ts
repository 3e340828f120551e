import { DavitError } from '../domain/errors.js';
import { lockCollection, lockCollectionById, setAliases, type LockedCollection } from './artifact-collections.js';
import type { Store } from './open.js';
import type { ArtifactState, DigestAlgorithm } from './schema.js';
import { inTransaction } from './transaction.js';

/** A version as a client announces it. */
export interface AnnouncedVersion {
  projectId: number;
  type: string;
  collection: string;
  /** Hex, over the sorted files. */
  digest: string;
  digestAlgorithm: DigestAlgorithm;
  /** False: a new version even when one with these files exists. */
  deduplicate: boolean;
  description: string;
  /** JSON text. */
  metadata: string;
  aliases: readonly string[];
  tags: readonly string[];
  clientId: string | undefined;
  sequenceClientId: string | undefined;
  /** Several processes that name the same one write one version. */
  distributedId: string | undefined;
  historyStep: number | undefined;
  storageRegion: string | undefined;
  /** See `artifact.ttl_seconds`. */
  ttlSeconds: number | null;
  runId: number | undefined;
  userId: number | undefined;
  createdBy: string;
}

export interface CreatedVersion {
  artifactId: number;
  state: ArtifactState;
}

/**
 * Finds or makes the version: the one of this client id (a retry), the pending one that several processes write, a committed one of the
 * same collection with the same digest (it gets the aliases), else a new pending one. Everything happens under the collection's lock, so
 * that a request and its retry, or two processes, cannot both make one.
 */
export async function createVersion(db: Store, wanted: AnnouncedVersion): Promise<CreatedVersion> {
  return inTransaction(db, async (tx) => {
    const collection = (await collectionOfClient(tx, wanted)) ?? (await lockCollection(tx, wanted));
    const known = await versionOfClient(tx, wanted);
    // Aliases were given to it when it came first; giving them again would take them from what came since.
    if (known) return known;
    const found =
      wanted.distributedId === undefined
        ? await sameContent(tx, collection, wanted)
        : await shared(tx, collection, wanted, wanted.distributedId);
    const version = found ?? (await insertVersion(tx, collection, wanted));
    if (wanted.clientId !== undefined)
      await tx
        .insertInto('artifact_client_id')
        .values({ project_id: wanted.projectId, client_id: wanted.clientId, artifact_id: version.artifactId })
        .onConflict((c) => c.columns(['client_id', 'project_id']).doUpdateSet({ artifact_id: version.artifactId }))
        .execute();
    if (wanted.sequenceClientId !== undefined)
      await tx
        .insertInto('artifact_sequence_client_id')
        .values({ project_id: wanted.projectId, client_id: wanted.sequenceClientId, collection_id: collection.id })
        .onConflict((c) => c.columns(['client_id', 'project_id']).doUpdateSet({ collection_id: collection.id }))
        .execute();
    await addTags(tx, version.artifactId, wanted.tags);
    return version;
  });
}

/** The collection that this client knows by an id of its own, unless it is gone or of another kind by now. */
async function collectionOfClient(tx: Store, wanted: AnnouncedVersion): Promise<LockedCollection | undefined> {
  if (wanted.sequenceClientId === undefined) return undefined;
  const known = await tx
    .selectFrom('artifact_sequence_client_id')
    .select('collection_id')
    .where('client_id', '=', wanted.sequenceClientId)
    .where('project_id', '=', wanted.projectId)
    .executeTakeFirst();
  const collection = known && (await lockCollectionById(tx, known.collection_id));
  return collection?.type === wanted.type && collection.kind === 'SEQUENCE' ? collection : undefined;
}

async function versionOfClient(tx: Store, wanted: AnnouncedVersion): Promise<CreatedVersion | undefined> {
  if (wanted.clientId === undefined) return undefined;
  const row = await tx
    .selectFrom('artifact_client_id as client')
    .innerJoin('artifact', 'artifact.id', 'client.artifact_id')
    .select(['artifact.id', 'artifact.state'])
    .where('client.client_id', '=', wanted.clientId)
    .where('client.project_id', '=', wanted.projectId)
    .executeTakeFirst();
  return row && row.state !== 'DELETED' ? { artifactId: row.id, state: row.state } : undefined;
}

async function sameContent(
  tx: Store,
  collection: LockedCollection,
  wanted: AnnouncedVersion,
): Promise<CreatedVersion | undefined> {
  if (!wanted.deduplicate || wanted.digest === '') return undefined;
  const newest = await tx
    .selectFrom('artifact')
    .select(['id', 'digest', 'manifest_type'])
    .where('collection_id', '=', collection.id)
    .where('state', '=', 'COMMITTED')
    .orderBy('version_index', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!newest) return undefined;
  // An increment's digest says nothing of the whole that it makes: an older version with just these files is another one.
  if (newest.manifest_type === 'INCREMENTAL' && newest.digest !== wanted.digest) return undefined;
  const same = await tx
    .selectFrom('artifact')
    .select('id')
    .where('collection_id', '=', collection.id)
    .where('digest', '=', wanted.digest)
    .where('digest_algorithm', '=', wanted.digestAlgorithm)
    .where('state', '=', 'COMMITTED')
    .orderBy('version_index', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!same) return undefined;
  await setAliases(tx, collection.id, same.id, wanted.aliases);
  return { artifactId: same.id, state: 'COMMITTED' };
}

async function shared(
  tx: Store,
  collection: LockedCollection,
  wanted: AnnouncedVersion,
  distributedId: string,
): Promise<CreatedVersion | undefined> {
  const row = await tx
    .selectFrom('artifact')
    .select(['id', 'wanted_aliases'])
    .where('collection_id', '=', collection.id)
    .where('distributed_id', '=', distributedId)
    .where('state', '=', 'PENDING')
    .executeTakeFirst();
  if (!row) return undefined;
  await tx
    .updateTable('artifact')
    .set({
      wanted_aliases: [...new Set([...row.wanted_aliases, ...wanted.aliases])],
      updated_at: new Date(),
      ...(wanted.metadata === '{}' ? {} : { metadata: wanted.metadata }),
      ...(wanted.description === '' ? {} : { description: wanted.description }),
    })
    .where('id', '=', row.id)
    .execute();
  return { artifactId: row.id, state: 'PENDING' };
}

async function insertVersion(
  tx: Store,
  collection: LockedCollection,
  wanted: AnnouncedVersion,
): Promise<CreatedVersion> {
  const { id } = await tx
    .insertInto('artifact')
    .values({
      collection_id: collection.id,
      state: 'PENDING',
      digest: wanted.digest,
      client_digest: wanted.digest,
      digest_algorithm: wanted.digestAlgorithm,
      description: wanted.description,
      metadata: wanted.metadata,
      wanted_aliases: [...new Set(wanted.aliases)],
      distributed_id: wanted.distributedId ?? null,
      history_step: wanted.historyStep ?? null,
      storage_region: wanted.storageRegion ?? null,
      ttl_seconds: wanted.ttlSeconds,
      run_id: wanted.runId ?? null,
      user_id: wanted.userId ?? null,
      created_by: wanted.createdBy,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return { artifactId: id, state: 'PENDING' };
}

async function addTags(tx: Store, artifactId: number, tags: readonly string[]): Promise<void> {
  if (tags.length === 0) return;
  await tx
    .insertInto('artifact_tag')
    .values([...new Set(tags)].map((tag) => ({ artifact_id: artifactId, tag })))
    .onConflict((c) => c.doNothing())
    .execute();
}

/** Locked, for whoever adds to it. Throws when nothing may be added any more. */
export async function lockPendingVersion(tx: Store, artifactId: number): Promise<void> {
  const row = await tx
    .selectFrom('artifact')
    .select('state')
    .where('id', '=', artifactId)
    .forUpdate()
    .executeTakeFirst();
  if (row?.state !== 'PENDING')
    throw new DavitError(
      'conflict',
      row?.state === 'COMMITTED'
        ? 'This version of the artifact is complete: nothing can be added to it.'
        : 'This version of the artifact was deleted, or given up because nobody went on with its upload.',
    );
  await tx.updateTable('artifact').set({ updated_at: new Date() }).where('id', '=', artifactId).execute();
}
