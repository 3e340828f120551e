import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { begunOf } from '../../cli/stack/process-identity.js';
import { endNow } from '../support/end-now.js';
import { until } from '../support/until.js';
import { ask } from './support/database.js';
import { processesNaming } from './support/processes.js';
import { translateStack } from './support/program.js';
import { livingPid, temporaryHome, UpProcess } from './support/stack.js';
import type { Up } from './support/stack.js';
import { leaveWorkflow, workflowStatus } from './support/workflows.js';

let program: ReturnType<typeof translateStack>;
beforeAll(() => void (program = translateStack()));
afterAll(() => program.remove());

let home: ReturnType<typeof temporaryHome>;
const started: UpProcess[] = [];
beforeEach(() => (home = temporaryHome()));
afterEach(async () => {
  for (const up of started.splice(0)) await up.stop();
  home.remove();
});

function davitUp(): UpProcess {
  const up = new UpProcess(program.path('test/stack/support/up.ts'), home.path);
  started.push(up);
  return up;
}

const run = () => join(home.path, 'run');
/** Never 0, which would mean this very test run. */
const pidOf = (part: string): Promise<number> => until(() => livingPid(run(), part), { what: `${part} to live` });

/** The stack is up when our child is started, which is before it can hear a signal. */
const childWorks = () =>
  until(() => existsSync(join(run(), 'child.works')), {
    what: 'our own child to be at work, ready to be told to stop',
  });

async function leaveTraces({ databaseUrl, temporalAddress }: Up): Promise<void> {
  await ask(databaseUrl, `CREATE TABLE trace AS SELECT 'kept' AS word`);
  await leaveWorkflow(temporalAddress, 'trace');
}

async function expectTraces({ databaseUrl, temporalAddress }: Up): Promise<void> {
  expect(await ask(databaseUrl, 'SELECT word FROM trace')).toEqual([{ word: 'kept' }]);
  expect(await workflowStatus(temporalAddress, 'trace')).toBe('RUNNING');
}

