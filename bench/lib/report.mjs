import { short } from './numbers.mjs';

/** `{ "id": { "max": 2 } }`: inside when min ≤ value ≤ max. A figure without a range is shown and not judged. */
export function judge({ id, value }, ranges) {
  const range = ranges[id];
  if (range === undefined) return {};
  const inside = (range.min === undefined || value >= range.min) && (range.max === undefined || value <= range.max);
  return { range, verdict: inside ? 'inside' : 'outside' };
}

const rangeWords = ({ min, max } = {}) =>
  min !== undefined && max !== undefined
    ? `${min}–${max}`
    : min !== undefined
      ? `≥ ${min}`
      : max !== undefined
        ? `≤ ${max}`
        : '';

/** Measured, what the design wants, what is accepted here. */
export function table(rows) {
  const cells = rows.map(({ what, value, unit, design = '', range, verdict, note = '' }) => [
    what,
    `${short(value)} ${unit}`.trim(),
    design === '' ? '' : `${design}${/\d$/.test(design) && unit !== '' ? ` ${unit}` : ''}`,
    range === undefined ? '' : `${rangeWords(range)}${verdict === 'outside' ? '  OUTSIDE' : ''}`,
    note,
  ]);
  const all = [['', 'measured', 'design', 'accepted', ''], ...cells];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column].length)));
  return all
    .map((row) =>
      `  ${row[0].padEnd(widths[0])}  ${row[1].padStart(widths[1])}  ${row[2].padEnd(widths[2])}  ${row[3].padEnd(widths[3])}  ${row[4]}`.trimEnd(),
    )
    .join('\n');
}
