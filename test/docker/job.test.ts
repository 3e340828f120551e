import { copyFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { create } from 'tar';
import { normaliseRequirements } from '../../domain/python-requirements.js';
import { sharedEnvironment } from '../../targets/docker/environment-volume.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlanRequest } from '../../domain/job-plan.js';
import type { PrepareContext, Target } from '../../targets/target.js';
import { dockerMachine, type DockerMachine } from '../support/docker-machine.js';
import { until } from '../support/until.js';
import { endOf, outputOf, planRequest, prepareContext, shell, start, submitContext } from '../targets/jobs.js';
import { dockerFixture, imageRequest } from './fixture.js';

let machine: DockerMachine;
let fixture: ReturnType<typeof dockerFixture>;
let target: Target;

beforeAll(async () => {
  machine = await dockerMachine();
  fixture = dockerFixture(machine.baseImage, { engine: machine.dockerHost });
  target = fixture.open();
}, 600_000);
afterAll(() => fixture.remove());

const inContainer = (name: string) => machine.engine.getContainer(name);

async function prepared(request: PlanRequest, parts: Partial<PrepareContext> = {}, by = target) {
  const plan = by.plan(request);
  let log = '';
  await by.prepare(plan, prepareContext({ onLog: (text) => (log += text), ...parts }));
  return { plan, log };
}

describe('a container', () => {
  it('that needs more memory than it may use is told with its limit', async () => {
    const script = 'python3 -c "x = bytearray(200 * 1024 * 1024)"';
    const plan = await start(target, {
      command: shell(script),
      resourceConfig: { memory: '64m', 'memory-swap': '64m' },
    });
    expect(await endOf(target, plan.name)).toMatchObject({
      exitCode: 137,
      // The Engine tells it for certain only when it heard of it.
      reason: expect.stringMatching(/more memory than the 64 MiB that it may use/),
    });
  });

  it('gets its limits, its name and its variables, and labels say whose it is', async () => {
    const plan = await start(target, {
      command: shell('hostname; pwd; echo "$GREETING"; ulimit -n; sleep 600'),
      resourceConfig: {
        name: 'box',
        workdir: '/tmp',
        ulimit: 'nofile=512:512',
        cpus: 0.5,
        'pids-limit': 50,
        e: 'GREETING=hi',
      },
    });
    await until(async () => (await first(plan.name)) === 'box\n/tmp\nhi\n512\n', { what: 'its words' });
    const { HostConfig, Config } = await inContainer(plan.name).inspect();
    expect(HostConfig).toMatchObject({ NanoCpus: 5e8, PidsLimit: 50, Init: true });
    expect(Config.Labels).toMatchObject({
      'davit.launch': plan.launchId,
      'davit.attempt': '1',
      'davit.agent': 'agent-1',
    });
    await target.kill(plan.name, 0);
  });

  it('gets variables that no address could hold', async () => {
    const long = 'x'.repeat(100_000);
    const plan = await start(target, { command: shell('echo "${#A} ${#B}"'), environment: { A: long, B: long } });
    expect(await outputOf(target, plan.name)).toBe('100000 100000\n');
  });

  it('whose program is not in the image failed for that', async () => {
    const { plan } = await prepared(planRequest({ command: ['no-such-program', 'x'] }));
    await expect(target.submit(plan, submitContext())).rejects.toMatchObject({
      code: 'command-not-found',
      message: '"no-such-program" is not in the image.',
    });
    // Nothing is left that could be taken for a job.
    expect(await target.find(plan.name)).toBeUndefined();
    await expect(inContainer(plan.name).inspect()).rejects.toMatchObject({ statusCode: 404 });
  });

  it('that asks for a GPU where there is none failed for that', async () => {
    const { plan } = await prepared(planRequest({ command: shell('true'), resourceConfig: { gpus: 'all' } }));
    await expect(target.submit(plan, submitContext())).rejects.toMatchObject({
      code: 'submit-failed',
      message: expect.stringMatching(/cannot give the job a GPU/),
    });
  });

  it('that somebody else removes is lost, and does not run a second time', async () => {
    const plan = await start(target, { command: shell('echo started; sleep 600') });
    const end = endOf(target, plan.name);
    await inContainer(plan.name).remove({ force: true });
    const lost = { state: 'ended', lost: true, reason: 'Its container was removed by somebody else.' };
    // Who followed saw the kill that came first; later nobody knows how it was.
    expect(await end).toMatchObject({ state: 'ended' });
    expect(await fixture.open().find(plan.name)).toMatchObject(lost);
    expect(await target.submit(plan, submitContext())).toEqual({ adopted: true });
    await expect(inContainer(plan.name).inspect()).rejects.toMatchObject({ statusCode: 404 });
  });

  it('of somebody else that has the name of a job is left alone', async () => {
    const { plan } = await prepared(planRequest({ command: shell('true') }));
    const foreign = await machine.engine.createContainer({ name: plan.name, Image: machine.baseImage, Cmd: ['true'] });
    await expect(target.submit(plan, submitContext())).rejects.toMatchObject({ code: 'submit-failed' });
    expect(await target.kill(plan.name, 0)).toBe(false);
    await foreign.inspect();
    await foreign.remove();
  });

  it('goes when it has ended and was cleaned up; how it ended stays known', async () => {
    const tidy = fixture.open({ keepMs: 0 });
    const plan = await start(tidy, { command: shell('exit 4') });
    const end = await endOf(tidy, plan.name);
    await tidy.cleanUp(plan.name);
    await expect(inContainer(plan.name).inspect()).rejects.toMatchObject({ statusCode: 404 });
    expect(await target.find(plan.name)).toEqual(end);
    expect(await outputOf(target, plan.name)).toBe('');
    expect(await target.submit(plan, submitContext())).toEqual({ adopted: true });
  });

  it('that was created and never started by an agent that is gone is made anew', async () => {
    const { plan } = await prepared(planRequest({ command: shell('echo started') }));
    const labels = {
      'davit.job': plan.name,
      'davit.launch': plan.launchId,
      'davit.attempt': '1',
      'davit.agent': 'gone',
    };
    await machine.engine.createContainer({ name: plan.name, Image: machine.baseImage, Cmd: ['false'], Labels: labels });
    expect(await target.submit(plan, submitContext())).toEqual({ adopted: false });
    expect(await endOf(target, plan.name)).toMatchObject({ exitCode: 0, agentId: 'agent-1' });
  });
});

describe('code on a base image', () => {
  async function archiveOf(files: Record<string, string>): Promise<string> {
    const folder = mkdtempSync(join(fixture.workFolder, 'code-'));
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    await create({ gzip: true, file: `${folder}.tar.gz`, cwd: folder }, ['.']);
    return `${folder}.tar.gz`;
  }
  const codeRequest = (command: string[], over: object = {}): PlanRequest =>
    Object.assign(planRequest({ command, codeDigest: 'ab'.repeat(32) }), {
      build: { baseImage: machine.baseImage },
      ...over,
    });
  const bringing = (archive: string) => ({ fetchCode: async (to: string) => copyFileSync(archive, to) });

  it('lies in the container, starts where it is told, and can be written beside', async () => {
    const archive = await archiveOf({
      'a.txt': 'from the root\n',
      'src/run.py': 'print(open("../a.txt").read()); open("out", "w")',
    });
    const { plan } = await prepared(codeRequest(['python', 'run.py'], { workingDir: 'src' }), bringing(archive));
    await target.submit(plan, submitContext());
    expect(await endOf(target, plan.name)).toMatchObject({ exitCode: 0 });
    expect(await outputOf(target, plan.name)).toBe('from the root\n\n');
  });

  it('finds its requirements, which are installed once for all jobs of that image', async () => {
    const archive = await archiveOf({ 'run.py': 'import six; print(six.__version__)' });
    const request = () => codeRequest(['python', 'run.py'], { requirements: 'six==1.17.0\n' });
    const runs = await Promise.all([prepared(request(), bringing(archive)), prepared(request(), bringing(archive))]);
    for (const { plan } of runs) {
      await target.submit(plan, submitContext());
      expect(await outputOf(target, plan.name)).toBe('1.17.0\n');
    }
    expect((await prepared(request(), bringing(archive))).log).toContain('The packages are there already.');
  });

  it('does not wait without an end for packages whose volume is a stranger that containers use', async () => {
    const requirements = 'six==1.17.0 ; python_version > "3.1"';
    const { Id: image } = await machine.engine.getImage(machine.baseImage).inspect();
    const volume = sharedEnvironment(image, normaliseRequirements(requirements));
    await machine.engine.createVolume({ Name: volume });
    const user = await machine.engine.createContainer({
      Image: image,
      HostConfig: { Binds: [`${volume}:/packages`] },
    });
    const archive = await archiveOf({ 'run.py': '' });
    const request = codeRequest(['python', 'run.py'], { requirements });
    try {
      await expect(prepared(request, bringing(archive), fixture.open({ patienceMs: 500 }))).rejects.toMatchObject({
        message: expect.stringContaining(`--filter volume=${volume}`),
      });
    } finally {
      await user.remove();
      await machine.engine.getVolume(volume).remove();
    }
  });

  it('finds its requirements from a list that is longer than a variable can be', async () => {
    const archive = await archiveOf({ 'run.py': 'import six; print(six.__version__)' });
    const others = Array.from({ length: 4_000 }, (_, i) => `not-for-this-python-${i}==1.0 ; python_version < "3"`);
    const requirements = ['six==1.17.0', ...others].join('\n');
    expect(requirements.length).toBeGreaterThan(128 * 1024);
    const { plan } = await prepared(codeRequest(['python', 'run.py'], { requirements }), bringing(archive));
    await target.submit(plan, submitContext());
    expect(await outputOf(target, plan.name)).toBe('1.17.0\n');
  });

  it('finds requirements that its own list takes from another file of the code', async () => {
    const archive = await archiveOf({ 'run.py': 'import six; print(six.__version__)', 'base.txt': 'six==1.17.0\n' });
    const request = codeRequest(['python', 'run.py'], { requirements: '-r base.txt\n' });
    const { plan } = await prepared(request, bringing(archive));
    await target.submit(plan, submitContext());
    expect(await outputOf(target, plan.name)).toBe('1.17.0\n');
    await target.cleanUp(plan.name);
  });

  it('fails early, with the decisive line, when a requirement does not exist', async () => {
    const archive = await archiveOf({ 'run.py': '' });
    const request = codeRequest(['python', 'run.py'], { requirements: 'six==999.0\n' });
    await expect(prepared(request, bringing(archive))).rejects.toMatchObject({
      code: 'requirements-failed',
      message: expect.stringMatching(/No matching distribution found for six==999.0/),
    });
  });
});

describe('an image', () => {
  const missing = () => `${machine.registry}/nobody/nothing:1`;

  it('that does not exist failed for that, with the name of its registry', async () => {
    await expect(
      prepared(imageRequest(missing(), planRequest({ command: ['true'] })), {}, raw()),
    ).rejects.toMatchObject({
      code: 'image-pull-failed',
      message: expect.stringContaining(machine.registry),
    });
  });

  it('that nobody may pull is not pulled', async () => {
    const request = planRequest({ command: ['true'], resourceConfig: { pull: 'never' } });
    await expect(prepared(imageRequest(missing(), request), {}, raw())).rejects.toMatchObject({
      code: 'image-pull-failed',
      message: expect.stringContaining('pull: never'),
    });
  });

  it('in a registry with a login is pulled with it, and not without', async () => {
    const name = `${machine.registryWithLogin}/team/private`;
    await machine.engine.getImage(machine.baseImage).tag({ repo: name, tag: '1' });
    const image = machine.engine.getImage(`${name}:1`);
    const pushed = await image.push({ authconfig: machine.login });
    await new Promise((resolve, reject) =>
      machine.engine.modem.followProgress(pushed, (error) => (error ? reject(error) : resolve(undefined))),
    );
    await image.remove();
    const request = imageRequest(`${name}:1`, planRequest({ command: ['true'] }));
    await expect(prepared(request, {}, raw())).rejects.toMatchObject({
      code: 'image-pull-failed',
      message: expect.stringMatching(/credentials are missing or wrong/),
    });
    const hosts: string[] = [];
    const registryLogin = async (host: string) => {
      hosts.push(host);
      return machine.login;
    };
    const { log } = await prepared(request, { registryLogin }, raw());
    expect(hosts).toEqual([machine.registryWithLogin]);
    const digest = /It is (\S+@sha256:[0-9a-f]{64})\./.exec(log)?.[1] ?? '';
    expect(digest).toContain(name);
    // By its digest it is one image for ever: what is there needs no registry.
    const again = await prepared(imageRequest(digest, planRequest({ command: ['true'] })), {}, raw());
    expect(again.log).toContain('is on the Engine');
    await image.remove();
  });

  it('that cannot be looked for anew is used as it is there', async () => {
    await machine.engine.getImage(machine.baseImage).tag({ repo: `${machine.registry}/nobody/local`, tag: '1' });
    const local = `${machine.registry}/nobody/local:1`;
    const { log } = await prepared(imageRequest(local, planRequest({ command: ['true'] })), {}, raw());
    expect(log).toContain('The copy that is on the Engine is used.');
    await machine.engine.getImage(local).remove();
  });

  it('is not pulled onto a disk that is too full, after what the agent pulled has made way', async () => {
    const name = `${machine.registry}/team/spare`;
    await machine.engine.getImage(machine.baseImage).tag({ repo: name, tag: '1' });
    const pushed = await machine.engine.getImage(`${name}:1`).push({ authconfig: machine.login });
    await new Promise((resolve, reject) =>
      machine.engine.modem.followProgress(pushed, (error) => (error ? reject(error) : resolve(undefined))),
    );
    await machine.engine.getImage(`${name}:1`).remove();
    await prepared(imageRequest(`${name}:1`, planRequest({ command: ['true'] })), {}, raw());
    const full = raw({ diskFloorBytes: Number.MAX_SAFE_INTEGER });
    await expect(prepared(imageRequest(missing(), planRequest({ command: ['true'] })), {}, full)).rejects.toMatchObject(
      {
        code: 'disk-full',
      },
    );
    await expect(machine.engine.getImage(`${name}:1`).inspect()).rejects.toMatchObject({ statusCode: 404 });
    // Not ours, so it stays.
    await machine.engine.getImage(machine.baseImage).inspect();
  });

  /** Without the fixture's own image. */
  function raw(parts: Parameters<typeof fixture.open>[0] = {}): Target {
    return Object.getPrototypeOf(fixture.open(parts)) as Target;
  }
});

async function first(name: string): Promise<string> {
  let text = '';
  const soon = AbortSignal.timeout(1_000);
  for await (const { data } of target.logs(name, 'stdout', 0, soon)) text += Buffer.from(data).toString();
  return text;
}
