import { request } from 'node:http';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConsole, readHistory, readLines } from '../../store/run-lines.js';
import { getRun, type RunRecord } from '../../store/runs.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { until } from '../support/until.js';

let api: TrackingApi;
beforeAll(async () => {
  api = await startTrackingApi();
});
afterAll(() => api.close());

const upsert = /* GraphQL */ `
  mutation UpsertBucket(
    $id: String
    $name: String
    $host: String
    $config: JSONString
    $state: String
    $notes: String
  ) {
    upsertBucket(
      input: { id: $id, name: $name, modelName: "lives", host: $host, config: $config, state: $state, notes: $notes }
    ) {
      bucket {
        id
        historyLineCount
      }
      inserted
    }
  }
`;
interface Answer {
  upsertBucket: { inserted: boolean; bucket: { id: string; historyLineCount: number } };
}
async function send(variables: Record<string, unknown>) {
  const answer = await api.graphql<Answer>(upsert, variables);
  expect(answer.errors).toBeUndefined();
  return answer.data.upsertBucket;
}
/** The first request of a process: only it says where it runs. With the run's id: it resumes. */
const init = (name: string, more: Record<string, unknown> = {}) =>
  send({ name, host: 'vm', config: '{"lr":{"value":1}}', ...more });
const post = async (run: string, body: unknown) => {
  const answer = await api.fileStream(`ada/lives/${run}`, body);
  expect(answer.status).toBe(200);
};
const lines = (file: string, offset: number, ...content: string[]) => ({ files: { [file]: { offset, content } } });
const history = (offset: number, ...steps: number[]) =>
  lines('wandb-history.jsonl', offset, ...steps.map((step) => `{"_step":${step},"loss":${step}}`));
const log = (offset: number, ...content: string[]) => lines('output.log', offset, ...content);
const summary = (text: string) => lines('wandb-summary.json', 0, text);

async function read(name: string): Promise<RunRecord> {
  const project = await api.db.selectFrom('project').select('id').where('name', '=', 'lives').executeTakeFirstOrThrow();
  const run = await getRun(api.db, project.id, name);
  if (!run) throw new Error('the run is gone');
  return run;
}
async function seen(name: string) {
  const run = await read(name);
  return {
    state: run.state,
    steps: (await readHistory(api.db, run.id, { limit: 100 })).map((h) => h.values['_step']),
    console: (await readConsole(api.db, run.id, { limit: 100 })).map((l) => l.text),
    summary: run.summary,
  };
}
async function live(name: string) {
  await init(name);
  await post(name, { ...history(0, 0, 1, 2), ...{} });
  await post(name, log(0, 'first', 'of the first life'));
  await post(name, summary('{"loss":2,"best":1}'));
}

test('a process that begins a run again finds it empty', async () => {
  await live('again');
  const second = await init('again', { config: '{"lr":{"value":2}}' });
  expect(second).toMatchObject({ inserted: false, bucket: { historyLineCount: 0 } });
  expect(await seen('again')).toEqual({ state: 'running', steps: [], console: [], summary: {} });
  expect(await read('again')).toMatchObject({ config: { lr: 2 } });
  await post('again', { ...history(0, 0), ...{} });
  await post('again', { ...log(0, 'second'), complete: true, exitcode: 0 });
  expect(await seen('again')).toEqual({ state: 'finished', steps: [0], console: ['second'], summary: {} });
});

test('a life that logs nothing has forgotten the former one, and the end of that', async () => {
  await live('silent');
  await post('silent', { complete: true, exitcode: 3 });
  await init('silent');
  expect(await read('silent')).toMatchObject({ state: 'running', exitCode: null, endedAt: null, historyLines: 0 });
  await post('silent', { complete: true, exitcode: 0 });
  expect(await seen('silent')).toEqual({ state: 'finished', steps: [], console: [], summary: {} });
});

