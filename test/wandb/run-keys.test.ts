import { sql, type RawBuilder } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseRunOrder } from '../../domain/run-filter-keys.js';
import { parseRunFilter } from '../../domain/run-filter.js';
import { ensureProject } from '../../store/projects.js';
import { fillRunKeys, keepKey, type ValueKey } from '../../store/run-keys.js';
import { findRuns } from '../../store/run-query.js';
import { until } from '../support/until.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';

let api: TrackingApi;
beforeAll(async () => void (api = await startTrackingApi()), 120_000);
afterAll(() => api.close());

let project = 0;
let projectId = 0;
beforeEach(async () => void ({ id: projectId } = await ensureProject(api.db, api.entityId, `keys-${project++}`)));

const makeRuns = (count: number, from = 0) =>
  sql`
  insert into run (project_id, name, display_name, summary)
  select ${projectId}, 'r' || n, 'r' || n, '{"loss": ' || (n * 7919) % 1000 || '}' from generate_series(${from + 1}::int, ${from + count}::int) as n`.execute(
    api.db,
  );

const ask = async (filter: object, order: string, limit = 30) => {
  const { page, count } = await findRuns(
    api.db,
    { projectId, filter: parseRunFilter(JSON.stringify(filter)) },
    { page: { order: parseRunOrder(order), limit }, count: true },
  );
  return { names: page?.rows.map(({ row }) => row.name), count };
};
const keys = async () =>
  (
    await api.db
      .selectFrom('run_key')
      .select(['path', 'state'])
      .where('project_id', '=', projectId)
      .orderBy('place')
      .execute()
  ).map(({ path, state }) => `${path.join('.')} ${state}`);
const fill = async (runsAtOnce?: number) => {
  while (await fillRunKeys(api.db, runsAtOnce));
};
const summary = (...path: string[]): ValueKey => ({ kind: 'summary', path });
/** The lock for it may be somebody else's for a moment. */
const keep = (key: ValueKey) =>
  until(async () => {
    await keepKey(api.db, projectId, key);
    return (await keys()).some((each) => each.startsWith(`${key.path.join('.')} `));
  });
const write = (name: string, values: object) =>
  api.db
    .updateTable('run')
    .set({ summary: JSON.stringify(values) })
    .where('project_id', '=', projectId)
    .where('name', '=', name)
    .execute();

