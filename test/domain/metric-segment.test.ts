import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commonBits, emptyBits, hasBit, rankOf, setBit, type Bits } from '../../domain/bits.js';
import type { Json } from '../../domain/extended-json.js';
import { flatten, SegmentBuilder, valueAt } from '../../domain/metric-segment.js';
import { addStats, addValue, emptyStats, meanOf, numberOf, type MetricStats } from '../../domain/metric-stats.js';

const statsOf = (values: readonly Json[]): MetricStats => {
  const stats = emptyStats();
  for (const value of values) addValue(stats, value);
  return stats;
};

const value = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }),
  fc.constantFrom<Json>('NaN', 'Infinity', '-Infinity', 'text', null, true, [1], { a: 1 }, { _type: 'image-file' }),
);

test('what is known of two stretches together is what is known of the whole', () => {
  fc.assert(
    fc.property(fc.array(value), fc.array(value), fc.array(value), (a, b, c) => {
      const joined = emptyStats();
      for (const part of [a, b, c]) if (part.length > 0) addStats(joined, statsOf(part));
      expect(joined).toEqual(statsOf([...a, ...b, ...c]));
    }),
  );
});

test('least, greatest and mean leave out what is no number; first and last are as logged', () => {
  const stats = statsOf([3, 'NaN', 'x', -1, 'Infinity', 4, 'NaN']);
  expect(stats).toMatchObject({
    types: { number: 6, string: 1 },
    min: -1,
    max: 'Infinity',
    firstNumber: 3,
    lastNumber: 'NaN',
    monotonic: false,
    last: 'NaN',
  });
  expect(meanOf(stats)).toBe(2);
  expect(meanOf(statsOf(['x', 'NaN']))).toBeUndefined();
  expect(statsOf([1, 1, 2]).monotonic).toBe(true);
});

test('kinds of values from outside stay few, and long values are not carried about', () => {
  const stats = statsOf(Array.from({ length: 100 }, (_, i) => ({ _type: `kind-${i}` })));
  expect(Object.keys(stats.types).length).toBeLessThanOrEqual(21);
  expect(Object.values(stats.types).reduce((a, b) => a + b)).toBe(100);
  expect(statsOf(['x'.repeat(10_000)]).last).toBeNull();
});

test('a set of lines knows its members and how many come before', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(99)), fc.uniqueArray(fc.nat(99)), (a, b) => {
      const setOf = (members: number[]): Bits => {
        const bits = emptyBits(100);
        for (const member of members) setBit(bits, member);
        return bits;
      };
      const bits = setOf(a);
      const places = Array.from({ length: 100 }, (_, at) => at);
      expect(places.filter((at) => hasBit(bits, at))).toEqual([...a].sort((x, y) => x - y));
      expect(places.map((at) => rankOf(bits, at))).toEqual(places.map((at) => a.filter((m) => m < at).length));
      expect(commonBits(100, [bits, setOf(b), undefined])).toEqual(
        a.filter((member) => b.includes(member)).sort((x, y) => x - y),
      );
    }),
  );
});

test('nested values are charted under dotted names, and found again under them', () => {
  const values: Record<string, Json> = {
    loss: 1,
    deep: { acc: 2, more: { x: 3 } },
    'dotted.name': 4,
    half: { 'dotted.too': { y: 5 } },
    image: { _type: 'image-file', path: 'media/x.png' },
  };
  const flat = [...flatten(values)];
  expect(flat.map(([key]) => key)).toEqual([
    'loss',
    'deep.acc',
    'deep.more.x',
    'dotted.name',
    'half.dotted.too.y',
    'image',
  ]);
  for (const [key, found] of flat) expect(valueAt(values, key)).toEqual(found);
  expect(valueAt(values, 'deep.none')).toBeUndefined();
  expect(valueAt(values, 'constructor')).toBeUndefined();
  expect(valueAt(values, 'image.path')).toBe('media/x.png');
});

test('a segment holds numbers exactly, and says where each key is', () => {
  const builder = new SegmentBuilder(1024, (key) => key !== 'unwanted');
  builder.add(1024, { a: 0.1, b: 'text', unwanted: 1 });
  builder.add(1026, { a: 'NaN', b: 1, c: 2 ** 53, 'd.e': 1, d: { e: 2 } });
  const segment = builder.finish(1027);
  expect(segment).toMatchObject({ first: 1024, until: 1027, lines: 2, partial: true });
  const chunk = (key: string) => segment.chunks.find((found) => found.key === key);
  expect([...(chunk('a')?.numbers ?? [])]).toEqual([0.1, NaN]);
  expect(commonBits(3, [chunk('a')?.present])).toEqual([0, 2]);
  expect(chunk('b')).toMatchObject({ lines: 2, numbers: undefined });
  expect(commonBits(3, [chunk('c')?.present])).toEqual([2]);
  expect(chunk('d.e')).toMatchObject({ lines: 1 });
  expect(numberOf(chunk('c')?.stats.max)).toBe(2 ** 53);
  expect(chunk('unwanted')).toBeUndefined();
});
