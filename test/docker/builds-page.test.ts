import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engineAsBuildkit } from '../builders/support/engine-buildkit.js';
import { buildProgram, DavitUp, newHome } from '../support/davit-up.js';
import { DocPage } from '../support/doc-page.js';
import { dockerMachine, type DockerMachine } from '../support/docker-machine.js';

/** The agents of docs/builds.md, started by its own commands; each gets a launch. */

const home = newHome();
const page = new DocPage('builds');
let machine: DockerMachine;
let up: DavitUp;
beforeAll(async () => {
  await buildProgram();
  machine = await dockerMachine();
  up = await DavitUp.start(home.path, { env: { DAVIT_ENTITY: 'ada', DAVIT_AGENT: 'false' } });
  await up.client.POST('/queues', { body: { name: 'built', target: 'docker', requireRun: false } });
  writeFileSync(join(page.folder, 'train.py'), `print("trained", ${Date.now()})\n`);
}, 600_000);
afterAll(async () => {
  await up.stop();
  page.remove();
  home.remove();
});

/** What every agent needs and the page leaves out: its key, and where the Engine of this test is. */
const agentEnvironment = () => ({
  DAVIT_AGENT_KEY_FILE: join(home.path, 'keys', 'agent'),
  DAVIT_WORK_FOLDER: join(home.path, 'work'),
  DOCKER_HOST: machine.dockerHost,
});

/** Its folder, launched on a base image that the open registry has; what it printed, and the launch as it ended. */
async function launched() {
  const base = `${machine.registry}/library/${machine.baseImage}`;
  const words = ['launch', page.folder, '--queue', 'built', '--project', 'demo', '--name', 'trained'];
  const entry = ['--entry-point', 'python train.py', '--base-image', base];
  const { stdout, stderr } = await up.davit([...words, ...entry], { timeoutMs: 280_000 });
  const { data: launches } = await up.client.GET('/launches', {});
  const params = { path: { id: launches?.items[0]?.id ?? '' } };
  const { data: launch } = await up.client.GET('/launches/{id}', { params });
  return { output: stdout + stderr, launch };
}

describe('docs/builds.md', () => {
  it('an agent that builds with its Engine pushes the image, and runs it by digest', async () => {
    const instead = { 'registry.example.org': machine.registry };
    const agent = page.begun('docker', up, { instead, env: agentEnvironment() });
    try {
      await agent.said('agent runs');
      const { output, launch } = await launched();
      expect(launch, output).toMatchObject({ state: 'finished', exitCode: 0 });
      expect(output).toMatch(new RegExp(`It is ${machine.registry}/team/jobs@sha256:[0-9a-f]{64}`));
      const tags = await fetch(`http://${machine.registry}/v2/team/jobs/tags/list`);
      expect(tags.status).toBe(200);
    } finally {
      await agent.end();
    }
  });

  it('an agent that builds with a BuildKit daemon takes its launches there', async () => {
    const daemon = await engineAsBuildkit(machine.socketPath);
    const instead = { 'registry.example.org': machine.registry, 'tcp://buildkit:1234': daemon.url };
    // The images of the agent above would be found.
    writeFileSync(join(page.folder, 'train.py'), `print("changed", ${Date.now()})\n`);
    const agent = page.begun('buildkit', up, { instead, env: agentEnvironment() });
    try {
      await agent.said('agent runs');
      const { output, launch } = await launched();
      // The daemon of the tests is the one inside the Engine, which everything reaches and which cannot push.
      expect(launch?.failure, output).toMatchObject({
        code: 'build-failed',
        message: expect.stringContaining('exporter') as string,
      });
    } finally {
      await agent.end();
      daemon.close();
    }
  });

  it('has no other commands', () => expect(page.left).toEqual([]));
});
