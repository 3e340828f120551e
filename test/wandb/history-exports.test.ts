import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exportedHistory, exportHistory, sweepHistoryExports } from '../../store/history-exports.js';
import type { Blobs } from '../../store/blobs/blobs.js';
import { deleteRun } from '../../store/run-life.js';
import { s3Credentials, startS3 } from '../support/s3.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { until } from '../support/until.js';

let api: TrackingApi;
let count = 0;
beforeAll(async () => {
  api = await startTrackingApi();
});
afterAll(() => api.close());

interface Run {
  name: string;
  id: number;
}

/** Begun, or with a name that is known begun anew (`host` is what a process says first). */
async function begin(name = `run${++count}`, to = api): Promise<Run> {
  const made = await to.graphql(
    'mutation M($n: String) { upsertBucket(input: {name: $n, modelName: "demo", host: "here"}) { inserted } }',
    { n: name },
  );
  expect(made.errors).toBeUndefined();
  const row = await to.db.selectFrom('run').select('id').where('name', '=', name).executeTakeFirstOrThrow();
  return { name, id: row.id };
}

async function post(run: Run, offset: number, content: string[], to = api): Promise<void> {
  const answer = await to.fileStream(`ada/demo/${run.name}`, {
    files: { 'wandb-history.jsonl': { offset, content } },
  });
  expect(answer).toMatchObject({ status: 200 });
}

async function end(run: Run, to = api): Promise<void> {
  expect(await to.fileStream(`ada/demo/${run.name}`, { complete: true, exitcode: 0 })).toMatchObject({ status: 200 });
}

const range = (from: number, until: number): number[] => Array.from({ length: until - from }, (_, i) => from + i);
const line = (step: number): string =>
  `{"_step":${step},"loss":${1 / (step + 1)},"odd":${['NaN', 'Infinity', '-Infinity', '7'][step % 4] ?? ''},"lr":0.001}`;
const row = (step: number) => ({
  _step: BigInt(step),
  loss: 1 / (step + 1),
  lr: 0.001,
  odd: [NaN, Infinity, -Infinity, 7][step % 4],
});

async function ended(lines: string[]): Promise<Run> {
  const run = await begin();
  await post(run, 0, lines);
  await end(run);
  return run;
}

interface Offered {
  parquetUrls: string[];
  liveData: { _step: number }[];
}

async function offered(run: Run, to = api): Promise<Offered> {
  const answer = await to.graphql<{ project: { run: { parquetHistory: Offered } } }>(
    `query RunParquetHistory($entity: String!, $project: String!, $runName: String!, $liveKeys: [String!]!) {
      project(name: $project, entityName: $entity) { run(name: $runName) { parquetHistory(liveKeys: $liveKeys) { liveData parquetUrls } } } }`,
    { entity: 'ada', project: 'demo', runName: run.name, liveKeys: ['_step'] },
  );
  expect(answer.errors).toBeUndefined();
  return answer.data.project.run.parquetHistory;
}

/** Asked again while a busy machine still makes them, as users would. */
const given = (run: Run, to = api): Promise<string[]> =>
  until(
    async () => {
      const { parquetUrls, liveData } = await offered(run, to);
      if (parquetUrls.length === 0) throw new Error('no files yet');
      expect(liveData).toEqual([]);
      return parquetUrls;
    },
    { what: `the files of ${run.name}`, ms: 120_000, everyMs: 100 },
  );

const pages: Offered = { parquetUrls: [], liveData: [{ _step: 0 }] };

async function bytesAt(url: string): Promise<ArrayBuffer> {
  const answer = await fetch(url);
  expect(answer.status).toBe(200);
  return answer.arrayBuffer();
}

async function rowsAt(urls: readonly string[]): Promise<Record<string, unknown>[]> {
  const rows = [];
  for (const url of urls) rows.push(...(await parquetReadObjects({ file: await bytesAt(url) })));
  return rows;
}

const keysOf = async (run: Run): Promise<string[]> =>
  (await api.db.selectFrom('history_export').select('blob_key').where('run_id', '=', run.id).execute()).flatMap(
    ({ blob_key }) => blob_key ?? [],
  );

test('an ended run is read from a file: every line once, each number as it was logged', async () => {
  const steps = range(0, 3_000);
  const run = await ended(steps.map(line));
  const parquetUrls = await given(run);
  expect(parquetUrls).toHaveLength(1);
  expect(await rowsAt(parquetUrls)).toEqual(steps.map(row));
  const { schema, row_groups } = parquetMetadata(await bytesAt(parquetUrls[0] ?? ''));
  expect(schema.slice(1).map(({ name, type }) => [name, type])).toEqual([
    ['_step', 'INT64'],
    ['loss', 'DOUBLE'],
    ['lr', 'DOUBLE'],
    ['odd', 'DOUBLE'],
  ]);
  // Clients choose row groups by it.
  expect(row_groups[0]?.columns[0]?.meta_data?.statistics).toMatchObject({ min_value: 0n, max_value: 2_999n });
  expect(await rowsAt(await given(run))).toHaveLength(3_000);
  expect(await keysOf(run)).toHaveLength(1);
});

