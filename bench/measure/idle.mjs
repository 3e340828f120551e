// From the acceptance of a launch to its claim by an agent that has nothing to do, and how long `davit up` takes to be there.
import { distribution, quantile } from '../lib/numbers.mjs';
import { Stack, timeOf } from '../lib/stack.mjs';

export async function idle({ quick }) {
  const count = quick ? 20 : 120;
  const stack = await Stack.start();
  try {
    const queue = await stack.queue('idle');
    const job = await stack.noopJob();
    // The agent hears of a new queue with its next heartbeat; two launches warm up every process.
    for (let i = 0; i < 2; i++) await stack.ended(await stack.enqueue(queue, job));

    const answerMs = [];
    const ids = [];
    for (let i = 0; i < count; i++) {
      const sentAt = performance.now();
      const id = await stack.enqueue(queue, job);
      answerMs.push(performance.now() - sentAt);
      ids.push(id);
      await stack.ended(id);
    }
    const wanted = new Set(ids);
    const launches = (await stack.launchesOf(queue)).filter(({ id }) => wanted.has(id));
    // Both times are the database's own. The row's begins with the accepting transaction, so the commit is inside.
    const claimMs = launches.map((launch) => timeOf(launch.claimedAt) - timeOf(launch.createdAt));
    const wholeMs = launches.map((launch) => timeOf(launch.endedAt) - timeOf(launch.createdAt));
    const claim = distribution(claimMs);
    const n = `n = ${claim.n}, one after the other, real process target`;
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
      detail: { claim, claimMs, answer: distribution(answerMs), whole: distribution(wholeMs) },
    };
  } finally {
    await stack.stop();
  }
}
