import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Engine } from '../support/engine.js';
import { until } from '../support/until.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
});
afterAll(() => engine.stop());

const waiting = async (id: string) => {
  const { data } = await engine.client.GET('/launches/{id}/waiting', { params: { path: { id } } });
  if (!data) throw new Error('no answer');
  return data;
};

test('estimates for jobs of a known length are measured when their launches start, and the hit rate is shown', async () => {
  await engine.queue('known');
  const shut = join(engine.folder, 'shut');
  const job = await engine.script('nap', `sleep 0.4; while [ -e ${shut} ]; do sleep 0.05; done`);
  await engine.startAgent({ maxJobs: 2, queues: ['known'] });
  const past = await Promise.all(Array.from({ length: 8 }, () => engine.enqueue('known', job)));
  for (const id of past) await engine.ended(id);

  // Until all have been asked for, none ends.
  writeFileSync(shut, '');
  const asked: { id: string; earliest: string; latest: string }[] = [];
  for (let n = 0; n < 16; n++) {
    const id = await engine.enqueue('known', job);
    const { state, estimate } = await waiting(id);
    if (estimate) asked.push({ id, earliest: estimate.earliest, latest: estimate.latest });
    else expect(state).not.toBe('queued');
  }
  rmSync(shut);
  // Two run at once, so the others wait when they are asked.
  expect(asked.length).toBeGreaterThanOrEqual(14);
  const last = asked.at(-1);
  expect(last && Date.parse(last.latest)).toBeGreaterThan(Date.parse(asked[0]?.latest ?? ''));
  for (const { id } of asked) await engine.ended(id);

  const { db } = engine.database;
  const rows = await until(
    async () => {
      const all = await db.selectFrom('launch_estimate').selectAll().execute();
      return all.every((row) => row.claimed_at) ? all : undefined;
    },
    { what: 'every estimate to be measured' },
  );
  const stored = new Map(rows.map((row) => [row.launch_id, row]));
  const asShown = asked.filter(({ id, earliest, latest }) => {
    const row = stored.get(id);
    return row?.earliest.toISOString() === earliest && row.latest.toISOString() === latest;
  });
  // The first one counts, and for every tenth launch that was made as it came in.
  expect(asShown.length).toBeGreaterThanOrEqual(asked.length - 2);
  for (const { id } of asked) {
    const row = stored.get(id);
    const claimed = await db
      .selectFrom('launch_event')
      .select('at')
      .where('launch_id', '=', id)
      .where('type', '=', 'claimed')
      .executeTakeFirst();
    // Taken in the very moment of the estimate: it counts from then.
    expect(row?.claimed_at?.getTime()).toBe(Math.max(claimed?.at.getTime() ?? 0, row?.made_at.getTime() ?? 0));
  }

  // By the database's clock, which is finer than a Date.
  const right = await db
    .selectFrom('launch_estimate')
    .select('launch_id')
    .whereRef('claimed_at', '>=', 'earliest')
    .whereRef('claimed_at', '<=', 'latest')
    .execute();
  const { id } = await enqueueBehind(job);
  const { estimate } = await waiting(id);
  expect(estimate?.hitRate).toMatchObject({ estimates: rows.length, right: right.length });
  expect(estimate?.hitRate.sentence).toContain(`Of the last ${rows.length} estimates`);
  expect(estimate?.basis).toContain('of this queue');
});

/** A launch that waits: both slots are taken by others. */
async function enqueueBehind(job: string): Promise<{ id: string }> {
  const long = await engine.script('long', 'sleep 1000');
  const busy = [await engine.enqueue('known', long), await engine.enqueue('known', long)];
  for (const id of busy) await engine.untilState(id, ['running']);
  const id = await engine.enqueue('known', job);
  await until(async () => (await waiting(id)).estimate, { what: 'an estimate' });
  return { id };
}
