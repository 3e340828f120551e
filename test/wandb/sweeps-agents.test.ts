import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sweepClient, type Command, type SweepClient } from '../support/sweep-client.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';

/** What agents are told, when everything goes wrong. */

let api: TrackingApi;
let client: SweepClient;
beforeAll(async () => {
  api = await startTrackingApi();
  client = sweepClient(api, 'demo');
});
afterAll(() => api.close());

const grid = (n: number) => `method: grid\nparameters: {a: {min: 1, max: ${n}}}`;
const a = (command: Command | undefined): unknown => command?.args['a']?.value;

/** As if the agent had died long ago. */
const silence = (agent: string) =>
  api.db
    .updateTable('sweep_agent')
    .set({ heartbeat_at: sql`now() - interval '1 hour'` })
    .where('id', '=', Number(Buffer.from(agent, 'base64').toString().split(':')[1]))
    .execute();

async function stateOfRun(name: string, state: string): Promise<void> {
  await sql`update run set state = ${state} where name = ${name}`.execute(api.db);
}

test('an answer that was lost is given again, the same', async () => {
  const { name } = await client.create(grid(3));
  const agent = await client.agent(name);
  const first = await client.beatText(agent);
  expect(await client.beatText(agent)).toBe(first);
  const other = await client.agent(name);
  expect(a((await client.beat(other))[0])).toBe(2);
});

test('a program that ends before its run begins is not tried for ever', async () => {
  const { name } = await client.create(grid(2));
  const agent = await client.agent(name);
  const told = [];
  for (let i = 0; i < 6; i++) told.push(a((await client.beat(agent))[0]));
  expect(told).toEqual([1, 1, 1, 2, 2, 2]);
  expect((await client.beat(agent))[0]?.type).toBe('exit');
  expect(await client.state(name)).toBe('FINISHED');
});

test('an agent with a live run is left alone', async () => {
  const { name } = await client.create(grid(2));
  const agent = await client.agent(name);
  const [command] = await client.beat(agent);
  expect(await client.beat(agent, command?.run_id ?? '')).toEqual([]);
  // Gone without a run: it counts as tried, and the next one is due.
  expect(a((await client.beat(agent))[0])).toBe(2);
});

test('a set whose agent died before it began goes to the next one, under another run id', async () => {
  const { name } = await client.create(grid(1));
  const dead = await client.agent(name);
  const [lost] = await client.beat(dead);
  const next = await client.agent(name);
  // The other one may still begin: wait, but do not leave.
  expect(await client.beat(next)).toEqual([]);
  await silence(dead);
  const [again] = await client.beat(next);
  expect(a(again)).toBe(1);
  expect(again?.run_id).not.toBe(lost?.run_id);

  // It was not dead after all: its run is told to stop, by its stream and by its agent, and nothing counts twice.
  await client.run(name, lost?.run_id ?? '', [1], { open: true });
  expect((await api.fileStream(`ada/demo/${lost?.run_id}`, {})).body).toEqual({ stopped: true });
  expect(await client.beat(dead, lost?.run_id ?? '')).toEqual([{ type: 'stop', run_id: lost?.run_id }]);
  await client.run(name, again?.run_id ?? '', [1]);
  expect((await client.beat(next))[0]?.type).toBe('exit');
  expect(await client.state(name)).toBe('FINISHED');
});

test('a set whose agent died with the program, before its run began, goes to the next one; the third death ends it', async () => {
  const { name } = await client.create(grid(1));
  const names = new Set<string>();
  for (let i = 0; i < 3; i++) {
    const agent = await client.agent(name);
    const [command] = await client.beat(agent);
    expect(a(command)).toBe(1);
    names.add(command?.run_id ?? '');
    // Its program is seen, and then both are gone.
    expect(await client.beat(agent, command?.run_id ?? '')).toEqual([]);
    await silence(agent);
  }
  expect(names.size).toBe(3);
  expect((await client.beat(await client.agent(name)))[0]?.type).toBe('exit');
  expect(await client.state(name)).toBe('FINISHED');
});

test('a run that crashed has failed and is not given again', async () => {
  const { name } = await client.create(grid(2));
  const dead = await client.agent(name);
  const [command] = await client.beat(dead);
  await client.run(name, command?.run_id ?? '', [1], { open: true });
  await silence(dead);
  const next = await client.agent(name);
  expect(a((await client.beat(next))[0])).toBe(2);
  await stateOfRun(command?.run_id ?? '', 'crashed');
  expect(a((await client.beat(next))[0])).toBe(2);
});

test('a pre-empted run is continued under its own id', async () => {
  const { name } = await client.create(grid(1));
  const agent = await client.agent(name);
  const [command] = await client.beat(agent);
  const run = command?.run_id ?? '';
  await client.run(name, run, [1], { open: true });
  await api.fileStream(`ada/demo/${run}`, { preempting: true });
  await api.fileStream(`ada/demo/${run}`, { complete: true, exitcode: 1, preempting: true });
  const next = await client.agent(name);
  expect((await client.beat(next))[0]).toMatchObject({ type: 'resume', run_id: run, args: { a: { value: 1 } } });
  expect((await client.beat(next))[0]).toMatchObject({ type: 'resume', run_id: run });
  await stateOfRun(run, 'finished');
  expect((await client.beat(next))[0]?.type).toBe('exit');
});

