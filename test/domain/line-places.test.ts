import { expect, test } from 'vitest';
import { placeBlock, shiftOf, type WriterStretch } from '../../domain/line-places.js';

/** Plays requests of several writers and returns what stands where. */
function play(requests: { writer: string; offset: number; lines: string[] }[]) {
  const known = new Map<string, WriterStretch[]>();
  const lines: string[] = [];
  for (const { writer, ...block } of requests) {
    const placed = placeBlock(known.get(writer) ?? [], block, lines.length);
    known.set(writer, placed.stretches);
    for (const { offset, lines: put } of placed.blocks) put.forEach((line, i) => (lines[offset + i] = line));
    expect(placed.end).toBe(lines.length);
  }
  return { lines, known };
}

test('lines of several writers are put one behind another, each once', () => {
  const { lines, known } = play([
    { writer: 'a', offset: 0, lines: ['a0', 'a1'] },
    { writer: 'b', offset: 0, lines: ['b0'] },
    { writer: 'a', offset: 2, lines: ['a2'] },
    { writer: 'b', offset: 0, lines: ['b0', 'b1'] },
    { writer: 'a', offset: 0, lines: ['a0', 'a1', 'a2'] },
  ]);
  expect(lines).toEqual(['a0', 'a1', 'b0', 'a2', 'b1']);
  expect(known.get('a')).toEqual([
    [0, 0, 2],
    [2, 3, 1],
  ]);
});

test('a rewritten line keeps its place, whichever stretch it is in', () => {
  const { lines } = play([
    { writer: 'a', offset: 0, lines: ['10%'] },
    { writer: 'b', offset: 0, lines: ['b0'] },
    { writer: 'a', offset: 0, lines: ['90%', 'next'] },
    { writer: 'a', offset: 1, lines: ['next!'] },
  ]);
  expect(lines).toEqual(['90%', 'b0', 'next!']);
});

test('lines that follow one another make one stretch, and a writer that begins at a number of its own is taken as it is', () => {
  const { lines, known } = play([
    { writer: 'a', offset: 3, lines: ['a3'] },
    { writer: 'a', offset: 4, lines: ['a4', 'a5'] },
    { writer: 'a', offset: 7, lines: ['a7'] },
  ]);
  expect(lines).toEqual(['a3', 'a4', 'a5', 'a7']);
  expect(known.get('a')).toEqual([
    [3, 0, 3],
    [7, 3, 1],
  ]);
});

test('two writers that take turns for ever keep a bounded memory, and what is forgotten is not written twice', () => {
  const requests = Array.from({ length: 1_000 }, (_, i) => [
    { writer: 'a', offset: i, lines: [`a${i}`] },
    { writer: 'b', offset: i, lines: [`b${i}`] },
  ]).flat();
  const { lines, known } = play([...requests, { writer: 'a', offset: 0, lines: ['a0'] }]);
  expect(lines).toHaveLength(2_000);
  expect(known.get('a')?.length).toBe(200);
});

test('a process that resumed counts on, or begins at 0: its first line tells', () => {
  expect(shiftOf(undefined, 0)).toBe(0);
  expect(shiftOf({ base: 0, shift: null }, 0)).toBe(0);
  expect(shiftOf({ base: 5, shift: null }, 5)).toBe(0);
  expect(shiftOf({ base: 5, shift: null }, 0)).toBe(5);
  expect(shiftOf({ base: 5, shift: 5 }, 9)).toBe(5);
  expect(shiftOf({ base: 5, shift: 0 }, 9)).toBe(0);
});
