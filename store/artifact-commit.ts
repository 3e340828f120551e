import {
  emptyManifest,
  isReference,
  mergeManifests,
  type Manifest,
  type ManifestEntry,
} from '../domain/artifact-manifest.js';
import { isVersionAlias } from '../domain/artifact-names.js';
import { manifestDigest } from '../domain/digests.js';
import { DavitError } from '../domain/errors.js';
import { lockCollectionById, placeVersion, setAliases } from './artifact-collections.js';
import { locateContents, type Located } from './artifact-contents.js';
import { manifestBlob } from './artifact-entries.js';
import { manifestName, readManifest, storeManifest } from './artifact-manifests.js';
import { versionById, type VersionRow } from './artifact-versions.js';
import { audit } from './audit.js';
import type { Blobs } from './blobs/blobs.js';
import type { Store } from './open.js';
import type { ManifestType } from './schema.js';

interface CommitDeps {
  db: Store;
  blobs: Blobs;
  /** May whoever commits read the files of this version? Manifests name versions of other projects. */
  mayRead(version: VersionRow): Promise<boolean>;
  /** Of a version that no run made this leaves an audit event. */
  actor: string;
}

/**
 * Makes a version visible: merges its manifests, finds the bytes of every file, and only then, in one transaction, gives it its number, its
 * files and its aliases. Committing again changes nothing. Until the transaction nothing of it can be seen, after it everything.
 */
export async function commitVersion(deps: CommitDeps, artifactId: number): Promise<VersionRow> {
  const { db, blobs } = deps;
  const version = await versionById(db, artifactId);
  if (!version) throw new DavitError('not-found', 'There is no such artifact.');
  if (version.state === 'COMMITTED') return version;
  if (version.state === 'DELETED')
    throw new DavitError(
      'conflict',
      'This version of the artifact was deleted, or given up because nobody went on with its upload.',
    );

  const { manifest, type, rowId } = await wholeManifest(deps, version);
  const { files, references } = split(manifest);
  const located = await locateContents(deps, version, files);
  const merged = type === 'FULL' ? undefined : await storeManifest(blobs, artifactId, manifest);
  const digest = merged ? manifestDigest(entriesOf(manifest)) : version.digest;
  const size = [...manifest.contents.values()].reduce((sum, entry) => sum + (entry.size ?? 0), 0);

  await db.transaction().execute(async (tx) => {
    const collection = await lockCollectionById(tx, version.collection_id);
    if (!collection) throw new DavitError('conflict', `The collection "${version.collection}" was deleted meanwhile.`);
    const row = await tx
      .selectFrom('artifact')
      .select(['state', 'wanted_aliases', 'ttl_seconds', 'created_at'])
      .where('id', '=', artifactId)
      .forUpdate()
      .executeTakeFirstOrThrow();
    if (row.state === 'COMMITTED') return;
    if (row.state !== 'PENDING')
      throw new DavitError('conflict', 'This version of the artifact was deleted meanwhile.');
    await holdBlobs(tx, located);
    const { versionIndex } = await placeVersion(tx, collection, artifactId);
    await insertFiles(tx, artifactId, located);
    await insertReferences(tx, artifactId, references);
    await tx.deleteFrom('artifact_upload').where('artifact_id', '=', artifactId).execute();
    if (merged)
      await tx
        .insertInto('artifact_manifest')
        .values({
          artifact_id: artifactId,
          name: manifestName,
          type: 'FULL',
          digest: merged.digest,
          blob_key: merged.blobKey,
          size: merged.size,
          current: true,
        })
        .execute();
    else await tx.updateTable('artifact_manifest').set({ current: true }).where('id', '=', rowId).execute();
    await tx
      .updateTable('artifact')
      .set({
        state: 'COMMITTED',
        version_index: versionIndex,
        digest,
        size,
        file_count: located.length + references.length,
        manifest_type: type,
        committed_at: new Date(),
        updated_at: new Date(),
        expires_at: expiryOf(row.created_at, row.ttl_seconds),
      })
      .where('id', '=', artifactId)
      .execute();
    await setAliases(tx, collection.id, artifactId, [
      'latest',
      ...row.wanted_aliases.filter((alias) => !isVersionAlias(alias)),
    ]);
    if (version.run_id === null)
      await audit(tx, {
        actor: deps.actor,
        action: 'artifact.create',
        subject: `artifact/${version.entity_name}/${version.project_name}/${version.collection}:v${versionIndex}`,
      });
  });
  const committed = await versionById(db, artifactId);
  if (!committed) throw new Error(`artifact ${artifactId} vanished while it was committed`);
  return committed;
}

