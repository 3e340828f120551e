import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { agentSettings } from '../../cli/config/agent.js';
import { configurationPage } from '../../cli/config/document.js';
import { loadConfig } from '../../cli/config/load.js';
import { redacted } from '../../cli/config/print.js';
import { serverSettings } from '../../cli/config/server.js';
import { temporalConnection } from '../../cli/config/temporal.js';
import { upSettings } from '../../cli/config/up.js';
import { workerSettings } from '../../cli/config/worker.js';
import { DavitError } from '../../domain/errors.js';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'davit-config-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const database = { DATABASE_URL: 'postgresql://davit:sesame@db:5432/davit' };

function fileWith(text: string): string {
  const path = join(folder, 'davit.yaml');
  writeFileSync(path, text);
  return path;
}

function refusal(work: () => unknown): { message: string; errors: { path: string; message: string }[] } {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(DavitError);
    if (!(error instanceof DavitError)) throw error;
    expect(error.code).toBe('invalid-configuration');
    return { message: error.message, errors: error.details?.errors ?? [] };
  }
  throw new Error('it was accepted');
}

describe('a setting', () => {
  test('is taken from the flag before the environment before the file before the default', () => {
    const file = fileWith('port: 4001\nwindow: 51\nhost: 0.0.0.0\n# a comment\n');
    const { values, origins } = loadConfig('server', serverSettings, {
      flags: { port: '4003' },
      env: { ...database, DAVIT_PORT: '4002', DAVIT_WINDOW: '52' },
      file,
    });
    expect([values.port, values.window, values.host, values.databaseConnections]).toEqual([4003, 52, '0.0.0.0', 20]);
    expect([
      origins['port'],
      origins['window'],
      origins['host'],
      origins['databaseConnections'],
      origins['databaseUrl'],
    ]).toEqual(['--port', 'DAVIT_WINDOW', file, 'default', 'DATABASE_URL']);
  });

  test('of labels is the same from flags, variable and file, and names that are given twice are refused', () => {
    const labelsOf = (flags: Record<string, unknown>, env: NodeJS.ProcessEnv, file?: string) =>
      loadConfig('agent', agentSettings, { flags: { entity: 'ada', ...flags }, env, file }).values.labels;
    const labels = { gpu: 'a100', zone: 'eu=1' };
    expect(labelsOf({ label: ['gpu=a100', 'zone=eu=1'] }, { DAVIT_LABELS: 'x=y' })).toEqual(labels);
    expect(labelsOf({}, { DAVIT_LABELS: 'gpu=a100, zone=eu=1' })).toEqual(labels);
    expect(labelsOf({}, {}, fileWith('labels:\n  gpu: a100\n  zone: eu=1\n'))).toEqual(labels);
    expect(labelsOf({}, {})).toEqual({});
    for (const wrong of ['gpu', '=a100', 'gpu=a,gpu=b', 'a b=c'])
      expect(refusal(() => labelsOf({}, { DAVIT_LABELS: wrong })).message).toContain('labels such as gpu=a100');
  });

  test('of slots takes -1 for no limit, and no 0', () => {
    const slotsOf = (maxJobs: string) =>
      loadConfig('agent', agentSettings, { flags: { entity: 'ada', maxJobs }, env: {} }).values.maxJobs;
    expect([slotsOf('-1'), slotsOf('1'), slotsOf('10000')]).toEqual([-1, 1, 10_000]);
    for (const wrong of ['0', '-2', 'many']) expect(refusal(() => slotsOf(wrong)).message).toContain('-1 for no limit');
  });

  test('that is set for Davit beats the variable other tools share', () => {
    const env = { ...database, DAVIT_DATABASE_URL: 'postgresql://other/davit' };
    expect(loadConfig('worker', workerSettings, { flags: {}, env }).values.databaseUrl).toBe(
      'postgresql://other/davit',
    );
  });

  test('that is an empty variable counts as not set', () => {
    expect(loadConfig('server', serverSettings, { flags: {}, env: { ...database, DAVIT_PORT: '' } }).values.port).toBe(
      8080,
    );
  });

  test('takes lists and booleans as text and as YAML', () => {
    const fromText = { DAVIT_ENTITY: 'ann', DAVIT_QUEUES: 'gpu, cpu,' };
    expect(loadConfig('agent', agentSettings, { flags: {}, env: fromText }).values.queues).toEqual(['gpu', 'cpu']);
    const file = fileWith('entity: ann\nqueues: [gpu, cpu]\n');
    expect(loadConfig('agent', agentSettings, { flags: {}, env: {}, file }).values.queues).toEqual(['gpu', 'cpu']);
    expect(loadConfig('up', upSettings, { flags: { agent: false }, env: {} }).values.agent).toBe(false);
    expect(loadConfig('up', upSettings, { flags: {}, env: { DAVIT_AGENT: 'no' } }).values.agent).toBe(false);
  });
});

