import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claim } from '../../store/line.js';
import { makeLaunchable, startTestApi, type CallOptions, type TestApi } from './support/api.js';

let api: TestApi;
const agent = { id: 'agent-1', incarnation: 'incarnation1' };

beforeAll(async () => {
  api = await startTestApi();
  await makeLaunchable(api);
  await api.db
    .insertInto('agent')
    .values({ ...agent, entity_id: api.ids.lab, name: 'worker', max_jobs: 4 })
    .execute();
});
afterAll(() => api.close());

const makeQueue = (name: string, entity = 'lab', key = api.keys.ada) =>
  api.call('POST', '/queues', { key, body: { entity, name } });
async function enqueue(queue: string, n: number, over: Record<string, unknown> = {}): Promise<string[]> {
  const launches = Array.from({ length: n }, () => ({ queue: `lab/${queue}`, job: 'lab/demo/train', ...over }));
  const answer = await api.call('POST', '/launches/batch', { body: { launches } });
  expect(answer.status, answer.text).toBe(200);
  return (answer.body.results as { id: string }[]).map(({ id }) => id);
}
const act = (id: string, what: string, body?: unknown, options: CallOptions = {}) =>
  api.call('POST', `/launches/${id}/${what}`, { ...options, ...(body === undefined ? {} : { body }) });
const line = async (queue: string, query = '') => {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const answer = await api.call(
      'GET',
      `/launches?queue=lab/${queue}&order=line&limit=3${query}${cursor ? `&cursor=${cursor}` : ''}`,
    );
    expect(answer.status, answer.text).toBe(200);
    ids.push(...(answer.body.items as { id: string }[]).map(({ id }) => id));
    cursor = answer.body.nextCursor as string | undefined;
  } while (cursor);
  return ids;
};
async function take(queue: string): Promise<string> {
  const { id: queueId } = await api.db
    .selectFrom('queue')
    .select('id')
    .where('name', '=', queue)
    .executeTakeFirstOrThrow();
  const answer = await claim(api.db, {
    queueId,
    ticket: null,
    ticketAttempt: 1,
    agentId: agent.id,
    incarnation: agent.incarnation,
    privateQueue: 'agent.x',
    place: 'here',
  });
  return answer.outcome === 'granted' ? answer.launchId : answer.outcome;
}

