import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBuilders } from '../../builders/register.js';
import { remoteName } from '../../domain/ids.js';
import { openTargets } from '../../workers/targets.js';
import { dockerMachine, type DockerMachine } from '../support/docker-machine.js';
import { Engine } from '../support/engine.js';
import { until } from '../support/until.js';

/** Launches of plain code that do not end by themselves. */
let machine: DockerMachine;
let engine: Engine;
let work = '';
beforeAll(async () => {
  machine = await dockerMachine();
  engine = await Engine.start();
  const { DOCKER_HOST: _host, ...hostEnvironment } = process.env;
  await engine.queue('docker', {
    target: 'docker',
    resourceConfig: { builder: { base_image: machine.baseImage }, pull: 'missing' },
  });
  await engine.startAgent({
    queues: ['docker'],
    maxJobs: 2,
    targets: (folders) => {
      work = folders.workFolder;
      return openTargets(folders, hostEnvironment, { docker: { engine: machine.dockerHost } }, engine.log);
    },
    builders: openBuilders({ builder: 'none', hostEnvironment }),
  });
}, 600_000);
afterAll(() => engine.stop());

const volumesOf = async (name: string): Promise<string[]> =>
  (await machine.engine.listVolumes()).Volumes.map(({ Name }) => Name).filter((each) => each.startsWith(`${name}.`));
const folderOf = (name: string): string => join(work, 'docker', 'jobs', name);

it('a cancelled launch leaves its log and nothing on the disk but a container that is due to go', async () => {
  // Packages that point into the code are this job's alone.
  const job = await engine.job('cancelled', 'sh run.sh', {
    'run.sh': `trap 'echo last words; exit 3' TERM; echo begun; while :; do sleep 0.1; done`,
    'requirements.txt': './lib\n',
    'lib/setup.py': 'from setuptools import setup\nsetup(name="lib", version="1")\n',
  });
  const id = await engine.enqueue('docker', job);
  const name = remoteName(id, 1);
  await until(async () => (await engine.logText(id, 'stdout')).includes('begun'), {
    what: 'its first words',
    ms: 300_000,
  });
  expect(existsSync(folderOf(name))).toBe(true);
  expect(await volumesOf(name)).toContain(`${name}.environment`);
  await engine.cancel(id);
  expect(await engine.ended(id)).toMatchObject({ state: 'stopped' });
  expect(await engine.logText(id, 'stdout')).toBe('begun\nlast words\n');
  await until(() => !existsSync(folderOf(name)), { what: 'its folder to go' });
  // Its container has them until it goes; from `end` on that is a matter of hours, or of room.
  await until(async () => (await volumesOf(name)).includes(`${name}.end`), { what: 'its end to be noted' });
});

it('a launch that could not be started leaves nothing', async () => {
  const job = await engine.job('wrong', 'no-such-program', { 'a.txt': 'a' });
  const id = await engine.enqueue('docker', job);
  expect(await engine.ended(id)).toMatchObject({ state: 'failed', failure: { code: 'command-not-found' } });
  await until(async () => !(await readdir(join(work, 'docker', 'jobs'))).includes(remoteName(id, 1)), {
    what: 'its folder to go',
  });
});

it('a launch that could not be prepared leaves nothing', async () => {
  const job = await engine.job('unprepared', 'sh run.sh', { 'run.sh': 'true', 'requirements.txt': 'six==999.0\n' });
  const id = await engine.enqueue('docker', job);
  expect(await engine.ended(id, 300_000)).toMatchObject({ state: 'failed', failure: { code: 'requirements-failed' } });
  expect(await readdir(join(work, 'docker', 'jobs'))).not.toContain(remoteName(id, 1));
});
