import { manifestDigest } from '../domain/digests.js';
import { versionIndexOf } from '../domain/job.js';
import { lockCollection, placeVersion, setAliases } from './artifact-collections.js';
import type { Store } from './open.js';
import { inTransaction } from './transaction.js';

/** Versioned sets of files. Files lie in blobs under their content's hash, so versions share what did not change. */

export interface ArtifactFile {
  path: string;
  /** Base64, as in manifests. */
  md5: string;
  size: number;
  blobKey: string;
}

export interface NewArtifact {
  projectId: number;
  type: string;
  collection: string;
  description?: string;
  files: readonly ArtifactFile[];
  metadata: Record<string, unknown>;
  /** Besides `latest`. */
  aliases: readonly string[];
  createdBy: string;
}

export interface CommittedArtifact {
  artifactId: number;
  versionIndex: number;
  digest: string;
  /** False: a version with these very files existed; it got the aliases. */
  created: boolean;
  /** The collection had no version before. */
  first: boolean;
}

/** Adds a version to a collection, or finds the one that has the same files, and moves `latest` and the aliases to it. */
export async function commitArtifact(db: Store, artifact: NewArtifact): Promise<CommittedArtifact> {
  const digest = manifestDigest(artifact.files);
  return inTransaction(db, async (tx) => {
    const collection = await lockCollection(tx, artifact);
    const same = await tx
      .selectFrom('artifact')
      .select(['id', 'version_index'])
      .where('collection_id', '=', collection.id)
      .where('digest', '=', digest)
      .where('state', '=', 'COMMITTED')
      .orderBy('version_index', 'desc')
      .limit(1)
      .executeTakeFirst();
    let id = same?.id;
    const first = collection.next_index === 0;
    const versionIndex = same?.version_index ?? collection.next_index;
    if (id === undefined) {
      const row = await tx
        .insertInto('artifact')
        .values({
          collection_id: collection.id,
          version_index: versionIndex,
          state: 'COMMITTED',
          digest,
          client_digest: digest,
          description: artifact.description ?? '',
          metadata: JSON.stringify(artifact.metadata),
          size: artifact.files.reduce((sum, file) => sum + file.size, 0),
          file_count: artifact.files.length,
          created_by: artifact.createdBy,
          committed_at: new Date(),
        })
        .returning('id')
        .executeTakeFirstOrThrow();
      id = row.id;
      await insertFiles(tx, id, artifact.files);
      await placeVersion(tx, collection, id);
    }
    await setAliases(tx, collection.id, id, ['latest', ...artifact.aliases]);
    return { artifactId: id, versionIndex, digest, created: same === undefined, first };
  });
}

async function insertFiles(tx: Store, artifactId: number, files: readonly ArtifactFile[]): Promise<void> {
  // 1,000 rows a statement: the protocol allows 65,535 parameters.
  for (let at = 0; at < files.length; at += 1_000) {
    const some = files.slice(at, at + 1_000);
    const keys = new Map(some.map((file) => [file.blobKey, file.size]));
    await tx
      .insertInto('blob')
      .values([...keys].map(([key, size]) => ({ key, size })))
      .onConflict((c) => c.column('key').doNothing())
      .execute();
    await tx
      .insertInto('artifact_file')
      .values(
        some.map((file) => ({
          artifact_id: artifactId,
          path: file.path,
          md5: file.md5,
          size: file.size,
          blob_key: file.blobKey,
        })),
      )
      .execute();
  }
}

export const artifactFiles = (db: Store, artifactId: number) =>
  db
    .selectFrom('artifact_file')
    .select(['path', 'md5', 'size', 'blob_key'])
    .where('artifact_id', '=', artifactId)
    .orderBy('path')
    .execute();

export const artifactById = (db: Store, id: number) =>
  db
    .selectFrom('artifact')
    .innerJoin('artifact_collection', 'artifact_collection.id', 'artifact.collection_id')
    .innerJoin('project', 'project.id', 'artifact_collection.project_id')
    .selectAll('artifact')
    .select([
      'artifact_collection.name as collection',
      'artifact_collection.type',
      'project.id as project_id',
      'project.entity_id',
    ])
    .where('artifact.id', '=', id)
    .executeTakeFirst();

/** A committed version by `vN` or alias. */
export async function artifactByAlias(
  db: Store,
  collectionId: number,
  alias: string,
): Promise<{ id: number } | undefined> {
  const index = versionIndexOf(alias);
  const committed = db
    .selectFrom('artifact')
    .select('artifact.id')
    .where('artifact.collection_id', '=', collectionId)
    .where('artifact.state', '=', 'COMMITTED');
  return index === undefined
    ? committed
        .innerJoin('artifact_alias', 'artifact_alias.artifact_id', 'artifact.id')
        .where('artifact_alias.alias', '=', alias)
        .executeTakeFirst()
    : committed.where('artifact.version_index', '=', index).executeTakeFirst();
}

export const collectionByName = (db: Store, projectId: number, type: string, name: string) =>
  db
    .selectFrom('artifact_collection')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('type', '=', type)
    .where('name', '=', name)
    .where('state', '=', 'READY')
    .executeTakeFirst();

/** Committed versions, newest first, each with its aliases. */
export async function versionsOf(
  db: Store,
  collectionId: number,
  page: { belowIndex?: number | undefined; limit: number },
) {
  const versions = await db
    .selectFrom('artifact')
    .select([
      'id',
      'version_index',
      'digest',
      'description',
      'size',
      'file_count',
      'created_by',
      'created_at',
      'metadata',
    ])
    .where('collection_id', '=', collectionId)
    .where('state', '=', 'COMMITTED')
    .$if(page.belowIndex !== undefined, (q) => q.where('version_index', '<', page.belowIndex ?? 0))
    .orderBy('version_index', 'desc')
    .limit(page.limit)
    .execute();
  const aliases = await db
    .selectFrom('artifact_alias')
    .select(['alias', 'artifact_id'])
    .where('collection_id', '=', collectionId)
    .orderBy('alias')
    .execute();
  return versions.map((version) => ({
    ...version,
    aliases: aliases.filter((row) => row.artifact_id === version.id).map((row) => row.alias),
  }));
}
