import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeLaunchable, startTestApi, type TestApi } from './support/api.js';
import { bulkSteps } from './support/bulks.js';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
  await makeLaunchable(api);
});
afterAll(() => api.close());

const { enqueue, start, done, rowsOf } = bulkSteps(() => api);

describe('refusals of a bulk', () => {
  const filter = { queue: 'lab/q' };
  test.each<[string, Record<string, unknown>, string]>([
    ['nothing', {}, 'invalid-request'],
    ['no condition', { action: 'cancel', filter: {} }, 'invalid-request'],
    ['an unknown action', { action: 'explode', filter }, 'invalid-request'],
    ['an unknown condition', { action: 'cancel', filter: { colour: 'red' } }, 'invalid-request'],
    ['a move to nowhere', { action: 'move', filter }, 'invalid-request'],
    ['a move beside one', { action: 'move', filter, params: { to: 'before' } }, 'invalid-request'],
    ['a place for a cancel', { action: 'cancel', filter, params: { to: 'front' } }, 'invalid-request'],
    ['no priority', { action: 'priority', filter, params: {} }, 'invalid-priority'],
    ['a transfer to nowhere', { action: 'transfer', filter }, 'invalid-request'],
    ['a transfer to an unknown queue', { action: 'transfer', filter, params: { queue: 'lab/nil' } }, 'unknown-queue'],
    ['an unknown queue', { action: 'cancel', filter: { queue: 'lab/nil' } }, 'unknown-queue'],
    ['an unknown project', { action: 'cancel', filter: { project: 'lab/nil' } }, 'not-found'],
    ['a state that cannot be', { action: 'hold', filter: { ...filter, state: 'running' } }, 'invalid-request'],
    ['a retry of what runs', { action: 'retry', filter: { ...filter, state: 'running' } }, 'invalid-request'],
    ['a state that is none', { action: 'cancel', filter: { state: 'asleep' } }, 'invalid-request'],
    ['an id that is none', { action: 'cancel', filter: { ids: ['x'] } }, 'invalid-request'],
    ['too many ids', { action: 'cancel', filter: { ids: Array(10_001).fill('0'.repeat(20)) } }, 'invalid-request'],
    ['a huge age', { action: 'cancel', filter: { olderThanMs: 1e300 } }, 'invalid-request'],
    ['an age before now', { action: 'cancel', filter: { olderThanMs: -1 } }, 'invalid-request'],
    ['a queue of another entity than named', { entity: 'ada', action: 'cancel', filter }, 'invalid-request'],
  ])('%s', async (_what, body, code) => {
    const before = (await api.call('GET', '/bulk?limit=200')).body.items.length as number;
    const answer = await start(body);
    expect(answer.body.code, answer.text).toBe(code);
    expect((await api.call('GET', '/bulk?limit=200')).body.items).toHaveLength(before);
  });

  test('a stranger reaches nothing, a viewer changes nothing', async () => {
    const ids = await enqueue('q', 2);
    const stranger = await start({ action: 'cancel', filter: { ids } }, api.keys.bob);
    expect(stranger.body).toMatchObject({ total: 0 });
    expect((await start({ entity: 'lab', action: 'cancel', filter: { ids } }, api.keys.bob)).status).toBe(404);
    expect((await start({ action: 'cancel', filter }, api.keys.bob)).body.code).toBe('unknown-queue');
    expect((await start({ action: 'cancel', filter }, api.keys.vic)).body.code).toBe('forbidden');
    expect((await rowsOf(ids)).map(({ state }) => state)).toEqual(['queued', 'queued']);
    const { id } = await done({ action: 'hold', filter: { queue: 'lab/q' } });
    const path = `/bulk/${String(id)}`;
    expect((await api.call('GET', path, { key: api.keys.vic })).status).toBe(200);
    expect((await api.call('GET', path, { key: api.keys.bob })).status).toBe(404);
    expect((await api.call('POST', `${path}/cancel`, { key: api.keys.vic })).status).toBe(403);
    for (const nonsense of ['bulk-1', '%00', 'x'.repeat(65)])
      expect((await api.call('GET', `/bulk/${nonsense}`)).status).toBe(404);
  });

  test('a retry never puts anything into a project where the actor may not', async () => {
    await api.call('PUT', '/entities/lab/members/bob', { body: { role: 'member' } });
    const body = { queue: 'lab/q', job: 'lab/demo/train', entity: 'bob', project: 'mine' };
    const { id } = (await api.call('POST', '/launches', { key: api.keys.bob, body })).body as { id: string };
    await api.call('POST', `/launches/${id}/cancel`, { key: api.keys.bob });
    expect((await start({ entity: 'lab', action: 'retry', filter: { ids: [id] } })).body.total).toBe(0);
    expect((await start({ entity: 'lab', action: 'retry', filter: { ids: [id] } }, api.keys.bob)).body.total).toBe(1);
    await api.call('DELETE', '/entities/lab/members/bob');
  });
});
