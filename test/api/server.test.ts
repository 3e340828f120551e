import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { defaultLimits } from '../../api/deps.js';
import { createDispatch, lazyTemporal } from '../../api/dispatch/index.js';
import { createEvents } from '../../api/events.js';
import { startApi } from '../../api/server.js';
import { createDavitClient, DavitApiError } from '../../client/index.js';
import { openBlobs } from '../../store/blobs/open-blobs.js';
import { ensureFirstAdmin } from '../../store/keys.js';
import { migrate } from '../../store/migrate.js';
import { openStore } from '../../store/open.js';
import { planJob } from '../../targets/register.js';
import { startCluster } from '../support/postgres-cluster.mjs';
import { until } from '../support/until.js';
import { makeLaunchable, startTestApi } from './support/api.js';

test('stopping ends streams with an invitation to come back, and waits for requests', async () => {
  const api = await startTestApi();
  try {
    await makeLaunchable(api);
    const id = (await api.call('POST', '/launches', { body: { queue: 'lab/q', job: 'lab/demo/train' } })).body
      .id as string;
    const stream = await fetch(`${api.url}/api/v1/launches/${id}/logs/stream`, {
      headers: { Authorization: `Bearer ${api.keys.ada}` },
    });
    const text = stream.text();
    await api.stop();
    expect(await text).toContain('retry: 1000');
    await expect(fetch(`${api.url}/healthz`)).rejects.toThrow();
  } finally {
    await api.close();
  }
});

test('a key that asks too much is asked to wait; others are not', async () => {
  const api = await startTestApi({ requestsPerSecond: 5 });
  try {
    const answers = await Promise.all(Array.from({ length: 30 }, () => api.call('GET', '/viewer')));
    const refused = answers.filter((a) => a.status === 429);
    expect(refused.length).toBeGreaterThan(5);
    expect(refused[0]?.body.code).toBe('rate-limited');
    expect(refused[0]?.headers.get('retry-after')).toBe('1');
    expect((await api.call('GET', '/viewer', { key: api.keys.bob })).status).toBe(200);
  } finally {
    await api.close();
  }
});

test('a port that is taken is said so', async () => {
  const api = await startTestApi();
  try {
    const port = Number(new URL(api.url).port);
    await expect(startApi({ port }, () => Promise.reject(new Error('not reached')))).rejects.toMatchObject({
      code: 'port-in-use',
    });
  } finally {
    await api.close();
  }
});

test('while PostgreSQL is away the API says so and lives; when it is back, all is as before', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'davit-api-away-'));
  let cluster = await startCluster({ folder: join(folder, 'pg'), durable: true });
  const { port } = cluster;
  const log = pino({ level: 'silent' });
  const { db, close } = openStore({
    databaseUrl: cluster.url,
    maxConnections: 5,
    applicationName: 'test',
    onError: () => undefined,
  });
  const events = createEvents({ databaseUrl: cluster.url, log });
  const temporal = lazyTemporal({ address: '127.0.0.1:1', namespace: 'default' }, log);
  const dispatch = createDispatch({ db, temporal, windowSize: 0, log });
  await migrate(db);
  const { key = '' } = (await ensureFirstAdmin(db, { username: 'root' })) ?? {};
  const api = await startApi({ port: 0 }, async (publicUrl) => ({
    db,
    blobs: await openBlobs({ kind: 'folder', folder: join(folder, 'blobs') }, { db, publicUrl }),
    dispatch,
    events,
    log,
    publicUrl,
    version: '0',
    temporal: { address: '127.0.0.1:1', namespace: 'default' },
    targets: ['process'],
    plan: planJob,
    limits: defaultLimits,
    git: { tmpFolder: join(folder, 'tmp') },
  }));
  try {
    const client = createDavitClient({ baseUrl: api.publicUrl, apiKey: key });
    await client.POST('/queues', { body: { name: 'q' } });
    let heard = 0;
    events.onLaunch('abc', () => heard++);

    await cluster.kill();
    const error = await client.GET('/queues').then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(DavitApiError);
    expect(error).toMatchObject({ code: 'store-unavailable', status: 503, retryAfterMs: 2_000 });
    expect((await fetch(`${api.publicUrl}/readyz`)).status).toBe(503);
    expect((await fetch(`${api.publicUrl}/healthz`)).status).toBe(200);

    cluster = await startCluster({ folder: join(folder, 'pg'), port, durable: true });
    await until(async () => (await fetch(`${api.publicUrl}/readyz`)).status === 200, {
      what: 'the API to be ready again',
    });
    expect((await client.GET('/queues')).data?.items.map((queue) => queue.name)).toEqual(['q']);
    // Whoever follows a launch is woken after the break, because something may have been missed.
    await until(() => heard > 0, { what: 'followers to be woken' });
  } finally {
    await api.stop();
    await events.close();
    await dispatch.stop();
    await close();
    await cluster.remove();
    await rm(folder, { recursive: true, force: true });
  }
});

test('the client turns every failure into an error with a code', async () => {
  const api = await startTestApi();
  const client = createDavitClient({ baseUrl: api.url, apiKey: api.keys.ada });
  try {
    await expect(client.POST('/launches', { body: { queue: 'nil', job: 'x/y' } })).rejects.toMatchObject({
      name: 'DavitApiError',
      code: 'unknown-queue',
      status: 404,
      fix: expect.stringContaining('davit queue'),
      requestId: expect.stringMatching(/.{10}/),
    });
    await expect(client.GET('/launches', { params: { query: { limit: 'x' } } })).rejects.toMatchObject({
      code: 'invalid-request',
      errors: [{ path: 'query.limit' }],
    });
  } finally {
    await api.close();
  }
  await expect(client.GET('/viewer')).rejects.toMatchObject({ code: 'api-unavailable', status: 0 });
});
