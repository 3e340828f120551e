import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Json } from '../../domain/extended-json.js';
import { parseExtendedJson } from '../../domain/extended-json.js';
import { inTurn } from '../../api/wandb/turns.js';
import { copyFolded, copyLines } from '../../store/history-copy.js';
import { cutLines, linesUpTo } from '../../store/history-cut.js';
import { sampledHistory } from '../../store/history-sample.js';
import { writeMetricLines } from '../../store/metric-lines.js';
import { metricStats } from '../../store/metric-stats.js';
import { copyHistory } from '../../store/run-branch.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { HistoryModel } from './support/history-model.js';

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

async function newRun(): Promise<Run> {
  const name = `run${++count}`;
  const made = await api.graphql(
    'mutation M($n: String) { upsertBucket(input: {name: $n, modelName: "demo"}) { inserted } }',
    { n: name },
  );
  expect(made.errors).toBeUndefined();
  const row = await api.db.selectFrom('run').select('id').where('name', '=', name).executeTakeFirstOrThrow();
  return { name, id: row.id };
}

async function post(run: Run, offset: number, content: string[], more: object = {}): Promise<void> {
  const answer = await api.fileStream(`ada/demo/${run.name}`, {
    files: { 'wandb-history.jsonl': { offset, content } },
    ...more,
  });
  expect(answer).toMatchObject({ status: 200 });
}

const range = (from: number, until: number): number[] => Array.from({ length: until - from }, (_, i) => from + i);

interface Answers {
  historyLineCount: number;
  historyKeys: { keys: Record<string, { typeCounts: { type: string; count: number }[] }>; lastStep: number };
  history: string[];
  page: string[];
  sampledHistory: Record<string, Json>[][];
}

async function ask(run: Run, specs: object[] = [], page: { min: number; max: number } = { min: 0, max: 10 }) {
  const answer = await api.graphql<{ project: { run: Answers } }>(
    `query Q($n: String, $specs: [JSONString!]!, $min: Int64, $max: Int64) { project(name: "demo", entityName: "ada") { run(name: $n) {
      historyLineCount historyKeys history(samples: 100000)
      page: history(minStep: $min, maxStep: $max, samples: 100000)
      sampledHistory(specs: $specs) } } }`,
    { n: run.name, specs: specs.map((spec) => JSON.stringify(spec)), ...page },
  );
  expect(answer.errors).toBeUndefined();
  return answer.data.project.run;
}

/** All that can be asked, against a model that holds every line in memory. */
async function expectLike(run: Run, model: HistoryModel): Promise<void> {
  const keys = ['loss', 'deep.acc', 'text', 'rare', '_step'];
  const top = model.lastStep + 1;
  const [min, max] = [Math.floor(top / 3), Math.floor((2 * top) / 3)];
  const specs = [
    ...keys.map((key) => ({ keys: [key], samples: 100_000 })),
    { keys: ['_step', 'loss', 'deep.acc'], samples: 7 },
    { keys: ['_step', 'text'], samples: 100_000, minStep: min },
    { keys: ['_step', 'rare', 'loss'], samples: max - min, minStep: min, maxStep: max - 1 },
  ];
  const answers = await ask(run, specs, { min, max });
  expect(answers.historyLineCount).toBe(model.count);
  expect(answers.history).toEqual(model.texts());
  expect(answers.page).toEqual(model.texts({ min, max: max - 1 }));
  expect(answers.historyKeys.lastStep).toBe(model.lastStep);
  for (const [i, spec] of specs.entries())
    expect(answers.sampledHistory[i], JSON.stringify(spec)).toEqual(model.sampled(spec));
  const stats = await metricStats(api.db, run.id);
  for (const key of keys) expect(stats.get(key), key).toEqual(model.stats(key));
}

/** One line in the ways that scripts log: keys that come and go, nested ones, NaN, text where a number was. */
function line(step: number, salt: number): string {
  if ((step + salt) % 97 === 0) return 'broken {';
  const parts = [`"_step":${step}`];
  if (step % 3 !== 1) parts.push(`"loss":${(step + salt) % 11 === 0 ? 'NaN' : step * (1 + salt)}`);
  if (step % 5 !== 0) parts.push(`"deep":{"acc":${step % 2 ? '-Infinity' : step},"deeper":{"x":[1]}}`);
  if (step % 400 === 7) parts.push(`"rare":${salt}`);
  parts.push(`"text":${step % 50 === 0 ? `"t${step}"` : step}`);
  return `{${parts.join(',')}}`;
}

test('any order and any repetition of requests leave the same history', async () => {
  const request = fc.record({
    from: fc.nat(2_200),
    size: fc.integer({ min: 1, max: 1_100 }),
    salt: fc.nat(2),
    read: fc.boolean(),
    complete: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 6 }), async (requests) => {
      const run = await newRun();
      const model = new HistoryModel();
      for (const { from, size, salt, read, complete } of requests) {
        const content = range(from, from + size).map((step) => line(step, salt));
        const more = complete ? { complete: true, exitcode: 0 } : {};
        await post(run, from, content, more);
        if (size % 3 === 0) await post(run, from, content, more);
        model.write(from, content);
        if (read) await ask(run);
      }
      await expectLike(run, model);
      await post(run, 0, [], { complete: true, exitcode: 0 });
      await expectLike(run, model);
    }),
    { numRuns: 5, endOnFailure: true },
  );
});

