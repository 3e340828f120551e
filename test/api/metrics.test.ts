import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failure } from '../../domain/errors.js';
import type { AttemptEnd } from '../../domain/outcome.js';
import { recordEnd } from '../../store/attempts.js';
import { foldEnds } from '../../store/launch-ends.js';
import { readMetrics } from '../../store/metrics.js';
import { parseExposition, valueOf, type Family } from '../support/prometheus.js';
import { until } from '../support/until.js';
import { makeLaunchable, startTestApi, type TestApi } from './support/api.js';

const token = 'scrape-me-0123456789abcdef';
let api: TestApi;
let agent: { agentId: string; incarnation: string; queueId: number };
let heart: NodeJS.Timeout;
let beat: Promise<unknown> | undefined;
beforeAll(async () => {
  api = await startTestApi({}, { metricsToken: token });
  await makeLaunchable(api);
  agent = await hello('worker');
  const { agentId, incarnation } = agent;
  const body = { incarnation, status: 'active', queues: ['*'] };
  heart = setInterval(() => {
    beat = api.call('POST', `/agents/${agentId}/heartbeat`, { key: api.keys.labAgent, body }).catch(() => undefined);
  }, 2_000);
});
afterAll(async () => {
  clearInterval(heart);
  await beat;
  await api.close();
});

const scrape = (bearer: string | null, at = api) =>
  fetch(`${at.url}/metrics`, bearer === null ? {} : { headers: { Authorization: `Bearer ${bearer}` } });
async function read(at = api): Promise<Map<string, Family>> {
  const answer = await scrape(token, at);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  return parseExposition(await answer.text());
}
/** What is global is kept for a moment, and ends are counted when no older transaction is open: what was just done may be missing. */
const untilRead = async (expected: Record<string, Record<string, string | number>>) => {
  let last: unknown;
  await until(
    async () => {
      const page = await read();
      last = Object.fromEntries(
        Object.entries(expected).map(([name, { is: _is, ...labels }]) => [name, valueOf(page, name, labels as never)]),
      );
      return Object.entries(expected).every(([name, { is, ...labels }]) => valueOf(page, name, labels as never) === is);
    },
    { what: () => `${JSON.stringify(expected)}, last ${JSON.stringify(last)}`, everyMs: 200 },
  );
};

const queue = { entity: 'lab', queue: 'q' };
const enqueue = async (over: Record<string, unknown> = {}): Promise<string> => {
  const answer = await api.call('POST', '/launches', { body: { queue: 'lab/q', job: 'lab/demo/train', ...over } });
  expect(answer.status, answer.text).toBe(201);
  return answer.body.id as string;
};
async function hello(name: string, maxJobs = 3) {
  const incarnation = randomBytes(8).toString('hex');
  const answer = await api.call('POST', '/agents/hello', {
    key: api.keys.labAgent,
    body: {
      entity: 'lab',
      name,
      incarnation,
      host: 'h',
      pid: 1,
      version: '1',
      maxJobs,
      targets: { process: { place: 'here', ok: true, details: [] } },
      queues: ['*'],
    },
  });
  expect(answer.status, answer.text).toBe(200);
  const queueId = answer.body.queues.find((one: { queue: string }) => one.queue === 'q').queueId as number;
  return { agentId: answer.body.agentId as string, incarnation, queueId };
}
const asAgent = async (path: string, body: unknown) => {
  const answer = await api.call('POST', `/agents/${agent.agentId}${path}`, { key: api.keys.labAgent, body });
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
};
const claim = () =>
  asAgent('/claim', {
    incarnation: agent.incarnation,
    queueId: agent.queueId,
    ticket: randomBytes(8).toString('hex'),
    ticketAttempt: 1,
  }) as Promise<{ outcome: string; launchId: string; claim: string }>;
const end = (launchId: string, claimId: string, how: AttemptEnd) => recordEnd(api.db, launchId, claimId, how);

