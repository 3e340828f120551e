import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sweepClient, type SweepClient } from '../support/sweep-client.js';
import { wandbRequests } from '../support/wandb-requests.js';
import { startTestApi, type TestApi } from './support/api.js';

/** Sweeps for people: made and worked by the requests of wandb clients, shown and steered by REST. */

let api: TestApi;
let client: SweepClient;
beforeAll(async () => {
  api = await startTestApi();
  client = sweepClient(wandbRequests(api.url, api.keys.ada), 'demo');
});
afterAll(() => api.close());

const sweeps = '/entities/ada/projects/demo/sweeps';
const get = async (path: string) => {
  const answer = await api.call('GET', path);
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
};

const grid = `
name: by hand
description: which a
method: grid
run_cap: 5
metric: {name: loss, goal: minimize, target: -1}
early_terminate: {type: hyperband, min_iter: 3}
parameters: {a: {values: [1, 2, 3]}, b: {value: 0.5}, c: {parameters: {d: {value: x}}}}
`;

describe('a sweep', () => {
  test('shows its state, its rule, its best run, its runs by state, its agents, and each set with its run', async () => {
    const { name } = await client.create(grid);
    expect(await get(`${sweeps}/${name}`)).toMatchObject({
      state: 'PENDING',
      best: null,
      runs: { total: 0, byState: {}, cap: 5, expected: 3 },
      agentsAlive: 0,
      heartbeatAt: null,
    });
    const [one, two] = [await client.agent(name), await client.agent(name)];
    const [first] = await client.beat(one);
    await client.run(name, first?.run_id ?? '', [3, 2]);
    const [second] = await client.beat(one);
    await client.run(name, second?.run_id ?? '', [9], { open: true });
    const [third] = await client.beat(two);

    const shown = await get(`${sweeps}/${name}`);
    expect(shown).toMatchObject({
      entity: 'ada',
      project: 'demo',
      name,
      description: 'which a',
      state: 'RUNNING',
      method: 'grid',
      chooser: 'server',
      metric: { name: 'loss', goal: 'minimize', target: -1 },
      best: { run: first?.run_id, value: 2 },
      runs: { total: 2, byState: { finished: 1, running: 1 }, cap: 5, expected: 3 },
      earlyTerminate: { type: 'hyperband', eta: 3, strict: false },
      agentsAlive: 2,
    });
    expect(shown.earlyTerminate.bands.slice(0, 2)).toEqual([3, 9]);
    expect(shown.config).toBe(grid);
    const { config: _config, ...listed } = shown;
    expect((await get(sweeps)).items).toEqual([listed]);

    const parameters = (a: number) => ({ a, b: 0.5, c: { d: 'x' } });
    const { items } = await get(`${sweeps}/${name}/runs`);
    expect(items).toMatchObject([
      { n: 1, run: first?.run_id, runState: 'finished', value: 2, parameters: parameters(1), origin: 'search' },
      { n: 2, run: second?.run_id, runState: 'running', value: 9, parameters: parameters(2), origin: 'search' },
      { n: 3, run: third?.run_id, runState: null, value: null, parameters: parameters(3), state: 'given' },
    ]);
    const page = await get(`${sweeps}/${name}/runs?limit=2`);
    const rest = await get(`${sweeps}/${name}/runs?limit=2&cursor=${page.nextCursor}`);
    expect([...page.items, ...rest.items]).toEqual(items);
    expect(rest.nextCursor).toBeUndefined();
  });

  test('is paused, resumed, stopped and cancelled; each may be repeated, is heard by agents and leaves its actor behind', async () => {
    const { name } = await client.create('method: random\nparameters: {a: {min: 0.0, max: 1.0}}');
    const act = async (verb: string) => {
      const answers = [
        await api.call('POST', `${sweeps}/${name}/${verb}`),
        await api.call('POST', `${sweeps}/${name}/${verb}`),
      ];
      return answers.map(({ status, body }) => [status, body.state ?? body.code]);
    };
    const agent = await client.agent(name);
    expect(await act('pause')).toEqual(Array(2).fill([200, 'PAUSED']));
    expect(await client.beat(agent)).toEqual([]);
    expect(await act('resume')).toEqual(Array(2).fill([200, 'RUNNING']));
    const [command] = await client.beat(agent);
    const run = command?.run_id ?? '';
    await client.run(name, run, [1], { open: true });
    expect(await act('stop')).toEqual(Array(2).fill([200, 'FINISHED']));
    expect(await client.beat(agent, run)).toEqual([]);
    expect(await act('pause')).toEqual(Array(2).fill([409, 'sweep-state']));
    expect(await act('cancel')).toEqual(Array(2).fill([200, 'CANCELED']));
    expect(await client.beat(agent, run)).toEqual([{ type: 'stop', run_id: run }]);
    const audit = await api.db
      .selectFrom('audit')
      .select(['actor', 'data'])
      .where('subject', '=', `sweep/ada/demo/${name}`)
      .where('action', '=', 'sweep.state')
      .orderBy('id')
      .execute();
    expect(audit.map(({ actor, data }) => [actor, (data as { state: string }).state])).toEqual(
      ['PAUSED', 'RUNNING', 'FINISHED', 'CANCELED'].flatMap((state) => Array(2).fill(['ada', state])),
    );
  });
});

test('sweeps of a project come newest first, page by page, and by state', async () => {
  const made: string[] = [];
  for (const _ of Array(3)) made.unshift((await client.create('method: random\nparameters: {a: {value: .nan}}')).name);
  const pending = await get(`${sweeps}?state=PENDING&limit=2`);
  const rest = await get(`${sweeps}?state=PENDING&limit=2&cursor=${pending.nextCursor}`);
  expect([...pending.items, ...rest.items].map((one: { name: string }) => one.name)).toEqual(made);
  // What JSON has no number for is its text.
  await client.beatText(await client.agent(made[0] ?? ''));
  expect((await get(`${sweeps}/${made[0]}/runs`)).items).toMatchObject([{ parameters: { a: 'NaN' } }]);
  expect((await api.call('GET', `${sweeps}/none`)).body.code).toBe('not-found');
  expect((await api.call('GET', `${sweeps}?state=odd`)).body.code).toBe('invalid-request');
});
