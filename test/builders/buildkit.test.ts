import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contextArchive } from '../../builders/build-context.js';
import { BuildkitClient } from '../../builders/buildkit/client.js';
import { createBuildkitBuilder } from '../../builders/buildkit/index.js';
import { Progress } from '../../builders/buildkit/progress.js';
import { Session } from '../../builders/buildkit/session.js';
import { firstFile } from '../../builders/first-file.js';
import { dockerMachine, type DockerMachine } from '../support/docker-machine.js';
import { engineAsBuildkit } from './support/engine-buildkit.js';
import { buildFixture } from './support/build.js';

// The daemon is the one inside the Engine: the same protocol, without the exporter that pushes.
const { build, source, salt, remove } = buildFixture();
let machine: DockerMachine;
let daemon: { url: string; close(): void };
const noLogins = { login: async () => undefined };

beforeAll(async () => {
  machine = await dockerMachine();
  daemon = await engineAsBuildkit(machine.socketPath);
});
afterAll(() => {
  daemon.close();
  remove();
});

const open = (url = daemon.url) =>
  createBuildkitBuilder({ address: { url }, destination: `${machine.registry}/davit/jobs`, logins: noLogins });

describe('a BuildKit daemon', () => {
  it('is told by what it builds for, and missed when it does not answer', async () => {
    expect(await open().check()).toMatchObject({ ok: true, details: [expect.stringContaining('linux/amd64')] });
    expect(await open('tcp://127.0.0.1:1').check()).toMatchObject({ ok: false });
  });

  it('gets the context, secrets and nothing else from here, and gives the result back', async () => {
    const dockerfile = [
      `FROM ${machine.baseImage} AS job`,
      'COPY a.txt /a.txt',
      'RUN --mount=type=secret,id=KEY,required=true cat /a.txt /run/secrets/KEY > /both.txt && echo said',
      'FROM scratch',
      'COPY --from=job /both.txt /',
    ].join('\n');
    const folder = source({ 'a.txt': 'code and ' });
    const archive = await contextArchive({
      files: { Dockerfile: dockerfile },
      folder,
      prefix: '',
      obeysDockerIgnore: true,
    });
    const result = new PassThrough();
    const text = firstFile(result);
    const session = new Session({
      credentials: async () => undefined,
      secret: async (id) => (id === 'KEY' ? Buffer.from(salt) : undefined),
      upload: () => archive,
      received: (data) => void result.write(data),
    });
    const client = new BuildkitClient({ url: daemon.url });
    const { signal } = new AbortController();
    let log = '';
    const progress = new Progress((line) => (log += line));
    client.openSession(session);
    const ref = `test-${salt}`;
    const told = (async () => {
      for await (const status of client.status(ref, signal)) progress.take(status);
    })();
    await client.solve(
      {
        Ref: ref,
        Exporter: 'tar',
        ExporterAttrs: {},
        Session: session.id,
        Frontend: 'dockerfile.v0',
        FrontendAttrs: { context: `http://buildkit-session/${ref}`, filename: 'Dockerfile' },
        Cache: { Imports: [], Exports: [] },
      },
      signal,
    );
    await told;
    result.end();
    session.close();
    client.close();
    expect(await text).toBe(`code and ${salt}`);
    expect(log).toMatch(/#\d+ said\n/);
    expect(log).toContain('COPY a.txt');
  });

  it('that does not answer fails the build as that, and one that cannot push says so', async () => {
    const options = { baseImage: `${machine.registry}/library/${machine.baseImage}` };
    const away = await build(open('tcp://127.0.0.1:1'), { 'a.py': '' }, { options });
    expect(away.failure.code).toBe('builder-unavailable');
    const without = await build(open(), { 'a.py': '' }, { options });
    expect(without.failure).toMatchObject({ code: 'build-failed', message: expect.stringContaining('exporter') });
  });
});
