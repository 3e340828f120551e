import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bindQueues } from '../../store/agent-queues.js';
import { claim, type ClaimAnswer } from '../../store/line.js';
import { until } from '../support/until.js';
import { makeLaunchable, startTestApi, type Answer, type TestApi } from './support/api.js';
import { seedWaiting } from './support/seed.js';

let api: TestApi;
const agent = { id: 'agent-1', incarnation: 'incarnation1' };
let tickets = 0;

beforeAll(async () => {
  api = await startTestApi();
  await makeLaunchable(api);
  await api.db
    .insertInto('agent')
    .values({ ...agent, entity_id: api.ids.lab, name: 'worker', max_jobs: 4 })
    .execute();
});
afterAll(() => api.close());

async function makeQueue(name: string, settings: Record<string, unknown> = {}): Promise<number> {
  const made = await api.call('POST', '/queues', { body: { entity: 'lab', name, ...settings } });
  expect(made.status, made.text).toBe(201);
  return idOf(name);
}
const idOf = async (name: string): Promise<number> =>
  (
    await api.db
      .selectFrom('queue')
      .select('id')
      .where('name', '=', name)
      .where('deleted_at', 'is', null)
      .executeTakeFirstOrThrow()
  ).id;
const enqueue = (queue: string, over: Record<string, unknown> = {}): Promise<Answer> =>
  api.call('POST', '/launches', { body: { queue: `lab/${queue}`, job: 'lab/demo/train', ...over } });
const take = (queueId: number): Promise<ClaimAnswer> =>
  claim(api.db, {
    queueId,
    ticket: `t/${++tickets}`,
    ticketAttempt: 1,
    agentId: agent.id,
    incarnation: agent.incarnation,
    privateQueue: 'agent.x',
    place: 'here',
  });
const show = async (name: string) => (await api.call('GET', `/queues/lab/${name}`)).body as Record<string, unknown>;
const act = (name: string, what: string, body?: unknown) =>
  api.call('POST', `/queues/lab/${name}/${what}`, body === undefined ? {} : { body });
const actionsOf = async (subject: string) =>
  (await api.call('GET', `/audit?subject=${subject}`)).body.items as { action: string; actor: string; data: unknown }[];

