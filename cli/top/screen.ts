import { writeSync } from 'node:fs';

/**
 * A terminal in its second screen, where frames replace each other. However the process ends (a key, a signal, an error nobody caught), the
 * terminal is as it was before.
 */

const enter = '\u001b[?1049h\u001b[?25l';
const leave = '\u001b[?25h\u001b[?1049l';
/** Terminals that know it show the frame when it is whole; others ignore it. */
const beginFrame = '\u001b[?2026h\u001b[H';
const endFrame = '\u001b[J\u001b[?2026l';
const toEndOfLine = '\u001b[K';

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  draw(lines: readonly string[]): void;
  /** Safe to repeat. */
  close(): void;
}

export interface ScreenEvents {
  /** `up`, `down`, `page-up`, `page-down`, `home`, `end`, or the letter. */
  key(name: string): void;
  resized(): void;
}

export function openScreen(events: ScreenEvents): Screen {
  const output = process.stdout;
  const input = process.stdin;
  let isOpen = false;
  let last = '';
  const hasKeys = input.isTTY && typeof input.setRawMode === 'function';

  const begin = () => {
    if (isOpen) return;
    isOpen = true;
    last = '';
    if (hasKeys) input.setRawMode(true);
    output.write(enter);
  };
  const end = () => {
    if (!isOpen) return;
    isOpen = false;
    if (hasKeys) input.setRawMode(false);
    // Now and not later: nothing that is still queued may be written after the process has ended.
    writeWhole(leave);
  };
  const onData = (data: Buffer) => {
    for (const name of keysOf(data.toString('utf8'))) {
      // In raw mode the terminal leaves this to us: stop like any other program, and come back as it goes on.
      if (name === 'suspend') {
        end();
        process.kill(process.pid, 'SIGTSTP');
      } else events.key(name);
    }
  };
  const onContinue = () => {
    begin();
    events.resized();
  };

  begin();
  // On a crash, before the error is printed: it belongs on the first screen.
  process.once('uncaughtExceptionMonitor', end);
  process.once('exit', end);
  process.on('SIGCONT', onContinue);
  output.on('resize', events.resized);
  if (hasKeys) input.on('data', onData).resume();

  return {
    get columns() {
      return output.columns || 80;
    },
    get rows() {
      return output.rows || 24;
    },
    draw(lines) {
      if (!isOpen) return;
      const frame = lines.map((line) => `${line}${toEndOfLine}`).join('\r\n');
      if (frame === last) return;
      last = frame;
      // One write: a frame that comes in pieces flickers.
      output.write(`${beginFrame}${frame}${endFrame}`);
    },
    close() {
      process.off('uncaughtExceptionMonitor', end);
      process.off('exit', end);
      process.off('SIGCONT', onContinue);
      output.off('resize', events.resized);
      if (hasKeys) input.off('data', onData).pause();
      end();
    },
  };
}

/** A terminal that is slow or gone must not keep the process from ending. */
function writeWhole(text: string): void {
  for (let tries = 0; tries < 100; tries++) {
    try {
      writeSync(1, text);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
    }
  }
}

const sequences: Record<string, string> = {
  '\u001b[A': 'up',
  '\u001bOA': 'up',
  '\u001b[B': 'down',
  '\u001bOB': 'down',
  '\u001b[5~': 'page-up',
  '\u001b[6~': 'page-down',
  '\u001b[H': 'home',
  '\u001bOH': 'home',
  '\u001b[1~': 'home',
  '\u001b[F': 'end',
  '\u001bOF': 'end',
  '\u001b[4~': 'end',
  '\u0003': 'interrupt',
  '\u001a': 'suspend',
  ' ': 'page-down',
};

/** Names of the keys in what a terminal sent; several may come at once. */
export function keysOf(text: string): string[] {
  const keys: string[] = [];
  // eslint-disable-next-line no-control-regex -- what terminals send for keys.
  for (const [key] of text.matchAll(/\u001b\[[\d;]*[A-Za-z~]|\u001bO[A-Z]|[^]/gu)) {
    const name = sequences[key] ?? (/^[a-zA-Z]$/.test(key) ? key.toLowerCase() : undefined);
    if (name !== undefined) keys.push(name);
  }
  return keys;
}