test('requests of one run at once leave the history of all of them', async () => {
  const run = await newRun();
  const model = new HistoryModel();
  const parts = range(0, 12).map((n) => ({
    from: n * 300,
    content: range(n * 300, n * 300 + 300).map((s) => line(s, 1)),
  }));
  for (const { from, content } of parts) model.write(from, content);
  await Promise.all(parts.flatMap(({ from, content }) => [post(run, from, content), post(run, from, content)]));
  await expectLike(run, model);
});

test('a rewind cuts whatever lies behind the step, and a fork takes what lies before it', async () => {
  const run = await newRun();
  const model = new HistoryModel();
  const lines = range(0, 2_600).map((step) => line(step, 1));
  await post(run, 0, lines, { complete: true, exitcode: 0 });
  for (const step of [2_590, 1_100, -1]) {
    const [cut, fork] = [await newRun(), await newRun()];
    await post(cut, 0, lines, { complete: true, exitcode: 0 });
    const kept = await api.db.transaction().execute(async (tx) => {
      const lines = await linesUpTo(tx, cut.id, step);
      await cutLines(tx, cut.id, lines);
      await tx.updateTable('run').set({ history_lines: lines }).where('id', '=', cut.id).execute();
      return lines;
    });
    await api.db.transaction().execute((tx) => copyHistory(tx, { id: run.id, step }, fork.id));
    const expected = new HistoryModel();
    expected.write(0, lines.slice(0, kept));
    // A broken line has no step of its own, and goes with the one before it.
    expect(kept).toBeGreaterThanOrEqual(step + 1);
    expect(expected.lastStep).toBeLessThanOrEqual(step);
    await expectLike(cut, expected);
    await expectLike(fork, expected);
    const more = range(kept, kept + 40).map((s) => line(s, 2));
    await post(cut, kept, more);
    expected.write(kept, more);
    await expectLike(cut, expected);
  }
  model.write(0, lines);
  await expectLike(run, model);
});

test('a fork is the same in however many pieces it is copied: gaps, heavy lines and lines that wait to be folded again', async () => {
  const run = await newRun();
  const model = new HistoryModel();
  const write = async (from: number, lines: string[], more: object = {}) => {
    await post(run, from, lines, more);
    model.write(from, lines);
  };
  const content = (from: number, until: number, salt: number) => range(from, until).map((step) => line(step, salt));
  await write(0, content(0, 1_100, 1));
  await write(2_100, content(2_100, 2_300, 1));
  await write(2_300, [`{"_step":2300,"loss":1,"text":"${'x'.repeat(300_000)}"}`, ...content(2_301, 2_400, 1)]);
  // Written again, and not folded again.
  const again = content(10, 12, 2);
  await api.db.transaction().execute(async (tx) => {
    await writeMetricLines(tx, run.id, 'history', { offset: 10, lines: again, below: 2_400 });
  });
  model.write(10, again);
  const { dirty } = await api.db
    .selectFrom('metric_fold')
    .select('dirty')
    .where('run_id', '=', run.id)
    .executeTakeFirstOrThrow();
  expect(dirty).toEqual([0]);

  for (const [end, piece, chunks] of [
    [2_400, { lines: 100, bytes: 5_000 }, 3],
    [2_200, { lines: 20_000, bytes: 1e9 }, 1_000],
    [1_500, { lines: 7, bytes: 1 }, 1],
    [0, { lines: 10, bytes: 10 }, 2],
  ] as const) {
    const fork = await newRun();
    await api.db.transaction().execute(async (tx) => {
      await copyLines(tx, run.id, fork.id, end, piece);
      await copyFolded(tx, run.id, fork.id, end, chunks);
      await tx.updateTable('run').set({ history_lines: end }).where('id', '=', fork.id).execute();
    });
    await expectLike(fork, model.upTo(end));
  }
  await expectLike(run, model);
});

test('a run with more keys than are charted stays whole and readable', async () => {
  const run = await newRun();
  const wide = (step: number, keys: number) =>
    `{${range(0, keys)
      .map((k) => `"key${k}":${k + step}`)
      .join(',')},"_step":${step}}`;
  await post(run, 0, [wide(0, 100_000), wide(1, 100_000)], { complete: true, exitcode: 0 });
  const answers = await ask(run, [
    { keys: ['_step', 'key5'], samples: 10 },
    { keys: ['_step', 'key99999'], samples: 10 },
  ]);
  expect(answers.sampledHistory).toEqual([
    [
      { _step: 0, key5: 5 },
      { _step: 1, key5: 6 },
    ],
    [
      { _step: 0, key99999: 99_999 },
      { _step: 1, key99999: 100_000 },
    ],
  ]);
  expect(Object.keys(answers.historyKeys.keys)).toHaveLength(10_001);
  expect(Object.keys(parseExtendedJson(answers.history[1] ?? '') as object)).toHaveLength(100_001);
});

