import { colorsFor, isTerminal, plain } from './terminal.js';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const frameMs = 100;

/**
 * What is going on, on standard error: on a terminal one line that moves and gives way to other output, in a pipe a line for each
 * change. Standard output stays free for what was asked for.
 */
export class Progress {
  readonly #stream = process.stderr;
  readonly #moves: boolean;
  readonly #colors = colorsFor(process.stderr);
  #text = '';
  #frame = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `quiet`: nothing but warnings, for --json. */
  constructor(readonly quiet: boolean) {
    this.#moves =
      !quiet && isTerminal(this.#stream) && process.env['TERM'] !== 'dumb' && (process.env['CI'] ?? '') === '';
  }

  /** What is being waited for; said once in a pipe. */
  wait(text: string): void {
    if (this.quiet || text === this.#text) return;
    this.#text = text;
    if (!this.#moves) {
      this.#stream.write(`${plain(text)}\n`);
      return;
    }
    this.#timer ??= setInterval(() => this.#draw(), frameMs).unref();
    this.#draw();
  }

  /** A line that stays. */
  say(text: string): void {
    if (this.quiet) return;
    this.#clear();
    this.#stream.write(`${text}\n`);
  }

  warn(text: string): void {
    this.#clear();
    this.#stream.write(`${this.#colors.yellow(plain(text))}\n`);
  }

  /** Takes the moving line away, because something else is to be written or it is over. */
  stop(): void {
    this.#clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#text = '';
  }

  #draw(): void {
    this.#frame = (this.#frame + 1) % frames.length;
    const width = (isTerminal(this.#stream) ? this.#stream.columns : 80) || 80;
    const text = plain(this.#text).slice(0, Math.max(10, width - 3));
    this.#stream.write(`\r\u001b[2K${this.#colors.cyan(frames[this.#frame] ?? '')} ${text}`);
  }

  #clear(): void {
    if (this.#moves && this.#timer !== undefined) this.#stream.write('\r\u001b[2K');
  }
}
