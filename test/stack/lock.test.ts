import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { lockHolder, takeLock } from '../../cli/stack/lock.js';
import { begunOf } from '../../cli/stack/process-identity.js';
import { until } from '../support/until.js';
import { translateStack } from './support/program.js';
import { temporaryHome } from './support/stack.js';

let program: ReturnType<typeof translateStack>;
beforeAll(() => void (program = translateStack()));
afterAll(() => program.remove());

let home: ReturnType<typeof temporaryHome>;
const contenders: ChildProcess[] = [];
beforeEach(() => (home = temporaryHome()));
afterEach(() => {
  for (const contender of contenders.splice(0)) contender.kill('SIGKILL');
  home.remove();
});

function contend(): { process: ChildProcess; said: () => string } {
  const contender = spawn(process.execPath, [program.path('test/stack/support/contender.ts'), home.path]);
  contenders.push(contender);
  let text = '';
  contender.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { process: contender, said: () => text };
}

const writeHolder = (number: number, pid: number, begun: string) =>
  writeFileSync(join(home.path, `lock.${number}`), JSON.stringify({ pid, begun, since: 'then', released: false }));

test('a second holder is refused with the pid of the first', async () => {
  const first = contend();
  await until(() => first.said() === 'held\n');
  expect(lockHolder(home.path)?.pid).toBe(first.process.pid);
  expect(() => takeLock(home.path)).toThrowError(expect.objectContaining({ code: 'home-in-use' }) as Error);
  expect(() => takeLock(home.path)).toThrowError(String(first.process.pid));
});

test('a holder that was killed is followed by the next', async () => {
  const first = contend();
  await until(() => first.said() === 'held\n');
  first.process.kill('SIGKILL');
  await until(() => lockHolder(home.path) === null);
  takeLock(home.path).release();
});

test('a released lock is free, any number of times, and leaves a bounded number of files', () => {
  for (let round = 0; round < 20; round++) {
    const lock = takeLock(home.path);
    expect(lockHolder(home.path)?.pid).toBe(process.pid);
    lock.release();
    expect(lockHolder(home.path)).toBeNull();
  }
  expect(readdirSync(home.path).length).toBeLessThanOrEqual(2);
});

test('a pid that another process has got since does not hold the folder', () => {
  writeHolder(7, process.pid, `${begunOf(process.pid)}-earlier`);
  expect(lockHolder(home.path)).toBeNull();
  takeLock(home.path).release();
});

test('an unreadable lock, as a power failure leaves it, does not hold the folder', () => {
  writeFileSync(join(home.path, 'lock.3'), '');
  takeLock(home.path).release();
});

test('of many that find a dead holder at once, one gets the folder and the others learn its pid', async () => {
  for (let round = 0; round < 5; round++) {
    mkdirSync(home.path, { recursive: true });
    writeHolder(1 + 10 * round, 999_999_999, 'never');
    const all = Array.from({ length: 6 }, contend);
    await until(() => all.every(({ said }) => said().endsWith('\n')));
    const winners = all.filter(({ said }) => said() === 'held\n');
    expect(winners).toHaveLength(1);
    const pid = winners[0]?.process.pid;
    for (const { said } of all.filter((each) => each !== winners[0])) {
      expect(said()).toContain('home-in-use');
      expect(said()).toContain(`process ${pid},`);
    }
    winners[0]?.process.kill('SIGKILL');
    await until(() => lockHolder(home.path) === null);
  }
});
