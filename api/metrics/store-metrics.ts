import type { Logger } from 'pino';
import { agentTtlMs } from '../../store/agent-registry.js';
import { readMetrics, type MetricsSnapshot } from '../../store/metrics.js';
import type { Store } from '../../store/open.js';
import { Counter, Gauge, Registry } from '../../telemetry/registry.js';

/** Several scrapers, or one that asks often, cost the database no more than one. */
const keptMs = 2_000;

/** What is the same whichever API process is asked: read from the store when somebody asks. */
export function storeMetrics(db: Store, log: Logger): { page(): Promise<string> } {
  let kept: { atMs: number; page: Promise<string> } | undefined;
  let failing = false;

  async function read(): Promise<string> {
    const startedMs = performance.now();
    try {
      const snapshot = await readMetrics(db, agentTtlMs);
      failing = false;
      return await render(snapshot, (performance.now() - startedMs) / 1000);
    } catch (error) {
      if (!failing) log.warn({ error: String(error) }, 'the store cannot be asked for metrics');
      failing = true;
      return render(undefined, (performance.now() - startedMs) / 1000);
    }
  }

  return {
    page() {
      if (!kept || kept.atMs < Date.now() - keptMs) kept = { atMs: Date.now(), page: read() };
      return kept.page;
    },
  };
}

/** Made anew each time, so that what is gone (a queue, an agent) has no series any more. */
async function render(snapshot: MetricsSnapshot | undefined, seconds: number): Promise<string> {
  const registry = new Registry();
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> =>
    new Gauge({ name, help: `Global. ${help}`, labelNames, registers: [registry] });
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> =>
    new Counter({ name, help: `Global. ${help}`, labelNames, registers: [registry] });

  gauge(
    'davit_store_up',
    'Could the store be asked for the series that are global? 0: they are missing from this page.',
  ).set(snapshot ? 1 : 0);
  gauge('davit_store_read_seconds', 'How long reading the global series took.').set(seconds);
  if (!snapshot) return registry.metrics();

  const perQueue = ['entity', 'queue'] as const;
  const waiting = gauge('davit_queue_waiting', 'Launches in line: accepted, not held, not yet claimed.', perQueue);
  const held = gauge(
    'davit_queue_held',
    'Launches that wait and are held: by somebody, for a back-off, or parked.',
    perQueue,
  );
  const oldest = gauge(
    'davit_queue_oldest_seconds',
    'How long the launches whose turn is next (the first of each priority) have been in line, the longest of them. Missing while nobody may be taken: nothing waits, the queue is paused or at its limit.',
    perQueue,
  );
  const paused = gauge('davit_queue_paused', '1 while the queue hands out nothing.', perQueue);
  const draining = gauge('davit_queue_draining', '1 while the queue refuses new launches.', perQueue);
  const limit = gauge(
    'davit_queue_max_running',
    'The limit on launches of the queue that hold a slot. Missing: none.',
    perQueue,
  );
  const agentsOf = gauge('davit_queue_agents', 'Agents that live, serve the queue and may take launches.', perQueue);
  const free = gauge(
    'davit_queue_free_slots',
    'Free slots of the agents that serve the queue; an agent of several queues counts for each.',
    perQueue,
  );
  for (const q of snapshot.queues) {
    const names = { entity: q.entity, queue: q.queue };
    waiting.set(names, q.waiting);
    held.set(names, q.held);
    if (q.oldestSeconds !== null) oldest.set(names, q.oldestSeconds);
    paused.set(names, q.paused ? 1 : 0);
    draining.set(names, q.draining ? 1 : 0);
    if (q.maxRunning !== null) limit.set(names, q.maxRunning);
    agentsOf.set(names, q.agents);
    free.set(names, q.freeSlots ?? Number.POSITIVE_INFINITY);
  }

  const holding = gauge(
    'davit_launches',
    'Launches that hold a slot, by state. Those that wait: davit_queue_waiting, davit_queue_held.',
    [...perQueue, 'state'],
  );
  for (const { entity, queue, state, n } of snapshot.holding) holding.set({ entity, queue, state }, n);

  const ended = counter('davit_launches_ended_total', 'Launches that ended, by how.', [...perQueue, 'state']);
  const failures = counter(
    'davit_launch_failures_total',
    'Launches that failed, by the code, the stage and whose fault it was.',
    [...perQueue, 'code', 'stage', 'fault'],
  );
  for (const { entity, queue, state, code, stage, fault, n } of snapshot.ends) {
    ended.inc({ entity, queue, state }, n);
    if (state === 'failed') failures.inc({ entity, queue, code, stage, fault }, n);
  }

  const perAgent = ['entity', 'agent'] as const;
  const agents = gauge(
    'davit_agents',
    'Agents by condition: active, draining, quarantined, lost (silent for more than 12 s, less than a day).',
    ['entity', 'condition'],
  );
  const slots = gauge('davit_agent_slots', 'Slots of an agent that lives; +Inf: without limit.', perAgent);
  const used = gauge('davit_agent_slots_used', 'Launches that hold a slot of this agent, by the store.', perAgent);
  const heartbeat = gauge('davit_agent_heartbeat_age_seconds', 'Since the agent was last heard of.', perAgent);
  for (const { entity, agent, maxJobs, used: n, heartbeatSeconds, condition } of snapshot.agents) {
    agents.inc({ entity, condition });
    if (condition !== 'lost') slots.set({ entity, agent }, maxJobs < 0 ? Number.POSITIVE_INFINITY : maxJobs);
    used.set({ entity, agent }, n);
    heartbeat.set({ entity, agent }, heartbeatSeconds);
  }

  gauge('davit_outbox_due', 'Changes of launches that Temporal is still to be told of.').set(snapshot.outbox.due);
  gauge('davit_outbox_oldest_seconds', 'Age of the oldest of them; 0 when there is none.').set(
    snapshot.outbox.oldestSeconds,
  );
  return registry.metrics();
}
