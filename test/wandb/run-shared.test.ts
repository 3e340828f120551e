import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConsole, readHistory } from '../../store/run-lines.js';
import { getRun, type RunRecord } from '../../store/runs.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';

let api: TrackingApi;
beforeAll(async () => {
  api = await startTrackingApi();
});
afterAll(() => api.close());

/** Processes that write one run together say so in headers, and who each of them is. */
async function call(path: string, writer: string, body: unknown): Promise<unknown> {
  const res = await fetch(api.url + path, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Authorization: `Basic ${Buffer.from(`api:${api.key}`).toString('base64')}`,
      'X-WANDB-USE-ASYNC-FILESTREAM': 'true',
      [path === '/graphql' ? 'X-WANDB-CLIENT-ID' : 'X-WANDB-ASYNC-CLIENT-ID']: writer,
    },
    body: JSON.stringify(body),
  });
  expect(res.status).toBe(200);
  return res.json();
}
const query = `mutation M($name: String, $host: String, $config: JSONString) {
  upsertBucket(input: {name: $name, modelName: "shared", host: $host, config: $config}) { inserted } }`;
async function upsert(run: string, writer: string, config: object, host: string | null = null) {
  const answer = await call('/graphql', writer, {
    query,
    variables: { name: run, host, config: JSON.stringify(config) },
  });
  expect(answer).toHaveProperty('data.upsertBucket.inserted');
}
const init = (run: string, writer: string) => upsert(run, writer, { [writer]: { value: 1 } }, 'vm');
/** The one that leads also sends its environment. */
const lead = (run: string, writer: string) =>
  upsert(run, writer, { [writer]: { value: 2 }, _wandb: { value: { e: { [writer]: { os: 'x' } } } } });
const post = (run: string, writer: string, body: object) => call(`/files/ada/shared/${run}/file_stream`, writer, body);
const history = (offset: number, ...content: string[]) => ({ files: { 'wandb-history.jsonl': { offset, content } } });
const log = (offset: number, ...content: string[]) => ({ files: { 'output.log': { offset, content } } });

async function read(name: string): Promise<RunRecord> {
  const { id } = await api.db.selectFrom('project').select('id').where('name', '=', 'shared').executeTakeFirstOrThrow();
  const run = await getRun(api.db, id, name);
  if (!run) throw new Error('the run is gone');
  return run;
}

test('lines of several processes are all kept, each once, though each counts from 0', async () => {
  await init('lines', 'a');
  await init('lines', 'b');
  await post('lines', 'a', { ...history(0, '{"_step":0,"a":1}'), ...{} });
  await post('lines', 'b', history(0, '{"_step":0,"b":1}', '{"_step":1,"b":2}'));
  await post('lines', 'a', history(0, '{"_step":0,"a":1}'));
  await post('lines', 'a', history(1, '{"_step":1,"a":2}'));
  await post('lines', 'a', log(0, 'a 10%'));
  await post('lines', 'b', log(0, 'b'));
  await post('lines', 'a', log(0, 'a 90%'));
  const run = await read('lines');
  const rows = await readHistory(api.db, run.id, { limit: 100 });
  expect(rows.map((r) => r.values)).toEqual([
    { _step: 0, a: 1 },
    { _step: 0, b: 1 },
    { _step: 1, b: 2 },
    { _step: 1, a: 2 },
  ]);
  expect((await readConsole(api.db, run.id, { limit: 10 })).map((l) => l.text)).toEqual(['a 90%', 'b']);
  expect(run).toMatchObject({ historyLines: 4, logLines: 2 });
});

test('lines without a step get one in the order in which they are put together', async () => {
  await init('steps', 'a');
  await init('steps', 'b');
  await post('steps', 'a', history(0, '{"a":1}'));
  await post('steps', 'b', history(1, '{"b":1}'));
  await post('steps', 'b', history(1, '{"b":1}', '{"b":2}'));
  const rows = await readHistory(api.db, (await read('steps')).id, { limit: 100 });
  expect(rows.map((r) => r.values)).toEqual([
    { _step: 0, a: 1 },
    { _step: 1, b: 1 },
    { _step: 2, b: 2 },
  ]);
});

test('configs and summaries of all processes are joined', async () => {
  await init('joined', 'a');
  await init('joined', 'b');
  await lead('joined', 'a');
  await post('joined', 'a', { files: { 'wandb-summary.json': { offset: 0, content: ['{"a":1,"x":NaN}'] } } });
  await post('joined', 'b', { files: { 'wandb-summary.json': { offset: 0, content: ['{"b":2}'] } } });
  expect(await read('joined')).toMatchObject({ config: { a: 2, b: 1 }, summary: { a: 1, b: 2, x: 'NaN' } });
});

test('the run ends when the process that leads says so; a late line of another one does not open it again', async () => {
  await init('ends', 'a');
  await init('ends', 'b');
  await lead('ends', 'a');
  await post('ends', 'b', { ...log(0, 'b'), complete: true, exitcode: 0 });
  expect(await read('ends')).toMatchObject({ state: 'running' });
  await post('ends', 'a', { complete: true, exitcode: 3 });
  expect(await read('ends')).toMatchObject({ state: 'failed', exitCode: 3 });
  await post('ends', 'c', log(0, 'late'));
  await post('ends', 'b', log(1, 'later'));
  expect(await read('ends')).toMatchObject({ state: 'failed', exitCode: 3, logLines: 3 });
});

test('a process that joins does not begin the run anew, and one that joins an ended run lets it go on', async () => {
  await init('joins', 'a');
  await post('joins', 'a', history(0, '{"_step":0}'));
  await init('joins', 'b');
  expect(await read('joins')).toMatchObject({ historyLines: 1 });
  await post('joins', 'a', { complete: true, exitcode: 0 });
  expect(await read('joins')).toMatchObject({ state: 'finished' });
  await init('joins', 'a2');
  expect(await read('joins')).toMatchObject({ state: 'running', exitCode: null, endedAt: null, historyLines: 1 });
});
