import { createHash } from 'node:crypto';
import { access, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { LaunchError } from '../../domain/errors.js';
import { runGuarded, type RunOptions, type RunResult } from './installer.js';
import { findProgram } from './keeper.js';
import { makeFolder, orUndefined, randomName, replaceFile } from './layout.js';
import { withLock } from './lock.js';
import type { Python } from './python.js';
import { decisiveLine, indexWasUnreachable } from '../../domain/python-requirements.js';

/**
 * A Python environment per set of requirements and interpreter, made once and then shared:
 *
 *   CACHE/HASH/lock            who builds it
 *   CACHE/HASH/RANDOM/         one try; an environment cannot be moved, so it is built where it stays
 *   CACHE/HASH/current.json    the try that succeeded; written last, and what counts
 *
 * Every try has a folder of its own, so that two builders, whatever went wrong with the lock, cannot spoil each other's work.
 */
const currentSchema = z.object({ folder: z.string(), lockSha256: z.string() });

export interface EnvironmentRequest {
  cacheFolder: string;
  lines: readonly string[];
  python: Python;
  /** Where relative paths in the requirements begin. */
  codeFolder: string;
  environment: Record<string, string>;
  signal: AbortSignal;
  onLog(text: string): void;
}

export function environmentHash(lines: readonly string[], python: Python): string {
  const { implementation, version, basePrefix, platform } = python;
  const parts = ['davit environment 1', lines, implementation, version, basePrefix, platform];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

export async function ensureEnvironment(request: EnvironmentRequest): Promise<string> {
  const hash = environmentHash(request.lines, request.python);
  const home = join(request.cacheFolder, hash);
  await makeFolder(home);
  const ready = await findEnvironment(home);
  if (ready) return announce(request, ready, 'is there already');
  const onWait = (): void => request.onLog('Another launch is building the same Python environment; waiting for it.\n');
  return withLock(join(home, 'lock'), request.signal, onWait, async () => {
    const madeMeanwhile = await findEnvironment(home);
    if (madeMeanwhile) return announce(request, madeMeanwhile, 'was built by another launch');
    await removeAbandonedTries(home);
    const folder = join(home, randomName());
    try {
      const lockSha256 = await build(request, folder);
      await replaceFile(join(home, 'current.json'), JSON.stringify({ folder, lockSha256 }));
      return announce(request, { folder, lockSha256 }, 'is built');
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  });
}

function announce(request: EnvironmentRequest, current: z.infer<typeof currentSchema>, how: string): string {
  request.onLog(`The Python environment ${how} (lock ${current.lockSha256.slice(0, 12)}): ${current.folder}\n`);
  return current.folder;
}

async function findEnvironment(home: string): Promise<z.infer<typeof currentSchema> | undefined> {
  const file = join(home, 'current.json');
  const text = await orUndefined(readFile(file, 'utf8'));
  if (text === undefined) return undefined;
  const current = currentSchema.parse(JSON.parse(text));
  try {
    // A link to the interpreter it was made from: it may have been removed or upgraded away.
    await access(join(current.folder, 'bin', 'python'));
  } catch {
    return undefined;
  }
  const now = new Date();
  await orUndefined(utimes(file, now, now));
  return current;
}

async function removeAbandonedTries(home: string): Promise<void> {
  for (const entry of await readdir(home, { withFileTypes: true })) {
    if (entry.isDirectory()) await rm(join(home, entry.name), { recursive: true, force: true });
  }
}

/** Returns the hash of what was installed in the end. */
async function build(request: EnvironmentRequest, folder: string): Promise<string> {
  const options: RunOptions = {
    cwd: request.codeFolder,
    environment: request.environment,
    signal: request.signal,
    onLog: (text) => request.onLog(text),
  };
  const uv = await findProgram('uv', request.environment['PATH'] ?? '');
  if (!uv && !request.python.canMakeVenv) {
    throw new LaunchError(
      'python-missing',
      'prepare',
      `${request.python.executable} (Python ${request.python.version}) lacks venv or ensurepip, and there is no uv; on Debian and Ubuntu install python3-venv.`,
    );
  }
  const { executable, version } = request.python;
  request.onLog(`Building a Python ${version} environment with ${uv ? 'uv' : 'venv and pip'}.\n`);
  const python = join(folder, 'bin', 'python');

  // With pip inside, whoever builds: a script that calls `pip install` must not reach the machine's own packages.
  let made = await runGuarded(
    uv ? [uv, 'venv', '--seed', '--python', executable, folder] : [executable, '-m', 'venv', folder],
    options,
  );
  if (made.code !== 0 && uv) made = await runGuarded([uv, 'venv', '--python', executable, folder], options);
  if (made.code !== 0) {
    throw new LaunchError(
      'prepare-failed',
      'prepare',
      `${executable} could not make an environment: ${decisiveLine(made.output)}.`,
    );
  }

  // Beside the code, since a `-r more.txt` inside is looked for beside the file that names it.
  const wanted = join(request.codeFolder, `.davit-requirements-${randomName()}.txt`);
  try {
    await writeFile(wanted, request.lines.join('\n') + '\n', { mode: 0o600 });
    const installed = await runGuarded(
      uv
        ? [uv, 'pip', 'install', '--python', python, '-r', wanted]
        : [python, '-m', 'pip', 'install', '--progress-bar', 'off', '-r', wanted],
      options,
    );
    if (installed.code !== 0) throw installFailure(installed);
  } finally {
    await rm(wanted, { force: true });
  }

  const quiet: RunOptions = { ...options, onLog: () => undefined };
  const frozen = await runGuarded(
    uv ? [uv, 'pip', 'freeze', '--python', python] : [python, '-m', 'pip', 'freeze', '--all'],
    quiet,
  );
  if (frozen.code !== 0) throw installFailure(frozen);
  await writeFile(join(folder, 'requirements.lock'), frozen.output, { mode: 0o600 });
  return createHash('sha256').update(frozen.output).digest('hex');
}

function installFailure(result: RunResult): LaunchError {
  const line = decisiveLine(result.output);
  return indexWasUnreachable(result.output)
    ? new LaunchError('package-index-unreachable', 'prepare', `The package index could not be reached: ${line}.`)
    : new LaunchError('requirements-failed', 'prepare', `The requirements could not be installed: ${line}.`);
}
