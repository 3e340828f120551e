import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDavitClient, type Api, type DavitClient } from '../../client/index.js';
import { freePort } from '../support/free-port.mjs';
import { until } from '../support/until.js';

/** The compose file as a user has it, on a real Engine: the images are built, everything is brought up, used, restarted and looked at again. */

const root = fileURLToPath(new URL('../..', import.meta.url));
const project = `davit-test-${process.pid}`;
const patienceMs = 1_500_000;

const parts = ['postgres', 'temporal', 'server', 'worker', 'agent'];

let folder = '';
let env: NodeJS.ProcessEnv;
let url = '';
/** What every command of Compose begins with. */
let chosen: readonly string[] = [];
let client: DavitClient;

const run = (program: string, args: readonly string[], input?: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = execFile(program, args, { cwd: root, env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
      error
        ? reject(
            new Error(`${program} ${args.join(' ')}: ${error.message}\n${stdout.slice(-3000)}${stderr.slice(-3000)}`),
          )
        : resolve(stdout),
    );
    child.stdin?.end(input ?? '');
  });
const machine = (script: string): Promise<string> => run(join(root, 'test', 'machine', script), []);
const docker = (...args: string[]): Promise<string> => run('/usr/bin/docker', args);
const compose = (...args: string[]): Promise<string> => run('docker-compose', [...chosen, ...args]);
const ours = ['--filter', `label=com.docker.compose.project=${project}`];
const containerOf = async (service: string): Promise<string> =>
  (await docker('ps', '-q', ...ours, '--filter', `label=com.docker.compose.service=${service}`)).trim();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-test-packaging-'));
  // This Node goes into the stand-in, wherever it lies.
  env = { ...process.env, NODE: process.execPath };
  const host = /^DOCKER_HOST=(.*)$/m.exec(await machine('docker-up.sh'))?.[1] ?? '';
  // The classic builder takes base images that only the Engine has.
  env = { ...env, DOCKER_HOST: host, DOCKER_BUILDKIT: '0', COMPOSE_DOCKER_CLI_BUILD: '0' };
  await machine('stand-ins.sh');
  const [port, uiPort] = [await freePort(), await freePort()];
  url = `http://127.0.0.1:${port}`;
  env['DOCKER_SOCKET'] = host.replace('unix://', '');
  const secrets = await run('sh', [join(root, 'deploy', 'new-env.sh')]);
  await writeFile(
    join(folder, '.env'),
    `${secrets}DAVIT_PORT=${port}\nTEMPORAL_UI_PORT=${uiPort}\nDAVIT_JOBS_NETWORK=${project}-jobs\n`,
    { mode: 0o600 },
  );
  // The same probes, asked more often: each start waits for one after the other.
  const services = Object.fromEntries(parts.map((part) => [part, { healthcheck: { interval: '1s', retries: 200 } }]));
  await writeFile(join(folder, 'probes.yml'), JSON.stringify({ services }));
  chosen = [
    ...['--project-name', project, '--env-file', join(folder, '.env')],
    ...['-f', join(root, 'docker-compose.yml'), '-f', join(folder, 'probes.yml')],
  ];
}, patienceMs);

afterAll(async () => {
  if (folder === '') return;
  // Containers of jobs are not Compose's.
  const jobs = await docker('ps', '-aq', '--filter', 'label=davit.launch', '--filter', `network=${project}-jobs`);
  if (jobs.trim() !== '') await docker('rm', '--force', ...jobs.trim().split('\n'));
  await compose('down', '--volumes', '--timeout', '20').catch((error: unknown) => console.error(error));
  await rm(folder, { recursive: true, force: true });
}, 300_000);

/** Commands of docs/packaging.md, as somebody types them in a folder of their own; for this installation, and with whichever Compose is here. */
async function typed(name: string): Promise<void> {
  const page = await readFile(join(root, 'docs', 'packaging.md'), 'utf8');
  const commands = new RegExp(`<!-- test: ${name} -->\\s+\`\`\`sh\\n([^]*?)\`\`\``).exec(page)?.[1];
  if (commands === undefined) throw new Error(`docs/packaging.md has no commands "${name}"`);
  const words = ['docker-compose', ...chosen].map((word) => `'${word}'`).join(' ');
  await run('sh', ['-euc', `docker() { shift; ${words} "$@"; }\ncd '${folder}'\n${commands}`]);
}

