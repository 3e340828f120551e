import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { variableOf } from './config/settings.js';
import type { Settings, Values } from './config/settings.js';
import type { agentSettings } from './config/agent.js';
import type { serverSettings } from './config/server.js';
import type { upSettings } from './config/up.js';
import type { workerSettings } from './config/worker.js';
import { exitCodes } from './output/exit-codes.js';
import type { Endpoints } from './stack/embedded.js';
import { loopback } from './stack/ports.js';
import type { ChildSpec } from './stack/supervise.js';

export const apiUrlOf = (apiPort: number): string => `http://${loopback}:${apiPort}`;

type Given<S extends Settings> = Partial<Values<S>>;

/** The parts that run on top of database and Temporal, each a process of its own, configured by its environment alone. */
export function upChildren(
  values: Values<typeof upSettings>,
  endpoints: Endpoints,
  env: NodeJS.ProcessEnv,
  onLine: (part: string, line: string) => void,
): ChildSpec[] {
  const { home, databaseUrl, apiPort } = endpoints;
  const logs = { logLevel: values.logLevel, logFormat: 'json' } as const;
  const git = values.gitAllowed.length === 0 ? {} : { gitAllowed: values.gitAllowed };
  const temporal = { temporalAddress: endpoints.temporalAddress, temporalNamespace: endpoints.temporalNamespace };
  const base = environmentOfChildren(env, endpoints);
  const child = <S extends Settings>(name: string, args: string[], given: Given<S> | (() => Given<S>)): ChildSpec => ({
    name,
    onLine: (line) => onLine(name, line),
    program: () => ({
      command: process.execPath,
      // The data folder in the command line is how a later start finds what outlived a crash.
      args: [fileURLToPath(new URL('./main.js', import.meta.url)), ...args, '--data-folder', home.root],
      env: { ...base, ...variables({ ...logs, ...(typeof given === 'function' ? given() : given) }) },
      cwd: home.root,
      channel: true,
    }),
  });

  const server = child<typeof serverSettings>('server', ['server', '--embedded', values.queue], {
    port: apiPort,
    databaseUrl,
    home: home.root,
    blobs: home.blobs,
    adminName: values.entity,
    ...git,
    ...temporal,
  });
  const worker = child<typeof workerSettings>('worker', ['worker'], { databaseUrl, ...temporal });
  const agent = child<typeof agentSettings>('agent', ['agent'], () => ({
    url: apiUrlOf(apiPort),
    agentKeyFile: join(home.keys, 'agent'),
    // Written by the server: an older data folder may belong to an entity of another name than this start would choose.
    entity: readFileSync(join(home.keys, 'entity'), 'utf8').trim(),
    agentName: values.agentName,
    maxJobs: values.maxJobs,
    workFolder: home.work,
    ...git,
    ...(values.macros.length === 0 ? {} : { macros: values.macros }),
    ...temporal,
    ...(values.environmentCacheFolder === undefined ? {} : { environmentCacheFolder: values.environmentCacheFolder }),
  }));
  return [
    { ...server, port: apiPort, probe: (signal) => isOurApi(apiUrlOf(apiPort), join(home.keys, 'admin'), signal) },
    worker,
    ...(values.agent ? [{ ...agent, finalExitCode: exitCodes.dismissed }] : []),
  ];
}

/** Ready when it answers to our key: on a port that somebody else took in the last moment, another API would answer as well. */
async function isOurApi(url: string, keyFile: string, signal: AbortSignal): Promise<void> {
  const key = readFileSync(keyFile, 'utf8').trim();
  const answer = await fetch(`${url}/api/v1/viewer`, { headers: { Authorization: `Bearer ${key}` }, signal });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`the API at ${url} answers ${answer.status} to our key`);
}

/**
 * What the parts get of our environment: everything but settings, which come from us, and keys. Jobs run below the agent, and a key of
 * some other W&B in the shell of whoever started this is none of their business.
 */
function environmentOfChildren(env: NodeJS.ProcessEnv, endpoints: Endpoints): NodeJS.ProcessEnv {
  const own = (name: string) =>
    name.startsWith('DAVIT_') || ['DATABASE_URL', 'WANDB_API_KEY', 'WANDB_BASE_URL'].includes(name);
  // TLS and keys of somebody else's Temporal are read where they are needed; for our own server they would be wrong.
  const drop = (name: string) =>
    own(name) || (name.startsWith('TEMPORAL_') && endpoints.temporalSource !== 'environment');
  return Object.fromEntries(Object.entries(env).filter(([name]) => !drop(name)));
}

const variables = (given: Record<string, unknown>): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(given).map(([key, value]) => [variableOf(key), String(value)]));