describe('who may read metrics', () => {
  test('the metrics token and the key of a site admin open them, and nothing else does', async () => {
    expect((await scrape(token)).status).toBe(200);
    expect((await scrape(api.keys.root)).status).toBe(200);
    for (const stranger of [null, 'x', `${token}x`, token.slice(1), '']) {
      const answer = await scrape(stranger);
      expect(answer.status, String(stranger)).toBe(401);
      expect(answer.headers.get('www-authenticate')).toContain('Bearer');
      expect(await answer.text()).not.toContain('davit_queue');
    }
    // They may see some entities; the page shows all.
    for (const key of [api.keys.ada, api.keys.vic, api.keys.labAgent]) expect((await scrape(key)).status).toBe(403);
  });

  test('the metrics token opens nothing else', async () => {
    expect((await api.call('GET', '/viewer', { key: token })).status).toBe(401);
    expect((await api.call('POST', '/launches', { key: token, body: {} })).status).toBe(401);
  });
});

test('the page is what Prometheus reads, and says of each series of ours whether it is one process or all', async () => {
  const page = await read();
  for (const { name, help } of page.values())
    if (name.startsWith('davit_')) expect(help, name).toMatch(/^(Global|Per process)\. /);
  expect(valueOf(page, 'davit_build_info', { part: 'server', version: '0.0.0-test' })).toBe(1);
  expect(valueOf(page, 'davit_store_up')).toBe(1);
  expect(valueOf(page, 'process_start_time_seconds')).toBeGreaterThan(0);
});

test('a launch is counted in each place that it comes to, and its end once', async () => {
  await untilRead({ davit_queue_waiting: { ...queue, is: 0 }, davit_queue_free_slots: { ...queue, is: 3 } });
  expect(valueOf(await read(), 'davit_queue_oldest_seconds', queue)).toBeUndefined();

  const ids = [await enqueue(), await enqueue(), await enqueue()];
  await untilRead({ davit_queue_waiting: { ...queue, is: 3 }, davit_queue_agents: { ...queue, is: 1 } });
  expect(valueOf(await read(), 'davit_queue_oldest_seconds', queue)).toBeGreaterThanOrEqual(0);

  const claims = [await claim(), await claim()];
  expect(claims.map((one) => one.launchId)).toEqual(ids.slice(0, 2));
  await asAgent(`/launches/${ids[0]}/confirm`, { claim: claims[0]?.claim, incarnation: agent.incarnation });
  await untilRead({
    davit_queue_waiting: { ...queue, is: 1 },
    davit_queue_free_slots: { ...queue, is: 1 },
    davit_agent_slots: { entity: 'lab', agent: 'worker', is: 3 },
    davit_agent_slots_used: { entity: 'lab', agent: 'worker', is: 2 },
    davit_claims_total: { outcome: 'granted', is: 2 },
    davit_claim_latency_seconds_count: { ...queue, is: 2 },
    davit_claim_queued_seconds_count: { ...queue, is: 2 },
  });
  await untilRead({ davit_launches: { ...queue, state: 'preparing', is: 1 } });
  await untilRead({ davit_launches: { ...queue, state: 'claimed', is: 1 } });

  await end(ids[0] ?? '', claims[0]?.claim ?? '', { kind: 'failed', failure: failure('prepare-failed', 'prepare') });
  await asAgent(`/launches/${ids[1]}/give-back`, { claim: claims[1]?.claim, reason: 'no room' });
  await untilRead({
    davit_queue_waiting: { ...queue, is: 2 },
    davit_agent_slots_used: { entity: 'lab', agent: 'worker', is: 0 },
    davit_launches_ended_total: { ...queue, state: 'failed', is: 1 },
    davit_launch_failures_total: { ...queue, code: 'prepare-failed', stage: 'prepare', is: 1 },
  });

  for (const id of ids.slice(1)) await api.call('POST', `/launches/${id}/cancel`);
  // A cancel that is repeated, and an end that is recorded again, change nothing.
  for (const id of ids) await api.call('POST', `/launches/${id}/cancel`);
  await end(ids[0] ?? '', claims[0]?.claim ?? '', { kind: 'failed', failure: failure('prepare-failed', 'prepare') });
  await untilRead({
    davit_queue_waiting: { ...queue, is: 0 },
    davit_launches_ended_total: { ...queue, state: 'stopped', is: 2 },
  });
  const page = await read();
  expect(valueOf(page, 'davit_launches_ended_total', { ...queue, state: 'failed' })).toBe(1);
  // A cancel is no failure.
  expect(page.get('davit_launch_failures_total')?.samples).toHaveLength(1);
});

