// 1,000 queues with one agent each, in a handful of processes: start-up, and what all of it does while nobody wants anything.
import { setTimeout as wait } from 'node:timers/promises';
import { Load } from '../lib/load.mjs';
import { distribution, mib } from '../lib/numbers.mjs';
import { Stack, timeOf } from '../lib/stack.mjs';

const processes = 5;

export async function queues({ quick }) {
  const count = quick ? 50 : 1_000;
  const idleMs = quick ? 5_000 : 60_000;
  const stack = await Stack.start({ args: ['--no-agent'] });
  const load = new Load(stack);
  try {
    const job = await stack.noopJob();
    const names = Array.from({ length: count }, (_, n) => `q${n}`);
    const createdAt = performance.now();
    for (let n = 0; n < count; n += 20) await Promise.all(names.slice(n, n + 20).map((name) => stack.queue(name)));
    const createMs = performance.now() - createdAt;

    const startedAt = performance.now();
    const size = Math.ceil(count / processes);
    const shares = Array.from({ length: processes }, (_, n) => names.slice(n * size, (n + 1) * size));
    await Promise.all(shares.map((share, n) => stack.startManyAgents({ name: `agents-${n}`, queues: share })));
    const startMs = performance.now() - startedAt;

    // What the start leaves behind (first polls, first heartbeats) is over after a while.
    await wait(quick ? 1_000 : 10_000);
    const cpuBefore = stack.cpuMs();
    const requestsBefore = await requests(stack);
    const begunAt = performance.now();
    await wait(idleMs);
    const seconds = (performance.now() - begunAt) / 1000;
    const cpuAfter = stack.cpuMs();
    const perSecond = ((await requests(stack)) - requestsBefore - 1) / seconds;
    const cpu = Object.fromEntries(
      Object.entries(cpuAfter).map(([part, ms]) => [part, (ms - (cpuBefore[part] ?? 0)) / 1000 / seconds]),
    );
    const agentsCpu = shares.reduce((sum, _, n) => sum + cpu[`agents-${n}`], 0);
    const memory = stack.memory();

    // They are not only there: one launch for each of some queues.
    const some = names.filter((_, n) => n % Math.ceil(count / 20) === 0);
    const claimMs = [];
    for (const queue of some) {
      const options = { everyMs: 250, limitMs: 120_000 };
      const id = await stack.enqueue(queue, job);
      const launch = await stack.untilLaunch(id, 'claimed', ({ claimedAt }) => claimedAt !== null, options);
      claimMs.push(timeOf(launch.claimedAt) - timeOf(launch.createdAt));
    }
    const claims = distribution(claimMs);
    const core = (value) => ({ value: value * 100, unit: '% of a core' });
    return {
      rows: [
        {
          id: 'queues.createMs',
          what: `${count.toLocaleString('en')} queues made over REST`,
          value: createMs,
          unit: 'ms',
        },
        {
          id: 'queues.startMs',
          what: `${count.toLocaleString('en')} agents in ${processes} processes, until all poll`,
          value: startMs,
          unit: 'ms',
        },
        {
          id: 'queues.idleRequests',
          what: 'requests to the API, idle',
          value: perSecond,
          unit: '/s',
          note: 'a heartbeat of each agent every 3 s',
        },
        ...['postgres', 'temporal', 'server', 'worker'].map((part) => ({
          id: `queues.${part}Idle`,
          what: `CPU of ${part}, idle`,
          ...core(cpu[part]),
        })),
        { id: 'queues.agentsIdle', what: `CPU of the ${processes} agent processes, idle`, ...core(agentsCpu) },
        {
          id: 'queues.agentMiB',
          what: 'memory for each agent',
          value: mib(shares.reduce((sum, _, n) => sum + memory[`agents-${n}`].rss, 0)) / count,
          unit: 'MiB',
        },
        { id: 'queues.temporalMiB', what: 'memory of temporal', value: mib(memory.temporal.rss), unit: 'MiB' },
        { id: 'queues.serverMiB', what: 'memory of server', value: mib(memory.server.rss), unit: 'MiB' },
        {
          id: 'queues.claimMs',
          what: 'accepted → claimed by the agent of the queue, p50',
          value: claims.p50,
          unit: 'ms',
          note: `n = ${claims.n}, p95 ${claims.p95}`,
        },
      ],
      detail: { count, createMs, startMs, cpu, perSecond, memory, claimMs },
    };
  } finally {
    await load.stop();
    await stack.stop();
  }
}

/** Requests that the API has answered, by its own metrics. */
async function requests(stack) {
  const answer = await fetch(`${stack.url}/metrics`, { headers: { Authorization: `Bearer ${stack.key}` } });
  const text = await answer.text();
  return [...text.matchAll(/^davit_\w*request\w*_count\{[^}]*\} (\d+)/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
}
