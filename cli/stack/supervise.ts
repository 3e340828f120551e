import { join } from 'node:path';
import type { Logger } from 'pino';
import { DavitError } from '../../domain/errors.js';
import { within } from '../../domain/within.js';
import { removeRecord, writeRecord } from './child-record.js';
import { describeExit, Incarnation } from './incarnation.js';
import type { Program } from './incarnation.js';
import { LogFile } from './log-file.js';
import { begunOf } from './process-identity.js';
import type { StopStep } from './process-identity.js';
import { restartDelayMs } from './restart-delay.js';

export interface ChildSpec {
  name: string;
  /** Asked anew at every start, because the answer may change: a stale file, a port. */
  program: () => Program | Promise<Program>;
  /** One look: resolves when the child serves, rejects while it does not. Absent: running is ready. */
  probe?: (signal: AbortSignal) => Promise<unknown>;
  readyTimeoutMs?: number;
  stopSteps?: readonly StopStep[];
  /** With this exit code the child has ended for good: it is not started again. */
  finalExitCode?: number;
  /** For the record only. */
  port?: number;
  /** Each line of output, besides its log file. */
  onLine?: (line: string) => void;
}

export type ChildState = 'starting' | 'ready' | 'waiting' | 'stopping' | 'stopped';

export interface ChildStatus {
  name: string;
  state: ChildState;
  pid: number | null;
  restarts: number;
}

export type ChildEvent =
  | { kind: 'starting' | 'ready' | 'stopping' | 'stopped'; part: string; message: string }
  | { kind: 'died'; part: string; message: string; lastLines: string[]; delayMs: number | null };

export interface SupervisorOptions {
  runFolder: string;
  logFolder: string;
  log: Logger;
  onEvent?: (event: ChildEvent) => void;
}

const defaultStopSteps: readonly StopStep[] = [
  { signal: 'SIGTERM', graceMs: 15_000 },
  { signal: 'SIGKILL', graceMs: 5_000 },
];
const probeEveryMs = 50;
const probeTimeoutMs = 3_000;
const defaultReadyTimeoutMs = 60_000;
const keptLines = 20;
/** A child that dies this often before it was ever ready will not come up by itself: the start fails and says why. */
const firstStartAttempts = 5;

/** Keeps named children alive, in order: each is ready before the next starts, and they stop the other way round. */
export class Supervisor {
  readonly #children: SupervisedChild[] = [];
  readonly #stopping = new AbortController();

  constructor(readonly options: SupervisorOptions) {}

  /** Resolves when the child is ready for the first time; it is kept alive from then on. */
  async start(spec: ChildSpec): Promise<void> {
    if (this.#stopping.signal.aborted) throw new DavitError('part-failed', `${spec.name} was not started: stopping.`);
    const child = new SupervisedChild(spec, this.#children.length, this.options);
    this.#children.push(child);
    await child.start();
  }

  status(): ChildStatus[] {
    return this.#children.map((child) => child.status());
  }

  /** Stops everything, last started first. Children that are waiting for a restart are not started again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const child of [...this.#children].reverse()) await child.stop();
  }
}

class SupervisedChild {
  readonly #logFile: LogFile;
  readonly #stopping = new AbortController();
  #state: ChildState = 'starting';
  #current: Incarnation | null = null;
  #lastLines: string[] = [];
  #restarts = 0;
  #stopped: Promise<void> | null = null;
  #loop: Promise<void> = Promise.resolve();

  constructor(
    readonly spec: ChildSpec,
    readonly order: number,
    readonly options: SupervisorOptions,
  ) {
    this.#logFile = new LogFile(join(options.logFolder, `${spec.name}.log`));
  }

  status(): ChildStatus {
    return { name: this.spec.name, state: this.#state, pid: this.#current?.pid ?? null, restarts: this.#restarts };
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#loop = this.#keepAlive(resolve, reject);
    });
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#state = 'stopping';
    this.#emit({ kind: 'stopping', part: this.spec.name, message: `stopping ${this.spec.name}` });
    this.#stopping.abort();
    await this.#loop;
    this.#logFile.close();
    this.#emit({ kind: 'stopped', part: this.spec.name, message: `${this.spec.name} is stopped` });
  }

  async #keepAlive(onReady: () => void, onFailed: (error: Error) => void): Promise<void> {
    let wasReady = false;
    let deathsInARow = 0;
    while (!this.#stopping.signal.aborted) {
      this.#state = 'starting';
      let readyAtMs: number | null = null;
      const end = await this.#liveOnce(() => {
        if (this.#stopping.signal.aborted) return;
        this.#state = 'ready';
        readyAtMs = Date.now();
        const again = wasReady ? ' again' : '';
        wasReady = true;
        this.#emit({ kind: 'ready', part: this.spec.name, message: `${this.spec.name} is ready${again}` });
        onReady();
      });
      this.#current = null;
      removeRecord(this.options.runFolder, this.spec.name);
      if (this.#stopping.signal.aborted) break;
      if (end.code !== null && end.code === this.spec.finalExitCode) {
        this.#endedForGood(end.why);
        onReady();
        return;
      }
      const ranWell = readyAtMs !== null && restartDelayMs.ranWell(Date.now() - readyAtMs);
      deathsInARow = ranWell ? 1 : deathsInARow + 1;
      if (!wasReady && (end.timedOut || deathsInARow >= firstStartAttempts)) {
        this.#died(end.why, null);
        this.#state = 'stopped';
        onFailed(this.#failure(end.why));
        return;
      }
      const delayMs = restartDelayMs.after(deathsInARow);
      this.#died(end.why, delayMs);
      this.#state = 'waiting';
      await pause(delayMs, this.#stopping.signal);
      this.#restarts += 1;
    }
    this.#state = 'stopped';
    // Harmless when it was ready before; otherwise somebody still waits for a start that will not happen.
    onFailed(new DavitError('part-failed', `${this.spec.name} was stopped before it was ready.`));
  }

  /** Runs the child once, from start to end, and tells how it ended. */
  async #liveOnce(onReady: () => void): Promise<{ why: string; timedOut: boolean; code: number | null }> {
    const { name, stopSteps = defaultStopSteps } = this.spec;
    this.#lastLines = [];
    let incarnation: Incarnation;
    try {
      incarnation = this.#begin(await this.spec.program());
    } catch (error) {
      return {
        why: `could not be started (${error instanceof Error ? error.message : String(error)})`,
        timedOut: false,
        code: null,
      };
    }
    this.#current = incarnation;
    // Ends the waiting for readiness when the child is over, and the child when the supervisor stops.
    const over = new AbortController();
    const stop = () => void incarnation.stop(stopSteps);
    this.#stopping.signal.addEventListener('abort', stop, { once: true });
    if (this.#stopping.signal.aborted) stop();
    let notReady: string | null = null;
    const readiness = this.#waitReady(over.signal).then((problem) => {
      if (problem === null) {
        if (!over.signal.aborted) onReady();
        return;
      }
      notReady = problem;
      this.options.log.warn({ part: name, problem }, `${name} is not ready in time and is started again`);
      stop();
    });
    const exit = await incarnation.exited;
    over.abort();
    await readiness;
    this.#stopping.signal.removeEventListener('abort', stop);
    if (notReady === null) return { why: describeExit(exit), timedOut: false, code: exit.code };
    return { why: `was not ready in time (${notReady as string})`, timedOut: true, code: null };
  }

