import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuildContext, Builder } from '../../builders/builder.js';
import { createDockerBuilder, type DockerBuilderOptions } from '../../builders/docker/index.js';
import { pushImage } from '../../builders/docker/push.js';
import { TcpRelay } from '../faults/support/tcp-relay.js';
import { dockerMachine, type DockerMachine } from '../support/docker-machine.js';
import { buildFixture, engineAt, processLock } from './support/build.js';
import { outputIn } from './support/run-image.js';

const { build, salt, remove } = buildFixture();
let machine: DockerMachine;
let builder: Builder;

const noLogins = { login: async () => undefined };
const quiet: BuildContext = {
  signal: new AbortController().signal,
  onLog: () => undefined,
  source: () => Promise.reject(new Error('there is no source')),
  secret: () => Promise.reject(new Error('there is no secret')),
  alone: processLock(),
};
const open = (options: Partial<DockerBuilderOptions> = {}): Builder =>
  createDockerBuilder({ engine: engineAt(machine.dockerHost), logins: noLogins, ...options });

beforeAll(async () => {
  machine = await dockerMachine();
  builder = open();
});
afterAll(remove);

describe('an image of code', () => {
  it('holds the code in its working folder and runs it as a user that is not root', async () => {
    const { image, log } = await build(builder, { 'train.py': 'print("trained")', 'data/a.txt': 'deep' });
    expect(image.built).toBe(true);
    expect(await outputIn(machine.engine, image.image, ['python', 'train.py'])).toBe('trained\n');
    expect(await outputIn(machine.engine, image.image, ['cat', 'data/a.txt'])).toBe('deep');
    expect(await outputIn(machine.engine, image.image, ['id', '-u'])).toBe('1000\n');
    const whoami = [
      'python',
      '-c',
      'import getpass, os; open("written", "w"); print(getpass.getuser(), os.path.expanduser("~"))',
    ];
    expect(await outputIn(machine.engine, image.image, whoami)).toBe('davit /home/davit\n');
    expect(log).toContain('FROM ');
    expect(log).toContain('Built in');
  });

  it('is built once: the same again is found, without fetching the code', async () => {
    const files = { 'train.py': 'print("once")' };
    const first = await build(builder, files);
    const second = await build(builder, files);
    expect(first.image.built).toBe(true);
    expect(second.image.built).toBe(false);
    expect(second.fetched).toBe(0);
    expect(second.image.image).toBe(first.image.image);
  });

  it('is built once by two who want it at the same time', async () => {
    const files = { 'train.py': 'print("twice")' };
    const context = { alone: processLock() };
    const both = await Promise.all([build(builder, files, { context }), build(builder, files, { context })]);
    expect(both.map(({ image }) => image.built).sort()).toEqual([false, true]);
    expect(both[0].image.image).toBe(both[1].image.image);
    expect(both.map(({ log }) => log).join('')).toContain('Another launch is building the same image');
  });

  it('knows its base by digest', async () => {
    const { image } = await build(builder, { 'a.py': '' });
    expect(image.facts).toMatchObject({ builder: 'docker', baseImage: 'python:3.11' });
    expect(image.facts.baseDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
    const { Config } = await machine.engine.getImage(image.image).inspect();
    expect(Config.Labels['org.opencontainers.image.base.digest']).toBe(image.facts.baseDigest);
  });
});

describe('requirements', () => {
  it('lie below the code: a change of the code installs nothing anew', async () => {
    const requirements = `six==1.16.0 # ${salt}\n`;
    const first = await build(builder, { 'a.py': 'import six; print(six.__version__)' }, { requirements });
    expect(await outputIn(machine.engine, first.image.image, ['python', 'a.py'])).toBe('1.16.0\n');
    const changed = await build(builder, { 'a.py': 'import six; print("new", six.__version__)' }, { requirements });
    expect(changed.image.built).toBe(true);
    expect(changed.log).toMatch(/davit-requirements[^]*CACHED/);
    expect(changed.log).not.toContain('Successfully installed');
    expect(await outputIn(machine.engine, changed.image.image, ['python', 'a.py'])).toBe('new 1.16.0\n');
  });

  it('are told exactly when they are installed', async () => {
    const { image } = await build(builder, { 'a.py': '' }, { requirements: 'six==1.16.0' });
    expect(image.facts.requirementsLock).toContain('six==1.16.0');
  });

  it('may come from the code itself', async () => {
    const files = {
      'lib/setup.py': 'from setuptools import setup; setup(name="ours", version="7.0", py_modules=["ours"])',
      'lib/ours.py': 'x = 7',
    };
    const { image } = await build(builder, files, { requirements: './lib' });
    expect(await outputIn(machine.engine, image.image, ['python', '-c', 'import ours; print(ours.x)'])).toBe('7\n');
  });

  it('may stand in pyproject.toml', async () => {
    const files = { 'pyproject.toml': '[project]\nname = "it"\nversion = "1"\ndependencies = ["six==1.16.0"]\n' };
    const { image } = await build(builder, files);
    expect(await outputIn(machine.engine, image.image, ['python', '-c', 'import six; print(six.__version__)'])).toBe(
      '1.16.0\n',
    );
  });

  it('that do not resolve are named', async () => {
    const { failure } = await build(builder, { 'a.py': '' }, { requirements: 'six==99.99' });
    expect(failure.code).toBe('requirements-failed');
    expect(failure.message).toContain('six==99.99');
  });
});

describe('an own Dockerfile', () => {
  it('sees its own context, and what .dockerignore leaves of it', async () => {
    const files = {
      'docker/Dockerfile': 'FROM python:3.11\nWORKDIR /app\nCOPY . .\nRUN ls -A > /list\nUSER 7',
      'app/main.py': 'print("own")',
      'app/secret.pem': 'x',
      'app/.dockerignore': '*.pem',
      'outside.txt': '',
    };
    const { image } = await build(builder, files, { options: { dockerfile: 'docker/Dockerfile', context: 'app' } });
    expect(await outputIn(machine.engine, image.image, ['python', 'main.py'])).toBe('own\n');
    const list = await outputIn(machine.engine, image.image, ['cat', '/list']);
    expect(list).toContain('main.py');
    expect(list).not.toMatch(/secret\.pem|outside/);
  });

  it('is found beside the entry point when it is called Dockerfile.wandb', async () => {
    const files = { 'sub/Dockerfile.wandb': 'FROM python:3.11\nCOPY here.txt /here.txt', 'sub/here.txt': 'beside' };
    const { image } = await build(builder, files, { entryFolder: 'sub' });
    expect(await outputIn(machine.engine, image.image, ['cat', '/here.txt'])).toBe('beside');
  });

  it('must lie in the code', async () => {
    const { failure } = await build(builder, { 'a.py': '' }, { options: { dockerfile: 'Dockerfile.nowhere' } });
    expect(failure).toMatchObject({
      code: 'build-failed',
      message: 'The Dockerfile "Dockerfile.nowhere" is not in the code.',
    });
  });

  it('that fails is told by its step, its last lines and its exit code', async () => {
    const Dockerfile = 'FROM python:3.11\nRUN echo one && echo "the reason" >&2 && exit 3';
    const { failure } = await build(builder, { Dockerfile }, { options: { dockerfile: 'Dockerfile' } });
    expect(failure.code).toBe('build-failed');
    expect(failure.message).toContain('RUN echo one');
    expect(failure.message).toContain('exit code 3');
    expect(failure.message).toContain('\nthe reason');
  });

  it('that cannot be read is told by what is wrong with it', async () => {
    const { failure } = await build(
      builder,
      { Dockerfile: 'FROM python:3.11\nRUNN x' },
      { options: { dockerfile: 'Dockerfile' } },
    );
    expect(failure.code).toBe('build-failed');
    expect(failure.message).toContain('RUNN');
  });
});

describe('what a build leaves in a cache', () => {
  /** Looks into the installer's cache for what other builds have left there, leaves something itself, and fails when it is not as expected. */
  const probing = (number: number, expected: 'there' | 'not there') => ({
    'lib/setup.py': [
      'import os, setuptools',
      'kept = os.path.expanduser("~/.cache/pip/planted")',
      'os.makedirs(kept, exist_ok=True)',
      `open(kept + "/by-${number}", "w").close()`,
      'there = len(os.listdir(kept)) > 1',
      `assert ${expected}, os.listdir(kept)`,
      'setuptools.setup(name="probe", version="1", py_modules=["probe"])',
    ].join('\n'),
    'lib/probe.py': '',
  });

  it('is found by the next build of its owner, and by nobody else', async () => {
    const by = async (owner: string, number: number, expected: 'there' | 'not there') =>
      (await build(builder, probing(number, expected), { requirements: './lib', owner: `${owner}-${salt}` })).image;
    expect(await by('ada', 1, 'not there')).toMatchObject({ built: true });
    expect(await by('ada', 2, 'there')).toMatchObject({ built: true });
    expect(await by('bob', 3, 'not there')).toMatchObject({ built: true });
  });

  it('nor by a build of its own Dockerfile, nor by one with other secrets', async () => {
    const Dockerfile = (n: number) =>
      `FROM python:3.11\nRUN --mount=type=cache,target=/keep ls /keep > /seen; echo > /keep/of-${n}`;
    const seen = async (n: number, owner: string, secrets: Record<string, string> = {}) => {
      const wish = {
        owner: `${owner}-${salt}`,
        options: { dockerfile: 'Dockerfile', secrets },
        secrets: { index: 'x' },
      };
      const { image } = await build(builder, { Dockerfile: Dockerfile(n) }, wish);
      return outputIn(machine.engine, image.image, ['cat', '/seen']);
    };
    expect(await seen(1, 'ada')).toBe('');
    expect(await seen(2, 'ada')).toBe('of-1\n');
    expect(await seen(3, 'bob')).toBe('');
    expect(await seen(4, 'ada', { PIP_INDEX_URL: 'index' })).toBe('');
  });
});

describe('a platform', () => {
  const options = { dockerfile: 'Dockerfile' };
  const files = { Dockerfile: 'FROM scratch\nCOPY . /' };

  it('counts as what it is, whether it was said or not', async () => {
    const unsaid = await build(builder, files, { options });
    const { Os, Arch } = await machine.engine.version();
    expect(unsaid.image.facts.platform).toBe(`${Os}/${Arch}`);
    const said = await build(open({ platform: `${Os}/${Arch}` }), files, { options });
    expect(said.image).toMatchObject({ built: false, image: unsaid.image.image });
    const other = await build(open({ platform: 'linux/arm64' }), files, { options });
    expect(other.image.name).not.toBe(unsaid.image.name);
    expect(await machine.engine.getImage(other.image.image).inspect()).toMatchObject({ Architecture: 'arm64' });
  });
});

describe('a base image', () => {
  it('that does not exist is named', async () => {
    const baseImage = `${machine.registry}/nothing/here:1`;
    const { failure } = await build(builder, { 'a.py': '' }, { options: { baseImage } });
    expect(failure.code).toBe('base-image-unknown');
    expect(failure.message).toContain('nothing/here');
  });

  it('without the platform is told as that', async () => {
    const { failure } = await build(builder, { 'a.py': '' }, { options: { platform: 'linux/s390x' } });
    expect(failure.code).toBe('image-architecture');
  });

  it('is what its tag stands for in the registry, not what the Engine took it for before', async () => {
    const relay = await TcpRelay.to(machine.registry);
    const repo = `${relay.address}/davit/base-${salt}`;
    const name = `${repo}:1`;
    const images = machine.engine;
    const pushed = async (said: string) => {
      const Dockerfile = `FROM python:3.11\nENV SAID=${said}`;
      const { image } = await build(builder, { Dockerfile }, { options: { dockerfile: 'Dockerfile' } });
      await images.getImage(image.image).tag({ repo, tag: '1' });
      await pushImage({ engine: engineAt(machine.dockerHost), logins: noLogins }, name, quiet);
      return image.image;
    };
    const files = { 'a.py': 'import os; print(os.environ["SAID"])' };
    const made = () => build(builder, files, { options: { baseImage: name } });
    const old = await pushed('old');
    const first = await made();
    expect(await outputIn(images, first.image.image, ['python', 'a.py'])).toBe('old\n');
    await pushed('new');
    // As an Engine has it that pulled the old one.
    await images.getImage(name).remove();
    await images.getImage(old).tag({ repo, tag: '1' });

    const second = await made();
    expect(second.image.built).toBe(true);
    expect(await outputIn(images, second.image.image, ['python', 'a.py'])).toBe('new\n');
    expect(second.log).toContain(`is ${second.image.facts.baseDigest} in its registry, and the Engine's copy another`);

    relay.close();
    const alone = await made();
    expect(alone.image).toMatchObject({ built: false, image: first.image.image });
    expect(alone.log).toMatch(/The registry of .* does not answer: .* The Engine's copy is taken/);
  });

  it("without Python gets it, when it is an accelerator's", async () => {
    const { image } = await build(
      builder,
      { 'a.py': 'print("py")' },
      { options: { acceleratorBaseImage: 'python:3.11' } },
    );
    expect(await outputIn(machine.engine, image.image, ['python', 'a.py'])).toBe('py\n');
  });
});

describe('secrets of a build', () => {
  it('are there while requirements are installed, and in no layer, history or log', async () => {
    const value = `http://user:planted-${salt}@index.invalid/simple`;
    const probe = {
      'lib/setup.py': [
        'import os, setuptools',
        'assert os.environ["SECRET_URL"].endswith("index.invalid/simple")',
        'print("saw", os.environ["SECRET_URL"])',
        'setuptools.setup(name="probe", version="1", py_modules=["probe"])',
      ].join('\n'),
      'lib/probe.py': '',
    };
    const { image, log } = await build(builder, probe, {
      requirements: './lib',
      options: { secrets: { SECRET_URL: 'index-url' } },
      secrets: { 'index-url': value },
    });
    expect(log).not.toContain(`planted-${salt}`);
    const history = await machine.engine.getImage(image.image).history();
    expect(JSON.stringify(history)).not.toContain(`planted-${salt}`);
    expect(JSON.stringify(await machine.engine.getImage(image.image).inspect())).not.toContain(`planted-${salt}`);
    const layers = await machine.engine.getImage(image.image).get();
    let tail = '';
    for await (const chunk of layers as AsyncIterable<Buffer>) {
      const text = tail + chunk.toString('latin1');
      expect(text.includes(`planted-${salt}`)).toBe(false);
      tail = text.slice(-100);
    }
  });
});
