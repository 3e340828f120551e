import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProgram, DavitUp, newHome } from '../support/davit-up.js';
import { until } from '../support/until.js';

const home = newHome();
let up: DavitUp;
beforeAll(async () => {
  await buildProgram();
  up = await DavitUp.start(home.path, { args: ['--entity', 'ann'] });
});
afterAll(async () => {
  await up.stop();
  home.remove();
});

const davit = (...args: string[]) => up.davit(args);
async function document(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await davit(...args, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Record<string, unknown>;
}
const problem = (stderr: string) => JSON.parse(stderr) as Record<string, unknown>;

describe('davit queue create and set', () => {
  test('say everything that a queue can be told, in the words of people', async () => {
    const made = await document(
      ...['queue', 'create', 'all', '--max-running', '8', '--max-running-per-project', '4', '--project-limit', 'a=1'],
      ...['--weight', 'a=2', '--weight', 'b=0.5', '--max-waiting', '1000', '--ttl', '7d', '--fair', '--no-priorities'],
      ...['--retry', 'preempted=3,exit:137,143=2', '--retry-backoff', '10s..10m', '--retry-run', 'new'],
      ...[
        '--timeout',
        'run=2h,start=10m',
        '--timeout',
        'total=1d12h',
        '--description',
        'everything',
        '--no-require-run',
      ],
    );
    expect(made).toMatchObject({
      maxRunning: 8,
      maxRunningPerProject: 4,
      maxWaiting: 1000,
      ttlMs: 7 * 24 * 3600_000,
      discipline: 'fair',
      priorities: false,
      requireRun: false,
      retry: {
        causes: { preempted: { attempts: 3 }, 'exit:137,143': { attempts: 2 } },
        backoff: { initialMs: 10_000, maxMs: 600_000 },
        run: 'new',
      },
      timeouts: { runMs: 7_200_000, startMs: 600_000, totalMs: 36 * 3600_000 },
    });
    expect(made['projects']).toEqual([
      { project: 'ann/a', maxRunning: 1, weight: 2 },
      { project: 'ann/b', maxRunning: null, weight: 0.5 },
    ]);
    const { stdout } = await davit('queue', 'show', 'all');
    for (const words of [
      '8 running, 4 running a project',
      'fair between projects',
      'stopped after waiting 7d',
      'run 2h',
    ])
      expect(stdout).toContain(words);
  });

  test('set changes what it names and nothing else; none takes a limit away', async () => {
    await document('queue', 'create', 'some', '--max-running', '3', '--timeout', 'run=2h,start=10m', '--weight', 'a=2');
    const changed = await document(
      'queue',
      'set',
      'some',
      '--timeout',
      'run=1h',
      '--project-limit',
      'b=4',
      '--ttl',
      '1h',
    );
    expect(changed).toMatchObject({
      maxRunning: 3,
      ttlMs: 3_600_000,
      timeouts: { runMs: 3_600_000, startMs: 600_000 },
    });
    expect(changed['projects']).toEqual([
      { project: 'ann/a', maxRunning: null, weight: 2 },
      { project: 'ann/b', maxRunning: 4, weight: 1 },
    ]);
    expect(
      await document('queue', 'set', 'some', '--max-running', 'none', '--ttl', 'none', '--timeout', 'none'),
    ).toMatchObject({ maxRunning: null, ttlMs: null, timeouts: null, priorities: true, discipline: 'fifo' });
  });

  test.each([
    ['a retry of an unknown cause', ['--retry', 'boredom=3']],
    ['a retry without a number', ['--retry', 'preempted']],
    ['a pause without causes', ['--retry-backoff', '10s..1m']],
    ['a range that falls', ['--retry', 'preempted=1', '--retry-backoff', '10m..10s']],
    ['a time-out of an unknown stage', ['--timeout', 'lunch=1h']],
    ['a duration without a unit', ['--ttl', '90']],
    ['a limit that is no number', ['--max-running', 'many']],
    ['two orders at once', ['--fair', '--fifo']],
    ['nothing to change', []],
  ])('%s is wrong usage, with the way to say it right', async (_what, args) => {
    const { code, stdout, stderr } = await davit('queue', 'set', 'default', ...args, '--json');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(problem(stderr)).toMatchObject({ code: 'wrong-usage' });
  });
});

describe('davit queue pause, drain and delete', () => {
  test('pause and resume say who and why, and change nothing when repeated', async () => {
    await davit('queue', 'create', 'rests');
    const paused = await davit('queue', 'pause', 'rests', '--reason', 'new disks');
    expect(paused.stdout).toContain('davit queue resume ann/rests');
    expect((await davit('queue', 'pause', 'rests', '--reason', 'new disks')).code).toBe(0);
    expect((await davit('queue', 'show', 'rests')).stdout).toMatch(/paused +\d+ s ago by ann: new disks/);
    expect((await davit('queue', 'list')).stdout).toMatch(/ann\/rests.*paused/);
    expect(await document('queue', 'resume', 'rests')).toMatchObject({ paused: false, pauseReason: null });
  });

  test('a drained queue refuses launches and says so in a dry run, too; undrained it takes them', async () => {
    await davit('queue', 'create', 'leaves');
    await davit('job', 'create', 'examples', '--name', 'job', '--project', 'p', '--entry-point', 'python train.py');
    expect((await davit('queue', 'drain', 'leaves')).code).toBe(0);
    const refused = await davit('launch', 'p/job', '--queue', 'leaves', '--detach', '--json');
    expect(refused.code).toBe(1);
    expect(problem(refused.stderr)).toMatchObject({ code: 'queue-draining' });
    const dry = await davit('launch', 'p/job', '--queue', 'leaves', '--dry-run');
    expect(dry.code).toBe(1);
    expect(dry.stdout).toContain('would refuse it');
    expect(dry.stdout).toContain('queue-draining');
    await davit('queue', 'undrain', 'leaves');
    expect((await davit('launch', 'p/job', '--queue', 'leaves', '--dry-run')).code).toBe(0);
    expect(JSON.parse((await davit('launches', 'list', '--json')).stdout)).toEqual([]);
  });

  test('delete refuses what is not empty, and cancels what waits only when it is told to', async () => {
    await davit('queue', 'create', 'goes');
    await davit('queue', 'pause', 'goes');
    const id = (await davit('launch', 'p/job', '--queue', 'goes', '--detach')).stdout.trim();
    const refused = await davit('queue', 'delete', 'goes', '--json');
    expect(refused.code).toBe(1);
    expect(problem(refused.stderr)).toMatchObject({ code: 'queue-not-empty' });
    const unasked = await davit('queue', 'delete', 'goes', '--cancel-waiting');
    expect(unasked.code).toBe(2);
    expect(unasked.stderr).toContain('--yes');
    expect(await document('queue', 'delete', 'goes', '--cancel-waiting', '--yes')).toMatchObject({ cancelling: 1 });
    await until(async () => (await davit('launches', 'show', id)).stdout.includes('stopped'));
    expect((await davit('queue', 'show', 'goes')).code).toBe(2);
    expect((await davit('queue', 'create', 'goes')).code).toBe(0);
  });
});

test.each([
  ['queue', 'set'],
  ['queue', 'top'],
  ['launches', 'move'],
  ['agents', 'drain'],
  ['keys', 'create'],
])('davit %s %s --help shows examples of itself', async (group, name) => {
  const { code, stdout } = await davit(group, name, '--help');
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^ {2}.*davit ${group} ${name} `, 'm'));
  expect(stdout).not.toContain('default: []');
});
