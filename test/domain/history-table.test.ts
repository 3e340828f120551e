import { expect, test } from 'vitest';
import { groupRows, tableColumns } from '../../domain/history-table.js';
import type { Json } from '../../domain/extended-json.js';
import { addValue, emptyStats, type MetricStats } from '../../domain/metric-stats.js';

const steps = [0, 1, 1, 5];

function metric(key: string, values: readonly Json[]): { key: string; stats: MetricStats } {
  const stats = emptyStats();
  for (const value of values) addValue(stats, value);
  return { key, stats };
}

const columnsWith = (key: string, values: readonly Json[]) =>
  tableColumns([metric('_step', steps), metric(key, values)], steps.length);

test('a history whose lines all have the same numbers is a table', () => {
  expect(columnsWith('loss', [1, 0.5, 'NaN', '-Infinity'])).toEqual(['_step', 'loss']);
  expect(columnsWith('val/acc', [1, 2, 3, 4])).toEqual(['_step', 'val/acc']);
});

test('what clients would read differently from a file than from pages makes no table', () => {
  expect(columnsWith('loss', [1, 2, 3]), 'not in every line').toBeUndefined();
  expect(columnsWith('loss', [1, 2, 3, null]), 'null').toBeUndefined();
  expect(columnsWith('loss', [1, 2, 3, 'word']), 'mixed').toBeUndefined();
  expect(columnsWith('word', ['a', 'b', 'c', 'd']), 'text').toBeUndefined();
  expect(columnsWith('deep.loss', [1, 2, 3, 4]), 'nested, perhaps').toBeUndefined();
  expect(columnsWith('big', [1, 2, 3, 2 ** 60]), 'not all digits').toBeUndefined();
  expect(columnsWith('', [1, 2, 3, 4]), 'no name').toBeUndefined();
  expect(tableColumns([metric('_step', [0, 2, 1])], 3), 'steps that go back').toBeUndefined();
  expect(tableColumns([metric('_step', [-1, 2])], 2), 'steps below zero').toBeUndefined();
  expect(tableColumns([metric('loss', [0, 2])], 2), 'no steps').toBeUndefined();
  expect(tableColumns([], 0)).toBeUndefined();
});

test('what is held while a table is written does not grow with the run', () => {
  const many = Array.from({ length: 1_001 }, (_, i) => metric(`key${i}`, [1]));
  expect(tableColumns([metric('_step', [0]), ...many], 1)).toBeUndefined();
  for (const [columns, rows] of [
    [1, 3],
    [103, 1_000_000],
    [1_000, 500_000],
    [4, 100_000_000],
  ] as const) {
    const size = groupRows(columns, rows);
    expect(size * columns).toBeLessThan(16 * 1024 * 1024);
    expect(Math.ceil(rows / size) * columns).toBeLessThanOrEqual(51_000);
  }
});
