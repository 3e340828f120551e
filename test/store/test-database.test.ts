import { expect, test } from 'vitest';
import { createTestDatabase } from '../support/postgres.js';

test('each test database is fresh, migrated, and its own', async () => {
  const [a, b] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  await a.db.insertInto('setting').values({ key: 'k', value: 'a' }).execute();
  expect(await a.db.selectFrom('setting').selectAll().execute()).toEqual([{ key: 'k', value: 'a' }]);
  expect(await b.db.selectFrom('setting').selectAll().execute()).toEqual([]);
  expect((await a.db.selectFrom('launch').select('id').execute()).length).toBe(0);
  await Promise.all([a.close(), b.close()]);
});
