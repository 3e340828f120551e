import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRecords } from '../../../cli/stack/child-record.js';
import { LineSplitter } from '../../../cli/stack/line-splitter.js';
import type { Ports } from '../../../cli/stack/ports.js';
import { begunOf } from '../../../cli/stack/process-identity.js';

export interface Up {
  databaseUrl: string;
  temporalAddress: string;
  temporalUiUrl: string | null;
  temporalSource: string;
  apiPort: number;
  startedInMs: number;
  ports: Ports;
}

interface Said {
  up?: Up;
  failed?: { code: string | null; message: string };
  event?: string;
  part?: string;
  message?: string;
}

/** A new data folder; `remove` it when everything in it has ended. */
export function temporaryHome(): { path: string; remove(): void } {
  const path = mkdtempSync(join(realpathSync(tmpdir()), 'davit-stack-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }) };
}

/** A `davit up` in a process of its own. */
export class UpProcess {
  readonly said: Said[] = [];
  readonly exited: Promise<number | null>;
  readonly #process: ChildProcess;

  constructor(program: string, home: string, ports: Partial<Ports> = {}, env: NodeJS.ProcessEnv = process.env) {
    const args = Object.entries(ports).map(([name, port]) => `${name}=${port}`);
    this.#process = spawn(process.execPath, [program, home, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = new LineSplitter((line) => this.said.push(JSON.parse(line) as Said));
    this.#process.stdout?.on('data', (chunk: Buffer) => lines.push(chunk));
    this.exited = new Promise((resolve) => this.#process.once('close', resolve));
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** What it says once it is up, or once it has failed. */
  async outcome(): Promise<Said> {
    for (;;) {
      const end = this.said.find((said) => said.up !== undefined || said.failed !== undefined);
      if (end !== undefined) return end;
      const over = await Promise.race([this.exited.then(() => true), tick().then(() => false)]);
      if (over && !this.said.some((said) => said.up !== undefined || said.failed !== undefined)) {
        throw new Error(`it ended without a word of its outcome: ${JSON.stringify(this.said)}`);
      }
    }
  }

  async up(): Promise<Up> {
    const { up, failed } = await this.outcome();
    if (up === undefined) throw new Error(`it did not come up: ${failed?.code ?? ''} ${failed?.message ?? ''}`);
    return up;
  }

  async stop(): Promise<number | null> {
    this.#process.kill('SIGTERM');
    return this.exited;
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.exited;
  }
}

const tick = () => new Promise((resolve) => setTimeout(resolve, 20));

/** The pid on record for a part, when that process lives. */
export function livingPid(runFolder: string, name: string): number | null {
  const record = readRecords(runFolder).find((each) => each.name === name)?.process ?? null;
  return record !== null && begunOf(record.pid) === record.begun ? record.pid : null;
}
