import { spawn, type ChildProcess } from 'node:child_process';
import { supervisorMark } from '../../cli/stack/parent.js';

/** A `davit agent` as somebody starts it in a terminal: nobody starts it again. */
export class HandAgent {
  private output = '';
  readonly exited: Promise<number>;

  constructor(
    readonly name: string,
    command: { program: string; args: string[]; env: NodeJS.ProcessEnv; cwd: string },
  ) {
    const { program, args, env, cwd } = command;
    // The channel ends it when the test runner is killed, as davit up's children end with davit up.
    this.process = spawn(program, args, {
      cwd,
      env: { ...env, [supervisorMark]: String(process.pid) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    for (const stream of [this.process.stdout, this.process.stderr])
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.exited = new Promise((resolve) => this.process.once('close', (code) => resolve(code ?? 128)));
  }

  private readonly process: ChildProcess;

  get pid(): number {
    return this.process.pid ?? 0;
  }
  get isOver(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }
  /** Everything that it wrote. */
  said(): string {
    return this.output;
  }
  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.exited;
  }
  /** As a service manager does it: in order. */
  async stop(): Promise<number> {
    this.process.kill('SIGTERM');
    return this.exited;
  }
}
