import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { azureLogins } from '../../builders/registries/azure.js';
import { dockerConfigFile, dockerConfigLogins } from '../../builders/registries/docker-config.js';
import { ecrLogins } from '../../builders/registries/ecr.js';
import { googleLogins } from '../../builders/registries/google.js';
import { firstOf, type LoginContext } from '../../builders/registries/login.js';
import { Registries } from '../../builders/registries/registry.js';
import { secretLogins } from '../../builders/registries/secret-logins.js';
import { parseImageReference } from '../../domain/image-reference.js';
import { s3Credentials, startS3 } from '../support/s3.js';

const root = mkdtempSync(join(tmpdir(), 'davit-logins-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const context = (secrets: Record<string, string> = {}): LoginContext => ({
  signal: new AbortController().signal,
  secret: async (name) => secrets[name] ?? '',
});

type Handler = (request: IncomingMessage & { body: string }, response: ServerResponse) => void;
async function serve(handler: Handler): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => handler(Object.assign(request, { body }), response));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const json = (response: ServerResponse, body: object, status = 200): void =>
  void response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));

describe('a login from a named secret', () => {
  const logins = secretLogins({ 'registry.example': 'reg' });
  const login = (value: string) => logins.login('registry.example', context({ reg: value }));

  it('may be user:password, JSON, or what docker login writes', async () => {
    const wanted = { username: 'ada', password: 'pa:ss' };
    expect(await login('ada:pa:ss\n')).toEqual(wanted);
    expect(await login(JSON.stringify(wanted))).toEqual(wanted);
    const auth = Buffer.from('ada:pa:ss').toString('base64');
    expect(await login(JSON.stringify({ auths: { 'https://registry.example/v1/': { auth } } }))).toEqual(wanted);
  });

  it('is for its own registry only', async () => {
    expect(await logins.login('other.example', context({ reg: 'a:b' }))).toBeUndefined();
  });

  it('that holds none says so without its value', async () => {
    const error = await login('{"planted": "value"}').catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'registry-refused' });
    expect((error as Error).message).not.toContain('planted');
  });
});

describe('a login of this machine', () => {
  it('is read from the file that docker login writes, and asked of the helpers that it names', async () => {
    const helper = join(root, 'docker-credential-fake');
    writeFileSync(
      helper,
      '#!/bin/sh\nread host\n[ "$host" = helped.example ] || exit 1\necho \'{"Username":"h","Secret":"s"}\'\n',
    );
    chmodSync(helper, 0o755);
    const config = {
      auths: {
        'plain.example:5000': { auth: Buffer.from('p:q').toString('base64') },
        'https://index.docker.io/v1/': { username: 'hub', password: 'x' },
        'token.example': { identitytoken: 'tok' },
      },
      credHelpers: { 'helped.example': 'fake' },
    };
    writeFileSync(join(root, 'config.json'), JSON.stringify(config));
    const environment = { DOCKER_CONFIG: root, PATH: `${root}:${process.env['PATH'] ?? ''}` };
    const logins = dockerConfigLogins({ file: dockerConfigFile(environment), environment });
    expect(await logins.login('plain.example:5000', context())).toEqual({ username: 'p', password: 'q' });
    expect(await logins.login('docker.io', context())).toEqual({ username: 'hub', password: 'x' });
    expect(await logins.login('token.example', context())).toMatchObject({ password: 'tok' });
    expect(await logins.login('helped.example', context())).toEqual({ username: 'h', password: 's' });
    expect(await logins.login('unknown.example', context())).toBeUndefined();
  });

  it('does not have to be there', async () => {
    const logins = dockerConfigLogins({ file: join(root, 'nothing.json'), environment: {} });
    expect(await logins.login('docker.io', context())).toBeUndefined();
  });
});

