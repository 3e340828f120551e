import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { begunOf } from '../../cli/stack/process-identity.js';
import { buildProgram, cleanEnvironment, davitProgram, DavitUp, execute, newHome } from '../support/davit-up.js';
import { jobFolders } from '../support/launched-jobs.js';
import { until } from '../support/until.js';

beforeAll(buildProgram);
let home: ReturnType<typeof newHome>;
const jobs = jobFolders();
const started: DavitUp[] = [];
beforeEach(() => void (home = newHome()));
afterEach(async () => {
  for (const up of started.splice(0)) await up.stop();
  home.remove();
  jobs.remove();
});

async function davitUp(args: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<DavitUp> {
  const up = await DavitUp.start(home.path, { args, env });
  started.push(up);
  return up;
}
const refused = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  execute(process.execPath, [davitProgram, 'up', ...args], {
    env: cleanEnvironment({ DAVIT_HOME: home.path, ...env }),
  });

const parts = ['postgres', 'temporal', 'server', 'worker', 'agent'];

describe('davit up', () => {
  test('makes the first user, its key for its owner only, a queue and an agent', async () => {
    const up = await davitUp(['--entity', 'ann', '--max-jobs', '3']);
    const { data: viewer } = await up.client.GET('/viewer');
    expect(viewer).toMatchObject({ username: 'ann', entity: 'ann', isAdmin: true });
    expect(statSync(join(home.path, 'keys', 'admin')).mode & 0o777).toBe(0o600);
    expect(statSync(join(home.path, 'keys', 'agent')).mode & 0o777).toBe(0o600);
    const { data: queue } = await up.client.GET('/queues/{entity}/{queue}', {
      params: { path: { entity: 'ann', queue: 'default' } },
    });
    expect(queue).toMatchObject({ target: 'process' });
    // It is there a moment before its queues are.
    const agent = await until(async () =>
      (await up.client.GET('/agents')).data?.items.find(({ queues }) => queues.length > 0),
    );
    expect(agent).toMatchObject({ status: 'active', maxJobs: 3, queues: ['ann/default'] });
  });

  test('is refused on a data folder that another one works on, with its process', async () => {
    const up = await davitUp();
    const second = await refused(['--json']);
    expect(second.code).toBe(1);
    expect(JSON.parse(second.stderr)).toMatchObject({ code: 'home-in-use', pid: up.process.pid });
  });

  test('starts again with everything it had: keys, launches and their logs', async () => {
    const first = await davitUp(['--entity', 'ann']);
    const folder = jobs.make({ 'main.py': 'print("kept")\n' });
    const { stdout } = await first.davit(['launch', folder, '--no-require-run', '--project', 'p', '--json']);
    const { id } = JSON.parse(stdout.split('\n')[0] ?? '') as { id: string };
    expect(await first.stop()).toBe(0);
    // The user of the machine was renamed: the first user keeps its name, and the agent serves its queues.
    const second = await davitUp(['--entity', 'bob']);
    expect([second.key, second.url]).toEqual([first.key, first.url]);
    expect((await second.davit(['launches', 'logs', id, '--stream', 'stdout'])).stdout).toBe('kept\n');
    expect(await second.davit(['launch', folder, '--no-require-run', '--project', 'p'])).toMatchObject({
      code: 0,
      stdout: 'kept\n',
    });
  });

  test('gives its owner a new key when the file is gone', async () => {
    await (await davitUp()).stop();
    const lost = readFileSync(join(home.path, 'keys', 'admin'), 'utf8').trim();
    rmSync(join(home.path, 'keys', 'admin'));
    const up = await davitUp();
    expect(up.key).not.toBe(lost);
    expect((await up.client.GET('/viewer')).data?.isAdmin).toBe(true);
  });

  test('names a part that died and starts it again', async () => {
    const up = await davitUp();
    for (const part of ['agent', 'worker', 'server', 'temporal', 'postgres']) {
      const before = up.pidOf(part);
      process.kill(before, 'SIGKILL');
      await until(() => up.events().some((event) => event['kind'] === 'died' && event['part'] === part), {
        what: `the death of ${part}`,
      });
      await until(() => up.events().some((event) => event['kind'] === 'again' && event['part'] === part), {
        what: `${part} again`,
        ms: 60_000,
      });
    }
    const folder = jobs.make({ 'main.py': 'print("works")\n' });
    expect(await up.davit(['launch', folder, '--no-require-run', '--project', 'p'])).toMatchObject({
      code: 0,
      stdout: 'works\n',
    });
  });

  test('stops everything in order, and leaves a running job to the next start', async () => {
    const up = await davitUp();
    const go = join(home.path, 'go');
    const folder = jobs.make({
      'main.py': `import os, time\nprint('begun', flush=True)\nwhile not os.path.exists(${JSON.stringify(go)}): time.sleep(0.05)\nprint('ended')\n`,
    });
    const id = (await up.davit(['launch', folder, '--no-require-run', '--project', 'p', '--detach'])).stdout.trim();
    await until(async () => (await up.davit(['launches', 'logs', id])).stdout.includes('begun'));
    const pids = parts.map((part) => up.pidOf(part));
    expect(await up.stop()).toBe(0);
    const stopped = up
      .events()
      .flatMap((event) => (event['kind'] === 'stopped' && typeof event['part'] === 'string' ? [event['part']] : []));
    expect(stopped.slice(0, 3)).toEqual(['agent', 'worker', 'server']);
    expect(new Set(stopped)).toEqual(new Set(parts));
    expect(pids.filter((pid) => begunOf(pid) !== null)).toEqual([]);
    writeFileSync(go, '');
    const again = await davitUp();
    expect(await again.davit(['launches', 'watch', id])).toMatchObject({ code: 0, stdout: 'begun\nended\n' });
  });

  test('a second signal ends everything at once', async () => {
    const up = await davitUp();
    const pids = parts.map((part) => up.pidOf(part));
    up.process.kill('SIGINT');
    await until(() => up.events().some(({ kind }) => kind === 'stopping'));
    up.process.kill('SIGINT');
    await up.exited;
    await until(() => pids.every((pid) => begunOf(pid) === null));
  });
});

describe('davit up says what is wrong and what to do', () => {
  test.each([
    ['a port that is taken', ['--port', 'TAKEN'], {}, 1, 'port-in-use'],
    ['a database that does not answer', [], { DATABASE_URL: 'mysql://x' }, 2, 'invalid-configuration'],
    ['a Temporal that does not answer', [], { TEMPORAL_ADDRESS: '127.0.0.1:1' }, 69, 'temporal-unavailable'],
    ['a misspelt setting', [], { DAVIT_PROT: '1' }, 2, 'invalid-configuration'],
  ])('%s', async (_what, args, env, code, errorCode) => {
    const { createServer } = await import('node:net');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const result = await refused([...args.map((arg) => (arg === 'TAKEN' ? String(port) : arg)), '--json'], env);
    server.close();
    expect(result.code).toBe(code);
    const problem = JSON.parse(result.stderr) as { code: string; fix: string };
    expect(problem.code).toBe(errorCode);
    expect(problem.fix).not.toBe('');
  });

  test('a data folder that cannot be written', async () => {
    // A file where the folder should be: permissions do not hold back root, this does.
    rmSync(home.path, { recursive: true });
    writeFileSync(home.path, '');
    chmodSync(home.path, 0o400);
    const result = await refused(['--json']);
    expect(result.code).toBe(1);
    expect(JSON.parse(result.stderr)).toMatchObject({ code: 'home-not-writable' });
  });
});
