import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, davitProgram, DavitUp, newHome, repository } from '../support/davit-up.js';
import { jobFolders } from '../support/launched-jobs.js';
import { PseudoTerminal } from '../support/pseudo-terminal.js';
import { until } from '../support/until.js';

/**
 * The pictures in docs/waiting-and-failing.md, taken from a terminal on a real stack. With DAVIT_WRITE_PICTURES=1 they are written there; else
 * what a reader finds there by (titles, headings of columns, names of facts) must be what the commands print.
 */

const page = join(repository, 'docs', 'waiting-and-failing.md');
const size = { columns: 100, rows: 24 };
const job = `import sys, time
time.sleep(float(sys.argv[1]))
if len(sys.argv) > 2:
    print("RuntimeError: CUDA out of memory", file=sys.stderr)
    sys.exit(int(sys.argv[2]))
`;

const home = newHome();
const jobs = jobFolders();
let up: DavitUp;
beforeAll(async () => {
  await buildProgram();
  const env = { DAVIT_AGENT_NAME: 'box-1' };
  up = await DavitUp.start(home.path, { args: ['--entity', 'vision', '--max-jobs', '2'], env });
});
afterAll(async () => {
  await up.davit(['launches', 'cancel', '--queue', 'gpu', '--yes']);
  await up.stop();
  home.remove();
  jobs.remove();
});

const terminal = (...args: string[]) =>
  PseudoTerminal.start([process.execPath, davitProgram, ...args], {
    env: { ...up.environment(), NO_COLOR: '1' },
    ...size,
  });

async function printed(...args: string[]): Promise<string> {
  const one = terminal(...args);
  await one.exited;
  return [`$ davit ${args.join(' ')}`, one.text()].join('\n');
}

async function seen(ready: RegExp, ...args: string[]): Promise<string> {
  const one = terminal(...args);
  await until(() => ready.test(one.frame().join('\n')), { what: () => one.output, ms: 60_000 });
  one.type('q');
  await one.exited;
  return [`$ davit ${args.join(' ')}`, ...one.frame()].join('\n');
}

async function launch(args: string[], words: string[]): Promise<string> {
  const all = ['launch', 'detector/train', '--queue', 'gpu', '--detach', ...args, '--', ...words];
  const { code, stdout, stderr } = await up.davit(all);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.trim();
}

async function scene(): Promise<{ waiting: string; failed: string }> {
  const set = ['--no-require-run', '--max-running', '8', '--description', 'the A100 machines'];
  await up.davit(['queue', 'create', 'gpu', ...set]);
  await up.davit(['queue', 'create', 'nightly', '--fair']);
  await up.davit(['queue', 'pause', 'nightly', '--reason', 'new disks until noon']);
  await up.davit(['job', 'create', jobs.make({ 'train.py': job }), '--name', 'train', '--project', 'detector']);
  const past = [];
  for (let i = 0; i < 6; i++) past.push(await launch([], ['1']));
  const failed = await launch(['--retry', 'exit:1=1', '--retry-backoff', '1s'], ['0.5', '1']);
  for (const id of [...past, failed]) await up.davit(['launches', 'watch', id]);
  for (let i = 0; i < 2; i++) await launch([], ['600']);
  const running = async () => (await up.davit(['launches', 'list', '--state', 'running'])).stdout.match(/running/g);
  await until(async () => (await running())?.length === 2);
  await launch(['--priority', 'high'], ['30']);
  const waiting = await launch(['--project', 'sandbox'], ['30']);
  await launch(['--requires', 'gpu=a100'], ['30']);
  const held = await launch([], ['30']);
  await launch(['--priority', 'low'], ['30']);
  await up.davit(['launches', 'hold', held, '--reason', 'wait for the new data']);
  return { waiting, failed };
}

/** Terminal text as a block: no blanks at the ends of lines, no empty lines at the ends, at most one between. */
const block = (text: string): string =>
  [
    '```text',
    text
      .replace(/[ \t]+$/gm, '')
      .replace(/\n{3,}/g, '\n\n')
      .trim(),
    '```',
  ].join('\n');

const pattern = (name: string) => new RegExp(`<!-- picture: ${name} -->\\n(?:\\n\`\`\`text\\n[^]*?\\n\`\`\`\\n)?`);

/** What a reader finds things by: titles, headings of columns, names of facts. */
function headings(text: string): string[] {
  const lines = text.split('\n').slice(1);
  const columns = lines.flatMap((line) =>
    /^ *(#|[A-Z]{4,}) +[A-Z/]{2,}/.test(line) ? line.trim().split(/ {2,}/) : [],
  );
  const titles = lines.filter((line) => /^[A-Z][a-z' ]+( \(UTC\))?$/.test(line));
  const facts = lines.flatMap((line) => /^ {2}([a-z][a-z -]{1,9}[a-z]) {2,}\S/.exec(line)?.[1] ?? []);
  return [...new Set([...columns, ...titles, ...facts])].sort();
}

test('the pictures in the page are what the commands show', async () => {
  const { waiting, failed } = await scene();
  const pictures: Record<string, string> = {
    'all queues': await seen(/nightly +paused/, 'queue', 'top'),
    'one queue': await seen(/1 +high .*(\.\.|<)/, 'queue', 'top', 'gpu'),
    'dry run': await printed(
      ...[
        'launch',
        'detector/train:latest',
        '--queue',
        'gpu',
        '--priority',
        'high',
        '--retry',
        'preempted=5,exit:137=1',
      ],
      ...['--timeout', 'run=2h,start=10m', '--dry-run', '--', '30'],
    ),
    waiting: await printed('launches', 'show', waiting),
    failed: await printed('launches', 'show', failed),
  };
  let text = readFileSync(page, 'utf8');
  for (const [name, picture] of Object.entries(pictures)) {
    const written = pattern(name).exec(text)?.[0];
    expect(written, `the page has a place for "${name}"`).toBeDefined();
    const next = `<!-- picture: ${name} -->\n\n${block(picture)}\n`;
    if (process.env['DAVIT_WRITE_PICTURES'] === '1') text = text.replace(pattern(name), () => next);
    else {
      expect(headings(next).length, `headings of "${name}"`).toBeGreaterThan(3);
      expect(headings(written ?? '')).toEqual(headings(next));
    }
  }
  if (process.env['DAVIT_WRITE_PICTURES'] === '1') writeFileSync(page, text);
});
