// A queue with 20,000 waiting launches beside one with 10: open workflows, Temporal's memory, the first claim, the claims after it, positions.
import { Load } from '../lib/load.mjs';
import { distribution, median, mib } from '../lib/numbers.mjs';
import { Stack, timeOf } from '../lib/stack.mjs';
import { temporalOf, windowSize } from '../lib/temporal.mjs';
import { until } from '../lib/until.mjs';

export async function deep({ quick }) {
  const depth = quick ? 1_000 : 20_000;
  const claims = quick ? 15 : 50;
  const starts = quick ? 1 : 3;
  const stack = await Stack.start({ args: ['--no-agent'] });
  const load = new Load(stack);
  const temporal = await temporalOf(stack);
  try {
    const job = await stack.noopJob();
    const shallowQueue = await stack.queue('shallow');
    const fillShallow = (count = 10) => load.enqueue({ body: { queue: shallowQueue, job }, count, clients: 1 });
    const shallow = { firstMs: [], gapsMs: [] };
    for (let i = 0; i < starts; i++) {
      const before = (await stack.launchesOf(shallowQueue)).length;
      await fillShallow();
      const agent = await stack.startNoopAgent({ name: `shallow-${i}`, maxJobs: 1, queues: [shallowQueue] });
      await stack.drained(shallowQueue);
      const own = (await stack.launchesOf(shallowQueue)).slice(before);
      shallow.firstMs.push(await firstClaimMs(stack, `shallow-${i}`, own));
      shallow.gapsMs.push(...gapsOf(own));
      // More of the same with the agent there: ten wait, no more.
      while (i === starts - 1 && shallow.gapsMs.length < claims) {
        const known = (await stack.launchesOf(shallowQueue)).length;
        await fillShallow();
        await stack.drained(shallowQueue);
        shallow.gapsMs.push(...gapsOf((await stack.launchesOf(shallowQueue)).slice(known)));
      }
      await stack.stopAgent(agent);
    }

    const deepQueue = await stack.queue('deep');
    const temporalBefore = stack.memory().temporal.rss;
    const filled = await load.enqueue({ body: { queue: deepQueue, job }, count: depth, clients: 32 });
    const open = await temporal.untilOpen(Math.min(windowSize, depth));
    const temporalAfter = stack.memory().temporal.rss;
    const newest = await stack.api.get(`/launches?queue=${stack.entity}/${deepQueue}&limit=20`);
    // Ids sort by millisecond, ranks exactly: the last in line is among the newest.
    const places = await Promise.all(newest.items.map(({ id }) => stack.show(id)));
    const tail = places.find(({ position }) => position === depth);
    if (!tail) throw new Error(`none of the newest of ${depth} says that it is the last in line`);

    const tailMs = [];
    for (let i = 0; i < 20; i++) {
      const begunAt = performance.now();
      await stack.show(tail.id);
      tailMs.push(performance.now() - begunAt);
    }

    const deepRun = { firstMs: [], gapsMs: [] };
    let taken = 0;
    for (let i = 0; i < starts; i++) {
      const wanted = i === starts - 1 ? claims + 1 : 10;
      const agent = await stack.startNoopAgent({ name: `deep-${i}`, maxJobs: 1, queues: [deepQueue] });
      await until(
        `${wanted} launches to be claimed`,
        async () => {
          const { waiting: left } = await stack.api.get(`/queues/${stack.entity}/${deepQueue}`);
          return depth - left >= taken + wanted;
        },
        { everyMs: 250 },
      );
      const openWhile = await temporal.openLaunches();
      await stack.stopAgent(agent);
      const all = await claimedOf(stack, deepQueue);
      const own = all.slice(taken);
      taken = all.length;
      deepRun.firstMs.push(await firstClaimMs(stack, `deep-${i}`, own));
      deepRun.gapsMs.push(...gapsOf(own));
      deepRun.openWhile = Math.max(deepRun.openWhile ?? 0, openWhile);
    }
    const gaps = { shallow: distribution(shallow.gapsMs), deep: distribution(deepRun.gapsMs) };
    return {
      rows: [
        {
          id: 'deep.openWorkflows',
          what: `open launch workflows, ${depth} launches waiting`,
          value: Math.max(open, deepRun.openWhile),
          unit: '',
          design: `≤ window (${windowSize})`,
          note: 'by visibility, after filling and while an agent takes from it',
        },
        {
          id: 'deep.temporalGrowthMiB',
          what: "growth of Temporal's memory by filling it",
          value: mib(temporalAfter - temporalBefore),
          unit: 'MiB',
          design: 'flat',
          note: `${mib(temporalBefore).toFixed(0)} → ${mib(temporalAfter).toFixed(0)} MiB; the window's workflows are in it`,
        },
        {
          id: 'deep.firstClaimMs',
          what: 'agent says hello → its first claim, deep',
          value: median(deepRun.firstMs),
          unit: 'ms',
          note: `median of ${starts}; with 10 waiting: ${median(shallow.firstMs).toFixed(0)} ms`,
        },
        {
          id: 'deep.firstClaimRatio',
          what: '… ratio to 10 waiting',
          value: median(deepRun.firstMs) / median(shallow.firstMs),
          unit: '',
          design: '≤ 1.5',
        },
        {
          id: 'deep.claimGapMs',
          what: 'claim → next claim of one slot, no-op target, deep, p50',
          value: gaps.deep.p50,
          unit: 'ms',
          note: `n = ${gaps.deep.n}; p95 ${gaps.deep.p95}; with 10 waiting: p50 ${gaps.shallow.p50}, p95 ${gaps.shallow.p95}, n = ${gaps.shallow.n}`,
        },
        {
          id: 'deep.claimGapRatio',
          what: '… ratio to 10 waiting',
          value: gaps.deep.p50 / gaps.shallow.p50,
          unit: '',
          design: '≤ 1.5',
        },
        {
          id: 'deep.positionMs',
          what: 'launch with its position at the tail, over HTTP, p50',
          value: median(tailMs),
          unit: 'ms',
          design: '< 50 (of 1,000,000)',
          note: `n = ${tailMs.length}`,
        },
      ],
      detail: { depth, filled, open, temporalBefore, temporalAfter, shallow, deep: deepRun, gaps, tailMs },
    };
  } finally {
    temporal.close();
    await load.stop();
    await stack.stop();
  }
}

/** The launches that were claimed, the oldest first: at the front of the line, so read from the old end. */
async function claimedOf(stack, queue) {
  const states = 'claimed,preparing,submitting,starting,running,stopping,finished,failed,stopped';
  const page = await stack.api.get(`/launches?queue=${stack.entity}/${queue}&state=${states}&limit=200`);
  return page.items.reverse();
}

const claimTimes = (launches) => launches.map(({ claimedAt }) => timeOf(claimedAt)).sort((a, b) => a - b);

function gapsOf(launches) {
  const times = claimTimes(launches);
  return times.slice(1).map((time, i) => time - times[i]);
}

/** The database says when the agent said hello. */
async function firstClaimMs(stack, agent, launches) {
  const { startedAt } = await stack.api.get(`/agents/${stack.entity}/${agent}`);
  return claimTimes(launches)[0] - timeOf(startedAt);
}
