import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { until } from './until.js';

const run = promisify(execFile);
const cacheFolder = () => join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'davit');

/**
 * The Python program of an environment that has these packages. Made once per machine and kept under `name`; test workers that want one at the
 * same time wait for whoever makes it.
 */
export async function pythonWith(name: string, packages: readonly string[]): Promise<string> {
  const folder = join(cacheFolder(), name);
  const python = join(folder, 'bin', 'python');
  const ready = join(folder, '.ok');
  if (existsSync(ready)) return python;
  await mkdir(dirname(folder), { recursive: true });
  return locked(join(dirname(folder), 'lock'), async () => {
    if (existsSync(ready)) return python;
    await rm(folder, { recursive: true, force: true });
    const uv = await run('uv', ['--version']).then(
      () => true,
      () => false,
    );
    if (uv) {
      await run('uv', ['venv', '-q', folder], { timeout: 120_000 });
      await run('uv', ['pip', 'install', '-q', '--python', python, ...packages], { timeout: 600_000 });
    } else {
      await run('python3', ['-m', 'venv', folder], { timeout: 120_000 });
      const pip = ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', ...packages];
      await run(python, pip, { timeout: 600_000 });
    }
    await writeFile(ready, '');
    return python;
  });
}

/** A folder as a lock between processes; one whose holder is dead is taken over. */
async function locked<T>(path: string, work: () => Promise<T>): Promise<T> {
  await until(
    async () => {
      try {
        await mkdir(path);
        await writeFile(join(path, 'pid'), String(process.pid));
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        const pid = Number(await readFile(join(path, 'pid'), 'utf8').catch(() => ''));
        if (pid > 0 && !isAlive(pid)) await rm(path, { recursive: true, force: true });
        return false;
      }
    },
    { what: `the lock ${path}`, ms: 900_000, everyMs: 200 },
  );
  try {
    return await work();
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