describe('settings', () => {
  const settings = {
    priorities: false,
    discipline: 'fair',
    maxRunning: 3,
    maxRunningPerProject: 2,
    maxWaiting: 10,
    ttlMs: 60_000,
    retry: { causes: { 'agent-lost': { attempts: 2 } } },
    timeouts: { runMs: 1_000 },
    projects: [{ project: 'demo', maxRunning: 1, weight: 2.5 }, { project: 'ada/side' }],
  };
  const shown = {
    ...settings,
    projects: [
      { project: 'ada/side', maxRunning: null, weight: 1 },
      { project: 'lab/demo', maxRunning: 1, weight: 2.5 },
    ],
  };

  test('a change that builds on what somebody else has changed since is refused, and changes nothing', async () => {
    await makeQueue('shared', settings);
    const read = await api.call('GET', '/queues/lab/shared');
    const etag = read.headers.get('etag') ?? '';
    const change = (maxRunning: number, ifMatch: string) =>
      api.call('PATCH', '/queues/lab/shared', { body: { maxRunning }, headers: { 'If-Match': ifMatch } });
    const first = await change(11, etag);
    expect(first.status).toBe(200);
    const late = await change(12, etag);
    expect([late.status, late.body.code]).toEqual([412, 'changed-meanwhile']);
    expect(await show('shared')).toMatchObject({ maxRunning: 11 });
    expect((await change(12, first.headers.get('etag') ?? '')).status).toBe(200);
    expect((await change(13, '*')).status).toBe(200);
  });

  test('are kept as they were given, changed one by one, and taken away with null', async () => {
    await makeQueue('full', settings);
    expect(await show('full')).toMatchObject(shown);
    const changed = await api.call('PATCH', '/queues/lab/full', { body: { maxRunning: null, maxWaiting: 0 } });
    expect(changed.body).toMatchObject({ ...shown, maxRunning: null, maxWaiting: 0 });
    const cleared = await api.call('PATCH', '/queues/lab/full', {
      body: { retry: null, timeouts: null, ttlMs: null, projects: [], priorities: true, maxWaiting: null },
    });
    expect(cleared.body).toMatchObject({
      retry: null,
      timeouts: null,
      ttlMs: null,
      projects: [],
      priorities: true,
      maxWaiting: null,
      discipline: 'fair',
    });
    const { actor, data } = (await actionsOf('queue/lab/full'))[0] ?? {};
    expect(actor).toBe('ada');
    expect(data).toMatchObject({ retry: null, projects: [] });
  });

  test.each([
    ['a negative limit', { maxRunning: -1 }, 'maxRunning'],
    ['a huge limit', { maxWaiting: 1e15 }, 'maxWaiting'],
    ['half a launch', { maxRunning: 1.5 }, 'maxRunning'],
    ['a limit as text', { maxRunning: '3' }, 'maxRunning'],
    ['no patience at all', { ttlMs: 0 }, 'ttlMs'],
    ['another discipline', { discipline: 'lottery' }, 'discipline'],
    ['null where there is no limit', { priorities: null }, 'priorities'],
    ['a weight of nothing', { projects: [{ project: 'demo', weight: 0 }] }, 'projects.0.weight'],
    ['a project that is no name', { projects: [{ project: '../x' }] }, 'projects.0.project'],
    ['a project named twice', { projects: [{ project: 'demo' }, { project: 'lab/demo' }] }, 'projects'],
    ['a cause that is none', { retry: { causes: { boredom: { attempts: 1 } } } }, 'retry.causes.boredom'],
    ['an unknown time-out', { timeouts: { lunchMs: 1 } }, 'timeouts.lunchMs'],
    ['a setting that is none', { colour: 'red' }, 'colour'],
  ])('refuse %s, with the name of the field, and nothing changes', async (_what, body, field) => {
    const before = await show('q');
    const answer = await api.call('PATCH', '/queues/lab/q', { body });
    expect([answer.status, answer.body.code], answer.text).toEqual([400, 'invalid-request']);
    expect(answer.body.errors.map((e: { path: string }) => e.path)).toContain(field);
    const { oldestWaitingMs: _old, ...after } = await show('q');
    expect(before).toMatchObject(after);
  });

  test('of a project in a foreign entity cannot be made', async () => {
    const answer = await api.call('PATCH', '/queues/lab/q', { body: { projects: [{ project: 'bob/secret' }] } });
    expect([answer.status, answer.body.code]).toEqual([404, 'not-found']);
    const projects = await api.db.selectFrom('project').select('name').where('name', '=', 'secret').execute();
    expect(projects).toEqual([]);
  });

  test('a lowered limit stops nothing that runs, and a raised one lets the next one go', async () => {
    const id = await makeQueue('limits');
    for (let i = 0; i < 4; i++) await enqueue('limits');
    expect([(await take(id)).outcome, (await take(id)).outcome]).toEqual(['granted', 'granted']);
    await api.call('PATCH', '/queues/lab/limits', { body: { maxRunning: 1 } });
    expect(await show('limits')).toMatchObject({ running: 2, waiting: 2, held: 0, maxRunning: 1 });
    expect((await take(id)).outcome).toBe('limited');
    await api.call('PATCH', '/queues/lab/limits', { body: { maxRunning: 3 } });
    expect((await take(id)).outcome).toBe('granted');
  });

  test('the depth counts those that wait and those that are held', async () => {
    await makeQueue('depth', { maxWaiting: 2 });
    const first = (await enqueue('depth')).body.id as string;
    await enqueue('depth', { hold: true });
    expect(await show('depth')).toMatchObject({ waiting: 1, held: 1 });
    expect((await show('depth'))['oldestWaitingMs']).toBeGreaterThanOrEqual(0);
    const third = await enqueue('depth');
    expect([third.status, third.body.code]).toEqual([429, 'queue-full']);
    await api.call('POST', `/launches/${first}/cancel`);
    expect(await show('depth')).toMatchObject({ waiting: 0, held: 1, oldestWaitingMs: null });
    expect((await enqueue('depth')).status).toBe(201);
  });
});

describe('pause and drain', () => {
  test('when a pause answers, nothing more is handed out, and everybody sees who did it and why', async () => {
    const id = await makeQueue('pause');
    for (let i = 0; i < 30; i++) await enqueue('pause');
    const claims = Array.from({ length: 10 }, () => take(id));
    const paused = await act('pause', 'pause', { reason: 'the cluster is upgraded' });
    expect(paused.body).toMatchObject({ paused: true, pausedBy: 'ada', pauseReason: 'the cluster is upgraded' });
    const running = paused.body.running as number;
    await Promise.all(claims);
    expect((await show('pause'))['running']).toBe(running);
    expect((await take(id)).outcome).toBe('paused');
    expect((await enqueue('pause')).status).toBe(201);
    const resumed = await act('pause', 'resume');
    expect(resumed.body).toMatchObject({ paused: false, pausedBy: null, pausedAt: null, pauseReason: null });
    expect((await take(id)).outcome).toBe('granted');
    expect((await actionsOf('queue/lab/pause')).map(({ action }) => action)).toEqual([
      'queue.resume',
      'queue.pause',
      'queue.create',
    ]);
  });

  test('a queue that drains refuses new launches, hands out the rest, and takes new ones after', async () => {
    const id = await makeQueue('drain');
    await enqueue('drain');
    expect((await act('drain', 'drain', { reason: 'old disks' })).body).toMatchObject({
      draining: true,
      drainedBy: 'ada',
      drainReason: 'old disks',
    });
    const refused = await enqueue('drain');
    expect([refused.status, refused.body.code]).toEqual([409, 'queue-draining']);
    expect((await take(id)).outcome).toBe('granted');
    expect((await act('drain', 'undrain')).body).toMatchObject({ draining: false, drainedBy: null, drainReason: null });
    expect((await enqueue('drain')).status).toBe(201);
  });

  test('both may be said twice', async () => {
    await makeQueue('twice');
    for (const what of ['pause', 'pause', 'drain', 'drain']) expect((await act('twice', what, {})).status).toBe(200);
    for (const what of ['resume', 'resume', 'undrain', 'undrain']) expect((await act('twice', what)).status).toBe(200);
  });
});

