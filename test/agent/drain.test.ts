import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exitCodes } from '../../cli/output/exit-codes.js';
import type { DavitClient } from '../../client/index.js';
import { CountingJob } from '../support/counting-job.js';
import { Engine } from '../support/engine.js';
import { gatedTargets } from '../support/gated-target.js';
import { Stack } from '../support/stack.js';
import { until } from '../support/until.js';

type Order = 'drain' | 'stop' | 'activate';
const order = async (of: { client: DavitClient; entity: string }, agent: string, verb: Order) => {
  const params = { path: { entity: of.entity, agent } };
  switch (verb) {
    case 'drain':
      return (await of.client.POST('/agents/{entity}/{agent}/drain', { params })).data;
    case 'stop':
      return (await of.client.POST('/agents/{entity}/{agent}/stop', { params })).data;
    case 'activate':
      return (await of.client.POST('/agents/{entity}/{agent}/activate', { params })).data;
  }
};
const show = async (of: { client: DavitClient; entity: string }, agent: string) => {
  const { data } = await of.client.GET('/agents/{entity}/{agent}', { params: { path: { entity: of.entity, agent } } });
  if (!data) throw new Error('no answer');
  return data;
};

describe('an agent that is told by the API', () => {
  let engine: Engine;
  let job: string;
  const target = gatedTargets();
  beforeAll(async () => {
    engine = await Engine.start();
    job = await engine.script('noop', 'true');
    for (const queue of ['drained', 'stopped']) await engine.queue(queue);
  });
  afterAll(async () => {
    target.openGate();
    await engine.stop();
  });

  /** Two whole heartbeats from now: whatever it was going to do about an order, it has done. */
  async function untilItHasHeard(agent: string): Promise<void> {
    for (let n = 0; n < 2; n++) {
      const { heartbeatAt } = await show(engine, agent);
      await until(async () => (await show(engine, agent)).heartbeatAt !== heartbeatAt);
    }
  }

  test('to drain works off what it holds, takes nothing new, and stays until it is activated', async () => {
    await engine.startAgent({ name: 'one', queues: ['drained'], maxJobs: 2, targets: target.open });
    const running = await engine.enqueue('drained', job);
    await engine.untilState(running, ['running']);
    expect(await order(engine, 'one', 'drain')).toMatchObject({ status: 'draining', slots: { total: 2, used: 1 } });
    const waiting = await engine.enqueue('drained', job);
    await untilItHasHeard('one');
    expect((await engine.show(waiting)).state).toBe('queued');
    expect((await engine.show(running)).state).toBe('running');
    expect((await show(engine, 'one')).launches).toMatchObject([
      { id: running, state: 'running', queue: 'ada/drained' },
    ]);
    target.end(running);
    expect((await engine.ended(running)).state).toBe('finished');
    await untilItHasHeard('one');
    expect(await show(engine, 'one')).toMatchObject({
      status: 'draining',
      slots: { used: 0 },
      queues: ['ada/drained'],
    });
    expect((await engine.show(waiting)).state).toBe('queued');

    await order(engine, 'one', 'activate');
    await engine.untilState(waiting, ['running']);
    expect((await show(engine, 'one')).status).toBe('active');
    target.end(waiting);
    expect((await engine.ended(waiting)).agent).toBe('one');
  });

  test('to stop ends; its jobs go on and are followed by the next at its place; its name is refused', async () => {
    const two = await engine.startAgent({ name: 'two', queues: ['stopped'], targets: target.open });
    const id = await engine.enqueue('stopped', job);
    await engine.untilState(id, ['running']);
    await order(engine, 'two', 'stop');
    await two.dismissed;
    await two.drain();
    expect(await show(engine, 'two')).toMatchObject({ status: 'stopped', wanted: 'stopped', slots: { used: 1 } });
    const again = { name: 'two', queues: ['stopped'], targets: target.open };
    await expect(engine.startAgent(again)).rejects.toMatchObject({ code: 'agent-stopped' });
    const remove = engine.client.DELETE('/agents/{entity}/{agent}', {
      params: { path: { entity: 'ada', agent: 'two' } },
    });
    await expect(remove).rejects.toMatchObject({ code: 'agent-in-use' });

    // Whoever is at the place sees its end. The slot stays charged to who started the job.
    await engine.startAgent({ name: 'three', queues: [], targets: target.open });
    target.end(id);
    expect(await engine.ended(id)).toMatchObject({ state: 'finished', agent: 'two' });
    expect(target.started.filter((started) => started === id)).toHaveLength(1);

    await order(engine, 'two', 'activate');
    await engine.startAgent(again);
    const next = await engine.enqueue('stopped', job);
    await engine.untilState(next, ['running']);
    target.end(next);
    expect((await engine.ended(next)).agent).toBe('two');
  });
});

describe('a process that an operator stopped', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await Stack.start();
  });
  afterAll(() => stack.stop());

  test('is not started again, by davit up either, and its job is followed by the next one', async () => {
    const counting = await CountingJob.make(stack);
    await stack.queue('q');
    const id = await counting.enqueue('q', { hold: true, after: 20 });
    await stack.untilState(id, ['running']);
    await order(stack, 'first', 'stop');
    const isStopped = () => stack.up.events().some((event) => event['part'] === 'agent' && event['kind'] === 'stopped');
    await until(isStopped, { what: 'davit up to let the agent be', ms: 60_000 });
    expect(await show(stack, 'first')).toMatchObject({ status: 'stopped', launches: [{ id, state: 'running' }] });

    const second = await stack.startAgent('second');
    counting.release(id);
    expect((await stack.ended(id)).state).toBe('finished');
    expect(counting.starts(id)).toHaveLength(1);
    expect(await stack.logText(id, 'stdout')).toBe(counting.expectedLog(id).stdout);

    await order(stack, 'second', 'stop');
    expect(await second.exited).toBe(exitCodes.dismissed);
    // Whoever starts it all the same learns why it does not work, and gets the same answer for its supervisor.
    const refused = stack.spawnAgent('second');
    expect(await refused.exited).toBe(exitCodes.dismissed);
    expect(refused.said()).toContain('activated it since');
  });
});
