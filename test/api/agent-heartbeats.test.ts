import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type Answer, type TestApi } from './support/api.js';

let api: TestApi;
let labKey: string;
let adaKey: string;
const names = Array.from({ length: 60 }, (_, n) => `q${n}`);
beforeAll(async () => {
  api = await startTestApi();
  for (const name of names) await api.call('POST', '/queues', { body: { entity: 'lab', name, target: 'process' } });
  const key = async (entity: string) => (await api.call('POST', '/keys', { body: { kind: 'agent', entity } })).body.key;
  labKey = await key('lab');
  adaKey = await key('ada');
});
afterAll(() => api.close());

const target = { process: { place: 'here', ok: true, details: [] } };
const hello = async (name: string, over: Record<string, unknown> = {}): Promise<string> => {
  const body = { entity: 'lab', name, incarnation: 'incarnation1', host: 'here', pid: 1, version: '1', maxJobs: 1 };
  const answer = await api.call('POST', '/agents/hello', {
    key: labKey,
    body: { ...body, targets: target, queues: [name], ...over },
  });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body.agentId;
};
const beat = (agentId: string, over: Record<string, unknown> = {}, key = labKey): Promise<Answer> =>
  api.call('POST', `/agents/${agentId}/heartbeat`, {
    key,
    body: { incarnation: 'incarnation1', status: 'active', queues: [], ...over },
  });
const namesOf = (answer: Answer): string[] => answer.body.queues.map((queue: { queue: string }) => queue.queue);

test('agents that send heartbeats in the same moment each hear of their own queues, and are each noted as alive', async () => {
  const ids = await Promise.all(names.map((name) => hello(name)));
  await api.db
    .updateTable('agent')
    .set({ heartbeat_at: new Date(0) })
    .execute();
  const answers = await Promise.all(ids.map((id, n) => beat(id, { queues: [`q${n}`, `q${(n + 1) % 60}`, 'unknown'] })));
  for (const [n, answer] of answers.entries()) {
    expect(namesOf(answer).sort()).toEqual([`q${n}`, `q${(n + 1) % 60}`].sort());
    expect(answer.body).toMatchObject({ wanted: 'active', quarantine: null });
  }
  const rows = await api.db.selectFrom('agent').select(['id', 'heartbeat_at']).execute();
  expect(
    rows
      .filter(({ heartbeat_at: at }) => at.getTime() > 0)
      .map(({ id }) => id)
      .sort(),
  ).toEqual([...ids].sort());
});

test('in one moment: a superseded process, a foreign key and an unknown agent are refused, whoever else is heard', async () => {
  const id = await hello('twice');
  const renewed = await hello('twice', { incarnation: 'incarnation2', endedIncarnation: 'incarnation1' });
  expect(renewed).toBe(id);
  const [old, now, foreign, unknown, draining] = await Promise.all([
    beat(id, { queues: ['*'] }),
    beat(id, { incarnation: 'incarnation2', queues: ['q1'] }),
    beat(id, { incarnation: 'incarnation2', queues: ['*'] }, adaKey),
    beat('a0000000000'),
    beat(id, { incarnation: 'incarnation2', queues: ['q1'], status: 'draining' }),
  ]);
  expect(old?.body.code).toBe('agent-superseded');
  expect(namesOf(now)).toEqual(['q1']);
  expect(foreign?.body.code).toBe('not-found');
  expect(unknown?.body.code).toBe('not-found');
  expect(draining?.status).toBe(200);
});
