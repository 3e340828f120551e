import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTeam, createUser, setMember } from '../../store/entities.js';
import { issueKey } from '../../store/keys.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';

let api: TrackingApi;
beforeAll(async () => {
  api = await startTrackingApi();
});
afterAll(() => api.close());

async function authorOf(run: string, username: string, key: string): Promise<string | undefined> {
  const res = await fetch(`${api.url}/graphql`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Authorization: `Bearer ${key}`,
      'X-WANDB-USERNAME': username,
    },
    body: JSON.stringify({
      query:
        'mutation M($n: String) { upsertBucket(input: {name: $n, modelName: "p", entityName: "crew", host: "vm"}) { bucket { user { username } } } }',
      variables: { n: run },
    }),
  });
  const body = (await res.json()) as { data: { upsertBucket: { bucket: { user: { username: string } } } } };
  return body.data.upsertBucket.bucket.user.username;
}

test("a run that an administrator's key logs for a member is that member's; nobody else's word is taken", async () => {
  const team = await createTeam(api.db, { name: 'crew', adminUserId: api.userId });
  const vera = await createUser(api.db, { username: 'vera' });
  await createUser(api.db, { username: 'eve' });
  await setMember(api.db, team.id, vera.userId, 'member');
  const { key } = await issueKey(api.db, { kind: 'user', userId: vera.userId });
  expect(await authorOf('r1', 'vera', api.key)).toBe('vera');
  expect(await authorOf('r2', 'eve', api.key)).toBe('ada');
  expect(await authorOf('r3', 'nobody', api.key)).toBe('ada');
  expect(await authorOf('r4', 'ada', key)).toBe('vera');
});
