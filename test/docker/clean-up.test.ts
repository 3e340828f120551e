import { existsSync, mkdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobPlan } from '../../domain/job-plan.js';
import { Engine } from '../../targets/docker/engine.js';
import { findEngine } from '../../targets/docker/address.js';
import { dockerTargetConfigSchema } from '../../targets/docker/config.js';
import { install } from '../../targets/docker/install.js';
import { LogPlaces } from '../../targets/docker/logs.js';
import { JobFolders } from '../../targets/docker/prepared.js';
import { Sweep } from '../../targets/docker/sweep.js';
import { Watcher } from '../../targets/docker/watcher.js';
import type { Target } from '../../targets/target.js';
import { LoneEngine } from '../support/lone-engine.js';
import { endOf, outputOf, planRequest, prepareContext, shell, start, submitContext } from '../targets/jobs.js';
import { fakeContext, fakeInstaller, fakePlan } from './fake-installer.js';
import { dockerFixture } from './fixture.js';

/** On an Engine of its own: what makes way here may be anything of Davit's. */
let lone: LoneEngine;
let fixture: ReturnType<typeof dockerFixture>;
let target: Target;
let baseId: string;

beforeAll(async () => {
  lone = await LoneEngine.start();
  fixture = dockerFixture(lone.image, { engine: lone.address, network: 'none' });
  target = fixture.open();
  baseId = await fakeInstaller(lone);
});
afterAll(async () => {
  await lone.stop();
  fixture.remove();
});

const folderOf = (name: string, { workFolder } = fixture): string => join(workFolder, 'docker', 'jobs', name);
const volumes = async (part: string): Promise<string[]> =>
  (await lone.docker.listVolumes()).Volumes.map(({ Name }) => Name).filter((name) => name.includes(part));
const isThere = (of: { inspect(): Promise<unknown> }): Promise<boolean> =>
  of.inspect().then(
    () => true,
    (error: { statusCode?: number }) => {
      if (error.statusCode === 404) return false;
      throw error;
    },
  );
/** Prepares; the volumes that came of it, that of the packages first. */
async function installing(plan: JobPlan): Promise<string[]> {
  const before = await volumes('davit-environment-');
  await target.prepare(plan, fakeContext());
  return (await volumes('davit-environment-')).filter((name) => !before.includes(name)).toSorted();
}
const image = (name: string) => lone.docker.getImage(name);

describe('what a job left', () => {
  it('goes with a launch that was stopped before it started: its code and its own packages', async () => {
    const plan = fakePlan(target, '-e .');
    await target.prepare(plan, fakeContext());
    expect(existsSync(folderOf(plan.name))).toBe(true);
    expect(await volumes(plan.name)).toHaveLength(2);
    expect(await target.kill(plan.name, 0)).toBe(false);
    await target.cleanUp(plan.name);
    await target.cleanUp(plan.name);
    expect(existsSync(folderOf(plan.name))).toBe(false);
    expect(await volumes(plan.name)).toEqual([`${plan.name}.kill`]);
  });

  it('on the machine of a lost agent goes when that agent is back, once the job is over', async () => {
    const adopter = dockerFixture(lone.image, { engine: lone.address, network: 'none' });
    const plan = await start(target, { command: shell('true') });
    const there = adopter.open();
    await endOf(there, plan.name);
    await there.cleanUp(plan.name);
    expect(existsSync(folderOf(plan.name))).toBe(true);
    await fixture.open({ keepMs: 0 }).cleanUp(planRequest({ command: [] }).name);
    expect(existsSync(folderOf(plan.name))).toBe(false);
    adopter.remove();
  });

  it('of a job that never started goes after a day; what runs keeps its own', async () => {
    const running = await start(target, { command: shell('sleep 600') });
    const [old, fresh] = [planRequest({ command: [] }).name, planRequest({ command: [] }).name];
    for (const name of [old, fresh]) mkdirSync(folderOf(name), { recursive: true });
    const dayBefore = new Date(Date.now() - 25 * 3600_000);
    for (const name of [old, running.name]) utimesSync(folderOf(name), dayBefore, dayBefore);
    await fixture.open({ keepMs: 0 }).cleanUp(planRequest({ command: [] }).name);
    expect([old, fresh, running.name].map((name) => existsSync(folderOf(name)))).toEqual([false, true, true]);
    await target.kill(running.name, 0);
  });

  it('is not in the way of a job whose log nobody has read: its container stays', async () => {
    const plan = await start(target, { command: shell('echo said') });
    await endOf(target, plan.name);
    await fixture.open({ keepMs: 0 }).cleanUp(planRequest({ command: [] }).name);
    expect(await outputOf(target, plan.name)).toBe('said\n');
  });
});

it('containers that installed or read for a job are removed, whoever began them; those at work are not', async () => {
  const make = (labels: Record<string, string>, command = 'true') =>
    lone.docker.createContainer({ Image: lone.image, Cmd: ['sh', '-c', command], Labels: labels });
  const read = await make({ 'davit.purpose': 'read' });
  const ended = await make({ 'davit.environment': 'davit-environment-a', 'davit.job': 'davit-environment-a' });
  await ended.start();
  await ended.wait();
  const atWork = await make({ 'davit.environment': 'davit-environment-b' }, 'sleep 600');
  await atWork.start();
  const foreign = await make({ somebody: 'else' });
  const sweep = new Sweep(engineHere(), new JobFolders(fixture.workFolder), 0);
  await sweep.helpers();
  expect(await isThere(ended)).toBe(true);
  await sweep.helpers(0);
  expect(await Promise.all([read, ended, atWork, foreign].map(isThere))).toEqual([false, false, true, true]);
  await atWork.remove({ force: true });
  await foreign.remove();
});

