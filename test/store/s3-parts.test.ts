import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Blobs } from '../../store/blobs/blobs.js';
import { s3Blobs } from '../../store/blobs/s3.js';
import { s3Credentials, startS3 } from '../support/s3.js';

let server: Awaited<ReturnType<typeof startS3>>;
let blobs: Blobs;

beforeAll(async () => {
  server = await startS3('parts');
  blobs = s3Blobs({
    bucket: 'parts',
    region: 'us-east-1',
    endpoint: server.endpoint,
    forcePathStyle: true,
    credentials: s3Credentials,
  });
}, 300_000);
afterAll(() => server.stop());

test('takes a large file in parts by signed addresses, which may be sent again', async () => {
  // All parts but the last have to have 5 MiB.
  const pieces = [Buffer.alloc(5 * 1024 * 1024, 1), Buffer.from('the end')];
  const md5 = (data: Buffer) => createHash('md5').update(data).digest('base64');
  const key = 'artifact/1/parts';
  const uploadId = await blobs.beginParts(key);
  const etags: string[] = [];
  for (const [index, piece] of pieces.entries()) {
    const md5Base64 = md5(piece);
    const link = { expiresInMs: 60_000, maxBytes: 2 ** 30, md5Base64 };
    const url = await blobs.partUrl({ key, uploadId, partNumber: index + 1 }, link);
    for (let again = 0; again < 2; again++) {
      const answer = await fetch(url, {
        method: 'PUT',
        body: new Uint8Array(piece),
        headers: { 'Content-MD5': md5Base64 },
      });
      expect(answer.status).toBe(200);
      etags[index] = answer.headers.get('etag') ?? '';
    }
  }
  const tags = etags.map((etag, index) => ({ partNumber: index + 1, etag }));
  const whole = Buffer.concat(pieces);
  expect(await blobs.stat(key)).toBeUndefined();
  expect(await blobs.completeParts(key, uploadId, tags, md5(whole))).toMatchObject({ size: whole.length });
  expect(await blobs.completeParts(key, uploadId, tags, md5(whole))).toMatchObject({ size: whole.length });
  expect((await buffer(await blobs.open(key))).equals(whole)).toBe(true);
  const given = await blobs.beginParts('artifact/1/given-up');
  await blobs.abortParts('artifact/1/given-up', given);
  await blobs.abortParts('artifact/1/given-up', given);
  expect(await blobs.stat('artifact/1/given-up')).toBeUndefined();
});

test('refuses bytes that have another digest than the address was signed with', async () => {
  const md5Base64 = createHash('md5').update('right').digest('base64');
  const url = await blobs.uploadUrl('artifact/1/right', { expiresInMs: 60_000, maxBytes: 100, md5Base64 });
  const put = (body: string, digest: string) => fetch(url, { method: 'PUT', body, headers: { 'Content-MD5': digest } });
  expect((await put('right', md5Base64)).status).toBe(200);
  // The header is a part of what was signed.
  expect(new URL(url).searchParams.get('X-Amz-SignedHeaders')).toContain('content-md5');
});
