import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { failure, LaunchError, type ErrorCode, type Stage } from '../../domain/errors.js';
import type { AttemptEnd } from '../../domain/outcome.js';
import { recordEnd, recordProgress } from '../../store/attempts.js';
import { claim, confirm, giveBack, type ClaimAnswer } from '../../store/line.js';
import { Engine } from '../support/engine.js';
import { gatedTargets } from '../support/gated-target.js';
import { lineFixture, type LineFixture } from '../support/line-fixture.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { until } from '../support/until.js';

const failed = (code: ErrorCode, stage: Stage) => ({
  kind: 'failed' as const,
  failure: failure(code, stage, `${code} happened`),
});
const broken = failed('submit-failed', 'submit');
const ownFault = failed('requirements-failed', 'prepare');

describe('the count of failures', () => {
  let database: TestDatabase;
  let line: LineFixture;
  let queue: number;
  let agent: { id: string; incarnation: string };
  let n = 0;
  beforeAll(async () => {
    database = await createTestDatabase({ maxConnections: 20 });
    line = await lineFixture(database.db);
    queue = await line.queue('q');
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    agent = await line.agent(`n${++n}`);
    await sql`delete from launch`.execute(database.db);
  });

  const take = (): Promise<ClaimAnswer> =>
    claim(database.db, {
      queueId: queue,
      ticket: `t/${++n}`,
      ticketAttempt: 1,
      agentId: agent.id,
      incarnation: agent.incarnation,
      privateQueue: 'private',
      place: 'here',
    });
  async function begin(): Promise<{ launchId: string; claim: string }> {
    await line.enqueue('q');
    const answer = await take();
    if (answer.outcome !== 'granted') throw new Error(`not granted but ${answer.outcome}`);
    await confirm(database.db, answer.launchId, answer.claim, agent.incarnation);
    return answer;
  }
  async function fail(end: AttemptEnd): Promise<string> {
    const taken = await begin();
    await recordEnd(database.db, taken.launchId, taken.claim, end);
    return taken.launchId;
  }
  const running = (taken: { launchId: string; claim: string }) =>
    recordProgress(database.db, { ...taken, n: 1, state: 'running' });
  const row = () => database.db.selectFrom('agent').selectAll().where('id', '=', agent.id).executeTakeFirstOrThrow();
  const audited = async () =>
    (
      await database.db
        .selectFrom('audit')
        .select('action')
        .where('subject', 'like', `%/${agent.id.replace('agent-', '')}`)
        .orderBy('id')
        .execute()
    ).map(({ action }) => action);
  const probeIsDue = () =>
    sql`update agent set probe_after = clock_timestamp() where id = ${agent.id}`.execute(database.db);

  test('three different launches in a row quarantine their agent, with the evidence, and it takes nothing', async () => {
    const ids = [await fail(broken), await fail(broken)];
    expect((await row()).quarantined_at).toBeNull();
    ids.push(await fail(failed('prepare-failed', 'prepare')));
    const { quarantine, quarantined_at } = await row();
    expect(quarantined_at).not.toBeNull();
    expect(quarantine?.by).toBe('davit');
    expect(quarantine?.launches.map(({ launchId, code }) => [launchId, code])).toEqual([
      [ids[2], 'prepare-failed'],
      [ids[1], 'submit-failed'],
      [ids[0], 'submit-failed'],
    ]);
    await line.enqueue('q');
    expect((await take()).outcome).toBe('quarantined');
    expect(await audited()).toEqual(['agent.quarantine']);
  });

  test("failures that are the launches' own do not count, and neither do cancels", async () => {
    for (let i = 0; i < 5; i++) await fail(ownFault);
    for (let i = 0; i < 5; i++) await fail({ kind: 'stopped' });
    expect((await row()).quarantined_at).toBeNull();
    expect(
      await database.db.selectFrom('agent_trouble').selectAll().where('agent_id', '=', agent.id).execute(),
    ).toEqual([]);
  });

  test('one launch that fails again and again is one', async () => {
    const id = await line.enqueue('q', { retry: { causes: { submit: { attempts: 10 } } } });
    for (let i = 0; i < 5; i++) {
      await sql`update launch set held = false, hold = null, release_at = null where id = ${id} and state = 'queued'`.execute(
        database.db,
      );
      const answer = await take();
      if (answer.outcome !== 'granted') throw new Error(`not granted but ${answer.outcome}`);
      expect(answer.launchId).toBe(id);
      await confirm(database.db, id, answer.claim, agent.incarnation);
      await recordEnd(database.db, id, answer.claim, { ...broken, name: 'closed' });
    }
    expect((await row()).quarantined_at).toBeNull();
    // But what is tried again counts as much as what is not.
    await fail(broken);
    await fail(broken);
    expect((await row()).quarantined_at).not.toBeNull();
  });

  test('a job that runs, or has run, begins the count anew', async () => {
    await fail(broken);
    await fail(broken);
    await running(await begin());
    await fail(broken);
    await fail(broken);
    await fail({
      kind: 'ended',
      status: { name: 'j', launchId: 'l', attempt: 1, agentId: 'a', state: 'ended', exitCode: 1 },
    });
    await fail(broken);
    await fail(broken);
    expect((await row()).quarantined_at).toBeNull();
    await fail(broken);
    expect((await row()).quarantined_at).not.toBeNull();
  });

  test("the number is the agent's own: 0 is never", async () => {
    await sql`update agent set quarantine_after = 0 where id = ${agent.id}`.execute(database.db);
    for (let i = 0; i < 6; i++) await fail(broken);
    expect((await row()).quarantined_at).toBeNull();
    await sql`update agent set quarantine_after = 1 where id = ${agent.id}`.execute(database.db);
    await fail(broken);
    expect((await row()).quarantined_at).not.toBeNull();
  });

  test('it proves itself with one launch at a time; that one running releases it', async () => {
    for (let i = 0; i < 3; i++) await fail(broken);
    await probeIsDue();
    await line.enqueue('q');
    const probe = await begin();
    expect((await row()).probe_launch).toBe(probe.launchId);
    expect((await take()).outcome).toBe('quarantined');
    await running(probe);
    expect(await row()).toMatchObject({
      quarantined_at: null,
      quarantine: null,
      probe_after: null,
      probe_launch: null,
    });
    expect((await take()).outcome).toBe('granted');
    expect(await audited()).toEqual(['agent.quarantine', 'agent.release']);
  });

  test('a probe that fails doubles the time to the next; one that proves nothing does not', async () => {
    for (let i = 0; i < 3; i++) await fail(broken);
    expect((await row()).probe_ms).toBe(600_000);
    await probeIsDue();
    await fail(broken);
    const after = await row();
    expect(after).toMatchObject({ probe_ms: 1_200_000, probe_launch: null });
    expect(after.probe_after?.getTime()).toBeGreaterThan(Date.now() + 1_000_000);
    expect(after.quarantine?.launches).toHaveLength(4);
    await probeIsDue();
    await fail(ownFault);
    const { launchId, claim: claimId } = await begin();
    await giveBack(database.db, { launchId, claim: claimId, unconfirmedOnly: false, reason: 'test' });
    expect(await row()).toMatchObject({ probe_ms: 1_200_000, probe_launch: null });
    expect(await audited()).toEqual(['agent.quarantine', 'agent.probe-failed']);
  });

  test('failures that are recorded at the same moment are counted once each', async () => {
    const taken = [await begin(), await begin(), await begin(), await begin()];
    await Promise.all(taken.map((one) => recordEnd(database.db, one.launchId, one.claim, broken)));
    expect((await row()).quarantine?.launches).toHaveLength(4);
    expect(await audited()).toEqual(['agent.quarantine']);
  });
});

