import { afterAll, beforeAll, expect, test } from 'vitest';
import { finishSweeps } from '../../store/sweep-heartbeat.js';
import { judgeRuns } from '../../store/sweep-early-stop.js';
import { sweepClient, type Command, type SweepClient } from '../support/sweep-client.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';

let api: TrackingApi;
let client: SweepClient;
beforeAll(async () => {
  api = await startTrackingApi();
  client = sweepClient(api, 'demo');
});
afterAll(() => api.close());

const values = (command: Command | undefined): Record<string, unknown> =>
  Object.fromEntries(Object.entries(command?.args ?? {}).map(([name, { value }]) => [name, value]));

/** One agent after another run until each was told to go. */
async function exhaust(
  sweep: string,
  losses: (set: Record<string, unknown>) => number[] = () => [1],
  most = 50,
): Promise<Command[]> {
  const agent = await client.agent(sweep);
  const given: Command[] = [];
  for (let i = 0; i < most; i++) {
    const [command] = await client.beat(agent);
    if (!command || command.type === 'exit') return given;
    given.push(command);
    await client.run(sweep, command.run_id, losses(values(command)));
  }
  return given;
}

test('a grid gives each set once, as the types it was written with, and then the sweep is finished', async () => {
  const { name } = await client.create(
    'method: grid\nprogram: train.py\nparameters: {lr: {values: [1.0, 0.5]}, opt: {parameters: {kind: {values: [a, b]}}}, n: {value: 3}}',
  );
  const agent = await client.agent(name);
  expect(await client.beatText(agent)).toMatch(
    /^\[\{"type":"run","run_id":"[a-z0-9]{8}","id":"[a-z0-9]{8}","program":"train.py","args":\{"lr":\{"value":1\.0\},"n":\{"value":3\},"opt":\{"value":\{"kind":"a"\}\}\}\}\]$/,
  );
  const given = await exhaust(name);
  // The first set is the other agent's, which was told of it and has not been seen to run: it may still come back.
  expect(given.map(values)).toEqual([
    { lr: 1, n: 3, opt: { kind: 'b' } },
    { lr: 0.5, n: 3, opt: { kind: 'a' } },
    { lr: 0.5, n: 3, opt: { kind: 'b' } },
  ]);
  const [first] = await client.beat(agent);
  await client.run(name, first?.run_id ?? '', [1]);
  expect((await client.beat(agent))[0]?.type).toBe('exit');
  expect(await client.state(name)).toBe('FINISHED');
});

test('the last run of a counted agent ends the sweep although nobody asks again', async () => {
  const { name } = await client.create('method: grid\nparameters: {a: {values: [1]}}');
  const agent = await client.agent(name);
  const [command] = await client.beat(agent);
  expect(await client.state(name)).toBe('RUNNING');
  await client.run(name, command?.run_id ?? '', [1], { open: true });
  await finishSweeps(api.db);
  expect(await client.state(name)).toBe('RUNNING');
  await client.run(name, command?.run_id ?? '', [1]);
  await finishSweeps(api.db);
  expect(await client.state(name)).toBe('FINISHED');
});

test('a grid skips what prior runs and runs by hand have tried, 3.0 for 3', async () => {
  await client.run('', 'prior1', [1], { config: '{"a":{"value":3.0},"_wandb":{"value":{}}}' });
  const { name } = await client.create('method: grid\nparameters: {a: {values: [1, 2, 3]}}', {
    priorRunsFilters: '{"$or": [{"name": "prior1"}]}',
  });
  await client.run(name, 'byhand', [1], { config: '{"a":{"value":1}}' });
  expect((await exhaust(name)).map(values)).toEqual([{ a: 2 }]);
  const { data } = await api.graphql<{ project: { sweep: { runs: { edges: { node: { name: string } }[] } } } }>(
    'query Q($s: String) { project(name: "demo") { sweep(sweepName: $s) { runs { edges { node { name } } } } } }',
    { s: name },
  );
  expect(data.project.sweep.runs.edges.map((e) => e.node.name).slice(0, 2)).toEqual(['prior1', 'byhand']);
});

test('an update of the grid goes on with what is new', async () => {
  const { id, name } = await client.create('method: grid\nparameters: {a: {values: [1, 2]}}');
  expect((await exhaust(name)).map(values)).toEqual([{ a: 1 }, { a: 2 }]);
  expect(await client.change(id, { config: 'method: grid\nparameters: {a: {values: [2, 3, 1]}}' })).toBeUndefined();
  expect(await client.change(id, { state: 'RUNNING' })).toBeUndefined();
  expect((await exhaust(name)).map(values)).toEqual([{ a: 3 }]);
});

