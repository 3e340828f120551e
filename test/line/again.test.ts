import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sentenceOf } from '../../domain/event-sentence.js';
import { failure } from '../../domain/errors.js';
import type { JobStatus } from '../../domain/job-plan.js';
import type { AttemptEnd } from '../../domain/outcome.js';
import { giveBackAfterLoss, recordEnd, recordProgress } from '../../store/attempts.js';
import { issueKey } from '../../store/keys.js';
import { listEvents } from '../../store/launch-events.js';
import { cancel, claim, confirm, positionOf } from '../../store/line.js';
import { dueForRelease, expired, release } from '../../store/line-operations.js';
import { overdueLaunches, timeOut } from '../../store/time-outs.js';
import { lineFixture, type LineFixture } from '../support/line-fixture.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';

let database: TestDatabase;
let line: LineFixture;
let tickets = 0;
beforeAll(async () => {
  database = await createTestDatabase({ maxConnections: 30 });
  line = await lineFixture(database.db);
});
afterAll(() => database.close());

const row = (id: string) => database.db.selectFrom('launch').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
const storyOf = async (id: string) => (await listEvents(database.db, id)).map((event) => event.type);

/** Takes the first of the line and goes as far as it is told. */
async function take(queueId: number, to: 'claimed' | 'preparing' | 'submitting' | 'running', agent = 'a') {
  const { id: agentId, incarnation } = await line.agent(agent);
  const { db } = database;
  const answer = await claim(db, {
    queueId,
    ticket: `t/${++tickets}`,
    ticketAttempt: 1,
    agentId,
    incarnation,
    privateQueue: `agent.${agentId}.${incarnation}`,
    place: 'here',
  });
  if (answer.outcome !== 'granted') throw new Error(`not granted: ${answer.outcome}`);
  const { launchId: id, claim: by } = answer;
  if (to !== 'claimed') await confirm(db, id, by, incarnation);
  let n = 0;
  for (const state of ['submitting', 'running'] as const)
    if (to === 'running' || to === state) await recordProgress(db, { launchId: id, claim: by, n: ++n, state });
  return { id, claim: by };
}

const ended = (over: Partial<JobStatus>): AttemptEnd => ({
  kind: 'ended',
  status: { name: 'n', launchId: 'x', attempt: 1, agentId: 'a', state: 'ended', ...over },
});
const preempted = ended({ preempted: true, exitCode: 143 });
/** As if this much time had gone by for the launch. */
const passed = (id: string, seconds: number) =>
  sql`update launch set deadline_at = deadline_at - make_interval(secs => ${seconds}), release_at = release_at - make_interval(secs => ${seconds}),
    expires_at = expires_at - make_interval(secs => ${seconds}) where id = ${id}`.execute(database.db);
async function timedOut(id: string) {
  const overdue = (await overdueLaunches(database.db, 1_000)).find((each) => each.id === id);
  return overdue && timeOut(database.db, overdue);
}

test('what a target notes of an end stays with the launch and stands in its story', async () => {
  const queue = await line.queue('noted');
  await line.enqueue('noted');
  const { id, claim: by } = await take(queue, 'running');
  const end = await recordEnd(database.db, id, by, ended({ exitCode: 3, note: 'Its log may be cut.' }));
  expect(end).toMatchObject({ recorded: true, state: 'failed' });
  expect(await row(id)).toMatchObject({ reason: 'Its log may be cut.' });
  const last = (await listEvents(database.db, id)).at(-1);
  expect(sentenceOf(last?.type ?? '', last?.data ?? {})).toBe(
    'Failed with exit code 3: The job ended with exit code 3. Its log may be cut.',
  );
});

