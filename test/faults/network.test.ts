import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CountingJob } from '../support/counting-job.js';
import { Stack } from '../support/stack.js';
import { until } from '../support/until.js';
import { expectAllSlotsFree, expectAllWell } from './support/all-well.js';
import { StepProxy } from './support/step-proxy.js';
import { TcpRelay } from './support/tcp-relay.js';

let stack: Stack;
let job: CountingJob;
let proxy: StepProxy;
let relay: TcpRelay;
beforeAll(async () => {
  stack = await Stack.start({ maxJobs: 0 });
  job = await CountingJob.make(stack);
  for (const queue of ['cut-off', 'no-api', 'unconfirmed']) await stack.queue(queue);
  proxy = new StepProxy(stack.apiUrl);
  relay = await TcpRelay.to(stack.temporalAddress);
});
afterAll(async () => {
  await stack.stop();
  proxy.close();
  relay.close();
});

const logHas = (id: string, text: string): Promise<boolean> =>
  until(async () => (await stack.logText(id, 'stdout')).includes(text), { what: `"${text}" in the log`, ms: 180_000 });

describe('an agent whose network is cut', () => {
  test('off from everything loses its launch to another of its place, whose job goes on, and starts nothing when it is back', async () => {
    const url = await proxy.listen('remote');
    const env = { DAVIT_URL: url, TEMPORAL_ADDRESS: relay.address };
    const remote = await stack.startAgent('remote', { env });
    const running = await job.enqueue('cut-off', { lines: 20, hold: true, after: 20 });
    await logHas(running, 'line 10 ');
    const [pid] = job.starts(running);
    const near = await stack.startAgent('near');

    proxy.cut('remote');
    relay.cut();
    const toldBefore = (await stack.show(running)).timeline.length;
    await until(async () => (await stack.show(running)).timeline.length > toldBefore, {
      what: 'somebody else to follow the job',
      ms: 180_000,
    });
    expect(job.starts(running)).toEqual([pid]);
    // What waits meanwhile goes to whoever can be reached.
    const waiting = await job.enqueue('cut-off');
    await stack.ended(waiting);

    proxy.mend('remote');
    relay.mend();
    job.release(running);
    await expectAllWell(
      stack,
      job,
      'cut-off',
      [running, waiting].map((id) => ({ id })),
    );
    await until(() => stack.pidOfAgent('remote'), { what: 'the agent to be heard of again', ms: 120_000 });
    await expectAllSlotsFree(stack, job, 'cut-off', 2);
    expect(remote.isOver).toBe(false);
    await near.stop();
    await remote.stop();
  });

  test('off from the API alone goes on with its job, and its log is whole when the API is back', async () => {
    const url = await proxy.listen('mute');
    const mute = await stack.startAgent('mute', { env: { DAVIT_URL: url } });
    const running = await job.enqueue('no-api', { lines: 40, hold: true, after: 40 });
    await logHas(running, 'line 10 ');
    proxy.cut('mute');
    job.release(running);
    await until(() => job.ended(running), { what: 'the job to end' });
    expect((await stack.show(running)).state).toBe('running');

    proxy.mend('mute');
    await expectAllWell(stack, job, 'no-api', [{ id: running }]);
    await expectAllSlotsFree(stack, job, 'no-api', 1);
    await mute.stop();
  });

  test('off from the API before it has confirmed its claim loses the launch to another agent', async () => {
    const url = await proxy.listen('unheard');
    const unheard = await stack.startAgent('unheard', { env: { DAVIT_URL: url }, queues: ['unconfirmed'] });
    proxy.onStep = ({ from, call, moment }) => {
      if (from !== 'unheard' || call !== 'confirm' || moment !== 'before') return 'go on';
      proxy.cut('unheard');
      return 'cut';
    };
    const id = await job.enqueue('unconfirmed');
    await until(async () => (await stack.show(id)).state === 'claimed', { what: 'the claim' });
    const near = await stack.startAgent('near', { queues: ['unconfirmed'] });
    await stack.ended(id, 180_000);

    proxy.onStep = () => 'go on';
    proxy.mend('unheard');
    await expectAllWell(stack, job, 'unconfirmed', [{ id }]);
    await until(() => stack.pidOfAgent('unheard'), { what: 'the agent to be heard of again', ms: 120_000 });
    await expectAllSlotsFree(stack, job, 'unconfirmed', 2);
    await near.stop();
    await unheard.stop();
  });
});
