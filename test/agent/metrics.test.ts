import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkMetrics } from '../../cli/config/metrics.js';
import { listenForMetrics } from '../../telemetry/metrics-listener.js';
import { Engine } from '../support/engine.js';
import { freePort } from '../support/free-port.mjs';
import { parseExposition, valueOf, type Family } from '../support/prometheus.js';
import { until } from '../support/until.js';

let engine: Engine;
let port: number;
const token = 'scrape-me-0123456789abcdef';
beforeAll(async () => {
  engine = await Engine.start({ controlWorker: false });
  port = await freePort();
  await engine.queue('q');
  // First of all: Temporal's runtime, which serves the SDK's own series, is one for the process.
  await engine.startAgent({ name: 'one', maxJobs: 2, metrics: { host: '127.0.0.1', port, token } });
  await engine.startControl();
});
afterAll(() => engine.stop());

const read = async (url: string, bearer: string): Promise<Map<string, Family>> => {
  const answer = await fetch(url, { headers: { Authorization: `Bearer ${bearer}` } });
  expect(answer.status).toBe(200);
  return parseExposition(await answer.text());
};
const ofAgent = () => read(`http://127.0.0.1:${port}/metrics`, token);
const ofApi = () => read(`${engine.apiUrl}/metrics`, engine.userKey);
const q = { entity: 'ada', queue: 'q' };

test('the API’s page follows launches from enqueue to end, the agent’s page its slots', async () => {
  const go = join(engine.folder, 'go');
  const patient = await engine.script('patient', `until test -f ${go}; do sleep 0.1; done`);
  const ids = [
    await engine.enqueue('q', patient),
    await engine.enqueue('q', patient),
    await engine.enqueue('q', patient),
  ];
  await engine.untilState(ids[0] ?? '', ['running']);
  await engine.untilState(ids[1] ?? '', ['running']);
  await until(async () => {
    const page = await ofApi();
    return (
      valueOf(page, 'davit_launches', { ...q, state: 'running' }) === 2 &&
      valueOf(page, 'davit_queue_waiting', q) === 1 &&
      valueOf(page, 'davit_agent_slots_used', { entity: 'ada', agent: 'one' }) === 2 &&
      valueOf(page, 'davit_queue_free_slots', q) === 0 &&
      valueOf(page, 'davit_claim_latency_seconds_count', q) === 2
    );
  });
  await until(async () => valueOf(await ofAgent(), 'davit_agent_local_slots_used') === 2);
  expect(valueOf(await ofAgent(), 'davit_agent_local_slots')).toBe(2);

  writeFileSync(go, '');
  expect(existsSync(go)).toBe(true);
  for (const id of ids) await engine.ended(id);
  const fails = await engine.enqueue('q', await engine.script('fails', 'exit 3'));
  const failed = await engine.ended(fails);
  const page = await until(async () => {
    const now = await ofApi();
    return valueOf(now, 'davit_launches_ended_total', { ...q, state: 'failed' }) === 1 && now;
  });
  expect(valueOf(page, 'davit_launches_ended_total', { ...q, state: 'finished' })).toBe(3);
  expect(valueOf(page, 'davit_launch_failures_total', { ...q, code: failed.failure?.code ?? '' })).toBe(1);
  expect(valueOf(page, 'davit_sweep_failing', { sweep: 'outbox' })).toBe(0);
  await until(async () => {
    const now = await ofApi();
    return (
      valueOf(now, 'davit_launches', { ...q, state: 'running' }) === undefined && valueOf(now, 'davit_outbox_due') === 0
    );
  });
});

test('an agent shows what Temporal’s SDK knows of itself on the same page', async () => {
  const page = await ofAgent();
  expect([...page.keys()].filter((name) => name.startsWith('temporal_')).length).toBeGreaterThan(5);
  expect(valueOf(page, 'davit_build_info', { part: 'agent' })).toBe(1);
});

test('a page is for its token, and an address that others can reach needs one', async () => {
  const url = `http://127.0.0.1:${port}`;
  expect((await fetch(`${url}/metrics`)).status).toBe(401);
  expect((await fetch(`${url}/metrics`, { headers: { Authorization: `Bearer ${engine.userKey}` } })).status).toBe(401);
  expect((await fetch(`${url}/other`, { headers: { Authorization: `Bearer ${token}` } })).status).toBe(404);
  expect(
    (await fetch(`${url}/metrics`, { method: 'POST', headers: { Authorization: `Bearer ${token}` } })).status,
  ).toBe(405);

  const read = async () => '';
  await expect(listenForMetrics({ host: '0.0.0.0', port: 0, token: undefined, read })).rejects.toMatchObject({
    code: 'invalid-configuration',
  });
  await expect(listenForMetrics({ host: '127.0.0.1', port, token, read })).rejects.toMatchObject({
    code: 'port-in-use',
  });
  expect(() => checkMetrics('agent', { metricsPort: 9_000, metricsHost: '0.0.0.0' })).toThrow(/DAVIT_METRICS_TOKEN/);
  checkMetrics('agent', { metricsPort: 9_000, metricsHost: '0.0.0.0', metricsToken: token });
  checkMetrics('agent', { metricsPort: 9_000, metricsHost: '127.0.0.1' });
  checkMetrics('agent', { metricsHost: '0.0.0.0' });
});
