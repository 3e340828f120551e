import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildProgram, davitProgram, DavitUp, execute, newHome, repository } from '../support/davit-up.js';
import { dockerMachine, type DockerMachine } from '../support/docker-machine.js';
import { until } from '../support/until.js';

/** `davit up` on a machine with an Engine, and the commands of docs/docker.md as they stand there. */
const page = readFileSync(join(repository, 'docs', 'docker.md'), 'utf8');
const blocks = new Map(
  [...page.matchAll(/<!-- test: ([a-z-]+) -->\s+```sh\n([\s\S]*?)```/g)].map(([, name = '', text = '']) => [
    name,
    text,
  ]),
);

const home = newHome();
let machine: DockerMachine;
let up: DavitUp;

/** What code runs on that names no image; any Python will do here. */
const standIn = { repo: 'python', tag: '3.12-slim' };

beforeAll(async () => {
  await buildProgram();
  machine = await dockerMachine();
  await machine.engine.getImage(machine.baseImage).tag(standIn);
  up = await DavitUp.start(home.path, { env: { DOCKER_HOST: machine.dockerHost } });
}, 600_000);
afterAll(async () => {
  await up.stop();
  home.remove();
});

async function typed(name: string): Promise<string> {
  const text = blocks.get(name);
  if (text === undefined) throw new Error(`docs/docker.md has no block "${name}"`);
  const script = `davit() { '${process.execPath}' '${davitProgram}' "$@"; }\n${text}`;
  const { code, stdout, stderr } = await execute('bash', ['-e', '-c', script], { env: up.environment() });
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  return stdout;
}

describe('davit up where an Engine answers', () => {
  it('has a queue for containers, which its agent serves', async () => {
    const queue = await until(
      async () => {
        const { data } = await up.client.GET('/queues', {});
        return data?.items.find(({ name, target }) => name === 'docker' && target === 'docker');
      },
      { what: 'the queue docker' },
    );
    expect(queue.description).toContain('Docker Engine');
    const { stdout } = await execute(process.execPath, [davitProgram, 'doctor'], {
      env: { ...up.environment(), DOCKER_HOST: machine.dockerHost },
    });
    expect(stdout).toMatch(/docker .*Docker Engine \d/);
    expect(stdout).toMatch(/target docker/);
  });

  it('runs the commands of docs/docker.md', async () => {
    expect(await typed('queue')).toContain('containers');
    expect(await typed('plan')).toContain('python:3.12-slim');
  });

  it('runs a folder in a container: a tracked run, and no installation the second time', async () => {
    const folder = mkdtempSync(join(home.path, 'job-'));
    writeFileSync(join(folder, 'requirements.txt'), 'wandb\n');
    const program = [
      'import os, wandb',
      'run = wandb.init()',
      'run.log({"in_container": int(os.path.exists("/.dockerenv"))})',
      'print("folder", os.getcwd())',
      'run.finish()',
    ];
    writeFileSync(join(folder, 'train.py'), program.join('\n'));
    for (const words of [/Installing 1 requirement/, /The packages are there already/]) {
      const { code, stdout, stderr } = await up.davit(
        ['launch', folder, '--queue', 'docker', '--project', 'demo', '--json'],
        {
          timeoutMs: 280_000,
        },
      );
      expect(code, stdout + stderr).toBe(0);
      expect(stdout).toContain('folder /davit/code');
      expect(stdout).toMatch(words);
    }
    const { data } = await up.client.GET('/runs', { params: { query: { project: 'demo' } } } as never);
    expect(JSON.stringify(data)).toContain('in_container');
  }, 600_000);
});
