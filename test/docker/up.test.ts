import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildProgram, DavitUp, newHome } from '../support/davit-up.js';
import { DocPage } from '../support/doc-page.js';
import { dockerMachine, type DockerMachine } from '../support/docker-machine.js';
import { until } from '../support/until.js';

/** `davit up` on a machine with an Engine, and the commands of docs/docker.md as they stand there. */
const page = new DocPage('docker');
const home = newHome();
let machine: DockerMachine;
let up: DavitUp;

/** What code runs on that names no image; any Python will do here. */
const standIn = { repo: 'python', tag: '3.12' };

beforeAll(async () => {
  await buildProgram();
  machine = await dockerMachine();
  await machine.engine.getImage(machine.baseImage).tag(standIn);
  up = await DavitUp.start(home.path, { env: { DOCKER_HOST: machine.dockerHost } });
}, 600_000);
afterAll(async () => {
  await up.stop();
  page.remove();
  home.remove();
});

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
    // The queue is there before the agent is.
    const said = await until(
      async () => {
        const { stdout } = await up.davit(['doctor'], { env: { DOCKER_HOST: machine.dockerHost } });
        return /target docker/.test(stdout) && stdout;
      },
      { what: 'the agent to be told by davit doctor', ms: 120_000 },
    );
    expect(said).toMatch(/docker .*Docker Engine \d/);
    expect(said).toMatch(/builder .*builds with Docker Engine/);
  });

  it('runs the commands of docs/docker.md', async () => {
    const queue = await page.typed('queue', up);
    expect(queue, queue.stdout + queue.stderr).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('containers'),
    });
    const plan = await page.typed('plan', up);
    expect(plan, plan.stdout + plan.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('python:3.12') });
    expect(page.left).toEqual([]);
  });

  it('runs a folder in a container: a tracked run, and neither build nor installation the second time', async () => {
    const folder = mkdtempSync(join(home.path, 'job-'));
    // Nobody has asked for these two before.
    writeFileSync(join(folder, 'requirements.txt'), `wandb\nsix; python_version < "2.${Date.now()}"\n`);
    const program = [
      'import os, wandb',
      'run = wandb.init()',
      'run.log({"in_container": int(os.path.exists("/.dockerenv"))})',
      'print("folder", os.getcwd())',
      'run.finish()',
      // Nobody has built this before.
      `# ${home.path}`,
    ];
    writeFileSync(join(folder, 'train.py'), program.join('\n'));
    const none = ['--builder', 'none', '--base-image', 'python:3.12'];
    for (const { more, folderInside, said } of [
      { more: [], folderInside: '/home/davit/code', said: /Building davit-build:/ },
      { more: [], folderInside: '/home/davit/code', said: /The image is there already/ },
      { more: none, folderInside: '/davit/code', said: /Installing 2 requirements/ },
      { more: none, folderInside: '/davit/code', said: /The packages are there already/ },
    ]) {
      const words = ['launch', folder, '--queue', 'docker', '--project', 'demo', '--json', ...more];
      const { code, stdout, stderr } = await up.davit(words, { timeoutMs: 280_000 });
      expect(code, stdout + stderr).toBe(0);
      expect(stdout).toContain(`folder ${folderInside}`);
      expect(stdout).toMatch(said);
    }
    const { data } = await up.client.GET('/runs', { params: { query: { project: 'demo' } } });
    expect(data?.items.map(({ summary }) => summary['in_container'])).toEqual([1, 1, 1, 1]);
  }, 900_000);
});