const allReady = (): Promise<true> =>
  until(
    async () => {
      const healthy = await docker('ps', ...ours, '--filter', 'health=healthy', '--format', '{{.ID}}');
      return healthy.trim().split('\n').length === parts.length ? (true as const) : undefined;
    },
    { what: 'every service to be healthy', ms: 900_000, everyMs: 500 },
  );

async function launched(): Promise<string> {
  const { data } = await client.POST('/launches', {
    body: { queue: 'default', project: 'demo', job: 'admin/demo/hello:latest' },
  });
  if (!data || !('id' in data)) throw new Error('no answer');
  return data.id;
}
const ended = (id: string): Promise<Api<'LaunchDetail'>> =>
  until(
    async () => {
      const { data } = await client.GET('/launches/{id}', { params: { path: { id } } });
      return data && ['finished', 'failed', 'stopped'].includes(data.state) ? data : undefined;
    },
    { what: `the end of launch ${id}`, ms: 900_000, everyMs: 500 },
  );
const logOf = async (id: string): Promise<string> => {
  const { data } = await client.GET('/launches/{id}/logs', { params: { path: { id } } });
  return (data?.chunks ?? []).map(({ text }) => text).join('');
};

describe('the compose file', { timeout: patienceMs }, () => {
  test('builds its images of nothing but this tree', async () => {
    // The other services run the image of the first.
    await compose('build', 'server', 'temporal');
    const version = await docker('run', '--rm', 'davit:local', '--version');
    expect(version.trim()).toMatch(/^\d+\.\d+\.\d+/);
  });

  test('comes up whole, and the key of its first user opens the API', async () => {
    await compose('up', '--detach');
    await allReady();
    const key = (await compose('exec', '-T', 'server', 'cat', '/var/lib/davit/keys/admin')).trim();
    client = createDavitClient({ baseUrl: url, apiKey: key });
    const { data: viewer } = await client.GET('/viewer');
    expect(viewer).toMatchObject({ entity: 'admin', isAdmin: true });
    const { data: queues } = await client.GET('/queues');
    expect(queues?.items.map(({ name, agents }) => [name, agents])).toEqual([['default', 1]]);
  });

  test('runs as nobody in particular, holds nothing that it does not need, and listens on loopback only', async () => {
    const id = (await compose('exec', '-T', 'server', 'id', '-u')).trim();
    expect(id).toBe('1000');
    for (const service of ['server', 'worker', 'agent', 'temporal'])
      expect(
        JSON.parse(await docker('inspect', '-f', '{{json .HostConfig.CapDrop}}', await containerOf(service))),
      ).toEqual(['ALL']);
    const history = await docker('history', '--no-trunc', 'davit:local');
    for (const line of (await readFile(join(folder, '.env'), 'utf8')).split('\n')) {
      const value = line.slice(line.indexOf('=') + 1);
      if (/^(POSTGRES_PASSWORD|DAVIT_SECRET_KEYS)=/.test(line)) expect(history).not.toContain(value);
    }
    const published = await docker('ps', ...ours, '--format', '{{.Ports}}');
    expect(published).not.toMatch(/0\.0\.0\.0|:::/);
    const files = await compose('exec', '-T', 'server', 'ls', '/opt/davit', '/opt/davit/node_modules');
    expect(files).not.toMatch(/^(vitest|eslint|typescript|test|docs)$/m);
  });

  let before: Api<'LaunchDetail'>;
  test('runs a launch in a container of its agent: a tracked run that is given a secret', async () => {
    await client.PUT('/entities/{entity}/secrets/{secret}', {
      params: { path: { entity: 'admin', secret: 'token' } },
      body: { value: 'planted in compose' },
    });
    await client.PATCH('/queues/{entity}/{queue}', {
      params: { path: { entity: 'admin', queue: 'default' } },
      body: { secretVariables: { TOKEN: 'token' } },
    });
    await makeJob();
    before = await ended(await launched());
    const log = await logOf(before.id);
    expect(before, log).toMatchObject({ state: 'finished', exitCode: 0, target: 'docker', agent: 'docker' });
    expect(before.run).toMatchObject({ state: 'finished' });
    expect(log).toContain('hello ******************');
    expect(await summaryOf(before)).toMatchObject({ in_container: true, of: 'http://server:8080' });
  });

  test('after every service was restarted everything is found again, and the next launch runs', async () => {
    for (const service of parts) await compose('restart', service);
    await allReady();
    await expectAsBefore();
    const next = await ended(await launched());
    expect(next, await logOf(next.id)).toMatchObject({ state: 'finished', exitCode: 0 });
  });

  test('brought up a second time it keeps its keys, its queue and its data', async () => {
    await compose('down', '--timeout', '20');
    await compose('up', '--detach');
    await allReady();
    await expectAsBefore();
  });

  test('the commands of docs/packaging.md bring a back-up into an empty installation, and what waited runs', async () => {
    const queue = { params: { path: { entity: 'admin', queue: 'default' } } };
    await client.POST('/queues/{entity}/{queue}/pause', queue);
    const waiting = await launched();
    await typed('back-up');
    await compose('down', '--volumes', '--timeout', '20');
    await typed('restore');
    await allReady();
    await expectAsBefore();
    await client.POST('/queues/{entity}/{queue}/resume', queue);
    const next = await ended(waiting);
    expect(next, await logOf(next.id)).toMatchObject({ state: 'finished', exitCode: 0 });
  });

  async function expectAsBefore(): Promise<void> {
    const { data: queues } = await client.GET('/queues');
    expect(queues?.items.map(({ name }) => name)).toEqual(['default']);
    const { data: agents } = await client.GET('/agents');
    expect(agents?.items.map(({ name }) => name)).toEqual(['docker']);
    const { data: after } = await client.GET('/launches/{id}', { params: { path: { id: before.id } } });
    expect(after).toMatchObject({ state: 'finished', timeline: before.timeline });
    expect(await logOf(before.id)).toContain('hello ******************');
    expect(await summaryOf(before)).toMatchObject({ in_container: true });
  }

  test('without its passwords it starts nothing and says which are missing', async () => {
    await writeFile(join(folder, 'empty'), '');
    const config = run('docker-compose', ['--env-file', join(folder, 'empty'), 'config']);
    await expect(config).rejects.toThrow(/(POSTGRES_PASSWORD|DAVIT_SECRET_KEYS).*deploy\/new-env\.sh/s);
  });
});