  #begin(program: Program): Incarnation {
    const { name, stopSteps = defaultStopSteps, port } = this.spec;
    const record = {
      name,
      commandLine: program.shownAs ?? [program.command, ...program.args].join(' '),
      port: port ?? null,
      order: this.order,
      stopSteps: [...stopSteps],
    };
    writeRecord(this.options.runFolder, { ...record, process: null });
    const incarnation = new Incarnation(program, (line) => this.#line(line));
    const begun = incarnation.pid === null ? null : begunOf(incarnation.pid);
    if (incarnation.pid !== null && begun !== null) {
      writeRecord(this.options.runFolder, { ...record, process: { pid: incarnation.pid, begun } });
    }
    this.#logFile.write(`--- ${new Date().toISOString()} ${name} started as process ${incarnation.pid ?? 'none'}\n`);
    this.options.log.debug({ part: name, pid: incarnation.pid }, `${name} started`);
    this.#emit({ kind: 'starting', part: name, message: `starting ${name}` });
    return incarnation;
  }

  /** Null when ready (or over); what the last look saw when the time is up. */
  async #waitReady(over: AbortSignal): Promise<string | null> {
    const { probe, readyTimeoutMs = defaultReadyTimeoutMs } = this.spec;
    if (probe === undefined) return null;
    const deadline = Date.now() + readyTimeoutMs;
    let problem = 'never looked';
    while (!over.aborted && Date.now() < deadline) {
      try {
        await within(over, probeTimeoutMs, (signal) => Promise.race([probe(signal), rejectOnAbort(signal)]));
        return null;
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
      }
      await pause(probeEveryMs, over);
    }
    return over.aborted ? null : problem;
  }

  #line(line: string): void {
    this.#logFile.write(`${line}\n`);
    this.#lastLines.push(line);
    if (this.#lastLines.length > keptLines) this.#lastLines.shift();
    this.spec.onLine?.(line);
  }

  #died(why: string, delayMs: number | null): void {
    const { name } = this.spec;
    const message = `${name} ${why}${delayMs === null ? '' : `; starting it again in ${delayMs} ms`}`;
    const lastLines = [...this.#lastLines];
    this.#logFile.write(`--- ${new Date().toISOString()} ${message}\n`);
    this.options.log.warn({ part: name, delayMs, restarts: this.#restarts, lastLines }, message);
    this.options.onEvent?.({ kind: 'died', part: name, message, lastLines, delayMs });
  }

  /** It asked not to be started again. The others go on without it. */
  #endedForGood(why: string): void {
    const { name } = this.spec;
    const message = `${name} ${why}: it was stopped on purpose and is not started again`;
    this.#logFile.write(`--- ${new Date().toISOString()} ${message}\n`);
    this.options.log.warn({ part: name }, message);
    this.#state = 'stopped';
    this.#logFile.close();
    this.options.onEvent?.({ kind: 'stopped', part: name, message });
  }

  #failure(why: string): DavitError {
    const { name } = this.spec;
    const end = this.#lastLines.slice(-3).join(' | ');
    const said = end === '' ? '' : ` It said: ${end}`;
    return new DavitError(
      'part-failed',
      `${name} does not come up: it ${why}. Its log is ${this.#logFile.path}.${said}`,
      {
        extra: { part: name, log: this.#logFile.path },
      },
    );
  }

  #emit(event: ChildEvent): void {
    this.options.onEvent?.(event);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = () => reject(new Error('no answer'));
    if (signal.aborted) return end();
    signal.addEventListener('abort', end, { once: true });
  });
}
