import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from '../scripts/support.mjs';
import { machine, watchLoad } from './lib/machine.mjs';
import { judge, table } from './lib/report.mjs';
import { stopAll } from './lib/stack.mjs';
import { accept } from './measure/accept.mjs';
import { adopt } from './measure/adopt.mjs';
import { build } from './measure/build.mjs';
import { cancel } from './measure/cancel.mjs';
import { deep } from './measure/deep.mjs';
import { follow } from './measure/follow.mjs';
import { full } from './measure/full.mjs';
import { idle } from './measure/idle.mjs';
import { memory } from './measure/memory.mjs';
import { million } from './measure/million.mjs';
import { profile } from './measure/profile.mjs';
import { queues } from './measure/queues.mjs';
import { runsPage } from './measure/runs-page.mjs';
import { tracking } from './measure/tracking.mjs';

const parts = {
  ...{ idle, accept, full, memory, deep, million, queues, cancel, adopt, follow, tracking, build },
  'runs-page': runsPage,
};
/** Not in the run of everything: it changes what it measures. */
const extra = { profile };
const flags = ['--quick', '--strict'];

export async function main(args) {
  const wanted = args.filter((arg) => !arg.startsWith('-'));
  const unknown = args.filter((arg) => !flags.includes(arg) && !(arg in parts) && !(arg in extra));
  if (unknown.length > 0) {
    console.error(
      `bench does not know ${unknown.join(' ')}; it has ${[...Object.keys(parts), ...Object.keys(extra)].join(' ')}, and ${flags.join(' ')}.`,
    );
    return 2;
  }
  const quick = args.includes('--quick');
  const names = wanted.length > 0 ? wanted : Object.keys(parts);
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
    void stopAll().finally(() => process.exit(130));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, interrupt);

  const about = { ...machine(), versions: versions(), quick };
  console.log(`${about.cores} cores, ${about.memoryGiB} GiB, ${about.cpu}, ${about.system}`);
  console.log(
    Object.entries(about.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  );
  if (quick) console.log('--quick: so few of everything that the figures say little.');

  const ranges = JSON.parse(readFileSync(join(root, 'bench', 'ranges.json'), 'utf8'));
  const begunAt = new Date();
  const results = [];
  let broken = 0;
  for (const name of names) {
    const stopWatch = watchLoad();
    const begunAtMs = performance.now();
    try {
      const { rows, detail, notes = [] } = await (parts[name] ?? extra[name])({ quick, named: wanted.length > 0 });
      const load = stopWatch();
      const seconds = (performance.now() - begunAtMs) / 1000;
      const judged = rows.map((row) => ({ ...row, ...judge(row, ranges) }));
      results.push({ name, seconds, load, rows: judged, notes, detail });
      console.log(`\n${name} (${seconds.toFixed(0)} s; ${loadWords(load)})`);
      console.log(table(judged));
      for (const note of notes) console.log(`  ${note}`);
    } catch (error) {
      // What breaks now breaks because it is being ended; the exit is on its way.
      if (interrupted) return new Promise(() => undefined);
      broken++;
      results.push({ name, error: error instanceof Error ? error.message : String(error), load: stopWatch() });
      console.error(`\n${name} broke: ${error instanceof Error ? error.stack : error}`);
    }
    // Parts end what they started; this is for the ones that broke half-way.
    await stopAll();
  }

  const outside = results.flatMap(({ rows = [] }) => rows.filter(({ verdict }) => verdict === 'outside'));
  const file = write({ begunAt, about, results });
  const total = ((Date.now() - begunAt.getTime()) / 1000).toFixed(0);
  console.log(`\n${total} s in all; written to ${file}`);
  const judgedCount = results.flatMap(({ rows = [] }) => rows).filter(({ verdict }) => verdict !== undefined).length;
  if (outside.length > 0) console.log(`Outside of bench/ranges.json: ${outside.map(({ id }) => id).join(', ')}`);
  else if (judgedCount > 0) console.log('Everything is inside of bench/ranges.json.');
  if (broken > 0) return 1;
  return args.includes('--strict') && outside.length > 0 ? 1 : 0;
}

function loadWords({ before, highest, coresBusy, others }) {
  const busy = coresBusy === null ? '' : `, cores ${(coresBusy * 100).toFixed(0)} % busy`;
  const foreign = others === null ? '' : `, other programs used ${others.toFixed(2)} cores`;
  return `load average ${before} before, up to ${highest}${busy}${foreign}`;
}

function versions() {
  const ofPackage = (name) =>
    JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return {
    davit: `${version}${commit()}`,
    node: process.versions.node,
    'temporal SDK': ofPackage('@temporalio/worker'),
  };
}

function commit() {
  try {
    const git = (...args) =>
      execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return ` (${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain') === '' ? '' : ', changed'})`;
  } catch {
    return '';
  }
}

function write({ begunAt, about, results }) {
  const folder = join(root, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${begunAt.toISOString().replaceAll(':', '-').slice(0, 19)}.json`);
  writeFileSync(file, `${JSON.stringify({ at: begunAt.toISOString(), ...about, parts: results }, null, 1)}\n`);
  return relative(root, file);
}
