import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settleEstimates } from '../../store/estimates.js';
import { hold } from '../../store/line-operations.js';
import { foldCounters } from '../../store/line.js';
import { until } from '../support/until.js';
import { makeLaunchable, startTestApi, type Answer, type CallOptions, type TestApi } from './support/api.js';

let api: TestApi;
let names = 0;
beforeAll(async () => {
  api = await startTestApi();
  await makeLaunchable(api);
});
afterAll(() => api.close());

const job = 'lab/demo/train';
const ok = async (method: string, path: string, options: CallOptions = {}): Promise<Answer> => {
  const answer = await api.call(method, path, options);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.text}`);
  return answer;
};
async function queue(settings: Record<string, unknown> = {}): Promise<string> {
  const name = `q${++names}`;
  await ok('POST', '/queues', { body: { entity: 'lab', name, target: 'process', ...settings } });
  return name;
}
const enqueue = async (name: string, over: Record<string, unknown> = {}): Promise<string> =>
  (await ok('POST', '/launches', { body: { queue: `lab/${name}`, job, ...over } })).body.id as string;

/** An agent as its process says hello. */
async function agent(queues: string[], over: Record<string, unknown> = {}) {
  const name = `agent${++names}`;
  const incarnation = `process${name}`.padEnd(16, '0');
  const { body } = await ok('POST', '/agents/hello', {
    key: api.keys.labAgent,
    body: {
      entity: 'lab',
      name,
      incarnation,
      host: 'here',
      pid: 1,
      version: 'test',
      maxJobs: 1,
      targets: { process: { place: 'here', ok: true, details: [] } },
      queues,
      ...over,
    },
  });
  const id = body.agentId as string;
  return {
    id,
    name,
    async take(queueName: string): Promise<string> {
      const queueId = await idOf(queueName);
      const answer = await ok('POST', `/agents/${id}/claim`, {
        key: api.keys.labAgent,
        body: { incarnation, queueId, ticket: `t/${++names}`, ticketAttempt: 1 },
      });
      expect(answer.body.outcome).toBe('granted');
      return answer.body.launchId as string;
    },
    set: (change: Record<string, unknown>) => api.db.updateTable('agent').set(change).where('id', '=', id).execute(),
  };
}
const idOf = async (name: string): Promise<number> =>
  (await api.db.selectFrom('queue').select('id').where('name', '=', name).executeTakeFirstOrThrow()).id;
const end = (id: string) =>
  sql`update launch set state = 'finished', ended_at = clock_timestamp() where id = ${id}`.execute(api.db);

const waiting = async (id: string) => (await ok('GET', `/launches/${id}/waiting`)).body;
const codes = async (id: string): Promise<string[]> =>
  ((await waiting(id)).causes as { code: string }[]).map(({ code }) => code);
const main = async (id: string): Promise<{ code: string; sentence: string; data: Record<string, unknown> }> =>
  (await waiting(id)).causes[0];

const tables = async (): Promise<Record<string, number>> => {
  const names = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`.execute(
    api.db,
  );
  const counts: Record<string, number> = {};
  for (const { name } of names.rows)
    counts[name] =
      (await sql<{ n: number }>`select count(*)::int as n from ${sql.table(name)}`.execute(api.db)).rows[0]?.n ?? 0;
  const rank = await sql<{ n: number }>`select last_value::int as n from line_rank`.execute(api.db);
  return { ...counts, 'last rank': rank.rows[0]?.n ?? 0 };
};

