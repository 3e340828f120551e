import { createHash, randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTracing, type Tracing } from '../../telemetry/tracing.js';
import { Engine } from '../support/engine.js';
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.js';
import { until } from '../support/until.js';

/** A real OTLP exchange over a socket: what arrives at a collector is what is looked at. */

let collector: OtlpReceiver;
let engine: Engine;
const opened: Tracing[] = [];
async function tracing(service: string): Promise<Tracing> {
  const one = await openTracing({ service, version: 'test', env: process.env, log: engine?.log ?? silent });
  if (!one) throw new Error('no tracing');
  opened.push(one);
  return one;
}
const silent = { warn: () => undefined, info: () => undefined } as never;

beforeAll(async () => {
  collector = await startOtlpReceiver();
  Object.assign(process.env, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_BSP_SCHEDULE_DELAY: '100',
  });
  engine = await Engine.start({
    tracing: { api: await tracing('davit-server'), control: await tracing('davit-worker') },
  });
  await engine.queue('q');
});
afterAll(async () => {
  await engine.stop();
  await Promise.all(opened.map((one) => one.close()));
  await collector.close();
});

const named = (spans: ReceivedSpan[], name: string): ReceivedSpan => {
  const found = spans.filter((span) => span.name === name);
  if (found.length !== 1 || !found[0])
    throw new Error(`${found.length} spans named ${name}: ${spans.map((s) => s.name).join()}`);
  return found[0];
};
const untilTold = (traceId: string, what: string) =>
  until(() => collector.ofTrace(traceId).some((span) => span.name === what) && collector.ofTrace(traceId), {
    what: () =>
      `${what} in ${traceId}; there are ${collector
        .ofTrace(traceId)
        .map((span) => span.name)
        .join()}`,
    ms: 60_000,
  });
const ownTraceOf = (launchId: string): string => createHash('sha256').update(launchId).digest('hex').slice(0, 32);