describe('a configuration is refused', () => {
  test('for an unknown key in the file, by name, with what was probably meant', () => {
    const file = fileWith('prot: 4001\n');
    const { message } = refusal(() => loadConfig('server', serverSettings, { flags: {}, env: database, file }));
    expect(message).toContain(`prot (${file}) is not a setting of davit server; did you mean port?`);
  });

  test('for an unknown DAVIT_ variable, by name, but not for those of another part', () => {
    const env = {
      ...database,
      DAVIT_PROT: '1',
      DAVIT_MAX_JOBS: '2',
      DAVIT_HOME: '/x',
      DAVIT_TEST_ANYTHING: '1',
      PATH: '/bin',
    };
    const { errors } = refusal(() => loadConfig('server', serverSettings, { flags: {}, env }));
    expect(errors).toEqual([{ path: 'DAVIT_PROT', message: 'is not a variable of Davit; did you mean DAVIT_PORT?' }]);
  });

  test('for every wrong value at once, each with its source and what is allowed', () => {
    const file = fileWith('window: many\nlogLevel: loud\n');
    const { errors } = refusal(() =>
      loadConfig('server', serverSettings, {
        flags: { port: '70000' },
        env: { DAVIT_DATABASE_URL: 'mysql://x' },
        file,
      }),
    );
    expect(errors).toContainEqual({
      path: 'port (--port)',
      message: 'must be a whole number from 1 to 65535, not "70000"',
    });
    expect(errors).toContainEqual({
      path: `window (${file})`,
      message: 'must be a whole number from 1 to 10000, not "many"',
    });
    expect(errors).toContainEqual({
      path: `logLevel (${file})`,
      message: 'must be one of debug, info, warn, error, not "loud"',
    });
    // A database address may hold a password, so it is not repeated.
    expect(errors.find(({ path }) => path.startsWith('databaseUrl'))?.message).not.toContain('mysql');
    expect(errors).toHaveLength(4);
  });

  test('for a setting that is needed, with every place where it can be put', () => {
    const { errors } = refusal(() => loadConfig('worker', workerSettings, { flags: {}, env: {} }));
    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).toContain(
      'set --database-url or DAVIT_DATABASE_URL or DATABASE_URL, or databaseUrl in the file',
    );
  });

  test('for a file that is named and missing, broken, or no mapping', () => {
    const missing = join(folder, 'nowhere.yaml');
    expect(refusal(() => loadConfig('up', upSettings, { flags: {}, env: {}, file: missing })).message).toContain(
      'cannot be read',
    );
    expect(
      refusal(() => loadConfig('up', upSettings, { flags: {}, env: {}, file: fileWith('a: [') })).message,
    ).toContain('cannot be read');
    expect(
      refusal(() => loadConfig('up', upSettings, { flags: {}, env: {}, file: fileWith('- port\n') })).message,
    ).toContain('YAML mapping');
    expect(loadConfig('up', upSettings, { flags: {}, env: {}, defaultFile: missing }).values.queue).toBe('default');
  });
});

describe('secrets', () => {
  test('are not printed, and the address of the database without its password', () => {
    const env = { DATABASE_URL: 'postgresql://davit:sesame@db/davit?password=sesame', TEMPORAL_API_KEY: 'sesame' };
    const shown = redacted(serverSettings, loadConfig('server', serverSettings, { flags: {}, env }));
    expect(JSON.stringify(shown)).not.toContain('sesame');
    expect(shown['databaseUrl']?.value).toContain('db/davit');
    expect(shown['temporalApiKey']).toEqual({ value: '(secret)', from: 'TEMPORAL_API_KEY' });
  });
});

describe('the connection to Temporal', () => {
  const connection = (env: Record<string, string>, flags = {}) => {
    const { values, origins } = loadConfig('worker', workerSettings, { flags, env: { ...database, ...env } });
    return temporalConnection(values, origins, env);
  };

  test('comes from the variables of all Temporal tools', () => {
    expect(connection({})).toEqual({ address: '127.0.0.1:7233', namespace: 'default' });
    const env = { TEMPORAL_ADDRESS: 'cloud:7233', TEMPORAL_NAMESPACE: 'team.a1', TEMPORAL_API_KEY: 'k' };
    expect(connection(env)).toEqual({ address: 'cloud:7233', namespace: 'team.a1', apiKey: 'k', tls: true });
    expect(connection({ TEMPORAL_ADDRESS: 'own:7233', TEMPORAL_TLS: 'true' })).toMatchObject({
      address: 'own:7233',
      tls: {},
    });
  });

  test('ignores a profile that nobody named, and takes one that is named', () => {
    const file = join(folder, 'temporal.toml');
    writeFileSync(file, '[profile.default]\naddress = "profile:7233"\nnamespace = "theirs"\n');
    expect(connection({ TEMPORAL_CONFIG_FILE: file })).toEqual({ address: 'profile:7233', namespace: 'theirs' });
    expect(connection({ TEMPORAL_CONFIG_FILE: file }, { temporalAddress: 'flag:7233' }).address).toBe('flag:7233');
    expect(connection({ XDG_CONFIG_HOME: folder, HOME: folder }).address).toBe('127.0.0.1:7233');
  });
});

test('the page about the configuration is the one that the schemas make', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8');
  expect(page).toBe(configurationPage());
});
