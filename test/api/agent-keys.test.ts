import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestApi, type Answer, type TestApi } from './support/api.js';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  for (const name of ['gpu', 'cpu', 'gone'])
    await api.call('POST', '/queues', { body: { entity: 'lab', name, target: 'process' } });
  await api.call('POST', '/queues', { body: { entity: 'ada', name: 'own', target: 'process' } });
});
afterAll(() => api.close());

const newKey = (queues?: string[]): Promise<Answer> =>
  api.call('POST', '/keys', { body: { kind: 'agent', entity: 'lab', ...(queues === undefined ? {} : { queues }) } });

let n = 0;
/** Each test has an agent of its own. */
let name = '';
let incarnation = '';
beforeEach(() => {
  name = `worker-${++n}`;
  incarnation = `incarnation${n}`;
});
const hello = (key: string, over: Record<string, unknown> = {}): Promise<Answer> =>
  api.call('POST', '/agents/hello', {
    key,
    body: {
      entity: 'lab',
      name,
      incarnation,
      host: 'here',
      pid: 1,
      version: '1',
      maxJobs: 2,
      targets: { process: { place: 'here', ok: true, details: ['Python 3'] } },
      queues: ['*'],
      ...over,
    },
  });
const heartbeat = (key: string, agentId: string, over: Record<string, unknown> = {}): Promise<Answer> =>
  api.call('POST', `/agents/${agentId}/heartbeat`, {
    key,
    body: { incarnation, status: 'active', queues: ['*'], ...over },
  });
const namesOf = (answer: Answer): string[] => answer.body.queues.map((queue: { queue: string }) => queue.queue).sort();
const agent = async (): Promise<Answer['body']> => (await api.call('GET', `/agents/lab/${name}`)).body;

describe('an agent key that is bound to queues', () => {
  test('is made by an admin of the entity, for queues of that entity, and lists them', async () => {
    const made = await newKey(['gpu', 'lab/gpu']);
    expect(made.status).toBe(201);
    const listed = await api.call('GET', '/keys');
    expect(listed.body.items.find((key: { id: string }) => key.id === made.body.id)).toMatchObject({
      kind: 'agent',
      queues: ['lab/gpu'],
    });
    expect((await newKey(['nowhere'])).body.code).toBe('unknown-queue');
    expect((await newKey(['ada/own'])).body.code).toBe('unknown-queue');
    expect((await newKey([])).status).toBe(400);
    const byMember = { key: api.keys.mem, body: { kind: 'agent', entity: 'lab', queues: ['gpu'] } };
    expect((await api.call('POST', '/keys', byMember)).status).toBe(403);
    expect((await api.call('POST', '/keys', { body: { kind: 'user', queues: ['gpu'] } })).status).toBe(400);
  });

  test('gives its agent these queues, and * means no more', async () => {
    const { key } = (await newKey(['gpu'])).body;
    const welcome = await hello(key);
    expect(namesOf(welcome)).toEqual(['gpu']);
    expect(namesOf(await heartbeat(key, welcome.body.agentId))).toEqual(['gpu']);
    expect(await agent()).toMatchObject({ queues: ['lab/gpu'], boundTo: ['lab/gpu'] });
    await api.call('POST', '/queues', { body: { entity: 'lab', name: `later-${n}`, target: 'process' } });
    expect(namesOf(await heartbeat(key, welcome.body.agentId))).toEqual(['gpu']);
  });

  test('refuses other queues by their names, in hello, heartbeat and claim', async () => {
    const { key } = (await newKey(['gpu', 'gone'])).body;
    const refused = await hello(key, { queues: ['gpu', 'cpu'] });
    expect(refused).toMatchObject({ status: 403, body: { code: 'queue-not-bound' } });
    expect(refused.body.detail).toBe('The key of this agent is bound to lab/gpu, lab/gone; not to lab/cpu.');
    const { agentId } = (await hello(key, { queues: ['gpu'] })).body;
    expect((await heartbeat(key, agentId, { queues: ['cpu'] })).body.code).toBe('queue-not-bound');
    const idOf = async (queue: string) =>
      (await api.db.selectFrom('queue').select('id').where('name', '=', queue).executeTakeFirstOrThrow()).id;
    const claim = async (queue: string) =>
      api.call('POST', `/agents/${agentId as string}/claim`, {
        key,
        body: { incarnation, queueId: await idOf(queue), ticket: `t/${n}`, ticketAttempt: 1 },
      });
    expect((await claim('gpu')).body).toMatchObject({ outcome: 'none' });
    expect((await claim('cpu')).body).toMatchObject({
      code: 'queue-not-bound',
      detail: 'The key of this agent is bound to lab/gpu, lab/gone; not to lab/cpu.',
    });
    // A queue that is deleted does not turn its agent away.
    await api.db.updateTable('queue').set({ deleted_at: new Date() }).where('name', '=', 'gone').execute();
    expect(namesOf(await heartbeat(key, agentId, { queues: ['gpu', 'gone'] }))).toEqual(['gpu']);
  });

  test('gives no work of other queues, whoever claimed it', async () => {
    const bound = (await newKey(['gpu'])).body.key as string;
    const free = (await newKey()).body.key as string;
    const { agentId } = (await hello(free)).body;
    const queue = await api.db.selectFrom('queue').select('id').where('name', '=', 'cpu').executeTakeFirstOrThrow();
    const project = await api.db
      .insertInto('project')
      .values({ entity_id: api.ids.lab, name: 'demo' })
      .returning('id')
      .executeTakeFirstOrThrow();
    const claim = '9b3f6f34-5c7b-4f0e-9d7e-0d1f1f6a2b11';
    await api.db
      .insertInto('launch')
      .values({
        id: 'l0000000000000000001',
        workflow_id: 'launch/l1',
        queue_id: queue.id,
        project_id: project.id,
        author: 'ada',
        state: 'claimed',
        priority: 2,
        rank: 1,
        v: 1,
        claim,
        agent_id: agentId,
        incarnation,
        run_name: 'r',
        spec: '{}',
        request: '{}',
        requires: '{}',
        retries: '{}',
      })
      .execute();
    const confirm = await api.call('POST', `/agents/${agentId as string}/launches/l0000000000000000001/confirm`, {
      key: bound,
      body: { claim, incarnation },
    });
    expect(confirm.body).toMatchObject({ status: 403, code: 'queue-not-bound' });
    await api.db.deleteFrom('launch').execute();
  });
});