describe('what people do with a waiting launch', () => {
  test('shows in the order of the line, page by page', async () => {
    await makeQueue('order');
    const [a = '', b = '', c = '', d = '', e = ''] = await enqueue('order', 5);
    expect(await line('order')).toEqual([a, b, c, d, e]);
    expect((await act(e, 'move', { to: 'front' })).body).toEqual({ id: e, outcome: 'done', position: 1, held: false });
    expect((await act(a, 'move', { to: 'back' })).body).toMatchObject({ position: 5 });
    expect((await act(b, 'move', { after: d })).body).toMatchObject({ position: 4 });
    expect((await act(d, 'move', { before: c })).body).toMatchObject({ position: 2 });
    expect((await act(a, 'priority', { priority: 'critical' })).body).toMatchObject({ position: 1 });
    expect(await line('order')).toEqual([a, e, d, c, b]);
    expect((await act(e, 'hold', { reason: 'wait for the data' })).body).toEqual({
      id: e,
      outcome: 'done',
      position: null,
      held: true,
    });
    expect(await line('order')).toEqual([a, d, c, b]);
    expect((await api.call('GET', `/launches/${e}`)).body).toMatchObject({
      held: true,
      hold: { cause: 'user', by: 'ada', reason: 'wait for the data' },
    });
    expect((await act(e, 'release')).body).toMatchObject({ position: 2, held: false });
    expect([await take('order'), await take('order')]).toEqual([a, e]);
    const story = (await api.call('GET', `/launches/${e}/events`)).body.items as { sentence: string }[];
    expect(story.map(({ sentence }) => sentence).slice(1, 4)).toEqual([
      'Moved to the front of its priority by ada.',
      'Held by ada: wait for the data.',
      'Released by ada; waits in line again.',
    ]);
  });

  test('a transfer takes over what the other queue says, and the relaunch goes there too', async () => {
    await makeQueue('from');
    await api.call('POST', '/queues', {
      body: { entity: 'lab', name: 'to', resourceConfig: { gpu: 1 }, requireRun: false },
    });
    const [first = ''] = await enqueue('to', 1);
    const [id = ''] = await enqueue('from', 1, { overrides: { resourceConfig: { memory: 2 } } });
    expect((await act(id, 'transfer', { queue: 'to' }, { key: api.keys.mem })).body).toMatchObject({ position: 2 });
    expect((await api.call('GET', `/launches/${id}`)).body).toMatchObject({
      queue: { entity: 'lab', name: 'to' },
      requireRun: false,
      resolved: { queue: 'to', resourceConfig: { gpu: 1, memory: 2 } },
    });
    expect(await line('to')).toEqual([first, id]);
    const again = await act(id, 'relaunch', {});
    expect((await api.call('GET', `/launches/${again.body.id as string}`)).body.queue.name).toBe('to');
  });

  test('a launch that was taken says by whom, and nothing changes', async () => {
    await makeQueue('taken');
    const [id = ''] = await enqueue('taken', 1);
    expect(await take('taken')).toBe(id);
    const before = await api.db.selectFrom('launch').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    for (const [what, body] of [
      ['hold', {}],
      ['release', undefined],
      ['move', { to: 'front' }],
      ['priority', { priority: 'low' }],
      ['transfer', { queue: 'lab/q' }],
    ] as const) {
      const answer = await act(id, what, body);
      expect([answer.status, answer.body.code], what).toEqual([409, 'not-waiting']);
      expect(answer.body).toMatchObject({ state: 'claimed', agent: 'worker' });
      expect(answer.body.detail).toContain('claimed with agent "worker"');
    }
    expect(await api.db.selectFrom('launch').selectAll().where('id', '=', id).executeTakeFirstOrThrow()).toEqual(
      before,
    );
  });

  test('may be said twice', async () => {
    await makeQueue('again');
    const [id = ''] = await enqueue('again', 2);
    for (const [what, body] of [
      ['hold', {}],
      ['release', undefined],
      ['move', { to: 'back' }],
      ['priority', { priority: 'high' }],
      ['transfer', { queue: 'again' }],
    ] as const) {
      const answers = [await act(id, what, body), await act(id, what, body)];
      expect(answers[1]?.body, what).toEqual(answers[0]?.body);
    }
  });

  test('each change leaves one line in the audit trail, a cancel too', async () => {
    await makeQueue('trail');
    const [id = ''] = await enqueue('trail', 1);
    await act(id, 'hold', {}, { key: api.keys.mem });
    await act(id, 'release');
    await act(id, 'release');
    await act(id, 'cancel');
    await act(id, 'cancel', undefined, { key: api.keys.mem });
    const again = (await act(id, 'relaunch', {}, { key: api.keys.mem })).body.id as string;
    const trail = async (subject: string) =>
      ((await api.call('GET', `/audit?subject=launch/${subject}`)).body.items as { actor: string; action: string }[])
        .map(({ actor, action }) => `${actor} ${action}`)
        .reverse();
    expect(await trail(id)).toEqual([
      'ada launch.enqueue',
      'mem launch.hold',
      'ada launch.release',
      'ada launch.cancel',
    ]);
    expect(await trail(again)).toEqual(['mem launch.enqueue', 'mem launch.relaunch']);
  });
});