test('a table of many columns and rows comes in row groups that follow one another', async () => {
  const steps = range(0, 2_500);
  const keys = range(0, 120).map((n) => `key${n}`);
  const run = await begin();
  for (const from of [0, 1_000, 2_000])
    await post(
      run,
      from,
      steps.slice(from, from + 1_000).map((step) => {
        const values = Object.fromEntries(keys.map((key, n) => [key, step + n / 1_000]));
        return JSON.stringify({ _step: step * 2, ...values });
      }),
    );
  await end(run);
  const parquetUrls = await given(run);
  expect(parquetMetadata(await bytesAt(parquetUrls[0] ?? '')).row_groups.length).toBeGreaterThan(1);
  const rows = await rowsAt(parquetUrls);
  expect(rows.map(({ _step }) => Number(_step))).toEqual(steps.map((step) => step * 2));
  expect(rows.every((values, step) => keys.every((key, n) => values[key] === step + n / 1_000))).toBe(true);
});

test('lines that are missing or broken are no rows', async () => {
  const run = await begin();
  await post(run, 0, [line(0), 'broken', line(1)]);
  await post(run, 10, [line(2), '[]', line(3)]);
  await end(run);
  const parquetUrls = await given(run);
  expect(await rowsAt(parquetUrls)).toEqual([0, 1, 2, 3].map(row));
});

test('a run that still logs, and one whose rows a file would not tell rightly, are read by pages', async () => {
  const running = await begin();
  await post(running, 0, range(0, 10).map(line));
  expect(await offered(running)).toEqual(pages);
  const shapes = {
    sparse: [line(0), '{"_step":1,"loss":1,"lr":1}'],
    nested: ['{"_step":0,"deep":{"loss":1}}', '{"_step":1,"deep":{"loss":1}}'],
    text: ['{"_step":0,"word":"a"}', '{"_step":1,"word":"b"}'],
    back: [line(1), line(0)],
    fraction: ['{"_step":0.5,"loss":1}', '{"_step":1.5,"loss":1}'],
    steps: ['{"loss":1}', '{"loss":2}'],
  };
  for (const [shape, lines] of Object.entries(shapes)) {
    const run = await ended(lines);
    expect(await offered(run), shape).toEqual(pages);
    expect(await keysOf(run), shape).toEqual([]);
  }
  const nothing = await begin();
  await end(nothing);
  expect(await offered(nothing)).toEqual({ parquetUrls: [], liveData: [] });
});

test('a run that goes on keeps its file as it is and gets another one behind it', async () => {
  const run = await ended(range(0, 1_500).map(line));
  const [first = ''] = await given(run);
  const before = Buffer.from(await bytesAt(first));
  await post(run, 1_500, range(1_500, 1_600).map(line));
  expect(await offered(run)).toEqual(pages);
  await end(run);
  const parquetUrls = await given(run);
  expect(parquetUrls).toHaveLength(2);
  expect(Buffer.from(await bytesAt(parquetUrls[0] ?? '')).equals(before)).toBe(true);
  expect(await rowsAt(parquetUrls)).toEqual(range(0, 1_600).map(row));
  // With a key that the first file does not have there is no table of the whole.
  await post(run, 1_600, [line(1_600).replace('lr', 'new')]);
  await end(run);
  expect(await offered(run)).toEqual(pages);
});

test('lines that change after they were exported are never told from the file again', async () => {
  const rewritten = await ended(range(0, 20).map(line));
  const rewound = await ended(range(0, 20).map(line));
  const begunAnew = await ended(range(0, 20).map(line));
  const all = [rewritten, rewound, begunAnew];
  for (const run of all) expect(await given(run)).toHaveLength(1);
  const keys = (await Promise.all(all.map(keysOf))).flat();

  await post(rewritten, 3, [line(3).replace('0.001', '0.002')]);
  const cut = await api.graphql(
    'mutation R($r: String!) { rewindRun(input: {runName: $r, entityName: "ada", projectName: "demo", metricName: "_step", metricValue: 9}) { rewoundRun { id } } }',
    { r: rewound.name },
  );
  expect(cut.errors).toBeUndefined();
  await begin(begunAnew.name);
  for (const run of all) {
    await post(run, 20, [line(20)]);
    await end(run);
    expect(await offered(run), run.name).toEqual(pages);
  }
  await sweepHistoryExports(api);
  for (const key of keys) expect(await api.blobs.stat(key)).toBeUndefined();
  for (const run of all) expect(await offered(run), run.name).toEqual(pages);
});

