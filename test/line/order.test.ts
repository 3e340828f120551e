import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DavitError } from '../../domain/errors.js';
import { endWaiting, expired, hold, move, release, reprioritise, transfer } from '../../store/line-operations.js';
import { claim, countsOfLine, foldCounters, giveBack, positionOf, type ClaimAnswer } from '../../store/line.js';
import { failure } from '../../domain/errors.js';
import { lineFixture, type LineFixture } from '../support/line-fixture.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';

let database: TestDatabase;
let line: LineFixture;
let agent: { id: string; incarnation: string };
let tickets = 0;

beforeAll(async () => {
  database = await createTestDatabase({ maxConnections: 40 });
  line = await lineFixture(database.db);
  agent = await line.agent('a');
});
afterAll(() => database.close());

const take = (queueId: number, by = agent): Promise<ClaimAnswer> =>
  claim(database.db, {
    queueId,
    ticket: `t/${++tickets}`,
    ticketAttempt: 1,
    agentId: by.id,
    incarnation: by.incarnation,
    privateQueue: `agent.${by.id}.${by.incarnation}`,
    place: 'here',
  });
async function takeAll(queueId: number, by = agent): Promise<string[]> {
  const taken: string[] = [];
  for (;;) {
    const answer = await take(queueId, by);
    if (answer.outcome !== 'granted') return taken;
    taken.push(answer.launchId);
  }
}
async function enqueueMany(queue: string, n: number, over: Parameters<LineFixture['enqueue']>[1] = {}) {
  const ids: string[] = [];
  for (let i = 0; i < n; i++) ids.push(await line.enqueue(queue, over));
  return ids as [string, ...string[]];
}
const end = (id: string) =>
  sql`update launch set state = 'finished', ended_at = now() where id = ${id}`.execute(database.db);
const setQueue = (id: number, set: Record<string, unknown>) =>
  database.db.updateTable('queue').set(set).where('id', '=', id).execute();
const refusal = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof DavitError) return error.code;
    throw error;
  }
  return 'no refusal';
};
const positions = async (ids: readonly string[]) =>
  Promise.all(ids.map(async (id) => (await positionOf(database.db, id)) ?? null));

describe('limits', () => {
  test('a queue runs as many launches as it may, whoever claims, and has room again as soon as one ends', async () => {
    const queue = await line.queue('limited');
    await setQueue(queue, { max_running: 3 });
    await enqueueMany('limited', 10);
    const answers = await Promise.all(Array.from({ length: 10 }, () => take(queue)));
    const granted = answers.flatMap((answer) => (answer.outcome === 'granted' ? [answer] : []));
    expect(granted).toHaveLength(3);
    expect(answers.find((answer) => answer.outcome === 'limited')?.left).toBe(0);
    await end(granted[0]?.launchId ?? '');
    expect((await take(queue)).outcome).toBe('granted');
    expect((await take(queue)).outcome).toBe('limited');
  });

  test('a project at its limit is passed over, and those behind it are taken', async () => {
    const queue = await line.queue('by-project');
    await setQueue(queue, { max_running_per_project: 1 });
    const own = await enqueueMany('by-project', 3);
    await database.db.insertInto('project').values({ entity_id: line.entityId, name: 'other' }).execute();
    const other = await enqueueMany('by-project', 2, { project: 'other' });
    expect(await takeAll(queue)).toEqual([own[0], other[0]]);
    await end(own[0]);
    expect(await takeAll(queue)).toEqual([own[1]]);
  });

  test('more launches than the queue allows to wait are refused, also when clients race', async () => {
    const queue = await line.queue('depth');
    await setQueue(queue, { max_waiting: 5 });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        line.enqueue('depth').then(
          () => 'accepted',
          (error: unknown) => (error as DavitError).code,
        ),
      ),
    );
    expect(answers.filter((answer) => answer === 'accepted')).toHaveLength(5);
    expect(answers.filter((answer) => answer === 'queue-full')).toHaveLength(15);
    expect(await countsOfLine(database.db, queue)).toEqual({ waiting: 5, held: 0 });
  });

  test('a queue that drains takes no new launches and works off the rest', async () => {
    const queue = await line.queue('draining');
    const [id] = await enqueueMany('draining', 1);
    await setQueue(queue, { draining: true });
    expect(await refusal(line.enqueue('draining'))).toBe('queue-draining');
    expect(await takeAll(queue)).toEqual([id]);
  });

  test('a queue without priorities refuses them', async () => {
    const queue = await line.queue('flat');
    await setQueue(queue, { priorities: false });
    expect(await refusal(line.enqueue('flat', { priority: 'high' }))).toBe('priority-not-allowed');
    const id = await line.enqueue('flat', { priority: 'medium' });
    expect(await refusal(reprioritise(database.db, id, 'high', 'ada'))).toBe('priority-not-allowed');
  });
});

