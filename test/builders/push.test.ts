import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDockerBuilder } from '../../builders/docker/index.js';
import type { Login } from '../../builders/registries/login.js';
import { TcpRelay } from '../faults/support/tcp-relay.js';
import { dockerMachine, type DockerMachine } from '../support/docker-machine.js';
import { buildFixture, engineAt } from './support/build.js';

const { build, remove } = buildFixture();
let machine: DockerMachine;
beforeAll(async () => {
  machine = await dockerMachine();
});
afterAll(remove);

/** An image of nothing but the code: what is pushed is little, and not there yet. */
const files = () => ({ Dockerfile: 'FROM scratch\nCOPY . /', 'data.txt': randomBytes(1_500_000).toString('base64') });
const options = { dockerfile: 'Dockerfile' };
const open = (registry: string, login?: Login) =>
  createDockerBuilder({
    engine: engineAt(machine.dockerHost),
    destination: `${registry}/davit/pushed`,
    logins: { login: async () => login },
  });

it('an image is pushed with a login, run by digest, and found by agents that have not built it', async () => {
  const builder = open(machine.registryWithLogin, machine.login);
  const code = files();
  const first = await build(builder, code, { options });
  expect(first.image.image).toMatch(new RegExp(`^${machine.registryWithLogin}/davit/pushed@sha256:[0-9a-f]{64}$`));
  await machine.engine.getImage(first.image.name).remove();
  const second = await build(builder, code, { options });
  expect(second.image).toMatchObject({ built: false, image: first.image.image });
});

it('a registry that refuses the login, or gets none, is told as that', async () => {
  for (const login of [undefined, { username: machine.login.username, password: 'wrong' }]) {
    const { failure } = await build(open(machine.registryWithLogin, login), files(), { options });
    expect(failure.code).toBe('registry-refused');
    expect(failure.message).toContain(machine.registryWithLogin);
  }
});

it('a registry that goes away in the middle of a push is asked again, and the push goes on', async () => {
  const relay = await TcpRelay.to(machine.registry);
  try {
    const dropped = relay.after(700_000, 'up', () => relay.drop());
    const { image } = await build(open(relay.address), files(), { options });
    await dropped;
    expect(image.built).toBe(true);
    const digest = image.image.split('@')[1] ?? '';
    const answer = await fetch(`http://${machine.registry}/v2/davit/pushed/manifests/${digest}`, {
      headers: { Accept: 'application/vnd.docker.distribution.manifest.v2+json' },
    });
    expect(answer.status).toBe(200);
  } finally {
    relay.close();
  }
});

it('a registry that does not answer is told as that', async () => {
  const { failure } = await build(open('127.0.0.1:1'), files(), { options });
  expect(failure.code).toBe('registry-unreachable');
});
