import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { version } from '../../cli/version.js';
import { Engine } from '../support/engine.js';
import { until } from '../support/until.js';

const folder = join(import.meta.dirname, 'histories', version);
let engine: Engine;
let connection: Connection;
let client: Client;

beforeAll(async () => {
  // A recorded release is a promise to workflows that are still running somewhere.
  expect(existsSync(folder), `${folder} exists: histories of a release are never recorded again`).toBe(false);
  engine = await Engine.start();
  connection = await Connection.connect({ address: engine.temporal.address });
  client = new Client({ connection });
  await engine.queue('q');
});
afterAll(async () => {
  await connection.close();
  await engine.stop();
});

async function save(name: string, workflowId: string): Promise<void> {
  await until(
    () =>
      client.workflow
        .getHandle(workflowId)
        .result()
        .then(() => true),
    { what: `workflow ${workflowId} to end` },
  );
  const { program, address } = engine.temporal;
  const json = execFileSync(
    program,
    ['workflow', 'show', '--workflow-id', workflowId, '--address', address, '--output', 'json'],
    {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  mkdirSync(folder, { recursive: true });
  // Stack traces name the folder in which they came to be; nobody else has it.
  writeFileSync(join(folder, `${name}.json`), json.replaceAll(`${process.cwd()}/`, ''));
}
const cancel = (id: string) => engine.client.POST('/launches/{id}/cancel', { params: { path: { id } } });

test('every path of the workflows', async () => {
  const quick = await engine.script('quick', 'true');
  const silent = await engine.script('silent', 'sleep 1000');
  const broken = await engine.job('broken', 'python train.py', {
    'train.py': '',
    'requirements.txt': 'no such requirement !!\n',
  });

  // Nobody serves the line yet.
  const waiting = await engine.enqueue('q', quick);
  await until(async () => (await client.workflow.getHandle(`launch/${waiting}`).describe()).status.name === 'RUNNING', {
    what: 'its workflow',
  });
  await cancel(waiting);
  await save('launch-cancelled-waiting', `launch/${waiting}`);

  const byTemporal = await engine.enqueue('q', quick);
  await until(
    async () => (await client.workflow.getHandle(`launch/${byTemporal}`).describe()).status.name === 'RUNNING',
    { what: 'its workflow' },
  );
  await client.workflow.getHandle(`launch/${byTemporal}`).cancel();
  await save('launch-cancelled-by-temporal', `launch/${byTemporal}`);

  const first = await engine.startAgent({ name: 'first' });
  const done = await engine.enqueue('q', quick);
  await save('launch-finished', `launch/${done}`);
  const failed = await engine.enqueue('q', broken);
  await save('launch-prepare-failed', `launch/${failed}`);
  const running = await engine.enqueue('q', silent);
  await engine.untilState(running, ['running']);
  await cancel(running);
  await save('launch-cancelled-running', `launch/${running}`);

  const hand = { queue: 'q', job: 'quick', entity: engine.entity, project: 'demo', requireRun: false };
  await client.workflow.start('launch', { taskQueue: 'launch-control', workflowId: 'by-hand', args: [hand] });
  await save('launch-by-hand', 'by-hand');

  // Handed over: the first agent leaves, its successor at the place follows the job.
  const adopted = await engine.enqueue('q', await engine.script('handed', 'sleep 6'));
  await engine.untilState(adopted, ['running']);
  await first.drain();
  await engine.startAgent({ name: 'second' });
  await save('launch-adopted', `launch/${adopted}`);

  await save('line', `line/${engine.entity}/q`);
});
