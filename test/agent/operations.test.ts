import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Engine } from '../support/engine.js';
import { until } from '../support/until.js';

let engine: Engine;
let job: string;
let connection: Connection;
let client: Client;

beforeAll(async () => {
  engine = await Engine.start({ window: 40 });
  job = await engine.script('hello', 'exit 0');
  connection = await Connection.connect({ address: engine.temporal.address });
  client = new Client({ connection });
});
afterAll(async () => {
  await connection.close();
  await engine.stop();
});

const openLaunches = async (): Promise<number> =>
  (await client.workflow.count("WorkflowType = 'launch' AND ExecutionStatus = 'Running'")).count;
const bulk = async (body: Record<string, unknown>) => {
  const started = await engine.client.POST('/bulk', { body: body as never });
  const id = started.data?.id ?? '';
  return until(
    async () => {
      const { data } = await engine.client.GET('/bulk/{id}', { params: { path: { id } } });
      return data?.state === 'done' && data;
    },
    { what: 'the end of the bulk' },
  );
};

test('the workflows of launches that a bulk cancels end, and those behind the window never begin', async () => {
  await engine.queue('line');
  const launches = Array.from({ length: 120 }, () => ({ queue: 'ada/line', job }));
  await engine.client.POST('/launches/batch', { body: { launches } });
  await until(async () => (await openLaunches()) >= 40, { what: 'the window' });
  expect(await bulk({ action: 'cancel', filter: { queue: 'ada/line' } })).toMatchObject({ done: 120, failed: 0 });
  await until(async () => (await openLaunches()) === 0, { what: 'the end of the workflows' });
  const due = engine.database.db.selectFrom('launch').select('id').where('due', 'is not', null);
  await until(async () => (await due.execute()).length === 0, { what: 'an empty outbox' });
});

test('a queue that is deleted and made again under its name is served', async () => {
  const queue = { params: { path: { entity: 'ada', queue: 'again' } } };
  await engine.queue('again');
  for (let i = 0; i < 3; i++) await engine.enqueue('again', job);
  // Its line has tickets out, which nobody has taken when the queue is deleted.
  await until(
    async () => (await client.workflow.count("WorkflowType = 'line' AND ExecutionStatus = 'Running'")).count > 0,
    { what: 'the workflow of its line' },
  );
  const deleted = await engine.client.DELETE('/queues/{entity}/{queue}', {
    params: { ...queue.params, query: { cancelWaiting: 'true' } },
  });
  expect(deleted.data).toMatchObject({ cancelling: 3 });
  await engine.queue('again');
  await engine.startAgent({ maxJobs: 2 });
  const id = await engine.enqueue('again', job);
  expect(await engine.ended(id)).toMatchObject({ queue: { name: 'again' } });
});

test('a resumed queue and a raised limit let the next launch go at once', async () => {
  await engine.queue('limits');
  const path = { params: { path: { entity: 'ada', queue: 'limits' } } };
  await engine.client.PATCH('/queues/{entity}/{queue}', { ...path, body: { maxRunning: 0 } });
  await engine.client.POST('/queues/{entity}/{queue}/pause', { ...path, body: { reason: 'test' } });
  const ids = [await engine.enqueue('limits', job), await engine.enqueue('limits', job)];
  await engine.client.POST('/queues/{entity}/{queue}/resume', path);
  await engine.client.PATCH('/queues/{entity}/{queue}', { ...path, body: { maxRunning: 1 } });
  for (const id of ids) await engine.ended(id);
});
