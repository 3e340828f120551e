// npm run build: TypeScript to dist/, then the bundle of the workflow code. Does nothing when nothing changed.
// With --unchecked it gives the same files without looking at types, of which npm run check and every build of a developer take care.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { programOf, root, run } from './support.mjs';

const dist = join(root, 'dist');
const sources = [
  'domain',
  'workflows',
  'activities',
  'builders',
  'sources',
  'targets',
  'workers',
  'store',
  'telemetry',
  'api',
  'client',
  'cli',
];
const notesFile = join(dist, '.built.json');
const lockFile = join(dist, '.building');

/** @param {{ unchecked?: boolean }} [options] */
export async function build({ unchecked = false } = {}) {
  mkdirSync(dist, { recursive: true });
  await takeTurn();
  try {
    return await buildInTurn(unchecked ? 'tsconfig.unchecked.json' : 'tsconfig.build.json');
  } finally {
    rmSync(lockFile, { force: true });
  }
}

async function buildInTurn(config) {
  const notes = readNotes();
  const begunAtMs = Date.now();
  const done = [];

  const files = sources.flatMap((folder) => filesIn(join(root, folder)));
  const code = files.filter((file) => file.endsWith('.ts'));
  const typescript = digest([
    ...code,
    join(root, 'tsconfig.json'),
    join(root, config),
    join(root, 'package-lock.json'),
  ]);
  if (notes.typescript !== typescript || !existsSync(join(dist, 'cli', 'main.js'))) {
    const { code: exitCode, output } = await run(process.execPath, [programOf('typescript', 'tsc'), '-p', config]);
    if (exitCode !== 0) {
      process.stderr.write(output);
      throw new Error('TypeScript found errors');
    }
    removeOrphans(code);
    done.push('code');
  }
  for (const file of files) if (isAsset(file) && copyIfNewer(file)) done.push(relative(root, file));
  const main = join(dist, 'cli', 'main.js');
  if (existsSync(main)) chmodSync(main, 0o755);

  const bundle = await bundleWorkflows(notes.bundle);
  if (bundle.made) done.push('workflow bundle');
  writeWhole(notesFile, JSON.stringify({ typescript, bundle: bundle.digest }));
  return { done, seconds: (Date.now() - begunAtMs) / 1000 };
}

/** Of its content, not of its dates: a rebuild without a change keeps the bundle, so workers keep their workflow code. */
async function bundleWorkflows(before) {
  const entry = join(dist, 'workflows', 'index.js');
  const target = join(dist, 'workflow-bundle.js');
  if (!existsSync(entry)) return { made: false, digest: undefined };
  const inputs = ['workflows', 'domain']
    .flatMap((folder) => filesIn(join(dist, folder)))
    .filter((file) => file.endsWith('.js'));
  // Evaluated once per worker thread instead of once per workflow, where it costs time and stays in memory. Only what holds no state.
  const preloadModules = [join(root, 'node_modules', 'zod'), join(dist, 'domain', 'launch-request.js')];
  const hash = createHash('sha256').update(readFileSync(join(root, 'node_modules/@temporalio/worker/package.json')));
  for (const name of preloadModules) hash.update(relative(root, name));
  for (const file of inputs) hash.update(relative(dist, file)).update(readFileSync(file));
  const now = hash.digest('hex');
  if (now === before && existsSync(target)) return { made: false, digest: now };
  const { bundleWorkflowCode } = await import(
    pathToFileURL(join(root, 'node_modules/@temporalio/worker/lib/index.js')).href
  );
  const said = [];
  const say = (level) => (message) => said.push(`${level}: ${message}`);
  const logger = { log: say('log'), trace() {}, debug() {}, info() {}, warn: say('warn'), error: say('error') };
  const { code } = await bundleWorkflowCode({ workflowsPath: entry, logger, preloadModules }).catch((error) => {
    process.stderr.write(`${said.join('\n')}\n`);
    throw error;
  });
  writeWhole(target, code);
  return { made: true, digest: now };
}

/** Two builds at once (a test run beside a quickstart) would write into each other's files. */
async function takeTurn() {
  for (;;) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!isAlive(Number(readIfThere(lockFile)))) rmSync(lockFile, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function isAlive(pid) {
  // An empty file is one that is being written at this moment.
  if (!Number.isInteger(pid) || pid <= 0)
    return Date.now() - (statSync(lockFile, { throwIfNoEntry: false })?.mtimeMs ?? 0) < 1_000;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesIn(path) : [path];
    });
}

function digest(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

/** What the code reads beside itself: SQL, schemas, small programs. */
const isAsset = (file) => !/\.(d\.ts|ts|md|map)$/.test(file);

function copyIfNewer(file) {
  const target = join(dist, relative(root, file));
  const there = statSync(target, { throwIfNoEntry: false });
  const source = statSync(file);
  if (there && there.mtimeMs >= source.mtimeMs && there.size === source.size) return false;
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(file, target);
  return true;
}

/** What was built of a file that is gone must not be found any more. */
function removeOrphans(code) {
  const wanted = new Set(code.map((file) => relative(root, file).replace(/\.ts$/, '')));
  for (const folder of sources) {
    for (const file of filesIn(join(dist, folder))) {
      const name = relative(dist, file);
      if (/\.js(\.map)?$/.test(name) && !wanted.has(name.replace(/\.js(\.map)?$/, ''))) rmSync(file);
    }
  }
}

function readNotes() {
  try {
    return JSON.parse(readFileSync(notesFile, 'utf8'));
  } catch {
    return {};
  }
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function writeWhole(file, text) {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    const { done, seconds } = await build({ unchecked: process.argv.includes('--unchecked') });
    console.log(done.length === 0 ? 'nothing to build' : `built ${done.join(', ')} in ${seconds.toFixed(1)} s`);
  } catch (error) {
    console.error(`build failed: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
