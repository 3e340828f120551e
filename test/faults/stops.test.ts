import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CountingJob } from '../support/counting-job.js';
import { Stack } from '../support/stack.js';
import { until } from '../support/until.js';
import { expectAllSlotsFree, expectAllWell } from './support/all-well.js';

let stack: Stack;
let counting: CountingJob;
beforeAll(async () => {
  stack = await Stack.start();
  counting = await CountingJob.make(stack);
  for (const queue of ['deaf', 'obedient', 'terminated', 'cancelled']) await stack.queue(queue);
});
afterAll(() => stack.stop());

const processesOf = (id: string): number => stack.jobProcesses().filter((each) => each.launchId === id).length;
/** Who was sent SIGKILL, and the keeper who has told of the end, are gone in a moment of their own. */
const untilGone = (id: string) => until(() => processesOf(id) === 0, { what: `all processes of ${id} to be gone` });

describe('a cancel of a silent job', () => {
  test('whose processes ignore the request ends them all after their grace', async () => {
    const deaf = await stack.script(
      'deaf',
      `trap '' TERM; sh -c 'while :; do sleep 1; done' & while :; do sleep 1; done`,
    );
    const overrides = { resourceConfig: { graceSeconds: 1 } };
    const id = await stack.enqueue('deaf', deaf, { overrides });
    // Keeper, job, its child, and what they sleep in.
    await until(() => processesOf(id) >= 4, { what: 'the job and its children' });
    expect(await stack.cancel(id)).toBe('stopping');
    expect(await stack.ended(id)).toMatchObject({ state: 'stopped', exitCode: 137, failure: { code: 'cancelled' } });
    await untilGone(id);
    await expectAllSlotsFree(stack, counting, 'deaf', 1);
  });

  test('that obeys ends by the request alone, long before its grace', async () => {
    const quiet = await stack.script('quiet', 'sleep 1000 & sleep 1000');
    const id = await stack.enqueue('obedient', quiet, { overrides: { resourceConfig: { graceSeconds: 600 } } });
    await until(() => processesOf(id) >= 4, { what: 'the job and its children' });
    await stack.cancel(id);
    expect(await stack.ended(id)).toMatchObject({ state: 'stopped', exitCode: 143, failure: { code: 'cancelled' } });
    await untilGone(id);
    await expectAllSlotsFree(stack, counting, 'obedient', 1);
  });
});

describe("an operator with Temporal's own tools", () => {
  const runOf = (id: string): Promise<{ runId: string; status: string }> =>
    stack.inTemporal(async (client) => {
      const { runId, status } = await client.workflow.getHandle(`launch/${id}`).describe();
      return { runId, status: status.name };
    });

  const workflowRunsOf = (id: string): Promise<number> =>
    stack.inTemporal(async (client) => (await client.workflow.count(`WorkflowId = 'launch/${id}'`)).count);

  test('terminates workflows: what runs is adopted by a new one, what waits runs later', async () => {
    const running = await counting.enqueue('terminated', { lines: 20, hold: true, after: 20 });
    const waiting = await counting.enqueue('terminated');
    await stack.untilState(running, ['running']);
    const ids = [running, waiting];
    const before = await Promise.all(ids.map((id) => until(() => runOf(id), { what: `the workflow of ${id}` })));
    await stack.inTemporal((client) =>
      Promise.all(ids.map((id) => client.workflow.getHandle(`launch/${id}`).terminate('to see what happens'))),
    );
    for (const [i, id] of ids.entries()) {
      await until(
        async () => {
          const { runId, status } = await runOf(id);
          return status === 'RUNNING' && runId !== before[i]?.runId;
        },
        { what: `a new workflow for ${id === running ? 'what runs' : 'what waits'}`, ms: 90_000 },
      );
    }
    expect((await stack.show(running)).state).toBe('running');
    expect((await stack.show(waiting)).state).toBe('queued');
    counting.release(running);
    await expectAllWell(
      stack,
      counting,
      'terminated',
      ids.map((id) => ({ id })),
    );
    await expectAllSlotsFree(stack, counting, 'terminated', 1);
  });

  test('cancels workflows: the same as a cancel of the launch, waiting or running', async () => {
    const running = await counting.enqueue('cancelled', { lines: 20, hold: true });
    const waiting = await counting.enqueue('cancelled');
    await stack.untilState(running, ['running']);
    await counting.atWork(running);
    await stack.inTemporal(async (client) => {
      await until(() => client.workflow.getHandle(`launch/${waiting}`).cancel(), { what: 'the workflow that waits' });
      await client.workflow.getHandle(`launch/${running}`).cancel();
    });
    await expectAllWell(stack, counting, 'cancelled', [
      { id: running, state: 'stopped', starts: 1 },
      { id: waiting, state: 'stopped' },
    ]);
    for (const id of [running, waiting]) {
      expect(await stack.show(id)).toMatchObject({ failure: { code: 'cancelled' }, cancelledBy: 'temporal' });
      expect(await workflowRunsOf(id), `workflows of ${id}`).toBe(1);
    }
    await expectAllSlotsFree(stack, counting, 'cancelled', 1);
  });
});
