import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/**
 * The metrics of one process. Of prom-client only what is exported here and what `metrics` classes need is used; the same code goes on as
 * @prometheus-io/client, which needs Node 22 (docs/decisions).
 */
export { Counter, Gauge, Histogram, Registry } from 'prom-client';

export const expositionType = 'text/plain; version=0.0.4; charset=utf-8';

/** With what every process tells of itself: memory, processor, event loop, garbage collection, version. */
export function processRegistry(part: 'server' | 'worker' | 'agent', version: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  // Gauges that are named like counters; what they count is of no use to an operator.
  for (const what of ['handles', 'requests', 'resources']) registry.removeSingleMetric(`nodejs_active_${what}_total`);
  new Gauge({
    name: 'davit_build_info',
    help: 'Per process. Always 1; its labels say what runs.',
    labelNames: ['part', 'version', 'node'],
    registers: [registry],
  }).set({ part, version, node: process.version }, 1);
  return registry;
}

/** In the text format. Not a number is written NaN there; a histogram that has seen nothing writes "Nan". */
export async function textOf(registry: Registry): Promise<string> {
  return (await registry.metrics()).replaceAll(/ Nan$/gm, ' NaN');
}

/** Names of entities and queues are the users' own: so many of them become labels of a process's own series, the rest is counted together. */
export function boundedLabels(limit: number): (entity: string, queue: string) => { entity: string; queue: string } {
  const known = new Set<string>();
  return (entity, queue) => {
    const key = `${entity}/${queue}`;
    if (!known.has(key)) {
      if (known.size >= limit) return { entity: '', queue: '(others)' };
      known.add(key);
    }
    return { entity, queue };
  };
}
