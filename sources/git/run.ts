import { spawn } from 'node:child_process';
import { DavitError } from '../../domain/errors.js';
import { within } from '../../domain/within.js';

export interface GitCall {
  environment: Record<string, string>;
  folder?: string;
  signal: AbortSignal;
  timeoutMs: number;
  /** What git says on its way, as it says it. */
  onLog?: ((text: string) => void) | undefined;
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

/** Makes another error of git's failure. */
export const failedAs =
  (as: (said: string) => Error) =>
  async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw error instanceof GitFailure ? as(error.said) : error;
    }
  };

const missing = 127;

/** Git ends with this process, however that ends: then its standard input ends, and the shell that waits for this kills the group. */
const keeper = `
exec 3<&0
(read -r _ <&3; kill -KILL 0) >/dev/null 2>&1 &
command -v git >/dev/null || exit ${missing}
git "$@" 3<&- </dev/null
code=$?
kill $! 2>/dev/null
exit $code`;

/** Runs git and answers what it printed. Throws `GitFailure`, `git-missing`, or the reason of the signal. */
export const runGit = (args: readonly string[], call: GitCall): Promise<string> =>
  within(call.signal, call.timeoutMs, (stop) => run(args, call, stop));

function run(args: readonly string[], call: GitCall, stop: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    call.signal.throwIfAborted();
    const child = spawn('sh', ['-c', keeper, 'sh', ...args], {
      ...(call.folder === undefined ? {} : { cwd: call.folder }),
      env: call.environment,
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own: git's helpers end with it.
      detached: true,
    });
    child.stdin.on('error', () => undefined);
    const end = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    };
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
    child.once('error', (error) => {
      stop.removeEventListener('abort', end);
      reject(error);
    });
    child.once('close', (code) => {
      stop.removeEventListener('abort', end);
      if (call.signal.aborted) reject(call.signal.reason as Error);
      else if (stop.aborted) reject(new GitFailure(`it took longer than ${call.timeoutMs / 1000} s`, true));
      else if (code === missing) reject(new DavitError('git-missing'));
      else if (code === 0 && out.length < maxOutput) resolve(out);
      else reject(new GitFailure(lastWords(said)));
    });
  });
}

const redirected =
  'the address redirects to another one, which is not followed, as credentials stay with the host they are for: use the address that it leads to (often the same with .git at its end)';

/** The line that says what went wrong, without git's own prefixes. */
function lastWords(said: string): string {
  // All that git says of it.
  if (/(requested URL returned error:|RPC failed; HTTP) 30[1-8]\b/.test(said)) return redirected;
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
