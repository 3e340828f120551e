import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDavitClient } from '../../client/index.js';
import type { DavitClient } from '../../client/index.js';
import { readRecords } from '../../cli/stack/child-record.js';
import { freePort } from './free-port.mjs';

export const repository = join(import.meta.dirname, '..', '..');
export const davitProgram = join(repository, 'dist', 'cli', 'main.js');

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Builds dist/ when it is older than the sources: what is tested is the program that users get. */
export async function buildProgram(): Promise<void> {
  const { code, stderr } = await execute(process.execPath, [join(repository, 'scripts', 'build.mjs')], {
    timeoutMs: 600_000,
  });
  if (code !== 0) throw new Error(`the build failed: ${stderr}`);
}

/** The environment without what a developer's shell may have set for another installation. */
export const cleanEnvironment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(DAVIT_|WANDB_|TEMPORAL_|DATABASE_URL$|FORCE_COLOR$|NO_COLOR$|VITEST|NODE_ENV$)/.test(name),
    ),
  ),
  ...more,
});

export function execute(
  program: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; timeoutMs?: number } = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const { env = cleanEnvironment(), cwd = repository, timeoutMs = 120_000 } = options;
    execFile(program, args, { env, cwd, timeout: timeoutMs, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 128;
      resolve({ code, stdout, stderr });
    });
  });
}

/** Settings with ports that are free. Tests run beside each other, and two that begin at once would both choose the default ones. */
export async function freePorts(): Promise<NodeJS.ProcessEnv> {
  const names = ['DAVIT_PORT', 'DAVIT_TEMPORAL_PORT', 'DAVIT_TEMPORAL_UI_PORT', 'DAVIT_POSTGRES_PORT'];
  const settings: NodeJS.ProcessEnv = {};
  for (const name of names) settings[name] = String(await freePort());
  return settings;
}

/** A new data folder below the temporary folder. */
export function newHome(): { path: string; remove(): void } {
  const path = mkdtempSync(join(realpathSync(tmpdir()), 'davit-home-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }) };
}

/** A running `davit up`, as a user starts it. */
export class DavitUp {
  #output = '';
  readonly exited: Promise<number>;
  url = '';
  key = '';

  private constructor(
    readonly home: string,
    readonly process: ChildProcess,
  ) {
    for (const stream of [process.stdout, process.stderr])
      stream?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    // With its last words: what it wrote may come after it has ended.
    this.exited = new Promise((resolve) => process.once('close', (code) => resolve(code ?? 128)));
  }

  /** Resolves when it is ready; fails with what it printed. */
  static async start(home: string, options: { args?: string[]; env?: NodeJS.ProcessEnv } = {}): Promise<DavitUp> {
    const ports = existsSync(join(home, 'run', 'ports.json')) ? {} : await freePorts();
    const child = spawn(process.execPath, [davitProgram, 'up', '--json', ...(options.args ?? [])], {
      env: cleanEnvironment({ DAVIT_HOME: home, ...ports, ...options.env }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const up = new DavitUp(home, child);
    const ready = new Promise<boolean>((resolve) => {
      child.stdout.on('data', () => {
        if (up.events().some(({ kind }) => kind === 'up')) resolve(true);
      });
    });
    if (!(await Promise.race([ready, up.exited.then(() => false)]))) throw new Error(`davit up ended: ${up.#output}`);
    up.url = String(up.events().find(({ kind }) => kind === 'up')?.['url']);
    up.key = readFileSync(join(home, 'keys', 'admin'), 'utf8').trim();
    return up;
  }

  /** What it said, whole lines only. */
  events(): Record<string, unknown>[] {
    return this.#output
      .split('\n')
      .slice(0, -1)
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []));
  }

  /** The environment of a shell after `eval "$(davit env)"`. */
  environment(): NodeJS.ProcessEnv {
    const both = { DAVIT_URL: this.url, DAVIT_API_KEY: this.key, WANDB_BASE_URL: this.url, WANDB_API_KEY: this.key };
    return cleanEnvironment({ DAVIT_HOME: this.home, ...both });
  }

  get client(): DavitClient {
    return createDavitClient({ baseUrl: this.url, apiKey: this.key });
  }

  davit(args: string[], options: { env?: NodeJS.ProcessEnv; cwd?: string; timeoutMs?: number } = {}): Promise<Ran> {
    return execute(process.execPath, [davitProgram, ...args], {
      ...options,
      env: { ...this.environment(), ...options.env },
    });
  }

  /** The process of a part: server, worker, agent, temporal, postgres. */
  pidOf(part: string): number {
    const pid = readRecords(join(this.home, 'run')).find(({ name }) => name === part)?.process?.pid;
    if (pid === undefined) throw new Error(`no process is recorded for ${part}`);
    return pid;
  }

  async stop(): Promise<number> {
    if (this.process.exitCode === null) this.process.kill('SIGTERM');
    return this.exited;
  }
}
