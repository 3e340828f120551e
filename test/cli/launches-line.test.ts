import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildProgram, davitProgram, DavitUp, newHome } from '../support/davit-up.js';
import { jobFolders } from '../support/launched-jobs.js';
import { PseudoTerminal } from '../support/pseudo-terminal.js';
import { until } from '../support/until.js';

const home = newHome();
const jobs = jobFolders();
let up: DavitUp;
let folder: string;
beforeAll(async () => {
  await buildProgram();
  up = await DavitUp.start(home.path, { args: ['--entity', 'ann', '--max-jobs', '1'] });
  folder = jobs.make({ 'main.py': 'import sys\nsys.exit(int(sys.argv[1]))\n' });
  await davit('job', 'create', folder, '--name', 'exits', '--project', 'p');
});
afterAll(async () => {
  await up.stop();
  home.remove();
  jobs.remove();
});

const davit = (...args: string[]) => up.davit(args);
const launch = async (queue: string, ...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await davit('launch', 'p/exits', '--no-require-run', '-q', queue, '-d', ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.trim();
};
const inLine = async (queue: string): Promise<string[]> => {
  const { stdout } = await davit('launches', 'list', '--queue', queue, '--order', 'line', '--json');
  return (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id);
};
const bulkIds = async (): Promise<number> =>
  (JSON.parse((await davit('launches', 'bulk', '--json')).stdout) as unknown[]).length;

describe('one launch or several', () => {
  let ids: string[];
  let queue = '';
  let n = 0;
  beforeEach(async () => {
    queue = `line-${++n}`;
    await up.client.POST('/queues', { body: { name: queue } });
    const path = { entity: 'ann', queue };
    await up.client.POST('/queues/{entity}/{queue}/pause', { params: { path }, body: { reason: 'for the test' } });
    ids = [];
    for (let i = 0; i < 3; i++) {
      const body = { queue: `ann/${queue}`, job: 'ann/p/exits', requireRun: false };
      const { data } = await up.client.POST('/launches', { body });
      if (data !== undefined && 'id' in data) ids.push(data.id);
    }
  });

  test('move, hold, release and priority change the line, and say the new place', async () => {
    const [a = '', b = '', c = ''] = ids;
    expect((await davit('launches', 'move', c, '--front')).stdout).toBe(`${c} waits at position 1\n`);
    expect(await inLine(queue)).toEqual([c, a, b]);
    await davit('launches', 'move', a, b, '--front');
    expect(await inLine(queue)).toEqual([a, b, c]);
    await davit('launches', 'move', c, '--before', b);
    await davit('launches', 'move', a, '--after', c);
    expect(await inLine(queue)).toEqual([c, a, b]);
    expect((await davit('launches', 'priority', b, '--to', 'high')).stdout).toContain('position 1 with priority high');
    expect((await davit('launches', 'hold', b, '--reason', 'data first')).stdout).toBe(`${b} is held\n`);
    expect(await inLine(queue)).toEqual([c, a]);
    expect((await davit('launches', 'show', b)).stdout).toMatch(/held +held by ann: data first/);
    expect((await davit('launches', 'release', b)).code).toBe(0);
    expect(await inLine(queue)).toEqual([b, c, a]);
  });

  test('transfer puts it into another queue', async () => {
    await davit('queue', 'create', `${queue}-other`);
    await davit('queue', 'pause', `${queue}-other`);
    const [a = ''] = ids;
    expect((await davit('launches', 'transfer', a, '--to', `${queue}-other`)).code).toBe(0);
    expect(await inLine(`${queue}-other`)).toEqual([a]);
  });

  test('one that is refused is told, the others are done, and the exit code says so', async () => {
    const [a = '', b = ''] = ids;
    await davit('launches', 'cancel', a);
    const { code, stdout, stderr } = await davit('launches', 'hold', a, b, '0'.repeat(20));
    expect(code).toBe(1);
    expect(stdout).toBe(`${b} is held\n`);
    expect(stderr).toContain('not-waiting');
    expect(stderr).toContain('not-found');
  });

  test('show says why a launch waits, what to do, and when it starts', async () => {
    const waitsFor = async () =>
      (
        JSON.parse((await davit('launches', 'show', ids[1] ?? '', '--json')).stdout) as {
          waitsFor: { position: number; causes: { code: string }[] };
        }
      ).waitsFor;
    // The agent takes a new queue up with its next heartbeat; until then that nobody serves it is a cause, too.
    const served = await until(
      async () => {
        const now = await waitsFor();
        return now.causes.every(({ code }) => code !== 'no-agent') && now;
      },
      { what: 'the agent to serve the new queue' },
    );
    const { stdout } = await davit('launches', 'show', ids[1] ?? '');
    expect(stdout).toMatch(/queued, position 2/);
    expect(stdout).toMatch(/Why it waits\n +because +1\. Queue ann\/line-\d+ is paused by ann .*for the test/);
    expect(stdout).toMatch(/davit queue resume/);
    expect(stdout).toMatch(/starts +It starts when the queue is resumed/);
    expect(served).toMatchObject({ position: 2, causes: [{ code: 'queue-paused' }, { code: 'launches-ahead' }] });
  });

  test('by filter: the dry run lists and changes nothing, without a terminal --yes is needed, and it tells its end', async () => {
    const before = await bulkIds();
    const dry = await davit('launches', 'priority', '--to', 'low', '--queue', queue, '--dry-run');
    expect(dry.stdout).toContain('3 launches (dry run: nothing was changed)');
    for (const id of ids) expect(dry.stdout).toContain(id);
    const unasked = await davit('launches', 'priority', '--to', 'low', '--queue', queue);
    expect(unasked.code).toBe(2);
    expect(unasked.stderr).toContain('--yes');
    expect(await bulkIds()).toBe(before);
    expect(await davit('launches', 'priority', '--to', 'low', '--queue', queue, '--yes')).toMatchObject({
      code: 0,
      stdout: 'Changed: 3 launches.\n',
    });
    const asJson = await davit('launches', 'cancel', '-q', queue, '--author', 'ann', '--yes', '--json');
    const last = JSON.parse(asJson.stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
    expect(last).toMatchObject({ action: 'cancel', state: 'done', total: 3, done: 3 });
    expect((await davit('launches', 'bulk', String(last['id']))).stdout).toBe('Cancelled: 3 launches.\n');
    expect((await davit('launches', 'bulk')).stdout).toMatch(/cancel +done +3 of 3 +ann/);
    const again = await davit('launches', 'retry', '-q', queue, '--yes');
    expect(again.stdout).toBe('Enqueued again: 3 launches.\n');
    expect(await inLine(queue)).toHaveLength(3);
    expect((await davit('launches', 'cancel', '-q', 'default')).stdout).toContain('no such launches');
  });

  test('Ctrl-C leaves the work to the API, also while the API hangs, and says how to look and how to end it', async () => {
    const started = await davit('launches', 'hold', '--queue', queue, '--yes', '--detach');
    const id = started.stdout.trim();
    const server = up.pidOf('server');
    process.kill(server, 'SIGSTOP');
    try {
      const watching = PseudoTerminal.start([process.execPath, davitProgram, 'launches', 'bulk', id, '--watch'], {
        env: up.environment(),
      });
      await until(() => watching.text().includes('asking how far it is'), { what: () => watching.output });
      watching.type('\u0003');
      expect(await watching.exited).toBe(130);
      expect(watching.text()).toContain(`davit launches bulk ${id} --cancel`);
    } finally {
      process.kill(server, 'SIGCONT');
    }
    expect(await davit('launches', 'bulk', id, '--watch')).toMatchObject({ code: 0, stdout: 'Held: 3 launches.\n' });
    expect(await davit('launches', 'bulk', id, '--cancel')).toMatchObject({ code: 0, stdout: 'Held: 3 launches.\n' });
  });

  test('a terminal is asked: no changes nothing, yes does it', async () => {
    const ask = async (answer: string) => {
      const terminal = PseudoTerminal.start([process.execPath, davitProgram, 'launches', 'cancel', '--queue', queue], {
        env: up.environment(),
      });
      await until(() => terminal.text().includes('Cancel 3 launches? [y/N]'), { what: () => terminal.output });
      terminal.type(answer);
      return { code: await terminal.exited, text: terminal.text() };
    };
    expect(await ask('n\r')).toMatchObject({ code: 130 });
    expect(await ask('\u0003')).toMatchObject({ code: 130 });
    expect(await inLine(queue)).toHaveLength(3);
    const yes = await ask('y\r');
    expect(yes.code).toBe(0);
    expect(yes.text).toContain('Cancelled: 3 launches.');
    expect(await inLine(queue)).toHaveLength(0);
  });
});

test.each([
  ['no launch and no filter', ['launches', 'cancel']],
  ['ids and a filter', ['launches', 'hold', '0'.repeat(20), '--queue', 'default']],
  ['a move to nowhere', ['launches', 'move', '0'.repeat(20)]],
  ['a move to two places', ['launches', 'move', '0'.repeat(20), '--front', '--back']],
  ['many beside one', ['launches', 'move', '--queue', 'default', '--before', '0'.repeat(20)]],
  ['a priority that is none', ['launches', 'priority', '0'.repeat(20), '--to', 'urgent']],
])('%s is wrong usage', async (_what, args) => {
  expect((await davit(...args)).code).toBe(2);
});

describe('davit launch with requirements, retries and time-outs', () => {
  test('hands them on, and a held launch waits until it is released', async () => {
    const words = ['--requires', 'gpu=a100', '--retry', 'exit:7=1', '--retry-backoff', '1s', '--ttl', '2h', '--hold'];
    const id = await launch('default', ...words, '--timeout', 'run=2h', '--', '0');
    const shown = JSON.parse((await davit('launches', 'show', id, '--json')).stdout) as Record<string, unknown>;
    expect(shown).toMatchObject({ requires: { gpu: 'a100' }, held: true, hold: { cause: 'user' } });
    expect(shown['request']).toMatchObject({
      retry: { causes: { 'exit:7': { attempts: 1 } }, backoff: { initialMs: 1_000, maxMs: 1_000 } },
      timeouts: { runMs: 7_200_000 },
      ttlMs: 7_200_000,
      hold: true,
    });
    await davit('launches', 'release', id);
    const { stdout } = await davit('launches', 'show', id);
    expect(stdout).toMatch(/requires +gpu=a100/);
    expect(stdout).toContain('No agent of ann/default has the labels that it requires');
    await davit('launches', 'cancel', id);
  });

  test('a failed launch says what, when, whose fault, what next, and how often it was tried again', async () => {
    const id = await launch('default', '--retry', 'exit:7=1', '--retry-backoff', '1s', '--', '7');
    expect((await davit('launches', 'watch', id)).code).toBe(7);
    const { stdout } = await davit('launches', 'show', id);
    expect(stdout).toMatch(/retries +exit:7 1 of 1/);
    expect(stdout).toMatch(
      /Why it failed\n +what +.*7.*\n +when +while it ran \(stage run\)\n +fault +.*\(user\)\n +next +\S.*\n +log +davit launches logs \w+\n +again +davit launches retry \w+\n +code +job-failed/,
    );
    expect(stdout).toMatch(/Will be tried again \(exit:7, 1 of 1\)/);
    expect((await davit('launches', 'logs', id)).code).toBe(0);
    const again = await davit('launches', 'retry', id);
    expect(again.stdout).toMatch(new RegExp(`^${id} again as \\w{20}\\n$`));
  });

  test('a dry run shows the spec, the plan, the queue and the estimate, and changes nothing', async () => {
    const count = async () => (JSON.parse((await davit('launches', 'list', '--json')).stdout) as unknown[]).length;
    const before = await count();
    const { code, stdout } = await davit(
      'launch',
      'p/exits',
      '--requires',
      'gpu=a100',
      '--dry-run',
      '--',
      '0',
      'two words',
    );
    expect(code).toBe(0);
    expect(stdout).toContain('ann/default would accept it');
    for (const title of ['The launch', 'What the target would be asked to run', 'The queue'])
      expect(stdout).toContain(`\n${title}\n`);
    expect(stdout).toContain(`python main.py 0 'two words'`);
    expect(stdout).toContain('WANDB_API_KEY=(');
    expect(stdout).toContain('lacks gpu=a100');
    expect(JSON.parse((await davit('launch', 'p/exits', '--dry-run', '--json')).stdout)).toMatchObject({
      dryRun: true,
      queue: { accepts: true },
    });
    const unknown = await davit('launch', folder, '--project', 'new', '--dry-run');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('davit job create');
    expect(await count()).toBe(before);
  });
});
