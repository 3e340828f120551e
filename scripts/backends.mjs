// What tests need besides this repository, and how it is got. Each answers { ok, what } with a sentence.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, run } from './support.mjs';

export const cacheFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'davit');

/** Clients that the tracking tests drive; a run may name fewer. */
const wandbVersions = (process.env.DAVIT_TEST_WANDB || '0.19.11,0.22.3,0.25.1,0.28.2,0.31.0').split(',');

export async function findBackends(needed) {
  const python = await findPython();
  const found = {};
  // One after the other: two pips at once share a cache and two cores badly.
  if (needed.has('python')) found.python = python;
  if (needed.has('postgres')) found.postgres = await findPostgres();
  if (needed.has('temporal')) found.temporal = await findTemporal();
  if (needed.has('docker')) found.docker = await findDocker();
  if (needed.has('wandb')) found.wandb = python.ok ? await findWandb(python.program) : python;
  return found;
}

export async function findPython() {
  for (const program of ['python3', 'python']) {
    const { code, output } = await run(program, [
      '-c',
      'import sys, venv, ensurepip; print(sys.version.split()[0]); sys.exit(sys.version_info < (3, 8))',
    ]);
    if (code === 0) return { ok: true, program, what: `Python ${output.trim()}` };
  }
  const uv = await run('uv', ['--version']);
  if (uv.code === 0) return { ok: true, program: 'uv', what: uv.output.trim() };
  return { ok: false, what: 'no Python 3.8 or later with venv, and no uv; install python3 and python3-venv' };
}

async function findPostgres() {
  if (process.env.DAVIT_TEST_DATABASE_URL) return { ok: true, what: 'the PostgreSQL of DAVIT_TEST_DATABASE_URL' };
  const module = join(root, 'dist', 'cli', 'stack', 'postgres-programs.js');
  const { findPostgres: find } = await import(pathToFileURL(module).href);
  mkdirSync(cacheFolder, { recursive: true });
  const [first] = await find(process.env, join(cacheFolder, 'postgres-lib'));
  return first
    ? { ok: true, what: `PostgreSQL ${first.version}` }
    : { ok: false, what: 'no PostgreSQL: run npm install without --omit=optional, or install one' };
}

async function findTemporal() {
  const module = join(root, 'dist', 'cli', 'stack', 'temporal-program.js');
  const { findTemporal: find } = await import(pathToFileURL(module).href);
  // Tests start servers of their own, so an address in the environment is no help.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_')));
  try {
    const found = await find({ env, temporalFolder: cacheFolder, say() {}, warn() {} });
    return { ok: true, program: found.program, what: `Temporal ${found.version} (${found.program})` };
  } catch (error) {
    return { ok: false, what: error.message };
  }
}

const dockerPrograms = ['dockerd', 'docker-registry', 'mmdebstrap', 'iptables', 'docker-compose'];

/** The Engine of test/machine/docker-up.sh. Packages are installed by .ci/run or by hand, never by a test run. */
async function findDocker() {
  const script = join('test', 'machine', 'docker-up.sh');
  const byHand = `run ${script} as root on Debian or Ubuntu, which installs and starts one`;
  if (process.getuid?.() !== 0) return { ok: false, what: `no Docker Engine for tests, which takes root: ${byHand}` };
  for (const program of dockerPrograms) {
    const { code } = await run('sh', ['-c', `command -v ${program}`]);
    if (code !== 0) return { ok: false, what: `no ${program} for the Docker Engine of the tests: ${byHand}` };
  }
  console.error('Starting the Docker Engine of the tests …');
  const { code, output } = await run(join(root, script), []);
  if (code !== 0) return { ok: false, what: `${script} failed: ${output.trim().split('\n').at(-1)}` };
  return { ok: true, what: `Docker Engine (${/^DOCKER_HOST=(.*)$/m.exec(output)?.[1]})` };
}

/** A virtual environment for each version, made once and kept in the user's cache. */
async function findWandb(python) {
  if (python === 'uv') return { ok: false, what: 'no python3 to make the environments of the wandb clients with' };
  const missing = [];
  for (const version of wandbVersions) {
    const folder = wandbFolder(version);
    if (existsSync(completeMark(folder))) continue;
    console.error(`Preparing wandb ${version} in ${folder} …`);
    const { code, output } = await makeEnvironment(python, folder, [`wandb==${version}`]);
    if (code !== 0) missing.push(`${version} (${output.trim().split('\n').at(-1)})`);
  }
  if (missing.length > 0) return { ok: false, what: `wandb clients could not be installed: ${missing.join('; ')}` };
  return { ok: true, what: `wandb ${wandbVersions.join(', ')}` };
}

/** Where test/support/wandb-clients.ts looks, with its mark. */
const wandbFolder = (version) => join(cacheFolder, 'wandb-clients', version);

/** Made in place, because its scripts hold its path; marked when whole. */
async function makeEnvironment(python, folder, packages) {
  mkdirSync(dirname(folder), { recursive: true });
  rmSync(folder, { recursive: true, force: true });
  const made = await run(python, ['-m', 'venv', folder]);
  if (made.code !== 0) return made;
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages];
  const installed = await run(join(folder, 'bin', 'python'), pip);
  if (installed.code === 0) writeFileSync(completeMark(folder), '');
  return installed;
}

const completeMark = (folder) => join(folder, '.ok');
