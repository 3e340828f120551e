import type { Colors } from './terminal.js';
import { isTerminal, oneLine } from './terminal.js';
import { wrap } from './width.js';

/** Named facts below each other. On a terminal long ones are broken between words and stay in their column; in a pipe each is one line. */

/** Null: nothing to say. A list: one below the other. */
export type Fact = readonly [name: string, value: string | readonly string[] | null];

const indent = 2;
const widest = 120;

export function factLines(facts: readonly Fact[], nameWidth: number, colors: Colors): string[] {
  const columns = isTerminal(process.stdout) ? Math.min(process.stdout.columns || 80, widest) : Infinity;
  const room = Math.max(30, columns - indent - nameWidth - 1);
  return facts.flatMap(([name, value]) => {
    if (value === null) return [];
    const lines = (typeof value === 'string' ? [value] : value).flatMap((text) => wrap(oneLine(text), room));
    return lines.map((line, i) => {
      const label = i === 0 ? name : '';
      return `${' '.repeat(indent)}${colors.dim(label.padEnd(nameWidth))} ${line}`;
    });
  });
}
