import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CountingJob } from '../support/counting-job.js';
import { Stack } from '../support/stack.js';
import { until } from '../support/until.js';
import { expectAllSlotsFree, expectAllWell } from './support/all-well.js';

let stack: Stack;
let job: CountingJob;
beforeAll(async () => {
  // Agents by hand: nobody starts them again.
  stack = await Stack.start({ maxJobs: 0 });
  job = await CountingJob.make(stack);
  for (const queue of ['replaced', 'followed', 'drained', 'twice']) await stack.queue(queue);
});
afterAll(() => stack.stop());

const logHas = (id: string, text: string): Promise<boolean> =>
  until(async () => (await stack.logText(id, 'stdout')).includes(text), { what: `"${text}" in the log`, ms: 60_000 });

describe('an agent that is killed and never comes back', () => {
  test('is replaced by another of its place: what ran is adopted, what waited runs in order', async () => {
    const doomed = await stack.startAgent('doomed');
    const running = await job.enqueue('replaced', { lines: 100, hold: true, after: 20 });
    await logHas(running, 'line 10 ');
    const waiting: string[] = [];
    for (const priority of ['low', 'medium', 'high']) waiting.push(await job.enqueue('replaced', {}, { priority }));
    await doomed.kill();

    const heir = await stack.startAgent('heir');
    await logHas(running, 'line 100 ');
    job.release(running);
    await expectAllWell(
      stack,
      job,
      'replaced',
      [running, ...waiting].map((id) => ({ id })),
    );
    await expectAllSlotsFree(stack, job, 'replaced', 1);
    await heir.stop();
  });
});

describe('an agent that is killed while another of its place is at work', () => {
  test('leaves its running jobs to the other one, which follows them although all its slots are busy', async () => {
    const doomed = await stack.startAgent('doomed', { queues: ['followed'] });
    const running = await job.enqueue('followed', { lines: 60, hold: true, after: 20 });
    await logHas(running, 'line 10 ');
    const other = await stack.startAgent('other', { queues: ['followed'] });
    const busy = await job.enqueue('followed', { lines: 1, hold: true });
    await stack.untilState(busy, ['running']);
    const [pid] = job.starts(running);
    await doomed.kill();

    // Printed after the kill, and read by somebody else.
    await logHas(running, 'line 60 ');
    expect((await stack.show(running)).state).toBe('running');
    expect(job.starts(running)).toEqual([pid]);
    for (const id of [running, busy]) job.release(id);
    await expectAllWell(
      stack,
      job,
      'followed',
      [running, busy].map((id) => ({ id })),
    );
    expect((await stack.show(running)).attempt).toBe(1);
    await expectAllSlotsFree(stack, job, 'followed', 1);
    await other.stop();
  });
});

describe('an agent that is told to stop', () => {
  test('leaves its job running, and the next process of its name goes on with it', async () => {
    const before = await stack.startAgent('steady');
    const running = await job.enqueue('drained', { lines: 150, hold: true, after: 20 });
    await logHas(running, 'line 10 ');
    const waiting = await job.enqueue('drained');
    expect(await before.stop()).toBe(0);
    const [pid] = job.starts(running);
    expect(stack.jobProcesses().map((each) => each.pid)).toContain(pid);

    const after = await stack.startAgent('steady');
    await logHas(running, 'line 150 ');
    // One slot, and the job of the process before occupies it.
    expect((await stack.show(waiting)).state).toBe('queued');
    job.release(running);
    await expectAllWell(
      stack,
      job,
      'drained',
      [running, waiting].map((id) => ({ id })),
    );
    await expectAllSlotsFree(stack, job, 'drained', 1);
    await after.stop();
  });
});

describe('a second process under the name of an agent', () => {
  test('is refused while the first works, which goes on', async () => {
    const first = await stack.startAgent('single');
    const second = stack.spawnAgent('single');
    expect(await second.exited).not.toBe(0);
    expect(second.said()).toContain('agent-duplicate');
    expect(second.said()).toContain(`process ${first.pid}`);
    expect(await stack.pidOfAgent('single')).toBe(first.pid);

    const id = await job.enqueue('twice');
    await expectAllWell(stack, job, 'twice', [{ id }]);
    await first.stop();
  });
});
