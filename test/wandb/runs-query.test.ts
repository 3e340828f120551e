import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseRunOrder } from '../../domain/run-filter-keys.js';
import { parseRunFilter } from '../../domain/run-filter.js';
import { ensureProject } from '../../store/projects.js';
import { fillRunKeys, keepKey } from '../../store/run-keys.js';
import { findRuns } from '../../store/run-query.js';
import { inOrder, matches, type ModelRun } from '../support/run-filter-model.js';
import { numbersFrom } from '../support/random.js';
import { testSeed as seed } from '../support/seed.js';
import { until } from '../support/until.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';

const random = numbersFrom(seed);
const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
const some = <T>(values: readonly T[]): T[] => values.filter(() => random() < 0.4);

const words = [
  'alpha',
  'beta',
  'Gamma',
  'de"lta',
  "o'clock",
  'ünï',
  'x; drop table run',
  '%',
  'a.b',
  '\\d',
  'a_b',
  'al\nma',
  'a\n',
];
const scalars: unknown[] = [0, 1, 2, 0.5, -3, 1e-7, 12345678, true, false, null, 'NaN', ...words];

const keptKeys = ['lr', 'n', 'a.b', 'deep.x', 'deep.y.z', 'deep.list', "k'ey"].flatMap((path) => [
  { kind: 'config' as const, path: path.split('.') },
  { kind: 'summary' as const, path: path.split('.') },
]);

let api: TrackingApi;
let projectId = 0;
const runs: ModelRun[] = [];

beforeAll(async () => {
  api = await startTrackingApi();
  ({ id: projectId } = await ensureProject(api.db, api.entityId, 'demo'));
  for (let i = 0; i < 150; i++) {
    // From here on written while the key is kept; what was there before is filled in later.
    if (i === 75) await keepAll();
    const createdAt = new Date(Date.UTC(2030, 0, 1 + Math.floor(random() * 5), 0, 0, Math.floor(random() * 3)));
    const run = {
      text: {
        name: `run-${i}`,
        display_name: pick(words),
        state: pick(['running', 'finished', 'failed', 'crashed']),
        group_name: pick(['', 'g1', 'g2']),
        job_type: pick(['', 'train', 'eval']),
        host: pick(['', 'h1']),
        notes: pick(['', ...words]),
      },
      tags: some(['a', 'b', "c'"]),
      createdAt,
      heartbeatAt: new Date(createdAt.getTime() + Math.floor(random() * 100) * 1000),
      config: randomValues(),
      summary: randomValues(),
    };
    const { created_at, ...values } = {
      ...(run.text as { name: string; display_name: string; state: 'running' }),
      tags: run.tags,
      created_at: run.createdAt,
      heartbeat_at: run.heartbeatAt,
      config: bare({
        ...Object.fromEntries(Object.entries(run.config).map(([k, v]) => [k, { value: v }])),
        _wandb: { value: { t: 1 } },
      }),
      summary: bare({ ...run.summary, _wandb: { runtime: 1 } }),
    };
    // One of three became what it is after it was made: runs are found by what they are now.
    const made = i % 3 === 0 ? { name: values.name, display_name: 'before', tags: ['b'], summary: '{"n": 1}' } : values;
    const { id } = await api.db
      .insertInto('run')
      .values({ ...made, project_id: projectId, created_at })
      .returning('id')
      .executeTakeFirstOrThrow();
    if (made !== values) await api.db.updateTable('run').set(values).where('id', '=', id).execute();
    runs.push({ ...run, id });
  }
}, 300_000);
afterAll(() => api.close());

/** The lock for it may be somebody else's for a moment. */
const keepAll = () =>
  until(async () => {
    for (const key of keptKeys) await keepKey(api.db, projectId, key);
    return (await api.db.selectFrom('run_key').select('id').execute()).length === keptKeys.length;
  });

function randomValues(): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const key of some(['lr', 'model', 'n', 'a.b', "k'ey", 'Ünicode'])) values[key] = pick(scalars);
  if (random() < 0.4) values['deep'] = { x: pick(scalars), y: { z: pick(scalars) }, list: [1, 'two'] };
  return values;
}

/** As Python writes it: NaN is a bare word. */
const bare = (value: unknown): string => JSON.stringify(value).replaceAll('"NaN"', 'NaN');

const columns = ['name', 'displayName', 'state', 'group', 'job_type', 'host', 'notes', 'username', 'sweep'];
const paths = ['lr', 'model', 'n', 'a.b', "k'ey", 'Ünicode', 'deep', 'deep.x', 'deep.y.z', 'nothing', 'deep.list'];

