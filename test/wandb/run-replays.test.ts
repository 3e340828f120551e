import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';

let api: TrackingApi;
beforeAll(async () => {
  api = await startTrackingApi();
});
afterAll(() => api.close());

const config = (life: string, more: object) =>
  JSON.stringify({ life: { value: life }, _wandb: { value: { t: { 3: [14, 16] }, ...more } } });
const startOf = (life: number) => `2026-01-01T00:0${life}:00.900001Z`;

/** As 0.31: the first request of a process says nothing of it, a later one when it started. */
async function begins(run: string, life: string, resumed: boolean) {
  await upsert({ name: run, id: resumed ? await idOf(run) : null, host: 'vm', config: config(life, {}) });
}
const says = (run: string, life: string, start: number) =>
  upsert({ name: run, config: config(life, { e: { [`w${start}`]: { startedAt: startOf(start) } } }) });

async function upsert(input: object): Promise<void> {
  const { errors } = await api.graphql(
    'mutation M($input: UpsertBucketInput!) { upsertBucket(input: $input) { inserted } }',
    { input: { modelName: 'again', ...input } },
  );
  expect(errors).toBeUndefined();
}

interface Seen {
  id: string;
  state: string;
  config: string;
  summaryMetrics: string;
  history: string[];
  logLines: { edges: { node: { line: string } }[] };
}
async function look(run: string): Promise<Seen> {
  const { data } = await api.graphql<{ project: { run: Seen } }>(
    'query Q($run: String) { project(name: "again") { run(name: $run) { id state config summaryMetrics history(samples: 100) logLines(first: 100) { edges { node { line } } } } } }',
    { run },
  );
  return data.project.run;
}
const idOf = async (run: string) => (await look(run)).id;

async function shown(run: string) {
  const { state, config: whole, summaryMetrics, history, logLines } = await look(run);
  return {
    state,
    life: (JSON.parse(whole) as { life: { value: string } }).life.value,
    last: (JSON.parse(summaryMetrics) as { _step?: number })._step,
    steps: history.map((line) => (JSON.parse(line) as { _step: number })._step),
    console: logLines.edges.map(({ node }) => node.line),
  };
}

/** Lines of history and console with these steps, at these places. */
async function logs(run: string, steps: number[], at: number, end?: number) {
  const { status } = await api.fileStream(`ada/again/${run}`, {
    files: {
      'wandb-history.jsonl': { offset: at, content: steps.map((step) => JSON.stringify({ _step: step, loss: step })) },
      'output.log': { offset: at, content: steps.map((step) => JSON.stringify({ content: `line ${step}`, ts: '' })) },
      'wandb-summary.json': { offset: 0, content: [JSON.stringify({ _step: steps.at(-1) })] },
    },
    ...(end === undefined ? {} : { complete: true, exitcode: end }),
  });
  expect(status).toBe(200);
}

const range = (from: number, until: number) => Array.from({ length: until - from }, (_, i) => from + i);
const whole = {
  ...{ state: 'finished', life: 'two', last: 5, steps: range(0, 6) },
  console: range(0, 6).map((n) => `line ${n}`),
};

/** Two processes, the second one resumed. */
async function twoProcesses(run: string) {
  await begins(run, 'one', false);
  await logs(run, [0, 1], 0);
  await says(run, 'one', 1);
  await logs(run, [2], 2, 1);
  await begins(run, 'two', true);
  await says(run, 'two', 2);
  await logs(run, [3, 4, 5], 3, 0);
  expect(await shown(run)).toEqual(whole);
}

test('a former process that is sent again changes nothing, whether it says who it is before its lines or behind them', async () => {
  await twoProcesses('former');
  await begins('former', 'one', true);
  await says('former', 'one', 1);
  await logs('former', [0, 1, 2, 99], 6, 1);
  expect(await shown('former')).toEqual(whole);
  await begins('former', 'one', true);
  await logs('former', [0, 1], 6);
  await says('former', 'one', 1);
  await logs('former', [2, 99], 8, 1);
  expect(await shown('former')).toEqual(whole);
});

test('the last process that is sent again puts its lines where they were, and those that had not arrived behind them', async () => {
  await twoProcesses('last');
  await begins('last', 'two', true);
  await logs('last', [3, 4], 6);
  await says('last', 'two', 2);
  await logs('last', [5, 6], 8);
  await logs('last', [7], 10, 3);
  const more = { ...whole, state: 'failed', last: 7, steps: range(0, 8), console: range(0, 8).map((n) => `line ${n}`) };
  expect(await shown('last')).toEqual(more);
  // And a process that resumes afterwards goes on behind them.
  await begins('last', 'three', true);
  await says('last', 'three', 3);
  await logs('last', [8], 8, 0);
  expect(await shown('last')).toMatchObject({ state: 'finished', life: 'three', steps: range(0, 9) });
});

test('more lines than the last process had sent may come before it says who it is', async () => {
  await twoProcesses('early');
  await begins('early', 'two', true);
  await logs('early', range(3, 12), 6);
  await says('early', 'two', 2);
  await logs('early', [12], 15, 0);
  expect(await shown('early')).toMatchObject({ steps: range(0, 13), console: range(0, 13).map((n) => `line ${n}`) });
});

test('a client that names the process in its first request replaces nothing of others', async () => {
  await twoProcesses('named');
  /** As 0.25: `start_time` in seconds and the number of the sync among its features. */
  const syncs = async (life: string, start: number) => {
    // The run is made a moment after its process began.
    const own = { t: { 3: [14, 42] }, start_time: Math.floor(Date.parse(startOf(start)) / 1000) + 9 };
    await upsert({ name: 'named', host: 'vm', config: config(life, own) });
    await upsert({ name: 'named', config: config(life, { ...own, e: { w: { started_at: startOf(start) } } }) });
  };
  await syncs('one', 1);
  await logs('named', [0, 1, 2], 0, 1);
  expect(await shown('named')).toEqual(whole);
  await syncs('two', 2);
  await logs('named', [3, 4, 5], 0, 0);
  expect(await shown('named')).toEqual(whole);

  // While another one writes, its lines could not be told from those that are sent again.
  await begins('named', 'three', true);
  const own = { t: { 3: [42] }, start_time: Math.floor(Date.parse(startOf(1)) / 1000) };
  const { errors } = await api.graphql(
    'mutation M($config: JSONString) { upsertBucket(input: {name: "named", modelName: "again", host: "vm", config: $config}) { inserted } }',
    { config: config('one', own) },
  );
  expect(errors?.[0]?.message).toContain('A later process writes this run');
});
