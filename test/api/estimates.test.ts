import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settleEstimates } from '../../store/estimates.js';
import { hold } from '../../store/line-operations.js';
import { until } from '../support/until.js';
import { makeLaunchable, startTestApi, type TestApi } from './support/api.js';
import { waitingSteps } from './support/waiting.js';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await makeLaunchable(api);
});
afterAll(() => api.close());

const { ok, queue, enqueue, agent, idOf, end, waiting } = waitingSteps(() => api);

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
