// Launches accepted, durably, into a queue that no agent serves: what the API and the database do alone.
import { Load } from '../lib/load.mjs';
import { Stack } from '../lib/stack.mjs';
import { temporalOf, windowSize } from '../lib/temporal.mjs';

export async function accept({ quick }) {
  const stack = await Stack.start({ args: ['--no-agent'] });
  const load = new Load(stack);
  const temporal = await temporalOf(stack);
  try {
    const job = await stack.noopJob();
    const body = { queue: await stack.queue('accept'), job };
    // Fills the window as well: its first 200 launches get a workflow each, the others are rows. Starting those would be measured with them.
    await load.enqueue({ body, count: quick ? 300 : 1_000, clients: 32 });
    await temporal.untilOpen(windowSize);

    const cpuBefore = stack.cpuMs();
    const many = await load.enqueue({ body, count: quick ? 1_000 : 5_000, clients: 32 });
    const cpu = cpuPerLaunch(cpuBefore, stack.cpuMs(), many.count);
    const one = await load.enqueue({ body, count: quick ? 100 : 600, clients: 1 });
    const batch = await load.enqueue({ body, count: quick ? 200 : 1_000, clients: 1, batch: 100 });
    const batches = await load.enqueue({ body, count: quick ? 800 : 4_000, clients: 4, batch: 100 });
    const clients = 'in one process of their own on this machine, HTTP keep-alive';
    return {
      rows: [
        {
          id: 'accept.perSecond32',
          what: 'launches accepted, 32 clients',
          value: many.perSecond,
          unit: '/s',
          design: '≥ 1,000',
          note: `n = ${many.count}; ${clients}`,
        },
        { id: 'accept.p95Ms32', what: '… answer p95', value: many.latencyMs.p95, unit: 'ms' },
        {
          id: 'accept.perSecond1',
          what: 'launches accepted, 1 client',
          value: one.perSecond,
          unit: '/s',
          note: `n = ${one.count}`,
        },
        {
          id: 'accept.batchPerSecond1',
          what: 'launches accepted, batches of 100, 1 client',
          value: batch.perSecond,
          unit: '/s',
          note: `n = ${batch.count}`,
        },
        {
          id: 'accept.batchPerSecond4',
          what: 'launches accepted, batches of 100, 4 clients',
          value: batches.perSecond,
          unit: '/s',
          note: `n = ${batches.count}`,
        },
      ],
      detail: { many, one, batch, batches, cpuMsPerLaunch: { ...cpu, clients: many.clientCpuMs / many.count } },
      notes: [`CPU per accepted launch (32 clients): ${cpuWords({ ...cpu, clients: many.clientCpuMs / many.count })}`],
    };
  } finally {
    temporal.close();
    await load.stop();
    await stack.stop();
  }
}

export function cpuPerLaunch(before, after, count) {
  return Object.fromEntries(Object.entries(after).map(([part, ms]) => [part, (ms - (before[part] ?? 0)) / count]));
}

export const cpuWords = (cpu) =>
  Object.entries(cpu)
    .map(([part, ms]) => `${part} ${ms.toFixed(2)} ms`)
    .join(', ');
