import { randomBytes } from 'node:crypto';
import { DavitError } from '../domain/errors.js';
import { lockPendingVersion } from './artifact-create.js';
import type { Blobs } from './blobs/blobs.js';
import type { Store } from './open.js';
import { inTransaction } from './transaction.js';

/** Bytes of versions that are being written. Each upload has a key of its own; what is stored already is not uploaded again. */

export interface Upload {
  blobKey: string;
  /** Its bytes are here: nothing has to be sent. */
  stored: boolean;
  /** Of a multipart upload that was begun. */
  uploadId: string | null;
}

const prefix = 'artifact/';
const newKey = (projectId: number): string => `${prefix}${projectId}/${randomBytes(18).toString('base64url')}`;

/** Announces contents by their MD5 (base64), each with its upload. Announcing again gives the same. */
export async function announceUploads(
  db: Store,
  version: { artifactId: number; projectId: number },
  md5s: readonly string[],
): Promise<Map<string, Upload>> {
  return inTransaction(db, async (tx) => {
    await lockPendingVersion(tx, version.artifactId);
    const uploads = await uploadsOf(tx, version.artifactId, md5s);
    const missing = [...new Set(md5s)].filter((md5) => !uploads.has(md5));
    if (missing.length === 0) return uploads;
    // Locked against the sweep, which looks again after it has its lock.
    const stored = await tx
      .selectFrom('artifact_blob')
      .select(['key', 'md5'])
      .where('project_id', '=', version.projectId)
      .where('md5', 'in', missing)
      .where('size', 'is not', null)
      .where('removing', '=', false)
      .forShare()
      .execute();
    const keys = new Map(stored.map((row) => [row.md5, row.key]));
    const fresh = missing.filter((md5) => !keys.has(md5)).map((md5) => ({ md5, key: newKey(version.projectId) }));
    for (let at = 0; at < fresh.length; at += 5_000)
      await tx
        .insertInto('artifact_blob')
        .values(fresh.slice(at, at + 5_000).map(({ md5, key }) => ({ key, md5, project_id: version.projectId })))
        .execute();
    const rows = [...[...keys].map(([md5, key]) => ({ md5, key })), ...fresh];
    for (let at = 0; at < rows.length; at += 5_000)
      await tx
        .insertInto('artifact_upload')
        .values(
          rows.slice(at, at + 5_000).map(({ md5, key }) => ({ artifact_id: version.artifactId, md5, blob_key: key })),
        )
        .execute();
    for (const { md5, key } of rows) uploads.set(md5, { blobKey: key, stored: keys.has(md5), uploadId: null });
    return uploads;
  });
}

async function uploadsOf(tx: Store, artifactId: number, md5s: readonly string[]): Promise<Map<string, Upload>> {
  const rows = await tx
    .selectFrom('artifact_upload as upload')
    .innerJoin('artifact_blob as blob', 'blob.key', 'upload.blob_key')
    .select(['upload.md5', 'blob.key', 'blob.size', 'blob.upload_id'])
    .where('upload.artifact_id', '=', artifactId)
    .where('upload.md5', 'in', [...md5s])
    .execute();
  return new Map(
    rows.map((row) => [row.md5, { blobKey: row.key, stored: row.size !== null, uploadId: row.upload_id }]),
  );
}

/** Remembers the multipart upload of a blob; whoever came first wins, and the id to go on with is the answer. */
export async function keepUploadId(db: Store, blobKey: string, uploadId: string): Promise<string> {
  const row = await db
    .updateTable('artifact_blob')
    .set((eb) => ({ upload_id: eb.fn.coalesce('upload_id', eb.val(uploadId)) }))
    .where('key', '=', blobKey)
    .where('removing', '=', false)
    .returning('upload_id')
    .executeTakeFirst();
  if (!row?.upload_id) throw new DavitError('conflict', 'This upload was given up, because nobody went on with it.');
  return row.upload_id;
}

/** The upload of this version that has this key. */
export const uploadByKey = (db: Store, artifactId: number, blobKey: string) =>
  db
    .selectFrom('artifact_upload as upload')
    .innerJoin('artifact_blob as blob', 'blob.key', 'upload.blob_key')
    .select(['blob.key', 'blob.md5', 'blob.size', 'blob.upload_id'])
    .where('upload.artifact_id', '=', artifactId)
    .where('upload.blob_key', '=', blobKey)
    .executeTakeFirst();

/** Bytes for a key that the sweep has given up would stay for ever: they are refused. Keys of others are none of its business. */
export async function refuseAbandonedUpload(db: Store, blobKey: string): Promise<void> {
  if (!blobKey.startsWith(prefix)) return;
  const row = await db.selectFrom('artifact_blob').select('removing').where('key', '=', blobKey).executeTakeFirst();
  if (!row || row.removing)
    throw new DavitError('link-invalid', 'This upload was given up, because nobody went on with it.');
}

/** All bytes of a blob are stored. True when it is that of an artifact. */
export async function noteArtifactBlobStored(
  { db, blobs }: { db: Store; blobs: Blobs },
  blobKey: string,
  size: number,
): Promise<void> {
  if (!blobKey.startsWith(prefix)) return;
  const done = await db
    .updateTable('artifact_blob')
    .set({ size, upload_id: null })
    .where('key', '=', blobKey)
    .where('removing', '=', false)
    .executeTakeFirst();
  // Swept while it was written.
  if (done.numUpdatedRows === 0n) {
    await blobs.remove(blobKey);
    throw new DavitError('link-invalid', 'This upload was given up, because nobody went on with it.');
  }
}
