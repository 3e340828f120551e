// From the acceptance of a launch to its claim by an agent that has nothing to do, and how long `davit up` takes to be there.
import { setTimeout } from 'node:timers/promises';
import { distribution, quantile } from '../lib/numbers.mjs';
import { Stack, timeOf } from '../lib/stack.mjs';

const restMs = 500;

export async function idle({ quick }) {
  const count = quick ? 20 : 80;
  const stack = await Stack.start();
  try {
    const queue = await stack.queue('idle');
    const job = await stack.noopJob();
    // The agent hears of a new queue with its next heartbeat; two launches warm up every process.
    for (let i = 0; i < 2; i++) await stack.ended(await stack.enqueue(queue, job));

    const answerMs = [];
    const one = async () => {
      const sentAt = performance.now();
      const id = await stack.enqueue(queue, job);
      answerMs.push(performance.now() - sentAt);
      await stack.ended(id);
      return id;
    };
    // Behind the end of a launch its parts tidy up for a moment; an idle agent is one that has done that.
    const rested = new Set();
    for (let i = 0; i < count; i++) {
      await setTimeout(restMs);
      rested.add(await one());
    }
    const hurried = new Set();
    for (let i = 0; i < count; i++) hurried.add(await one());
    const all = await stack.launchesOf(queue);
    const launches = all.filter(({ id }) => rested.has(id));
    // Both times are the database's own. The row's begins with the accepting transaction, so the commit is inside.
    const claimOf = (launch) => timeOf(launch.claimedAt) - timeOf(launch.createdAt);
    const claimMs = launches.map(claimOf);
    const atOnceMs = all.filter(({ id }) => hurried.has(id)).map(claimOf);
    const wholeMs = launches.map((launch) => timeOf(launch.endedAt) - timeOf(launch.createdAt));
    const claim = distribution(claimMs);
    const n = `n = ${claim.n}, each ${restMs} ms after the end of the one before, real process target`;
    return {
      rows: [
        {
          id: 'idle.claimP50Ms',
          what: 'accepted → claimed by an idle agent, p50',
          value: claim.p50,
          unit: 'ms',
          design: '< 30',
          note: n,
        },
        { id: 'idle.claimP95Ms', what: '… p95', value: claim.p95, unit: 'ms', design: '< 100' },
        { id: 'idle.claimMaxMs', what: '… max', value: claim.max, unit: 'ms' },
        {
          id: 'idle.atOnceP50Ms',
          what: '… enqueued as the one before ends, p50',
          value: quantile(atOnceMs, 0.5),
          unit: 'ms',
          note: `n = ${atOnceMs.length}`,
        },
        {
          id: 'idle.answerP50Ms',
          what: 'enqueue answered, p50',
          value: quantile(answerMs, 0.5),
          unit: 'ms',
          note: 'one client, over HTTP',
        },
        {
          id: 'idle.wholeP50Ms',
          what: 'accepted → ended (`true` as a process), p50',
          value: quantile(wholeMs, 0.5),
          unit: 'ms',
        },
      ],
      detail: { claim, claimMs, atOnceMs, answer: distribution(answerMs), whole: distribution(wholeMs) },
    };
  } finally {
    await stack.stop();
  }
}
