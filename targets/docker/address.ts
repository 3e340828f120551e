import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';

/** Where the Engine is, in the ways that Docker's own command knows: setting, DOCKER_HOST, the chosen context, the usual sockets. */
export type EngineAddress =
  | { kind: 'socket'; path: string }
  | { kind: 'tcp'; host: string; port: number; tls: TlsFiles | undefined }
  | { kind: 'ssh'; host: string; port: number | undefined; user: string | undefined };

interface TlsFiles {
  ca: string;
  cert: string;
  key: string;
}

export interface FoundEngine {
  address: EngineAddress;
  /** For people: `unix:///var/run/docker.sock`. No credentials. */
  shown: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

export function findEngine(given: string | undefined, env: Environment): FoundEngine {
  const context = given === undefined && !env['DOCKER_HOST'] ? contextOf(env) : undefined;
  const text = given ?? (env['DOCKER_HOST'] || undefined) ?? context?.host ?? usualSocket(env);
  const certFolder = context?.tlsFolder ?? (env['DOCKER_CERT_PATH'] || join(env['HOME'] ?? '', '.docker'));
  const wantsTls = context?.tlsFolder !== undefined || (env['DOCKER_TLS_VERIFY'] ?? '') !== '';
  return { address: parse(text, wantsTls, certFolder), shown: text.replace(/\/\/[^@/]*:[^@/]*@/, '//') };
}

function parse(text: string, wantsTls: boolean, certFolder: string): EngineAddress {
  if (text.startsWith('unix://')) return { kind: 'socket', path: text.slice('unix://'.length) };
  if (text.startsWith('/')) return { kind: 'socket', path: text };
  let url: URL;
  try {
    url = new URL(text.includes('//') ? text : `tcp://${text}`);
  } catch {
    throw notAnAddress(text);
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  // A name that begins with "-" would be an option of ssh.
  if (host === '' || host.startsWith('-') || url.username.startsWith('-')) throw notAnAddress(text);
  switch (url.protocol) {
    case 'ssh:':
      return {
        kind: 'ssh',
        host,
        port: url.port === '' ? undefined : Number(url.port),
        user: url.username === '' ? undefined : decodeURIComponent(url.username),
      };
    case 'tcp:':
    case 'http:':
    case 'https:': {
      const isTls = wantsTls || url.protocol === 'https:';
      const port = url.port === '' ? (isTls ? 2376 : 2375) : Number(url.port);
      return { kind: 'tcp', host, port, tls: isTls ? tlsFiles(certFolder) : undefined };
    }
    default:
      throw notAnAddress(text);
  }
}

const notAnAddress = (text: string): DavitError =>
  new DavitError(
    'invalid-configuration',
    `"${text}" is not the address of a Docker Engine: write unix:///path, tcp://host:port or ssh://user@host.`,
  );

function tlsFiles(folder: string): TlsFiles {
  const files = { ca: join(folder, 'ca.pem'), cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const missing = Object.values(files).find((file) => !existsSync(file));
  if (missing !== undefined)
    throw new DavitError(
      'invalid-configuration',
      `The Docker Engine is to be reached over TLS, and ${missing} is not there: set DOCKER_CERT_PATH to the folder of ca.pem, cert.pem and key.pem.`,
    );
  return files;
}

function usualSocket(env: Environment): string {
  const candidates = [
    '/var/run/docker.sock',
    ...(env['XDG_RUNTIME_DIR'] ? [join(env['XDG_RUNTIME_DIR'], 'docker.sock')] : []),
    ...(env['HOME'] ? [join(env['HOME'], '.docker', 'run', 'docker.sock')] : []),
  ];
  return `unix://${candidates.find((path) => existsSync(path)) ?? '/var/run/docker.sock'}`;
}

const configSchema = z.looseObject({ currentContext: z.string().optional() });
const contextSchema = z.looseObject({
  Endpoints: z.looseObject({ docker: z.looseObject({ Host: z.string() }).optional() }),
});

/** What `docker context use` chose. Unreadable files choose nothing, as for Docker's own command without them. */
function contextOf(env: Environment): { host: string; tlsFolder: string | undefined } | undefined {
  const folder = env['DOCKER_CONFIG'] || join(env['HOME'] ?? '', '.docker');
  const name =
    env['DOCKER_CONTEXT'] || configSchema.safeParse(readJson(join(folder, 'config.json'))).data?.currentContext;
  if (name === undefined || name === 'default') return undefined;
  const id = createHash('sha256').update(name).digest('hex');
  const read = contextSchema.safeParse(readJson(join(folder, 'contexts', 'meta', id, 'meta.json')));
  const host = read.data?.Endpoints.docker?.Host;
  if (host === undefined) return undefined;
  const tlsFolder = join(folder, 'contexts', 'tls', id, 'docker');
  return { host, tlsFolder: existsSync(tlsFolder) ? tlsFolder : undefined };
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown;
  } catch {
    return undefined;
  }
}
