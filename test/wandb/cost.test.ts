import { getIntrospectionQuery } from 'graphql/index.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { wandbSchema } from '../../api/wandb/schema/index.js';
import { costProblem } from '../../api/wandb/cost.js';
import { listUnanswered, mostUnanswered } from '../../store/unanswered.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { until } from '../support/until.js';
import { parse } from 'graphql/index.js';

let api: TrackingApi;
beforeAll(async () => {
  api = await startTrackingApi();
}, 300_000);
afterAll(() => api.close());

const run =
  'id tags name displayName sweepName state config group jobType commit readOnly createdAt heartbeatAt description notes systemMetrics summaryMetrics historyLineCount user { name username } historyKeys';
const refusal = async (query: string, variables: Record<string, unknown> = {}): Promise<string> => {
  const answer = await api.graphql(query, variables);
  expect(answer.status).toBe(200);
  expect(answer.data).toBeNull();
  return answer.errors?.[0]?.message ?? '';
};
const times = (count: number, part: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => part(i)).join(' ');

test('what real clients ask for is never too much', async () => {
  const page = `query Runs($n: Int = 50) { project(name: "a", entityName: "ada") { runCount runs(first: $n) { edges { node { projectId ${run} } cursor } pageInfo { endCursor hasNextPage } } } }`;
  expect((await api.graphql(page, { n: 1000 })).errors).toBeUndefined();
  // Clients up to 0.25 ask what there is.
  expect((await api.graphql(getIntrospectionQuery())).errors).toBeUndefined();
  expect(
    (await api.graphql(getIntrospectionQuery({ inputValueDeprecation: true, descriptions: false }))).errors,
  ).toBeUndefined();
});

test('short texts that ask for very much are refused by a sentence', async () => {
  const nested = 'runs(first: 1000) { edges { node { project { runs(first: 1000) { edges { node { id } } } } } } }';
  expect(await refusal(`{ project(name: "a") { ${nested} } }`)).toMatch(/may ask for \d+ values/);
  expect(
    await refusal(
      `query Q($n: Int) { project(name: "a") { runs(first: $n) { edges { node { project { runs(first: $n) { edges { node { id } } } } } } } } }`,
      { n: 5000 },
    ),
  ).toMatch(/may ask for/);
  expect(
    await refusal(
      '{ __schema { types { fields { type { fields { type { fields { type { fields { type { name } } } } } } } } } } }',
    ),
  ).toMatch(/may ask for|depth exceeded/);
  expect(
    await refusal(
      `{ ${times(200, (i) => `a${i}: project(name: "a") { runs(first: 1000) { edges { node { id name state } } } }`)} }`,
    ),
  ).toMatch(/may ask for/);
  // 242 letters and more that double with every fragment.
  const doubling = `{ viewer { ...F0 } } ${times(30, (i) => `fragment F${i} on User { ...F${i + 1} ...F${i + 1} }`)} fragment F30 on User { id }`;
  expect(await refusal(doubling)).toMatch(/fields when its fragments are written out|levels deep/);
  expect(await refusal('{ viewer { ...A } } fragment A on User { ...B } fragment B on User { ...A }')).toMatch(
    /contains itself/,
  );
  expect(await refusal(`{ ${times(2_000, () => 'viewer { id }')} }`)).toMatch(/at most 100 times/);
  expect(await refusal(`{ viewer { ${times(5_000, () => 'id')} } }`)).toMatch(/at most 100 times/);
  expect(await refusal(`{ ${times(30_000, (i) => `a${i}: viewer`)} }`)).toMatch(/token|limit/i);
  expect(await refusal(`{ ${'project { runs { edges { node { '.repeat(20)} id ${'} } } }'.repeat(20)} }`)).toMatch(
    /levels deep/,
  );
  expect(await refusal(`mutation { ${times(40, (i) => `a${i}: stopRun(input: {id: "x"}) { success }`)} }`)).toMatch(
    /at most 20/,
  );
  expect(
    await refusal('{ project(name: "a") { runs(first: 1000) { edges { node { history(samples: 100000) } } } } }'),
  ).toMatch(/may ask for/);
});

test('the count itself is quick, whatever the document', () => {
  const fragments = times(900, (i) =>
    `fragment F${i} on User { ...F${i + 1} a: ...on User { ...F${i + 1} } }`.replace('a: ...', '...'),
  );
  const document = parse(`{ viewer { ...F0 } } ${fragments} fragment F900 on User { id }`);
  const begunAt = performance.now();
  expect(costProblem(wandbSchema, document, null, {})).toBeDefined();
  // Doubling 900 times would outlast the machine: any end shows that it does not.
  expect(performance.now() - begunAt).toBeLessThan(60_000);
});

test('what clients asked for in vain is written down by name, and only so much of it', async () => {
  await refusal('query WantsMuch { viewer { fingerprint(secret: "s3cret") } }');
  await refusal('query WantsMuch { viewer { fingerprint(secret: "s3cret") } }');
  await refusal('mutation Starts { createSweeper(input: {}) { id } }');
  const rows = await until(
    async () => {
      const found = await listUnanswered(api.db, 100);
      return found.some((row) => row.name === 'User.fingerprint' && row.count === 2) &&
        found.some((row) => row.operation === 'Starts')
        ? found
        : undefined;
    },
    { what: 'the notes', ms: 60_000 },
  );
  expect(rows.find((row) => row.operation === 'Starts')).toMatchObject({
    kind: 'field',
    name: 'Mutation.createSweeper',
    count: 1,
  });
  expect(JSON.stringify(rows)).not.toContain('s3cret');
  await api.db
    .insertInto('unanswered')
    .values(
      Array.from({ length: mostUnanswered }, (_, i) => ({
        kind: 'field',
        name: `Other.${i}`,
        operation: '',
        count: 1,
      })),
    )
    .execute();
  await refusal('{ viewer { oneMore } }');
  await refusal('query WantsMuch { viewer { fingerprint } }');
  await until(
    async () => (await listUnanswered(api.db, 5000)).some((row) => row.name === 'User.fingerprint' && row.count === 3),
    { what: 'a known one to be counted on', ms: 60_000 },
  );
  expect((await listUnanswered(api.db, 5000)).some((row) => row.name === 'User.oneMore')).toBe(false);
});
