import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { md5Base64 } from '../domain/digests.js';
import type { ArtifactFile } from './artifacts.js';
import type { Blobs } from './blobs/blobs.js';

export const contentKey = (sha256Hex: string): string => `sha256/${sha256Hex}`;

/** Stores bytes under their own hash; nothing is written when they are there already. */
export async function putContent(blobs: Blobs, path: string, data: Buffer): Promise<ArtifactFile> {
  const blobKey = contentKey(createHash('sha256').update(data).digest('hex'));
  if ((await blobs.stat(blobKey))?.size !== data.length)
    // A stream stops for ever at an empty piece, so nothing is sent for an empty file.
    await blobs.put(blobKey, Readable.from(data.length > 0 ? [data] : [], { objectMode: false }), {
      maxBytes: data.length,
    });
  return { path, md5: md5Base64(data), size: data.length, blobKey };
}

/** The whole of a small blob. */
export async function readContent(blobs: Blobs, key: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of await blobs.open(key)) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