describe('a broken agent among sound ones', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.start();
    await engine.queue('q');
  });
  afterAll(() => engine.stop());

  const agent = async (name: string) =>
    (await engine.client.GET('/agents/{entity}/{agent}', { params: { path: { entity: 'ada', agent: name } } })).data;

  test('eats three launches of a line and no more; released when mended, it works', async () => {
    const job = await engine.script('noop', 'true');
    const target = gatedTargets({ open: true });
    target.breakSubmit = () => new LaunchError('submit-failed', 'submit', 'no such engine');
    await engine.startAgent({ name: 'broken', maxJobs: 1, targets: target.open });
    const ids: string[] = [];
    for (let i = 0; i < 8; i++) ids.push(await engine.enqueue('q', job));
    const seen = await until(async () => {
      const now = await agent('broken');
      return now?.quarantine ? now : undefined;
    });
    expect(seen.quarantine).toMatchObject({ by: 'davit', quarantineAfter: 3, probeLaunch: null });
    // What it had claimed before the third failure was written fails as well, and that is all.
    const states = () => Promise.all(ids.map(async (id) => (await engine.show(id)).state));
    const left = await until(async () => {
      const now = await states();
      return now.every((state) => state === 'failed' || state === 'queued') && now;
    });
    const failures = left.filter((state) => state === 'failed').length;
    expect(failures).toBeGreaterThanOrEqual(3);
    expect(failures).toBeLessThanOrEqual(5);
    expect((await agent('broken'))?.quarantine?.launches).toHaveLength(failures);

    await engine.startAgent({ name: 'sound', maxJobs: 1, targets: gatedTargets({ open: true }).open });
    for (const id of ids.slice(failures))
      expect(await engine.ended(id)).toMatchObject({ state: 'finished', agent: 'sound' });

    target.breakSubmit = undefined;
    await engine.agents[1]?.drain();
    const { data } = await engine.client.POST('/agents/{entity}/{agent}/release', {
      params: { path: { entity: 'ada', agent: 'broken' } },
    });
    expect(data?.quarantine).toBeNull();
    const id = await engine.enqueue('q', job);
    expect(await engine.ended(id)).toMatchObject({ state: 'finished', agent: 'broken' });
  });
});
