import { isTerminal } from '../domain/words.js';
import type { Api } from '../client/index.js';
import type { Connected } from './connect.js';
import { exitCodes } from './output/exit-codes.js';
import type { Output } from './output/output.js';
import { duration } from './output/output.js';
import { Progress } from './output/progress.js';
import { colorsFor, isTerminal as isTerminalStream, plain } from './output/terminal.js';
import { pause } from './wait-for.js';

type Launch = Api<'Launch'>;

/** Attempts in a row without an answer before a follower gives up: with waits of 10 seconds, about ten minutes. */
const maxAttempts = 60;
const positionEveryMs = 2_000;
/** How long a second Ctrl-C counts as one for the launch. */
const decideMs = 5_000;

/**
 * Follows a launch to its end: states on standard error, what the job prints on standard output (its errors on standard error), or all of
 * it as JSON lines. Breaks of the connection and restarts of the API are outlived. Answers the exit code.
 */
export async function followLaunch(
  api: Connected,
  launchId: string,
  out: Output,
  options: { cancelOnInterrupt: boolean },
): Promise<number> {
  const stop = new AbortController();
  const follower = new Follower(api, launchId, out, stop);
  const interrupts = new Interrupts(api, launchId, follower.progress, stop, options.cancelOnInterrupt);
  try {
    await Promise.all([follower.states(), follower.log(), follower.place()]);
    if (interrupts.detached) return exitCodes.interrupted;
    return await follower.finish();
  } finally {
    stop.abort();
    follower.progress.stop();
    interrupts.close();
  }
}

class Follower {
  readonly progress: Progress;
  readonly #colors = colorsFor(process.stderr);
  #last: Launch | undefined;
  #hasText = false;
  #midLine = false;
  #breaks = new Set<string>();

  constructor(
    readonly api: Connected,
    readonly launchId: string,
    readonly out: Output,
    readonly stop: AbortController,
  ) {
    this.progress = new Progress(out.json);
  }

