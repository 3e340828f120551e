import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentWords } from '../../cli/agent-words.js';
import { Output } from '../../cli/output/output.js';
import { sweepClient } from '../support/sweep-client.js';
import { wandbRequests } from '../support/wandb-requests.js';
import { buildProgram, DavitUp, newHome } from '../support/davit-up.js';
import { until } from '../support/until.js';

const home = newHome();
let up: DavitUp;
beforeAll(async () => {
  await buildProgram();
  up = await DavitUp.start(home.path, { args: ['--entity', 'ann', '--max-jobs', '2'] });
});
afterAll(async () => {
  await up.stop();
  home.remove();
});

const davit = (...args: string[]) => up.davit(args);
const agents = async () => JSON.parse((await davit('agents', '--json')).stdout) as { name: string; status: string }[];

describe('davit agents', () => {
  test('list and show agree; drain and activate are told and undone', async () => {
    const { name } = await until(async () => (await agents()).find(({ status }) => status === 'active'));
    expect((await davit('agents')).stdout).toMatch(new RegExp(`ann/${name} +active +\\d+ s ago +0/2 +ann/default`));
    const shown = await davit('agents', 'show', name);
    expect(shown.stdout).toMatch(/slots +0 of 2 used/);
    expect(shown.stdout).toMatch(/targets +process works at/);
    const drained = await davit('agents', 'drain', name);
    expect(drained.stdout).toContain(`Undo: davit agents activate ann/${name}`);
    expect((await davit('agents', 'show', name)).stdout).toMatch(/draining\n[^]*wanted +draining by ann/);
    expect((await davit('agents', 'delete', name)).code).toBe(1);
    expect((await davit('agents', 'activate', name)).code).toBe(0);
    await until(async () => (await agents())[0]?.status === 'active');
    expect((await davit('agents', 'release', name)).code).toBe(0);
    expect(await davit('agents', 'drain', 'nobody')).toMatchObject({ code: 1, stdout: '' });
  });
});

describe('davit sweep', () => {
  const grid =
    'name: first try\nmethod: grid\nmetric: {name: loss}\nparameters: {lr: {values: [0.5, 1.5]}, kind: {value: sgd}}';

  test('list and show say how far it is, what it found and what was tried; pause, resume, stop and cancel are done and refused in words', async () => {
    const client = sweepClient(wandbRequests(up.url, up.key), 'flowers', undefined, 'ann');
    expect((await davit('sweep')).stdout).toContain('There are no sweeps');
    const { name } = await client.create(grid);
    const path = `ann/flowers/${name}`;
    const agent = await client.agent(name);
    const [command] = await client.beat(agent);
    await client.run(name, command?.run_id ?? '', [2, 0.25]);

    const listed = (await davit('sweep', 'list', '--project', 'flowers')).stdout;
    expect(listed).toMatch(new RegExp(`${path} +\\S.* running +grid +1 of 2 +${command?.run_id} 0.25 +1 +`));
    const shown = (await davit('sweep', 'show', `flowers/${name}`)).stdout;
    expect(shown).toMatch(/metric +minimize loss\n/);
    expect(shown).toMatch(/runs +1 of 2: 1 finished\n/);
    expect(shown).toMatch(new RegExp(`${command?.run_id} +finished +0.25 +kind=sgd lr=0.5`));
    const { sets, ...sweep } = JSON.parse((await davit('sweep', 'show', path, '--json')).stdout) as {
      sets: { parameters: unknown }[];
    };
    expect(sets).toMatchObject([{ n: 1, parameters: { kind: 'sgd', lr: 0.5 } }]);
    expect(sweep).toMatchObject({ state: 'RUNNING', config: grid });

    expect((await davit('sweep', 'pause', path)).stdout).toContain(`davit sweep resume ${path}`);
    expect((await davit('sweep', 'show', path)).stdout).toMatch(/paused[^]*next/);
    expect((await davit('sweep', 'resume', path)).code).toBe(0);
    expect((await davit('sweep', 'stop', path)).stdout).toContain('has ended');
    // One that is refused does not keep the other from being cancelled.
    expect(await davit('sweep', 'pause', path)).toMatchObject({ code: 1, stdout: '' });
    const both = await davit('sweep', 'cancel', 'flowers/none', path, '--json');
    expect([both.code, (JSON.parse(both.stdout) as { state: string }).state]).toEqual([1, 'CANCELED']);
    expect((await davit('sweep', 'show', name)).code).toBe(2);
  });
});

describe('davit keys', () => {
  test('a key for an agent is bound to its queues, printed once, listed without itself, and revoked', async () => {
    await davit('queue', 'create', 'gpu');
    const made = await davit(
      'keys',
      'create',
      '--kind',
      'agent',
      '--queue',
      'gpu',
      '--description',
      'box',
      '--expires',
      '90d',
    );
    expect(made.stdout).toMatch(/^davit_agent-[0-9a-f]{40}\n$/);
    const listed = await davit('keys');
    expect(listed.stdout).not.toContain(made.stdout.trim());
    const [, id = ''] = /^(\S+) +agent +\S+ +box +ann\/gpu +- +valid$/m.exec(listed.stdout) ?? [];
    expect(id).not.toBe('');
    expect((await davit('keys', 'revoke', id)).code).toBe(0);
    expect((await davit('keys')).stdout).toMatch(new RegExp(`^${id}.*revoked$`, 'm'));
    expect((await davit('keys', 'create', '--kind', 'agent', '--queue', 'nowhere')).code).toBe(2);
    expect((await davit('keys', 'create', '--queue', 'gpu')).code).toBe(2);
  });
});

test('an agent in quarantine shows why, since when, its evidence, when it may prove itself, and how it is released', async () => {
  const at = new Date(Date.now() - 60_000).toISOString();
  const { data } = await up.client.GET('/agents');
  const [agent] = data?.items ?? [];
  if (agent === undefined) throw new Error('there is an agent');
  const launches = [{ launchId: '0'.repeat(20), code: 'submit-failed', message: 'no room on the disk', at }];
  const quarantine = {
    ...{ reason: '3 different launches failed on it', by: 'davit', since: at, launches, quarantineAfter: 3 },
    ...{ probeAfter: new Date(Date.now() + 600_000).toISOString(), probeLaunch: null },
  };
  const words = agentWords({ ...agent, quarantine }, new Output(false));
  expect(words).toMatch(/quarantined\n/);
  expect(words).toMatch(/why +3 different launches failed on it/);
  expect(words).toMatch(/probe +takes one launch in (10m|9m\d\ds) to prove itself/);
  expect(words).toMatch(/evidence +\d\d:\d\d:\d\d 0{20} submit-failed: no room on the disk/);
  expect(words).toContain(`davit agents release ann/${agent.name}`);
});
