import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { folderBlobs } from '../../store/blobs/folder.js';
import { linkSigner } from '../../store/blobs/signed-url.js';
import { Readable } from 'node:stream';
import { startTrackingApi } from '../support/tracking-api.js';
import { artifactWriter, md5 } from './support/artifact-writer.js';

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

test('over HTTP a full disk is a 507 with its code for a file and a part, the same code for their joining, and it goes on when there is room', async ({
  skip,
}) => {
  if (!mounted) skip('needs root: it mounts a small file system');
  const api = await startTrackingApi({ storage: { kind: 'folder', folder: join(folder, 'http') } });
  try {
    const writer = artifactWriter(api, { project: 'full' });
    const made = await writer.create({ digest: 'full' });
    const half = Buffer.alloc(40 * 1024, 1);
    const large = Buffer.alloc(1024 * 1024, 2);
    const hex = (data: Buffer) => Buffer.from(md5(data), 'base64').toString('hex');
    const [file, inParts] = await writer.announce(made.id, [
      { name: 'large.bin', md5: md5(large) },
      { name: 'parts.bin', md5: md5(half), parts: [hex(half), hex(large)] },
    ]);
    const parts = inParts?.uploadMultipartUrls?.uploadUrlParts ?? [];
    for (const url of [file?.uploadUrl, parts[1]?.uploadUrl]) {
      const answer = await writer.upload(url ?? '', large);
      expect([answer.status, await answer.json()]).toMatchObject([507, { code: 'storage-full' }]);
    }
    expect((await writer.upload(parts[0]?.uploadUrl ?? '', half)).status).toBe(200);
    const complete = () =>
      api.graphql(
        `mutation($parts: [UploadPartsInput!]!, $artifactID: ID!, $storagePath: String!, $uploadID: String!) {
          completeMultipartUploadArtifact(input: { completeMultipartAction: Complete, completedParts: $parts, artifactID: $artifactID,
            storagePath: $storagePath, uploadID: $uploadID }) { digest } }`,
        {
          parts: [{ partNumber: 1, hexMD5: hex(half) }],
          artifactID: made.id,
          storagePath: inParts?.storagePath,
          uploadID: inParts?.uploadMultipartUrls?.uploadID,
        },
      );
    // Whatever is left but some of it.
    const filler = join(folder, 'filler');
    const { bavail, bsize } = await statfs(folder);
    await writeFile(filler, Buffer.alloc(bavail * bsize - 8 * 1024));
    expect(await complete()).toMatchObject({ status: 200, errors: [{ extensions: { code: 'storage-full' } }] });
    await rm(filler);
    expect(await complete()).toMatchObject({
      status: 200,
      data: { completeMultipartUploadArtifact: { digest: md5(half) } },
    });
  } finally {
    await api.close();
  }
});
