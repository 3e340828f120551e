import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { markCrashedRuns } from '../../store/run-life.js';
import { readConsole, readHistory, readLines } from '../../store/run-lines.js';
import { getRun, type RunRecord } from '../../store/runs.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { until } from '../support/until.js';

let api: TrackingApi;
let projectId: number;
let count = 0;
beforeAll(async () => {
  api = await startTrackingApi();
  await newRun();
  projectId = (await api.db.selectFrom('project').select('id').where('name', '=', 'demo').executeTakeFirstOrThrow()).id;
});
afterAll(() => api.close());

async function newRun(): Promise<string> {
  const name = `run${++count}`;
  const made = await api.graphql(
    'mutation M($n: String) { upsertBucket(input: {name: $n, modelName: "demo"}) { inserted } }',
    { n: name },
  );
  expect(made.errors).toBeUndefined();
  return name;
}

const post = (run: string, body: unknown) => api.fileStream(`ada/demo/${run}`, body);
const history = (offset: number, ...content: string[]) => ({ files: { 'wandb-history.jsonl': { offset, content } } });
const log = (offset: number, ...content: string[]) => ({ files: { 'output.log': { offset, content } } });

async function read(name: string): Promise<RunRecord> {
  const run = await getRun(api.db, projectId, name);
  if (!run) throw new Error('the run is gone');
  return run;
}
const texts = async (name: string) =>
  (await readConsole(api.db, (await read(name)).id, { limit: 1000 })).map((l) => l.text);

/** All that is stored of a run, but for the sign of life. */
async function everything(name: string) {
  const { heartbeatAt: _, ...run } = await read(name);
  const lines = await Promise.all(
    (['history', 'events', 'log'] as const).map((file) => readLines(api.db, run.id, file, { from: 0, limit: 1000 })),
  );
  return { run, lines };
}

test('the same request twice changes nothing', async () => {
  const run = await newRun();
  const body = {
    files: {
      'wandb-history.jsonl': { offset: 0, content: ['{"_step":0,"loss":NaN}', '{"_step":1,"loss":-Infinity}'] },
      'wandb-events.jsonl': { offset: 0, content: ['{"system.cpu":1}'] },
      'output.log': { offset: 0, content: ['2026-01-01T00:00:00.000001 hello', 'ERROR 2026-01-01T00:00:00.000002 oh'] },
      'wandb-summary.json': { offset: 0, content: ['{"loss":-Infinity}'] },
    },
    complete: true,
    exitcode: 0,
  };
  expect(await post(run, body)).toEqual({ status: 200, body: {} });
  const first = await everything(run);
  expect(first.run).toMatchObject({
    state: 'finished',
    historyLines: 2,
    eventsLines: 1,
    logLines: 2,
    summary: { loss: '-Infinity' },
  });
  for (let i = 0; i < 3; i++) expect(await post(run, body)).toEqual({ status: 200, body: {} });
  expect(await everything(run)).toEqual(first);
});

test('an early request that is repeated after the end does not open the run again', async () => {
  const run = await newRun();
  await post(run, history(0, '{"_step":0}'));
  await post(run, { ...history(1, '{"_step":1}'), complete: true, exitcode: 3 });
  const ended = await everything(run);
  expect(ended.run).toMatchObject({ state: 'failed', exitCode: 3 });
  await post(run, history(0, '{"_step":0}'));
  await post(run, {});
  expect(await everything(run)).toEqual(ended);
  // New lines are a resumed run.
  await post(run, history(2, '{"_step":2}'));
  expect(await read(run)).toMatchObject({ state: 'running', exitCode: null, endedAt: null });
});

test('lines take their place by number: rewritten, out of order, behind a gap', async () => {
  const run = await newRun();
  await post(run, log(0, 'a', '10%', 'c'));
  await post(run, log(1, '90%'));
  expect(await texts(run)).toEqual(['a', '90%', 'c']);
  await post(run, log(6, 'late'));
  expect(await texts(run)).toEqual(['a', '90%', 'c', '', '', '', 'late']);
  await post(run, log(4, 'filled'));
  expect(await texts(run)).toEqual(['a', '90%', 'c', '', 'filled', '', 'late']);
  expect(await read(run)).toMatchObject({ logLines: 7 });
});

