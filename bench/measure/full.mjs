// Launches from their acceptance to their end. Twice: with a real process for each, and with nothing behind it, against a bare workflow of the
// same history on the same Temporal server, by turns.
import { Bare } from '../bare/bare.mjs';
import { Load } from '../lib/load.mjs';
import { median } from '../lib/numbers.mjs';
import { Stack, timeOf } from '../lib/stack.mjs';
import { temporalOf } from '../lib/temporal.mjs';
import { cpuPerLaunch, cpuWords } from './accept.mjs';

/** Enqueues a burst and waits for the end of all; rate from the first acceptance to the last end, by the database's clock. */
export async function burst(stack, load, { queue, job, count }) {
  const cpuBefore = stack.cpuMs();
  const known = (await stack.launchesOf(queue)).length;
  await load.enqueue({ body: { queue, job }, count, clients: Math.min(32, count) });
  await stack.drained(queue);
  const cpuMs = cpuPerLaunch(cpuBefore, stack.cpuMs(), count);
  const launches = (await stack.launchesOf(queue)).slice(known);
  const odd = launches.find(({ state }) => state !== 'finished');
  if (odd) throw new Error(`launch ${odd.id} is ${odd.state}: ${JSON.stringify(odd.failure)}`);
  const seconds =
    (Math.max(...launches.map(({ endedAt }) => timeOf(endedAt))) -
      Math.min(...launches.map(({ createdAt }) => timeOf(createdAt)))) /
    1000;
  return {
    count: launches.length,
    seconds,
    perSecond: launches.length / seconds,
    cpuMs,
    someId: launches[count >> 1].id,
  };
}

export async function full({ quick }) {
  const stack = await Stack.start({ args: ['--no-agent'] });
  const load = new Load(stack);
  const temporal = await temporalOf(stack);
  try {
    const job = await stack.noopJob();
    const real = {};
    const counts = quick ? { 1: 10, 4: 20, 16: 40 } : { 1: 30, 4: 60, 16: 120 };
    for (const [slots, count] of Object.entries(counts)) {
      const queue = await stack.queue(`real-${slots}`);
      const agent = await stack.startAgent({ name: `agent-${slots}`, maxJobs: Number(slots), queues: [queue] });
      await stack.ended(await stack.enqueue(queue, job));
      real[slots] = await burst(stack, load, { queue, job, count });
      await stack.stopAgent(agent);
    }

    const slots = 16;
    const count = quick ? 40 : 120;
    const queue = await stack.queue('noop');
    await stack.startNoopAgent({ name: 'noop', maxJobs: slots, queues: [queue] });
    const bare = await Bare.start(stack);
    const rounds = [];
    let events;
    try {
      await stack.ended(await stack.enqueue(queue, job));
      await bare.round({ count: 10, slots });
      for (let i = 0; i < (quick ? 2 : 3); i++) {
        const davit = await burst(stack, load, { queue, job, count });
        const bareBefore = bare.cpuMs(stack);
        const without = await bare.round({ count, slots });
        without.cpuMs = cpuPerLaunch(bareBefore, bare.cpuMs(stack), count);
        rounds.push({ davit, bare: without, ratio: davit.perSecond / without.perSecond });
      }
      const last = rounds.at(-1);
      events = {
        davit: await temporal.history(`launch/${last.davit.someId}`),
        bare: await temporal.history(last.bare.someId),
      };
    } finally {
      await bare.stop();
    }
    const ratio = median(rounds.map((round) => round.ratio));
    const cpu = meanOf(rounds.map((round) => round.davit.cpuMs));
    const bareCpu = meanOf(rounds.map((round) => round.bare.cpuMs));
    const cpuRatio = sumOf(bareCpu) / sumOf(cpu);
    const seen = rounds.map((round) => round.ratio.toFixed(2)).join(', ');
    return {
      rows: [
        ...Object.entries(real).map(([n, run]) => ({
          id: `full.processPerSecond${n}`,
          what: `launches through, \`true\` as a process, ${n} slot${n === '1' ? '' : 's'}`,
          value: run.perSecond,
          unit: '/s',
          note: `n = ${run.count}, from first acceptance to last end`,
        })),
        {
          id: 'full.noopPerSecond16',
          what: 'launches through, no-op target, 16 slots',
          value: median(rounds.map((round) => round.davit.perSecond)),
          unit: '/s',
          note: `${rounds.length} rounds of ${count}`,
        },
        {
          id: 'full.barePerSecond16',
          what: 'bare workflow of the same history, 16 at a time',
          value: median(rounds.map((round) => round.bare.perSecond)),
          unit: '/s',
          note: 'by turns with the line above',
        },
        {
          id: 'full.ratio',
          what: 'ratio of the two',
          value: ratio,
          unit: '',
          design: '≥ 0.8',
          note: `rounds: ${seen}`,
        },
        {
          id: 'full.cpuRatio',
          what: 'the same by CPU time: bare / Davit',
          value: cpuRatio,
          unit: '',
          note: `${sumOf(bareCpu).toFixed(0)} ms / ${sumOf(cpu).toFixed(0)} ms a launch; holds on a busy machine too`,
        },
        {
          id: 'full.historyEvents',
          what: 'history events of a launch',
          value: events.davit.length,
          unit: '',
          design: '≤ 40',
          note: `bare: ${events.bare.length}; ${differenceOf(events.davit, events.bare)}`,
        },
      ],
      detail: { real, rounds, events: { davit: events.davit.length, bare: events.bare.length } },
      notes: [
        `CPU per launch, no-op target: ${cpuWords(cpu)}`,
        `CPU per bare workflow: ${cpuWords(bareCpu)}`,
        `CPU per launch, real process, 16 slots: ${cpuWords(real[16].cpuMs)} (agent: with its jobs)`,
      ],
    };
  } finally {
    temporal.close();
    await load.stop();
    await stack.stop();
  }
}

const sumOf = (cpu) => Object.values(cpu).reduce((sum, ms) => sum + ms, 0);
const meanOf = (all) =>
  Object.fromEntries(
    Object.keys(all[0]).map((part) => [part, all.reduce((sum, one) => sum + one[part], 0) / all.length]),
  );

/** Workflow tasks come in other numbers when more happens at once; everything else must be the same, or the comparison means nothing. */
function differenceOf(davit, bare) {
  const withoutTasks = (events) => {
    const counts = {};
    for (const { eventType } of events)
      if (![5, 6, 7].includes(Number(eventType))) counts[eventType] = (counts[eventType] ?? 0) + 1;
    return counts;
  };
  const [one, other] = [withoutTasks(davit), withoutTasks(bare)];
  const types = new Set([...Object.keys(one), ...Object.keys(other)]);
  const odd = [...types].filter((type) => one[type] !== other[type]);
  if (odd.length === 0) return 'the same events but for the number of workflow tasks';
  return `NOT the same: ${odd.map((type) => `event type ${type}: ${one[type] ?? 0} and ${other[type] ?? 0}`).join(', ')}`;
}
