// kill -9 of an agent while another of the same place is at work, with the heartbeats as shipped: when Temporal notices, when the other one
// follows the running job, and that the job did not notice.
import { setTimeout as wait } from 'node:timers/promises';
import { join } from 'node:path';
import { distribution } from '../lib/numbers.mjs';
import { Stack, timeOf } from '../lib/stack.mjs';
import { temporalOf } from '../lib/temporal.mjs';

/** temporal.api.enums.v1.EventType */
const activityTimedOut = 14;
/** Heartbeats are sent every few seconds: where between two of them the kill falls, decides. */
const heartbeatMs = 8_000;

export async function follow({ quick }) {
  const rounds = quick ? 1 : 6;
  const victims = quick ? 2 : 4;
  const stack = await Stack.start({ args: ['--no-agent'] });
  const temporal = await temporalOf(stack);
  try {
    const job = await stack.silentJob();
    // One place: what an agent left can be seen by whoever has the same work folder.
    const env = { DAVIT_WORK_FOLDER: join(stack.home, 'work', 'shared') };
    // It serves a queue of its own, so that it is free to follow and never the one that is killed.
    await stack.startAgent({ name: 'heir', maxJobs: 1, queues: [await stack.queue('other')], env });
    const noticedMs = [];
    const followedMs = [];
    let touched = 0;
    /** One agent with one job of its own, killed by itself at a moment of its own. */
    const one = async (name, queue) => {
      const agent = await stack.startAgent({ name, maxJobs: 1, queues: [queue], env });
      const id = await stack.enqueue(queue, job);
      const group = await stack.jobGroup(id);
      await stack.untilLaunch(id, 'running', ({ state }) => state === 'running');
      await wait(2_000 + Math.random() * heartbeatMs);
      const killedAtMs = Date.now();
      await stack.stopAgent(agent, 'SIGKILL');
      const isFollowed = (event) => event.type === 'running' && timeOf(event.at) > killedAtMs;
      const launch = await stack.untilLaunch(id, 'followed', ({ timeline }) => timeline.some(isFollowed), {
        everyMs: 100,
        limitMs: 90_000,
      });
      followedMs.push(timeOf(launch.timeline.find(isFollowed).at) - killedAtMs);
      const history = await temporal.history(`launch/${id}`);
      const lost = history.find(({ eventType, atMs }) => Number(eventType) === activityTimedOut && atMs > killedAtMs);
      if (lost) noticedMs.push(lost.atMs - killedAtMs);
      // A signal 0 to a group that is gone throws.
      process.kill(-group, 0);
      if (launch.attempt !== 1 || (await stack.jobGroup(id)) !== group) touched++;
      await stack.api.post(`/launches/${id}/cancel`);
      await stack.ended(id);
    };
    const queues = [];
    for (let n = 0; n < victims; n++) queues.push(await stack.queue(`follow-${n}`));
    for (let round = 0; round < rounds; round++) await Promise.all(queues.map((queue, n) => one(`victim-${n}`, queue)));
    const noticed = distribution(noticedMs);
    const followed = distribution(followedMs);
    return {
      rows: [
        {
          id: 'follow.noticedP50Ms',
          what: 'agent killed → noticed, p50',
          value: noticed.p50,
          unit: 'ms',
          note: `n = ${noticed.n}: one kill each, another agent of the place is at work`,
        },
        { id: 'follow.noticedP95Ms', what: '… p95', value: noticed.p95, unit: 'ms' },
        { id: 'follow.noticedMaxMs', what: '… max', value: noticed.max, unit: 'ms', design: '≤ 15,000' },
        {
          id: 'follow.followedP50Ms',
          what: 'agent killed → the other follows the job, p50',
          value: followed.p50,
          unit: 'ms',
          note: `n = ${followed.n}`,
        },
        { id: 'follow.followedP95Ms', what: '… p95', value: followed.p95, unit: 'ms' },
        { id: 'follow.followedMaxMs', what: '… max', value: followed.max, unit: 'ms', design: '≤ 30,000' },
        { id: 'follow.touched', what: 'jobs that noticed', value: touched, unit: '', design: '0' },
      ],
      detail: { noticed, followed, noticedMs, followedMs, touched },
    };
  } finally {
    temporal.close();
    await stack.stop();
  }
}
