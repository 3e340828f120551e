import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { positionOf } from '../../store/line.js';
import type { Store } from '../../store/open.js';
import { Engine } from '../support/engine.js';
import { idleTargets } from '../support/idle-target.js';
import { inversionsIn, lineEventsOf, type LineEvent } from '../support/line-order.js';
import { until } from '../support/until.js';

const cases = [
  { slots: 1, clients: 1, launches: 60 },
  { slots: 1, clients: 32, launches: 200 },
  { slots: 4, clients: 1, launches: 60 },
  { slots: 4, clients: 32, launches: 200 },
].map((each) => ({ ...each, queue: `slots-${each.slots}-clients-${each.clients}` }));

let engine: Engine;
let job: string;
beforeAll(async () => {
  engine = await Engine.start();
  job = await engine.script('idle', 'exit 0');
  for (const { queue, slots } of cases) {
    await engine.queue(queue);
    await engine.startAgent({ name: queue, queues: [queue], maxJobs: slots, targets: idleTargets });
  }
});
afterAll(() => engine.stop());

async function enqueueAll(queue: string, launches: number, clients: number): Promise<void> {
  let left = launches;
  const client = async (): Promise<void> => {
    while (left-- > 0) await engine.enqueue(queue, job);
  };
  await Promise.all(Array.from({ length: clients }, client));
}

const waitingIn = (db: Store, queue: string) =>
  db
    .selectFrom('launch')
    .innerJoin('queue', 'queue.id', 'launch.queue_id')
    .select('launch.id')
    .where('queue.name', '=', queue)
    .where('launch.state', '=', 'queued')
    .orderBy('launch.rank')
    .execute();

/** Some places of the line, first and last among them. */
const sampled = (length: number): number[] => [
  ...new Set([0, 1, 2, length >> 2, length >> 1, length - 2, length - 1].filter((i) => i >= 0 && i < length)),
];

/** In one snapshot of the store: the position of a launch is its place among those that wait. */
async function checkSnapshot(queue: string): Promise<number> {
  return engine.database.db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (tx) => {
      const waiting = await waitingIn(tx, queue);
      for (const i of sampled(waiting.length)) {
        const position = await positionOf(tx, waiting[i]?.id ?? '');
        if (position !== i + 1) throw new Error(`position ${position} at place ${i + 1} of ${waiting.length}`);
      }
      return waiting.length;
    });
}

/**
 * What the API shows lies between the place before it was asked and the place after it had answered. Exact, because nobody can come in
 * before a launch any more once all are accepted.
 */
async function checkShown(queue: string): Promise<number> {
  const { db } = engine.database;
  const returnedBefore = await returnedIn(queue);
  const before = await waitingIn(db, queue);
  const places = sampled(before.length);
  const shown = await Promise.all(places.map(async (i) => (await engine.show(before[i]?.id ?? '')).position));
  const after = (await waitingIn(db, queue)).map(({ id }) => id);
  // Given back into its own place meanwhile: then somebody did come in before.
  if ((await returnedIn(queue)) !== returnedBefore) return 0;
  for (const [n, i] of places.entries()) {
    const last = after.indexOf(before[i]?.id ?? '') + 1;
    const position = shown[n] ?? 0;
    // 0: it does not wait any more.
    if (position > i + 1 || position < last) throw new Error(`shown ${position}, between ${i + 1} and ${last}`);
  }
  return places.length;
}

async function returnedIn(queue: string): Promise<number> {
  const events = (await engine.database.pool.query<LineEvent>(lineEventsOf(queue))).rows;
  return events.filter(({ type }) => type === 'returned').length;
}

// All lines at once: each is waiting most of its time.
describe.concurrent.each(cases)('$launches launches, $clients clients, $slots slots', (each) => {
  const { launches, queue, slots, clients } = each;
  test(
    'are claimed in exactly the order of their acceptance, and shown at their true places all the time',
    { timeout: 1_240_000 },
    async () => {
      let areAccepted = false;
      const accepted = enqueueAll(queue, launches, clients).then(() => {
        areAccepted = true;
      });
      let snapshots = 0;
      let shown = 0;
      await until(
        async () => {
          snapshots++;
          const began = performance.now();
          const waiting = await checkSnapshot(queue);
          if (areAccepted) shown += await checkShown(queue);
          if (areAccepted && waiting === 0) return true;
          // Now and then: the parts share this process, and looking twice a second was half of what a slow machine did.
          await wait(Math.min(2_000, 10 * (performance.now() - began)));
          return false;
        },
        { what: 'the line to be empty', ms: 1_200_000 },
      );
      await accepted;
      expect(snapshots).toBeGreaterThan(launches / 10);
      expect(shown).toBeGreaterThan(launches / 10);

      const events = (await engine.database.pool.query<LineEvent>(lineEventsOf(queue))).rows;
      const claims = events.filter(({ type }) => type === 'claimed');
      // On a machine that stands still for seconds a claim may lapse and be given back: then the launch is claimed again, from its own place.
      expect(new Set(claims.map(({ launchId }) => launchId)).size).toBe(launches);
      expect(claims).toHaveLength(launches + events.filter(({ type }) => type === 'returned').length);
      expect(inversionsIn(events)).toEqual([]);

      const open = (): Promise<unknown[]> =>
        engine.database.db
          .selectFrom('launch')
          .innerJoin('queue', 'queue.id', 'launch.queue_id')
          .select('launch.id')
          .where('queue.name', '=', queue)
          .where('launch.state', '<>', 'finished')
          .execute();
      await until(async () => (await open()).length === 0, { what: `all to finish with ${slots} slots` });
    },
  );
});