describe('refusals', () => {
  let id: string;
  let other: string;
  beforeAll(async () => {
    await makeQueue('strict');
    [id = ''] = await enqueue('strict', 1);
    [other = ''] = await enqueue('q', 1, { priority: 'high' });
    await makeQueue('own', 'bob', api.keys.bob);
  });

  test.each<[string, () => [string, unknown], string]>([
    ['a move without a place', () => ['move', {}], 'invalid-request'],
    ['two places at once', () => ['move', { to: 'front', before: other }], 'invalid-request'],
    ['a place that is none', () => ['move', { to: 'middle' }], 'invalid-request'],
    ['a neighbour that is no launch', () => ['move', { before: 'x'.repeat(20) }], 'move-elsewhere'],
    ['a neighbour with a wrong type', () => ['move', { before: 5 }], 'invalid-request'],
    ['a neighbour in another queue', () => ['move', { before: other }], 'move-elsewhere'],
    ['itself as a neighbour', () => ['move', { after: id }], 'move-elsewhere'],
    ['no priority', () => ['priority', {}], 'invalid-priority'],
    ['a number as a priority', () => ['priority', { priority: 1 }], 'invalid-priority'],
    ['an unknown queue', () => ['transfer', { queue: 'lab/nil' }], 'unknown-queue'],
    ['a foreign queue', () => ['transfer', { queue: 'bob/own' }], 'unknown-queue'],
    ['a queue that is none', () => ['transfer', { queue: 'a/b/c' }], 'unknown-queue'],
    ['a reason as long as a book', () => ['hold', { reason: 'x'.repeat(1_001) }], 'invalid-request'],
    ['something unknown beside', () => ['hold', { reasons: 'x' }], 'invalid-request'],
  ])('%s', async (_name, request, code) => {
    const before = await line('strict');
    const answer = await act(id, ...request());
    expect(answer.body.code, answer.text).toBe(code);
    expect(answer.status).toBeLessThan(500);
    expect(await line('strict')).toEqual(before);
  });

  test('a launch that is not there, and one of strangers, answer alike', async () => {
    for (const [what, body] of [
      ['hold', {}],
      ['release', undefined],
      ['move', { to: 'front' }],
      ['priority', { priority: 'low' }],
      ['transfer', { queue: 'own' }],
    ] as const) {
      const foreign = await act(id, what, body, { key: api.keys.bob });
      const none = await act('0'.repeat(20), what, body, { key: api.keys.bob });
      const nonsense = await act("1'; drop table", what, body, { key: api.keys.bob });
      expect([foreign.status, none.status, nonsense.status], what).toEqual([404, 404, 404]);
      const viewer = await act(id, what, body, { key: api.keys.vic });
      expect([viewer.status, viewer.body.code], what).toEqual([403, 'forbidden']);
    }
  });

  test('who may see a launch but is no member where its queue is may look and not touch', async () => {
    // bob may enqueue into lab's queue for his own project only while he is a member of lab.
    await api.call('PUT', '/entities/lab/members/bob', { body: { role: 'member' } });
    const made = await api.call('POST', '/launches', {
      key: api.keys.bob,
      body: { queue: 'lab/strict', job: 'lab/demo/train', entity: 'bob', project: 'mine' },
    });
    expect(made.status, made.text).toBe(201);
    const mine = made.body.id as string;
    // Those of lab cannot read it, but they keep their line in order.
    expect((await api.call('GET', `/launches/${mine}`, { key: api.keys.mem })).status).toBe(404);
    expect((await act(mine, 'move', { to: 'front' }, { key: api.keys.mem })).body).toMatchObject({ position: 1 });
    await api.call('DELETE', '/entities/lab/members/bob');
    expect((await act(mine, 'move', { to: 'front' }, { key: api.keys.bob })).body.code).toBe('forbidden');
    expect((await act(mine, 'cancel', undefined, { key: api.keys.bob })).body.state).toBe('stopped');
  });
});

