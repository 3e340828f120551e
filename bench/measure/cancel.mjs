// Cancel of a running job that says nothing: until its process group is gone, and until its slot has the next launch.
import { distribution } from '../lib/numbers.mjs';
import { Stack, timeOf } from '../lib/stack.mjs';
import { until } from '../lib/until.mjs';

export async function cancel({ quick }) {
  const count = quick ? 5 : 20;
  const stack = await Stack.start({ args: ['--max-jobs', '1'] });
  try {
    const queue = await stack.queue('cancel');
    const job = await stack.silentJob();
    const goneMs = [];
    const nextMs = [];
    let running = await stack.enqueue(queue, job);
    for (let i = 0; i < count; i++) {
      const next = await stack.enqueue(queue, job);
      const group = await stack.jobGroup(running);
      await stack.untilLaunch(running, 'running', ({ state }) => state === 'running');
      await stack.api.post(`/launches/${running}/cancel`);
      const answeredAtMs = Date.now();
      await until(`group ${group} to be gone`, () => isGone(group), { everyMs: 2, limitMs: 60_000 });
      goneMs.push(Date.now() - answeredAtMs);
      const { claimedAt } = await stack.untilLaunch(next, 'claimed', (launch) => launch.claimedAt !== null);
      // The database's clock is this machine's.
      nextMs.push(timeOf(claimedAt) - answeredAtMs);
      running = next;
    }
    await stack.jobGroup(running);
    await stack.api.post(`/launches/${running}/cancel`);
    await stack.ended(running);
    const gone = distribution(goneMs);
    const free = distribution(nextMs);
    return {
      rows: [
        {
          id: 'cancel.goneP50Ms',
          what: 'cancel answered → process group gone, p50',
          value: gone.p50,
          unit: 'ms',
          note: `n = ${gone.n}, silent job`,
        },
        { id: 'cancel.goneMaxMs', what: '… max', value: gone.max, unit: 'ms', design: '≤ 2,000' },
        {
          id: 'cancel.nextP50Ms',
          what: 'cancel answered → next launch claimed by the slot, p50',
          value: free.p50,
          unit: 'ms',
        },
        { id: 'cancel.nextMaxMs', what: '… max', value: free.max, unit: 'ms' },
      ],
      detail: { gone, free, goneMs, nextMs },
    };
  } finally {
    await stack.stop();
  }
}

function isGone(group) {
  try {
    process.kill(-group, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}