describe('delete', () => {
  const remove = (name: string, query = '') => api.call('DELETE', `/queues/lab/${name}${query}`);

  test('an empty queue is gone at once and its name is free', async () => {
    const id = await makeQueue('empty');
    await api.db.insertInto('agent_queue').values({ agent_id: agent.id, queue_id: id }).execute();
    expect((await remove('empty')).body).toMatchObject({ cancelling: 0, bulk: null });
    expect((await api.call('GET', '/queues/lab/empty')).body.code).toBe('unknown-queue');
    expect((await remove('empty')).body.code).toBe('unknown-queue');
    expect((await act('empty', 'pause', {})).body.code).toBe('unknown-queue');
    const served = await bindQueues(api.db, {
      agentId: agent.id,
      entityId: api.ids.lab,
      queues: ['*'],
      targets: { process: { place: 'here', ok: true, details: [] } },
    });
    expect(served.map((queue) => queue.queueId)).not.toContain(id);
    expect(await makeQueue('empty')).not.toBe(id);
  });

  test('a queue with launches stays, and the refusal counts them', async () => {
    const id = await makeQueue('used');
    for (let i = 0; i < 3; i++) await enqueue('used');
    await enqueue('used', { hold: true });
    const waiting = await remove('used');
    expect([waiting.status, waiting.body.code]).toEqual([409, 'queue-not-empty']);
    expect(waiting.body).toMatchObject({ waiting: 3, held: 1, running: 0 });
    expect((await take(id)).outcome).toBe('granted');
    const running = await remove('used', '?cancelWaiting=true');
    expect([running.status, running.body.code]).toEqual([409, 'queue-not-empty']);
    expect(running.body).toMatchObject({ waiting: 2, held: 1, running: 1 });
    expect(await show('used')).toMatchObject({ waiting: 2, held: 1, running: 1, paused: false });
    expect((await enqueue('used')).status).toBe(201);
  });

  test('with cancelWaiting, what waits is cancelled, stays readable, and does not come back with the name', async () => {
    const old = await makeQueue('doomed');
    const { id } = (await enqueue('doomed')).body as { id: string };
    await enqueue('doomed', { hold: true });
    await seedWaiting(api.db, { launchId: id }, 300, 'd');
    // Enqueues that are just happening either come before, and are cancelled, or are refused.
    const racing = Array.from({ length: 20 }, () => enqueue('doomed'));
    const deleted = await remove('doomed', '?cancelWaiting=true');
    expect(deleted.status, deleted.text).toBe(200);
    const accepted = (await Promise.all(racing)).filter((answer) => {
      expect([201, 404]).toContain(answer.status);
      return answer.status === 201;
    });
    expect(deleted.body.cancelling).toBe(302 + accepted.length);
    const bulk = await until(async () => {
      const { body } = await api.call('GET', `/bulk/${deleted.body.bulk as string}`);
      return body.state === 'done' && body;
    });
    expect(bulk).toMatchObject({ total: deleted.body.cancelling, done: deleted.body.cancelling, failed: 0 });
    const fresh = await makeQueue('doomed');
    expect(await show('doomed')).toMatchObject({ waiting: 0, held: 0, running: 0 });
    expect((await api.call('GET', `/launches/${id}`)).body).toMatchObject({
      state: 'stopped',
      cancelledBy: 'ada',
      queue: { entity: 'lab', name: 'doomed' },
    });
    const left = await api.db
      .selectFrom('launch')
      .select('id')
      .where('queue_id', 'in', [old, fresh])
      .where('state', '<>', 'stopped')
      .execute();
    expect(left).toEqual([]);
    // Whoever still has a ticket of the old queue hears that there is nothing.
    expect(await take(old)).toMatchObject({ outcome: 'paused', left: 0 });
  });
});
