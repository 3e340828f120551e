import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bindQueues } from '../../store/agent-queues.js';
import { claim } from '../../store/line.js';
import { makeLaunchable, startTestApi, type TestApi } from './support/api.js';

let api: TestApi;
const agent = { id: 'agent-1', incarnation: 'incarnation1' };
interface Held {
  launchId: string;
  claim: string;
}

beforeAll(async () => {
  api = await startTestApi();
  await makeLaunchable(api);
  await api.db
    .insertInto('agent')
    .values({ ...agent, entity_id: api.ids.lab, name: 'worker', max_jobs: 100 })
    .execute();
  const targets = { process: { place: 'here', ok: true, details: [] } };
  await bindQueues(api.db, { agentId: agent.id, entityId: api.ids.lab, queues: ['*'], targets });
});
afterAll(() => api.close());

let tickets = 0;
/** A launch as an agent holds it. */
async function taken(): Promise<Held> {
  const made = await api.call('POST', '/launches', { body: { queue: 'lab/q', job: 'lab/demo/train' } });
  expect(made.status, made.text).toBe(201);
  const queue = await api.db.selectFrom('queue').select('id').where('name', '=', 'q').executeTakeFirstOrThrow();
  const answer = await claim(api.db, {
    queueId: queue.id,
    ticket: `t/${++tickets}`,
    ticketAttempt: 1,
    agentId: agent.id,
    incarnation: agent.incarnation,
    privateQueue: 'agent.x',
    place: 'here',
  });
  if (answer.outcome !== 'granted') throw new Error(JSON.stringify(answer));
  return { launchId: answer.launchId, claim: answer.claim };
}
const asAgent = (held: Held, what: string, body: object) =>
  api.call('POST', `/agents/${agent.id}/launches/${held.launchId}/${what}`, {
    key: api.keys.labAgent,
    body: { claim: held.claim, ...body },
  });
const ask = async (held: Held, key: string, action: 'take' | 'release' = 'take'): Promise<boolean> => {
  const answer = await asAgent(held, 'build-lock', { key, action });
  expect(answer.status, answer.text).toBe(200);
  return answer.body.held as boolean;
};

test("of many who want to build an image at once, one does; another image is nobody else's business", async () => {
  const all = await Promise.all(Array.from({ length: 5 }, taken));
  const answers = await Promise.all(all.map((held) => ask(held, 'jobs:one')));
  expect(answers.filter(Boolean)).toHaveLength(1);
  const [first] = all;
  if (first) expect(await ask(first, 'jobs:another')).toBe(true);
});

test('the right to build is renewed by its holder, and goes over when it is given back', async () => {
  const [a, b] = [await taken(), await taken()];
  expect(await ask(a, 'jobs:two')).toBe(true);
  expect(await ask(a, 'jobs:two')).toBe(true);
  expect(await ask(b, 'jobs:two')).toBe(false);
  await ask(b, 'jobs:two', 'release');
  expect(await ask(b, 'jobs:two')).toBe(false);
  await ask(a, 'jobs:two', 'release');
  expect(await ask(b, 'jobs:two')).toBe(true);
});

test('it goes with a holder that falls silent, and at once with one that loses its claim', async () => {
  const [a, b, c] = [await taken(), await taken(), await taken()];
  expect(await ask(a, 'jobs:three')).toBe(true);
  expect(await ask(b, 'jobs:three')).toBe(false);
  await api.db
    .updateTable('build_lock')
    .set({ expires_at: sql<Date>`now() - interval '1 second'` })
    .where('key', '=', 'jobs:three')
    .execute();
  expect(await ask(b, 'jobs:three')).toBe(true);
  expect(await ask(a, 'jobs:three')).toBe(false);

  await api.db.updateTable('launch').set({ claim: null }).where('id', '=', b.launchId).execute();
  expect(await ask(c, 'jobs:three')).toBe(true);
  expect((await asAgent(b, 'build-lock', { key: 'jobs:three', action: 'take' })).body.code).toBe('claim-lost');
});

test('what is known of an image stays with the version of the job that it was built of', async () => {
  const held = await taken();
  const inUse = { image: 'registry.example/jobs@sha256:aa', name: 'registry.example/jobs:1', use: 'built' };
  const build = {
    inputs: 'ab12',
    facts: { builder: 'docker', baseImage: 'python:3.11', baseDigest: 'sha256:bb', requirementsLock: 'six==1.16.0\n' },
  };
  expect((await asAgent(held, 'image', { ...inUse, build })).status).toBe(200);
  // Who finds it later knows less.
  const found = await taken();
  expect((await asAgent(found, 'image', { ...inUse, build: { ...build, facts: { builder: 'docker' } } })).status).toBe(
    200,
  );
  for (const { launchId } of [held, found]) {
    const shown = await api.call('GET', `/launches/${launchId}`);
    expect(shown.body.image).toEqual(inUse);
  }
  const page = await api.call('GET', '/entities/lab/projects/demo/jobs/train/versions/v0/images');
  expect(page.status, page.text).toBe(200);
  expect(page.body.images).toMatchObject([{ image: inUse.image, name: inUse.name, ...build }]);
  const nowhere = await api.call('GET', '/entities/lab/projects/demo/jobs/train/versions/v7/images');
  expect([nowhere.status, nowhere.body.code]).toEqual([404, 'unknown-job']);
});
