import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hold, move } from '../../store/line-operations.js';
import { firstInLine, heldInLine, summariesOfLines, underWay } from '../../store/line-view.js';
import { claim, positionOf } from '../../store/line.js';
import { lineFixture, type LineFixture } from '../support/line-fixture.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';

/** What an operator watches is what the line does. */

let database: TestDatabase;
let line: LineFixture;
let agent: { id: string; incarnation: string };
let tickets = 0;
beforeAll(async () => {
  database = await createTestDatabase({ maxConnections: 10 });
  line = await lineFixture(database.db);
  agent = await line.agent('a');
});
afterAll(() => database.close());

const take = (queueId: number) =>
  claim(database.db, {
    queueId,
    ticket: `t/${++tickets}`,
    ticketAttempt: 1,
    agentId: agent.id,
    incarnation: agent.incarnation,
    privateQueue: `agent.${agent.id}.${agent.incarnation}`,
    place: 'here',
  });
const summaryOf = async (queue: string) => {
  const [summary] = await summariesOfLines(database.db, { entityIds: [line.entityId], queue });
  if (summary === undefined) throw new Error(`there is no summary of ${queue}`);
  return summary;
};

describe.each(['fifo', 'fair'] as const)('a line that is %s', (discipline) => {
  test('is shown in the order of its positions, whatever the limit, with what is held and what runs beside it', async () => {
    const name = `view-${discipline}`;
    const queue = await line.queue(name);
    await database.db.updateTable('queue').set({ discipline }).where('id', '=', queue).execute();
    const ids: string[] = [];
    for (let i = 0; i < 12; i++) {
      const over = { project: ['demo', 'second', 'third'][i % 3 === 0 ? 0 : i % 4 === 0 ? 1 : 2] ?? 'demo' };
      ids.push(await line.enqueue(name, { ...over, priority: i % 5 === 0 ? 'high' : 'medium' }));
    }
    const [held = ''] = ids.slice(7);
    await hold(database.db, held, { by: 'ada', cause: 'user', reason: 'later' });
    await take(queue);
    await take(queue);
    const waiting = ids.filter((id) => id !== held);
    await move(database.db, ids[11] ?? '', { to: 'front' }, 'ada');

    const next = await firstInLine(database.db, { id: queue, discipline }, 100);
    expect(next).toHaveLength(9);
    for (const { id, position } of next) expect(position).toBe(await positionOf(database.db, id));
    expect(next.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const few = await firstInLine(database.db, { id: queue, discipline }, 4);
    expect(few.map(({ id }) => id)).toEqual(next.slice(0, 4).map(({ id }) => id));

    expect(await heldInLine(database.db, queue, 10)).toMatchObject([{ id: held, hold: 'user', holdReason: 'later' }]);
    const running = await underWay(database.db, queue, 10);
    expect(running).toMatchObject([{ agent: 'a', state: 'claimed' }, { agent: 'a' }]);
    expect(new Set([...running, ...next].map(({ id }) => id))).toEqual(new Set(waiting));
    expect(await summaryOf(name)).toMatchObject({ discipline, waiting: 9, held: 1, running: 2 });
  });
});

test('a summary has the longest wait, the slots of the agents that may take something, and the rate of ends', async () => {
  const queue = await line.queue('figures');
  const id = await line.enqueue('figures');
  await line.enqueue('figures', { priority: 'high' });
  await sql`update launch set queued_at = now() - interval '10 min' where id = ${id}`.execute(database.db);
  expect(await summaryOf('figures')).toMatchObject({ agents: 0, slots: 0, endedPerMinute: 0 });
  await database.db.insertInto('agent_queue').values({ agent_id: agent.id, queue_id: queue }).execute();
  await sql`update agent set heartbeat_at = now(), status = 'active' where id = ${agent.id}`.execute(database.db);
  const { oldestQueuedAt, ...summary } = await summaryOf('figures');
  expect(summary).toMatchObject({ agents: 1, slots: 4 });
  expect(Date.now() - (oldestQueuedAt?.getTime() ?? 0)).toBeGreaterThan(9 * 60_000);
  await sql`update launch set state = 'stopped', ended_at = now() where id = ${id}`.execute(database.db);
  expect((await summaryOf('figures')).endedPerMinute).toBeCloseTo(0.2);
  await sql`update agent set quarantined_at = now() where id = ${agent.id}`.execute(database.db);
  expect(await summaryOf('figures')).toMatchObject({ agents: 0, slots: 0 });
  await database.db.updateTable('queue').set({ deleted_at: new Date() }).where('id', '=', queue).execute();
  expect(await summariesOfLines(database.db, { entityIds: 'all', queue: 'figures' })).toEqual([]);
});
