import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { endLeftovers, readRecords, writeRecord } from '../../cli/stack/child-record.js';
import { openHome } from '../../cli/stack/home.js';
import type { Home } from '../../cli/stack/home.js';
import { LogFile } from '../../cli/stack/log-file.js';
import { begunOf } from '../../cli/stack/process-identity.js';
import { restartDelayMs } from '../../cli/stack/restart-delay.js';
import { Supervisor } from '../../cli/stack/supervise.js';
import type { ChildEvent, ChildSpec } from '../../cli/stack/supervise.js';
import { until } from '../support/until.js';
import { livingPid, temporaryHome } from './support/stack.js';

let folder: ReturnType<typeof temporaryHome>;
let home: Home;
let supervisor: Supervisor;
let events: ChildEvent[];
beforeEach(() => {
  folder = temporaryHome();
  home = openHome(folder.path);
  events = [];
  const onEvent = (event: ChildEvent) => void events.push(event);
  supervisor = new Supervisor({ runFolder: home.run, logFolder: home.logs, log: pino({ level: 'silent' }), onEvent });
});
afterEach(async () => {
  await supervisor.stop();
  folder.remove();
});

const shell = (name: string, script: string, more: Partial<ChildSpec> = {}): ChildSpec => ({
  name,
  program: () => ({ command: '/bin/sh', args: ['-c', script], env: { PATH: process.env['PATH'] } }),
  ...more,
});
const deaths = () => events.flatMap((event) => (event.kind === 'died' ? [event] : []));

describe('the supervisor', () => {
  test('starts a dead child again, later each time, and names its exit code and its last words', async () => {
    const counter = join(home.run, 'count');
    await supervisor.start(
      shell('part', `echo x >> ${counter}; echo last words; test $(wc -l < ${counter}) -ge 4 && exec sleep 60; exit 7`),
    );
    await until(() => supervisor.status()[0]?.restarts === 3);
    expect(deaths().map(({ delayMs }) => delayMs)).toEqual([100, 200, 400]);
    expect(deaths()[0]?.message).toBe('part ended with exit code 7; starting it again in 100 ms');
    expect(deaths()[0]?.lastLines).toEqual(['last words']);
    expect(readFileSync(join(home.logs, 'part.log'), 'utf8')).toContain('last words\n');
  });

  test('does not start a child again that ended with its final exit code, and lets the others be', async () => {
    await supervisor.start(shell('other', 'exec sleep 60'));
    await supervisor.start(shell('part', 'exit 79', { finalExitCode: 79 }));
    await until(() => supervisor.status()[1]?.state === 'stopped');
    expect(deaths()).toEqual([]);
    expect(supervisor.status()[0]?.state).toBe('ready');
    expect(supervisor.status()[1]?.restarts).toBe(0);
    expect(events.at(-1)?.message).toBe(
      'part ended with exit code 79: it was stopped on purpose and is not started again',
    );
    expect(readRecords(home.run).map(({ name }) => name)).toEqual(['other']);
  });

  test('does not wait longer than its bound, and starts over after a child was well', () => {
    expect(restartDelayMs.after(50)).toBe(10_000);
    expect(restartDelayMs.ranWell(1_000)).toBe(false);
    expect(restartDelayMs.ranWell(60_000)).toBe(true);
  });

  test('a child that never comes up ends the start with what it said', async () => {
    const never = shell('part', 'echo no such setting >&2; exit 2', {
      probe: () => Promise.reject(new Error('not there')),
    });
    const failure = await supervisor.start(never).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'part-failed' });
    expect((failure as Error).message).toMatch(/exit code 2.*no such setting/);
    expect(readRecords(home.run)).toEqual([]);
  });

  test('a child that runs but does not serve in time is ended, and the start says what was missing', async () => {
    const deaf = shell('part', 'exec sleep 60', {
      probe: () => Promise.reject(new Error('port is shut')),
      readyTimeoutMs: 200,
    });
    await expect(supervisor.start(deaf)).rejects.toThrow('port is shut');
    expect(livingPid(home.run, 'part')).toBeNull();
  });

  test('a program that does not exist is named', async () => {
    const missing: ChildSpec = { name: 'part', program: () => ({ command: '/no/such/program', args: [] }) };
    const failed = { ...missing, probe: () => Promise.reject(new Error('not there')) };
    await expect(supervisor.start(failed)).rejects.toThrow('/no/such/program');
  });

  test('stops the last started first, with force when asking does not help', async () => {
    await supervisor.start(shell('first', 'exec sleep 60'));
    const stubborn = shell('second', `trap '' TERM; echo armed; while :; do sleep 0.05; done`, {
      stopSteps: [
        { signal: 'SIGTERM', graceMs: 100 },
        { signal: 'SIGKILL', graceMs: 5_000 },
      ],
    });
    await supervisor.start(stubborn);
    await until(() => readFileSync(join(home.logs, 'second.log'), 'utf8').includes('armed'));
    await supervisor.stop();
    const ends = events.filter(({ kind }) => kind === 'stopped').map(({ part }) => part);
    expect(ends).toEqual(['second', 'first']);
    expect(deaths()).toEqual([]);
    expect(readRecords(home.run)).toEqual([]);
    await expect(supervisor.start(shell('third', 'true'))).rejects.toMatchObject({ code: 'part-failed' });
  });

  test('a stop during the wait for a restart is the end', async () => {
    await supervisor.start(shell('part', 'exit 1'));
    await until(() => deaths().length >= 3);
    await supervisor.stop();
    expect(supervisor.status()[0]).toMatchObject({ state: 'stopped', pid: null });
  });

  test('hands out each line of output', async () => {
    const lines: string[] = [];
    await supervisor.start(
      shell('part', `printf 'one\\ntw'; sleep 0.1; printf 'o\\n'; exec sleep 60`, {
        onLine: (line) => void lines.push(line),
      }),
    );
    await until(() => lines.length === 2);
    expect(lines).toEqual(['one', 'two']);
  });
});

