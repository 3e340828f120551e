import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Builder } from '../../builders/builder.js';
import { createDockerBuilder, type DockerBuilderOptions } from '../../builders/docker/index.js';
import { dockerMachine, type DockerMachine } from '../support/docker-machine.js';
import { buildFixture, engineAt, processLock } from './support/build.js';
import { outputIn } from './support/run-image.js';

const { build, salt, remove } = buildFixture();
let machine: DockerMachine;
let builder: Builder;

const noLogins = { login: async () => undefined };
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
