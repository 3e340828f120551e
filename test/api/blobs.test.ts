import { request } from 'node:http';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { until } from '../support/until.js';

let api: TrackingApi;
beforeAll(async () => {
  api = await startTrackingApi();
});
afterAll(() => api.close());

const minute = 60_000;
const upload = (key: string, maxBytes = 1000, expiresInMs = minute) =>
  api.blobs.uploadUrl(key, { maxBytes, expiresInMs });
const download = (key: string, fileName?: string) =>
  api.blobs.downloadUrl(key, { expiresInMs: minute, ...(fileName === undefined ? {} : { fileName }) });
const store = (key: string, text: string) => api.blobs.put(key, Readable.from([Buffer.from(text)]), { maxBytes: 1e9 });

test('an address is enough to put and to get, without a key', async () => {
  const put = await fetch(await upload('t/one'), { method: 'PUT', body: 'hello' });
  expect(put.status).toBe(200);
  const get = await fetch(await download('t/one', 'notes/é.html'));
  expect(await get.text()).toBe('hello');
  // What somebody uploaded is never a page of ours.
  expect(get.headers.get('content-type')).toBe('application/octet-stream');
  expect(get.headers.get('content-disposition')).toMatch(/^attachment; filename="_.html"/);
  expect(get.headers.get('content-security-policy')).toContain('sandbox');
  const head = await fetch(await download('t/one'), { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length')]).toEqual([200, '5']);
  const empty = await fetch(await upload('t/empty'), { method: 'PUT', body: '' });
  expect(empty.status).toBe(200);
  expect(await (await fetch(await download('t/empty'))).text()).toBe('');
});

test('ranges are given as asked', async () => {
  await store('t/range', '0123456789');
  const url = await download('t/range');
  const ask = async (range: string) => {
    const res = await fetch(url, { headers: { Range: range } });
    return [res.status, res.headers.get('content-range'), await res.text()];
  };
  expect(await ask('bytes=2-4')).toEqual([206, 'bytes 2-4/10', '234']);
  expect(await ask('bytes=7-')).toEqual([206, 'bytes 7-9/10', '789']);
  expect(await ask('bytes=-2')).toEqual([206, 'bytes 8-9/10', '89']);
  expect(await ask('bytes=5-99')).toEqual([206, 'bytes 5-9/10', '56789']);
  expect(await ask('bytes=10-')).toEqual([416, 'bytes */10', '']);
  expect((await ask('bytes=4-2'))[0]).toBe(200);
  expect((await ask('lines=1-2'))[0]).toBe(200);
});

test('a wrong or expired address is refused in JSON', async () => {
  await store('t/guarded', 'x');
  const good = await download('t/guarded');
  for (const url of [
    good.replace('guarded', 'other'),
    good.replace(/sig=[^&]+/, 'sig=AAAA'),
    good.split('?')[0] ?? '',
    `${good}&op=put`,
  ]) {
    const res = await fetch(url);
    expect(res.status, url).toBe(403);
    expect(await res.json()).toMatchObject({ code: 'link-invalid' });
  }
  expect((await fetch(good, { method: 'PUT', body: 'y' })).status).toBe(403);
  const late = [
    await fetch(await upload('t/guarded', 10, -1), { method: 'PUT', body: 'y' }),
    await fetch(await api.blobs.downloadUrl('t/guarded', { expiresInMs: -1 })),
    await fetch(
      await api.blobs.partUrl(
        { key: 't/guarded', uploadId: await api.blobs.beginParts('t/guarded'), partNumber: 1 },
        { expiresInMs: -1, maxBytes: 10 },
      ),
      { method: 'PUT', body: 'y' },
    ),
  ];
  for (const res of late)
    expect([res.status, await res.json()]).toMatchObject([
      403,
      { code: 'link-invalid', detail: expect.stringContaining('expired') },
    ]);
  expect((await fetch(await download('t/never'))).status).toBe(404);
});

test('more than the address permits is refused while it streams, and nothing of it stays', async () => {
  await store('t/limit', 'before');
  const announced = await fetch(await upload('t/limit', 100), { method: 'PUT', body: 'x'.repeat(101) });
  expect(announced.status).toBe(413);
  // Without a length, in pieces.
  const pieces = Readable.from(Array.from({ length: 50 }, () => Buffer.alloc(100_000, 'x')));
  const streamed = await fetch(await upload('t/limit', 100), {
    method: 'PUT',
    body: Readable.toWeb(pieces) as ReadableStream,
    duplex: 'half',
  } as RequestInit);
  expect(streamed.status).toBe(413);
  expect(await streamed.json()).toMatchObject({ code: 'body-too-large' });
  expect(await (await fetch(await download('t/limit'))).text()).toBe('before');
});

test('an upload that is cut leaves nothing behind', async () => {
  const url = new URL(await upload('t/cut', 1_000_000));
  const req = request(url, { method: 'PUT', headers: { 'Content-Length': '1000' } });
  req.on('error', () => undefined);
  req.write('half of it');
  await until(() => api.requests.some((r) => r === 'PUT /blobs/t/cut'), { what: 'the upload to begin' });
  req.destroy();
  const again = await fetch(await upload('t/cut'), { method: 'PUT', body: 'whole' });
  expect(again.status).toBe(200);
  expect(await (await fetch(await download('t/cut'))).text()).toBe('whole');
});

test('a page of another origin may use an address that it was given', async () => {
  const res = await fetch(await download('t/one'), { method: 'OPTIONS', headers: { Origin: 'http://elsewhere.test' } });
  expect(res.status).toBe(204);
  expect(res.headers.get('access-control-allow-origin')).toBe('*');
});
