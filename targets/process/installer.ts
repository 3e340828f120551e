import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';

/**
 * Runs a program in a group of its own that ends with the agent: its guard holds the other end of a pipe, and the end of that pipe (the
 * agent let go, or was killed) is the end of the group. Otherwise a killed agent leaves an installer behind that writes into the
 * environment which the next agent is building.
 */
const guard = `
exec 3<&0
(cat <&3 >/dev/null 2>&1; kill -KILL 0) </dev/null >/dev/null 2>&1 &
guard=$!
"$@" </dev/null 3<&-
code=$?
kill -KILL "$guard" 2>/dev/null
exit $code
`;

/** The end of a long output is enough to find the reason in it. */
const keptCharacters = 64 * 1024;

export interface RunOptions {
  cwd: string;
  environment: Record<string, string>;
  signal: AbortSignal;
  onLog(text: string): void;
}

export interface RunResult {
  code: number;
  output: string;
}

export async function runGuarded(command: readonly string[], options: RunOptions): Promise<RunResult> {
  options.signal.throwIfAborted();
  const child = spawn('/bin/sh', ['-c', guard, 'davit-install', ...command], {
    cwd: options.cwd,
    env: options.environment,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  const take = (text: string): void => {
    if (text === '') return;
    output = (output + text).slice(-keptCharacters);
    options.onLog(text);
  };
  for (const stream of [child.stdout, child.stderr]) {
    const decoder = new StringDecoder('utf8');
    stream.on('data', (data: Buffer) => take(decoder.write(data)));
    stream.on('end', () => take(decoder.end()));
  }
  child.stdin.on('error', () => undefined);
  const stop = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  };
  options.signal.addEventListener('abort', stop, { once: true });
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (exitCode) => {
        // The guard's `cat` holds nothing but this pipe: let it go, else its end waits for it.
        child.stdin.destroy();
        child.once('close', () => resolve(exitCode ?? 137));
      });
    });
    options.signal.throwIfAborted();
    return { code, output };
  } finally {
    options.signal.removeEventListener('abort', stop);
    child.stdin.destroy();
  }
}
