import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DavitError } from '../../domain/errors.js';
import { checkKey, type BlobDigest, type Blobs, type BlobStat, type PutOptions, type UploadLink } from './blobs.js';
import { checkDigest, DigestStream } from './digest.js';
import { folderParts } from './folder-parts.js';
import type { LinkSigner } from './signed-url.js';

/** Left by a process that was killed while it wrote: nobody has written to it for longer than a request may take. */
const staleTemporaryMs = 2 * 3600 * 1000;

export interface FolderBlobsOptions {
  folder: string;
  signer: LinkSigner;
  /** Used where the caller does not say by which address its client came. */
  publicUrl: string;
}

/**
 * Blobs as files. A blob appears by a rename after its bytes are on the disk, so a reader, or a process that starts after a crash, sees all
 * of it or nothing. Several API processes may share the folder.
 */
export async function folderBlobs(options: FolderBlobsOptions): Promise<Blobs> {
  const objects = join(options.folder, 'objects');
  const temporary = join(options.folder, 'tmp');
  await mkdir(objects, { recursive: true, mode: 0o700 });
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  await removeStale(temporary);

  /** "/" becomes "+", which no key has: readable names, and no key can be another's folder. 256 shards keep folders small. */
  const shardOf = (key: string) => join(objects, createHash('sha256').update(key).digest('hex').slice(0, 2));
  const pathOf = (key: string) => join(shardOf(key), checkKey(key).replaceAll('/', '+'));

  /** Bytes first, under a name that nobody reads; then the name. */
  async function place(folder: string, path: string, source: Readable, put: PutOptions): Promise<BlobDigest> {
    const unfinished = join(temporary, randomBytes(12).toString('hex'));
    try {
      const digest = await writeSynced(unfinished, source, put.maxBytes);
      checkDigest(digest, put.md5Base64);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await rename(unfinished, path);
      await syncFolder(folder);
      return digest;
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => undefined);
      throw storageError(error);
    }
  }

  const parts = folderParts({ folder: join(options.folder, 'parts'), place, storageError });
  const stated = async (key: string): Promise<BlobStat | undefined> => {
    try {
      return { size: (await stat(pathOf(key))).size };
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw storageError(error);
    }
  };
  const linkTo = (key: string, link: UploadLink) => ({
    op: 'put' as const,
    key: checkKey(key),
    expiresAtMs: Date.now() + link.expiresInMs,
    maxBytes: link.maxBytes,
    ...(link.contentType === undefined ? {} : { contentType: link.contentType }),
    ...(link.md5Base64 === undefined ? {} : { md5Base64: link.md5Base64 }),
  });

  return {
    tellsUploads: true,

    put: async (key, source, put) => place(shardOf(key), pathOf(key), source, put),

    async open(key, range = {}) {
      let file;
      try {
        file = await open(pathOf(key), 'r');
      } catch (error) {
        if (codeOf(error) === 'ENOENT') throw new DavitError('not-found', `There is no stored file "${key}".`);
        throw storageError(error);
      }
      return file.createReadStream({
        ...(range.start === undefined ? {} : { start: range.start }),
        ...(range.end === undefined ? {} : { end: range.end }),
      });
    },

    stat: stated,

    async remove(key) {
      await unlink(pathOf(key)).catch((error: unknown) => {
        if (codeOf(error) !== 'ENOENT') throw storageError(error);
      });
    },

    async uploadUrl(key, link) {
      return (link.origin ?? options.publicUrl) + options.signer.path(linkTo(key, link));
    },

    async downloadUrl(key, { expiresInMs, fileName, origin }) {
      const link = {
        op: 'get' as const,
        key: checkKey(key),
        expiresAtMs: Date.now() + expiresInMs,
        ...(fileName === undefined ? {} : { fileName }),
      };
      return (origin ?? options.publicUrl) + options.signer.path(link);
    },

    async beginParts(key) {
      checkKey(key);
      return parts.begin();
    },

    async partUrl({ key, uploadId, partNumber }, link) {
      const part = { uploadId, number: partNumber };
      return (link.origin ?? options.publicUrl) + options.signer.path({ ...linkTo(key, link), part });
    },

    putPart: async (part, source, put) => parts.put(part, source, put),

    async completeParts(key, uploadId, tags, md5Base64) {
      const done = await stated(key);
      if (!done) return parts.complete(uploadId, tags, md5Base64, shardOf(key), pathOf(key));
      // Killed between the two, perhaps.
      await parts.abort(uploadId);
      return done;
    },

    abortParts: async (_key, uploadId) => parts.abort(uploadId),

    removeLeftovers: () => removeStale(temporary),
  };
}

async function writeSynced(path: string, source: Readable, maxBytes: number) {
  const digest = new DigestStream(maxBytes);
  const file = await open(path, 'wx', 0o600);
  // A failed write ends the stream that is read here, and the pipeline would tell of that end instead of its cause.
  let failure: unknown;
  const write = async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks)
      await file.writeFile(chunk).catch((error: unknown) => {
        failure = error;
        throw error;
      });
  };
  try {
    await pipeline(source, digest, write).catch((error: unknown) => {
      throw failure ?? error;
    });
    // Bytes first, then the name.
    await file.sync();
  } finally {
    await file.close();
  }
  return digest.digest();
}

/** The rename itself must survive a power cut too. Some file systems cannot sync a folder; then the name may be lost, never torn. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

async function removeStale(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > staleTemporaryMs) await rm(path, { force: true }).catch(() => undefined);
  }
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code;

function storageError(error: unknown): unknown {
  switch (codeOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new DavitError('storage-full', undefined, { cause: error });
    case 'EMFILE':
    case 'ENFILE':
    case 'EIO':
    case 'EROFS':
    case 'ESTALE':
      return new DavitError('storage-unavailable', undefined, { cause: error });
    default:
      return error;
  }
}
