import type { Colors } from './terminal.js';
import { cut, fit, widthOf } from './width.js';

/** Rows in columns that fit a width: first the wide columns give way, then the least important are left out. */

export interface Column<Row> {
  title: string;
  of: (row: Row) => string;
  align?: 'left' | 'right';
  /** May be cut down to so many cells. Without it: never cut. */
  least?: number;
  /** Left out when it does not fit; the smallest number goes first. Without it: never left out. */
  rank?: number;
  paint?: (text: string, row: Row, colors: Colors) => string;
}

export interface Laid {
  head: string;
  rows: string[];
}

export function layColumns<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
  colors: Colors,
): Laid {
  const gap = width < 100 ? 1 : 2;
  const texts = new Map(columns.map((column) => [column, rows.map((row) => column.of(row))]));
  const natural = (column: Column<Row>): number =>
    Math.max(widthOf(column.title), ...(texts.get(column) ?? []).map(widthOf));
  // A column that may be left out and says nothing is left out.
  const speaking = columns.filter(
    (column) => column.rank === undefined || texts.get(column)?.some((text) => text !== '') === true,
  );
  const { shown, widths } = choose(speaking, natural, width, gap);
  const line = (cell: (column: Column<Row>, i: number) => string) =>
    shown.map((column, i) => cell(column, i)).join(' '.repeat(gap));
  const widthAt = (i: number) => widths[i] ?? 0;
  return {
    head: colors.dim(
      cut(line((column, i) => fit(column.title, widthAt(i), column.align)).trimEnd(), Math.max(1, width)),
    ),
    rows: rows.map((row, at) =>
      line((column, i) => {
        const text = texts.get(column)?.[at] ?? '';
        // Nothing behind the last column: a pipe gets no blanks at the ends of lines.
        const isLast = i === shown.length - 1 && column.align !== 'right';
        const placed = isLast ? cut(text, widthAt(i)) : fit(text, widthAt(i), column.align);
        return column.paint === undefined || text === '' ? placed : column.paint(placed, row, colors);
      }).trimEnd(),
    ),
  };
}

function choose<Row>(
  columns: readonly Column<Row>[],
  natural: (column: Column<Row>) => number,
  width: number,
  gap: number,
): { shown: readonly Column<Row>[]; widths: number[] } {
  let shown = columns;
  for (;;) {
    const full = shown.map(natural);
    const least = shown.map((column, i) => Math.min(full[i] ?? 0, column.least ?? Infinity));
    const room = width - gap * (shown.length - 1);
    if (sum(full) <= room) return { shown, widths: full };
    if (sum(least) <= room) return { shown, widths: shrink(full, least, room) };
    const next = shown.filter(({ rank }) => rank !== undefined).sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0))[0];
    if (next === undefined) return { shown, widths: least };
    shown = shown.filter((column) => column !== next);
  }
}

/** Takes from the widest that may give, one cell at a time. */
function shrink(full: readonly number[], least: readonly number[], room: number): number[] {
  const widths = [...full];
  for (let over = sum(widths) - room; over > 0; over--) {
    let widest = -1;
    for (const [i, width] of widths.entries())
      if (width > (least[i] ?? 0) && (widest < 0 || width > (widths[widest] ?? 0))) widest = i;
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 1) - 1;
  }
  return widths;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
