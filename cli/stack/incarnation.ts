import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { supervisorMark } from './parent.js';
import { LineSplitter } from './line-splitter.js';
import type { StopStep } from './process-identity.js';

export interface Program {
  command: string;
  args: readonly string[];
  /** The command line that `ps` shows in the end, where the command becomes another program. */
  shownAs?: string;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** True for our own Node programs: they get a channel whose end tells them that the supervisor is gone. */
  channel?: boolean;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Why it could not even be started. */
  error: Error | null;
}

/** How long output may still trickle in after the process ended: a grandchild may hold the pipe for ever. */
const drainMs = 500;

/** One life of a child process. */
export class Incarnation {
  readonly exited: Promise<Exit>;
  readonly begunAtMs = Date.now();
  readonly #child: ChildProcess;

  constructor(program: Program, onLine: (line: string) => void) {
    const env = { ...program.env, ...(program.channel === true ? { [supervisorMark]: String(process.pid) } : {}) };
    this.#child = spawn(program.command, program.args, {
      // A session of its own: a Ctrl-C in the terminal reaches the supervisor alone, which then stops in order.
      detached: true,
      stdio: program.channel === true ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
      env,
      ...(program.cwd === undefined ? {} : { cwd: program.cwd }),
      ...(program.uid === undefined ? {} : { uid: program.uid }),
      ...(program.gid === undefined ? {} : { gid: program.gid }),
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      const splitter = new LineSplitter(onLine);
      stream?.on('data', (chunk: Buffer) => splitter.push(chunk));
      stream?.on('end', () => splitter.end());
      stream?.on('error', () => splitter.end());
    }
    this.exited = this.#watchExit();
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** Signals the process itself, never its group: jobs below an agent are not the supervisor's to end. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async stop(steps: readonly StopStep[]): Promise<Exit> {
    for (const step of steps) {
      this.signal(step.signal);
      const exit = await within(this.exited, step.graceMs);
      if (exit !== null) return exit;
    }
    return this.exited;
  }

  #watchExit(): Promise<Exit> {
    return new Promise((resolve) => {
      this.#child.once('error', (error) => {
        // 'error' also reports a signal that could not be sent; only a child without a pid was never started.
        if (this.#child.pid === undefined) resolve({ code: null, signal: null, error });
      });
      this.#child.once('exit', (code, signal) => {
        const done = () => resolve({ code, signal, error: null });
        const timer = setTimeout(done, drainMs);
        this.#child.once('close', () => {
          clearTimeout(timer);
          done();
        });
      });
    });
  }
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const timeOut = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  try {
    return await Promise.race([promise, timeOut]);
  } finally {
    clearTimeout(timer);
  }
}

export function describeExit(exit: Exit): string {
  if (exit.error !== null) return `could not be started (${exit.error.message})`;
  if (exit.signal !== null) return `was ended by ${exit.signal}`;
  return `ended with exit code ${exit.code ?? 'unknown'}`;
}