test('notes that people gave and files that scripts saved stay when a run is begun again, the files of the process do not', async () => {
  await live('named');
  await send({ name: 'named', notes: 'mine' });
  const files = await api.graphql<{ createRunFiles: { files: { uploadUrl: string }[] } }>(
    `mutation { createRunFiles(input: {entityName: "ada", projectName: "lives", runName: "named", files: ["output.log", "model.pt"]}) {
      files { uploadUrl } } }`,
  );
  for (const { uploadUrl } of files.data.createRunFiles.files)
    expect((await fetch(uploadUrl, { method: 'PUT', body: 'bytes' })).status).toBe(200);
  await init('named');
  expect(await read('named')).toMatchObject({ notes: 'mine' });
  const listed = await api.graphql(
    '{ project(name: "lives") { run(name: "named") { files { edges { node { name } } } } } }',
  );
  expect(listed.data).toEqual({ project: { run: { files: { edges: [{ node: { name: 'model.pt' } }] } } } });
});

test('the first request again, because its answer was lost, is the same life', async () => {
  await live('retried');
  await init('retried');
  await init('retried');
  const again = await Promise.all([init('retried'), init('retried')]);
  expect(again.map((a) => a.bucket.historyLineCount)).toEqual([0, 0]);
  await post('retried', history(0, 0, 1));
  expect(await seen('retried')).toMatchObject({ steps: [0, 1] });
  const { life } = await api.db
    .selectFrom('run')
    .select('life')
    .where('name', '=', 'retried')
    .executeTakeFirstOrThrow();
  expect(life).toBe(2);
});

test('later requests of a process, and of people, begin nothing', async () => {
  await live('edited');
  const { bucket } = await send({ name: 'edited', config: '{"lr":{"value":5}}' });
  expect(bucket.historyLineCount).toBe(3);
  await send({ id: bucket.id, notes: 'by the public API' });
  expect(await seen('edited')).toMatchObject({ steps: [0, 1, 2], console: ['first', 'of the first life'] });
});

const untilLocked = () =>
  until(
    async () => {
      const { rows } = await api.database.pool.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows.length > 0;
    },
    { what: 'the request to wait for the lock', ms: 120_000 },
  );

test('a request that was held up while its repetition began the run changes nothing', async () => {
  await live('late');
  const held = await api.db.transaction().execute(async (tx) => {
    await tx.selectFrom('run').select('id').where('name', '=', 'late').forUpdate().execute();
    const answer = init('late', { config: '{"lr":{"value":9}}' });
    await untilLocked();
    // What the repetition and the life after it did, through another API process.
    await tx
      .updateTable('run')
      .set({ life: 2, life_at: sql`clock_timestamp()`, config: '{"lr":{"value":2}}' })
      .where('name', '=', 'late')
      .execute();
    return { answer };
  });
  expect(await held.answer).toMatchObject({ bucket: { historyLineCount: 3 } });
  expect(await seen('late')).toMatchObject({ steps: [0, 1, 2], console: ['first', 'of the first life'] });
  expect(await read('late')).toMatchObject({ config: { lr: 2 } });
});

test('a request that its client gave up begins nothing, however late it is looked at', async () => {
  await live('held');
  // The row is locked, so the request hangs; its client goes away, and what it asked for must not happen afterwards.
  await api.db.transaction().execute(async (tx) => {
    await tx.selectFrom('run').select('id').where('name', '=', 'held').forUpdate().execute();
    const body = JSON.stringify({ query: upsert, variables: { name: 'held', host: 'vm' } });
    const asked = request(`${api.url}/graphql`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Basic ${Buffer.from(`api:${api.key}`).toString('base64')}`,
      },
    });
    const closed = new Promise((resolve) => asked.once('close', resolve));
    asked.on('error', () => undefined);
    asked.end(body);
    await untilLocked();
    asked.destroy();
    await closed;
    // Whoever answers this has heard of the one that hung up before.
    await api.graphql('{ viewer { id } }');
  });
  await until(
    async () => {
      const { rows } = await api.database.pool.query(
        `select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'`,
      );
      return rows.length === 0;
    },
    { what: 'the request to be done', ms: 120_000 },
  );
  expect(await seen('held')).toMatchObject({ steps: [0, 1, 2], summary: { loss: 2, best: 1 } });
});

