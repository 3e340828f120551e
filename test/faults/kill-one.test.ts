import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CountingJob } from '../support/counting-job.js';
import { parts, Stack } from '../support/stack.js';
import { until } from '../support/until.js';
import { expectAllSlotsFree, expectAllWell } from './support/all-well.js';

const priorities = ['low', 'medium', 'high', 'medium'] as const;
const victims = [...parts, 'the API and the agent at once', 'everything'] as const;

const queueOf = (victim: (typeof victims)[number]): string => victim.split(' ').join('-');

let stack: Stack;
let job: CountingJob;
beforeAll(async () => {
  stack = await Stack.start();
  job = await CountingJob.make(stack);
  for (const victim of victims) await stack.queue(queueOf(victim));
});
afterAll(() => stack.stop());

/** One launch runs and prints, four wait. */
async function oneRunsOthersWait(queue: string): Promise<[string, ...string[]]> {
  const running = await job.enqueue(queue, { lines: 100, hold: true, after: 20 });
  await until(async () => (await stack.logText(running, 'stdout')).includes('line 20 '), {
    what: 'the job to print',
  });
  const waiting: string[] = [];
  for (const priority of priorities) waiting.push(await job.enqueue(queue, { lines: 10 }, { priority }));
  return [running, ...waiting];
}

describe('with one job running and others waiting, kill -9 of', () => {
  test.each(victims)('%s costs nothing but time', async (victim) => {
    const queue = queueOf(victim);
    const ids = await oneRunsOthersWait(queue);
    const [pid] = job.starts(ids[0]);
    if (victim === 'everything') {
      await stack.killEverything();
      expect(stack.jobProcesses().map((each) => each.pid)).toContain(pid);
      await stack.startUp();
    } else if (victim === 'the API and the agent at once') {
      // The agent comes back to an API that does not answer yet, and is known as its own predecessor's heir all the same.
      await Promise.all([stack.killAndWait('server'), stack.killAndWait('agent')]);
      expect(readFileSync(join(stack.home, 'logs', 'agent.log'), 'utf8')).not.toContain('agent-duplicate');
    } else await stack.killAndWait(victim);

    // What it printed meanwhile arrives while it still runs: somebody follows it again.
    await until(async () => (await stack.logText(ids[0], 'stdout')).includes('line 100 '), {
      what: 'the log to catch up',
      ms: 60_000,
    });
    expect((await stack.show(ids[0])).state).toBe('running');
    job.release(ids[0]);
    await expectAllWell(
      stack,
      job,
      queue,
      ids.map((id) => ({ id })),
    );
    await expectAllSlotsFree(stack, job, queue, 1);
  });
});