test('the cap is exact, whatever ends how', async () => {
  const { name } = await client.create('method: random\nrun_cap: 5\nparameters: {a: {min: 0.0, max: 1.0}}');
  expect(await exhaust(name)).toHaveLength(5);
  expect(await client.state(name)).toBe('FINISHED');
});

test('reaching the target ends the search', async () => {
  const { name } = await client.create(
    'method: random\nmetric: {name: loss, goal: minimize, target: 0.5}\nparameters: {a: {min: 0.0, max: 1.0}}',
  );
  let n = 0;
  expect(await exhaust(name, () => [3, ++n === 3 ? 0.4 : 0.6, 2])).toHaveLength(3);
  expect(await client.state(name)).toBe('FINISHED');
});

test('Bayesian search goes to where the results are good', async () => {
  const { name } = await client.create(
    'method: bayes\nrun_cap: 14\nmetric: {name: loss}\nparameters: {x: {min: 0.0, max: 1.0}, c: {values: [a, b]}, k: {value: 1}}',
  );
  const given = await exhaust(name, ({ x }) => [Math.abs(Number(x) - 0.3) + 1]);
  expect(given).toHaveLength(14);
  const best = Math.min(...given.map((c) => Math.abs(Number(values(c)['x']) - 0.3)));
  expect(best).toBeLessThan(0.1);
  const { data } = await api.graphql<{
    project: { sweep: { bestLoss: number; runCount: number; runCountExpected: number; method: string } };
  }>(
    'query Q($s: String) { project(name: "demo") { sweep(sweepName: $s) { bestLoss runCount runCountExpected method } } }',
    { s: name },
  );
  expect(data.project.sweep).toMatchObject({ runCount: 14, runCountExpected: 14, method: 'bayes' });
  expect(data.project.sweep.bestLoss).toBeCloseTo(1 + best, 6);
});

test('early termination stops the run that is worse by its agent, which goes on with the next', async () => {
  const { name } = await client.create(
    'method: random\nmetric: {name: loss}\nearly_terminate: {type: hyperband, min_iter: 2, eta: 2}\nparameters: {a: {min: 0.0, max: 1.0}}',
  );
  const agents = [await client.agent(name), await client.agent(name), await client.agent(name)];
  const runs: string[] = [];
  for (const [i, agent] of agents.entries()) {
    const [command] = await client.beat(agent);
    runs.push(command?.run_id ?? '');
    await client.run(name, runs[i] ?? '', [5, i + 1, i + 1], { open: true });
  }
  const [first] = await api.db
    .selectFrom('sweep_agent')
    .select(['sweep_agent.id'])
    .innerJoin('sweep', 'sweep.id', 'sweep_id')
    .where('sweep.name', '=', name)
    .execute();
  await judgeRuns(api.db, first?.id ?? 0, 0);
  // Of 1, 2, 3 at the second value the third is beyond the better half.
  expect(await client.beat(agents[0] ?? '', runs[0] ?? '')).toEqual([]);
  expect(await client.beat(agents[2] ?? '', runs[2] ?? '')).toEqual([{ type: 'stop', run_id: runs[2] }]);
  // Its own stream would interrupt the agent with it.
  for (const run of runs) expect((await api.fileStream(`ada/demo/${run}`, {})).body).toEqual({});
  await api.fileStream(`ada/demo/${runs[2]}`, { complete: true, exitcode: 1 });
  expect((await client.beat(agents[2] ?? ''))[0]?.type).toBe('run');
  const { state } = await api.db
    .selectFrom('run')
    .select('state')
    .where('name', '=', runs[2] ?? '')
    .executeTakeFirstOrThrow();
  expect(state).toBe('killed');

  // Nobody is left to tell but the run itself.
  await api.db.updateTable('sweep_agent').set({ exited: true }).execute();
  await client.run(name, 'fourth', [0, 0]);
  await client.run(name, 'fifth', [0, 0]);
  await judgeRuns(api.db, first?.id ?? 0, 0);
  expect((await api.fileStream(`ada/demo/${runs[1]}`, {})).body).toEqual({ stopped: true });
});

test('a mistake in the config, and a sweep on a queue, are refused with a sentence', async () => {
  expect(await client.refused('method: random\nparameters: {a: {min: 3, max: 1}}')).toContain(
    '"min" (3) is greater than "max" (1)',
  );
  expect(
    await client.refused('method: random\nparameters: {a: {value: 3}}', { launchScheduler: '{"queue":"q"}' }),
  ).toContain('wandb launch-sweep');
  expect((await client.create('method: random\npriority: 3\nparameters: {a: {value: 3}}')).warnings).toHaveLength(1);
});
