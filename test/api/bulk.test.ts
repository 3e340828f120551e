import { sql } from 'kysely';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDispatch, lazyTemporal, type FullDispatch } from '../../api/dispatch/index.js';
import type { BulkAction } from '../../domain/bulk.js';
import type { LaunchState } from '../../domain/words.js';
import { startBulk } from '../../store/bulk.js';
import { claim } from '../../store/line.js';
import { openStore } from '../../store/open.js';
import { until } from '../support/until.js';
import { makeLaunchable, startTestApi, type TestApi } from './support/api.js';
import { seedWaiting } from './support/seed.js';

let api: TestApi;
const agent = { id: 'agent-1', incarnation: 'incarnation1' };
let letters = 'abcdefghijklmnop';

beforeAll(async () => {
  api = await startTestApi();
  await makeLaunchable(api);
  await api.db
    .insertInto('agent')
    .values({ ...agent, entity_id: api.ids.lab, name: 'worker', max_jobs: -1 })
    .execute();
});
afterAll(() => api.close());

const makeQueue = async (name: string, settings: Record<string, unknown> = {}): Promise<number> => {
  const made = await api.call('POST', '/queues', { body: { entity: 'lab', name, ...settings } });
  expect(made.status, made.text).toBe(201);
  return (await api.db.selectFrom('queue').select('id').where('name', '=', name).executeTakeFirstOrThrow()).id;
};
async function enqueue(queue: string, n: number, over: Record<string, unknown> = {}): Promise<string[]> {
  const launches = Array.from({ length: n }, () => ({ queue: `lab/${queue}`, job: 'lab/demo/train', ...over }));
  const answer = await api.call('POST', '/launches/batch', { body: { launches } });
  expect(answer.status, answer.text).toBe(200);
  return (answer.body.results as { id: string }[]).map(({ id }) => id);
}
/** A queue with that many waiting launches. */
async function fill(name: string, n: number): Promise<{ queueId: number; ids: string[] }> {
  const queueId = await makeQueue(name);
  const [first = ''] = await enqueue(name, 1);
  const letter = letters.charAt(0);
  letters = letters.slice(1);
  return { queueId, ids: [first, ...(await seedWaiting(api.db, { launchId: first }, n - 1, letter))] };
}
const start = (body: Record<string, unknown>, key = api.keys.ada) => api.call('POST', '/bulk', { key, body });
const ended = (id: string) =>
  until(
    async () => {
      const { body } = await api.call('GET', `/bulk/${id}`);
      return body.state !== 'running' && (body as Record<string, unknown>);
    },
    { what: 'the end of the bulk', ms: 120_000 },
  );
async function done(body: Record<string, unknown>): Promise<Record<string, unknown>> {
  const started = await start(body);
  expect(started.status, started.text).toBe(202);
  return ended(started.body.id as string);
}
const line = async (queue: string) =>
  ((await api.call('GET', `/launches?queue=lab/${queue}&order=line&limit=200`)).body.items as { id: string }[]).map(
    ({ id }) => id,
  );
const rowsOf = (ids: readonly string[]) =>
  api.db.selectFrom('launch').select(['id', 'state', 'held', 'priority']).where('id', 'in', ids).execute();