  async states(): Promise<void> {
    for await (const { event, data } of this.api.client.followLaunch(this.launchId, this.#follow('states'))) {
      this.#breaks.delete('states');
      if (event === 'event') {
        if (this.out.json) this.out.line({ type: 'event', event: data }, () => '');
        else this.#say(`${this.#colors.dim(data.at.slice(11, 19))} ${plain(data.sentence)}`);
      } else if (event === 'launch') {
        this.#last = data;
        if (this.out.json) this.out.line({ type: 'launch', launch: data }, () => '');
        this.#wait(data);
      }
    }
  }

  async log(): Promise<void> {
    for await (const { event, data } of this.api.client.followLog(this.launchId, this.#follow('log'))) {
      this.#breaks.delete('log');
      if (event !== 'log') continue;
      if (this.out.json) this.out.line({ type: 'log', ...data }, () => '');
      else this.#write(data);
    }
  }

  /** While it waits: where in line, and that nobody serves the queue. */
  async place(): Promise<void> {
    let warned = false;
    while (!this.stop.signal.aborted && !this.#isOver()) {
      if (this.#last?.state === 'queued' && !this.out.json) {
        const { queue } = this.#last;
        const path = { entity: queue.entity, queue: queue.name };
        const [launch, found] = await Promise.all([
          this.api.client.GET('/launches/{id}', { params: { path: { id: this.launchId } } }),
          this.api.client.GET('/queues/{entity}/{queue}', { params: { path } }),
        ]).catch(() => []);
        const position = launch?.data?.position ?? null;
        const held = launch?.data?.held === true ? ', held' : '';
        if (position !== null)
          this.progress.wait(`waiting in ${queue.entity}/${queue.name}: position ${position}${held}`);
        if (found?.data?.agents === 0 && position !== null && !warned) {
          warned = true;
          this.progress.warn(
            `No agent serves ${queue.entity}/${queue.name} at present: the launch waits until one does.`,
          );
        }
      }
      await pause(this.#last === undefined ? 100 : positionEveryMs, this.stop.signal);
      if (this.#last !== undefined && this.#last.state !== 'queued') return;
    }
  }

  /** How it ended, and where to look. */
  async finish(): Promise<number> {
    this.progress.stop();
    const { data: launch } = await this.api.client.GET('/launches/{id}', { params: { path: { id: this.launchId } } });
    if (launch === undefined) return exitCodes.failed;
    if (this.out.json) {
      this.out.line({ type: 'end', launch }, () => '');
      return exitCodeOf(launch);
    }
    const paint =
      { finished: this.#colors.green, failed: this.#colors.red }[launch.state as 'finished'] ?? this.#colors.yellow;
    const took =
      launch.startedAt === null || launch.endedAt === null
        ? ''
        : ` after ${duration(Math.round((Date.parse(launch.endedAt) - Date.parse(launch.startedAt)) / 1000))}`;
    const lines = [`${paint(`${launch.state}${took}`)}  launch ${launch.id}`];
    if (launch.failure !== null && launch.state !== 'finished') {
      lines.push(
        `why   ${plain(launch.failure.message)} (${launch.failure.code}, stage ${launch.failure.stage})`,
        `next  ${launch.failure.fix}`,
      );
    }
    if (launch.run !== null) lines.push(`run   ${new URL(launch.run.url, this.api.url).href}`);
    this.#say(lines.join('\n'));
    return exitCodeOf(launch);
  }

  #isOver = () => this.#last !== undefined && isTerminal(this.#last.state);

  #follow(which: string) {
    return {
      signal: this.stop.signal,
      maxAttempts,
      onBreak: () => {
        // The other follower breaks at the same moment: one word about it is enough.
        if (this.#breaks.size === 0)
          this.progress.warn('The connection to the API broke; the launch goes on. Trying again …');
        this.#breaks.add(which);
      },
    };
  }

  #wait({ state, reason, queue }: Launch): void {
    if (isTerminal(state) || (state === 'running' && this.#hasText)) return this.progress.stop();
    const why = reason === null ? '' : `: ${reason}`;
    // In a pipe the events have said so.
    if (!isTerminalStream(process.stderr)) return;
    this.progress.wait(state === 'queued' ? `waiting in ${queue.entity}/${queue.name}${why}` : `${state}${why}`);
  }

  #write({ stream, text }: Api<'LogChunk'>): void {
    if (!this.#hasText) this.progress.stop();
    this.#hasText = true;
    const into = stream === 'stdout' ? process.stdout : process.stderr;
    into.write(stream === 'prepare' && isTerminalStream(process.stderr) ? this.#colors.dim(text) : text);
    this.#midLine = text !== '' && !text.endsWith('\n');
  }

  /** A line of ours never continues one of the job's. */
  #say(text: string): void {
    if (this.#midLine && isTerminalStream(process.stderr)) process.stderr.write('\n');
    this.#midLine = false;
    this.progress.say(text);
  }
}

export function exitCodeOf(launch: Pick<Launch, 'state' | 'exitCode'>): number {
  if (launch.state === 'finished') return exitCodes.ok;
  if (launch.state === 'stopped') return exitCodes.interrupted;
  const { exitCode } = launch;
  // A job may exit with 0 and have failed nevertheless, and only 8 bits travel.
  return exitCode !== null && exitCode > 0 && exitCode < 256 ? exitCode : exitCodes.failed;
}

/**
 * Ctrl-C while following. The launch does not depend on this command, and hours of training must not be lost to a slip: the first one
 * leaves, a second one within seconds also cancels. A program that gets a signal has nobody to ask, so it leaves at once.
 */
class Interrupts {
  detached = false;
  #asked = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly api: Connected,
    readonly launchId: string,
    readonly progress: Progress,
    readonly stop: AbortController,
    readonly cancels: boolean,
  ) {
    process.on('SIGINT', this.#onInterrupt);
    process.on('SIGTERM', this.#onInterrupt);
  }

  close(): void {
    clearTimeout(this.#timer);
    process.off('SIGINT', this.#onInterrupt);
    process.off('SIGTERM', this.#onInterrupt);
  }

  readonly #onInterrupt = (): void => {
    if (this.cancels) {
      // Twice: whoever sends it will not wait for the launch's end.
      if (this.#asked) return this.#leave();
      this.#asked = true;
      return void this.#cancel();
    }
    if (!process.stdin.isTTY) return this.#leave();
    if (this.#asked) {
      clearTimeout(this.#timer);
      this.#asked = false;
      return void this.#cancel();
    }
    this.#asked = true;
    this.progress.say(`\nLeaving in ${decideMs / 1000} s; the launch goes on. Press Ctrl-C again to cancel it.`);
    this.#timer = setTimeout(() => this.#leave(), decideMs);
  };

  #leave(): void {
    this.detached = true;
    this.progress.say(
      `The launch goes on: davit launches watch ${this.launchId}, davit launches cancel ${this.launchId}`,
    );
    this.stop.abort();
  }

  async #cancel(): Promise<void> {
    this.progress.say('Cancelling the launch …');
    try {
      await this.api.client.POST('/launches/{id}/cancel', { params: { path: { id: this.launchId } } });
    } catch (error) {
      this.progress.warn(`It could not be cancelled: ${error instanceof Error ? error.message : String(error)}`);
      this.#leave();
    }
  }
}
