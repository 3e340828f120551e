import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDockerBuilder, type DockerBuilderOptions } from '../../builders/docker/index.js';
import { LoneEngine } from '../support/lone-engine.js';
import { until } from '../support/until.js';
import { buildFixture, engineAt } from './support/build.js';

const { build, remove } = buildFixture();
let engine: LoneEngine;
beforeAll(async () => {
  engine = await LoneEngine.start();
});
afterAll(async () => {
  await engine.stop();
  remove();
});

const open = (more: Partial<DockerBuilderOptions> = {}) =>
  createDockerBuilder({ engine: engineAt(engine.address), logins: { login: async () => undefined }, ...more });

/** Steps that run something want a network, which this Engine has not. */
const files = () => ({
  Dockerfile: `FROM ${engine.image}\nCOPY . /app`,
  'data.txt': randomBytes(8_000_000).toString('base64'),
});
const options = { dockerfile: 'Dockerfile' };

describe('an Engine that dies', () => {
  it('at any moment of a build and comes back: the image is made', async () => {
    for (const delayMs of [0, 20, 50, 100, 200, 400, 800]) {
      const code = files();
      const building = build(open(), code, { options });
      await wait(delayMs);
      await engine.kill9();
      await engine.up();
      const { image, log, fetched } = await building;
      expect(image.built, `killed after ${delayMs} ms:\n${log}`).toBe(true);
      expect(fetched).toBe(1);
      expect((await engine.docker.getImage(image.image).inspect()).RepoTags).toContain(image.name);
      expect((await build(open(), code, { options })).image).toMatchObject({ built: false, image: image.image });
    }
  });

  it('before a build is waited for, and the log says so', async () => {
    await engine.kill9();
    let said = '';
    const context = { onLog: (text: string) => void (said += text) };
    const building = build(open(), files(), { options, context });
    await until(() => said.includes('it is waited for'), { what: 'a word about the Engine' });
    await engine.up();
    expect((await building).image.built).toBe(true);
  });

  it('for good: the build ends with a cause', async () => {
    await engine.kill9();
    const { failure } = await build(open({ patienceMs: 500 }), files(), { options });
    expect(failure).toMatchObject({
      code: 'builder-unavailable',
      message: expect.stringMatching(/^The Docker Engine at unix:.* does not answer: .*\.$/),
    });
    await engine.up();
  });
});

it('a build is cancelled at once while the Engine keeps silent in the middle of an answer', async () => {
  const sockets = new Set<Socket>();
  const mute = createServer((socket) => {
    sockets.add(socket);
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{'));
  });
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  try {
    const address = `tcp://127.0.0.1:${(mute.address() as AddressInfo).port}`;
    const cancel = new AbortController();
    const context = { signal: cancel.signal };
    const building = build(open({ engine: engineAt(address) }), files(), { options, context });
    await until(() => [...sockets].some((socket) => socket.bytesWritten > 0), { what: 'a question to the Engine' });
    cancel.abort(new Error('cancelled by a test'));
    await expect(building.then(({ image }) => image)).rejects.toThrow('cancelled by a test');
  } finally {
    mute.close();
    for (const socket of sockets) socket.destroy();
  }
});