describe('lists', () => {
  test('are filtered by hold, priority and labels', async () => {
    await makeQueue('lists');
    const [high = ''] = await enqueue('lists', 1, { priority: 'high' });
    const [gpu = ''] = await enqueue('lists', 1, { requires: { gpu: 'a100', zone: 'x' } });
    const [held = ''] = await enqueue('lists', 1, { hold: true, ttlMs: 60_000 });
    const find = async (query: string) =>
      ((await api.call('GET', `/launches?queue=lab/lists&${query}`)).body.items as { id: string }[]).map((l) => l.id);
    expect(await find('state=held')).toEqual([held]);
    expect(await find('state=queued')).toEqual([held, gpu, high]);
    expect(await find('state=held,stopped')).toEqual([held]);
    expect(await find('priority=high,critical')).toEqual([high]);
    expect(await find('labels=gpu=a100')).toEqual([gpu]);
    expect(await find('labels=zone=x,gpu=a100')).toEqual([gpu]);
    expect(await find('labels=gpu=h100')).toEqual([]);
    expect(await line('lists')).toEqual([high, gpu]);
    expect(await line('lists', '&priority=medium')).toEqual([gpu]);
    const items = (await api.call('GET', '/launches?queue=lab/lists')).body.items as Record<string, unknown>[];
    expect(items[0]).toMatchObject({ expiresAt: expect.any(String), requires: {} });
    expect(items[1]).toMatchObject({ expiresAt: null, requires: { gpu: 'a100', zone: 'x' } });
  });

  test.each([
    ['order=line', 'invalid-request'],
    ['order=line&queue=lab/nil', 'unknown-queue'],
    ['order=line&queue=bob/own', 'unknown-queue'],
    ['order=line&queue=lab/q&state=running', 'invalid-request'],
    ['order=line&queue=lab/q&cursor=WzEsMl0', 'invalid-request'],
    ['order=random', 'invalid-request'],
    ['state=asleep', 'invalid-request'],
    ['priority=urgent', 'invalid-request'],
    ['labels=gpu', 'invalid-request'],
    ['labels=a=b=c', 'invalid-request'],
    ['labels==', 'invalid-request'],
    ['limit=1000000000000000000', 'invalid-request'],
  ])('%s is refused', async (query, code) => {
    const answer = await api.call('GET', `/launches?${query}`, query.includes('bob') ? { key: api.keys.mem } : {});
    expect(answer.body.code, answer.text).toBe(code);
  });
});

describe('the audit trail', () => {
  test('is for site admins as a whole, and for admins of an entity thing by thing', async () => {
    const get = (query: string, key: string) => api.call('GET', `/audit?${query}`, { key });
    const all = await get('limit=5', api.keys.root);
    expect(all.body.items).toHaveLength(5);
    const next = await get(`limit=5&cursor=${all.body.nextCursor as string}`, api.keys.root);
    expect(next.body.items[0].id).toBeLessThan(all.body.items[4].id);
    expect((await get('', api.keys.ada)).body.code).toBe('forbidden');
    expect((await get('subject=queue/lab/q', api.keys.ada)).body.items.length).toBeGreaterThan(0);
    expect((await get('subject=queue/lab/q', api.keys.mem)).body.code).toBe('forbidden');
    expect((await get('subject=queue/lab/q', api.keys.bob)).body.code).toBe('not-found');
    expect((await get('subject=user/bob', api.keys.ada)).body.code).toBe('not-found');
    const { id } = (await api.call('GET', '/launches?limit=1')).body.items[0] as { id: string };
    expect((await get(`subject=launch/${id}`, api.keys.bob)).body.code).toBe('not-found');
    const byMem = (await get('actor=mem', api.keys.root)).body.items as { actor: string }[];
    expect(new Set(byMem.map(({ actor }) => actor))).toEqual(new Set(['mem']));
    const since = new Date().toISOString();
    expect((await get(`since=${since}`, api.keys.root)).body.items).toEqual([]);
    await enqueue('q', 1);
    expect((await get(`since=${since}`, api.keys.root)).body.items).toMatchObject([{ action: 'launch.enqueue' }]);
    for (const query of ['since=yesterday', 'cursor=WyJ4Il0', 'subject=', 'who=ada'])
      expect((await get(query, api.keys.root)).body.code, query).toBe('invalid-request');
  });
});
