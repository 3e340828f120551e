import { afterAll, beforeAll, expect, test } from 'vitest';
import { wandbRequests } from '../support/wandb-requests.js';
import { startTestApi, type TestApi } from './support/api.js';

/** What is known of each metric of a run without reading its curve: logged as wandb clients do, asked over REST. */

let api: TestApi;
let requests: ReturnType<typeof wandbRequests>;
beforeAll(async () => {
  api = await startTestApi();
  requests = wandbRequests(api.url, api.keys.ada);
});
afterAll(() => api.close());

async function begin(run: string): Promise<void> {
  const { errors } = await requests.graphql(
    'mutation M($n: String) { upsertBucket(input: {name: $n, modelName: "demo"}) { inserted } }',
    { n: run },
  );
  expect(errors).toBeUndefined();
}

async function log(run: string, lines: string[], more: { offset?: number; file?: string; end?: boolean } = {}) {
  const { offset = 0, file = 'wandb-history.jsonl', end = false } = more;
  const answer = await requests.fileStream(`ada/demo/${run}`, {
    files: { [file]: { offset, content: lines } },
    ...(end ? { complete: true, exitcode: 0 } : {}),
  });
  expect(answer.status).toBe(200);
}

interface Metric {
  name: string;
  lines: number;
  [more: string]: unknown;
}
async function ask(run: string, query = ''): Promise<{ items: Metric[]; nextCursor?: string }> {
  const answer = await api.call('GET', `/runs/ada/demo/${run}/metrics${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body as { items: Metric[]; nextCursor?: string };
}
async function everyPage(run: string, limit: number, query = ''): Promise<Metric[]> {
  const all: Metric[] = [];
  for (let cursor = ''; ;) {
    const { items, nextCursor } = await ask(run, `?limit=${limit}${query}${cursor}`);
    expect(items.length).toBeLessThanOrEqual(limit);
    all.push(...items);
    if (nextCursor === undefined) return all;
    cursor = `&cursor=${nextCursor}`;
  }
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

test('each metric has its least, greatest, mean, first and last value over all lines, while the run goes on and when it has ended', async () => {
  await begin('figures');
  // One whole stretch that is kept folded, and some lines behind it; each as the client writes it, with what is no JSON.
  const steps = range(1_500);
  const line = (step: number): string => {
    const parts = [`"_step":${step}`, `"up":${step}`, `"v":{"acc":${step === 1_499 ? 'NaN' : -step}}`];
    if (step % 2 === 0) parts.push(`"loss":${step === 600 ? 'Infinity' : step === 1_200 ? 'NaN' : 2}`);
    if (step % 500 === 3) parts.push(`"image":{"_type":"image-file","path":"i${step}.png"}`, `"word":"w${step}"`);
    return `{${parts.join(',')}}`;
  };
  await log('figures', steps.map(line));

  const mean = (1_499 * 1_500) / 2 / 1_500;
  const expected = [
    { name: '_step', lines: 1_500, types: { number: 1_500 }, min: 0, max: 1_499, mean, first: 0, last: 1_499 },
    { name: 'image', lines: 3, types: { 'image-file': 3 }, min: null, max: null, mean: null, first: null },
    { name: 'loss', lines: 750, min: 2, max: 'Infinity', mean: 2, first: 2, last: 2, nondecreasing: false },
    { name: 'up', lines: 1_500, max: 1_499, nondecreasing: true },
    { name: 'v.acc', lines: 1_500, min: -1_498, max: 0, mean: -1_498 / 2, last: 'NaN', nondecreasing: false },
    { name: 'word', types: { string: 3 }, mean: null, first: null, last: 'w1003', nondecreasing: false },
  ];
  const going = await ask('figures');
  expect(going).toMatchObject({ items: expected });
  await log('figures', [], { offset: 1_500, end: true });
  expect(await ask('figures')).toEqual(going);

  expect((await ask('figures', '?name=v.acc')).items.map(({ name }) => name)).toEqual(['v.acc']);
  expect((await ask('figures', '?name=v')).items).toEqual([]);
  expect((await ask('figures', '?prefix=v.')).items.map(({ name }) => name)).toEqual(['v.acc']);
  expect((await ask('figures', '?source=system')).items).toEqual([]);
});

test('metrics come page by page in one order, whatever their names and wherever their lines lie', async () => {
  await begin('names');
  const odd = ['__proto__', "o'hara", 'a"b', '%', 'ключ', ' ', '\u{1f600}', '\uffee', `${'long'.repeat(120)}ш`];
  const early = [...odd, ...range(30).map((n) => `early/${n}`)];
  const late = range(30).map((n) => `late/${n}`);
  const object = (keys: string[], step: number): string =>
    `{${[`"_step":${step}`, ...keys.map((key) => `${JSON.stringify(key)}:${step}`)].join(',')}}`;
  await log(
    'names',
    range(1_024).map((step) => object(step < 2 ? early : [], step)),
  );
  await log('names', [object([...late, 'early/7'], 1_024), object(odd, 1_025)], { offset: 1_024 });

  const whole = await everyPage('names', 200);
  const byCodePoint = ['_step', ...early, ...late].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  expect(whole.map(({ name }) => name)).toEqual(byCodePoint);
  for (const limit of [1, 7]) expect(await everyPage('names', limit)).toEqual(whole);
  expect(await everyPage('names', 4, '&prefix=early/')).toEqual(whole.filter(({ name }) => name.startsWith('early/')));
  const seven = whole.find(({ name }) => name === 'early/7');
  expect(seven).toMatchObject({ lines: 3, min: 0, max: 1_024, first: 0, last: 1_024 });
  for (const name of odd) expect((await ask('names', `?name=${encodeURIComponent(name)}`)).items).toHaveLength(1);
  expect((await ask('names', `?prefix=${encodeURIComponent('%')}`)).items.map(({ name }) => name)).toEqual(['%']);
});

test('what the client measured of the machine is asked for by its source', async () => {
  await begin('machine');
  const lines = ['{"system.cpu":10,"_timestamp":1}', '{"system.cpu":30,"system.disk":{"in":1},"_timestamp":2}'];
  await log('machine', lines, { file: 'wandb-events.jsonl' });
  expect((await ask('machine')).items).toEqual([]);
  const { items } = await ask('machine', '?source=system&prefix=system.');
  expect(items).toMatchObject([
    { name: 'system.cpu', lines: 2, min: 10, max: 30, mean: 20, last: 30 },
    { name: 'system.disk.in', lines: 1 },
  ]);
});

test('a question that cannot be meant is refused by name', async () => {
  await begin('refused');
  for (const query of ['?limit=0', '?limit=201', '?cursor=nonsense', '?source=odd', '?name=', '?nam=x'])
    expect((await api.call('GET', `/runs/ada/demo/refused/metrics${query}`)).body).toMatchObject({
      status: 400,
      code: 'invalid-request',
    });
  expect((await api.call('GET', '/runs/ada/demo/none/metrics')).body.code).toBe('not-found');
});
