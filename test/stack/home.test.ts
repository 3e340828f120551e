import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { defaultHome, openHome } from '../../cli/stack/home.js';
import { temporaryHome } from './support/stack.js';

let home: ReturnType<typeof temporaryHome>;
beforeEach(() => (home = temporaryHome()));
afterEach(() => home.remove());

test('a new data folder belongs to its owner alone', () => {
  const opened = openHome(join(home.path, 'deep', 'davit'));
  for (const folder of Object.values<string>({ ...opened })) expect(statSync(folder).mode & 0o777, folder).toBe(0o700);
});

test('a data folder opens again as it was', () => {
  const first = openHome(home.path);
  writeFileSync(join(first.blobs, 'kept'), 'x');
  expect(openHome(home.path)).toEqual(first);
  expect(statSync(join(first.blobs, 'kept')).size).toBe(1);
});

test('a data folder that cannot be written is refused with its code and its path', () => {
  const file = join(home.path, 'file');
  writeFileSync(file, 'x');
  for (const path of [join(file, 'davit'), '/proc/davit']) {
    expect(() => openHome(path)).toThrowError(expect.objectContaining({ code: 'home-not-writable' }) as Error);
    expect(() => openHome(path)).toThrowError(path);
  }
});

test.runIf(process.getuid?.() === 0)('a data folder of somebody else is refused', () => {
  openHome(home.path);
  process.seteuid?.(65_534);
  try {
    expect(() => openHome(home.path)).toThrowError(expect.objectContaining({ code: 'home-not-writable' }) as Error);
  } finally {
    process.seteuid?.(0);
  }
});

test('DAVIT_HOME names the data folder, else it is .davit in the home of the user', () => {
  expect(defaultHome({ DAVIT_HOME: '/srv/davit' })).toBe('/srv/davit');
  expect(defaultHome({ DAVIT_HOME: '' })).toMatch(/\/\.davit$/);
});
