import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { DavitError } from '../../domain/errors.js';
import type { BlobDigest, BlobPart, BlobStat, PartTag, PutOptions } from './blobs.js';

/** Uploads in parts for a folder of blobs: a folder for each, a file for each part, and one pass over them at the end. */

export const isUploadId = (text: string): boolean => /^[a-f0-9]{32}$/.test(text);
export const isPartNumber = (number: number): boolean => Number.isInteger(number) && number >= 1 && number <= 10_000;

interface Options {
  folder: string;
  place(folder: string, path: string, source: Readable, put: PutOptions): Promise<BlobDigest>;
  storageError(error: unknown): unknown;
}

export function folderParts({ folder, place, storageError }: Options) {
  const folderOf = (uploadId: string): string => {
    if (!isUploadId(uploadId)) throw new DavitError('invalid-request', 'This is not the id of an upload.');
    return join(folder, uploadId);
  };
  const pathOf = (uploadId: string, partNumber: number): string => join(folderOf(uploadId), String(partNumber));
  /** A client that waited too long for the answer asks again: it gets that of the attempt which goes on. */
  const completing = new Map<string, Promise<BlobStat>>();

  async function joinParts(
    uploadId: string,
    parts: readonly PartTag[],
    md5Base64: string,
    shard: string,
    path: string,
  ): Promise<BlobStat> {
    const sorted = [...parts].sort((a, b) => a.partNumber - b.partNumber);
    let size = 0;
    for (const { partNumber } of sorted) {
      const found = await stat(pathOf(uploadId, partNumber)).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw storageError(error);
      });
      if (!found) throw new DavitError('artifact-incomplete', `Part ${partNumber} of the file has not been uploaded.`);
      size += found.size;
    }
    const bytes = Readable.from(bytesOf(sorted.map((part) => pathOf(uploadId, part.partNumber))), {
      objectMode: false,
    });
    await place(shard, path, bytes, { maxBytes: size, md5Base64 });
    await rm(folderOf(uploadId), { recursive: true, force: true });
    return { size };
  }

  return {
    async begin(): Promise<string> {
      const uploadId = randomBytes(16).toString('hex');
      try {
        await mkdir(folderOf(uploadId), { recursive: true, mode: 0o700 });
      } catch (error) {
        throw storageError(error);
      }
      return uploadId;
    },

    async put({ uploadId, partNumber }: BlobPart, source: Readable, put: PutOptions): Promise<BlobDigest> {
      // Aborted uploads have no folder, and parts must not bring it back.
      if (!(await stat(folderOf(uploadId)).catch(() => undefined))) {
        source.destroy();
        throw new DavitError('link-invalid', 'This upload has ended.');
      }
      return place(folderOf(uploadId), pathOf(uploadId, partNumber), source, put);
    },

    complete(uploadId: string, parts: readonly PartTag[], md5Base64: string, shard: string, path: string) {
      const running = completing.get(uploadId);
      if (running) return running;
      const work = joinParts(uploadId, parts, md5Base64, shard, path).finally(() => completing.delete(uploadId));
      completing.set(uploadId, work);
      return work;
    },

    async abort(uploadId: string): Promise<void> {
      await rm(folderOf(uploadId), { recursive: true, force: true });
    },
  };
}

/** One after another. Each was checked when it came, and the whole is checked by its own digest. */
async function* bytesOf(paths: string[]): AsyncGenerator<Buffer> {
  for (const path of paths)
    for await (const piece of createReadStream(path, { highWaterMark: 1024 * 1024 })) yield piece as Buffer;
}
