import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeLaunchable, startTestApi, type TestApi } from './support/api.js';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await makeLaunchable(api);
});
afterAll(() => api.close());

const launch = { queue: 'lab/q', job: 'lab/demo/train' };
const count = async () => (await api.db.selectFrom('launch').select('id').execute()).length;

test('fifty requests at once with one Idempotency-Key are one launch', async () => {
  const before = await count();
  const answers = await Promise.all(
    Array.from({ length: 50 }, () =>
      api.call('POST', '/launches', { body: launch, headers: { 'Idempotency-Key': 'same' } }),
    ),
  );
  expect(new Set(answers.map((a) => a.body.id as string)).size).toBe(1);
  expect(answers.filter((a) => a.status === 201)).toHaveLength(1);
  expect(answers.filter((a) => a.status === 200)).toHaveLength(49);
  expect(answers.every((a) => a.headers.get('location') === `/api/v1/launches/${a.body.id as string}`)).toBe(true);
  expect(await count()).toBe(before + 1);

  const reordered = await api.call('POST', '/launches', {
    body: { job: launch.job, queue: launch.queue },
    headers: { 'Idempotency-Key': 'same' },
  });
  expect(reordered.status).toBe(200);
  const other = await api.call('POST', '/launches', {
    body: { ...launch, name: 'x' },
    headers: { 'Idempotency-Key': 'same' },
  });
  expect([other.status, other.body.code]).toEqual([409, 'idempotency-conflict']);
  const somebodyElse = await api.call('POST', '/launches', {
    key: api.keys.mem,
    body: launch,
    headers: { 'Idempotency-Key': 'same' },
  });
  expect(somebodyElse.status).toBe(201);
});

test('a batch that is sent again is accepted once, in its order', async () => {
  const launches = Array.from({ length: 20 }, (_, i) => ({ ...launch, name: `n${i}` }));
  const send = () =>
    api.call('POST', '/launches/batch', { body: { launches }, headers: { 'Idempotency-Key': 'batch' } });
  const [one, two] = [await send(), await send()];
  const ids = (answer: { body: { results: { id: string }[] } }) => answer.body.results.map((r) => r.id);
  expect(ids(two)).toEqual(ids(one));
  expect(two.body.results.every((r: { created: boolean }) => !r.created)).toBe(true);
  const ranks = await api.db
    .selectFrom('launch')
    .select(['id', 'rank'])
    .where('id', 'in', ids(one))
    .orderBy('rank')
    .execute();
  expect(ranks.map((row) => row.id)).toEqual(ids(one));
});

test('a page stays what it is while launches are enqueued', async () => {
  const made: string[] = [];
  for (let i = 0; i < 12; i++)
    made.push((await api.call('POST', '/launches', { body: { ...launch, name: `page${i}` } })).body.id);
  const seen: string[] = [];
  let cursor: string | undefined;
  const all = (await api.call('GET', '/launches?limit=200')).body.items.map((l: { id: string }) => l.id) as string[];
  do {
    const answer = await api.call('GET', `/launches?limit=5${cursor ? `&cursor=${cursor}` : ''}`);
    seen.push(...(answer.body.items as { id: string }[]).map((l) => l.id));
    cursor = answer.body.nextCursor as string | undefined;
    await api.call('POST', '/launches', { body: launch });
  } while (cursor);
  expect(seen).toEqual(all);
  expect(made.every((id) => seen.includes(id))).toBe(true);
});

test('lists are filtered by queue, project, state, author, job and time', async () => {
  await api.call('POST', '/queues', { body: { entity: 'lab', name: 'other' } });
  const since = new Date().toISOString();
  const { id } = (
    await api.call('POST', '/launches', {
      key: api.keys.mem,
      body: { ...launch, queue: 'lab/other', project: 'elsewhere', priority: 'high', name: 'filtered' },
    })
  ).body as { id: string };
  const find = async (query: string) =>
    ((await api.call('GET', `/launches?limit=200&${query}`)).body.items as { id: string }[]).map((l) => l.id);
  for (const query of [
    'queue=lab/other',
    'queue=other',
    'project=elsewhere',
    `since=${since}&author=mem`,
    `since=${since}&job=train`,
    `since=${since}&state=queued,running`,
    `since=${since}&entity=lab`,
  ])
    expect(await find(query), query).toEqual([id]);
  for (const query of [
    'queue=lab/other&state=failed',
    `until=${since}&project=elsewhere`,
    'queue=ada/other',
    'job=nil',
  ])
    expect(await find(query), query).toEqual([]);
});

