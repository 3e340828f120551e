import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Blobs } from '../../store/blobs/blobs.js';
import { s3Blobs } from '../../store/blobs/s3.js';
import { s3Credentials, startS3 } from '../support/s3.js';

let server: Awaited<ReturnType<typeof startS3>>;
let blobs: Blobs;
beforeAll(async () => {
  server = await startS3('davit');
  blobs = s3Blobs({
    bucket: 'davit',
    prefix: 'here/',
    region: 'us-east-1',
    endpoint: server.endpoint,
    forcePathStyle: true,
    credentials: s3Credentials,
  });
}, 600_000);
afterAll(() => server.stop());

const put = (key: string, data: Buffer) => blobs.put(key, Readable.from([data]), { maxBytes: 1e7 });

test('gives back what it took, whole or in part, and its digests', async () => {
  const data = randomBytes(300_000);
  expect(await put('run/1/abc', data)).toEqual({
    size: data.length,
    md5Base64: createHash('md5').update(data).digest('base64'),
    sha256Hex: createHash('sha256').update(data).digest('hex'),
  });
  expect((await buffer(await blobs.open('run/1/abc'))).equals(data)).toBe(true);
  const part = await buffer(await blobs.open('run/1/abc', { start: 10, end: 19 }));
  expect(part.equals(data.subarray(10, 20))).toBe(true);
  expect(await blobs.stat('run/1/abc')).toMatchObject({ size: data.length });
  await blobs.remove('run/1/abc');
  await blobs.remove('run/1/abc');
  expect(await blobs.stat('run/1/abc')).toBeUndefined();
  await expect(blobs.open('run/1/abc')).rejects.toMatchObject({ code: 'not-found' });
  await expect(blobs.put('big', Readable.from([data]), { maxBytes: 10 })).rejects.toMatchObject({
    code: 'body-too-large',
  });
  expect(await blobs.stat('big')).toBeUndefined();
});

test('an address takes and gives bytes without credentials or headers', async () => {
  const up = await blobs.uploadUrl('run/1/up', { expiresInMs: 60_000, maxBytes: 100, origin: 'http://never.test' });
  expect(up.startsWith(`${server.endpoint}/davit/here/run/1/up?`)).toBe(true);
  expect((await fetch(up, { method: 'PUT', body: 'hello' })).status).toBe(200);
  const down = await blobs.downloadUrl('run/1/up', { expiresInMs: 60_000, fileName: 'é.txt' });
  const got = await fetch(down);
  expect(await got.text()).toBe('hello');
  expect(got.headers.get('content-disposition')).toMatch(/^attachment/);
});

test('a storage that is away is temporary', async () => {
  await server.stop();
  await expect(blobs.stat('run/1/up')).rejects.toMatchObject({ code: 'storage-unavailable' });
  await expect(put('x', Buffer.from('x'))).rejects.toMatchObject({ code: 'storage-unavailable' });
});
