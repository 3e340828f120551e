import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stepBulk } from '../../store/bulk.js';
import { claim } from '../../store/line.js';
import { makeLaunchable, startTestApi, type TestApi } from './support/api.js';
import { bulkSteps } from './support/bulks.js';

let api: TestApi;
const agent = { id: 'agent-1', incarnation: 'incarnation1' };

beforeAll(async () => {
  api = await startTestApi();
  await makeLaunchable(api);
  await api.db
    .insertInto('agent')
    .values({ ...agent, entity_id: api.ids.lab, name: 'worker', max_jobs: -1 })
    .execute();
});
afterAll(() => api.close());

const { makeQueue, enqueue, fill, start, begin, ended, done, line, rowsOf } = bulkSteps(() => api);

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
    const { queueId, ids } = await fill('stopped', 300);
    const id = await begin('hold', queueId, ['queued']);
    const step = () => stepBulk(api.db, () => 50);
    expect(await step()).toMatchObject({ bulkId: id, count: 50 });
    // Beside a step that is under way.
    const [cancelled] = await Promise.all([api.call('POST', `/bulk/${id}/cancel`, { key: api.keys.mem }), step()]);
    expect(cancelled.body).toMatchObject({ state: 'cancelled' });
    expect(await step()).toBeUndefined();
    const held = (await rowsOf(ids)).filter((row) => row.held).length;
    expect(held).toBe(cancelled.body.done);
    expect([50, 100]).toContain(held);
    expect((await api.call('POST', `/bulk/${id}/cancel`)).body).toMatchObject({ state: 'cancelled', done: held });
    expect((await rowsOf(ids)).filter((row) => row.held).length).toBe(held);
    expect(await api.db.selectFrom('bulk_launch').select('n').where('bulk_id', '=', id).execute()).toEqual([]);
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