describe('a bulk', () => {
  test('shows what it would change, and changes nothing, when it is run dry', async () => {
    await makeQueue('dry');
    const ids = await enqueue('dry', 25);
    const before = await api.db.selectFrom('launch').selectAll().where('id', 'in', ids).orderBy('id').execute();
    const answer = await start({ action: 'cancel', filter: { queue: 'lab/dry' }, dryRun: true });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ id: null, total: 25 });
    expect((answer.body.sample as { id: string }[]).map(({ id }) => id)).toEqual(ids.slice(0, 20));
    expect(answer.body.sample[0]).toMatchObject({ state: 'queued', queue: { entity: 'lab', name: 'dry' } });
    expect(await api.db.selectFrom('launch').selectAll().where('id', 'in', ids).orderBy('id').execute()).toEqual(
      before,
    );
    expect((await api.call('GET', '/bulk')).body.items).toEqual([]);
  });

  test('is about the launches that meet every condition', async () => {
    await makeQueue('filter');
    const plain = await enqueue('filter', 2);
    const [high = ''] = await enqueue('filter', 1, { priority: 'high' });
    const [gpu = ''] = await enqueue('filter', 1, { requires: { gpu: 'a100', zone: 'x' } });
    const [held = ''] = await enqueue('filter', 1, { hold: true });
    const [side = ''] = await enqueue('filter', 1, { project: 'side' });
    const { id: byMem } = (
      await api.call('POST', '/launches', { key: api.keys.mem, body: { queue: 'lab/filter', job: 'lab/demo/train' } })
    ).body as { id: string };
    const all = [...plain, high, gpu, held, side, byMem].sort();
    const chosen = async (filter: Record<string, unknown>, action = 'cancel') => {
      const answer = await start({ action, filter: { queue: 'lab/filter', ...filter }, dryRun: true });
      expect(answer.status, answer.text).toBe(200);
      return (answer.body.sample as { id: string }[]).map(({ id }) => id).sort();
    };
    expect(await chosen({})).toEqual(all);
    expect(await chosen({ priority: 'high' })).toEqual([high]);
    expect(await chosen({ priority: ['high', 'medium'] })).toEqual(all);
    expect(await chosen({ labels: { gpu: 'a100' } })).toEqual([gpu]);
    expect(await chosen({ state: 'held' })).toEqual([held]);
    expect(await chosen({ hold: 'user' })).toEqual([held]);
    expect(await chosen({ hold: 'parked' })).toEqual([]);
    expect(await chosen({ author: 'mem' })).toEqual([byMem]);
    expect(await chosen({ project: 'side' })).toEqual([side]);
    expect(await chosen({ project: 'lab/side', author: 'mem' })).toEqual([]);
    expect(await chosen({ job: 'train' })).toEqual(all);
    expect(await chosen({ job: 'nil' })).toEqual([]);
    expect(await chosen({ olderThanMs: 0 })).toEqual(all);
    expect(await chosen({ olderThanMs: 3600_000 })).toEqual([]);
    expect(await chosen({ ids: [high, gpu, '0'.repeat(20)] })).toEqual([high, gpu].sort());
    expect(await chosen({ state: ['running', 'claimed'] })).toEqual([]);
    expect(await chosen({}, 'retry')).toEqual([]);
    expect(await chosen({}, 'release')).toEqual([held]);
    expect(await chosen({}, 'hold')).toEqual(all.filter((id) => id !== held));
  });

  test('holds and releases', async () => {
    const { ids } = await fill('holds', 700);
    expect(await done({ action: 'hold', filter: { queue: 'lab/holds' }, params: { reason: 'later' } })).toMatchObject({
      total: 700,
      done: 700,
      skipped: 0,
      failed: 0,
      actor: 'ada',
      state: 'done',
    });
    expect((await api.call('GET', '/queues/lab/holds')).body).toMatchObject({ waiting: 0, held: 700 });
    expect((await api.call('GET', `/launches/${ids[5] ?? ''}`)).body.hold).toMatchObject({
      by: 'ada',
      reason: 'later',
    });
    expect(await done({ action: 'release', filter: { queue: 'lab/holds' } })).toMatchObject({ done: 700 });
    expect((await api.call('GET', '/queues/lab/holds')).body).toMatchObject({ waiting: 700, held: 0 });
  });

  test('moves to the front and to the end and keeps the order among what it moves', async () => {
    await makeQueue('moves');
    const ids = await enqueue('moves', 60);
    const high = await enqueue('moves', 2, { priority: 'high' });
    const even = ids.filter((_, i) => i % 2 === 0);
    const odd = ids.filter((_, i) => i % 2 === 1);
    await done({ action: 'move', filter: { ids: odd }, params: { to: 'front' }, entity: 'lab' });
    expect(await line('moves')).toEqual([...high, ...odd, ...even]);
    await done({ action: 'move', filter: { queue: 'lab/moves', ids: odd.slice(0, 10) }, params: { to: 'back' } });
    expect(await line('moves')).toEqual([...high, ...odd.slice(10), ...even, ...odd.slice(0, 10)]);
  });

  test('gives another priority, and another queue in the order of the line', async () => {
    const { ids } = await fill('from', 150);
    await makeQueue('to', { resourceConfig: { gpu: 1 } });
    const [there = ''] = await enqueue('to', 1);
    await api.call('POST', `/launches/${ids[149] ?? ''}/move`, { body: { to: 'front' } });
    const order = await line('from');
    const changed = await done({
      action: 'priority',
      filter: { queue: 'lab/from', ids: order.slice(0, 3) },
      params: { priority: 'low' },
    });
    expect(changed).toMatchObject({ done: 3 });
    const expected = [...order.slice(3), ...(await line('from')).slice(-3)];
    await done({ action: 'transfer', filter: { queue: 'lab/from' }, params: { queue: 'to' } });
    expect(await line('from')).toEqual([]);
    expect(await line('to')).toEqual([there, ...expected]);
    expect((await api.call('GET', `/launches/${ids[7] ?? ''}`)).body.resolved).toMatchObject({
      queue: 'to',
      resourceConfig: { gpu: 1 },
    });
  });

  test('counts by their codes the launches that are refused, and goes on', async () => {
    await fill('many', 30);
    await makeQueue('small', { maxWaiting: 10 });
    expect(
      await done({ action: 'transfer', filter: { queue: 'lab/many' }, params: { queue: 'lab/small' } }),
    ).toMatchObject({ total: 30, done: 10, failed: 20, failures: { 'queue-full': 20 }, state: 'done' });
    await makeQueue('flat', { priorities: false });
    await enqueue('flat', 3);
    expect(
      await done({ action: 'priority', filter: { queue: 'lab/flat' }, params: { priority: 'high' } }),
    ).toMatchObject({ done: 0, failed: 3, failures: { 'priority-not-allowed': 3 } });
  });

  test('retries what failed or was stopped, once, as new launches of whoever asked', async () => {
    const { ids } = await fill('retries', 60);
    await sql`update launch set state = 'failed', ended_at = now() where id = any(${ids.slice(0, 30)}::text[])`.execute(
      api.db,
    );
    await sql`update launch set state = 'finished', ended_at = now() where id = any(${ids.slice(30, 40)}::text[])`.execute(
      api.db,
    );
    const bulk = await done({ action: 'retry', filter: { queue: 'lab/retries' } });
    expect(bulk).toMatchObject({ total: 30, done: 30, failed: 0 });
    const again = await api.db
      .selectFrom('launch')
      .select(['relaunch_of', 'author', 'state'])
      .where('relaunch_of', 'in', ids)
      .orderBy('rank')
      .execute();
    expect(again.map((row) => row.relaunch_of)).toEqual([...ids.slice(0, 30)].sort());
    expect(new Set(again.map((row) => `${row.author} ${row.state}`))).toEqual(new Set(['ada queued']));
    const trail = await api.db.selectFrom('audit').select('action').where('bulk', '=', String(bulk['id'])).execute();
    expect(trail.filter(({ action }) => action === 'launch.relaunch')).toHaveLength(30);
  });

  test('leaves one line in the audit trail for itself and one for each launch', async () => {
    const { ids } = await fill('audited', 40);
    const { id } = await done({ action: 'cancel', filter: { queue: 'lab/audited' } });
    const itself = await api.call('GET', `/audit?subject=bulk/${String(id)}`);
    expect(itself.body.items).toMatchObject([
      { actor: 'ada', action: 'bulk.cancel', bulk: null, data: { total: 40, filter: { queue: 'lab/audited' } } },
    ]);
    const rows = await api.db
      .selectFrom('audit')
      .select(['subject', 'action', 'actor'])
      .where('bulk', '=', String(id))
      .execute();
    expect(rows.map(({ subject }) => subject).sort()).toEqual(ids.map((launch) => `launch/${launch}`).sort());
    expect(new Set(rows.map(({ action, actor }) => `${actor} ${action}`))).toEqual(new Set(['ada launch.cancel']));
  });

  test('is about what there was when it began', async () => {
    const { ids } = await fill('begun', 1_500);
    const started = await start({ action: 'cancel', filter: { queue: 'lab/begun' } });
    const later = await enqueue('begun', 20);
    expect(await ended(started.body.id as string)).toMatchObject({ total: 1_500, done: 1_500 });
    expect(new Set((await rowsOf(ids)).map(({ state }) => state))).toEqual(new Set(['stopped']));
    expect(await line('begun')).toEqual(later);
  });

  test('leaves alone what was taken meanwhile, when it is about what waits', async () => {
    const { queueId, ids } = await fill('raced', 1_000);
    const started = await start({ action: 'cancel', filter: { queue: 'lab/raced', state: 'queued' } });
    const taken = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const answer = await claim(api.db, {
        queueId,
        ticket: `raced/${i}`,
        ticketAttempt: 1,
        agentId: agent.id,
        incarnation: agent.incarnation,
        privateQueue: 'agent.x',
        place: 'here',
      });
      if (answer.outcome === 'granted') taken.add(answer.launchId);
    }
    expect(await ended(started.body.id as string)).toMatchObject({ done: 1_000 - taken.size, skipped: taken.size });
    for (const { id, state } of await rowsOf(ids)) expect(state).toBe(taken.has(id) ? 'claimed' : 'stopped');
  });

  test('is cancelled itself, and what it did stays done', async () => {
    const { ids } = await fill('stopped', 3_000);
    const { id } = (await start({ action: 'hold', filter: { queue: 'lab/stopped' } })).body as { id: string };
    await until(async () => ((await api.call('GET', `/bulk/${id}`)).body.done as number) > 0);
    const cancelled = await api.call('POST', `/bulk/${id}/cancel`, { key: api.keys.mem });
    expect(cancelled.body).toMatchObject({ state: 'cancelled' });
    const held = (await rowsOf(ids)).filter((row) => row.held).length;
    expect(held).toBe(cancelled.body.done);
    expect(held).toBeLessThan(3_000);
    expect((await api.call('POST', `/bulk/${id}/cancel`)).body).toMatchObject({ state: 'cancelled', done: held });
    expect((await rowsOf(ids)).filter((row) => row.held).length).toBe(held);
    expect(await api.db.selectFrom('bulk_launch').select('n').where('bulk_id', '=', id).execute()).toEqual([]);
  });
});

