import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeLaunchable, startTestApi, type TestApi } from '../api/support/api.js';
import { buildProgram, cleanEnvironment, davitProgram, type Ran } from '../support/davit-up.js';

const folder = mkdtempSync(join(tmpdir(), 'davit-test-secret-'));
let api: TestApi;
beforeAll(async () => {
  await buildProgram();
  api = await startTestApi();
  await makeLaunchable(api);
});
afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});

const davit = (args: string[], options: { input?: string; key?: string } = {}): Promise<Ran> =>
  new Promise((resolve) => {
    const { input = '', key = api.keys.ada } = options;
    const env = cleanEnvironment({ DAVIT_URL: api.url, DAVIT_API_KEY: key, DAVIT_HOME: folder });
    const child = execFile(process.execPath, [davitProgram, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 128, stdout, stderr });
    });
    child.stdin?.end(input);
  });
const versionOf = async (name: string): Promise<unknown> =>
  (await api.call('GET', `/entities/lab/secrets/${name}`)).body.version;

describe('davit secret', () => {
  test('takes the value from standard input or a file, and shows it nowhere', async () => {
    const set = await davit(['secret', 'set', 'lab/hf', '--description', 'read only'], { input: 'hf_planted_value\n' });
    expect(set).toMatchObject({ code: 0, stderr: '' });
    expect(set.stdout).toBe('Set lab/hf, version 1. No queue allows it yet: davit secret allow lab/hf QUEUE\n');
    writeFileSync(join(folder, 'key'), 'hf_planted_value\nand another line\n');
    expect((await davit(['secret', 'set', 'lab/hf', '--from-file', join(folder, 'key')])).code).toBe(0);
    expect(await versionOf('hf')).toBe(2);
    for (const args of [
      ['list', '--entity', 'lab'],
      ['list', '--entity', 'lab', '--json'],
      ['show', 'lab/hf'],
    ]) {
      const shown = await davit(['secret', ...args]);
      expect(shown.stdout).toContain('hf');
      expect(shown.stdout).toContain('read only');
      expect(shown.stdout).not.toContain('planted');
    }
  });

  test('refuses what cannot be one, in words', async () => {
    expect(await davit(['secret', 'set', 'lab/short'], { input: 'abc\n' })).toMatchObject({ code: 2 });
    const missing = await davit(['secret', 'set', 'lab/none', '--from-file', join(folder, 'nothing')]);
    expect(missing).toMatchObject({ code: 2, stdout: '' });
    writeFileSync(join(folder, 'bytes'), Buffer.from([0xff, 0xfe, 0xfd, 0xfc]));
    expect((await davit(['secret', 'set', 'lab/bytes', '--from-file', join(folder, 'bytes')])).stderr).toContain(
      'UTF-8',
    );
    expect((await davit(['secret', 'set', 'lab/hf'], { input: 'longer', key: api.keys.mem })).code).toBe(77);
  });

  test('is allowed on a queue, given to a launch, taken away and deleted', async () => {
    const allowed = await davit(['secret', 'allow', 'hf', 'lab/q', '--variable', 'HF_TOKEN']);
    expect(allowed.stdout).toBe('lab/q allows hf, and gives every job HF_TOKEN=hf.\n');
    expect((await davit(['queue', 'show', 'lab/q'])).stdout).toMatch(/secrets +hf, HF_TOKEN=hf for every job/);
    const launch = ['launch', 'lab/demo/train', '--queue', 'lab/q', '--secret', 'OTHER=hf'];
    expect((await davit([...launch, '--dry-run'])).stdout).toMatch(/OTHER=\(the secret hf of lab\)/);
    const { stdout } = await davit([...launch, '--detach']);
    expect((await api.call('GET', `/launches/${stdout.trim()}`)).body.resolved.secrets).toEqual({
      HF_TOKEN: 'hf',
      OTHER: 'hf',
    });
    expect((await davit(['secret', 'disallow', 'hf', 'lab/q'])).stdout).toBe('lab/q allows no secrets.\n');
    expect((await davit(['secret', 'delete', 'lab/hf'])).code).toBe(2);
    expect((await davit(['secret', 'delete', 'lab/hf', '--yes'])).stdout).toBe('Deleted lab/hf.\n');
    expect((await davit(['secret', 'list', '--entity', 'lab'])).stdout).toContain('lab has no secrets');
  });

  test('makes, counts and changes the keys of the installation for its admins', async () => {
    expect((await davit(['secret', 'new-key'])).stdout).toMatch(/^k\d{8}-[0-9a-f]{4}:[A-Za-z0-9+/]{43}=\n$/);
    expect((await davit(['secret', 'keys'])).code).toBe(77);
    expect((await davit(['secret', 'keys'], { key: api.keys.root })).stdout).toMatch(
      /k\d{8}-[0-9a-f]{4} +for new ones +0/,
    );
    expect((await davit(['secret', 'reseal'], { key: api.keys.root })).stdout).toContain('Stored 0 anew.');
  });
});