test('requests of one run at once all take effect', async () => {
  const run = await newRun();
  await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      post(run, { ...history(i, `{"_step":${i}}`), ...(i % 2 ? {} : log(i, `l${i}`)) }),
    ),
  );
  const found = await read(run);
  const steps = (await readHistory(api.db, found.id, { limit: 100 })).map((h) => h.values['_step']);
  // Every second one carried the console instead.
  expect(steps).toEqual([1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
  expect(found).toMatchObject({ historyLines: 20, logLines: 19, state: 'running' });
});

test('text that no database can hold costs one character, not the request', async () => {
  const run = await newRun();
  const answer = await post(run, {
    files: {
      'output.log': { offset: 0, content: ['nul \u0000 here', 'half \ud83d pair', 'whole \u{1f600} pair', ''] },
      'wandb-history.jsonl': { offset: 0, content: ['{"_step":0,"t":"a\\u0000b"}', 'not json', '[1]', '{"_step":3}'] },
    },
  });
  expect(answer.status).toBe(200);
  expect(await texts(run)).toEqual(['nul \ufffd here', 'half \ufffd pair', 'whole \u{1f600} pair', '']);
  const found = await read(run);
  expect(found.historyLines).toBe(4);
  expect((await readHistory(api.db, found.id, { limit: 10 })).map((h) => h.line)).toEqual([0, 3]);
});

test('a summary that is no object does not hide the last good one', async () => {
  const run = await newRun();
  await post(run, { files: { 'wandb-summary.json': { offset: 0, content: ['{"best":1}'] } } });
  await post(run, { files: { 'wandb-summary.json': { offset: 0, content: ['"oops', '[]'] } } });
  expect(await read(run)).toMatchObject({ summary: { best: 1 } });
});

test('a silent run has crashed, a pre-empted one is pre-empted, and a sign of life revives', async () => {
  const [silent, preempted, ended] = [await newRun(), await newRun(), await newRun()];
  await post(silent, {});
  await post(preempted, { preempting: true });
  expect(await read(preempted)).toMatchObject({ state: 'preempting' });
  await post(ended, { complete: true, exitcode: 0 });
  await until(
    async () => {
      await markCrashedRuns(api.db, 50);
      return (await read(silent)).state === 'crashed' && (await read(preempted)).state === 'preempted';
    },
    { what: 'both to be found silent' },
  );
  expect(await read(ended)).toMatchObject({ state: 'finished' });
  expect((await read(silent)).endedAt).toEqual((await read(silent)).heartbeatAt);
  await post(silent, {});
  expect(await read(silent)).toMatchObject({ state: 'running', endedAt: null });
});

test('time in which nobody watched is not silence', async () => {
  const run = await newRun();
  await post(run, {});
  await markCrashedRuns(api.db, 5_000);
  // The database was away for an hour: no signs of life arrived, and nobody swept.
  await api.db
    .updateTable('setting')
    .set({ value: '2026-01-01 00:00:00+00|2026-01-01 00:00:00+00' })
    .where('key', '=', 'runs-watched')
    .execute();
  await api.db
    .updateTable('run')
    .set({ heartbeat_at: new Date(Date.now() - 3600_000) })
    .where('name', '=', run)
    .execute();
  expect(await markCrashedRuns(api.db, 5_000)).toEqual([]);
  expect(await read(run)).toMatchObject({ state: 'running' });
});