test('a waiting launch shows its place, its request and its story; cancelled, it says by whom', async () => {
  const enqueue = (name: string) =>
    api.call('POST', '/launches', {
      key: api.keys.mem,
      body: { ...launch, queue: 'lab/line', name, overrides: { config: { lr: 0.1 }, args: ['--x'] } },
    });
  await api.call('POST', '/queues', { body: { entity: 'lab', name: 'line' } });
  const first = (await enqueue('first')).body.id as string;
  const second = (await enqueue('second')).body.id as string;
  const show = async (id: string) => (await api.call('GET', `/launches/${id}`)).body;
  expect([(await show(first)).position, (await show(second)).position]).toEqual([1, 2]);
  expect(await show(second)).toMatchObject({
    id: second,
    entity: 'lab',
    project: 'demo',
    queue: { entity: 'lab', name: 'line' },
    target: 'process',
    job: 'lab/demo/train',
    jobVersion: 'train:v0',
    author: 'mem',
    state: 'queued',
    priority: 'medium',
    run: null,
    request: { overrides: { config: { lr: 0.1 } } },
  });
  expect((await show(second)).timeline[0]).toMatchObject({
    type: 'queued',
    sentence: expect.stringMatching(/^Accepted/),
  });

  const cancelled = await api.call('POST', `/launches/${first}/cancel`);
  expect(cancelled.body).toEqual({ id: first, state: 'stopped' });
  expect((await api.call('POST', `/launches/${first}/cancel`)).body.state).toBe('stopped');
  expect(await show(first)).toMatchObject({
    state: 'stopped',
    cancelledBy: 'ada',
    position: null,
    failure: { code: 'cancelled' },
  });
  expect((await show(first)).timeline.map((e: { sentence: string }) => e.sentence)).toEqual([
    expect.stringMatching(/^Accepted/),
    'Stopped by ada.',
  ]);
  expect((await show(second)).position).toBe(1);
});

test('a relaunch is a new launch and a new run of the same request, with what was changed', async () => {
  const first = (
    await api.call('POST', '/launches', {
      body: { ...launch, runId: 'fixedrun', priority: 'low', overrides: { config: { lr: 1, wd: 2 }, args: ['a'] } },
    })
  ).body.id as string;
  const again = await api.call('POST', `/launches/${first}/relaunch`, {
    key: api.keys.mem,
    body: { priority: 'high', overrides: { args: ['b'] } },
  });
  expect(again.status, again.text).toBe(201);
  const shown = (await api.call('GET', `/launches/${again.body.id as string}`)).body;
  expect(shown).toMatchObject({
    relaunchOf: first,
    author: 'mem',
    priority: 'high',
    queue: { entity: 'lab', name: 'q' },
    request: { overrides: { config: { lr: 1, wd: 2 }, args: ['b'] } },
  });
  expect(shown.runName).not.toBe('fixedrun');
});

test('a run and its launch show each other', async () => {
  const id = (await api.call('POST', '/launches', { body: launch })).body.id as string;
  const row = await api.db
    .selectFrom('launch')
    .select(['project_id', 'run_name'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  await api.db
    .insertInto('run')
    .values({
      project_id: row.project_id,
      name: row.run_name,
      display_name: 'calm river',
      launch_id: id,
      config: '{"lr":{"value":0.1}}',
      summary: '{"loss":NaN}',
    })
    .execute();
  const shown = (await api.call('GET', `/launches/${id}`)).body;
  expect(shown.run).toMatchObject({ name: row.run_name, displayName: 'calm river', state: 'running' });
  const run = (await fetch(api.url + (shown.run.url as string), {
    headers: { Authorization: `Bearer ${api.keys.ada}` },
  }).then((r) => r.json())) as Record<string, unknown>;
  expect(run).toMatchObject({
    launchId: id,
    launchUrl: `/api/v1/launches/${id}`,
    config: { lr: 0.1 },
    summary: { loss: 'NaN' },
  });
  const listed = await api.call('GET', `/runs?launch=${id}`);
  expect(listed.body.items.map((r: { name: string }) => r.name)).toEqual([row.run_name]);
  const history = await api.call('GET', `/runs/lab/demo/${row.run_name}/history?samples=10`);
  expect(history.body).toEqual({ total: 0, lines: [] });
  expect((await api.call('GET', `/runs/lab/demo/${row.run_name}/files`)).body).toEqual({ items: [] });
  expect((await api.call('GET', `/runs/lab/demo/${row.run_name}/console?last=5`)).body).toEqual({
    total: 0,
    lines: [],
  });
});

test('a queue shows how many wait, and changes without its launches changing', async () => {
  await api.call('POST', '/queues', {
    body: { entity: 'lab', name: 'deep', resourceConfig: { a: 1 }, requireRun: false },
  });
  const id = (await api.call('POST', '/launches', { body: { ...launch, queue: 'lab/deep' } })).body.id as string;
  const changed = await api.call('PATCH', '/queues/lab/deep', {
    body: { description: 'new', resourceConfig: { b: 2 } },
  });
  expect(changed.body).toMatchObject({
    waiting: 1,
    running: 0,
    agents: 0,
    description: 'new',
    resourceConfig: { b: 2 },
    requireRun: false,
  });
  expect((await api.call('GET', `/launches/${id}`)).body).toMatchObject({
    requireRun: false,
    resolved: { resourceConfig: { a: 1 } },
  });
});
