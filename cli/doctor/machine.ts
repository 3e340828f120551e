import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { onPath } from '../stack/find-program.js';
import { lockHolder } from '../stack/lock.js';
import type { Home } from '../stack/home.js';
import { portOwner } from '../stack/port-owner.js';
import { isFree, readPorts } from '../stack/ports.js';
import { run } from '../stack/run.js';
import { missing, note, ok, reasonOf } from './check.js';
import type { Check } from './check.js';

/** What the machine must bring: Node, Python for the jobs, a folder to write to, ports. */

export function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isGood = major > 20 || (major === 20 && minor >= 3);
  if (isGood) return ok('node', `Node ${process.versions.node}`);
  return missing(
    'node',
    `Node ${process.versions.node} is too old`,
    'Install Node 20.3 or later from https://nodejs.org.',
  );
}

export async function checkPython(env: NodeJS.ProcessEnv): Promise<Check[]> {
  const uv = onPath('uv', env)[0];
  const python = onPath('python3', env)[0] ?? onPath('python', env)[0];
  const uvCheck = uv === undefined ? [] : [ok('uv', `${uv}: environments of jobs are made with it`)];
  if (python === undefined) {
    if (uv !== undefined) return [note('python', 'no python3 on PATH; uv brings its own'), ...uvCheck];
    const fix = 'Install Python 3 with venv (Debian: apt install python3-venv), or uv (https://docs.astral.sh/uv).';
    return [missing('python', 'no python3 on PATH, and no uv', fix)];
  }
  const program = { command: python, args: ['-c', 'import sys, venv, ensurepip; print(sys.version.split()[0])'], env };
  const { code, stdout } = await run(program, { timeoutMs: 20_000 });
  if (code === 0) return [ok('python', `${python} ${stdout.trim()}, with venv`), ...uvCheck];
  if (uv !== undefined) return [note('python', `${python} has no venv; uv is used`), ...uvCheck];
  const fix = 'Install its venv (Debian: apt install python3-venv), or uv (https://docs.astral.sh/uv).';
  return [missing('python', `${python} cannot make environments: venv or ensurepip is missing`, fix)];
}

const littleSpaceBytes = 2 * 1024 ** 3;

export function checkFolder(home: Home): Check[] {
  const fix = 'Give DAVIT_HOME a folder that you own.';
  // What does not exist yet is made by the first start: then its nearest ancestor has to let us.
  let there = home.root;
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  try {
    accessSync(there, constants.W_OK | constants.X_OK);
  } catch (error) {
    return [missing('data folder', `${home.root} cannot be written: ${reasonOf(error)}`, fix)];
  }
  const fresh = there === home.root ? '' : ' (made at the first start)';
  const { bavail, bsize } = statfsSync(there);
  const free = bavail * bsize;
  const space = `${(free / 1024 ** 3).toFixed(1)} GiB free`;
  if (free >= littleSpaceBytes) return [ok('data folder', `${home.root}${fresh}, ${space}`)];
  return [
    ok('data folder', `${home.root}${fresh}`),
    note('disk space', `only ${space} there; environments of jobs take some hundred MB each`),
  ];
}

const defaults = { api: 8080, temporal: 7233, temporalUi: 8233 } as const;

export async function checkPorts(home: Home): Promise<Check[]> {
  const kept = readPorts(home.run);
  const isRunning = lockHolder(home.run) !== null;
  const checks: Check[] = [];
  for (const name of ['api', 'temporal', 'temporalUi'] as const) {
    const port = kept?.[name] ?? defaults[name];
    if (isRunning) checks.push(ok(`port ${name}`, `${port}, used by the running stack`));
    else if (await isFree(port)) checks.push(ok(`port ${name}`, `${port} is free`));
    else {
      const owner = portOwner(port);
      const who = owner === null ? '' : ` by ${owner.program} (process ${owner.pid})`;
      checks.push(note(`port ${name}`, `${port} is taken${who}; another one will be found`));
    }
  }
  return checks;
}
