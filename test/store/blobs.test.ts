import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contentDisposition } from '../../store/blobs/content-disposition.js';
import { folderBlobs } from '../../store/blobs/folder.js';
import { linkSecret, linkSigner, type BlobLink } from '../../store/blobs/signed-url.js';
import type { Blobs } from '../../store/blobs/blobs.js';
import { createTestDatabase } from '../support/postgres.js';

const secret = randomBytes(32);
const signer = linkSigner(secret);

describe('a folder', () => {
  let folder: string;
  let blobs: Blobs;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'davit-test-folder-'));
    blobs = await folderBlobs({ folder, signer, publicUrl: 'http://davit.test' });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const put = (key: string, data: Buffer | string, maxBytes = 1e9) =>
    blobs.put(key, Readable.from([Buffer.from(data)]), { maxBytes });
  const read = async (key: string, range?: { start?: number; end?: number }) => buffer(await blobs.open(key, range));
  const leftovers = () => readdir(join(folder, 'tmp'));

  test('gives back what it took, whole or in part, and its digests', async () => {
    const data = randomBytes(300_000);
    expect(await put('run/1/abc', data)).toEqual({
      size: data.length,
      md5Base64: createHash('md5').update(data).digest('base64'),
      sha256Hex: createHash('sha256').update(data).digest('hex'),
    });
    expect((await read('run/1/abc')).equals(data)).toBe(true);
    expect((await read('run/1/abc', { start: 10, end: 19 })).equals(data.subarray(10, 20))).toBe(true);
    expect(await blobs.stat('run/1/abc')).toEqual({ size: data.length });
    await put('run/1/abc', '');
    expect(await blobs.stat('run/1/abc')).toEqual({ size: 0 });
    await blobs.remove('run/1/abc');
    await blobs.remove('run/1/abc');
    expect(await blobs.stat('run/1/abc')).toBeUndefined();
    await expect(blobs.open('run/1/abc')).rejects.toMatchObject({ code: 'not-found' });
  });

  test('a file that is too large, or breaks off, leaves what was there and no half', async () => {
    await put('a', 'before');
    await expect(put('a', 'x'.repeat(101), 100)).rejects.toMatchObject({ code: 'body-too-large' });
    const broken = Readable.from(
      (function* () {
        yield Buffer.from('half');
        throw new Error('cut');
      })(),
    );
    await expect(blobs.put('a', broken, { maxBytes: 100 })).rejects.toThrow('cut');
    expect((await read('a')).toString()).toBe('before');
    expect(await leftovers()).toEqual([]);
  });

  test('halves of killed processes are taken away, and what is being written stays', async () => {
    const [old, young] = ['0'.repeat(24), '1'.repeat(24)].map((name) => join(folder, 'tmp', name)) as [string, string];
    await writeFile(old, 'half');
    await writeFile(young, 'half');
    const longAgo = new Date(Date.now() - 3 * 3600_000);
    await utimes(old, longAgo, longAgo);
    await blobs.removeLeftovers?.();
    expect(await leftovers()).toEqual(['1'.repeat(24)]);
    await rm(young);
  });

  test('two at once leave one of them, whole', async () => {
    const [a, b] = [Buffer.alloc(500_000, 'a'), Buffer.alloc(500_000, 'b')];
    await Promise.all([put('both', a), put('both', b), put('both', a)]);
    const found = await read('both');
    expect(found.equals(a) || found.equals(b)).toBe(true);
  });

  test('no key leads out of the folder', async () => {
    for (const key of [
      '',
      '..',
      '../a',
      'a/../b',
      '/a',
      'a//b',
      'a/',
      './a',
      'a\\b',
      'a b',
      'a+b',
      'a\u0000',
      '~',
      'é',
      'x'.repeat(201),
    ]) {
      await expect(put(key, 'x'), JSON.stringify(key)).rejects.toMatchObject({ code: 'invalid-request' });
      await expect(blobs.stat(key)).rejects.toMatchObject({ code: 'invalid-request' });
    }
    // One key may be the beginning of another.
    await put('deep', '1');
    await put('deep/er', '2');
    expect((await read('deep')).toString() + (await read('deep/er')).toString()).toBe('12');
  });
});

describe('a signed address', () => {
  const link: BlobLink = { op: 'put', key: 'run/1/abc', expiresAtMs: 5_000, maxBytes: 100, contentType: 'text/plain' };
  const parse = (path: string) => {
    const url = new URL(path, 'http://x');
    return { key: url.pathname.replace('/blobs/', ''), query: Object.fromEntries(url.searchParams) };
  };

  test('permits what was signed until it expires', () => {
    const { key, query } = parse(signer.path(link));
    expect(signer.verify(key, query, 4_999)).toEqual(link);
    expect(signer.verify(key, query, 5_000)).toBe('expired');
    const named: BlobLink = { op: 'get', key: 'a', expiresAtMs: 5_000, fileName: 'é & "x".txt' };
    const other = parse(signer.path(named));
    expect(signer.verify(other.key, other.query, 0)).toEqual(named);
  });

  test('permits nothing else', () => {
    const { key, query } = parse(signer.path(link));
    expect(signer.verify('run/1/abd', query, 0)).toBe('wrong');
    for (const change of [
      { op: 'get' },
      { expires: '9999999' },
      { max: '101' },
      { type: 'text/html' },
      { name: 'x' },
      { sig: '' },
      { sig: 'AAAA' },
      { expires: 'NaN' },
    ])
      expect(signer.verify(key, { ...query, ...change }, 0), JSON.stringify(change)).toBe('wrong');
    for (const name of ['op', 'expires', 'max', 'type', 'sig'])
      expect(signer.verify(key, { ...query, [name]: undefined }, 0), name).toBe('wrong');
    expect(signer.verify(key, { ...query, max: ['100', '100'] }, 0)).toBe('wrong');
    expect(linkSigner(randomBytes(32)).verify(key, query, 0)).toBe('wrong');
  });

  test('is signed with one secret for all processes of a database', async () => {
    const database = await createTestDatabase();
    const secrets = await Promise.all(Array.from({ length: 8 }, () => linkSecret(database.db)));
    expect(new Set(secrets.map((s) => s.toString('hex'))).size).toBe(1);
    expect(secrets[0]).toHaveLength(32);
    await database.close();
  });
});

test('a name to save under cannot break out of its header', () => {
  expect(contentDisposition('media/é "x"\r\nSet-Cookie: a.txt')).toBe(
    `attachment; filename="_ _x___Set-Cookie: a.txt"; filename*=UTF-8''%C3%A9%20%22x%22%0D%0ASet-Cookie%3A%20a.txt`,
  );
});