describe('an end that leads to a retry', () => {
  test('is written once, however often and by however many at once; what comes late under the old claim changes nothing', async () => {
    const queue = await line.queue('once');
    await line.enqueue('once');
    const before = await take(queue, 'running');
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => recordEnd(database.db, before.id, before.claim, preempted)),
    );
    expect(answers.filter((answer) => 'again' in answer)).toHaveLength(1);
    expect(answers.every((answer) => !answer.recorded)).toBe(true);
    const waiting = await row(before.id);
    expect(waiting).toMatchObject({ state: 'queued', attempt: 2, claim: null, retries: { preempted: 1 }, held: false });

    const now = await take(queue, 'running');
    expect(await recordEnd(database.db, before.id, before.claim, preempted)).toEqual({ recorded: false });
    expect(
      await recordProgress(database.db, { launchId: before.id, claim: before.claim, n: 99, state: 'running' }),
    ).toBe(false);
    expect(await row(now.id)).toMatchObject({ state: 'running', attempt: 2, retries: { preempted: 1 } });
    expect((await storyOf(now.id)).filter((type) => type === 'retry')).toHaveLength(1);
  });

  test('keeps the place in line, revokes the keys, and ends the run as it ended', async () => {
    const queue = await line.queue('place');
    const { db } = database;
    const first = await line.enqueue('place');
    const second = await line.enqueue('place');
    const taken = await take(queue, 'running');
    expect(taken.id).toBe(first);
    await issueKey(db, { kind: 'run', entityId: line.entityId, launchId: first });
    const { project_id, run_name } = await row(first);
    await db
      .insertInto('run')
      .values({ project_id, name: run_name, display_name: 'r', launch_id: first, state: 'running' })
      .execute();
    await recordEnd(db, first, taken.claim, preempted);

    expect([await positionOf(db, first), await positionOf(db, second)]).toEqual([1, 2]);
    const keys = await db.selectFrom('api_key').select('revoked_at').where('launch_id', '=', first).execute();
    expect(keys).toEqual([{ revoked_at: expect.any(Date) as Date }]);
    const runs = await db.selectFrom('run').select(['name', 'state']).where('launch_id', '=', first).execute();
    expect(runs).toEqual([{ name: run_name, state: 'preempted' }]);
    expect((await take(queue, 'claimed')).id).toBe(first);

    // The run of the attempt before still says so; a job that dies before it has said anything was not preempted for that.
    const again = await row(first);
    await confirm(db, first, again.claim ?? '', again.incarnation ?? '');
    const end = await recordEnd(db, first, again.claim ?? '', ended({ exitCode: 1 }));
    expect(end).toMatchObject({ recorded: true, failure: 'job-failed' });
  });

  test('waits as long as its policy says, and its time-to-live begins anew behind that', async () => {
    const queue = await line.queue('pause');
    const { db } = database;
    const retry = { causes: { exit: { attempts: 2 } }, backoff: { initialMs: 30_000 } };
    const id = await line.enqueue('pause', { retry, ttlMs: 10_000 });
    const taken = await take(queue, 'running');
    await passed(id, 3_600);
    await recordEnd(db, id, taken.claim, ended({ exitCode: 1 }));
    expect(await row(id)).toMatchObject({ held: true, hold: 'back-off', held_by: 'davit', attempt: 2 });
    const due = async () => (await dueForRelease(db, 1_000)).some((each) => each.id === id);
    const over = async () => (await expired(db, 1_000)).some((each) => each.id === id);
    expect([await due(), await over()]).toEqual([false, false]);
    await passed(id, 31);
    expect([await due(), await over()]).toEqual([true, false]);
    await release(db, id, 'davit');
    expect(await positionOf(db, id)).toBe(1);
    await passed(id, 10);
    expect(await over()).toBe(true);
  });

  test('is none when somebody cancelled, when the agent is not sure of the name, or when the limit is reached', async () => {
    const queue = await line.queue('none');
    const { db } = database;
    await line.enqueue('none');
    const asked = await take(queue, 'running');
    await cancel(db, asked.id, 'ada', failure('cancelled', 'run'));
    expect(await recordEnd(db, asked.id, asked.claim, preempted)).toMatchObject({ recorded: true, state: 'stopped' });

    const retry = { causes: { submit: { attempts: 1 } }, backoff: { initialMs: 0 } };
    await line.enqueue('none', { retry });
    const unsure = await take(queue, 'submitting');
    const end: AttemptEnd = { kind: 'failed', failure: failure('submit-failed', 'submit') };
    expect(await recordEnd(db, unsure.id, unsure.claim, end)).toMatchObject({ recorded: true, state: 'failed' });

    const id = await line.enqueue('none', { retry });
    const once = await take(queue, 'submitting');
    expect(await recordEnd(db, id, once.claim, { ...end, name: 'closed' })).toEqual({ recorded: false, again: true });
    const twice = await take(queue, 'submitting');
    expect(await recordEnd(db, id, twice.claim, { ...end, name: 'closed' })).toMatchObject({
      recorded: true,
      failure: 'submit-failed',
    });
    expect(await row(id)).toMatchObject({ attempt: 2, retries: { submit: 1 } });
  });
});

