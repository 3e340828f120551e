import { expect } from 'vitest';
import type { CountingJob } from '../../support/counting-job.js';
import type { Launch } from '../../support/launcher.js';
import { inversionsIn, lineEventsOf, type LineEvent } from '../../support/line-order.js';
import type { Stack } from '../../support/stack.js';
import { until } from '../../support/until.js';
import { ticketsOf } from './tickets.js';

export interface Outcome {
  id: string;
  /** Default: finished. */
  state?: Launch['state'];
  /** Default: 1 when it finished, 0 when not. */
  starts?: number;
  /** It may also have been stopped, before or after it was started. */
  orStopped?: boolean;
}

/**
 * What must be true of a queue when the dust has settled, whatever was killed: every launch ended once and as it should, none was started
 * twice, no log has a gap or a double, the line was kept, nothing is left over.
 */
export async function expectAllWell(
  stack: Stack,
  job: CountingJob,
  queue: string,
  outcomes: readonly Outcome[],
  options: { ms?: number; faults?: number } = {},
): Promise<void> {
  const ended: { id: string; state: Launch['state'] }[] = [];
  for (const { id, state = 'finished', starts = state === 'finished' ? 1 : 0, orStopped = false } of outcomes) {
    const launch = await stack.ended(id, options.ms ?? 120_000);
    const story = JSON.stringify(launch.timeline.map((event) => event.sentence));
    const isAsExpected = launch.state === state || (orStopped && launch.state === 'stopped');
    expect(isAsExpected, `launch ${id} is ${launch.state}: ${story}`).toBe(true);
    const started = job.starts(id).length;
    expect(
      started === starts || (launch.state !== state && started === 0),
      `${started} processes of ${id}: ${story}`,
    ).toBe(true);
    ended.push({ id, state: launch.state });
  }
  for (const { id, state } of ended) {
    const { timeline } = await stack.show(id);
    const ends = timeline.filter(({ type }) => ['finished', 'failed', 'stopped'].includes(type));
    expect(ends, `ends of ${id}`).toHaveLength(1);
    if (state === 'finished') await expectWholeLog(stack, job, id);
  }
  expect(inversionsIn(await stack.ask<LineEvent>(lineEventsOf(queue)))).toEqual([]);
  await expectNothingLeft(stack, queue);
  const { scheduled, deliveries, claims } = await ticketsOf(stack, queue);
  // Without trouble a ticket is delivered once for each claim, and a few find nobody waiting. A fault costs the tickets that are out.
  const faults = options.faults ?? 1;
  expect(scheduled, `tickets for ${claims} claims`).toBeLessThanOrEqual(2 * claims + 40 * faults);
  expect(deliveries, `deliveries of tickets for ${claims} claims`).toBeLessThanOrEqual(4 * claims + 80 * faults);
  if (process.env['DAVIT_TEST_LOG'] !== undefined) console.log({ queue, scheduled, deliveries, claims });
}

async function expectWholeLog(stack: Stack, job: CountingJob, id: string): Promise<void> {
  const expected = job.expectedLog(id);
  expect(await stack.logText(id, 'stdout')).toBe(expected.stdout);
  expect(await stack.logText(id, 'stderr')).toBe(expected.stderr);
  const { data } = await stack.client.GET('/launches/{id}/logs', { params: { path: { id }, query: {} } });
  const numbers = data?.chunks.map((chunk) => chunk.n);
  expect(numbers, `chunks of ${id}`).toEqual(numbers?.map((_, i) => i + 1));
}

/**
 * No process of any job, no open workflow, no launch that is still due, no agent that holds anything. A surplus ticket of a line that no agent
 * serves any more keeps that line's workflow open until one comes: lines of other tests, whose agents are gone, do not count.
 */
export async function expectNothingLeft(stack: Stack, queue?: string): Promise<void> {
  await until(() => stack.jobProcesses().length === 0, {
    what: () => `no process of a job to live: ${JSON.stringify(stack.jobProcesses())}`,
    ms: 60_000,
  });
  let open: string[] = [];
  await until(
    () =>
      stack.inTemporal(async (client) => {
        open = [];
        for await (const { workflowId } of client.workflow.list({ query: `ExecutionStatus = 'Running'` }))
          if (queue === undefined || !workflowId.startsWith('line/') || workflowId.split('/')[2] === queue)
            open.push(workflowId);
        return open.length === 0;
      }),
    { what: () => `no workflow to be open: ${open.join(', ')}`, ms: 120_000, everyMs: 100 },
  );
  await until(async () => (await stack.ask(`select 1 from launch where due is not null`)).length === 0, {
    what: 'nobody to be told of anything any more',
  });
}

/** Slots that leaked or doubled show now: a burst fills exactly the slots there are. */
export async function expectAllSlotsFree(stack: Stack, job: CountingJob, queue: string, slots: number): Promise<void> {
  const ids: string[] = [];
  for (let n = 0; n < slots + 2; n++) ids.push(await job.enqueue(queue, { lines: 1, hold: true }));
  for (const id of ids.slice(0, slots)) await stack.untilState(id, ['running']);
  // Side by side: none may come to its end before the others have begun.
  for (const id of ids.slice(0, slots)) await job.atWork(id);
  for (const id of ids) job.release(id);
  for (const id of ids) expect(await stack.ended(id)).toMatchObject({ state: 'finished' });
  expect(job.mostAtOnce(ids)).toBe(slots);
}