describe('a login of a cloud', () => {
  it('of Amazon is asked of ECR, for its own hosts', async () => {
    const { endpoint, stop } = await startS3('unused');
    try {
      const logins = ecrLogins({ endpoint, credentials: s3Credentials });
      const login = await logins.login('123456789012.dkr.ecr.eu-west-1.amazonaws.com', context());
      expect(login?.username).toBe('AWS');
      expect(login?.password).not.toBe('');
      expect(await logins.login('registry.example', context())).toBeUndefined();
    } finally {
      await stop();
    }
  });

  it('of Google is a token of the service account, asked for once while it lasts', async () => {
    let asked = 0;
    let claims: { iss?: string; scope?: string } = {};
    const host = await serve((request, response) => {
      asked++;
      const assertion = new URLSearchParams(request.body).get('assertion') ?? '';
      claims = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString()) as typeof claims;
      json(response, { access_token: 'ya29.token', expires_in: 3600 });
    });
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const file = join(root, 'key.json');
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const account = {
      type: 'service_account',
      client_email: 'davit@x.iam',
      private_key: key,
      token_uri: `http://${host}/token`,
    };
    writeFileSync(file, JSON.stringify(account));
    const logins = googleLogins({ GOOGLE_APPLICATION_CREDENTIALS: file });
    const wanted = { username: 'oauth2accesstoken', password: 'ya29.token' };
    expect(await logins.login('europe-west1-docker.pkg.dev', context())).toEqual(wanted);
    expect(await logins.login('eu.gcr.io', context())).toEqual(wanted);
    expect(asked).toBe(1);
    expect(claims).toMatchObject({ iss: 'davit@x.iam', scope: expect.stringContaining('cloud-platform') });
    expect(await logins.login('pkg.dev.example', context())).toBeUndefined();
  });

  it('of Google is that of the machine where no key is named', async () => {
    const host = await serve((request, response) =>
      request.headers['metadata-flavor'] === 'Google'
        ? json(response, { access_token: 'machine', expires_in: 3000 })
        : json(response, {}, 403),
    );
    const logins = googleLogins({ GCE_METADATA_HOST: host });
    expect(await logins.login('gcr.io', context())).toMatchObject({ password: 'machine' });
  });

  it('of Azure is exchanged for one that the registry takes', async () => {
    const host = await serve((request, response) => {
      const body = new URLSearchParams(request.body);
      if (request.url === '/tenant/oauth2/v2.0/token' && body.get('client_secret') === 'sec')
        return json(response, { access_token: 'aad', expires_in: 3600 });
      if (
        request.url === '/exchange' &&
        body.get('access_token') === 'aad' &&
        body.get('service') === 'team1.azurecr.io'
      )
        return json(response, { refresh_token: 'acr' });
      return json(response, { error: 'no', secret: 'planted' }, 401);
    });
    const environment = {
      AZURE_TENANT_ID: 'tenant',
      AZURE_CLIENT_ID: 'id',
      AZURE_CLIENT_SECRET: 'sec',
      AZURE_AUTHORITY_HOST: `http://${host}`,
    };
    const open = (over: object = {}) =>
      azureLogins({ environment: { ...environment, ...over }, exchangeUrl: () => `http://${host}/exchange` });
    expect(await open().login('team1.azurecr.io', context())).toMatchObject({ password: 'acr' });
    expect(await open().login('registry.example', context())).toBeUndefined();
    const error = await open({ AZURE_CLIENT_SECRET: 'wrong' })
      .login('team1.azurecr.io', context())
      .catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'registry-refused' });
    expect((error as Error).message).not.toMatch(/planted|wrong/);
  });
});

describe('a registry', () => {
  const digest = `sha256:${'ab'.repeat(32)}`;

  it('that asks for a token gets one by the login, and the password goes to nobody else', async () => {
    const seen: string[] = [];
    const host: string = await serve((request, response) => {
      if (request.url?.startsWith('/token')) {
        seen.push(request.headers.authorization ?? 'none');
        return json(response, { token: 'bear' });
      }
      if (request.headers.authorization === 'Bearer bear')
        return void response.writeHead(200, { 'Docker-Content-Digest': digest }).end();
      const challenge = `Bearer realm="http://${host}/token",service="reg",scope="repository:team/app:pull"`;
      response.writeHead(401, { 'WWW-Authenticate': challenge }).end();
    });
    const registries = new Registries({ login: async () => ({ username: 'u', password: 'p' }) });
    const image = parseImageReference(`${host}/team/app:1`);
    if (!image) throw new Error('not an image');
    expect(await registries.digestOf(image, context())).toBe(digest);
    expect(seen).toEqual([`Basic ${Buffer.from('u:p').toString('base64')}`]);
  });

  it('that refuses, is away, or has no such image is told apart', async () => {
    const registries = new Registries(firstOf([]));
    const ask = async (status: number) => {
      const host = await serve((_, response) => void response.writeHead(status).end());
      const image = parseImageReference(`${host}/a:1`);
      if (!image) throw new Error('not an image');
      return registries.digestOf(image, context()).catch((error: { code: string }) => error.code);
    };
    expect(await ask(404)).toBeUndefined();
    expect(await ask(401)).toBe('registry-refused');
    expect(await ask(403)).toBe('registry-refused');
    expect(await ask(503)).toBe('registry-unreachable');
    const nobody = parseImageReference('127.0.0.1:1/a:1');
    if (!nobody) throw new Error('not an image');
    await expect(registries.digestOf(nobody, context())).rejects.toMatchObject({ code: 'registry-unreachable' });
  });
});
