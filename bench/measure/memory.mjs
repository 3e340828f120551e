// Memory of each part, idle and after 1,000 launches, and how long `davit up` takes, in a fresh data folder and in one that was used.
import { Load } from '../lib/load.mjs';
import { median, mib } from '../lib/numbers.mjs';
import { Stack } from '../lib/stack.mjs';
import { temporalOf } from '../lib/temporal.mjs';

export async function memory({ quick }) {
  const launches = quick ? 60 : 1_000;
  const coldMs = [];
  const warmMs = [];
  const servingMs = { cold: [], warm: [] };
  const serving = async (stack) => {
    const temporal = await temporalOf(stack);
    try {
      return await stack.untilServing(temporal);
    } finally {
      temporal.close();
    }
  };
  // The folder of the first is thrown away: the programs are in the file cache from here on.
  for (let i = 0; i < (quick ? 1 : 2); i++) {
    const stack = await Stack.start();
    coldMs.push(stack.startMs);
    servingMs.cold.push(await serving(stack));
    await stack.stop();
  }
  const stack = await Stack.start();
  coldMs.push(stack.startMs);
  servingMs.cold.push(await serving(stack));
  let load;
  try {
    for (let i = 0; i < (quick ? 1 : 3); i++) {
      await stack.down();
      await stack.up();
      warmMs.push(stack.startMs);
      servingMs.warm.push(await serving(stack));
    }
    const idle = stack.memory();
    // The 1,000 go through the same agent with the no-op target: what is asked is what stays behind of a launch, not of its process.
    await stack.down();
    stack.args = ['--no-agent'];
    await stack.up();
    const queue = await stack.queue('memory');
    const job = await stack.noopJob();
    await stack.startNoopAgent({ name: 'noop', maxJobs: 16, queues: [queue] });
    load = new Load(stack);
    await load.enqueue({ body: { queue, job }, count: launches, clients: 8 });
    await stack.drained(queue, { limitMs: 400_000 });
    const after = stack.memory();
    const parts = { postgres: 'postgres', temporal: 'temporal', server: 'server', worker: 'worker', agent: 'noop' };
    return {
      rows: [
        {
          id: 'memory.coldStartMs',
          what: '`davit up`, fresh data folder',
          value: median(coldMs),
          unit: 'ms',
          note: `median of ${coldMs.length}, Temporal's program is there`,
        },
        {
          id: 'memory.warmStartMs',
          what: '`davit up`, used data folder',
          value: median(warmMs),
          unit: 'ms',
          note: `median of ${warmMs.length}`,
        },
        {
          id: 'memory.coldServingMs',
          what: '… until worker and agent poll, fresh',
          value: median(servingMs.cold),
          unit: 'ms',
        },
        {
          id: 'memory.warmServingMs',
          what: '… until worker and agent poll, used',
          value: median(servingMs.warm),
          unit: 'ms',
        },
        ...Object.entries(parts).map(([part, later]) => ({
          id: `memory.${part}MiB`,
          what: `memory of ${part}, after ${launches} launches`,
          value: mib(part === 'postgres' ? after[later].pss : after[later].rss),
          unit: 'MiB',
          note: `idle: ${mib(part === 'postgres' ? idle[part].pss : idle[part].rss).toFixed(0)} MiB${part === 'postgres' ? ', all its processes, shared pages once' : part === 'agent' ? '; after: with the no-op target' : ''}`,
        })),
        {
          id: 'memory.sumMiB',
          what: 'memory of all five',
          value: Object.values(parts).reduce(
            (sum, part) => sum + mib(part === 'postgres' ? after[part].pss : after[part].rss),
            0,
          ),
          unit: 'MiB',
        },
      ],
      detail: { coldMs, warmMs, servingMs, idle, after, launches },
    };
  } finally {
    await load?.stop();
    await stack.stop();
  }
}
