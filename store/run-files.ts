import { createHash } from 'node:crypto';
import type { Blobs } from './blobs/blobs.js';
import type { Store } from './open.js';

/** Files that a run uploads: metadata, requirements, console, media, whatever it saves. The bytes are blobs. */

export interface RunFile {
  name: string;
  blobKey: string;
  size: number;
  uploadedAt: Date;
}

/** A file name may be anything; the key is made of safe characters and as short for every name. */
export const runFileKey = (runId: number, name: string): string =>
  `run/${runId}/${createHash('sha256').update(name).digest('hex')}`;

/** May a run have a file of this name? It becomes a path wherever it is downloaded to. */
export function isRunFileName(name: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  if (name === '' || name.length > 1024 || /[\u0000-\u001f\u007f]|\p{Surrogate}/u.test(name)) return false;
  if (name.startsWith('/') || name.startsWith('\\')) return false;
  return name.split(/[/\\]/).every((part) => part !== '..' && part !== '.');
}

/** Announces uploads; gives the key for each name, undefined for a name that cannot be. Announcing again is fine: the file is replaced. */
export async function announceRunFiles(
  db: Store,
  runId: number,
  names: readonly string[],
): Promise<{ name: string; blobKey: string | undefined }[]> {
  const keys = names.map((name) => ({ name, blobKey: isRunFileName(name) ? runFileKey(runId, name) : undefined }));
  const rows = new Map(keys.flatMap(({ name, blobKey }) => (blobKey === undefined ? [] : [[name, blobKey] as const])));
  if (rows.size > 0)
    await db
      .insertInto('run_file')
      .values([...rows].map(([name, blob_key]) => ({ run_id: runId, name, blob_key })))
      .onConflict((c) => c.columns(['run_id', 'name']).doNothing())
      .execute();
  return keys;
}

/** A blob was stored: if it is the file of a run, the file is there now. */
export async function noteRunFileStored(db: Store, blobKey: string, size: number): Promise<void> {
  const match = /^run\/(\d{1,9})\//.exec(blobKey);
  if (!match) return;
  await db
    .updateTable('run_file')
    .set({ size, uploaded_at: new Date() })
    .where('run_id', '=', Number(match[1]))
    .where('blob_key', '=', blobKey)
    .execute();
}

/**
 * The client says that these are uploaded. With a folder that is known from the upload itself; S3 takes the bytes without us, so it is asked.
 * A file that is not there stays announced.
 */
export async function markRunFilesUploaded(
  db: Store,
  blobs: Blobs,
  runId: number,
  names: readonly string[],
): Promise<void> {
  const files = await announceRunFiles(db, runId, names);
  for (const { blobKey } of files) {
    if (blobKey === undefined) continue;
    const found = await blobs.stat(blobKey);
    if (found) await noteRunFileStored(db, blobKey, found.size);
  }
}

/** Files that are there, by name. */
export async function listRunFiles(
  db: Store,
  runId: number,
  options: { names?: readonly string[]; afterName?: string; pattern?: string; limit?: number } = {},
): Promise<RunFile[]> {
  const { names, afterName, pattern, limit } = options;
  const rows = await db
    .selectFrom('run_file')
    .select(['name', 'blob_key', 'size', 'uploaded_at'])
    .where('run_id', '=', runId)
    .where('uploaded_at', 'is not', null)
    .$if(names !== undefined && names.length > 0, (q) => q.where('name', 'in', [...(names ?? [])]))
    .$if(afterName !== undefined, (q) => q.where('name', '>', afterName ?? ''))
    .$if(pattern !== undefined, (q) => q.where('name', 'like', pattern ?? ''))
    .orderBy('name')
    .$if(limit !== undefined, (q) => q.limit(limit ?? 0))
    .execute();
  return rows.map((row) => ({
    name: row.name,
    blobKey: row.blob_key,
    size: row.size ?? 0,
    uploadedAt: row.uploaded_at ?? new Date(0),
  }));
}

export async function countRunFiles(db: Store, runId: number): Promise<number> {
  const row = await db
    .selectFrom('run_file')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('run_id', '=', runId)
    .where('uploaded_at', 'is not', null)
    .executeTakeFirstOrThrow();
  return row.n;
}
