import Table from 'cli-table3';
import { colorsFor, plain } from './terminal.js';
import type { Colors } from './terminal.js';

/** Where a command says its result. With --json: one JSON document or JSON lines on standard output, and nothing else there. */
export class Output {
  readonly colors: Colors;

  constructor(readonly json: boolean) {
    this.colors = json ? colorsFor(process.stdout, { NO_COLOR: '1' }) : colorsFor(process.stdout);
  }

  /** The one result of a command: the document for machines, or the words for people. */
  result(document: unknown, words: () => string): void {
    this.write(this.json ? JSON.stringify(document, null, 2) : words());
  }

  /** One of many, as they come. */
  line(document: unknown, words: () => string): void {
    this.write(this.json ? JSON.stringify(document) : words());
  }

  table(head: readonly string[], rows: readonly (readonly (string | number | null | undefined)[])[]): string {
    const table = new Table({
      head: head.map((title) => this.colors.dim(title)),
      style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 2 },
      // Columns only: what a pipe can cut, and a person can read.
      chars: Object.fromEntries(
        ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
          .concat(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'])
          .map((name) => [name, '']),
      ),
    });
    for (const row of rows) table.push(row.map((cell) => plain(String(cell ?? '-'))));
    return table
      .toString()
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n');
  }

  write(text: string): void {
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }
}

/** "3 min ago": lists are read by people; machines have the moment in the JSON. */
export function ago(moment: string | null | undefined, nowMs = Date.now()): string {
  if (moment === null || moment === undefined) return '-';
  const seconds = Math.max(0, Math.round((nowMs - Date.parse(moment)) / 1000));
  return `${duration(seconds)} ago`;
}

export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d`;
}