describe('the embedded stack', () => {
  test('stops in order, leaves no process behind, and keeps its state and its ports', async () => {
    const first = davitUp();
    const before = await first.up();
    await leaveTraces(before);
    await childWorks();
    expect(await first.stop()).toBe(0);
    expect(
      first.said
        .filter(({ event }) => event === 'stopped')
        .map(({ part }) => part)
        .indexOf('child'),
    ).toBe(0);
    expect(processesNaming(home.path)).toEqual([]);
    expect(readFileSync(join(run(), 'child.ends'), 'utf8')).toContain('told to stop');

    const after = await davitUp().up();
    expect(after.ports).toEqual(before.ports);
    await expectTraces(after);
  });

  test.each(['postgres', 'temporal'])('%s is started again after kill -9, with its data', async (part) => {
    const up = davitUp();
    const addresses = await up.up();
    await leaveTraces(addresses);
    const pid = await pidOf(part);
    process.kill(pid, 'SIGKILL');
    await until(() => up.said.some((said) => said.event === 'ready' && said.message === `${part} is ready again`), {
      ms: 120_000,
    });
    expect(livingPid(run(), part)).not.toBe(pid);
    expect(up.said.find(({ event }) => event === 'died')?.message).toMatch(
      `${part} was ended by SIGKILL; starting it again`,
    );
    await expectTraces(addresses);
  });

  test('both are started again when they are killed at once, again and again', async () => {
    const up = davitUp();
    const addresses = await up.up();
    await leaveTraces(addresses);
    const both = ['postgres', 'temporal'];
    const timesReady = (part: string) => up.said.filter((said) => said.event === 'ready' && said.part === part).length;
    for (let round = 1; round <= 3; round++) {
      const pids = await Promise.all(both.map(pidOf));
      const before = both.map(timesReady);
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      await until(() => both.every((part, n) => timesReady(part) > (before[n] ?? 0)), {
        what: `both to be ready again, round ${round}`,
        ms: 120_000,
      });
    }
    await expectTraces(addresses);
  });

  test('after kill -9 of the supervisor the next start ends what survived and goes on with the state', async () => {
    const first = davitUp();
    const before = await first.up();
    await leaveTraces(before);
    const survivors = await Promise.all(['postgres', 'temporal'].map(pidOf));
    const child = await pidOf('child');
    await childWorks();
    await first.kill();
    await until(() => begunOf(child) === null, { what: 'our own child noticing that the supervisor is gone' });
    expect(readFileSync(join(run(), 'child.ends'), 'utf8')).toBe(`${child} supervisor gone\n`);

    const second = davitUp();
    const after = await second.up();
    for (const pid of survivors) expect(begunOf(pid)).toBeNull();
    expect(after.ports).toEqual(before.ports);
    await expectTraces(after);
    await second.stop();
    expect(processesNaming(home.path)).toEqual([]);
  });

  test('after kill -9 of everything at once the next start goes on with the state', async () => {
    const first = davitUp();
    const before = await first.up();
    await leaveTraces(before);
    const pids = [first.pid, ...(await Promise.all(['postgres', 'temporal', 'child'].map(pidOf)))];
    // Our own child ends by itself once the first of them is gone.
    for (const pid of pids) endNow(pid);
    await first.exited;
    await expectTraces(await davitUp().up());
  });

  test('a job of the process target outlives the supervisor, its stop and its kill', async () => {
    writeFileSync(join(openRun(), 'want-job'), '');
    const first = davitUp();
    await first.up();
    const job = Number(await until(() => readFileSync(join(run(), 'job.pid'), 'utf8')));
    try {
      await first.kill();
      const second = davitUp();
      await second.up();
      await second.stop();
      expect(begunOf(job)).not.toBeNull();
    } finally {
      process.kill(job, 'SIGKILL');
    }
  });

  test('a kill -9 at any moment of the first start leaves a folder that the next start can use', async () => {
    const moments = [
      () => existsSync(join(home.path, 'keys', 'postgres')),
      () => existsSync(join(home.path, 'postgres', 'data')),
      () => existsSync(join(run(), 'children', 'postgres.json')),
      () => livingPid(run(), 'temporal') !== null,
    ];
    for (const reached of moments) {
      const up = davitUp();
      await until(reached, { everyMs: 2 });
      await up.kill();
    }
    const up = davitUp();
    await leaveTraces(await up.up());
    await up.stop();
    // What prepared the database's folder for one that was killed may still be at it, and ends by itself.
    await until(() => processesNaming(home.path).length === 0, { what: 'nothing to be left running' });
  });

  test('told to stop while it is still starting, it ends and leaves nothing running', async () => {
    const up = davitUp();
    await until(() => up.said.some(({ event, part }) => event === 'starting' && part === 'postgres'));
    await up.stop();
    expect(processesNaming(home.path)).toEqual([]);
    await davitUp().up();
  });

  test('a second start on the same folder is refused with the pid of the first, which goes on', async () => {
    const first = davitUp();
    const addresses = await first.up();
    const { failed } = await davitUp().outcome();
    expect(failed?.code).toBe('home-in-use');
    expect(failed?.message).toContain(`process ${first.pid},`);
    await leaveTraces(addresses);
    await expectTraces(addresses);
  });

  test('two folders run side by side, the second on other ports', async () => {
    const other = temporaryHome();
    const first = await davitUp().up();
    const second = new UpProcess(program.path('test/stack/support/up.ts'), other.path);
    try {
      // Nothing listens on the API's port in this test, so both would get the same.
      const ofServers = ({ ports: { postgres, temporal, temporalUi } }: Up) => [postgres, temporal, temporalUi];
      expect(new Set([...ofServers(first), ...ofServers(await second.up())]).size).toBe(6);
      const moves = second.said.filter(({ message }) => message?.includes('is taken, using'));
      // Whoever else is on this machine may have the API's.
      expect(moves.map(({ part }) => part).filter((part) => part !== 'api')).toEqual(['temporal', 'temporalUi']);
    } finally {
      await second.stop();
      other.remove();
    }
  });

  test('a port that was asked for and is taken ends the start with its name', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await until(() => server.listening);
    const port = (server.address() as { port: number }).port;
    const up = new UpProcess(program.path('test/stack/support/up.ts'), home.path, { temporal: port });
    expect((await up.outcome()).failed).toMatchObject({ code: 'port-in-use' });
    expect(await up.exited).toBe(1);
    server.close();
    await davitUp().up();
  });
});

function openRun(): string {
  // As an earlier start would have left it.
  mkdirSync(run(), { mode: 0o700 });
  return run();
}
