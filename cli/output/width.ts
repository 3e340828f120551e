/**
 * How much room text takes in a terminal. One character as a person sees it (a grapheme) is one cell, two when it is East Asian wide or an
 * emoji, none when it only combines.
 */

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const nothing = /^[\p{Mark}\p{Format}\p{Control}]+$/u;
const emoji = /\p{Emoji_Presentation}|\p{Emoji}\uFE0F|\p{Regional_Indicator}/u;

/** East Asian wide and full width (Unicode 15), without the emoji, which are known by their property. */
const wide: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18cff],
  [0x1b000, 0x1b2ff],
  [0x1f200, 0x1f2ff],
  [0x20000, 0x3fffd],
];

function cellsOf(grapheme: string): number {
  if (nothing.test(grapheme)) return 0;
  if (emoji.test(grapheme)) return 2;
  const code = grapheme.codePointAt(0) ?? 0;
  return wide.some(([from, to]) => code >= from && code <= to) ? 2 : 1;
}

const isPlainAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

/** Cells of text without control characters. */
export function widthOf(text: string): number {
  if (isPlainAscii(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += cellsOf(segment);
  return width;
}

/** At most so many cells; what is cut off leaves an ellipsis. */
export function cut(text: string, width: number): string {
  if (width <= 0) return '';
  if (isPlainAscii(text) ? text.length <= width : widthOf(text) <= width) return text;
  if (width === 1) return '…';
  let taken = '';
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    const cells = cellsOf(segment);
    if (used + cells > width - 1) break;
    taken += segment;
    used += cells;
  }
  return `${taken}…`;
}

/** Exactly so many cells. */
export function fit(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const short = cut(text, width);
  const room = ' '.repeat(Math.max(0, width - widthOf(short)));
  return align === 'left' ? short + room : room + short;
}

/** Broken between words into lines of at most so many cells; what is longer than a line stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && widthOf(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}