/** When a version of this age limit expires; null: never. */
const expiryOf = (createdAt: Date, ttlSeconds: number | null): Date | null =>
  ttlSeconds === null || ttlSeconds <= 0 ? null : new Date(createdAt.getTime() + ttlSeconds * 1000);

/** What the uploaded manifests say together. Those without a digest were announced and not gone on with. */
async function wholeManifest(
  deps: CommitDeps,
  version: VersionRow,
): Promise<{ manifest: Manifest; type: ManifestType; rowId: number }> {
  const rows = await deps.db
    .selectFrom('artifact_manifest')
    .selectAll()
    .where('artifact_id', '=', version.id)
    .where('digest', '!=', '')
    .orderBy('id')
    .execute();
  const last = rows.at(-1);
  if (!last) throw incomplete('Its manifest was not announced.');
  if (last.type !== 'PATCH') {
    const read = await readManifest(deps.blobs, last);
    if (!read) throw incomplete('Its manifest was not uploaded.');
    const base = last.type === 'INCREMENTAL' ? await baseManifest(deps, last.base_artifact_id) : emptyManifest();
    return { manifest: mergeManifests(base, read.manifest), type: last.type, rowId: last.id };
  }
  // Several processes wrote a part each. One that died before its manifest was here has contributed nothing.
  let manifest = emptyManifest();
  let parts = 0;
  for (const row of rows) {
    const read = await readManifest(deps.blobs, row);
    if (!read) continue;
    manifest = mergeManifests(manifest, read.manifest);
    parts += 1;
  }
  if (parts === 0) throw incomplete('None of its manifests was uploaded.');
  return { manifest, type: 'PATCH', rowId: last.id };
}

async function baseManifest(deps: CommitDeps, baseId: number | null): Promise<Manifest> {
  if (baseId === null) return emptyManifest();
  const base = await versionById(deps.db, baseId);
  if (base?.state !== 'COMMITTED' || !(await deps.mayRead(base)))
    throw new DavitError('not-found', 'The version that this one adds to does not exist any more.');
  const { key, digest } = await manifestBlob(deps.db, deps.blobs, base);
  const read = await readManifest(deps.blobs, { blob_key: key, digest });
  if (!read) throw new Error(`the manifest of artifact ${baseId} is not in the storage`);
  return read.manifest;
}

function split(manifest: Manifest): Record<'files' | 'references', [string, ManifestEntry][]> {
  const all = [...manifest.contents];
  return {
    files: all.filter(([, entry]) => !isReference(entry)),
    references: all.filter(([, entry]) => isReference(entry)),
  };
}

const entriesOf = (manifest: Manifest) => [...manifest.contents].map(([path, { digest }]) => ({ path, md5: digest }));

/** They were there a moment ago; from here to the end of the transaction the sweep cannot take them. */
async function holdBlobs(tx: Store, located: readonly Located[]): Promise<void> {
  const keys = [...new Set(located.filter((file) => file.counted).map((file) => file.blobKey))];
  for (let at = 0; at < keys.length; at += 10_000) {
    const some = keys.slice(at, at + 10_000);
    const held = await tx
      .selectFrom('artifact_blob')
      .select('key')
      .where('key', 'in', some)
      .where('removing', '=', false)
      .orderBy('key')
      .forShare()
      .execute();
    if (held.length !== some.length)
      throw incomplete('Files that it shares with another version were deleted meanwhile.');
  }
}

async function insertFiles(tx: Store, artifactId: number, located: readonly Located[]): Promise<void> {
  for (let at = 0; at < located.length; at += 5_000)
    await tx
      .insertInto('artifact_file')
      .values(
        located.slice(at, at + 5_000).map((file) => ({
          artifact_id: artifactId,
          path: file.path,
          md5: file.md5,
          size: file.size,
          blob_key: file.blobKey,
          birth_artifact_id: file.birthArtifactId,
        })),
      )
      .execute();
}

async function insertReferences(tx: Store, artifactId: number, references: readonly [string, ManifestEntry][]) {
  for (let at = 0; at < references.length; at += 5_000)
    await tx
      .insertInto('artifact_reference')
      .values(
        references.slice(at, at + 5_000).map(([path, entry]) => ({
          artifact_id: artifactId,
          path,
          ref: entry.ref ?? '',
          digest: entry.digest,
          size: entry.size ?? null,
        })),
      )
      .execute();
}

const incomplete = (sentence: string): DavitError =>
  new DavitError('artifact-incomplete', `The artifact is not complete. ${sentence}`);