test('what can never succeed is refused with a sentence, the rest is asked for again', async () => {
  const run = await newRun();
  const offset = await post(run, { files: { 'wandb-history.jsonl': { offset: -1, content: ['{}'] } } });
  expect(offset).toMatchObject({
    status: 400,
    body: { errors: [{ message: expect.stringContaining('offset') as string }] },
  });
  expect((await post(run, { files: { 'output.log': { offset: 0, content: 'text' } } })).status).toBe(400);
  expect((await post(run, [])).status).toBe(400);
  expect((await post('nobody', {})).status).toBe(404);
  expect((await api.fileStream('nobody/demo/x', {})).status).toBe(404);
  expect((await api.fileStream(`ada/demo/${run}`, {}, `davit_user-${'0'.repeat(40)}`)).status).toBe(401);
  const long = await post(run, log(0, 'x'.repeat(16 * 1024 * 1024 + 1)));
  expect(long).toMatchObject({
    status: 413,
    body: { errors: [{ message: expect.stringContaining('output.log') as string }] },
  });
  const wide = await post(run, log(0, ...Array.from({ length: 40 }, () => 'x'.repeat(1024 * 1024))));
  expect(wide.status).toBe(413);
  // Nothing of these was stored, and keys of other clients are no reason to refuse.
  expect(await read(run)).toMatchObject({ logLines: 0, historyLines: 0 });
  expect((await post(run, { dropped: 3, complete: false, failed: false, uploaded: [] })).status).toBe(200);
  expect((await post(run, log(0, 'y'.repeat(15 * 1024 * 1024)))).status).toBe(200);
  expect(await read(run)).toMatchObject({ logLines: 1, state: 'running' });
});

test('a packed request is taken like a plain one, and one that unpacks to too much is refused', async () => {
  const run = await newRun();
  const send = (bytes: Buffer) =>
    fetch(`${api.url}/files/ada/demo/${run}/file_stream`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'Content-Encoding': 'gzip',
        Authorization: `Basic ${Buffer.from(`api:${api.key}`).toString('base64')}`,
      },
      body: new Uint8Array(bytes),
    });
  const plain = history(0, '{"_step":0,"loss":1}', '{"_step":1,"loss":0.5}');
  expect((await send(gzipSync(JSON.stringify(plain)))).status).toBe(200);
  const stored = await everything(run);
  expect(stored.lines[0]?.map((line) => line.content)).toEqual(plain.files['wandb-history.jsonl'].content);
  await post(run, plain);
  expect(await everything(run)).toEqual(stored);
  // A few kilobytes that unpack to 64 MiB, and bytes that are no gzip.
  expect((await send(gzipSync(Buffer.alloc(64 * 1024 * 1024, ' ')))).status).toBe(413);
  expect((await send(Buffer.from('no gzip'))).status).toBe(400);
  expect(await everything(run)).toEqual(stored);
});

test('a stop is answered on the stream, and a resumed run does not inherit it', async () => {
  const run = await newRun();
  await post(run, {});
  const found = await api.graphql<{ project: { run: { id: string } } }>(
    'query Q($n: String) { project(name: "demo", entityName: "ada") { run(name: $n) { id } } }',
    { n: run },
  );
  const stopped = await api.graphql('mutation M($id: ID!) { stopRun(input: {id: $id}) { success } }', {
    id: found.data.project.run.id,
  });
  expect(stopped.data).toEqual({ stopRun: { success: true } });
  expect(await post(run, {})).toEqual({ status: 200, body: { stopped: true } });
  expect(await post(run, { complete: true, exitcode: 1 })).toEqual({ status: 200, body: { stopped: true } });
  expect(await read(run)).toMatchObject({ state: 'killed', exitCode: 1 });
  expect(await post(run, history(0, '{"_step":0}'))).toEqual({ status: 200, body: {} });
  expect(await read(run)).toMatchObject({ state: 'running', stopped: false });
});

test('the telemetry of clients gets a bare 404 without a key', async () => {
  for (const path of ['/sdk/otel/v1/metrics', '/sdk/otel/v1/logs']) {
    const res = await fetch(api.url + path, { method: 'POST', body: new Uint8Array([1, 2, 3]) });
    expect(res.status).toBe(404);
    expect(await res.text()).toBe('');
  }
});