describe('a process that dies in the middle', () => {
  /** One of several API processes, with connections of its own. */
  function another(name: string): { dispatch: FullDispatch; kill(): Promise<void>; close(): Promise<void> } {
    const log = pino({ level: 'silent' });
    const store = openStore({
      databaseUrl: api.databaseUrl,
      maxConnections: 4,
      applicationName: name,
      onError: () => undefined,
    });
    const temporal = lazyTemporal({ address: '127.0.0.1:1', namespace: 'default' }, log);
    const dispatch = createDispatch({ db: store.db, temporal, windowSize: 0, log });
    const close = async () => {
      await dispatch.stop();
      await store.close();
    };
    return {
      dispatch,
      // As seen from the database: its connections end in the middle of whatever they do.
      async kill() {
        await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${name}`.execute(
          api.db,
        );
        await close();
      },
      close,
    };
  }

  const begin = (action: BulkAction, queueId: number, states: LaunchState[]) =>
    api.db.transaction().execute((tx) =>
      startBulk(tx, {
        actor: 'ada',
        filter: {},
        params: {},
        selection: { entityId: api.ids.lab, queueId, action, states, filter: {}, params: {} },
      }),
    );
  const progress = async (id: string) => (await api.call('GET', `/bulk/${id}`)).body as { done: number; state: string };

  async function interrupted(id: string, name: string): Promise<Record<string, unknown>> {
    const one = another(`davit-${name}-one`);
    one.dispatch.bulkStarted();
    await until(async () => (await progress(id)).done > 0, { what: 'some progress' });
    await one.kill();
    const before = await progress(id);
    expect(before.state).toBe('running');
    const two = another(`davit-${name}-two`);
    const three = another(`davit-${name}-three`);
    try {
      // Nobody tells them: their sweeps find it, both at once.
      two.dispatch.start();
      three.dispatch.start();
      return await ended(id);
    } finally {
      await two.close();
      await three.close();
    }
  }

  test('leaves the rest to others, and every launch is changed once', async () => {
    const { queueId, ids } = await fill('killed', 3_000);
    const id = await begin('cancel', queueId, ['queued']);
    expect(await interrupted(id, 'cancel')).toMatchObject({ total: 3_000, done: 3_000, skipped: 0, failed: 0 });
    expect(new Set((await rowsOf(ids)).map(({ state }) => state))).toEqual(new Set(['stopped']));
    const trail = await api.db.selectFrom('audit').select('subject').where('bulk', '=', id).execute();
    expect(trail).toHaveLength(3_000);
    expect(new Set(trail.map(({ subject }) => subject)).size).toBe(3_000);
    const events = await api.db
      .selectFrom('launch_event')
      .select('launch_id')
      .where('launch_id', 'in', ids)
      .where('type', '=', 'stopped')
      .execute();
    expect(events).toHaveLength(3_000);
  });

  test('and every launch is retried once', async () => {
    const { queueId, ids } = await fill('killed-retry', 200);
    await sql`update launch set state = 'failed', ended_at = now() where queue_id = ${queueId}`.execute(api.db);
    const id = await begin('retry', queueId, ['failed']);
    expect(await interrupted(id, 'retry')).toMatchObject({ total: 200, done: 200, skipped: 0, failed: 0 });
    const again = await api.db.selectFrom('launch').select('relaunch_of').where('queue_id', '=', queueId).execute();
    expect(again.flatMap((row) => row.relaunch_of ?? []).sort()).toEqual([...ids].sort());
  });
});

describe('refusals', () => {
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

test('bulks are listed, the newest first', async () => {
  const all = (await api.call('GET', '/bulk?limit=200&entity=lab')).body.items as { id: string }[];
  const first = await api.call('GET', '/bulk?limit=3&entity=lab');
  const second = await api.call('GET', `/bulk?limit=3&entity=lab&cursor=${first.body.nextCursor as string}`);
  const ids = [...first.body.items, ...second.body.items].map(({ id }: { id: string }) => id);
  expect(ids).toEqual(all.slice(0, 6).map(({ id }) => id));
  expect(ids).toEqual([...ids].sort().reverse());
});
