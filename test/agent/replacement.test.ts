import { afterAll, beforeAll, expect, test } from 'vitest';
import { CountingJob } from '../support/counting-job.js';
import { Stack } from '../support/stack.js';
import { until } from '../support/until.js';
import { expectAllSlotsFree, expectAllWell } from '../faults/support/all-well.js';

let stack: Stack;
let counting: CountingJob;
beforeAll(async () => {
  stack = await Stack.start({ maxJobs: 0 });
  counting = await CountingJob.make(stack);
});
afterAll(() => stack.stop());

/** Launches that come all the time, until told to stop. */
function stream(queue: string): { ids: string[]; stop(): Promise<void> } {
  const ids: string[] = [];
  let going = true;
  const done = (async () => {
    while (going) {
      ids.push(await counting.enqueue(queue, { lines: 30 }));
      const waiting = async () => {
        const states = await Promise.all(ids.slice(-6).map(async (id) => (await stack.show(id)).state));
        return states.filter((state) => state === 'queued').length < 4;
      };
      await until(waiting, { ms: 120_000, everyMs: 100 });
    }
  })();
  return {
    ids,
    async stop() {
      going = false;
      await done;
    },
  };
}

const endedOf = async (ids: readonly string[]): Promise<number> =>
  (await Promise.all(ids.map(async (id) => (await stack.show(id)).state))).filter((state) => state === 'finished')
    .length;

test(
  'new processes of an agent, one after the other under load: nothing is lost, nothing is run twice',
  { timeout: 300_000 },
  async () => {
    await stack.queue('renewed');
    let agent = await stack.startAgent('blue', { maxJobs: 2 });
    const launches = stream('renewed');
    for (let round = 0; round < 3; round++) {
      const before = await endedOf(launches.ids);
      await until(async () => (await endedOf(launches.ids)) >= before + 2, { ms: 120_000, everyMs: 200 });
      expect(await agent.stop()).toBe(0);
      agent = await stack.startAgent('blue', { maxJobs: 2 });
    }
    await launches.stop();
    await expectAllWell(
      stack,
      counting,
      'renewed',
      launches.ids.map((id) => ({ id })),
      { faults: 3, ms: 180_000 },
    );
    expect(counting.mostAtOnce(launches.ids)).toBeLessThanOrEqual(2);
    await expectAllSlotsFree(stack, counting, 'renewed', 2);
    await agent.stop();
  },
);

test(
  'an agent of another name takes over from one that is drained: what runs ends where it began',
  { timeout: 300_000 },
  async () => {
    await stack.queue('replaced');
    const params = { path: { entity: stack.entity, agent: 'old' } };
    const old = await stack.startAgent('old', { maxJobs: 2 });
    const launches = stream('replaced');
    await until(async () => (await endedOf(launches.ids)) >= 2, { ms: 120_000, everyMs: 200 });
    await stack.startAgent('new', { maxJobs: 2 });
    await stack.client.POST('/agents/{entity}/{agent}/drain', { params });
    const held = async () => (await stack.client.GET('/agents/{entity}/{agent}', { params })).data?.slots.used;
    await until(async () => (await held()) === 0, { what: 'the old agent to be empty', ms: 120_000 });
    await stack.client.POST('/agents/{entity}/{agent}/stop', { params });
    expect(await old.exited).toBe(79);
    await stack.client.DELETE('/agents/{entity}/{agent}', { params });
    const before = launches.ids.length;
    await until(() => launches.ids.length > before + 2, { ms: 120_000 });
    await launches.stop();
    await expectAllWell(
      stack,
      counting,
      'replaced',
      launches.ids.map((id) => ({ id })),
      { faults: 1, ms: 180_000 },
    );
    // Nothing was lost by anybody on the way, so nobody was asked to begin twice.
    for (const id of launches.ids) {
      const { timeline } = await stack.show(id);
      expect(timeline.filter(({ type }) => type === 'claimed').length, id).toBe(1);
    }
    await expectAllSlotsFree(stack, counting, 'replaced', 2);
  },
);
