import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DavitError } from '../../domain/errors.js';
import { cancel, claim, confirm, giveBack, positionOf, type ClaimAnswer } from '../../store/line.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { lineFixture, type LineFixture } from '../support/line-fixture.js';

let database: TestDatabase;
let line: LineFixture;
let a: { id: string; incarnation: string };
let b: { id: string; incarnation: string };
let tickets = 0;

beforeAll(async () => {
  database = await createTestDatabase({ maxConnections: 40 });
  line = await lineFixture(database.db);
  a = await line.agent('a');
  b = await line.agent('b');
});
afterAll(() => database.close());

const take = (
  queueId: number,
  agent: { id: string; incarnation: string },
  ticket = `t/${++tickets}`,
  ticketAttempt = 1,
): Promise<ClaimAnswer> =>
  claim(database.db, {
    queueId,
    ticket,
    ticketAttempt,
    agentId: agent.id,
    incarnation: agent.incarnation,
    privateQueue: `agent.${agent.id}.${agent.incarnation}`,
    place: 'here',
  });
const granted = (answer: ClaimAnswer) => {
  if (answer.outcome !== 'granted') throw new Error(`not granted but ${answer.outcome}`);
  return answer;
};
const stateOf = async (id: string) =>
  database.db
    .selectFrom('launch')
    .select(['state', 'epoch', 'claim', 'rank', 'attempt', 'due'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow();

describe('the line', () => {
  test('launches of parallel clients are claimed in exactly the order of their ranks, within their priority', async () => {
    const queue = await line.queue('order');
    const names = ['critical', 'high', 'medium', 'low'] as const;
    const wait = Array.from({ length: 32 }, async (_, client) => {
      for (let n = 0; n < 8; n++) await line.enqueue('order', { priority: names[(client + n) % 4] ?? 'medium' });
    });
    // Claims run among the enqueues: whatever is claimed, no launch that could be claimed was before it.
    const claimed: string[] = [];
    const claimer = async (agent: typeof a) => {
      for (;;) {
        const answer = await take(queue, agent);
        if (answer.outcome === 'granted') claimed.push(answer.launchId);
        else if ((await Promise.race([all, Promise.resolve('busy')])) !== 'busy') return;
      }
    };
    const all = Promise.all(wait);
    await Promise.all([claimer(a), claimer(b), all]);
    expect(claimed).toHaveLength(256);

    const rows = await database.db
      .selectFrom('launch')
      .innerJoin('launch_event', 'launch_event.launch_id', 'launch.id')
      .select(['launch.id', 'launch.priority', 'launch.rank', 'launch_event.at', 'launch_event.type'])
      .where('launch.queue_id', '=', queue)
      .execute();
    const of = (type: string) => new Map(rows.filter((row) => row.type === type).map((row) => [row.id, row]));
    const claims = [...of('claimed').values()].sort((x, y) => x.at.getTime() - y.at.getTime() || 0);
    const acceptedAt = of('queued');
    let inversions = 0;
    for (const [i, earlier] of claims.entries()) {
      for (const later of claims.slice(i + 1)) {
        const acceptance = acceptedAt.get(later.id)?.at.getTime() ?? Infinity;
        const before =
          later.priority < earlier.priority || (later.priority === earlier.priority && later.rank < earlier.rank);
        // Accepted after the earlier claim: it could not be taken yet. Equal milliseconds prove nothing.
        if (before && later.at > earlier.at && acceptance < earlier.at.getTime() - 1) inversions++;
      }
    }
    expect(inversions).toBe(0);
  });

  test('the same ticket is answered the same, also when ten ask at once', async () => {
    const queue = await line.queue('same');
    const first = await line.enqueue('same');
    await line.enqueue('same');
    const answers = await Promise.all(Array.from({ length: 10 }, () => take(queue, a, 'run/1', 1)));
    expect(new Set(answers.map((answer) => granted(answer).launchId))).toEqual(new Set([first]));
    expect(new Set(answers.map((answer) => granted(answer).claim)).size).toBe(1);
  });

  test('a ticket that Temporal gave to another agent takes an unconfirmed claim back first; the slow first agent is refused', async () => {
    const queue = await line.queue('retry');
    const first = await line.enqueue('retry');
    await line.enqueue('retry');
    const early = granted(await take(queue, a, 'run/2', 1));
    const late = granted(await take(queue, b, 'run/2', 2));
    expect(late.launchId).toBe(first);
    expect(late.epoch).toBeGreaterThan(early.epoch);
    expect((await take(queue, a, 'run/2', 1)).outcome).toBe('stale');
    expect(await confirm(database.db, first, early.claim, a.incarnation)).toBe(false);
    expect(await confirm(database.db, first, late.claim, b.incarnation)).toBe(true);
    // Confirmed: a repeated ticket finds it spent and takes nothing.
    expect((await take(queue, a, 'run/2', 3)).outcome).toBe('spent');
  });

  test('a launch that is given back keeps its place', async () => {
    const queue = await line.queue('place');
    const ids = [await line.enqueue('place'), await line.enqueue('place'), await line.enqueue('place')];
    const answer = granted(await take(queue, a));
    expect(answer.launchId).toBe(ids[0]);
    expect(await positionOf(database.db, ids[1] ?? '')).toBe(1);
    expect(
      await giveBack(database.db, {
        launchId: answer.launchId,
        claim: answer.claim,
        unconfirmedOnly: true,
        reason: 'test',
      }),
    ).toBe(true);
    expect(await positionOf(database.db, ids[0] ?? '')).toBe(1);
    expect(await positionOf(database.db, ids[2] ?? '')).toBe(3);
    expect(granted(await take(queue, b)).launchId).toBe(ids[0]);
    // The old claim opens nothing any more.
    expect(
      await giveBack(database.db, {
        launchId: answer.launchId,
        claim: answer.claim,
        unconfirmedOnly: false,
        reason: 'late',
      }),
    ).toBe(false);
  });

  test('nobody but its workflow takes a confirmed claim back', async () => {
    const queue = await line.queue('confirmed');
    await line.enqueue('confirmed');
    const answer = granted(await take(queue, a));
    await confirm(database.db, answer.launchId, answer.claim, a.incarnation);
    const back = { launchId: answer.launchId, claim: answer.claim, reason: 'test' };
    expect(await giveBack(database.db, { ...back, unconfirmedOnly: true })).toBe(false);
    expect(await giveBack(database.db, { ...back, unconfirmedOnly: false, agentLost: true, nextAttempt: true })).toBe(
      true,
    );
    expect(await stateOf(answer.launchId)).toMatchObject({ state: 'queued', claim: null, attempt: 2 });
  });

  test('an agent process that was replaced can claim nothing', async () => {
    const queue = await line.queue('replaced');
    await line.enqueue('replaced');
    const old = await line.agent('c');
    await line.agent('c');
    expect((await take(queue, old)).outcome).toBe('superseded');
  });

  test('a cancel races claims: every launch ends up either taken or stopped, never both', async () => {
    const queue = await line.queue('cancel');
    const ids = await Promise.all(Array.from({ length: 60 }, () => line.enqueue('cancel')));
    const [answers] = await Promise.all([
      Promise.all(ids.map(() => take(queue, a))),
      Promise.all(ids.map((id) => cancel(database.db, id, 'ada', { code: 'cancelled' }))),
    ]);
    let confirmed = 0;
    for (const answer of answers) {
      if (answer.outcome === 'granted' && (await confirm(database.db, answer.launchId, answer.claim, a.incarnation)))
        confirmed++;
    }
    // Stopped before it was claimed or before it was confirmed; a cancel after the claim wins over the confirm.
    for (const id of ids) expect((await stateOf(id)).state).toBe('stopped');
    expect(confirmed).toBe(0);
  });

  test('one idempotency key makes one launch, whatever races, and refuses another request', async () => {
    await line.queue('idem');
    const ids = await Promise.all(Array.from({ length: 50 }, () => line.enqueue('idem', { idempotencyKey: 'k1' })));
    expect(new Set(ids).size).toBe(1);
    const other = line.enqueue('idem', { idempotencyKey: 'k1', name: 'another' });
    await expect(other).rejects.toSatisfy(
      (error) => error instanceof DavitError && error.code === 'idempotency-conflict',
    );
  });
});
