// kill -9 of the agent while its jobs run: when Temporal notices, when another agent process follows the jobs, and that none ran twice.
import { distribution } from '../lib/numbers.mjs';
import { Stack, timeOf } from '../lib/stack.mjs';
import { temporalOf } from '../lib/temporal.mjs';

/** temporal.api.enums.v1.EventType */
const activityTimedOut = 14;

export async function adopt({ quick }) {
  const rounds = quick ? 1 : 3;
  const jobs = 2;
  const stack = await Stack.start({ args: ['--max-jobs', String(jobs)] });
  const temporal = await temporalOf(stack);
  try {
    const queue = await stack.queue('adopt');
    const job = await stack.silentJob();
    const noticedMs = [];
    const adoptedMs = [];
    let reruns = 0;
    for (let round = 0; round < rounds; round++) {
      const ids = [];
      for (let i = 0; i < jobs; i++) ids.push(await stack.enqueue(queue, job));
      const groups = await Promise.all(ids.map((id) => stack.jobGroup(id)));
      await Promise.all(ids.map((id) => stack.untilLaunch(id, 'running', ({ state }) => state === 'running')));
      const killedAtMs = Date.now();
      process.kill(stack.parts().agent, 'SIGKILL');
      for (const [i, id] of ids.entries()) {
        const launch = await stack.untilLaunch(id, 'adopted', ({ timeline }) => timeline.some(isAdoption(killedAtMs)), {
          everyMs: 100,
          limitMs: 90_000,
        });
        adoptedMs.push(timeOf(launch.timeline.find(isAdoption(killedAtMs)).at) - killedAtMs);
        const lost = (await temporal.history(`launch/${id}`)).find(
          ({ eventType, atMs }) => Number(eventType) === activityTimedOut && atMs > killedAtMs,
        );
        if (lost) noticedMs.push(lost.atMs - killedAtMs);
        if (launch.attempt !== 1 || (await stack.jobGroup(id)) !== groups[i]) reruns++;
      }
      for (const id of ids) await stack.api.post(`/launches/${id}/cancel`);
      for (const id of ids) await stack.ended(id);
    }
    const noticed = distribution(noticedMs);
    const adopted = distribution(adoptedMs);
    const n = `n = ${adopted.n}: ${rounds} kills with ${jobs} jobs each; \`davit up\` starts the agent again at once`;
    return {
      rows: [
        { id: 'adopt.noticedP50Ms', what: 'agent killed → noticed, p50', value: noticed.p50, unit: 'ms', note: n },
        { id: 'adopt.noticedMaxMs', what: '… max', value: noticed.max, unit: 'ms', design: '≤ 15,000' },
        { id: 'adopt.adoptedP50Ms', what: 'agent killed → job followed again, p50', value: adopted.p50, unit: 'ms' },
        { id: 'adopt.adoptedMaxMs', what: '… max', value: adopted.max, unit: 'ms', design: '≤ 30,000' },
        { id: 'adopt.reruns', what: 'jobs started again', value: reruns, unit: '', design: '0' },
      ],
      detail: { noticed, adopted, noticedMs, adoptedMs, reruns },
    };
  } finally {
    temporal.close();
    await stack.stop();
  }
}

/** Who takes a job over reports its state anew. */
const isAdoption = (killedAtMs) => (event) => event.type === 'running' && timeOf(event.at) > killedAtMs;
