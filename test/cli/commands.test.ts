import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProgram, cleanEnvironment, davitProgram, DavitUp, execute, newHome } from '../support/davit-up.js';
import type { Ran } from '../support/davit-up.js';
import { jobFolders } from '../support/launched-jobs.js';
import { until } from '../support/until.js';

const home = newHome();
const jobs = jobFolders();
let up: DavitUp;
beforeAll(async () => {
  await buildProgram();
  up = await DavitUp.start(home.path, { args: ['--max-jobs', '2'] });
});
afterAll(async () => {
  await up.stop();
  home.remove();
  jobs.remove();
});

const davit = (...args: string[]): Promise<Ran> => up.davit(args);
const json = (text: string) => JSON.parse(text) as Record<string, unknown>;
const lines = (text: string) => text.trim().split('\n').map(json);

/** A job without a run and without requirements: what these tests are about is the command. */
const script = (text: string) => jobs.make({ 'main.py': text });
const quick = (folder: string, ...args: string[]) =>
  davit('launch', folder, '--project', 'cli', '--no-require-run', ...args);

describe('davit launch', () => {
  test('gives what the job prints on standard output, everything else on standard error, and its exit code', async () => {
    const folder = script(`import sys\nprint('to stdout')\nprint('to stderr', file=sys.stderr)\n`);
    const { code, stdout, stderr } = await quick(folder);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'to stdout\n' });
    expect(stderr).toContain('to stderr\n');
    expect(stderr).toContain('finished');
  });

  test('exits as the job did, and says why it failed', async () => {
    const { code, stderr } = await quick(script('import sys\nsys.exit(3)\n'));
    expect(code).toBe(3);
    expect(stderr).toContain('job-failed');
  });

  test('fails for a job that never calls wandb.init, whatever its exit code', async () => {
    const { code, stderr } = await davit('launch', script('print(1)\n'), '--project', 'cli');
    expect(code).toBe(1);
    expect(stderr).toContain('no-run');
    expect(stderr).toContain('Call wandb.init');
  });

  test('hands arguments and variables to the job', async () => {
    const folder = script(`import os, sys\nprint(sys.argv[1:], os.environ['COLOUR'])\n`);
    const { stdout } = await quick(folder, '--env', 'COLOUR=dark blue', '--', '--verbose', 'a b', '--json');
    expect(stdout).toBe(`['--verbose', 'a b', '--json'] dark blue\n`);
  });

  test('stores overrides of the config with their types', async () => {
    const file = join(jobs.make({ 'config.yaml': 'epochs: 3\noptimizer: { name: sgd, lr: 0.1 }\n' }), 'config.yaml');
    const words = ['--config', 'optimizer.lr=0.5', '--config', 'tags=["a"]', '--config', 'label=plain'];
    const { stdout } = await quick(script('print(1)\n'), '--config-file', file, ...words, '--detach');
    const launch = json((await davit('launches', 'show', stdout.trim(), '--json')).stdout);
    expect(launch['request']).toMatchObject({
      overrides: { config: { epochs: 3, optimizer: { name: 'sgd', lr: 0.5 }, tags: ['a'], label: 'plain' } },
    });
  });

  test('makes one launch of a command that is repeated with its key', async () => {
    const folder = script('print(2)\n');
    const key = randomUUID();
    const first = json((await quick(folder, '--detach', '--json', '--idempotency-key', key)).stdout);
    const second = json((await quick(folder, '--detach', '--json', '--idempotency-key', key)).stdout);
    expect([first['created'], second['created'], second['id']]).toEqual([true, false, first['id']]);
    const other = await quick(folder, '--detach', '--idempotency-key', key, '--name', 'other');
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('idempotency-conflict');
  });

  test('with --json prints nothing but JSON lines, from acceptance to end', async () => {
    const { code, stdout, stderr } = await quick(script('print("hello")\n'), '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const said = lines(stdout);
    expect([said[0]?.['type'], said.at(-1)?.['type']]).toEqual(['accepted', 'end']);
    expect(
      said
        .filter(({ type, stream }) => type === 'log' && stream === 'stdout')
        .map(({ text }) => text)
        .join(''),
    ).toBe('hello\n');
    expect(said.at(-1)?.['launch']).toMatchObject({ state: 'finished', exitCode: 0 });
  });

  test('leaves at a signal while the launch goes on, and watch takes it up to its end', async () => {
    const go = join(home.path, `go-${randomUUID()}`);
    const folder = script(
      `import os, time\nprint('waits', flush=True)\nwhile not os.path.exists(${JSON.stringify(go)}): time.sleep(0.05)\nprint('went')\n`,
    );
    const child = spawn(process.execPath, [davitProgram, 'launch', folder, '--project', 'cli', '--no-require-run'], {
      env: up.environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const exited = new Promise((resolve) => child.once('close', resolve));
    await until(() => stdout.includes('waits'));
    child.kill('SIGINT');
    expect(await exited).toBe(130);
    const id = /^launch (\S+)$/m.exec(stderr)?.[1] ?? '';
    expect(stderr).toContain(`davit launches watch ${id}`);
    const watching = davit('launches', 'watch', id);
    writeFileSync(go, '');
    expect(await watching).toMatchObject({ code: 0, stdout: 'waits\nwent\n' });
  });

  test('outlives the API: every line once, although it was killed in the middle', async () => {
    const go = join(home.path, `go-${randomUUID()}`);
    const folder = script(
      `import os, time\nfor i in range(200): print(i, flush=True)\nwhile not os.path.exists(${JSON.stringify(go)}): time.sleep(0.05)\nfor i in range(200, 400): print(i, flush=True)\n`,
    );
    const id = (await quick(folder, '--detach')).stdout.trim();
    const watching = davit('launches', 'watch', id);
    await until(async () => (await davit('launches', 'logs', id)).stdout.includes('199\n'));
    process.kill(up.pidOf('server'), 'SIGKILL');
    writeFileSync(go, '');
    const { code, stdout } = await watching;
    expect(code).toBe(0);
    expect(stdout).toBe(Array.from({ length: 400 }, (_, i) => `${i}\n`).join(''));
  });

  test('cancels what it started when it is told to do so at a signal', async () => {
    const child = spawn(
      process.execPath,
      [
        davitProgram,
        'launch',
        script('import time\nprint("on", flush=True)\ntime.sleep(600)\n'),
        '--project',
        'cli',
        '--no-require-run',
        '--cancel-on-interrupt',
      ],
      { env: up.environment(), stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const exited = new Promise((resolve) => child.once('close', resolve));
    await until(() => said.includes('on\n'));
    child.kill('SIGTERM');
    expect(await exited).toBe(130);
    expect(said).toContain('stopped');
  });
});

describe('davit launches', () => {
  test('cancel stops what waits and what runs; watch then answers 130', async () => {
    const folder = script('import time\ntime.sleep(600)\n');
    const ids = [];
    for (let i = 0; i < 3; i++) ids.push((await quick(folder, '--detach')).stdout.trim());
    await until(
      async () =>
        lines((await davit('launches', 'list', '--state', 'running', '--json')).stdout.replaceAll('\n', '')).flat()
          .length === 2,
    );
    expect((await davit('launches', 'cancel', ...ids)).code).toBe(0);
    for (const id of ids) expect((await davit('launches', 'watch', id)).code).toBe(130);
  });

  test('list, show and logs agree, in words and as JSON', async () => {
    const id = (await quick(script('print("the log")\n'), '--detach', '--name', 'shown')).stdout.trim();
    expect((await davit('launches', 'watch', id)).code).toBe(0);
    expect((await davit('launches', 'list')).stdout).toMatch(new RegExp(`^${id}\\s+finished`, 'm'));
    expect(JSON.parse((await davit('launches', 'list', '--limit', '1', '--json')).stdout)).toMatchObject([
      { id, state: 'finished' },
    ]);
    const shown = (await davit('launches', 'show', id)).stdout;
    expect(shown).toContain('Accepted');
    expect(shown).toContain('Finished');
    expect((await davit('launches', 'logs', id, '--stream', 'stdout')).stdout).toBe('the log\n');
    expect((await davit('launches', 'logs', id, '--stream', 'stdout', '--follow')).stdout).toBe('the log\n');
    const again = await davit('launches', 'relaunch', id, '--name', 'again');
    expect(again).toMatchObject({ code: 0, stdout: 'the log\n' });
  });
});

describe('davit queue and job', () => {
  test('make, list and show; a new queue is served without starting anything', async () => {
    expect((await davit('queue', 'create', 'second', '--description', 'for tests')).code).toBe(0);
    expect((await davit('queue', 'list')).stdout).toMatch(/\/second\s+process/);
    await until(async () => json((await davit('queue', 'show', 'second', '--json')).stdout)['agents'] === 1);
    const folder = script('print(1)\n');
    const made = json(
      (await davit('job', 'create', folder, '--name', 'small', '--project', 'cli', '--alias', 'good', '--json')).stdout,
    );
    expect(made).toMatchObject({ job: 'small', version: 'v0', created: true, files: 1 });
    expect(
      json((await davit('job', 'create', folder, '--name', 'small', '--project', 'cli', '--json')).stdout),
    ).toMatchObject({ version: 'v0', created: false });
    expect((await davit('job', 'list', '--project', 'cli')).stdout).toMatch(/\/cli\/small\s+code\s+v0/);
    expect(
      await davit('launch', 'small:good', '--project', 'cli', '--queue', 'second', '--no-require-run'),
    ).toMatchObject({ code: 0, stdout: '1\n' });
    expect((await davit('agents')).stdout).toContain('/second');
  });
});

describe('what is wrong', () => {
  test.each([
    ['an unknown queue', ['launch', 'FOLDER', '--queue', 'nowhere'], 2, 'unknown-queue'],
    ['an unknown job', ['launch', 'nothing:v3', '--project', 'cli'], 2, 'unknown-job'],
    ['a folder that is not there', ['launch', './nowhere'], 2, 'wrong-usage'],
    [
      'an entry point that is not in the folder',
      ['launch', 'FOLDER', '--entry-point', 'python other.py'],
      2,
      'missing-entry-point',
    ],
    ['a word that is no assignment', ['launch', 'FOLDER', '--config', 'epochs'], 2, 'wrong-usage'],
    ['an unknown launch', ['launches', 'show', '0'.repeat(20)], 1, 'not-found'],
    ['a queue that exists', ['queue', 'create', 'default'], 1, 'conflict'],
    ['a target that is not there', ['queue', 'create', 'x', '--target', 'moon'], 2, 'invalid-request'],
    ['a wrong key', ['launches', 'list', '--api-key', `davit_user-${'0'.repeat(40)}`], 77, 'unauthenticated'],
    ['an API that does not answer', ['launches', 'list', '--url', 'http://127.0.0.1:1'], 69, 'api-unavailable'],
  ])('%s: a code, a sentence and the next step, as words and as JSON', async (_what, args, code, errorCode) => {
    const folder = script('print(1)\n');
    const words = args.map((arg) => (arg === 'FOLDER' ? folder : arg));
    const told = await davit(...words);
    expect({ code: told.code, stdout: told.stdout }).toEqual({ code, stdout: '' });
    expect(told.stderr).toContain(errorCode);
    expect(told.stderr).toMatch(/^next {2}\S/m);
    const asJson = await davit(...words, '--json');
    expect(asJson.code).toBe(code);
    const problem = json(asJson.stderr);
    expect(problem['code']).toBe(errorCode);
    expect(problem['detail']).not.toBe('');
    expect(problem['fix']).not.toBe('');
  });

  test.each([
    ['an unknown command', ['lanch']],
    ['an unknown option', ['launches', 'list', '--sate', 'x']],
    ['a bad priority', ['launch', '.', '--priority', 'urgent']],
    ['no argument', ['launch']],
  ])('%s is wrong usage', async (_what, args) => {
    const { code, stderr } = await davit(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error[: ]/m);
  });
});

describe('davit env and doctor', () => {
  test('env gives a shell what it needs, and fails with nothing on standard output where no stack runs', async () => {
    const env = cleanEnvironment({ DAVIT_HOME: home.path, DAVIT: davitProgram, NODE: process.execPath });
    const line =
      'eval "$("$NODE" "$DAVIT" env)"; curl -fsS -H "Authorization: Bearer $WANDB_API_KEY" "$WANDB_BASE_URL/api/v1/viewer"';
    expect(json((await execute('sh', ['-c', line], { env })).stdout)).toMatchObject({ kind: 'user', isAdmin: true });
    const empty = newHome();
    const nowhere = await execute(process.execPath, [davitProgram, 'env'], {
      env: cleanEnvironment({ DAVIT_HOME: empty.path }),
    });
    empty.remove();
    expect(nowhere).toMatchObject({ code: 1, stdout: '' });
    expect(nowhere.stderr).toContain('not-running');
  });

  test('commands find the stack of the data folder without any variable', async () => {
    const env = cleanEnvironment({ DAVIT_HOME: home.path });
    expect((await execute(process.execPath, [davitProgram, 'queue', 'list'], { env })).stdout).toContain('/default');
  });

  test('doctor finds everything well, and says what is missing and how to get it', async () => {
    const well = json((await davit('doctor', '--json')).stdout);
    expect(well['ok']).toBe(true);
    const env = { ...up.environment(), DATABASE_URL: 'postgresql://127.0.0.1:1/none' };
    const ill = await execute(process.execPath, [davitProgram, 'doctor'], { env });
    expect(ill.code).toBe(1);
    expect(ill.stdout).toMatch(/missing\s+postgresql\s+DATABASE_URL does not answer/);
    expect(ill.stdout).toContain('unset it');
  });
});

describe('--check', () => {
  test('validates and tries nothing: 0 when it is well, 2 and each problem when not', async () => {
    const folder = newHome();
    rmSync(folder.path, { recursive: true });
    const run = (args: string[], env: NodeJS.ProcessEnv) =>
      execute(process.execPath, [davitProgram, ...args], {
        env: cleanEnvironment({ DAVIT_HOME: folder.path, ...env }),
      });
    const good = await run(['server', '--check', '--port', '1'], { DATABASE_URL: 'postgresql://a:sesame@nowhere/b' });
    expect(good.code).toBe(0);
    expect(json(good.stdout)).toMatchObject({ settings: { port: { value: 1, from: '--port' } } });
    expect(good.stdout).not.toContain('sesame');
    expect((await run(['up', '--check'], {})).code).toBe(0);
    expect(existsSync(folder.path)).toBe(false);
    const bad = await run(['agent', '--check', '--json'], { DAVIT_MAX_JOBS: 'many', DAVIT_QUUES: 'x' });
    expect(bad.code).toBe(2);
    expect(json(bad.stderr)).toMatchObject({ code: 'invalid-configuration' });
    expect(bad.stderr).toContain('did you mean DAVIT_QUEUES');
  });
});
