import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gitRemoteProblem, gitTransports, type AllowedRemotes } from '../../domain/git-remote.js';
import { DavitError } from '../../domain/errors.js';

export interface GitSource {
  remote: string;
  /** Beyond https and ssh. */
  allowed?: AllowedRemotes | undefined;
  /** Value of a named secret: a token or `user:password` for https, a private key for ssh. Default: what this machine has. */
  credentials?: string | undefined;
  /** For a private key and what is fetched, while the work lasts. Whoever owns it empties it at start: a killed process removes nothing. */
  tmpFolder: string;
}

/**
 * Runs the work with an environment for git: no question is ever asked, no hook or transport of the repository's choice is used, and
 * credentials are in no argument, no URL and no file that outlives the work.
 */
export async function withGitAccess<T>(
  { remote, allowed = [], credentials, tmpFolder }: GitSource,
  work: (environment: Record<string, string>) => Promise<T>,
): Promise<T> {
  const isKey = credentials?.trimStart().startsWith('-----BEGIN') === true;
  const problem =
    gitRemoteProblem(remote, allowed) ?? (credentials === undefined ? undefined : secretProblem(remote, isKey));
  if (problem !== undefined) throw new DavitError('git-refused', problem);
  const folder = isKey ? await newFolder(tmpFolder, 'key-') : undefined;
  try {
    const keyFile = folder === undefined ? undefined : join(folder, 'key');
    // ssh takes no key without a last line end.
    if (keyFile !== undefined) await writeFile(keyFile, `${credentials?.trim() ?? ''}\n`, { mode: 0o600 });
    return await work({
      ...inherited(),
      GIT_TERMINAL_PROMPT: '0',
      GIT_ASKPASS: 'true',
      SSH_ASKPASS: 'true',
      // Of submodules, too.
      GIT_ALLOW_PROTOCOL: gitTransports(allowed).join(':'),
      GIT_SSH_COMMAND: sshCommand(keyFile),
      LC_ALL: 'C',
      ...configured([
        ['core.hooksPath', '/dev/null'],
        ['core.fsmonitor', 'false'],
        // Git would send the credentials to wherever a redirect leads, and whoever owns the address would choose whom this machine asks.
        ['http.followRedirects', 'false'],
        // They are fetched one by one, each when its address was looked at.
        ['submodule.recurse', 'false'],
        ['fetch.recurseSubmodules', 'false'],
        // To disk as it comes, however few files: the size of what is fetched is watched there.
        ['fetch.unpackLimit', '1'],
        ['advice.detachedHead', 'false'],
        ...(credentials !== undefined && !isKey ? [authorization(remote, credentials)] : []),
      ]),
    });
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** A folder of its own name, that nobody else can look into. */
export async function newFolder(parent: string, prefix: string): Promise<string> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  return mkdtemp(join(parent, prefix));
}

/** Each kind opens one kind of address; with another it would not be used, and nobody would know. */
function secretProblem(remote: string, isKey: boolean): string | undefined {
  if (isKey && !/^(ssh:\/\/|[^/:]+:(?!\/\/))/i.test(remote))
    return 'The secret holds a private key, and only ssh addresses are opened by one: use ssh://… or user@host:path, or store a token.';
  if (!isKey && !/^https?:\/\//i.test(remote))
    return 'The secret holds a token, and ssh addresses are opened by a private key: use https://…, or store a key.';
  return undefined;
}

/** What git and ssh need to find their own configuration, the network and the machine's helpers; nothing else of this process. */
const passedOn =
  /^(PATH|HOME|USER|LOGNAME|TMPDIR|XDG_CONFIG_HOME|SSH_AUTH_SOCK|(HTTPS?|NO|ALL)_PROXY|SSL_CERT_(FILE|DIR)|GIT_SSL_CAINFO|GIT_SSL_CAPATH)$/i;
const inherited = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => passedOn.test(entry[0]) && !!entry[1]),
  );

function sshCommand(keyFile: string | undefined): string {
  const command = 'ssh -o BatchMode=yes -o ConnectTimeout=20 -o StrictHostKeyChecking=accept-new';
  return keyFile === undefined ? command : `${command} -o IdentitiesOnly=yes -o IdentityAgent=none -i '${keyFile}'`;
}

/** For the host of the remote only: a submodule elsewhere does not see it. */
function authorization(remote: string, credentials: string): [string, string] {
  const { origin } = new URL(remote);
  const pair = credentials.trim().includes(':') ? credentials.trim() : `x-access-token:${credentials.trim()}`;
  return [`http.${origin}/.extraHeader`, `Authorization: Basic ${Buffer.from(pair).toString('base64')}`];
}

function configured(values: readonly [string, string][]): Record<string, string> {
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(values.length) };
  for (const [i, [key, value]] of values.entries()) {
    variables[`GIT_CONFIG_KEY_${i}`] = key;
    variables[`GIT_CONFIG_VALUE_${i}`] = value;
  }
  return variables;
}
