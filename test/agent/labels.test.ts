import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../support/engine.js';
import { gatedTargets } from '../support/gated-target.js';
import { until } from '../support/until.js';
import type { RunningAgent } from '../../workers/agent.js';

let engine: Engine;
let job: string;
const target = gatedTargets({ open: true });
beforeAll(async () => {
  engine = await Engine.start();
  job = await engine.script('noop', 'true');
});
afterAll(() => engine.stop());

const start = (name: string, labels: Record<string, string>, queues: string[]): Promise<RunningAgent> =>
  engine.startAgent({ name, labels, queues, targets: target.open });
const enqueue = (queue: string, requires?: Record<string, string>): Promise<string> =>
  engine.enqueue(queue, job, requires === undefined ? {} : { requires });
const agentOf = async (id: string): Promise<string | null> => (await engine.ended(id)).agent;
const claimedAt = async (id: string): Promise<string> =>
  (await engine.show(id)).timeline.find(({ type }) => type === 'claimed')?.at ?? '';
async function expectInOrder(ids: readonly string[]): Promise<void> {
  const at = await Promise.all(ids.map(claimedAt));
  expect(at).toEqual([...at].sort());
}

describe('required labels', () => {
  test('are what an agent must have; launches without are taken by anybody, and those that wait hold up nobody', async () => {
    await engine.queue('mixed');
    await start('plain', {}, ['mixed']);
    const gpu: string[] = [];
    const any: string[] = [];
    for (let i = 0; i < 4; i++) {
      gpu.push(await enqueue('mixed', { gpu: 'a100' }));
      any.push(await enqueue('mixed'));
    }
    const other = await enqueue('mixed', { gpu: 'h100' });
    for (const id of any) expect(await agentOf(id)).toBe('plain');
    await expectInOrder(any);
    for (const id of gpu) expect((await engine.show(id)).state).toBe('queued');

    await start('big', { gpu: 'a100', zone: 'x' }, ['mixed']);
    for (const id of gpu) expect(await agentOf(id)).toBe('big');
    await expectInOrder(gpu);
    expect((await engine.show(other)).state).toBe('queued');
    expect((await engine.show(other)).requires).toEqual({ gpu: 'h100' });
  });

  test('that nobody has asked for before are served by agents that run already, in the order of the line', async () => {
    await engine.queue('fresh');
    await start('ready', { zone: 'y', disk: 'fast' }, ['fresh']);
    const ids = [
      await enqueue('fresh', { zone: 'y' }),
      await enqueue('fresh', { disk: 'fast', zone: 'y' }),
      await enqueue('fresh'),
    ];
    for (const id of ids) expect(await agentOf(id)).toBe('ready');
  });

  test('an agent that satisfies several lines of a queue takes from all of them what is first', async () => {
    await engine.queue('several');
    const kinds = [undefined, { gpu: 'b' }, { zone: 'z' }, { gpu: 'b', zone: 'z' }];
    const ids: string[] = [];
    for (let i = 0; i < 12; i++) ids.push(await enqueue('several', kinds[i % kinds.length]));
    await start('all', { gpu: 'b', zone: 'z' }, ['several']);
    for (const id of ids) expect(await agentOf(id)).toBe('all');
    await expectInOrder(ids);
  });

  test('are those of the latest hello: an agent that comes back with others takes other launches', async () => {
    await engine.queue('changed');
    const before = await start('fickle', { gpu: 'old' }, ['changed']);
    const old = await enqueue('changed', { gpu: 'old' });
    expect(await agentOf(old)).toBe('fickle');
    await before.drain();
    await start('fickle', { gpu: 'new' }, ['changed']);
    const stale = await enqueue('changed', { gpu: 'old' });
    const wanted = await enqueue('changed', { gpu: 'new' });
    expect(await agentOf(wanted)).toBe('fickle');
    expect((await engine.show(stale)).state).toBe('queued');
    const { data } = await engine.client.GET('/agents', {});
    const shown = await until(() => data?.items.find(({ name }) => name === 'fickle'));
    expect(shown.labels).toEqual({ gpu: 'new' });
  });
});