describe('a dry run', () => {
  const dry = (body: Record<string, unknown>, options: CallOptions = {}) =>
    api.call('POST', '/launches?dryRun=true', { body: { job, ...body }, ...options });

  test('answers what would be run, where it would stand and when, and changes nothing', async () => {
    const name = await queue({ resourceConfig: { env: { DATA: 'x' }, nice: 5 } });
    for (let i = 0; i < 3; i++) await enqueue(name);
    const before = await tables();
    const { status, body } = await dry({
      queue: `lab/${name}`,
      project: 'new-project',
      overrides: { args: ['--lr', '1'], resourceConfig: { env: { MORE: 'y' } }, workingDir: 'sub' },
    });
    expect(status).toBe(200);
    expect(body.resolved).toMatchObject({
      entity: 'lab',
      project: 'new-project',
      newProject: true,
      job: { name: 'train', version: 'v0' },
      resourceConfig: { env: { DATA: 'x', MORE: 'y' }, nice: 5 },
      priority: 'medium',
      retry: { causes: { preempted: { attempts: 5 } } },
    });
    expect(body.plan).toMatchObject({
      target: 'process',
      command: ['python', 'train.py', '--lr', '1'],
      workingDir: 'sub',
      spec: { nice: 5, environment: { DATA: 'x', MORE: 'y', WANDB_PROJECT: 'new-project' } },
    });
    expect(JSON.stringify(body)).not.toMatch(/davit_[a-z]+-|"WANDB_API_KEY":/);
    expect(body.secrets).toEqual([{ name: 'WANDB_API_KEY', source: expect.any(String) }]);
    expect(body.queue).toMatchObject({ accepts: true, problems: [], position: 4 });
    expect((body.causes as { code: string }[]).map(({ code }) => code)).toEqual(['no-agent', 'launches-ahead']);
    expect(body.noEstimate).toContain('agent');
    const high = await dry({ queue: `lab/${name}`, priority: 'high' });
    expect(high.body.queue.position).toBe(1);
    const held = await dry({ queue: `lab/${name}`, hold: true });
    expect(held.body).toMatchObject({ queue: { position: null }, causes: [{ code: 'held' }, { code: 'no-agent' }] });
    expect(await tables()).toEqual(before);
  });

  test('lists why the queue would refuse it, and why its job could not be planned', async () => {
    const name = await queue({ priorities: false, maxWaiting: 1 });
    await enqueue(name);
    await ok('POST', `/queues/lab/${name}/drain`, { body: {} });
    const before = await tables();
    const { body } = await dry({ queue: `lab/${name}`, priority: 'high', overrides: { resourceConfig: { gpus: 1 } } });
    expect((body.queue.problems as { code: string }[]).map(({ code }) => code)).toEqual([
      'queue-draining',
      'priority-not-allowed',
      'queue-full',
    ]);
    expect(body).toMatchObject({ queue: { accepts: false }, plan: null, planProblems: [{ code: 'invalid-request' }] });
    expect(body.planProblems[0].sentence).toContain('gpus: unknown key');
    expect(await tables()).toEqual(before);
  });

  test('refuses what an enqueue refuses, in the same words', async () => {
    const cases: [Record<string, unknown>, CallOptions][] = [
      [{ queue: 'lab/nil' }, {}],
      [{ queue: 'lab/q', job: 'lab/demo/nil' }, {}],
      [{ queue: 'lab/q', priority: 'urgent' }, {}],
      [{ queue: 'lab/q' }, { key: api.keys.vic }],
      [{ queue: 'lab/q' }, { key: api.keys.bob }],
    ];
    for (const [body, options] of cases) {
      const [asked, done] = [
        await dry(body, options),
        await api.call('POST', '/launches', { body: { job, ...body }, ...options }),
      ];
      expect([asked.status, asked.body.code, asked.body.detail]).toEqual([
        done.status,
        done.body.code,
        done.body.detail,
      ]);
      expect(asked.status).toBeGreaterThanOrEqual(400);
    }
  });

  test('gives the place that the launch then gets, in a fair queue as well', async () => {
    const name = await queue({ discipline: 'fair' });
    for (let i = 0; i < 5; i++) await enqueue(name, { project: 'many' });
    await enqueue(name, { project: 'few' });
    for (const project of ['few', 'many', 'fresh']) {
      const asked = await dry({ queue: `lab/${name}`, project });
      expect((await waiting(await enqueue(name, { project }))).position).toBe(asked.body.queue.position);
    }
  });
});