test('pause, resume, stop and cancel reach the agents', async () => {
  const { id, name } = await client.create('method: random\nparameters: {a: {min: 0.0, max: 1.0}}');
  const agent = await client.agent(name);
  expect(await client.state(name)).toBe('PENDING');
  const [command] = await client.beat(agent);
  const run = command?.run_id ?? '';
  expect(await client.state(name)).toBe('RUNNING');

  expect(await client.change(id, { state: 'PAUSED' })).toBeUndefined();
  const idle = await client.agent(name);
  expect(await client.beat(idle)).toEqual([]);
  expect(await client.beat(agent, run)).toEqual([]);

  expect(await client.change(id, { state: 'RUNNING' })).toBeUndefined();
  expect((await client.beat(idle))[0]?.type).toBe('run');

  expect(await client.change(id, { state: 'FINISHED' })).toBeUndefined();
  expect(await client.beat(agent, run)).toEqual([]);
  expect((await client.beat(idle))[0]?.type).toBe('exit');
  expect(await client.change(id, { state: 'PAUSED' })).toBe('Cannot pause a finished sweep.');

  await client.run(name, run, [1], { open: true });
  expect(await client.change(id, { state: 'RUNNING' })).toBeUndefined();
  expect(await client.change(id, { state: 'CANCELED' })).toBeUndefined();
  expect(await client.beat(agent, run)).toEqual([{ type: 'stop', run_id: run }]);
  expect((await api.fileStream(`ada/demo/${run}`, {})).body).toEqual({ stopped: true });
  expect((await client.beat(agent))[0]?.type).toBe('exit');
  // Its agent has ended it: it does not stay running until it counts as crashed.
  const ended = await api.graphql(`{ project(name: "demo", entityName: "ada") { run(name: "${run}") { state } } }`);
  expect(ended.data).toEqual({ project: { run: { state: 'killed' } } });
});

test('many agents at once get each set once, and the cap holds', { timeout: 300_000 }, async () => {
  const { name } = await client.create(`${grid(40)}\nrun_cap: 30`);
  const given = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const agent = await client.agent(name);
      const own: unknown[] = [];
      for (;;) {
        const [command] = await client.beat(agent);
        if (command?.type === 'exit') return own;
        if (!command) continue;
        own.push(a(command));
        await client.run(name, command.run_id, [1]);
      }
    }),
  );
  expect(given.flat().sort((x, y) => Number(x) - Number(y))).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
});

test('a scheduler of the user’s own adds runs that agents take', async () => {
  const { id, name } = await client.create(
    'method: random\nscheduler: {engine: wandb}\nparameters: {lr: {min: 0.0, max: 1.0}}',
  );
  const agent = await client.agent(name);
  expect(await client.beat(agent)).toEqual([]);
  const { data } = await api.graphql<{ enqueueSweepRun: { id: string } }>(
    'mutation E($id: ID!, $config: JSONString!) { enqueueSweepRun(input: {id: $id, config: $config}) { id runQueueItemId } }',
    { id, config: '{"lr": {"value": 1.0}}' },
  );
  const run = data.enqueueSweepRun.id;
  const polled = await api.graphql<{
    project: { sweep: { runs: { edges: { node: { name: string; state: string } }[] } } };
  }>(
    'query SweepRunsWithHistory($s: String, $h: [JSONString!]!) { project(name: "demo") { sweep(sweepName: $s) { state runs(first: 10) { pageInfo { hasNextPage endCursor } edges { node { id name state config summaryMetrics sampledHistory(specs: $h) } } } } } }',
    { s: name, h: ['{"keys":["loss"],"samples":10}'] },
  );
  expect(polled.data.project.sweep.runs.edges).toMatchObject([{ node: { name: run, state: 'pending' } }]);
  expect(await client.beatText(agent)).toContain(
    `"run_id":"${run}","id":"${run}","program":null,"args":{"lr":{"value":1.0}}`,
  );
  await client.run(name, run, [1]);
  expect(await client.beat(agent)).toEqual([]);
  expect(await client.change(id, { state: 'FINISHED' })).toBeUndefined();
  expect((await client.beat(agent))[0]?.type).toBe('exit');
});

test('a local controller’s schedule is given out and confirmed', async () => {
  const { id, name } = await client.create(
    'method: random\ncontroller: {type: local}\nparameters: {lr: {min: 0.0, max: 1.0}}',
    {
      controller: '{}',
    },
  );
  const agent = await client.agent(name);
  expect(await client.beat(agent)).toEqual([]);
  await client.change(id, { controller: '{"schedule": [{"id": "s1", "data": {"args": {"lr": {"value": 0.5}}}}]}' });
  const [command] = await client.beat(agent);
  expect(command?.args).toEqual({ lr: { value: 0.5 } });
  const { data } = await api.graphql<{ project: { sweep: { scheduler: string } } }>(
    'query Q($s: String) { project(name: "demo") { sweep(sweepName: $s) { scheduler } } }',
    { s: name },
  );
  expect(JSON.parse(data.project.sweep.scheduler)).toEqual({ scheduled: [{ id: 's1', runid: command?.run_id }] });
  await client.run(name, command?.run_id ?? '', [1]);
  await client.change(id, { controller: '{"schedule": [{"id": "s2", "data": {"args": null}}]}' });
  expect((await client.beat(agent))[0]?.type).toBe('exit');
});

test('an agent of a sweep that is gone, or of somebody else, is told so with the one status that ends it', async () => {
  const { name } = await client.create(grid(1));
  const agent = await client.agent(name);
  const beat = (id: string) =>
    api.graphql('mutation H($id: ID!) { agentHeartbeat(input: {id: $id}) { commands } }', { id });
  await sql`delete from sweep where name = ${name}`.execute(api.db);
  expect((await beat(agent)).status).toBe(404);
  expect((await beat('nonsense')).status).toBe(404);
});