const program = `
import os, wandb
print("hello", os.environ["TOKEN"])
with wandb.init() as run:
    run.summary["in_container"] = os.path.exists("/.dockerenv")
    run.summary["of"] = os.environ["WANDB_BASE_URL"]
`;

async function makeJob(): Promise<void> {
  const code = join(folder, 'hello');
  await mkdir(code);
  await writeFile(join(code, 'hello.py'), program);
  await writeFile(join(code, 'requirements.txt'), 'wandb\n');
  await run('tar', ['-C', code, '-czf', join(folder, 'hello.tar.gz'), '.']);
  const bytes = await readFile(join(folder, 'hello.tar.gz'));
  await client.POST('/entities/{entity}/projects/{project}/jobs/{job}/versions', {
    params: {
      path: { entity: 'admin', project: 'demo', job: 'hello' },
      query: { entryPoint: 'python hello.py', pythonVersion: '3.11' },
    },
    body: bytes as never,
    bodySerializer: () => bytes,
    headers: { 'Content-Type': 'application/gzip' },
  });
}

async function summaryOf({ entity, project: of, runName }: Api<'LaunchDetail'>): Promise<unknown> {
  const path = { entity, project: of, run: runName };
  const { data } = await client.GET('/runs/{entity}/{project}/{run}', { params: { path } });
  return data?.summary;
}