describe('a launch under which agents are lost', () => {
  const lose = async (queue: number, agent: string, over: { blameless?: boolean } = {}) => {
    const taken = await take(queue, 'preparing', agent);
    const loss = { launchId: taken.id, claim: taken.claim, agentLost: true, nextAttempt: false };
    const answer = await giveBackAfterLoss(database.db, { ...loss, ...over, reason: `agent ${agent} was lost` });
    expect(answer).toBe('returned');
    // Its answer was lost: asked again.
    expect(await giveBackAfterLoss(database.db, { ...loss, ...over, reason: 'again' })).toBe('returned');
  };

  test('is parked behind the third one, in its place, with the evidence; released, it may cost three more', async () => {
    const queue = await line.queue('poison');
    const id = await line.enqueue('poison');
    const behind = await line.enqueue('poison');
    for (const agent of ['p1', 'p2', 'p1']) await lose(queue, agent);
    expect((await row(id)).held).toBe(false);
    await lose(queue, 'p3');
    const parked = await row(id);
    expect(parked).toMatchObject({ state: 'queued', hold: 'parked', held_by: 'davit', lost_agents: 4 });
    expect(parked.hold_reason).toMatch(
      /^3 different agents were lost while they held it: p1 at .*\(agent p1 was lost\), p2 at .*, p1 at .*, p3 at .*\. Look/,
    );
    expect(parked.losses.map((loss) => loss.agent)).toEqual(['p1', 'p2', 'p1', 'p3']);
    expect(await positionOf(database.db, behind)).toBe(1);

    await release(database.db, id, 'ada');
    expect(await positionOf(database.db, id)).toBe(1);
    for (const agent of ['p1', 'p2']) await lose(queue, agent);
    expect((await row(id)).held).toBe(false);
    await lose(queue, 'p3');
    expect(await row(id)).toMatchObject({ hold: 'parked', lost_agents: 3 });
    // Only what it cost since then.
    expect((await row(id)).hold_reason?.match(/was lost\)/g)).toHaveLength(3);
    expect((await row(id)).losses).toHaveLength(7);
    expect(await cancel(database.db, id, 'ada', failure('cancelled', 'run'))).toBe('stopped');
  });

  test('is parked where there are few agents, too, and never for agents that left in order or did not begin', async () => {
    const queue = await line.queue('few');
    const id = await line.enqueue('few');
    for (let n = 0; n < 10; n++) await lose(queue, `f${n}`, { blameless: true });
    expect(await row(id)).toMatchObject({ held: false, lost_agents: 0 });
    for (let n = 0; n < 5; n++) await lose(queue, 'only');
    expect(await row(id)).toMatchObject({ hold: 'parked' });
    expect((await row(id)).hold_reason).toContain('Agents were lost 5 times');
  });

  test('is parked when its job is lost with three machines, although its policy has retries left', async () => {
    const queue = await line.queue('machines');
    const id = await line.enqueue('machines', {
      retry: { causes: { 'agent-lost': { attempts: 9 } }, backoff: { initialMs: 0 } },
    });
    for (const agent of ['m1', 'm2', 'm3']) {
      const taken = await take(queue, 'running', agent);
      expect(await recordEnd(database.db, id, taken.claim, ended({ lost: true }))).toMatchObject({ again: true });
    }
    expect(await row(id)).toMatchObject({ hold: 'parked', attempt: 4, retries: { 'agent-lost': 3 } });
    expect((await storyOf(id)).slice(-3)).toEqual(['retry', 'returned', 'held']);
  });

  test('ends when it was being stopped: as a cancel for a person, as failed for a time-out', async () => {
    const queue = await line.queue('stopped-and-lost');
    const { db } = database;
    await line.enqueue('stopped-and-lost');
    const first = await take(queue, 'preparing');
    await cancel(db, first.id, 'ada', failure('cancelled', 'run'));
    const loss = { agentLost: true, nextAttempt: false, reason: 'gone' };
    expect(await giveBackAfterLoss(db, { launchId: first.id, claim: first.claim, ...loss })).toBe('ended');
    expect(await row(first.id)).toMatchObject({ state: 'stopped' });

    await line.enqueue('stopped-and-lost', { timeouts: { prepareMs: 1_000 } });
    const second = await take(queue, 'preparing');
    await passed(second.id, 2);
    expect(await timedOut(second.id)).toBe('stopping');
    expect(await giveBackAfterLoss(db, { launchId: second.id, claim: second.claim, ...loss })).toBe('ended');
    expect(await row(second.id)).toMatchObject({ state: 'failed', failure: { code: 'prepare-timeout' } });
  });
});