describe('fair queues', () => {
  test('give each project its share by weight, and say the order beforehand', async () => {
    const queue = await line.queue('fair');
    const { id: big } = await database.db
      .insertInto('project')
      .values({ entity_id: line.entityId, name: 'big' })
      .returning('id')
      .executeTakeFirstOrThrow();
    await setQueue(queue, { discipline: 'fair' });
    await database.db.insertInto('queue_project').values({ queue_id: queue, project_id: big, weight: 2 }).execute();
    const small = await enqueueMany('fair', 4);
    const large = await enqueueMany('fair', 8, { project: 'big' });
    const all = [...small, ...large];
    const said = await positions(all);
    const taken = await takeAll(queue);
    expect(taken.filter((id, i) => i < 6 && large.includes(id))).toHaveLength(4);
    expect(all.map((id) => taken.indexOf(id) + 1)).toEqual(said);
    // Within a project the order of acceptance stands.
    expect(taken.filter((id) => small.includes(id))).toEqual(small);
    expect(taken.filter((id) => large.includes(id))).toEqual(large);
  });
});

describe('required labels', () => {
  test('an agent takes the first launch that it satisfies, of whatever line', async () => {
    const queue = await line.queue('labels');
    const gpu = await line.agent('gpu');
    await database.db
      .updateTable('agent')
      .set({ labels: JSON.stringify({ gpu: 'a100', zone: 'x' }) })
      .where('id', '=', gpu.id)
      .execute();
    const [a] = await enqueueMany('labels', 1, { requires: { gpu: 'a100' } });
    const [b] = await enqueueMany('labels', 1);
    const [c] = await enqueueMany('labels', 1, { requires: { gpu: 'h100' } });
    const [d] = await enqueueMany('labels', 1, { requires: { zone: 'x', gpu: 'a100' } });
    expect(await takeAll(queue)).toEqual([b]);
    expect(await takeAll(queue, gpu)).toEqual([a, d]);
    expect(await positions([c])).toEqual([1]);
  });
});

