import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pythonWith } from './python.js';

/** Versions in the field: the oldest and newest of each way of talking to a server. */
export const wandbVersions = ['0.19.11', '0.22.3', '0.25.1', '0.28.2', '0.31.0'] as const;
export type WandbVersion = (typeof wandbVersions)[number];
export const newestWandb: WandbVersion = '0.31.0';

export const wandbPython = (version: WandbVersion): Promise<string> =>
  pythonWith(join('wandb-clients', version), [`wandb==${version}`]);

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
