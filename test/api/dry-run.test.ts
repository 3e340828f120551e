import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeLaunchable, startTestApi, type CallOptions, type TestApi } from './support/api.js';
import { waitingSteps } from './support/waiting.js';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await makeLaunchable(api);
});
afterAll(() => api.close());

const { job, ok, queue, enqueue, waiting } = waitingSteps(() => api);

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