describe('a waiting launch says', () => {
  test('that nobody serves its queue, and then what happened to those who did', async () => {
    const name = await queue();
    const id = await enqueue(name);
    expect(await codes(id)).toEqual(['no-agent', 'next-in-line']);
    const one = await agent([name]);
    expect(await codes(id)).toEqual(['being-handed-out']);
    await one.set({ heartbeat_at: new Date(Date.now() - 60_000) });
    expect(await main(id)).toMatchObject({
      code: 'agents-lost',
      sentence: expect.stringContaining(one.name) as unknown,
    });
    await one.set({ heartbeat_at: new Date(), wanted: 'draining', wanted_by: 'ada' });
    expect((await main(id)).sentence).toContain('being drained by ada');
    await one.set({ wanted: 'stopped' });
    expect((await main(id)).code).toBe('agents-stopped');
    await one.set({
      wanted: 'active',
      quarantined_at: new Date(),
      quarantine: JSON.stringify({ reason: 'disk full', launches: [], by: 'davit' }),
    });
    expect(await main(id)).toMatchObject({
      code: 'agents-quarantined',
      sentence: expect.stringContaining('disk full') as unknown,
    });
    await one.set({ probe_after: new Date(Date.now() - 1000) });
    expect(await codes(id)).toEqual(['being-handed-out']);
  });

  test('that no agent reaches its target', async () => {
    const name = await queue();
    const id = await enqueue(name);
    await agent([name], { targets: { process: { place: 'here', ok: false, details: ['No Python was found.'] } } });
    expect(await main(id)).toMatchObject({
      code: 'target-unreachable',
      sentence: expect.stringContaining('No Python was found') as unknown,
    });
  });

  test('which labels are missing, and that one agent has them', async () => {
    const name = await queue();
    const requires = { gpu: 'a100', zone: 'b' };
    const id = await enqueue(name, { requires });
    await agent([name], { labels: { gpu: 'a100' } });
    expect(await main(id)).toMatchObject({
      code: 'labels-missing',
      data: { requires, nearest: { missing: { zone: 'b' } } },
    });
    await agent([name], { labels: requires });
    expect(await codes(id)).toEqual(['being-handed-out']);
  });

  test('who holds it or paused the queue, and why', async () => {
    const name = await queue();
    await agent([name]);
    const id = await enqueue(name, { hold: true });
    expect((await waiting(id)).position).toBeNull();
    expect(await main(id)).toMatchObject({ code: 'held', data: { by: 'ada' } });
    const later = new Date(Date.now() + 60_000);
    await hold(api.db, id, { by: 'davit', cause: 'back-off', reason: 'its agent was lost', releaseAt: later });
    const backingOff = await waiting(id);
    expect(backingOff.causes[0]).toMatchObject({ code: 'back-off', data: { releaseAt: later.toISOString() } });
    expect(Date.parse(backingOff.estimate.earliest as string)).toBeGreaterThan(later.getTime() - 1_000);
    await hold(api.db, id, { by: 'davit', cause: 'parked' });
    await api.db
      .updateTable('launch')
      .set({ losses: JSON.stringify([{ agentId: 'x', agent: 'box', at: new Date().toISOString(), seen: 'gone' }]) })
      .where('id', '=', id)
      .execute();
    expect(await main(id)).toMatchObject({ code: 'parked', sentence: expect.stringContaining('box') as unknown });
    const other = await enqueue(name);
    await ok('POST', `/queues/lab/${name}/pause`, { body: { reason: 'new disks' } });
    expect(await main(other)).toMatchObject({ code: 'queue-paused', data: { by: 'ada', reason: 'new disks' } });
    const shown = await ok('GET', `/launches/${other}`);
    expect(shown.body.waiting).toContain('paused by ada');
  });

  test('what occupies the slots, also for other queues of the same agents', async () => {
    const [name, foreign] = [await queue(), await queue()];
    const one = await agent([name, foreign], { maxJobs: 2 });
    await enqueue(foreign);
    const theirs = await one.take(foreign);
    await enqueue(name);
    const own = await one.take(name);
    const id = await enqueue(name);
    expect(await main(id)).toMatchObject({
      code: 'slots-busy',
      data: { used: 2, total: 2, byQueue: { [`lab/${name}`]: 1, [`lab/${foreign}`]: 1 } },
    });
    const listed = (await main(id)).data['launches'] as { id: string }[];
    expect(listed.map((launch) => launch.id)).toEqual([theirs, own]);
    await end(theirs);
    expect(await codes(id)).toEqual(['being-handed-out']);
  });

  test('limits of the queue and of the project, and who stands before it', async () => {
    const name = await queue({ maxRunning: 2, maxRunningPerProject: 1 });
    const one = await agent([name], { maxJobs: 10 });
    await enqueue(name);
    await one.take(name);
    const [first, second] = [await enqueue(name), await enqueue(name)];
    const urgent = await enqueue(name, { priority: 'critical', project: 'other' });
    expect(await main(first)).toMatchObject({ code: 'project-limit', data: { running: 1, maxRunning: 1 } });
    await one.take(name);
    expect(await codes(second)).toEqual(['queue-limit', 'project-limit', 'launches-ahead']);
    await enqueue(name, { priority: 'high' });
    const place = ((await waiting(second)).causes as { code: string; data: object }[]).at(-1);
    expect(place).toMatchObject({ code: 'launches-ahead', data: { position: 3, ahead: 2, higher: 1 } });
    expect((await waiting(urgent)).causes).toEqual([]);
  });

  test('its causes to whoever keeps the queue, although it belongs to somebody else', async () => {
    const name = await queue();
    const id = await enqueue(name, { entity: 'ada', project: 'own' });
    const asked = await api.call('GET', `/launches/${id}/waiting`, { key: api.keys.vic });
    expect(asked.body).toMatchObject({ state: 'queued', position: 1 });
    expect(asked.body.causes.map(({ code }: { code: string }) => code)).toContain('next-in-line');
    expect((await api.call('GET', `/launches/${id}`, { key: api.keys.vic })).status).toBe(404);
    expect((await api.call('GET', `/launches/${id}/waiting`, { key: api.keys.bob })).status).toBe(404);
  });

  test('nothing when it does not wait, and nothing to whoever may not see it', async () => {
    const name = await queue();
    const one = await agent([name]);
    const id = await enqueue(name);
    await one.take(name);
    expect(await waiting(id)).toEqual({ state: 'claimed', position: null, causes: [] });
    expect((await api.call('GET', `/launches/${id}/waiting`, { key: api.keys.bob })).status).toBe(404);
    expect((await ok('GET', `/launches/${id}/waiting`, { key: api.keys.vic })).status).toBe(200);
    expect((await api.call('GET', '/launches/nil/waiting')).status).toBe(404);
  });
});