test('heavy lines are folded before there are many, and read as they were', async () => {
  const run = await newRun();
  const heavy = (step: number) => `{"_step":${step},"loss":${step},"blob":"${'x'.repeat(3 * 1024 * 1024)}"}`;
  for (const step of range(0, 5)) await post(run, step, [heavy(step)]);
  const { folded } = await api.db
    .selectFrom('metric_fold')
    .select('folded')
    .where('run_id', '=', run.id)
    .executeTakeFirstOrThrow();
  expect(folded).toBeGreaterThan(0);
  expect(await sampledHistory(api.db, run.id, { keys: ['loss'], samples: 10 })).toEqual(
    range(0, 5).map((loss) => ({ loss })),
  );
  // Written again below the fold.
  await post(run, 1, ['{"_step":1,"loss":-1}']);
  expect(await sampledHistory(api.db, run.id, { keys: ['loss'], samples: 10 })).toEqual(
    [0, -1, 2, 3, 4].map((loss) => ({ loss })),
  );
  const stats = await metricStats(api.db, run.id);
  expect(stats.get('loss')).toMatchObject({ min: -1, max: 4, sum: 8, finite: 5, monotonic: false });
});

test('a line far behind a gap costs nothing, and gaps may be filled', async () => {
  const run = await newRun();
  await post(run, 1_999_999_000, ['{"_step":7,"loss":1}']);
  await post(run, 5_000, ['{"_step":6,"loss":2}'], { complete: true, exitcode: 0 });
  const rows = await sampledHistory(api.db, run.id, { keys: ['_step', 'loss'], samples: 10 });
  expect(rows).toEqual([
    { _step: 6, loss: 2 },
    { _step: 7, loss: 1 },
  ]);
  expect((await ask(run)).history).toHaveLength(2);
});

test('names that databases and languages mistake for something else are names of metrics', async () => {
  const run = await newRun();
  const keys = ['__proto__', 'constructor', "o'hara", 'a"b', 'back\\slash', '{x,y}', 'null', '%', 'ключ', ' '];
  const text = (step: number) =>
    JSON.stringify(Object.fromEntries([['_step', step], ...keys.map((k, i) => [k, i + step])]));
  await post(run, 0, [`{"_step":0,"nul\\u0000":1,"__proto__":0}`, text(1), text(2)], { complete: true, exitcode: 0 });
  const answers = await ask(
    run,
    keys.map((key) => ({ keys: [key], samples: 5 })),
  );
  expect(answers.sampledHistory.slice(1).map((rows) => rows.length)).toEqual(keys.slice(1).map(() => 2));
  expect(answers.historyKeys.keys).toHaveProperty(['{x,y}']);
  expect(answers.historyKeys.keys).toHaveProperty(['nul\ufffd']);
});

test('curves of a whole page of runs come with the page, a few at a time', async () => {
  const runs: Run[] = [];
  for (const i of range(0, 30)) {
    const run = await newRun();
    await post(run, 0, [`{"_step":0,"page":${i}}`, `{"_step":1,"page":${i + 100}}`]);
    runs.push(run);
  }
  const answer = await api.graphql<{
    project: { runs: { edges: { node: { name: string; sampledHistory: Record<string, Json>[][] } }[] } };
  }>(
    `query Q($filters: JSONString, $specs: [JSONString!]!) { project(name: "demo", entityName: "ada") {
      runs(first: 50, filters: $filters) { edges { node { name sampledHistory(specs: $specs) } } } } }`,
    {
      filters: JSON.stringify({ name: { $in: runs.map(({ name }) => name) } }),
      specs: [JSON.stringify({ keys: ['page'], samples: 10 })],
    },
  );
  expect(answer.errors).toBeUndefined();
  const found = new Map(answer.data.project.runs.edges.map(({ node }) => [node.name, node.sampledHistory]));
  expect(found).toEqual(new Map(runs.map(({ name }, i) => [name, [[{ page: i }, { page: i + 100 }]]])));

  // What keeps such a page from taking every connection.
  const request = { ageMs: () => 0, isAbandoned: () => false };
  const done: number[] = [];
  let busy = 0;
  let most = 0;
  const work = async (i: number): Promise<void> => {
    most = Math.max(most, ++busy);
    await new Promise(setImmediate);
    busy--;
    done.push(i);
    if (i === 3) throw new Error('third');
  };
  const results = await Promise.allSettled(range(0, 40).map((i) => inTurn(request, () => work(i))));
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1);
  expect(most).toBe(4);
  expect(done).toEqual(range(0, 40));
});

test('history goes with its run', async () => {
  const run = await newRun();
  await post(
    run,
    0,
    range(0, 1_100).map((s) => line(s, 1)),
    { complete: true, exitcode: 0 },
  );
  await api.db.deleteFrom('run').where('id', '=', run.id).execute();
  for (const table of ['run_line', 'metric_fold', 'metric_segment', 'metric_chunk', 'run_metric'] as const)
    expect(await api.db.selectFrom(table).select('run_id').where('run_id', '=', run.id).execute()).toEqual([]);
});