function randomFilter(depth: number): unknown {
  const roll = random();
  if (depth > 0 && roll < 0.15) return { $and: [randomFilter(depth - 1), randomFilter(depth - 1)] };
  if (depth > 0 && roll < 0.3) return { $or: [randomFilter(depth - 1), randomFilter(depth - 1)] };
  if (depth > 0 && roll < 0.4) return { $nor: [randomFilter(depth - 1)] };
  if (depth > 0 && roll < 0.5) return { $not: randomFilter(depth - 1) };
  if (roll < 0.65) return { [pick(columns)]: randomTest([...words, '', 'running', 'run-7', 'g1', 'train', null]) };
  if (roll < 0.72)
    return {
      tags: pick<unknown>([
        'a',
        { $in: some(['a', 'b', 'z']) },
        { $nin: ['b'] },
        { $all: ['a', 'b'] },
        { $ne: "c'" },
        { $exists: false },
        ['a'],
      ]),
    };
  if (roll < 0.8) {
    const at = pick(['2030-01-02T00:00:01', '2030-01-03T00:00:00Z', '2030-01-04']);
    return {
      [pick(['created_at', 'heartbeatAt'])]: pick<unknown>([
        { $gt: at },
        { $lte: at },
        { $gte: at, $lt: '2030-01-05' },
        at,
        { $ne: at },
      ]),
    };
  }
  if (roll < 0.83) return { duration: { [pick(['$gt', '$lte', '$eq'])]: 40 } };
  const key = `${pick(['config', 'summary_metrics'])}.${pick(paths)}`;
  return {
    [key +
    (key.startsWith('config') && random() < 0.3 && !key.includes('deep') && !key.includes('a.b') ? '.value' : '')]:
      randomTest(scalars),
  };
}

function randomTest(values: readonly unknown[]): unknown {
  const value = pick(values);
  const roll = random();
  if (roll < 0.25) return value;
  if (roll < 0.35) return { $ne: value };
  if (roll < 0.55 && (typeof value === 'number' || typeof value === 'string'))
    return { [pick(['$gt', '$gte', '$lt', '$lte'])]: value };
  if (roll < 0.65) return { $in: some(values) };
  if (roll < 0.75) return { $nin: some(values) };
  if (roll < 0.85) return { $exists: random() < 0.5 };
  if (roll < 0.95)
    return {
      $regex: pick([
        '^a',
        'a$',
        '[a-m]+',
        '^(run|Gam)',
        '\\d',
        'l.*a',
        '(?i)GAMMA',
        '^.{2,5}$',
        'x|%',
        'a_b',
        'a.*a',
        '^r.*-.*',
        'amm',
      ]),
    };
  return { $contains: 'a' };
}

// Documents first: a key that was filled stays so.
describe.each(['documents', 'kept values'])('filters in the database, over %s', (what) => {
  beforeAll(async () => {
    if (what === 'documents') return;
    while (await fillRunKeys(api.db, 40));
    const states = await api.db.selectFrom('run_key').select(['path', 'state']).execute();
    // Lists are too large to be kept.
    for (const { path, state } of states) expect(state, path.join('.')).toBe(path.at(-1) === 'list' ? 'wide' : 'ready');
    expect(states).toHaveLength(keptKeys.length);
  });

  test('find what the plain reading of the rules finds, whatever the filter', { timeout: 300_000 }, async () => {
    for (let i = 0; i < 250; i++) {
      const text = JSON.stringify(randomFilter(3));
      const filter = parseRunFilter(text);
      const { page, count } = await findRuns(
        api.db,
        { projectId, filter },
        { page: { order: parseRunOrder('+created_at'), limit: 1000 }, count: true },
      );
      const wanted = runs
        .filter((run) => matches(run, filter))
        .map(({ id }) => id)
        .sort((a, b) => a - b);
      const found = page?.rows.map(({ row }) => row.id).sort((a, b) => a - b);
      expect(found, `seed ${seed}, filter ${i}: ${text}`).toEqual(wanted);
      expect(count).toBe(wanted.length);
    }
  });

  test('sort as the rules say, and page through everything once', { timeout: 300_000 }, async () => {
    const keys = [
      'created_at',
      'heartbeat_at',
      'name',
      'display_name',
      'group',
      'duration',
      'config.lr',
      'summary_metrics.n',
      'config.deep.x.value',
    ];
    for (const order of keys.flatMap((key) => [`+${key}`, `-${key}`]).map(parseRunOrder)) {
      for (const counted of [true, false]) {
        const filter = parseRunFilter(pick([null, '{"state":{"$ne":"failed"}}']));
        const seen: number[] = [];
        let after: string | undefined;
        for (;;) {
          const { page } = await findRuns(
            api.db,
            { projectId, filter },
            { page: { order, after, limit: 40 }, count: counted },
          );
          seen.push(...(page?.rows.map(({ row }) => row.id) ?? []));
          after = page?.rows.at(-1)?.cursor;
          if (!page?.hasNextPage) break;
        }
        const wanted = inOrder(
          runs.filter((run) => matches(run, filter)),
          order,
        ).map(({ id }) => id);
        expect(seen, `seed ${seed}, order ${order.text}`).toEqual(wanted);
      }
    }
  });
});
