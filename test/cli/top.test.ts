import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cleanEnvironment, buildProgram, davitProgram, DavitUp, newHome, repository } from '../support/davit-up.js';
import { jobFolders } from '../support/launched-jobs.js';
import { PseudoTerminal } from '../support/pseudo-terminal.js';
import { until } from '../support/until.js';

const home = newHome();
const jobs = jobFolders();
const open: PseudoTerminal[] = [];
let up: DavitUp;
beforeAll(async () => {
  await buildProgram();
  up = await DavitUp.start(home.path, { args: ['--entity', 'ann', '--max-jobs', '1'] });
  const folder = jobs.make({ 'main.py': 'import time\ntime.sleep(600)\n' });
  await up.davit(['job', 'create', folder, '--name', 'sleep', '--project', 'p']);
  for (let i = 0; i < 30; i++)
    await up.client.POST('/launches', { body: { queue: 'ann/default', job: 'ann/p/sleep', requireRun: false } });
  await until(async () => (await up.davit(['launches', 'list', '--state', 'running'])).stdout.includes('running'));
});
afterEach(() => {
  for (const terminal of open.splice(0)) terminal.process.kill('SIGKILL');
});
afterAll(async () => {
  await up.davit(['launches', 'cancel', '--queue', 'default', '--yes']);
  await up.stop();
  home.remove();
  jobs.remove();
});

const leave = '\u001b[?25h\u001b[?1049l';

function terminal(args: string[], size: { columns?: number; rows?: number } = {}): PseudoTerminal {
  const started = PseudoTerminal.start([process.execPath, davitProgram, ...args], {
    env: { ...up.environment(), TZ: 'UTC' },
    ...size,
  });
  open.push(started);
  return started;
}
const shows = (top: PseudoTerminal, what: RegExp) =>
  until(() => what.test(top.frame().join('\n')), { what: () => `${what.source} in\n${top.output}` });

describe('davit queue top in a terminal', () => {
  test('shows the line, follows what changes, scrolls, pauses, and gives the terminal back', async () => {
    const top = terminal(['queue', 'top', 'default', '--interval', '200ms']);
    await shows(top, /29 waiting, 0 held, 1 running/);
    expect(top.frame()).toHaveLength(24);
    const first = top.frame()[0];
    const [running] = /^0\w{19}/m.exec(top.frame().join('\n').split('RUNNING')[1] ?? '') ?? [];
    expect(running).toBeDefined();

    const { data } = await up.client.GET('/launches', {
      params: { query: { queue: 'ann/default', order: 'line', limit: '29' } },
    });
    const ids = data?.items.map(({ id }) => id) ?? [];
    expect(top.frame().join('\n')).toContain(ids[0]);
    expect(top.frame().join('\n')).not.toContain(ids[28]);
    top.type('\u001b[F');
    await shows(top, new RegExp(ids[28] ?? ''));
    expect(top.frame()[0]?.slice(0, 12)).toBe(first?.slice(0, 12));
    top.type('\u001b[H');
    await shows(top, new RegExp(ids[0] ?? ''));

    await up.davit(['launches', 'hold', ids[5] ?? '']);
    await shows(top, /28 waiting, 1 held/);
    top.type('p');
    await shows(top, /view paused/);
    await up.davit(['launches', 'release', ids[5] ?? '']);
    await until(async () => (await up.davit(['queue', 'show', 'default', '--json'])).stdout.includes('"held": 0'));
    expect(top.frame().join('\n')).toContain('1 held');
    top.type('p');
    await shows(top, /29 waiting, 0 held/);

    top.resize(200, 40);
    await until(() => top.frame().length === 40);
    top.type('q');
    expect(await top.exited).toBe(0);
    expect(top.output.endsWith(leave)).toBe(true);
    // Frames are put over each other, never on a cleared screen.
    expect(top.output).not.toContain('\u001b[2J');
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('gives the terminal back at %s', async (signal) => {
    const top = terminal(['queue', 'top']);
    await shows(top, /ann\/default +open/);
    top.signal(signal);
    expect(await top.exited).toBe(130);
    expect(top.output.endsWith(leave)).toBe(true);
  });

  test('can be left while the API hangs, and goes on when it is back', async () => {
    const top = terminal(['queue', 'top', '--interval', '200ms']);
    await shows(top, /ann\/default +open/);
    const server = up.pidOf('server');
    process.kill(server, 'SIGSTOP');
    try {
      await shows(top, /no answer/);
      top.type('q');
      expect(await top.exited).toBe(0);
      expect(top.output.endsWith(leave)).toBe(true);
    } finally {
      process.kill(server, 'SIGCONT');
    }
    const other = terminal(['queue', 'top', '--interval', '200ms']);
    await shows(other, /ann\/default +open/);
    const before = other.output.length;
    process.kill(up.pidOf('server'), 'SIGKILL');
    // It may be back before anybody has looked at the frame that says so.
    await until(() => other.output.slice(before).includes('no answer'), {
      what: () => `"no answer" in\n${other.output}`,
    });
    await until(() => !other.frame().join('').includes('no answer'));
    other.type('q');
    expect(await other.exited).toBe(0);
  });

  test('gives the terminal back when the program fails, before the error is printed', async () => {
    const screen = pathToFileURL(join(repository, 'dist', 'cli', 'top', 'screen.js')).href;
    const source = `const { openScreen } = await import(${JSON.stringify(screen)});
      openScreen({ key() {}, resized() {} }).draw(['a frame']);
      setTimeout(() => { throw new Error('nobody caught this'); }, 50);`;
    const failing = PseudoTerminal.start([process.execPath, '--input-type=module', '-e', source], {
      env: cleanEnvironment(),
    });
    expect(await failing.exited).toBe(1);
    expect(failing.output.split(leave)[1]).toContain('nobody caught this');
  });

  test('an error before the first frame is an error like any other', async () => {
    const top = terminal(['queue', 'top', 'nowhere']);
    expect(await top.exited).toBe(2);
    expect(top.output).toContain('unknown-queue');
    expect(top.output).not.toContain('\u001b[?1049h');
  });
});

describe('davit queue top without a terminal', () => {
  test('is printed once, whole, without moves of the cursor', async () => {
    const { code, stdout } = await up.davit(['queue', 'top', 'default']);
    expect(code).toBe(0);
    // eslint-disable-next-line no-control-regex -- what must not be there.
    expect(stdout).not.toMatch(/\u001b/);
    expect(stdout.match(/train|sleep:v0/g)).toHaveLength(30);
    expect((await up.davit(['queue', 'top'])).stdout).toMatch(/ann\/default +open/);
  });

  test('is JSON: one line for each look, or one', async () => {
    const { stdout } = await up.davit(['queue', 'top', 'default', '--json', '--once']);
    expect(JSON.parse(stdout)).toMatchObject({ line: { queue: 'default', waiting: 29 }, next: { length: 29 } });
    const stream = terminal(['queue', 'top', '--json', '--interval', '200ms'], { columns: 2_000 });
    await until(() => stream.text().trim().split('\n').length >= 3);
    stream.signal('SIGTERM');
    expect(await stream.exited).toBe(130);
    for (const line of stream.text().trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('items');
  });
});
