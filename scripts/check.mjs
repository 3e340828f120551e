// npm run check: everything that can be said about the code without running it. Needs no backend.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages, needNode, programOf, root, run } from './support.mjs';

needNode();
installPackages();

const folders = [
  'domain',
  'workflows',
  'activities',
  'sources',
  'targets',
  'builders',
  'workers',
  'store',
  'telemetry',
  'api',
  'client',
  'cli',
  'test',
  'bench',
];
const there = folders.filter((folder) => existsSync(join(root, folder)));

const checks = [
  {
    name: 'types',
    args: [
      programOf('typescript', 'tsc'),
      '-p',
      'tsconfig.json',
      '--incremental',
      '--tsBuildInfoFile',
      'dist/.check.tsbuildinfo',
    ],
  },
  {
    name: 'lint',
    args: [programOf('eslint'), '--max-warnings', '0', '--cache', '--cache-location', 'dist/.eslintcache', '.'],
  },
  { name: 'format', args: [programOf('prettier'), '--check', '--cache', '--log-level', 'warn', '.'] },
  {
    name: 'arrows',
    args: [
      programOf('dependency-cruiser', 'depcruise'),
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'err',
      ...there,
    ],
  },
  { name: 'unused', args: [programOf('knip'), '--no-progress'] },
];

// The two long ones first; two at a time, because most machines that run this have few cores.
const waiting = [...checks];
const failed = [];
async function work() {
  for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
    const begunAtMs = Date.now();
    const { code, output } = await run(process.execPath, check.args, {
      env: { ...process.env, FORCE_COLOR: process.stdout.isTTY ? '1' : '0' },
    });
    console.log(
      `${code === 0 ? 'ok    ' : 'FAILED'}  ${check.name.padEnd(7)} ${((Date.now() - begunAtMs) / 1000).toFixed(1)} s`,
    );
    if (code !== 0) {
      failed.push(check.name);
      console.log(output.trimEnd());
    }
  }
}
await Promise.all([work(), work()]);

if (failed.length > 0) {
  console.log(`check failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
