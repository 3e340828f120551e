import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { JobPlan } from '../../domain/job-plan.js';
import { until } from '../support/until.js';

/** An agent in a process, and a process group, of its own (process-agent.mjs). */
export class AgentProcess {
  readonly lines: string[] = [];
  private readonly child: ChildProcess;
  private readonly exited: Promise<void>;

  constructor(
    built: string,
    workFolder: string,
    action: 'submit' | 'prepare',
    input: { plan: JobPlan; times?: number; code?: string },
    hostEnvironment: Record<string, string> = {},
  ) {
    const script = join(import.meta.dirname, 'process-agent.mjs');
    this.child = spawn(
      process.execPath,
      [script, built, workFolder, action, JSON.stringify(input), JSON.stringify(hostEnvironment)],
      { detached: true, stdio: ['pipe', 'pipe', 'inherit'] },
    );
    this.exited = new Promise((resolve) => this.child.once('exit', () => resolve()));
    if (this.child.stdout) createInterface({ input: this.child.stdout }).on('line', (line) => this.lines.push(line));
    this.child.stdin?.on('error', () => undefined);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async ready(): Promise<this> {
    await until(() => this.lines.includes('ready'), { what: 'an agent process' });
    return this;
  }

  go(): void {
    this.child.stdin?.write('go\n');
  }

  async answer(): Promise<unknown> {
    const line = await until(() => this.lines.find((each) => each.startsWith('{"answer"')), {
      what: 'its answer',
      ms: 90_000,
    });
    return (JSON.parse(line) as { answer: unknown }).answer;
  }

  /** With its whole group, as a terminal or a supervisor would. */
  async kill9(): Promise<void> {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
    await this.exited;
  }
}