describe('what an earlier supervisor left', () => {
  const stopSteps = [{ signal: 'SIGTERM' as const, graceMs: 5_000 }];
  const record = { name: 'part', port: null, order: 0, stopSteps };

  test('is ended when it is the recorded process', async () => {
    const survivor = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    const pid = survivor.pid ?? 0;
    writeRecord(home.run, { ...record, commandLine: 'sleep 60', process: { pid, begun: begunOf(pid) ?? '' } });
    expect(await endLeftovers(home.run)).toEqual([{ name: 'part', pid, gone: true }]);
    expect(readRecords(home.run)).toEqual([]);
  });

  test('is let alone when another process has its number by now', async () => {
    const stranger = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    const pid = stranger.pid ?? 0;
    writeRecord(home.run, { ...record, commandLine: 'sleep 60', process: { pid, begun: 'another time' } });
    expect(await endLeftovers(home.run)).toEqual([]);
    expect(begunOf(pid)).not.toBeNull();
    stranger.kill('SIGKILL');
  });

  test('is found by its command line when the supervisor died before it knew the pid', async () => {
    const mark = join(home.run, 'mark');
    const survivor = spawn('tail', ['-f', '/dev/null', '--', mark], { stdio: 'ignore' });
    writeRecord(home.run, { ...record, commandLine: `tail -f /dev/null -- ${mark}`, process: null });
    await until(() => survivor.pid !== undefined);
    expect(await endLeftovers(home.run)).toEqual([{ name: 'part', pid: survivor.pid, gone: true }]);
  });
});

test('a log is bounded: what is too old moves aside once', () => {
  const log = new LogFile(join(home.logs, 'part.log'), 1_000);
  for (let line = 0; line < 1_000; line++) log.write(`line ${line}\n`);
  log.close();
  expect(statSync(log.path).size).toBeLessThanOrEqual(1_000);
  expect(statSync(`${log.path}.1`).size).toBeLessThanOrEqual(1_000);
  expect(readFileSync(log.path, 'utf8')).toContain('line 999\n');
});