describe('an estimate', () => {
  test('is made from the past of the queue, or of its entity, and says so; without a past there is none', async () => {
    const name = await queue();
    const one = await agent([name]);
    await enqueue(name);
    const running = await one.take(name);
    const id = await enqueue(name);
    const cold = await waiting(id);
    expect(cold.noEstimate).toContain('no past');
    expect(cold.estimate).toBeUndefined();
    await end(running);
    const queueId = await idOf(name);
    for (let i = 0; i < 5; i++) {
      await enqueue(name, { priority: 'critical' });
      const past = await one.take(name);
      await end(past);
      await sql`update launch set claimed_at = ended_at - interval '60 seconds' where id = ${past}`.execute(api.db);
    }
    await enqueue(name, { priority: 'critical' });
    await one.take(name);
    const { estimate, position } = await waiting(id);
    expect(position).toBe(1);
    expect(estimate.basis).toContain('of this queue held a slot for 60 s');
    expect(Date.parse(estimate.latest as string)).toBeGreaterThan(Date.now() + 50_000);
    expect(Date.parse(estimate.latest as string)).toBeLessThan(Date.now() + 65_000);
    const stored = await api.db
      .selectFrom('launch_estimate')
      .selectAll()
      .where('launch_id', '=', id)
      .executeTakeFirst();
    expect(stored?.queue_id).toBe(queueId);

    const fresh = await queue();
    const other = await agent([fresh]);
    await enqueue(fresh);
    await other.take(fresh);
    expect((await waiting(await enqueue(fresh))).estimate.basis).toContain(
      'of queues of lab (this one has hardly any past)',
    );
  });

  test('is measured by when the launch was really taken, and the hit rate stands beside the next one', async () => {
    const name = await queue();
    const one = await agent([name], { maxJobs: 10 });
    const [right, wrong, moved, gone] = [
      await enqueue(name),
      await enqueue(name),
      await enqueue(name),
      await enqueue(name),
    ];
    for (const id of [right, wrong, moved, gone]) await waiting(id);
    const queueId = await idOf(name);
    await api.db
      .updateTable('launch_estimate')
      .set({ earliest: new Date(0), latest: new Date(1) })
      .where('launch_id', '=', wrong)
      .execute();
    await api.db
      .updateTable('launch_estimate')
      .set({ latest: new Date(Date.now() + 3600_000) })
      .where('launch_id', '=', right)
      .execute();
    await hold(api.db, moved, { by: 'ada', cause: 'user' });
    await ok('POST', `/launches/${gone}/cancel`);
    expect(await one.take(name)).toBe(right);
    expect(await one.take(name)).toBe(wrong);
    await settleEstimates(api.db);
    const next = await waiting(await enqueue(name));
    expect(next.estimate.hitRate).toEqual({
      estimates: 2,
      right: 1,
      sentence: 'Of the last 2 estimates of this queue 50 % were right.',
    });
    const kept = await api.db
      .selectFrom('launch_estimate')
      .select('launch_id')
      .where('queue_id', '=', queueId)
      .execute();
    const ids = kept.map((row) => row.launch_id);
    expect(ids).toEqual(expect.arrayContaining([right, wrong]));
    expect(ids).not.toContain(moved);
    expect(ids).not.toContain(gone);
  });

  test('is made for some of the launches that come in although nobody asks', async () => {
    const name = await queue();
    await agent([name], { maxJobs: 100 });
    const queueId = await idOf(name);
    await until(
      async () => {
        await enqueue(name);
        return api.db
          .selectFrom('launch_estimate')
          .select('launch_id')
          .where('queue_id', '=', queueId)
          .executeTakeFirst();
      },
      { what: 'an estimate that nobody asked for' },
    );
  });
});

test('the place in a long line is the place', async () => {
  const name = await queue();
  await agent([name]);
  const id = await enqueue(name);
  await sql`insert into launch (id, workflow_id, queue_id, project_id, author, state, priority, rank, run_name, spec, request)
    select 'bulk' || lpad(n::text, 16, '0'), 'w', queue_id, project_id, author, 'queued', 1, nextval('line_rank') * 1048576, 'r', spec, request
    from launch, generate_series(1, 20000) n where id = ${id}`.execute(api.db);
  await foldCounters(api.db);
  const answer = await waiting(id);
  expect(answer.position).toBe(20_001);
  expect(answer.causes.at(-1)).toMatchObject({ code: 'launches-ahead', data: { ahead: 20_000, higher: 20_000 } });
});

test('a launch says when Temporal is away', async () => {
  const name = await queue();
  await agent([name]);
  const id = await enqueue(name);
  // Nothing listens where this API looks for Temporal.
  api.dispatch.start();
  await until(async () => (await codes(id)).includes('temporal-away'), {
    what: 'the API to notice that Temporal is away',
  });
  expect((await main(id)).code).toBe('temporal-away');
  expect((await waiting(id)).noEstimate).toContain('Temporal');
});
