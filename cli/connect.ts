import type { Command } from 'commander';
import { DavitError } from '../domain/errors.js';
import { createDavitClient } from '../client/index.js';
import type { DavitClient } from '../client/index.js';
import { runningStack } from './running-stack.js';
import { defaultHome } from './stack/home.js';

/** The API that a command speaks to. */
export interface Connected {
  client: DavitClient;
  url: string;
  /** The entity of the key: meant where no other is named. */
  entity(): Promise<string>;
}

export interface ConnectOptions {
  url?: string;
  apiKey?: string;
}

export function addConnectOptions(command: Command): Command {
  return command
    .option('--url <address>', 'the API (default: DAVIT_URL, WANDB_BASE_URL, or the stack that runs on DAVIT_HOME)')
    .option('--api-key <key>', 'the key; better in DAVIT_API_KEY, because command lines are public');
}

/** Flags, then DAVIT_URL and DAVIT_API_KEY, then those of wandb, then the embedded stack that runs on DAVIT_HOME. */
export function connect(options: ConnectOptions, env: NodeJS.ProcessEnv = process.env): Connected {
  const url = options.url ?? pick(env, 'DAVIT_URL') ?? pick(env, 'WANDB_BASE_URL');
  const key = options.apiKey ?? pick(env, 'DAVIT_API_KEY');
  if (url !== undefined) return connectTo(url, key ?? keyFor(url, env));
  const stack = runningStack(env);
  if (stack === null) throw new DavitError('not-running', `No API is named, and no stack runs on ${defaultHome(env)}.`);
  return connectTo(stack.url, key ?? stack.key);
}

/** The key for an address that has none of its own: wandb's for the same address, or that of our own stack there. */
function keyFor(url: string, env: NodeJS.ProcessEnv): string | undefined {
  if (withoutSlash(pick(env, 'WANDB_BASE_URL') ?? '') === withoutSlash(url)) {
    const theirs = pick(env, 'WANDB_API_KEY');
    if (theirs !== undefined) return theirs;
  }
  const stack = runningStack(env);
  return stack !== null && stack.url === withoutSlash(url) ? stack.key : undefined;
}

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');

function connectTo(url: string, key: string | undefined): Connected {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new DavitError('wrong-usage', `"${url}" is not an address such as http://127.0.0.1:8080.`);
  }
  if (key === undefined) throw new DavitError('unauthenticated', `There is no key for ${url}: set DAVIT_API_KEY.`);
  const baseUrl = withoutSlash(url);
  const client = createDavitClient({ baseUrl, apiKey: key });
  let entity: Promise<string> | undefined;
  return {
    client,
    url: baseUrl,
    entity: () => (entity ??= entityOf(client)),
  };
}

async function entityOf(client: DavitClient): Promise<string> {
  const { data } = await client.GET('/viewer');
  if (data?.entity == null)
    throw new DavitError('forbidden', 'This key has no entity of its own: name one with --entity.');
  return data.entity;
}

const pick = (env: NodeJS.ProcessEnv, name: string): string | undefined => {
  const value = env[name];
  return value === undefined || value === '' ? undefined : value;
};
