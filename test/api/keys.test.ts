import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { authenticate } from '../../api/auth/authenticate.js';
import { ensureFirstAdmin, hashOfKey, issueKey, newKeyText, revokeKey } from '../../store/keys.js';
import { createTestDatabase } from '../support/postgres.js';
import { until } from '../support/until.js';
import { startTestApi, type TestApi } from './support/api.js';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

test('a key has the form that wandb clients of all versions take, and is nowhere in the database', async () => {
  for (const kind of ['user', 'agent', 'run'] as const) expect(newKeyText(kind)).toMatch(/^davit_\w+-[0-9a-f]{40}$/);
  const dump = JSON.stringify(await api.db.selectFrom('api_key').selectAll().execute());
  for (const key of Object.values(api.keys)) expect(dump).not.toContain(key.slice(-40));
});

test('the first admin is made once, whoever comes first', async () => {
  const database = await createTestDatabase();
  try {
    const made = await Promise.all(
      Array.from({ length: 8 }, () => ensureFirstAdmin(database.db, { username: 'root' })),
    );
    const keys = made.filter((one) => one !== undefined);
    expect(keys).toHaveLength(1);
    expect(await authenticate(database.db, `Bearer ${keys[0]?.key ?? ''}`)).toMatchObject({
      username: 'root',
      isAdmin: true,
      homeEntity: { name: 'root' },
    });
    expect(await ensureFirstAdmin(database.db, { username: 'other' })).toBeUndefined();
  } finally {
    await database.close();
  }
});

test('Bearer and Basic are both taken', async () => {
  const ask = async (authorization: string) =>
    (await fetch(`${api.url}/api/v1/viewer`, { headers: { Authorization: authorization } })).status;
  const key = api.keys.ada;
  expect(await ask(`Bearer ${key}`)).toBe(200);
  expect(await ask(`bearer   ${key}`)).toBe(200);
  expect(await ask(`Basic ${Buffer.from(`api:${key}`).toString('base64')}`)).toBe(200);
  expect(await ask(`Basic ${Buffer.from(key).toString('base64')}`)).toBe(401);
  expect(await ask('Digest x')).toBe(401);
});

test('a key is made, shown once, listed by its hint, and ends when it is revoked', async () => {
  const made = await api.call('POST', '/keys', { body: { kind: 'user', description: 'laptop' } });
  const key = made.body.key as string;
  expect((await api.call('GET', '/viewer', { key })).status).toBe(200);
  const listed = await api.call('GET', '/keys');
  expect(listed.text).not.toContain(key);
  expect(listed.body.items.find((k: { id: string }) => k.id === made.body.id)).toMatchObject({
    hint: key.slice(-4),
    description: 'laptop',
    revokedAt: null,
  });
  expect((await api.call('DELETE', `/keys/${made.body.id as string}`, { key: api.keys.bob })).status).toBe(404);
  expect((await api.call('DELETE', `/keys/${made.body.id as string}`)).status).toBe(204);
  expect((await api.call('GET', '/viewer', { key })).status).toBe(401);
});

test('a key that another process revoked, or that has expired, ends within seconds', async () => {
  const one = await issueKey(api.db, { kind: 'user', userId: api.ids.ada });
  const two = await issueKey(api.db, { kind: 'user', userId: api.ids.ada, expiresAt: new Date(Date.now() + 1_000) });
  const status = async (key: string) => (await api.call('GET', '/viewer', { key })).status;
  expect(await status(one.key)).toBe(200);
  await revokeKey(api.db, one.id);
  await until(async () => (await status(one.key)) === 401, { what: 'the revoked key to end' });
  await until(async () => (await status(two.key)) === 401, { what: 'the expired key to end' });
});

test('when a key was last used is noted, but not on each request', async () => {
  const { id, key } = await issueKey(api.db, { kind: 'user', userId: api.ids.ada });
  for (let i = 0; i < 20; i++) await api.call('GET', '/viewer', { key });
  const used = await until(
    async () =>
      (await api.db.selectFrom('api_key').select('last_used_at').where('id', '=', id).executeTakeFirst())?.last_used_at,
  );
  const writes = await sql<{ xmin: string }>`select xmin::text from api_key where id = ${id}`.execute(api.db);
  await api.call('GET', '/viewer', { key });
  const after = await sql<{ xmin: string }>`select xmin::text from api_key where id = ${id}`.execute(api.db);
  expect(after.rows).toEqual(writes.rows);
  expect(used.getTime()).toBeGreaterThan(Date.now() - 60_000);
  expect(hashOfKey(key)).toHaveLength(32);
});
