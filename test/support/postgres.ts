import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import pg from 'pg';
import { migrate } from '../../store/migrate.js';
import { migrations } from '../../store/migrations/index.js';
import { openStore, type Store } from '../../store/open.js';
import { until } from './until.js';

/**
 * Real PostgreSQL for tests: one cluster for a whole run of the test runner (all its workers share it), one fresh database per
 * `createTestDatabase()`. `DAVIT_TEST_DATABASE_URL` takes a server that is there instead (its user must be allowed to create databases).
 *
 * A test that kills PostgreSQL needs one of its own: `startCluster` of postgres-cluster.mjs.
 */
export interface TestDatabase {
  url: string;
  db: Store;
  pool: pg.Pool;
  /** Closes the pool and drops the database. */
  close(): Promise<void>;
}

/** `server`: another than the one of the test run (one that the test may kill). */
export async function createTestDatabase(
  options: { maxConnections?: number; server?: string } = {},
): Promise<TestDatabase> {
  const server = options.server ?? (await (serverUrl ??= findServer()));
  const template = await (options.server ? makeTemplate(server) : (templateName ??= makeTemplate(server)));
  const name = `davit_test_${randomBytes(6).toString('hex')}`;
  await maintain(server, (client) => client.query(`create database ${name} template ${template}`));
  const url = withDatabase(server, name);
  const store = openStore({
    databaseUrl: url,
    maxConnections: options.maxConnections ?? 10,
    applicationName: 'davit-test',
    onError: () => undefined,
  });
  return {
    url,
    db: store.db,
    pool: store.pool,
    async close() {
      await store.close();
      await maintain(server, (client) => client.query(`drop database if exists ${name} with (force)`));
    },
  };
}

/** The server of this test run, started when first asked for. */
let serverUrl: Promise<string> | undefined;
let templateName: Promise<string> | undefined;

async function findServer(): Promise<string> {
  const given = process.env['DAVIT_TEST_DATABASE_URL'];
  if (given) return given;
  const owner = testRunner();
  const folder = join(tmpdir(), `davit-test-postgres-${owner.pid}-${owner.birth}`);
  // Whoever makes the folder starts the keeper; all others wait for its answer.
  if (makeFolder(folder)) {
    const keeper = fileURLToPath(new URL('./postgres-keeper.mjs', import.meta.url));
    spawn(process.execPath, [keeper, folder, String(owner.pid)], { detached: true, stdio: 'ignore' }).unref();
  }
  const answer = await until(() => readAnswer(join(folder, 'answer.json')), {
    what: 'PostgreSQL for tests',
    ms: 90_000,
  });
  if (answer.url === undefined) throw new Error(answer.error ?? 'the keeper of the test database gave no answer');
  return answer.url;
}

/** The process whose end is the end of the test run: the runner's main process, whether its workers are threads or children. */
function testRunner(): { pid: number; birth: string } {
  const pid = isMainThread && process.send !== undefined ? process.ppid : process.pid;
  let birth = 'x';
  try {
    // Start time in ticks: a recycled process id must not meet the leavings of an older run.
    birth =
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ')[19] ?? birth;
  } catch {
    // No /proc here: the id alone must do.
  }
  return { pid, birth };
}

function makeFolder(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function readAnswer(file: string): Promise<{ url?: string; error?: string } | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as { url?: string; error?: string };
  } catch {
    return undefined;
  }
}

/** A migrated database to copy from: 30 ms a copy instead of running every migration again. */
async function makeTemplate(server: string): Promise<string> {
  const name = `davit_template_${createHash('sha256').update(JSON.stringify(migrations)).digest('hex').slice(0, 12)}`;
  await maintain(server, async (client) => {
    await client.query('select pg_advisory_lock(4712, 1)');
    const found = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (found.rowCount) return;
    const making = `${name}_making`;
    await client.query(`drop database if exists ${making} with (force)`);
    await client.query(`create database ${making}`);
    const store = openStore({
      databaseUrl: withDatabase(server, making),
      maxConnections: 1,
      applicationName: 'davit-test-template',
      onError: () => undefined,
    });
    await migrate(store.db).finally(() => store.close());
    // The backend of a closed connection lingers for a moment, and a rename wants nobody there.
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [making]);
    await until(
      async () => (await client.query('select 1 from pg_stat_activity where datname = $1', [making])).rowCount === 0,
      { what: 'the template to be left alone' },
    );
    await client.query(`alter database ${making} rename to ${name}`);
  });
  return name;
}

async function maintain<T>(server: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function withDatabase(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.toString();
}