describe('operators', () => {
  const order = (verb: string, key = api.keys.ada) => api.call('POST', `/agents/lab/${name}/${verb}`, { key });
  const audited = async () =>
    (
      await api.db
        .selectFrom('audit')
        .select(['actor', 'action'])
        .where('subject', '=', `agent/lab/${name}`)
        .orderBy('id')
        .execute()
    ).map(({ actor, action }) => `${actor} ${action}`);

  test('drain an agent and let it work again; its heartbeat tells it, and the trail says who', async () => {
    const key = api.keys.labAgent;
    const { agentId } = (await hello(key, { labels: { gpu: 'a100' } })).body;
    expect(await agent()).toMatchObject({
      status: 'active',
      wanted: 'active',
      labels: { gpu: 'a100' },
      slots: { total: 2, used: 0 },
      boundTo: null,
      quarantine: null,
      targets: { process: { place: 'here', ok: true, details: ['Python 3'] } },
    });
    expect((await order('drain', api.keys.mem)).status).toBe(403);
    expect((await order('drain', api.keys.bob)).status).toBe(404);
    expect((await order('drain')).body).toMatchObject({ status: 'draining', wanted: 'draining', wantedBy: 'ada' });
    expect((await heartbeat(key, agentId)).body).toMatchObject({ wanted: 'draining', queues: [] });
    // A new process of it is told as well.
    expect((await hello(key)).body).toMatchObject({ wanted: 'draining', queues: [] });
    expect((await agent()).queues).not.toEqual([]);
    expect((await order('activate')).body).toMatchObject({ status: 'active', wanted: 'active', wantedBy: null });
    expect((await heartbeat(key, agentId)).body.queues).not.toEqual([]);
    expect(await agent()).toMatchObject({ status: 'active' });
    expect(await audited()).toEqual(['ada agent.drain', 'ada agent.activate']);
  });

  test('stop an agent: its name is refused until it is activated', async () => {
    const key = api.keys.labAgent;
    const { agentId } = (await hello(key)).body;
    await order('stop');
    expect((await heartbeat(key, agentId)).body).toMatchObject({ wanted: 'stopped', queues: [] });
    expect((await heartbeat(key, agentId, { status: 'stopped' })).status).toBe(200);
    expect(await agent()).toMatchObject({ status: 'stopped', wanted: 'stopped' });
    const refused = await hello(key, { incarnation: `${incarnation}x` });
    expect(refused).toMatchObject({ status: 409, body: { code: 'agent-stopped' } });
    expect(refused.body.detail).toContain('by ada');
    await order('activate');
    expect((await hello(key, { incarnation: `${incarnation}x` })).status).toBe(200);
  });

  test('forget an agent only when it is gone and holds nothing', async () => {
    const key = api.keys.labAgent;
    const { agentId } = (await hello(key)).body;
    const remove = () => api.call('DELETE', `/agents/lab/${name}`);
    expect((await remove()).body).toMatchObject({ code: 'agent-in-use' });
    expect((await api.call('DELETE', `/agents/lab/${name}`, { key: api.keys.mem })).status).toBe(403);
    await api.db
      .updateTable('agent')
      .set({ heartbeat_at: new Date(Date.now() - 60_000) })
      .where('id', '=', agentId)
      .execute();
    expect(await agent()).toMatchObject({ status: 'lost' });
    expect((await remove()).status).toBe(204);
    expect((await remove()).status).toBe(404);
    // A process that comes back from a long sleep learns that it is nobody any more.
    expect((await heartbeat(key, agentId)).status).toBe(404);
    expect(await audited()).toEqual(['ada agent.delete']);
  });

  test('labels that are none are refused', async () => {
    const bad = await hello(api.keys.labAgent, { labels: { 'no spaces': 'x' } });
    expect(bad.status).toBe(400);
  });
});
