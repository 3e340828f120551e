import { within } from '../../domain/within.js';
import { isWorthRetrying } from '../../client/index.js';
import { exitCodes } from '../output/exit-codes.js';
import { colorsFor, oneLine } from '../output/terminal.js';
import { pause } from '../wait-for.js';
import { renderTop } from './render.js';
import type { Frame } from './render.js';
import { openScreen } from './screen.js';
import type { TopSnapshot } from './snapshot.js';
import type { TopSource } from './source.js';

/** Launches that are asked for beyond what is on the screen, so that scrolling has something to show at once. */
const ahead = 100;
const mostLaunches = 1_000;
/** What is on the screen is old after this, and says so. */
const answerMs = 10_000;
const scrolls: Record<string, (page: number, last: number) => number> = {
  up: () => -1,
  k: () => -1,
  down: () => 1,
  j: () => 1,
  'page-up': (page) => -page,
  'page-down': (page) => page,
  home: (_, last) => -last,
  end: (_, last) => last,
};

/** Shows the line in place until somebody leaves. The screen is opened when there is something to show: errors before it are plain errors. */
export async function watchTop(source: TopSource, from: string, intervalMs: number): Promise<number> {
  const left = new AbortController();
  let code: number = exitCodes.ok;
  const leave = (exitCode: number) => {
    code = exitCode;
    left.abort();
  };
  const onSignal = () => leave(exitCodes.interrupted);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  // Before there is a screen: a signal between its first frame and these would leave the terminal as it is.
  for (const signal of signals) process.on(signal, onSignal);
  let view: LiveView | undefined;
  try {
    view = new LiveView(await source.next(ahead, left.signal), from, leave);
    await follow(source, view, intervalMs, left.signal);
  } catch (error) {
    if (!left.signal.aborted) throw error;
  } finally {
    view?.close();
    for (const signal of signals) process.off(signal, onSignal);
  }
  return code;
}

async function follow(source: TopSource, view: LiveView, intervalMs: number, left: AbortSignal): Promise<void> {
  let failingSinceMs: number | undefined;
  // Beside the frames: an estimate that takes its time holds up nothing.
  let estimating: Promise<void> | undefined;
  while (!left.aborted) {
    estimating ??= source.estimate(view.launchesSeen(), left).finally(() => {
      estimating = undefined;
      view.draw();
    });
    await pause(intervalMs, left);
    if (left.aborted) return;
    if (view.frozen) continue;
    try {
      view.show(await within(left, answerMs, (signal) => source.next(view.wanted(), signal)));
      failingSinceMs = undefined;
    } catch (error) {
      if (left.aborted) return;
      if (!isWorthRetrying(error)) throw error;
      failingSinceMs ??= Date.now();
      const seconds = Math.round((Date.now() - failingSinceMs) / 1000);
      view.trouble(`${error instanceof Error ? error.message : String(error)} Trying again for ${seconds} s. q quit`);
    }
  }
}

class LiveView {
  frozen = false;
  #offset = 0;
  #trouble: string | undefined;
  #frame: Frame = { lines: [], lastOffset: 0, page: 1 };
  readonly #screen;
  readonly #colors = colorsFor(process.stdout);

  constructor(
    private snapshot: TopSnapshot,
    private readonly from: string,
    private readonly leave: (code: number) => void,
  ) {
    this.#screen = openScreen({
      key: (name) => this.#key(name),
      resized: () => this.draw(),
    });
    this.draw();
  }

  show(snapshot: TopSnapshot): void {
    this.snapshot = snapshot;
    this.#trouble = undefined;
    this.draw();
  }

  trouble(sentence: string): void {
    this.#trouble = oneLine(sentence);
    this.draw();
  }

  close(): void {
    this.#screen.close();
  }

  /** How many launches the next snapshot should have. */
  wanted(): number {
    return Math.min(mostLaunches, this.#offset + this.#screen.rows + ahead);
  }

  launchesSeen(): string[] {
    if (this.snapshot.kind === 'all') return [];
    return this.snapshot.line.next.slice(this.#offset, this.#offset + this.#frame.page).map(({ id }) => id);
  }

  draw(): void {
    const { columns, rows } = this.#screen;
    this.#frame = renderTop(this.snapshot, {
      columns,
      rows,
      offset: this.#offset,
      frozen: this.frozen,
      from: this.from,
      colors: this.#colors,
      ...(this.#trouble === undefined ? {} : { trouble: this.#trouble }),
    });
    this.#offset = Math.min(this.#offset, this.#frame.lastOffset);
    this.#screen.draw(this.#frame.lines);
  }

  #key(name: string): void {
    if (name === 'q') return this.leave(exitCodes.ok);
    if (name === 'interrupt') return this.leave(exitCodes.interrupted);
    if (name === 'p') this.frozen = !this.frozen;
    const { page, lastOffset } = this.#frame;
    const by = scrolls[name]?.(page, lastOffset) ?? 0;
    this.#offset = Math.max(0, Math.min(lastOffset, this.#offset + by));
    this.draw();
  }
}