describe('time-outs', () => {
  test('the next one is always the nearest, from the claim, the hand-over, the start, the acceptance', async () => {
    const queue = await line.queue('nearest');
    const { db } = database;
    const id = await line.enqueue('nearest', {
      timeouts: { prepareMs: 100_000, startMs: 200_000, runMs: 9_000_000, totalMs: 6_000_000 },
    });
    const next = async () => {
      const { deadline, deadline_at } = await row(id);
      const seconds = deadline_at ? Math.round((deadline_at.getTime() - Date.now()) / 100_000) * 100 : null;
      return [deadline, seconds];
    };
    expect(await next()).toEqual(['total-timeout', 6_000]);
    const taken = await take(queue, 'preparing', 'timely');
    expect(await next()).toEqual(['prepare-timeout', 100]);
    const report = { launchId: id, claim: taken.claim };
    await recordProgress(db, { ...report, n: 1, state: 'submitting' });
    expect(await next()).toEqual(['start-timeout', 200]);
    const handedOver = (await row(id)).deadline_at;
    await recordProgress(db, { ...report, n: 2, state: 'starting' });
    expect((await row(id)).deadline_at).toEqual(handedOver);
    await recordProgress(db, { ...report, n: 3, state: 'running' });
    expect(await next()).toEqual(['total-timeout', 6_000]);
    await recordEnd(db, id, taken.claim, preempted);
    expect(await next()).toEqual(['total-timeout', 6_000]);
    expect(await timedOut(id)).toBeUndefined();
    await passed(id, 6_001);
    expect(await Promise.all([timedOut(id), timedOut(id), timedOut(id)])).toContain('failed');
    expect(await row(id)).toMatchObject({ state: 'failed', failure: { code: 'total-timeout' }, deadline: null });
    expect((await storyOf(id)).filter((type) => type === 'failed')).toHaveLength(1);
  });

  test('a start that took too long may be tried again', async () => {
    const queue = await line.queue('start');
    const { db } = database;
    const retry = { causes: { 'start-timeout': { attempts: 1 } }, backoff: { initialMs: 0 } };
    const id = await line.enqueue('start', { retry, timeouts: { startMs: 5_000 } });
    const first = await take(queue, 'submitting', 'timely');
    await passed(id, 6);
    expect(await timedOut(id)).toBe('stopping');
    expect(await row(id)).toMatchObject({ cancelled_by: 'davit', stop_cause: 'start-timeout' });
    expect(await recordEnd(db, id, first.claim, { kind: 'stopped' })).toEqual({ recorded: false, again: true });
    expect(await row(id)).toMatchObject({
      state: 'queued',
      attempt: 2,
      retries: { 'start-timeout': 1 },
      cancel_requested_at: null,
      cancelled_by: null,
      stop_cause: null,
      failure: null,
    });
    const second = await take(queue, 'submitting', 'timely');
    await passed(id, 6);
    await timedOut(id);
    const end = await recordEnd(db, id, second.claim, ended({ killed: true, exitCode: 143 }));
    expect(end).toMatchObject({ recorded: true, state: 'failed', failure: 'start-timeout' });
  });

  test('a stop asked by a time-out that became a cancel stays one, and the other way round', async () => {
    const queue = await line.queue('both');
    const { db } = database;
    for (const personFirst of [false, true]) {
      const id = await line.enqueue('both', { timeouts: { runMs: 1_000 } });
      const taken = await take(queue, 'running', 'timely');
      await passed(id, 2);
      if (personFirst) await cancel(db, id, 'ada', failure('cancelled', 'run'));
      expect(await timedOut(id)).toBe(personFirst ? undefined : 'stopping');
      expect(await cancel(db, id, 'ada', failure('cancelled', 'run'))).toBe('stopping');
      const end = await recordEnd(db, id, taken.claim, ended({ killed: true, exitCode: 143 }));
      expect(end).toMatchObject({ recorded: true, state: 'stopped', failure: 'cancelled' });
      expect(await row(id)).toMatchObject({ cancelled_by: 'ada' });
    }
  });
});
