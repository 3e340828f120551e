import { spawn, type ChildProcess } from 'node:child_process';

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

/** Scripts of a test that failed or was given up must not outlive its process. */
const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Starts a program and keeps what it prints; its environment is nothing but what is given. */
export function startPython(
  program: string,
  args: readonly string[],
  options: { folder: string; env: Record<string, string>; onEnd?: () => Promise<void> },
): RunningPython {
  const child = spawn(program, args, { cwd: options.folder, stdio: ['ignore', 'pipe', 'pipe'], env: options.env });
  children.add(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      children.delete(child);
      resolve(code);
    });
  });
  const done = ended.then(async (code) => {
    await options.onEnd?.();
    return { code, output, complaints: complaintsIn(output) };
  });
  return { pid: child.pid ?? 0, output: () => output, kill: (signal) => child.kill(signal), done };
}

/** What a client's environment is made of: nothing of this machine's wandb settings, all of its state in one folder. */
export const wandbEnvironment = (folder: string, api: { url: string; key: string }): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  HOME: folder,
  WANDB_DIR: folder,
  WANDB_BASE_URL: api.url,
  WANDB_API_KEY: api.key,
  WANDB_ERROR_REPORTING: 'false',
  // Every line of a run shorter than 15 s would otherwise come in one request.
  WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL: '1',
  PYTHONUNBUFFERED: '1',
});

/** What the command line of 0.19 says of itself whenever it is called. */
const ofTheClientItself = 'Using legacy-service';

function complaintsIn(output: string): string[] {
  const complaint = /\b(WARN(ING)?|ERROR|Traceback|Error|retrying|HTTP \d{3})\b/i;
  return output.split('\n').filter((line) => complaint.test(line) && !line.includes(ofTheClientItself));
}
