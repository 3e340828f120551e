import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { manifestLimits, parseManifest, renderManifest, type Manifest } from '../domain/artifact-manifest.js';
import { md5Base64 } from '../domain/digests.js';
import { DavitError } from '../domain/errors.js';
import { lockPendingVersion } from './artifact-create.js';
import type { Blobs } from './blobs/blobs.js';
import { readContent } from './content.js';
import type { Store } from './open.js';
import type { ManifestType } from './schema.js';
import { inTransaction } from './transaction.js';

/** Manifests of versions: as clients upload them, and as readers get them. */

export interface ManifestRow {
  id: number;
  name: string;
  digest: string;
  blobKey: string;
}

export const manifestName = 'wandb_manifest.json';

const prefix = 'artifact-manifest/';
const newKey = (artifactId: number): string => `${prefix}${artifactId}/${randomBytes(12).toString('base64url')}`;

export interface AnnouncedManifest {
  artifactId: number;
  runId: number | undefined;
  name: string;
  type: ManifestType;
  baseArtifactId: number | undefined;
  /** '' while the client does not know it. */
  digest: string;
}

/** A manifest to be uploaded. Each call makes one; the last one with a digest counts. */
export async function announceManifest(db: Store, manifest: AnnouncedManifest): Promise<ManifestRow> {
  return inTransaction(db, async (tx) => {
    await lockPendingVersion(tx, manifest.artifactId);
    const blobKey = newKey(manifest.artifactId);
    const { id } = await tx
      .insertInto('artifact_manifest')
      .values({
        artifact_id: manifest.artifactId,
        run_id: manifest.runId ?? null,
        name: manifest.name,
        type: manifest.type,
        base_artifact_id: manifest.baseArtifactId ?? null,
        digest: manifest.digest,
        blob_key: blobKey,
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    return { id, name: manifest.name, digest: manifest.digest, blobKey };
  });
}

/** The client knows its digest now. Saying it again is fine. */
export async function updateManifest(
  db: Store,
  manifestId: number,
  change: { digest?: string | undefined; baseArtifactId?: number | undefined },
): Promise<ManifestRow> {
  return inTransaction(db, async (tx) => {
    const found = await manifestById(tx, manifestId);
    if (!found) throw new DavitError('not-found', 'There is no such manifest.');
    await lockPendingVersion(tx, found.artifact_id);
    const digest = change.digest ?? found.digest;
    await tx
      .updateTable('artifact_manifest')
      .set({ digest, base_artifact_id: change.baseArtifactId ?? found.base_artifact_id })
      .where('id', '=', manifestId)
      .execute();
    return { id: found.id, name: found.name, digest, blobKey: found.blob_key };
  });
}

export const manifestById = (db: Store, id: number) =>
  db.selectFrom('artifact_manifest').selectAll().where('id', '=', id).executeTakeFirst();

/** Reads an uploaded manifest; undefined when its bytes are not there. Throws when they are not what was announced. */
export async function readManifest(
  blobs: Blobs,
  row: { blob_key: string; digest: string },
): Promise<{ manifest: Manifest; bytes: number } | undefined> {
  const found = await blobs.stat(row.blob_key);
  if (!found) return undefined;
  if (found.size > manifestLimits.bytes)
    throw new DavitError(
      'manifest-invalid',
      `The manifest of the artifact has ${found.size} bytes; ${manifestLimits.bytes} are accepted.`,
    );
  const data = await readContent(blobs, row.blob_key);
  if (row.digest !== '' && md5Base64(data) !== row.digest)
    throw new DavitError('digest-mismatch', 'The manifest that came is not the one that was announced.');
  return { manifest: parseManifest(data.toString('utf8')), bytes: data.length };
}

/** Stores a manifest that the server made. Nothing refers to it until a row does. */
export async function storeManifest(
  blobs: Blobs,
  artifactId: number,
  manifest: Manifest,
): Promise<{ blobKey: string; digest: string; size: number }> {
  const data = Buffer.from(renderManifest(manifest));
  const blobKey = newKey(artifactId);
  await blobs.put(blobKey, Readable.from([data], { objectMode: false }), { maxBytes: data.length });
  return { blobKey, digest: createHash('md5').update(data).digest('base64'), size: data.length };
}
