import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { folderBlobs } from '../../store/blobs/folder.js';
import { linkSigner } from '../../store/blobs/signed-url.js';
import { Readable } from 'node:stream';
import { md5 } from './support/artifact-writer.js';

const run = promisify(execFile);
let folder = '';
let mounted = false;

// A real file system of 256 KiB; only root may mount one.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-test-full-'));
  mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder]).then(
    () => true,
    () => false,
  );
});
afterAll(async () => {
  if (mounted) await run('umount', ['-l', folder]);
  await rm(folder, { recursive: true, force: true });
});

test('a full disk is said clearly, keeps nothing half, and what was there stays', async ({ skip }) => {
  if (!mounted) skip('needs root: it mounts a small file system');
  const blobs = await folderBlobs({ folder, signer: linkSigner(Buffer.alloc(32)), publicUrl: 'http://127.0.0.1' });
  const put = (key: string, data: Buffer) =>
    blobs.put(key, Readable.from([data], { objectMode: false }), { maxBytes: 2 ** 30 });
  await put('artifact/1/small', Buffer.from('small'));
  const large = Buffer.alloc(1024 * 1024, 7);
  await expect(put('artifact/1/large', large)).rejects.toMatchObject({ code: 'storage-full' });
  await expect(put('artifact/1/small', large)).rejects.toMatchObject({ code: 'storage-full' });
  const uploadId = await blobs.beginParts('artifact/1/parts');
  const part = { key: 'artifact/1/parts', uploadId, partNumber: 1 };
  const half = Buffer.alloc(150 * 1024, 7);
  await blobs.putPart?.(part, Readable.from([half], { objectMode: false }), { maxBytes: half.length });
  const whole = blobs.completeParts('artifact/1/parts', uploadId, [{ partNumber: 1, etag: '' }], md5(half));
  await expect(whole).rejects.toMatchObject({ code: 'storage-full' });
  expect(await blobs.stat('artifact/1/large')).toBeUndefined();
  expect(await blobs.stat('artifact/1/parts')).toBeUndefined();
  expect(await blobs.stat('artifact/1/small')).toMatchObject({ size: 5 });
  expect(await readdir(join(folder, 'tmp'))).toEqual([]);
  await blobs.abortParts('artifact/1/parts', uploadId);
  await put('artifact/1/room', half);
});
