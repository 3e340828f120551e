import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../support/engine.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
  await engine.queue('q');
  await engine.startAgent({ maxJobs: 2 });
});
afterAll(() => engine.stop());

describe('a launch', () => {
  test('goes from enqueue to finished, with its log, its story and at most 40 events of history', async () => {
    const job = await engine.script('hello', 'echo out; echo err >&2; exit 0');
    const id = await engine.enqueue('q', job);
    const launch = await engine.ended(id);
    expect(launch).toMatchObject({ state: 'finished', exitCode: 0 });
    expect(await engine.logText(id, 'stdout')).toBe('out\n');
    expect(await engine.logText(id, 'stderr')).toBe('err\n');

    const connection = await Connection.connect({ address: engine.temporal.address });
    const client = new Client({ connection });
    const handle = client.workflow.getHandle(`launch/${id}`);
    expect(await handle.result()).toMatchObject({ launchId: id, state: 'finished', exitCode: 0 });
    const { events } = await handle.fetchHistory();
    expect(events?.length).toBeLessThanOrEqual(40);
    await connection.close();
  });

  test('that exits 3 failed, and says so', async () => {
    const id = await engine.enqueue('q', await engine.script('three', 'echo no >&2; exit 3'));
    expect(await engine.ended(id)).toMatchObject({
      state: 'failed',
      exitCode: 3,
      failure: { code: 'job-failed', fault: 'user' },
    });
  });

  test('that is cancelled while it runs silently ends, with all its processes', async () => {
    const id = await engine.enqueue('q', await engine.script('silent', 'sleep 1000 & sleep 1000'));
    await engine.untilState(id, ['running']);
    await engine.client.POST('/launches/{id}/cancel', { params: { path: { id } } });
    expect(await engine.ended(id)).toMatchObject({ state: 'stopped', failure: { code: 'cancelled' } });
  });
});