test('a line that is sent again as it was changes nothing', async () => {
  const run = await ended(range(0, 20).map(line));
  const parquetUrls = await given(run);
  await post(run, 3, [line(3)]);
  await end(run);
  expect(await rowsAt(await given(run))).toEqual(await rowsAt(parquetUrls));
  expect(await keysOf(run)).toHaveLength(1);
});

test('a deleted run takes its file with it; another run of its name is not taken for it', async () => {
  const run = await ended(range(0, 20).map(line));
  await given(run);
  const [key = ''] = await keysOf(run);
  expect(await api.blobs.stat(key)).toBeDefined();
  await deleteRun(api.db, run.id);
  await sweepHistoryExports(api);
  expect(await api.blobs.stat(key)).toBeUndefined();
  const other = await begin(run.name);
  await post(other, 0, range(0, 5).map(line));
  await end(other);
  expect(await offered(other)).toEqual(pages);
});

/** Storage that does something between the last byte and the answer. */
const storage = (meanwhile: () => Promise<void>): Blobs => ({
  ...api.blobs,
  async put(...args) {
    const done = await api.blobs.put(...args);
    await meanwhile();
    return done;
  },
});

test('lines that change while they are exported make no file', async () => {
  const run = await ended(range(0, 20).map(line));
  const put: string[] = [];
  const blobs = storage(async () => {
    put.push(...(await keysOf(run)));
    await post(run, 3, [line(3).replace('0.001', '0.002')]);
    await end(run);
  });
  expect(await exportHistory({ db: api.db, blobs }, run.id)).toBe(false);
  expect(put).toHaveLength(1);
  expect(await api.blobs.stat(put[0] ?? '')).toBeUndefined();
  expect(await keysOf(run)).toEqual([]);
  // Nobody was given that one, so the next is fine.
  const rows = await rowsAt(await given(run));
  expect(rows.map(({ lr }) => lr)).toEqual(range(0, 20).map((step) => (step === 3 ? 0.002 : 0.001)));
});

test('two that make the same file make one', async () => {
  const run = await ended(range(0, 20).map(line));
  const made = await Promise.all([exportHistory(api, run.id), exportHistory(api, run.id)]);
  expect(made.filter(Boolean)).toHaveLength(1);
  expect(await keysOf(run)).toHaveLength(1);
});

test('of a file that was not finished nothing is seen, and nothing stays', async () => {
  const full = await ended(range(0, 20).map(line));
  const failing = storage(() => Promise.reject(new Error('the disk is gone')));
  await expect(exportHistory({ db: api.db, blobs: failing }, full.id)).rejects.toThrow('the disk is gone');
  expect(await keysOf(full)).toEqual([]);
  expect(await given(full)).toHaveLength(1);

  // Killed between the bytes and the word that they are whole.
  const killed = await ended(range(0, 20).map(line));
  await given(killed);
  const [key = ''] = await keysOf(killed);
  await api.db.updateTable('history_export').set({ made_at: null }).where('run_id', '=', killed.id).execute();
  expect((await exportedHistory(api.db, killed.id)).kind).toBe('due');
  expect(await offered(killed)).toEqual(pages);
  await sweepHistoryExports(api, { abandonedMs: 0 });
  expect(await api.blobs.stat(key)).toBeUndefined();
  expect(await given(killed)).toHaveLength(1);
});

test('nobody is given the history of a run that the key cannot see', async () => {
  const run = await ended(range(0, 20).map(line));
  const parquetUrls = await given(run);
  const [url = ''] = parquetUrls;
  expect((await fetch(url.replace(/sig=[^&]*/, 'sig=AAAA'))).status).toBe(403);
});

test('files lie on S3 as well as in a folder', async () => {
  const s3 = await startS3('histories');
  const remote = await startTrackingApi({
    storage: {
      kind: 's3',
      bucket: 'histories',
      region: 'us-east-1',
      endpoint: s3.endpoint,
      forcePathStyle: true,
      credentials: s3Credentials,
    },
  });
  try {
    const run = await begin('remote', remote);
    await post(run, 0, range(0, 100).map(line), remote);
    await end(run, remote);
    const parquetUrls = await given(run, remote);
    expect(parquetUrls[0]).toContain(s3.endpoint);
    expect(await rowsAt(parquetUrls)).toEqual(range(0, 100).map(row));
    const made = await exportedHistory(remote.db, run.id);
    const [key = ''] = made.kind === 'files' ? made.files : [];
    expect(await remote.blobs.stat(key)).toBeDefined();
    await deleteRun(remote.db, run.id);
    await sweepHistoryExports(remote);
    expect(await remote.blobs.stat(key)).toBeUndefined();
  } finally {
    await remote.close();
    await s3.stop();
  }
}, 300_000);
