import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBuilders } from '../../builders/register.js';
import type { Api } from '../../client/index.js';
import { openTargets } from '../../workers/targets.js';
import { dockerMachine, type DockerMachine } from '../support/docker-machine.js';
import { Engine } from '../support/engine.js';
import { startGitServer, type GitServer } from '../support/git-server.js';

/** The training example of the quickstart as code, as a commit and as an image, from the request to the tracked run. */
const example = Object.fromEntries(
  ['train.py', 'iris.csv', 'requirements.txt'].map((name) => [
    name,
    readFileSync(new URL(`../../examples/${name}`, import.meta.url), 'utf8'),
  ]),
);
const execute = promisify(execFile);
const entryPoint = 'python train.py';
/** Nothing is found that an earlier run of the tests has built. */
const salt = randomBytes(6).toString('hex');

let machine: DockerMachine;
let git: GitServer;
let engine: Engine;

beforeAll(async () => {
  machine = await dockerMachine();
  git = await startGitServer();
  engine = await Engine.start({ gitAllowed: [git.url] });
  const { DOCKER_HOST: _host, ...hostEnvironment } = process.env;
  const options = { docker: { engine: machine.dockerHost } };
  // Python 3.11 is the one that the Engine of the tests has.
  const resourceConfig = { builder: { base_image: machine.baseImage } };
  await engine.queue('docker', { target: 'docker', requireRun: true, resourceConfig });
  await engine.queue('arm', { target: 'docker', resourceConfig: { platform: 'linux/arm64' } });
  await engine.startAgent({
    queues: ['docker', 'arm'],
    maxJobs: 2,
    targets: (folders) => openTargets(folders, hostEnvironment, options, engine.log),
    builders: openBuilders({
      builder: 'docker',
      engine: machine.dockerHost,
      destination: `${machine.registry}/jobs-${salt}`,
      hostEnvironment,
    }),
  });
}, 600_000);
afterAll(async () => {
  await engine.stop();
  await git.close();
});

const short = { overrides: { config: { epochs: 5 } } };
async function ran(id: string): Promise<{ launch: Api<'LaunchDetail'>; prepared: string }> {
  const launch = await engine.ended(id, 400_000);
  const prepared = await engine.logText(id, 'prepare');
  expect(launch, `${prepared}\n${await engine.logText(id)}`).toMatchObject({ state: 'finished', exitCode: 0 });
  return { launch, prepared };
}

/** What a user sees of it: a finished run of its own, with the history of each epoch. */
async function expectTracked({ launch }: { launch: Api<'LaunchDetail'> }): Promise<void> {
  expect(launch.run).toMatchObject({ name: launch.runName, state: 'finished' });
  const reply = await fetch(`${engine.apiUrl}/graphql`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Authorization: `Basic ${Buffer.from(`api:${engine.userKey}`).toString('base64')}`,
    },
    body: JSON.stringify({
      query:
        'query ($e: String!, $p: String!, $r: String!) { project(name: $p, entityName: $e) { run(name: $r) { historyLineCount config } } }',
      variables: { e: launch.entity, p: launch.project, r: launch.runName },
    }),
  });
  const { data } = (await reply.json()) as {
    data: { project: { run: { historyLineCount: number; config: string } } };
  };
  expect(data.project.run.historyLineCount).toBe(5);
  expect(JSON.parse(data.project.run.config)).toMatchObject({ epochs: { value: 5 } });
}