describe('values of keys that a project is asked for', { timeout: 120_000 }, () => {
  test('are kept for a large project, and answer as its documents did', async () => {
    await makeRuns(5_000);
    const questions = () =>
      Promise.all([
        ask({}, '-summary_metrics.loss'),
        ask({ 'summary_metrics.loss': { $gte: 990 } }, '+created_at', 100),
        ask({ $nor: [{ 'summary_metrics.loss': { $lt: 999 } }] }, '+summary_metrics.loss'),
      ]);
    const before = await questions();
    expect(before[1]?.count).toBe(50);
    await until(async () => {
      await ask({}, '-summary_metrics.loss');
      return (await keys()).length > 0;
    });
    await fill();
    expect(await keys()).toEqual(['loss ready']);
    expect(await questions()).toEqual(before);

    await write('r7', { loss: 5_000 });
    expect(await ask({}, '-summary_metrics.loss', 1)).toMatchObject({ names: ['r7'] });
    expect(await ask({ 'summary_metrics.loss': { $gt: 999 } }, '+created_at')).toEqual({ names: ['r7'], count: 1 });
  });

  test('answer for config too beside other conditions, whether many runs have a value or few', async () => {
    await makeRuns(5_000);
    await sql`update run set config = jsonb_build_object('half', jsonb_build_object('value', id % 2), 'one', jsonb_build_object('value', name))::text where project_id = ${projectId}`.execute(
      api.db,
    );
    const loss = { 'summary_metrics.loss': { $lt: 500 } };
    const questions = () =>
      Promise.all([
        ask({ 'config.half': 1, ...loss }, '+created_at'),
        ask({ 'config.half': { $in: [0, 7] }, 'config.one': 'r1000', ...loss }, '+created_at'),
        ask({ 'config.one': { $in: ['r3', 'r1000', 'none'] }, ...loss }, '-summary_metrics.loss'),
        ask({ $or: [{ 'config.one': 'r3' }, loss], $nor: [{ 'config.half': 1 }] }, '+created_at'),
        ask({ 'config.half': 1, 'config.one': { $ne: 'r3' } }, '+created_at'),
      ]);
    const before = await questions();
    const counts = before.map(({ count }) => count);
    expect(counts[0]).toBeGreaterThan(1_000);
    expect(counts[2]).toBe(1);
    for (const path of [['half'], ['one']]) await keep({ kind: 'config', path });
    await keep(summary('loss'));
    await fill();
    expect((await keys()).sort()).toEqual(['half ready', 'loss ready', 'one ready']);
    expect(await questions()).toEqual(before);
  });

  test('answer beside other conditions though the database knows of no run of this project yet', async () => {
    await makeRuns(5_000);
    const statistics = async (kept: RawBuilder<unknown>) => {
      for (const table of ['run', 'run_face', 'run_config', 'run_summary'])
        await sql`alter table ${sql.table(table)} ${kept}`.execute(api.db);
    };
    await statistics(sql`set (autovacuum_enabled = off)`);
    await sql`analyze`.execute(api.db);
    ({ id: projectId } = await ensureProject(api.db, api.entityId, 'unseen'));
    await makeRuns(5_000);
    await sql`update run set config = jsonb_build_object('half', jsonb_build_object('value', id % 2), 'tenth', jsonb_build_object('value', id % 10))::text where project_id = ${projectId}`.execute(
      api.db,
    );
    const loss = { 'summary_metrics.loss': { $lt: 500 } };
    expect(await ask({ state: 'running', ...loss }, '+heartbeat_at')).toMatchObject({ count: 2_500 });
    expect(await ask({ 'config.half': 1, state: 'running' }, '-summary_metrics.loss')).toMatchObject({ count: 2_500 });
    expect(await ask({ 'config.tenth': 3, state: 'running' }, '-summary_metrics.loss')).toMatchObject({ count: 500 });
    const few = await ask({ 'config.half': { $in: [1, 7] }, 'config.tenth': 3, ...loss }, '+created_at');
    expect(few.count).toBe(250);
    expect(await ask({ 'config.tenth': 3, 'config.half': { $in: [1, 7] }, ...loss }, '+created_at')).toEqual(few);
    await statistics(sql`reset (autovacuum_enabled)`);
  });

  test('are in the order of their documents, whatever numbers and other values they are', async () => {
    await makeRuns(40);
    const values = [
      '0.1',
      '0',
      '-0.0',
      '1e-299',
      '1e307',
      '-Infinity',
      'Infinity',
      'NaN',
      'null',
      '9007199254740992',
      '3',
    ];
    const others = ['"text"', 'true', '9007199254740993', '12345678901234567890123', '1.5e308', '1e-320'];
    const put = (name: string, key: string, text: string) =>
      sql`update run set summary = ${`{"${key}": ${text}}`} where project_id = ${projectId} and name = ${name}`.execute(
        api.db,
      );
    for (const [i, text] of values.entries()) await put(`r${i + 1}`, 'a', text);
    for (const [i, text] of others.entries()) await put(`r${i + 21}`, 'b', text);
    const questions = async () => {
      const asked = [];
      for (const key of ['a', 'b']) {
        for (const sign of ['+', '-']) asked.push(await ask({}, `${sign}summary_metrics.${key}`));
        for (const op of ['$gt', '$gte', '$lt', '$lte', '$eq', '$ne'])
          for (const value of [0, 0.1, -1, 2 ** 53, 1.7e308])
            asked.push(await ask({ [`summary_metrics.${key}`]: { [op]: value } }, '+name'));
      }
      return asked;
    };
    const before = await questions();
    expect(before[0]?.names?.slice(0, 4)).toEqual(['r6', 'r2', 'r3', 'r4']);
    for (const key of ['a', 'b']) await keep(summary(key));
    await fill();
    const asNumbers = () =>
      api.db
        .selectFrom('run_key')
        .select('only_numbers')
        .where('project_id', '=', projectId)
        .orderBy('place')
        .execute();
    expect(await asNumbers()).toEqual([{ only_numbers: true }, { only_numbers: false }]);
    expect(await questions()).toEqual(before);

    for (const [i, text] of others.entries()) await put(`r${i + 1}`, 'a', text);
    const kept = await questions();
    expect(await asNumbers()).toEqual([{ only_numbers: false }, { only_numbers: false }]);
    await api.db.deleteFrom('run_key').where('project_id', '=', projectId).execute();
    expect(await questions()).toEqual(kept);
  });

  test('are not kept for a small project, nor for names that no run has', async () => {
    await makeRuns(50);
    await ask({}, '-summary_metrics.loss');
    expect(await keys()).toEqual([]);
    await makeRuns(5_000, 50);
    await ask({ 'summary_metrics.nothing': { $gt: 1 } }, '+created_at');
    expect(await keys()).toEqual([]);
  });

  test('are those that a run was last written with, also while they are filled in', async () => {
    await makeRuns(600);
    await keep(summary('loss'));
    let n = 0;
    const writers = [1, 2, 3].map(async (writer) => {
      for (let i = 0; i < 200; i++) await write(`r${((i * 3 + writer) % 600) + 1}`, { loss: -1 - n++ });
    });
    const filler = fill(25);
    await Promise.all([...writers, filler]);
    await fill(25);
    expect(await keys()).toEqual(['loss ready']);
    const { rows } = await sql`
      select r.name, f.picked, s.content from run r join run_face f on f.run_id = r.id join run_summary s on s.run_id = r.id
      where r.project_id = ${projectId} and f.picked[1] is distinct from s.content -> 'loss'`.execute(api.db);
    expect(rows).toEqual([]);
    expect((await ask({ 'summary_metrics.loss': { $lt: 0 } }, '+created_at')).count).toBe(600);
  });

  test('are read from the documents again when one is too large to be kept', async () => {
    await makeRuns(20);
    await keep(summary('loss'));
    await fill();
    const long = 'x'.repeat(5_000);
    await write('r3', { loss: long });
    expect(await keys()).toEqual(['loss wide']);
    expect(await ask({ 'summary_metrics.loss': long }, '-summary_metrics.loss')).toEqual({ names: ['r3'], count: 1 });
    await fill();
    expect(await keys()).toEqual(['loss wide']);
  });

  test('are kept for 32 keys, and one that nobody asked for in a week makes room', async () => {
    await makeRuns(20);
    for (let i = 0; i < 32; i++) await keep(summary(`k${i}`));
    await keepKey(api.db, projectId, summary('k32'));
    expect(await keys()).toHaveLength(32);
    expect(await keys()).not.toContain('k32 filling');
    await fill();
    await sql`update run_key set asked_on = current_date - 8 where project_id = ${projectId} and path = '{k4}'`.execute(
      api.db,
    );
    await write('r1', { k4: 4, k32: 32 });
    await keep(summary('k32'));
    await fill();
    expect(await keys()).toHaveLength(32);
    expect((await keys())[4]).toBe('k32 ready');
    expect(await ask({ 'summary_metrics.k32': { $gt: 5 } }, '+created_at')).toEqual({ names: ['r1'], count: 1 });
    expect(await ask({ 'summary_metrics.k4': 4 }, '+created_at')).toEqual({ names: ['r1'], count: 1 });
  });

  test('go with their run', async () => {
    await makeRuns(3);
    await keep(summary('loss'));
    await fill();
    await api.db.deleteFrom('run').where('project_id', '=', projectId).where('name', '=', 'r2').execute();
    expect((await ask({}, '+summary_metrics.loss')).count).toBe(2);
  });
});