test('a resumed run goes on where it ended', async () => {
  await live('resumed');
  await post('resumed', { complete: true, exitcode: 1 });
  const { bucket } = await send({ name: 'resumed' });
  expect(await init('resumed', { id: bucket.id })).toMatchObject({ bucket: { historyLineCount: 3 } });
  expect(await read('resumed')).toMatchObject({ state: 'running', exitCode: null, endedAt: null });
  await post('resumed', history(3, 3, 4));
  await post('resumed', log(2, 'second'));
  expect(await seen('resumed')).toEqual({
    state: 'running',
    steps: [0, 1, 2, 3, 4],
    console: ['first', 'of the first life', 'second'],
    summary: { loss: 2, best: 1 },
  });
});

test('a resumed client that counts its console from 0 writes behind what is there, and may rewrite its own lines', async () => {
  await live('counts');
  const { bucket } = await send({ name: 'counts' });
  await init('counts', { id: bucket.id });
  await post('counts', log(0, 'second', '10%'));
  await post('counts', log(0, 'second', '10%'));
  await post('counts', log(1, '90%', 'third'));
  await post('counts', lines('wandb-events.jsonl', 0, '{"system.cpu":1}'));
  expect(await seen('counts')).toMatchObject({
    console: ['first', 'of the first life', 'second', '90%', 'third'],
  });
  await init('counts', { id: bucket.id });
  await post('counts', log(0, 'fourth'));
  await post('counts', lines('wandb-events.jsonl', 0, '{"system.cpu":2}'));
  const { console } = await seen('counts');
  expect(console).toEqual(['first', 'of the first life', 'second', '90%', 'third', 'fourth']);
  const events = await readLines(api.db, (await read('counts')).id, 'events', { from: 0, limit: 10 });
  expect(events.map((e) => e.content)).toEqual(['{"system.cpu":1}', '{"system.cpu":2}']);
});

test('a run that was only made, by the public API or a sweep, is begun by the process that takes it up', async () => {
  await send({ name: 'shell', state: 'pending' });
  expect(await read('shell')).toMatchObject({ state: 'pending' });
  await send({ name: 'shell', notes: 'made beforehand' });
  await init('shell');
  await post('shell', history(0, 0));
  expect(await read('shell')).toMatchObject({ state: 'running', notes: 'made beforehand', historyLines: 1 });
});

const rewind = `mutation RewindRun($run: String!, $step: Float!) {
  rewindRun(input: {runName: $run, entityName: null, projectName: "lives", metricName: "_step", metricValue: $step}) {
    rewoundRun { id name displayName description config sweepName project { id name entity { id name } } historyLineCount } } }`;

test('a rewound run has what was logged up to the step, and goes on there', async () => {
  await live('rewound');
  const answer = await api.graphql(rewind, { run: 'rewound', step: 1 });
  expect(answer).toMatchObject({ data: { rewindRun: { rewoundRun: { name: 'rewound', historyLineCount: 2 } } } });
  const config = '{"_wandb":{"value":{"branch_point":{"run_id":"rewound","step":1}}}}';
  expect(await init('rewound', { config })).toMatchObject({ bucket: { historyLineCount: 2 } });
  await post('rewound', history(2, 2, 3));
  await post('rewound', log(0, 'again'));
  expect(await seen('rewound')).toEqual({
    state: 'running',
    steps: [0, 1, 2, 3],
    console: ['first', 'of the first life', 'again'],
    summary: { _step: 1, loss: 1 },
  });
  // The client was not told what the summary had, and sends what it has logged itself.
  await post('rewound', summary('{"acc":0.5,"_step":3}'));
  expect((await seen('rewound')).summary).toEqual({ _step: 3, loss: 1, acc: 0.5 });
  for (const [run, step] of [
    ['nobody', 1],
    ['rewound', -1],
  ]) {
    const refused = await api.graphql(rewind, { run, step });
    expect(refused.status).toBe(200);
    expect(refused.errors).toHaveLength(1);
  }
});