test('a paused queue has nobody who could be taken', async () => {
  const id = await enqueue();
  await untilRead({ davit_queue_waiting: { ...queue, is: 1 } });
  expect(valueOf(await read(), 'davit_queue_oldest_seconds', queue)).toBeDefined();
  await sql`update queue set paused = true where id = ${agent.queueId}`.execute(api.db);
  await untilRead({ davit_queue_paused: { ...queue, is: 1 } });
  expect(valueOf(await read(), 'davit_queue_oldest_seconds', queue)).toBeUndefined();
  await sql`update queue set paused = false where id = ${agent.queueId}`.execute(api.db);
  await api.call('POST', `/launches/${id}/cancel`);
});

test('an agent that is silent is lost, and its slots are nobody’s', async () => {
  const other = await hello('silent', 5);
  await untilRead({ davit_queue_free_slots: { ...queue, is: 8 } });
  await sql`update agent set heartbeat_at = clock_timestamp() - interval '1 hour' where id = ${other.agentId}`.execute(
    api.db,
  );
  await untilRead({
    davit_agents: { entity: 'lab', condition: 'lost', is: 1 },
    davit_queue_free_slots: { ...queue, is: 3 },
  });
  expect(valueOf(await read(), 'davit_agent_slots', { entity: 'lab', agent: 'silent' })).toBeUndefined();
});

test('every end is counted once, however many processes count and whatever transactions are open', async () => {
  const total = async () => {
    const { ends } = await readMetrics(api.db, 12_000);
    return ends.filter((one) => one.queue === 'q' && one.state === 'stopped').reduce((sum, one) => sum + one.n, 0);
  };
  await until(
    async () => (await api.db.selectFrom('launch').select('id').where('state', '=', 'queued').execute()).length === 0,
  );
  const before = await until(async () => {
    const ended = await api.db.selectFrom('launch').select('id').where('state', '=', 'stopped').execute();
    const n = await total();
    return n === ended.length && n;
  });
  const ids: string[] = [];
  for (let i = 0; i < 30; i++) ids.push(await enqueue());

  // One that began before the others and commits after them: who reads on in the order of arrival would miss it.
  const [late = '', ...others] = ids;
  let commit: () => void = () => undefined;
  const open = new Promise<void>((resolve) => (commit = resolve));
  const begun = new Promise<void>((resolve, reject) => {
    api.db
      .transaction()
      .execute(async (tx) => {
        await sql`update launch set state = 'stopped', ended_at = clock_timestamp() where id = ${late}`.execute(tx);
        resolve();
        await open;
      })
      .catch(reject);
  });
  await begun;
  await Promise.all(
    others.map(async (id) => {
      await sql`update launch set state = 'stopped', ended_at = clock_timestamp() where id = ${id}`.execute(api.db);
      await foldEnds(api.db);
    }),
  );
  expect(await total()).toBeLessThan(before + ids.length);
  commit();
  await until(async () => {
    await Promise.all([foldEnds(api.db), foldEnds(api.db), foldEnds(api.db)]);
    return (await total()) >= before + ids.length;
  });
  expect(await total()).toBe(before + ids.length);
});

test('requests are counted by route: no id of a client becomes a label', async () => {
  for (let i = 0; i < 20; i++) {
    await api.call('GET', `/launches/${randomBytes(10).toString('hex')}`);
    await fetch(`${api.url}/${randomBytes(10).toString('hex')}`);
    await fetch(`${api.url}/files/lab/demo/${randomBytes(5).toString('hex')}/file_stream`);
  }
  await fetch(`${api.url}/api/v1/launches`, { method: 'PROPFIND' }).catch(() => undefined);
  const page = await read();
  const routes = new Set(
    page.get('davit_api_request_duration_seconds')?.samples.map((sample) => sample.labels['route']),
  );
  expect(routes).toContain('/api/v1/launches/:id');
  expect(routes.size).toBeLessThan(40);
  expect([...routes].filter((route) => /[0-9a-f]{10}/.test(route ?? ''))).toEqual([]);
});

test('without the database the page has what the process knows itself, and says what is missing', async () => {
  const lonely = await startTestApi({}, { metricsToken: token });
  expect(valueOf(await read(lonely), 'davit_store_up')).toBe(1);
  await lonely.db.destroy();
  const page = await until(async () => {
    const now = await read(lonely);
    return valueOf(now, 'davit_store_up') === 0 && now;
  });
  expect(page.has('davit_queue_waiting')).toBe(false);
  expect(page.has('davit_api_request_duration_seconds')).toBe(true);
  await lonely.close().catch(() => undefined);
});
