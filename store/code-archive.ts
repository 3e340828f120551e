import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { Header, Pax } from 'tar';
import { comparePaths } from '../domain/digests.js';
import { DavitError } from '../domain/errors.js';
import { artifactById, artifactFiles } from './artifacts.js';
import type { Blobs } from './blobs/blobs.js';
import type { Store } from './open.js';

/** 1980: the first moment that every archive format knows. The same for all files, so that the archive depends on the code alone. */
const mtime = new Date(Date.UTC(1980, 0, 1));
const blockBytes = 512;

/** The files of an artifact as one gzipped tar; the same bytes each time. Throws `not-found`; a later failure destroys the stream. */
export async function openCodeArchive(deps: { db: Store; blobs: Blobs }, artifactId: number): Promise<Readable> {
  const artifact = await artifactById(deps.db, artifactId);
  if (artifact?.state !== 'COMMITTED') throw new DavitError('not-found', 'The code of this job is gone.');
  const files = await artifactFiles(deps.db, artifactId);
  files.sort((a, b) => comparePaths(a.path, b.path));
  const tar = Readable.from(tarOf(deps.blobs, files), { objectMode: false });
  const gzip = createGzip();
  tar.once('error', (error) => gzip.destroy(error));
  gzip.once('close', () => tar.destroy());
  return tar.pipe(gzip);
}

async function* tarOf(blobs: Blobs, files: { path: string; size: number; blob_key: string }[]): AsyncGenerator<Buffer> {
  for (const { path, size, blob_key } of files) {
    const content = (await blobs.open(blob_key))[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    // Modes are not part of an artifact: what begins with "#!" is meant to be executed.
    const first = await content.next();
    const start: Buffer = first.done ? Buffer.alloc(0) : first.value;
    yield headerOf(path, size, start.subarray(0, 2).toString('latin1') === '#!' ? 0o755 : 0o644);
    let written = start.length;
    if (written > 0) yield start;
    for (let next = first.done ? first : await content.next(); !next.done; next = await content.next()) {
      written += next.value.length;
      yield next.value;
    }
    if (written !== size) throw new Error(`the stored file of "${path}" has ${written} bytes instead of ${size}`);
    const rest = size % blockBytes;
    if (rest > 0) yield Buffer.alloc(blockBytes - rest);
  }
  yield Buffer.alloc(2 * blockBytes);
}

function headerOf(path: string, size: number, mode: number): Buffer {
  const fields = { path, size, mode, mtime, uid: 0, gid: 0, uname: 'root', gname: 'root', type: 'File' as const };
  const header = new Header(fields);
  const block = Buffer.alloc(blockBytes);
  if (!header.encode(block, 0)) return block;
  // A path or size that the plain header cannot hold goes before it.
  return Buffer.concat([new Pax({ path, size }).encode(), block]);
}
