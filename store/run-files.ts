import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Blobs } from './blobs/blobs.js';
import type { Store } from './open.js';
import { storable } from './text.js';

/** Files that a run uploads: metadata, requirements, console, media, whatever it saves. The bytes are blobs. */

export interface RunFile {
  name: string;
  blobKey: string;
  size: number;
  /** Base64; null when nobody knows it. */
  md5: string | null;
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
    await sql`
      insert into run_file (run_id, name, blob_key)
      select ${runId}::int, given.name, given.blob_key
      from unnest(${[...rows.keys()]}::text[], ${[...rows.values()]}::text[]) as given (name, blob_key)
      on conflict (run_id, name) do nothing
    `.execute(db);
  return keys;
}

/** A blob was stored: if it is the file of a run, the file is there now. A digest that nobody told is forgotten: it was that of other bytes. */
export async function noteRunFileStored(
  db: Store,
  blobKey: string,
  stored: { size: number; md5Base64?: string },
): Promise<void> {
  const match = /^run\/(\d{1,9})\//.exec(blobKey);
  if (!match) return;
  await db
    .updateTable('run_file')
    .set({ size: stored.size, md5: stored.md5Base64 ?? null, uploaded_at: new Date() })
    .where('run_id', '=', Number(match[1]))
    .where('blob_key', '=', blobKey)
    .execute();
}

/** Questions to the storage at a time: it is far away, and a request may name thousands of files. */
const statsAtOnce = 16;

/**
 * The client says that these are uploaded. With a folder that is known from the upload itself; S3 takes the bytes without us, so it is asked.
 * A file that is not there stays announced; one that nobody announced is none.
 */
export async function markRunFilesUploaded(
  db: Store,
  blobs: Blobs,
  runId: number,
  names: readonly string[],
): Promise<void> {
  const announced = await db
    .selectFrom('run_file')
    .select('blob_key')
    .where('run_id', '=', runId)
    .where(sql<boolean>`name = any(${names.filter(isRunFileName)}::text[])`)
    .$if(blobs.tellsUploads, (q) => q.where('uploaded_at', 'is', null))
    .execute();
  const waiting = announced.map((row) => row.blob_key);
  const ask = async () => {
    for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
      const found = await blobs.stat(key);
      if (found) await noteRunFileStored(db, key, found);
    }
  };
  await Promise.all(Array.from({ length: statsAtOnce }, ask));
}

/** Removes files with their bytes; the number of those that were there. Bytes first: whoever repeats a removal that was cut finds the rest. */
export async function removeRunFiles(
  db: Store,
  blobs: Blobs,
  runId: number,
  names: readonly string[],
): Promise<number> {
  let removed = 0;
  for (const name of names) {
    if (!isRunFileName(name)) continue;
    await blobs.remove(runFileKey(runId, name));
    const done = await db
      .deleteFrom('run_file')
      .where('run_id', '=', runId)
      .where('name', '=', name)
      .executeTakeFirst();
    removed += Number(done.numDeletedRows);
  }
  return removed;
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
    .select(['name', 'blob_key', 'size', 'md5', 'uploaded_at'])
    .where('run_id', '=', runId)
    .where('uploaded_at', 'is not', null)
    .$if(names !== undefined, (q) => q.where(sql<boolean>`name = any(${(names ?? []).filter(isRunFileName)}::text[])`))
    .$if(afterName !== undefined, (q) => q.where('name', '>', storable(afterName ?? '')))
    .$if(pattern !== undefined, (q) => q.where('name', 'like', likePattern(pattern ?? '')))
    .orderBy('name')
    .$if(limit !== undefined, (q) => q.limit(limit ?? 0))
    .execute();
  return rows.map((row) => ({
    name: row.name,
    blobKey: row.blob_key,
    size: row.size ?? 0,
    md5: row.md5,
    uploadedAt: row.uploaded_at ?? new Date(0),
  }));
}

/** A pattern that ends in the middle of an escape is an error to PostgreSQL; to whoever wrote it, a backslash. */
const likePattern = (pattern: string): string =>
  storable(pattern.slice(0, 1024)).replace(/\\+$/, (end) => (end.length % 2 === 0 ? end : `${end}\\`));

export async function countRunFiles(db: Store, runId: number, { pattern }: { pattern?: string } = {}): Promise<number> {
  const row = await db
    .selectFrom('run_file')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('run_id', '=', runId)
    .where('uploaded_at', 'is not', null)
    .$if(pattern !== undefined, (q) => q.where('name', 'like', likePattern(pattern ?? '')))
    .executeTakeFirstOrThrow();
  return row.n;
}
