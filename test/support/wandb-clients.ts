import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from './until.js';

/** Versions in the field: the oldest and newest of each way of talking to a server. */
export const wandbVersions = ['0.19.11', '0.22.3', '0.25.1', '0.28.2', '0.31.0'] as const;
export type WandbVersion = (typeof wandbVersions)[number];
export const newestWandb: WandbVersion = '0.31.0';

const run = promisify(execFile);
const cacheFolder = () => join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'davit', 'wandb-clients');

/**
 * The Python program of an environment that has this version of wandb. Made once per machine and kept; test workers that want the same one
 * at once wait for whoever makes it.
 */
export async function wandbPython(version: WandbVersion): Promise<string> {
  const folder = join(cacheFolder(), version);
  const python = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const ready = join(folder, '.ok');
  if (existsSync(ready)) return python;
  await mkdir(cacheFolder(), { recursive: true });
  return locked(join(cacheFolder(), 'lock'), async () => {
    if (existsSync(ready)) return python;
    await rm(folder, { recursive: true, force: true });
    const uv = await run('uv', ['--version']).then(
      () => true,
      () => false,
    );
    if (uv) {
      await run('uv', ['venv', '-q', folder], { timeout: 120_000 });
      await run('uv', ['pip', 'install', '-q', '--python', python, `wandb==${version}`], { timeout: 600_000 });
    } else {
      await run('python3', ['-m', 'venv', folder], { timeout: 120_000 });
      const pip = ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', `wandb==${version}`];
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

/** Scripts of a test that failed or was given up must not outlive its process. */
const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

export interface PythonResult {
  code: number | null;
  /** stdout and stderr as they came. */
  output: string;
  /** Lines that complain: what a user would ask about. */
  complaints: string[];
}

export interface RunningPython {
  pid: number;
  output(): string;
  kill(signal: NodeJS.Signals): void;
  done: Promise<PythonResult>;
}

/** Runs a script with a real client, in a folder of its own, with nothing of this machine's wandb settings. */
export async function startWandbScript(
  version: WandbVersion,
  script: string,
  api: { url: string; key: string },
  environment: Record<string, string> = {},
): Promise<RunningPython> {
  const python = await wandbPython(version);
  const folder = await mkdtemp(join(tmpdir(), 'davit-test-script-'));
  await writeFile(join(folder, 'train.py'), script);
  const child = spawn(python, ['train.py'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      WANDB_DIR: folder,
      WANDB_BASE_URL: api.url,
      WANDB_API_KEY: api.key,
      WANDB_ERROR_REPORTING: 'false',
      // Every line of a run shorter than 15 s would otherwise come in one request.
      WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL: '1',
      PYTHONUNBUFFERED: '1',
      ...environment,
    },
  });
  children.add(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const done = new Promise<PythonResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      children.delete(child);
      void rm(folder, { recursive: true, force: true, maxRetries: 3 }).then(() =>
        resolve({ code, output, complaints: complaintsIn(output) }),
      );
    });
  });
  return { pid: child.pid ?? 0, output: () => output, kill: (signal) => child.kill(signal), done };
}

export const runWandbScript = async (...args: Parameters<typeof startWandbScript>): Promise<PythonResult> =>
  (await startWandbScript(...args)).done;

function complaintsIn(output: string): string[] {
  return output.split('\n').filter((line) => /\b(WARN(ING)?|ERROR|Traceback|Error|retrying|HTTP \d{3})\b/i.test(line));
}
