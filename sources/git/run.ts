import { spawn } from 'node:child_process';
import { DavitError } from '../../domain/errors.js';

export interface GitCall {
  environment: Record<string, string>;
  folder?: string;
  signal: AbortSignal;
  timeoutMs: number;
  /** What git says on its way, as it says it. */
  onLog?: (text: string) => void;
}

const maxOutput = 4 * 1024 * 1024;

export class GitFailure extends Error {
  override readonly name = 'GitFailure';
  constructor(
    /** What git said last. */
    readonly said: string,
    readonly timedOut = false,
  ) {
    super(said === '' ? 'git failed and said nothing' : said);
  }
}

/** Runs git and answers what it printed. Throws `GitFailure`, `git-missing`, or the reason of the signal. */
export function runGit(args: readonly string[], call: GitCall): Promise<string> {
  return new Promise((resolve, reject) => {
    call.signal.throwIfAborted();
    const time = AbortSignal.timeout(call.timeoutMs);
    const child = spawn('git', args, {
      ...(call.folder === undefined ? {} : { cwd: call.folder }),
      env: call.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: git's helpers end with it.
      detached: true,
    });
    const end = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    };
    const stop = AbortSignal.any([call.signal, time]);
    stop.addEventListener('abort', end, { once: true });
    let out = '';
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (out.length < maxOutput) out += text;
      else end();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-8_000);
      call.onLog?.(text);
    });
    child.once('error', (error: NodeJS.ErrnoException) => {
      stop.removeEventListener('abort', end);
      reject(error.code === 'ENOENT' ? new DavitError('git-missing') : error);
    });
    child.once('close', (code) => {
      stop.removeEventListener('abort', end);
      if (call.signal.aborted) reject(call.signal.reason as Error);
      else if (time.aborted) reject(new GitFailure(`it took longer than ${call.timeoutMs / 1000} s`, true));
      else if (code === 0 && out.length < maxOutput) resolve(out);
      else reject(new GitFailure(lastWords(said)));
    });
  });
}

/** The line that says what went wrong, without git's own prefixes. */
function lastWords(said: string): string {
  const lines = said
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const telling = lines.filter(
    (line) => /^(fatal|error|remote|ssh|ERROR)\b/.test(line) && !/repository exists/.test(line),
  );
  return (telling.length > 0 ? telling : lines.slice(-1))
    .map((line) => line.replace(/^(fatal|error): /, ''))
    .join('; ')
    .slice(0, 500);
}
