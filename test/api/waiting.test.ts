import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hold } from '../../store/line-operations.js';
import { foldCounters } from '../../store/line.js';
import { until } from '../support/until.js';
import { makeLaunchable, startTestApi, type TestApi } from './support/api.js';
import { waitingSteps } from './support/waiting.js';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await makeLaunchable(api);
});
afterAll(() => api.close());

const { ok, queue, enqueue, agent, end, waiting, codes, main } = waitingSteps(() => api);

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