describe('people change the line', () => {
  test('hold takes a launch out of the line, release puts it back where it was', async () => {
    const queue = await line.queue('hold');
    const ids = await enqueueMany('hold', 3);
    expect(await hold(database.db, ids[0], { by: 'ada', cause: 'user' })).toMatchObject({
      outcome: 'done',
      held: true,
    });
    expect(await positions(ids)).toEqual([null, 1, 2]);
    expect(await countsOfLine(database.db, queue)).toEqual({ waiting: 2, held: 1 });
    expect(await release(database.db, ids[0], 'ada')).toMatchObject({ outcome: 'done', position: 1 });
    expect(await takeAll(queue)).toEqual(ids);
  });

  test('a launch moves to the front, to the end, before and after another', async () => {
    const queue = await line.queue('move');
    const [a, b, c, d] = (await enqueueMany('move', 4)) as [string, string, string, string];
    const high = await line.enqueue('move', { priority: 'high' });
    expect(await move(database.db, d, { to: 'front' }, 'ada')).toMatchObject({ outcome: 'done', position: 2 });
    await move(database.db, a, { to: 'back' }, 'ada');
    await move(database.db, b, { after: c }, 'ada');
    expect(await refusal(move(database.db, b, { before: high }, 'ada'))).toBe('move-across-priorities');
    expect(await positions([high, d, c, b, a])).toEqual([1, 2, 3, 4, 5]);
    expect(await takeAll(queue)).toEqual([high, d, c, b, a]);
    expect(await move(database.db, a, { to: 'front' }, 'ada')).toMatchObject({
      outcome: 'not-waiting',
      state: 'claimed',
    });
  });

  test('a thousand launches fit between the same two neighbours', async () => {
    const queue = await line.queue('squeeze');
    const ids = await enqueueMany('squeeze', 60);
    const [first] = ids;
    const expected = [...ids];
    for (let n = 0; n < 600; n++) {
      const id = ids[2 + (n % 58)] ?? '';
      expect(await move(database.db, id, { after: first }, 'ada')).toMatchObject({ outcome: 'done', position: 2 });
      expected.splice(expected.indexOf(id), 1);
      expected.splice(1, 0, id);
    }
    expect(await positions(expected)).toEqual(expected.map((_, i) => i + 1));
    expect(await takeAll(queue)).toEqual(expected);
  });

  test('a new priority takes effect at once, and among its equals acceptance decides', async () => {
    const queue = await line.queue('priority');
    const [a, b] = (await enqueueMany('priority', 2)) as [string, string];
    const c = await line.enqueue('priority', { priority: 'high' });
    expect(await reprioritise(database.db, b, 'high', 'ada')).toMatchObject({ outcome: 'done', position: 1 });
    expect(await takeAll(queue)).toEqual([b, c, a]);
  });

  test('a transfer puts a launch at the end of another queue of the same target', async () => {
    const from = await line.queue('from');
    const to = await line.queue('to');
    const [a, b] = (await enqueueMany('from', 2)) as [string, string];
    const [c] = await enqueueMany('to', 1);
    expect(await transfer(database.db, a, to, 'ada')).toMatchObject({ outcome: 'done', position: 2 });
    expect(await takeAll(from)).toEqual([b]);
    expect(await takeAll(to)).toEqual([c, a]);
    expect(await transfer(database.db, b, to, 'ada')).toMatchObject({ outcome: 'not-waiting' });
  });

  test('against claims in the same moment: either it was moved or it was taken, and the answer is true', async () => {
    const queue = await line.queue('race');
    const others = await line.queue('race-other');
    const ids = await enqueueMany('race', 80);
    const changes = ids.map((id, i) => {
      switch (i % 4) {
        case 0:
          return hold(database.db, id, { by: 'ada', cause: 'user' });
        case 1:
          return transfer(database.db, id, others, 'ada');
        case 2:
          return move(database.db, id, { to: 'back' }, 'ada');
        default:
          return reprioritise(database.db, id, 'low', 'ada');
      }
    });
    const [answers, claims] = await Promise.all([
      Promise.all(changes),
      Promise.all(Array.from({ length: 40 }, () => take(queue))),
    ]);
    const taken = new Set(claims.flatMap((answer) => (answer.outcome === 'granted' ? [answer.launchId] : [])));
    for (const [i, answer] of answers.entries()) {
      const id = ids[i] ?? '';
      if (answer.outcome === 'not-waiting') expect(taken.has(id)).toBe(true);
      else if (i % 4 < 2) expect(taken.has(id)).toBe(false);
    }
    const rows = await database.db
      .selectFrom('launch')
      .select(['id', 'state', 'held', 'queue_id'])
      .where('id', 'in', ids)
      .execute();
    for (const row of rows) expect(row.state).toBe(taken.has(row.id) ? 'claimed' : 'queued');
    await foldCounters(database.db);
    const waiting = rows.filter((row) => row.queue_id === queue && row.state === 'queued');
    expect(await countsOfLine(database.db, queue)).toEqual({
      waiting: waiting.filter((row) => !row.held).length,
      held: waiting.filter((row) => row.held).length,
    });
  });

  test('a launch whose time-to-live is over ends as stopped, and only while it waits', async () => {
    const queue = await line.queue('ttl');
    const [a, b] = (await enqueueMany('ttl', 2, { ttlMs: 600_000 })) as [string, string];
    const overdue = () =>
      sql`update launch set expires_at = now() - interval '1 second' where queue_id = ${queue}`.execute(database.db);
    await overdue();
    expect(await takeAll(queue)).toEqual([a, b]);
    expect(await expired(database.db, 10)).toEqual([]);
    const [answer] = await database.db.selectFrom('launch').select('claim').where('id', '=', b).execute();
    await giveBack(database.db, { launchId: b, claim: answer?.claim ?? '', unconfirmedOnly: true, reason: 'test' });
    // Its time with the agent was not spent waiting: the time-to-live has begun anew.
    expect(await expired(database.db, 10)).toEqual([]);
    await overdue();
    expect((await expired(database.db, 10)).map((row) => row.id)).toEqual([b]);
    expect(await endWaiting(database.db, b, 'davit', failure('expired', 'claim'))).toBe(true);
    expect(await endWaiting(database.db, a, 'davit', failure('expired', 'claim'))).toBe(false);
  });
});

describe('positions in a long line', () => {
  test('are those of plain counting, whatever was folded', async () => {
    const queue = await line.queue('long');
    const [{ id: template }] = (await database.db.selectFrom('launch').select('id').limit(1).execute()) as [
      { id: string },
    ];
    await sql`insert into launch (id, workflow_id, queue_id, project_id, author, state, priority, rank, run_name, job_artifact_id, spec, request, held)
      select 'long' || n, 'launch/long' || n, ${queue}, project_id, author, 'queued', n % 4, nextval('line_rank') * 1048576, 'r' || n, job_artifact_id, spec,
        request, n % 17 = 0
      from launch, generate_series(1, 20000) n where id = ${template}`.execute(database.db);
    for (let round = 0; round < 3; round++) {
      for (const n of [1, 2, 3, 4, 777, 9_999, 15_001, 19_998]) {
        const id = `long${n}`;
        if (round > 0 && n % 2 === 0) await move(database.db, id, { to: round === 1 ? 'front' : 'back' }, 'ada');
        const plain = await sql<{
          n: number;
        }>`select count(*)::int as n from launch b, launch a where a.id = ${id} and b.queue_id = a.queue_id
          and b.state = 'queued' and not b.held and (b.priority, b.rank, b.id) <= (a.priority, a.rank, a.id)`.execute(
          database.db,
        );
        expect(await positionOf(database.db, id)).toBe(plain.rows[0]?.n);
      }
      if (round === 1) await foldCounters(database.db);
    }
    const held = Math.floor(20_000 / 17);
    expect(await countsOfLine(database.db, queue)).toEqual({ waiting: 20_000 - held, held });
  });
});
