// Processes that the benchmark starts. Each has a channel to us, so that it ends when we do, however that happens.
import { spawn } from 'node:child_process';
import { root } from '../../scripts/support.mjs';

/** The environment without what a shell may have set for another installation. */
export const cleanEnvironment = (more = {}) => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(DAVIT_|WANDB_|TEMPORAL_|DATABASE_URL$|NODE_OPTIONS$)/.test(name),
    ),
  ),
  DAVIT_SUPERVISOR_PID: String(process.pid),
  ...more,
});

export class Child {
  #output = '';
  #listeners = new Set();
  exited;

  constructor(args, { env = {}, name = args[0] } = {}) {
    this.name = name;
    this.process = spawn(process.execPath, args, {
      cwd: root,
      env: cleanEnvironment(env),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.on('data', (chunk) => {
        this.#output = (this.#output + chunk).slice(-200_000);
        for (const listener of this.#listeners) listener();
      });
    }
    this.exited = new Promise((resolve) => this.process.once('exit', (code, signal) => resolve(code ?? signal)));
  }

  get pid() {
    return this.process.pid;
  }
  get output() {
    return this.#output;
  }

  /** Resolves with what `find` makes of the output so far, as soon as that is something; rejects when the process ends before. */
  async said(find) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = find(this.#output);
        if (found === undefined) return;
        this.#listeners.delete(look);
        resolve(found);
      };
      this.#listeners.add(look);
      look();
      void this.exited.then((code) =>
        reject(new Error(`${this.name} ended (${code}):\n${this.#output.slice(-3_000)}`)),
      );
    });
  }

  /** The next message of this kind; one at a time. */
  async message(kind) {
    return new Promise((resolve, reject) => {
      const listen = (message) => {
        if (message?.kind !== kind) return;
        this.process.off('message', listen);
        resolve(message);
      };
      this.process.on('message', listen);
      void this.exited.then((code) =>
        reject(new Error(`${this.name} ended (${code}):\n${this.#output.slice(-3_000)}`)),
      );
    });
  }

  async stop(signal = 'SIGTERM') {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill(signal);
    return this.exited;
  }
}
