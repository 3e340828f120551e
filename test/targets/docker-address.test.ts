import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findEngine } from '../../targets/docker/address.js';

const folder = mkdtempSync(join(tmpdir(), 'davit-address-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const config = join(folder, 'docker');

function context(name: string, host: string): string {
  const id = createHash('sha256').update(name).digest('hex');
  mkdirSync(join(config, 'contexts', 'meta', id), { recursive: true });
  writeFileSync(
    join(config, 'contexts', 'meta', id, 'meta.json'),
    JSON.stringify({ Name: name, Endpoints: { docker: { Host: host } } }),
  );
  return id;
}

describe('the Engine is looked for as the docker command looks for it:', () => {
  it('the setting, then DOCKER_HOST, then the chosen context, then the usual socket', () => {
    context('mine', 'unix:///from/context.sock');
    writeFileSync(join(folder, 'config.json'), '');
    mkdirSync(config, { recursive: true });
    writeFileSync(join(config, 'config.json'), JSON.stringify({ currentContext: 'mine' }));
    const env = { DOCKER_CONFIG: config, HOME: folder };
    const withHost = { ...env, DOCKER_HOST: 'unix:///from/environment.sock' };
    expect(findEngine('unix:///given.sock', withHost).address).toEqual({ kind: 'socket', path: '/given.sock' });
    expect(findEngine(undefined, withHost).address).toEqual({ kind: 'socket', path: '/from/environment.sock' });
    expect(findEngine(undefined, env).address).toEqual({ kind: 'socket', path: '/from/context.sock' });
    expect(findEngine(undefined, { HOME: '/nowhere' }).shown).toBe('unix:///var/run/docker.sock');
    expect(findEngine(undefined, { ...env, DOCKER_CONTEXT: 'default' }).shown).toBe('unix:///var/run/docker.sock');
  });

  it('over ssh, with the name that ssh knows', () => {
    expect(findEngine('ssh://ann@gpu-box:2222', {}).address).toEqual({
      kind: 'ssh',
      host: 'gpu-box',
      port: 2222,
      user: 'ann',
    });
    expect(findEngine('ssh://gpu-box', {}).address).toEqual({
      kind: 'ssh',
      host: 'gpu-box',
      port: undefined,
      user: undefined,
    });
    // It would be an option of ssh, which can run programs.
    for (const evil of ['ssh://-oProxyCommand=x', 'ssh://-oProxyCommand=x@host'])
      expect(() => findEngine(evil, {})).toThrow(/not the address/);
  });

  it('over TCP, and with TLS when the files for it are there', () => {
    expect(findEngine('tcp://10.0.0.1', {}).address).toMatchObject({
      kind: 'tcp',
      host: '10.0.0.1',
      port: 2375,
      tls: undefined,
    });
    const env = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder };
    expect(() => findEngine('tcp://10.0.0.1', env)).toThrow(/ca\.pem is not there/);
    for (const name of ['ca.pem', 'cert.pem', 'key.pem']) writeFileSync(join(folder, name), 'x');
    expect(findEngine('tcp://10.0.0.1', env).address).toMatchObject({
      port: 2376,
      tls: { ca: join(folder, 'ca.pem') },
    });
  });

  it('and what is no address is said so', () => {
    for (const text of ['ftp://host', 'tcp://', 'what ever'])
      expect(() => findEngine(text, {})).toThrow(/not the address/);
  });
});
