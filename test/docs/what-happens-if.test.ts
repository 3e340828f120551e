import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'docs', 'what-happens-if.md'), 'utf8');

/** Cells of each row below the heading whose first cell is "If". */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  )
  .filter(([first = '']) => first !== 'If' && !/^-+$/.test(first));

const proofs = rows.map((cells) => ({ fault: cells[0] ?? '', proof: cells.at(-1) ?? '' }));
/** `test/faults/x.test.ts` “name of the test”, any number of them. */
const named = /`(test\/[^`]+)` “([^”]+)”/g;

test('every fault has seven cells, and a proof or the word that it has none', () => {
  expect(rows.length).toBeGreaterThan(15);
  for (const cells of rows) expect(cells, cells[0]).toHaveLength(7);
  for (const { fault, proof } of proofs)
    expect(proof.startsWith('**not proven**') || [...proof.matchAll(named)].length > 0, `${fault}: ${proof}`).toBe(
      true,
    );
});

test('every test that proves a fault is there under its name', () => {
  for (const { fault, proof } of proofs) {
    for (const [, path = '', name = ''] of proof.matchAll(named)) {
      const file = join(root, path);
      expect(existsSync(file), `${fault}: ${path}`).toBe(true);
      const text = readFileSync(file, 'utf8').replaceAll("\\'", "'");
      const isThere = ["'", '"', '`'].some((quote) => text.includes(`${quote}${name}`));
      expect(isThere, `${fault}: “${name}” in ${path}`).toBe(true);
    }
  }
});
