import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDockerBuilder } from '../../builders/docker/index.js';
import { createNoBuilder } from '../../builders/none/index.js';
import { createDockerTarget } from '../../targets/docker/index.js';
import type { Target } from '../../targets/target.js';
import { dockerMachine, type DockerMachine } from '../support/docker-machine.js';
import { endOf, outputOf, planRequest, prepareContext, submitContext } from '../targets/jobs.js';
import { buildFixture, engineAt } from './support/build.js';

const { build, salt, remove } = buildFixture();
const workFolder = mkdtempSync(join(tmpdir(), 'davit-docker-built-'));
let machine: DockerMachine;
let target: Target;
beforeAll(async () => {
  machine = await dockerMachine();
  const { DOCKER_HOST: _host, ...hostEnvironment } = process.env;
  target = createDockerTarget({ workFolder, hostEnvironment, engine: machine.dockerHost });
});
afterAll(() => {
  rmSync(workFolder, { recursive: true, force: true });
  remove();
});

it('a job runs in the image that was made of its code, in the folder that it names', async () => {
  const builder = createDockerBuilder({
    engine: engineAt(machine.dockerHost),
    logins: { login: async () => undefined },
  });
  const files = { 'sub/train.py': `import os\nprint(os.getcwd(), os.getuid(), "${salt}")` };
  const run = async () => {
    const plan = target.plan(
      planRequest({
        command: ['python', 'train.py'],
        workingDir: 'sub',
        codeDigest: 'ab'.repeat(16),
        pythonVersion: '3.11',
      }),
    );
    let built: Awaited<ReturnType<typeof build>> | undefined;
    const buildImage = async () => (built = await build(builder, files)).image;
    await target.prepare(plan, prepareContext({ buildImage }));
    await target.submit(plan, submitContext());
    const status = await endOf(target, plan.name);
    const output = await outputOf(target, plan.name);
    await target.cleanUp(plan.name);
    return { status, output, image: built?.image };
  };
  const first = await run();
  expect(first.output).toBe(`/home/davit/code/sub 1000 ${salt}\n`);
  expect(first.status).toMatchObject({ state: 'ended', exitCode: 0 });
  expect(first.image?.built).toBe(true);
  const second = await run();
  expect(second.image?.built).toBe(false);
  expect(second.output).toBe(first.output);
});

it('an image that was made of code makes way on a full disk, with what its build left, and is made again', async () => {
  const builder = createDockerBuilder({
    engine: engineAt(machine.dockerHost),
    logins: { login: async () => undefined },
  });
  const files = { 'big.bin': randomBytes(5_000_000).toString('hex') };
  const { image } = await build(builder, files);
  const unshared = async (): Promise<number> => {
    const { BuildCache } = (await machine.engine.df()) as { BuildCache: { Shared: boolean; Size: number }[] | null };
    return (BuildCache ?? []).reduce((sum, { Shared, Size }) => sum + (Shared ? 0 : Size), 0);
  };
  expect(await unshared()).toBeGreaterThan(10_000_000);
  const { DOCKER_HOST: _host, ...hostEnvironment } = process.env;
  const floor = { diskFloorBytes: Number.MAX_SAFE_INTEGER };
  const full = createDockerTarget({ workFolder, hostEnvironment, engine: machine.dockerHost, ...floor });
  const request = planRequest({ command: ['true'] });
  const plan = full.plan({ ...request, source: { kind: 'image', image: `${machine.registry}/nobody/nothing:1` } });
  await expect(full.prepare(plan, prepareContext())).rejects.toMatchObject({ code: 'disk-full' });
  await expect(machine.engine.getImage(image.name).inspect()).rejects.toMatchObject({ statusCode: 404 });
  expect(await unshared()).toBeLessThan(10_000_000);
  expect((await build(builder, files)).image.built).toBe(true);
});

it('without a builder, a job with code and no base image is refused in a sentence', async () => {
  const { failure } = await build(createNoBuilder(), { 'a.py': '' });
  expect(failure).toEqual({
    code: 'builder-missing',
    message: 'This agent builds no images (builder "none"), and the job has code but names no base image to run it on.',
  });
  const onBase = await build(createNoBuilder(), { 'a.py': '' }, { options: { baseImage: 'python:3.11' } });
  expect(onBase.image).toMatchObject({ image: 'python:3.11', built: false, codeFolder: '/home/davit/code' });
});