describe('the training example on a queue of the target docker', { timeout: 900_000 }, () => {
  it('as code: built once, with its base and packages on record, and started again without a build', async () => {
    const job = await engine.job('as-code', entryPoint, { ...example, salt });
    const first = await ran(await engine.enqueue('docker', job, short));
    await expectTracked(first);
    expect(first.prepared).toContain('Built in');
    expect(first.launch.image).toMatchObject({ use: 'built', image: expect.stringContaining('@sha256:') as string });

    const second = await ran(await engine.enqueue('docker', job, short));
    await expectTracked(second);
    expect(second.prepared).toContain('The image is there already');
    expect(second.launch.image).toEqual(first.launch.image);
    expect(second.launch.runName).not.toBe(first.launch.runName);

    const path = { entity: engine.entity, project: 'demo', job: 'as-code', version: 'latest' };
    const { data } = await engine.client.GET(
      '/entities/{entity}/projects/{project}/jobs/{job}/versions/{version}/images',
      {
        params: { path },
      },
    );
    expect(data?.images).toHaveLength(1);
    expect(data?.images[0]?.facts).toMatchObject({
      baseImage: machine.baseImage,
      baseDigest: expect.stringMatching(/^sha256:/) as string,
      requirementsLock: expect.stringContaining('wandb==') as string,
    });
  });

  it('as a commit, pinned when it was enqueued, and started again without a build', async () => {
    const repository = git.repository('training');
    repository.commit({ ...example, salt: `${salt} as a commit` });
    const { data } = await engine.client.POST('/entities/{entity}/projects/{project}/jobs/{job}/versions/git', {
      params: { path: { entity: engine.entity, project: 'demo', job: 'as-git' } },
      body: { remote: repository.url, ref: 'main', entryPoint },
    });
    const job = `${engine.entity}/demo/as-git:${data?.version ?? ''}`;
    const first = await ran(await engine.enqueue('docker', job, short));
    await expectTracked(first);
    repository.commit({ 'train.py': 'raise SystemExit("a later commit")' });
    const second = await ran(await engine.enqueue('docker', job, short));
    await expectTracked(second);
    expect(second.prepared).toContain('The image is there already');
    expect(second.launch.image).toEqual(first.launch.image);
  });

  it('as an image: what ran is on record by digest, and runs again when its tag has moved', async () => {
    const name = `${machine.registry}/by-hand-${salt}:latest`;
    await pushByHand(name, 'ENV SAID=first');
    const { data } = await engine.client.POST('/entities/{entity}/projects/{project}/jobs/{job}/versions/image', {
      params: { path: { entity: engine.entity, project: 'demo', job: 'as-image' } },
      body: { image: name, entryPoint: ['sh', '-c', 'echo "said $SAID"; exec python /app/train.py'] },
    });
    const job = `${engine.entity}/demo/as-image:${data?.version ?? ''}`;
    const first = await ran(await engine.enqueue('docker', job, short));
    await expectTracked(first);
    expect(await engine.logText(first.launch.id, 'stdout')).toContain('said first');
    expect(first.launch.image).toMatchObject({
      name,
      use: 'image',
      image: expect.stringMatching(/@sha256:/) as string,
    });

    await pushByHand(name, 'ENV SAID=second');
    const { data: again } = await engine.client.POST('/launches/{id}/relaunch', {
      params: { path: { id: first.launch.id } },
      body: {},
    });
    const same = await ran(again?.id ?? '');
    await expectTracked(same);
    expect(await engine.logText(same.launch.id, 'stdout')).toContain('said first');
    expect(same.launch.image?.image).toBe(first.launch.image?.image);

    const moved = await ran(await engine.enqueue('docker', job, short));
    expect(await engine.logText(moved.launch.id, 'stdout')).toContain('said second');
  });

  it('a relaunch of code runs the very image that ran, and a changed base makes another', async () => {
    const job = await engine.job('again', 'python hello.py', { 'hello.py': `print("hello ${salt}")` });
    const quiet = { requireRun: false };
    const first = await ran(await engine.enqueue('docker', job, quiet));
    const relaunch = async (overrides: object) => {
      const { data } = await engine.client.POST('/launches/{id}/relaunch', {
        params: { path: { id: first.launch.id } },
        body: { overrides },
      });
      return ran(data?.id ?? '');
    };
    const same = await relaunch({ args: ['more'] });
    expect(same.launch.request).toMatchObject({ overrides: { image: first.launch.image?.image } });
    expect(same.launch.image?.image).toBe(first.launch.image?.image);
    expect(same.prepared).not.toMatch(/Built in|fetch/i);
    const base = `${machine.registry}/base-${salt}:latest`;
    await pushByHand(base, 'ENV SAID=base');
    const other = await relaunch({ baseImage: base });
    expect(other.prepared).toContain('Built in');
    expect(await engine.logText(other.launch.id, 'stdout')).toContain(`hello ${salt}`);
  });
});

it('a queue for another platform gets its images built for that one', { timeout: 300_000 }, async () => {
  // A step that runs something would need an emulator of the other machine.
  const files = { Dockerfile: 'FROM scratch\nCOPY . /', salt };
  const job = await engine.job('elsewhere', '/nothing', files);
  const id = await engine.enqueue('arm', job, { overrides: { dockerfile: 'Dockerfile' } });
  const launch = await engine.ended(id, 200_000);
  // What it runs in is there, and starts nothing here.
  expect(launch.failure, await engine.logText(id, 'prepare')).toMatchObject({ code: 'command-not-found' });
  const image = machine.engine.getImage(launch.image?.image ?? '');
  expect(await image.inspect()).toMatchObject({ Architecture: 'arm64' });
});

/** As somebody builds and pushes an image who has never heard of Davit. */
async function pushByHand(name: string, line: string): Promise<void> {
  const folder = await mkdtemp(join(engine.folder, 'image-'));
  for (const [path, text] of Object.entries(example)) await writeFile(join(folder, path), text);
  const install = ['COPY requirements.txt /app/', 'RUN pip install --quiet -r /app/requirements.txt'];
  const lines = [`FROM ${machine.baseImage}`, ...install, 'COPY . /app', line];
  await writeFile(join(folder, 'Dockerfile'), lines.join('\n'));
  const env = { ...process.env, DOCKER_HOST: machine.dockerHost };
  await execute('/usr/bin/docker', ['build', '--quiet', '--tag', name, folder], { env });
  await execute('/usr/bin/docker', ['push', '--quiet', name], { env });
}