test('a fork begins with the history of its parent, which stays as it is', async () => {
  await live('parent');
  const config = '{"_wandb":{"value":{"branch_point":{"run_id":"parent","step":1}}}}';
  for (let again = 0; again < 2; again++)
    expect(await init('fork', { config })).toMatchObject({ bucket: { historyLineCount: 2 } });
  await post('fork', history(2, 2));
  await post('fork', log(0, 'mine'));
  expect(await seen('fork')).toEqual({
    state: 'running',
    steps: [0, 1, 2],
    console: ['mine'],
    summary: { _step: 1, loss: 1 },
  });
  expect(await seen('parent')).toMatchObject({ steps: [0, 1, 2], console: ['first', 'of the first life'] });
  // Its client has never heard of the parent's metrics, and sends its own ones only.
  await post('fork', summary('{"acc":0.5,"_step":2}'));
  expect((await seen('fork')).summary).toEqual({ _step: 2, loss: 1, acc: 0.5 });
  // Begun again it is the same fork.
  expect(await init('fork', { config })).toMatchObject({ bucket: { historyLineCount: 2 } });
  expect(await seen('fork')).toMatchObject({ steps: [0, 1], console: [] });

  // A config is the script's own: the client neither asks for the parent's nor keeps it.
  expect((await read('fork')).config).not.toHaveProperty('lr');

  const orphan = await api.graphql(upsert, {
    name: 'orphan',
    host: 'vm',
    config: '{"_wandb":{"value":{"branch_point":{"run_id":"gone","step":1}}}}',
  });
  expect(orphan).toMatchObject({ status: 200, errors: [{ message: expect.stringContaining('gone') as string }] });
});

test('a fork whose server dies half-way shows nothing of it, and is whole when its client asks again', async () => {
  await init('huge');
  await post('huge', history(0, ...Array.from({ length: 3_000 }, (_, step) => step)));
  // Copying stands still in the middle of the lines until the lock is free.
  await sql`
    create function stand_still() returns trigger language plpgsql as $$ begin
      if new.line = 2000 then perform pg_advisory_xact_lock(77, 1); end if;
      return new;
    end $$`.execute(api.db);
  await sql`create trigger stand_still before insert on run_line for each row execute function stand_still()`.execute(
    api.db,
  );
  const variables = {
    name: 'child',
    host: 'vm',
    config: '{"_wandb":{"value":{"branch_point":{"run_id":"huge","step":2500}}}}',
  };
  const found = () => api.db.selectFrom('run').select(['id', 'history_lines']).where('name', '=', 'child').execute();
  await api.db.connection().execute(async (db) => {
    await sql`select pg_advisory_lock(77, 1)`.execute(db);
    const first = api.graphql<Answer>(upsert, variables);
    const pid = await until(async () => {
      const { rows } = await sql<{ pid: number }>`
        select pid from pg_locks where locktype = 'advisory' and classid = 77 and not granted`.execute(db);
      return rows[0]?.pid;
    });
    expect(await found()).toEqual([]);
    await sql`select pg_terminate_backend(${pid}::int)`.execute(db);
    expect((await first).status).toBe(503);
    expect(await found()).toEqual([]);
    await sql`select pg_advisory_unlock(77, 1)`.execute(db);
  });
  await sql`drop trigger stand_still on run_line`.execute(api.db);

  for (let again = 0; again < 2; again++) expect((await send(variables)).bucket.historyLineCount).toBe(2_501);
  const [child] = await found();
  expect((await readHistory(api.db, child?.id ?? 0, { limit: 10_000 })).map((h) => h.values['_step'])).toEqual(
    Array.from({ length: 2_501 }, (_, step) => step),
  );
});