const post = async (path: string, body: unknown, key: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(`${engine.apiUrl}/api/v1${path}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  expect(answer.ok, text).toBe(true);

  return JSON.parse(text);
};

test('a launch is one trace from its client to its end, whatever happens to its agents', async () => {
  const go = join(engine.folder, 'go');
  const job = await engine.script('patient', `echo "parent=$TRACEPARENT"; until test -f ${go}; do sleep 0.1; done`);
  const client = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex') };
  const { id } = await post('/launches', { queue: 'q', job }, engine.userKey, {
    traceparent: `00-${client.traceId}-${client.spanId}-01`,
  });

  // The first agent takes it and gives it back.
  const incarnation = randomBytes(8).toString('hex');
  const ghost = await post(
    '/agents/hello',
    {
      entity: 'ada',
      name: 'ghost',
      incarnation,
      host: 'h',
      pid: 1,
      version: '1',
      maxJobs: 1,
      targets: { process: { place: 'nowhere', ok: true, details: [] } },
      queues: ['q'],
    },
    engine.agentKey,
  );
  const taken = await post(
    `/agents/${ghost.agentId}/claim`,
    { incarnation, queueId: ghost.queues[0].queueId, ticket: 'by-hand', ticketAttempt: 1 },
    engine.agentKey,
  );
  expect(taken.launchId).toBe(id);
  await post(
    `/agents/${ghost.agentId}/launches/${id}/give-back`,
    { claim: taken.claim, reason: 'no room' },
    engine.agentKey,
  );

  // The second starts its job and is replaced while it runs; the third follows it to its end.
  const second = await engine.startAgent({ name: 'second', tracing: await tracing('davit-agent') });
  await engine.untilState(id, ['running']);
  await until(async () => (await engine.logText(id, 'stdout')).includes('parent='));
  await second.drain();
  await engine.startAgent({ name: 'third', tracing: await tracing('davit-agent') });
  writeFileSync(go, '');
  expect(existsSync(go)).toBe(true);
  expect((await engine.ended(id)).state).toBe('finished');

  await untilTold(client.traceId, 'launch');
  const spans = await until(() => {
    const now = collector.ofTrace(client.traceId);
    return now.some((span) => span.name === 'agent watch') && now;
  });

  // The parts, each once but those that happened twice.
  const story = spans.filter((span) => span.service === 'davit-worker');
  const names = story.map((span) => span.name).sort();
  expect(names.filter((name) => name !== 'start')).toEqual(
    ['attempt', 'attempt', 'claim', 'claim', 'end', 'launch', 'prepare', 'run', 'submit', 'waiting', 'waiting'].sort(),
  );

  // One tree: from the client's span to the request, to the launch, to everything else.
  const request = named(spans, 'POST /api/v1/launches');
  expect([request.service, request.parentSpanId]).toEqual(['davit-server', client.spanId]);
  const root = named(spans, 'launch');
  expect(root.parentSpanId).toBe(request.spanId);
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  for (const span of spans) {
    if (span === request) continue;
    const parent = byId.get(span.parentSpanId ?? '');
    expect(parent, `${span.name} hangs on nothing`).toBeDefined();
    expect(span.attributes['davit.launch.id']).toBe(id);
    if (story.includes(span) && parent && story.includes(parent)) {
      expect(span.startMs, span.name).toBeGreaterThanOrEqual(parent.startMs);
      expect(span.endMs, span.name).toBeLessThanOrEqual(parent.endMs);
    }
  }

  // In the order that it happened, without gaps.
  const parts = story
    .filter((span) => !['launch', 'attempt', 'end'].includes(span.name))
    .sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs);
  expect(parts[0]?.startMs).toBe(root.startMs);
  expect(parts.at(-1)?.endMs).toBe(root.endMs);
  for (const [i, part] of parts.entries()) if (i > 0) expect(part.startMs).toBe(parts[i - 1]?.endMs);

  const attempts = story.filter((span) => span.name === 'attempt').sort((a, b) => a.startMs - b.startMs);
  expect(attempts.map((span) => span.attributes['davit.agent.name'])).toEqual(['ghost', 'second']);
  expect(attempts.map((span) => span.failed)).toEqual([true, false]);
  expect(named(spans, 'agent prepare').attributes['davit.agent.name']).toBe('second');
  expect(named(spans, 'agent watch').attributes['davit.agent.name']).toBe('third');
  expect(root.attributes).toMatchObject({
    'davit.queue': 'ada/q',
    'davit.state': 'finished',
    'davit.claims': expect.anything(),
  });

  // The job can go on with it.
  const run = named(story, 'run');
  expect(await engine.logText(id, 'stdout')).toContain(`parent=00-${client.traceId}-${run.spanId}-01`);
});

test('a launch without a client’s trace has one of its own, also when it never had an agent or a workflow', async () => {
  await engine.queue('empty');
  const id = await engine.enqueue('empty', await engine.script('never', 'exit 0'), { hold: true });
  await engine.cancel(id);
  const spans = await untilTold(ownTraceOf(id), 'launch');
  const root = named(spans, 'launch');
  expect(root.parentSpanId).toBeUndefined();
  expect(root.attributes['davit.state']).toBe('stopped');
  expect(named(spans, 'waiting').parentSpanId).toBe(root.spanId);
  const request = await until(() =>
    collector.ofTrace(root.traceId).find((span) => span.name === 'POST /api/v1/launches'),
  );
  expect(request.parentSpanId).toBe(root.spanId);
});

test('traces of what ended while the collector was away come when it is back', async () => {
  collector.refuse(true);
  const id = await engine.enqueue('q', await engine.script('fails', 'exit 7'));
  expect((await engine.ended(id)).state).toBe('failed');
  const before = collector.refused;
  await until(() => collector.refused > before + 1);
  expect(collector.ofTrace(ownTraceOf(id)).filter((span) => span.service === 'davit-worker')).toEqual([]);
  collector.refuse(false);
  const root = named(await untilTold(ownTraceOf(id), 'launch'), 'launch');
  expect(root.failed).toBe(true);
  expect(root.attributes).toMatchObject({ 'davit.exit_code': expect.anything(), 'davit.failure.stage': 'run' });
});

test('a client that does not sample its trace gets none', async () => {
  const traceId = randomBytes(16).toString('hex');
  const job = await engine.script('quiet', 'exit 0');
  const { id } = await post('/launches', { queue: 'q', job }, engine.userKey, {
    traceparent: `00-${traceId}-${'a'.repeat(16)}-00`,
  });
  await engine.ended(id);
  // Told in the order that they ended: when the next one is there, this one was passed over.
  const next = await engine.enqueue('q', job);
  await engine.ended(next);
  await untilTold(ownTraceOf(next), 'launch');
  expect(collector.ofTrace(traceId)).toEqual([]);
});

test('no key, no job’s output and no variable’s value is in a trace', () => {
  const text = collector.text();
  expect(text.length).toBeGreaterThan(1_000);
  for (const secret of [engine.userKey, engine.agentKey, 'davit_run-', 'davit_user-', 'parent='])
    expect(text).not.toContain(secret);
});

test('without the standard variables no traces are made', async () => {
  const log = silent;
  expect(await openTracing({ service: 's', version: '1', env: {}, log })).toBeUndefined();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  expect(
    await openTracing({ service: 's', version: '1', env: { ...env, OTEL_SDK_DISABLED: 'true' }, log }),
  ).toBeUndefined();
  expect(
    await openTracing({ service: 's', version: '1', env: { ...env, OTEL_TRACES_EXPORTER: 'none' }, log }),
  ).toBeUndefined();
  expect(
    await openTracing({ service: 's', version: '1', env: { ...env, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, log }),
  ).toBeUndefined();
});
