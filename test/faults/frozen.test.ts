import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { remoteName } from '../../domain/ids.js';
import { CountingJob } from '../support/counting-job.js';
import type { HandAgent } from '../support/hand-agent.js';
import { Stack } from '../support/stack.js';
import { until } from '../support/until.js';
import { expectAllSlotsFree, expectAllWell } from './support/all-well.js';
import { StepProxy, type OnStep } from './support/step-proxy.js';

let stack: Stack;
let job: CountingJob;
let proxy: StepProxy;
beforeAll(async () => {
  stack = await Stack.start({ maxJobs: 0 });
  job = await CountingJob.make(stack);
  for (const queue of ['running', 'starting', 'closed']) await stack.queue(queue);
  proxy = new StepProxy(stack.apiUrl);
});
afterAll(async () => {
  await stack.stop();
  proxy.close();
});

const freeze = (agent: HandAgent): void => void process.kill(agent.pid, 'SIGSTOP');
const thaw = (agent: HandAgent): void => void process.kill(agent.pid, 'SIGCONT');
const logHas = (id: string, text: string): Promise<boolean> =>
  until(async () => (await stack.logText(id, 'stdout')).includes(text), { what: `"${text}" in the log`, ms: 120_000 });

describe('an agent that stands still until everybody has given it up, and then goes on as if nothing had been', () => {
  test('loses a running job to another of its place, and disturbs neither the job nor who follows it', async () => {
    const slow = await stack.startAgent('slow', { queues: ['running'] });
    const id = await job.enqueue('running', { lines: 60, hold: true, after: 20 });
    await logHas(id, 'line 10 ');
    const [pid] = job.starts(id);
    const other = await stack.startAgent('other', { queues: ['running'] });
    freeze(slow);
    await logHas(id, 'line 60 ');
    thaw(slow);
    job.release(id);
    await expectAllWell(stack, job, 'running', [{ id }]);
    expect(job.starts(id)).toEqual([pid]);
    await until(() => stack.pidOfAgent('slow'), { what: 'the agent to be heard of again', ms: 120_000 });
    await expectAllSlotsFree(stack, job, 'running', 2);
    await slow.stop();
    await other.stop();
  });

  test('between its leave to start a job and the start of it, it does not start it any more', async () => {
    const url = await proxy.listen('slow');
    const slow = await stack.startAgent('slow', { queues: ['starting'], env: { DAVIT_URL: url } });
    let frozen: string | undefined;
    const atTheLastWord: OnStep = ({ call, moment, launchId }) => {
      if (call === 'secrets' && moment === 'done' && frozen === undefined) {
        // Its answer lies in its socket: it is the first that it reads when it goes on.
        freeze(slow);
        frozen = launchId;
      }
      return 'go on';
    };
    proxy.onStep = atTheLastWord;
    const id = await job.enqueue('starting');
    await until(() => frozen === id, { what: 'the agent to stand still' });

    const other = await stack.startAgent('other', { queues: ['starting'] });
    await stack.ended(id, 180_000);
    thaw(slow);
    const next = await job.enqueue('starting');
    await expectAllWell(
      stack,
      job,
      'starting',
      [id, next].map((each) => ({ id: each })),
    );
    expect(await stack.show(id)).toMatchObject({ state: 'finished', attempt: 2 });
    expect(job.starts(id)).toHaveLength(1);
    await until(() => stack.pidOfAgent('slow'), { what: 'the agent to be heard of again', ms: 120_000 });
    await expectAllSlotsFree(stack, job, 'starting', 2);
    await slow.stop();
    await other.stop();
  });
});

describe('a launch that is claimed again under the same attempt', () => {
  test('goes on under the next name when somebody closed this one as he let go of it', async () => {
    const id = await job.enqueue('closed');
    // The tombstone that an agent leaves which gave up a claim that nobody had confirmed.
    const state = join(stack.workFolder, 'jobs', remoteName(id, 1), 'state');
    mkdirSync(state, { recursive: true });
    writeFileSync(join(state, 'kill'), '');
    // It serves the other queues as well: somebody must answer the tickets that are left there.
    const agent = await stack.startAgent('next');
    await expectAllWell(stack, job, 'closed', [{ id }]);
    expect(await stack.show(id)).toMatchObject({ state: 'finished', attempt: 2 });
    await expectAllSlotsFree(stack, job, 'closed', 1);
    await agent.stop();
  });
});
