import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { registryHost, type Login, type LoginSource } from './login.js';

/** `config.json` as `docker login` writes it. */
export const dockerConfigSchema = z.looseObject({
  auths: z
    .record(
      z.string(),
      z.looseObject({
        auth: z.string().optional(),
        username: z.string().optional(),
        password: z.string().optional(),
        identitytoken: z.string().optional(),
      }),
    )
    .optional(),
  credsStore: z.string().optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
});
type DockerConfig = z.infer<typeof dockerConfigSchema>;

/** Where Docker's own command keeps it. */
export const dockerConfigFile = (environment: Readonly<Record<string, string | undefined>>): string =>
  join(environment['DOCKER_CONFIG'] || join(environment['HOME'] ?? '/', '.docker'), 'config.json');

/** The logins of `docker login` on this machine, and those of the helpers that its file names. Read anew each time: logins are renewed. */
export function dockerConfigLogins(options: {
  file: string;
  /** What helpers are run with: a helper of a cloud finds its own login there. */
  environment: Readonly<Record<string, string | undefined>>;
}): LoginSource {
  return {
    async login(host, { signal }) {
      const config = await readConfig(options.file);
      if (!config) return undefined;
      const helper = Object.entries(config.credHelpers ?? {}).find(([name]) => registryHost(name) === host)?.[1];
      if (helper !== undefined) return askHelper(helper, host, options.environment, signal);
      const written = loginInConfig(config, host);
      if (written) return written;
      return config.credsStore === undefined
        ? undefined
        : askHelper(config.credsStore, host, options.environment, signal);
    },
  };
}

/** What the file itself says. */
export function loginInConfig(config: DockerConfig, host: string): Login | undefined {
  for (const [name, entry] of Object.entries(config.auths ?? {})) {
    if (registryHost(name) !== host) continue;
    if (entry.identitytoken) return { username: identityUser, password: entry.identitytoken };
    if (entry.username !== undefined && entry.password !== undefined)
      return { username: entry.username, password: entry.password };
    const [, username, password] =
      /^([^:]*):(.*)$/s.exec(Buffer.from(entry.auth ?? '', 'base64').toString('utf8')) ?? [];
    if (username && password) return { username, password };
  }
  return undefined;
}

/** Registries know by this name that the password is a token. */
const identityUser = '00000000-0000-0000-0000-000000000000';

async function readConfig(file: string): Promise<DockerConfig | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return undefined;
  }
  try {
    return dockerConfigSchema.parse(JSON.parse(text));
  } catch {
    throw new DavitError('invalid-configuration', `${file} is not a configuration of Docker.`);
  }
}

const answerSchema = z.object({ Username: z.string(), Secret: z.string() });

/** `docker-credential-NAME get`, as Docker asks it: the host on stdin, a login as JSON on stdout. */
async function askHelper(
  name: string,
  host: string,
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<Login | undefined> {
  if (!/^[A-Za-z0-9_.-]+$/.test(name)) return undefined;
  const wanted = host === 'docker.io' ? 'https://index.docker.io/v1/' : host;
  const { code, output } = await new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    const env = { ...environment };
    const child = spawn(`docker-credential-${name}`, ['get'], { env, signal, stdio: ['pipe', 'pipe', 'ignore'] });
    let output = '';
    child.stdout.on('data', (data: Buffer) => (output += data.toString('utf8')));
    child.stdin.on('error', () => undefined);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
    child.stdin.end(`${wanted}\n`);
  }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new DavitError('invalid-configuration', `The login helper docker-credential-${name} cannot be run.`, {
      cause: error,
    });
  });
  // A helper that knows no such host ends with an error, and so does one that is locked; the registry will say what it thinks of neither.
  if (code !== 0) return undefined;
  const answer = answerSchema.safeParse(JSON.parse(output));
  if (!answer.success) return undefined;
  return {
    username: answer.data.Username === '<token>' ? identityUser : answer.data.Username,
    password: answer.data.Secret,
  };
}