describe('packages that jobs share', () => {
  it('are left alone by an installation that begins when another has just ended', async () => {
    const plan = fakePlan(target, 'a-package\n');
    const [volume = ''] = await installing(plan);
    const config = dockerTargetConfigSchema.parse({ workFolder: fixture.workFolder, hostEnvironment: {} });
    const engine = engineHere();
    const installed = await install({ engine, watcher: new Watcher(engine), places: new LogPlaces() }, config, {
      ...{ plan, volume, lines: ['a-package'], code: undefined },
      image: { id: baseId, digest: undefined, workingDir: '/', path: undefined, isBuilt: false },
      signal: new AbortController().signal,
      begunAtMs: Date.now(),
      onLog: () => undefined,
    });
    expect(installed).toBeUndefined();
    expect(await isThere(lone.docker.getContainer(volume))).toBe(false);
    await target.submit(plan, submitContext());
    expect(await outputOf(target, plan.name)).toBe('a-package\n');
  });

  it('that went before a job started are missed then, not by the job; the next one gets them anew', async () => {
    const plan = fakePlan(target, 'another-package\n');
    const [volume = ''] = await installing(plan);
    // Its mark stays, as when the agent that removed it was ended in between.
    await lone.docker.getVolume(volume).remove();
    await expect(target.submit(plan, submitContext())).rejects.toMatchObject({
      code: 'disk-full',
      message: expect.stringContaining('made way before it was started'),
    });
    const next = fakePlan(target, 'another-package\n');
    await target.prepare(next, fakeContext());
    await target.submit(next, submitContext());
    expect(await outputOf(target, next.name)).toBe('another-package\n');
  });
});

describe('on a disk that is nearly full', () => {
  const full = (): Target =>
    fixture.open({ diskFloorBytes: Number.MAX_SAFE_INTEGER, patienceMs: 500, keepMs: 4 * 3600_000 });
  const refused = async (): Promise<string> => {
    let log = '';
    const plan = fakePlan(full(), `a-package-of-its-own-${Math.random()}\n`);
    const preparing = full().prepare(plan, fakeContext({ onLog: (text) => (log += text) }));
    await expect(preparing).rejects.toMatchObject({ code: 'disk-full' });
    return log;
  };

  it('images made of code and shared packages make way; those in use, and those of others, do not', async () => {
    const inputs = (digit: string) => ({ 'davit.inputs': digit.repeat(64) });
    const made = `davit-build:${'a'.repeat(32)}`;
    const used = `davit-build:${'b'.repeat(32)}`;
    await lone.imageWith(made, { a: 'a' }, { labels: inputs('a') });
    await lone.imageWith(used, { b: 'b' }, { labels: inputs('b') });
    // Made by somebody on one of ours, it has its labels.
    await lone.imageWith('mine:1', { c: 'c' }, { labels: inputs('a') });
    const user = await lone.docker.createContainer({ Image: used, Cmd: ['true'] });
    const idle = await installing(fakePlan(target, 'idle\n'));
    const running = fakePlan(target, 'in-use\n');
    const needed = await installing(running);
    await target.submit(running, submitContext());

    const log = await refused();
    expect(log).toContain(`Removed the image ${made}.`);
    expect(await Promise.all([made, used, 'mine:1', lone.image].map((name) => isThere(image(name))))).toEqual([
      false,
      true,
      true,
      true,
    ]);
    const left = await volumes('davit-environment-');
    expect(left).toEqual(expect.arrayContaining(needed));
    expect(left.filter((name) => idle.includes(name))).toEqual([]);
    expect(await outputOf(target, running.name)).toBe('in-use\n');
    await user.remove();
  });

  it('containers of jobs that ended make way, once their logs were read', async () => {
    const [read, unread] = [
      await start(target, { command: shell('echo said; exit 4') }),
      await start(target, { command: shell('echo said') }),
    ];
    const end = await endOf(target, read.name);
    await endOf(target, unread.name);
    await target.cleanUp(read.name);
    await refused();
    expect(await isThere(lone.docker.getContainer(read.name))).toBe(false);
    expect(await target.find(read.name)).toEqual(end);
    expect(await outputOf(target, unread.name)).toBe('said\n');
  });

  it('room is made before an image is built, and not asked for when there is one', async () => {
    const tight = full();
    const plan = tight.plan(planRequest({ command: shell('true'), codeDigest: 'ab'.repeat(32) }));
    const inPlace = { image: lone.image, name: lone.image, built: false, facts: { builder: 'docker', inputs: '' } };
    const found = prepareContext({ buildImage: async () => inPlace as never });
    await tight.prepare(plan, found);
    const building = prepareContext({
      buildImage: async (makeRoom) => {
        await makeRoom?.();
        return { ...inPlace, built: true } as never;
      },
    });
    await expect(tight.prepare(plan, building)).rejects.toMatchObject({ code: 'disk-full' });
  });
});

const engineHere = (): Engine => new Engine(findEngine(lone.address, {}));
