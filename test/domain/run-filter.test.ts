import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DavitError } from '../../domain/errors.js';
import { parseRunOrder } from '../../domain/run-filter-keys.js';
import { postgresRegex } from '../../domain/run-filter-regex.js';
import { filterLimits, parseRunFilter } from '../../domain/run-filter.js';

const parsed = (filter: unknown) => parseRunFilter(JSON.stringify(filter));
const complaint = (filter: unknown): string => {
  try {
    parseRunFilter(typeof filter === 'string' ? filter : JSON.stringify(filter));
  } catch (error) {
    if (error instanceof DavitError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return '';
};

describe('filters', () => {
  test('every spelling of a key that clients use means the same', () => {
    expect(parsed({ displayName: 'a' })).toEqual(parsed({ display_name: { $eq: 'a' } }));
    expect(parsed({ 'config.lr': 1 })).toEqual(parsed({ 'config.lr.value': 1 }));
    expect(parsed({ 'config.model.value.depth': 1 })).toEqual(parsed({ 'config.model.depth': 1 }));
    expect(parsed({ 'summary_metrics.loss': { $lt: 1 } })).toEqual(parsed({ 'summaryMetrics.loss': { $lt: 1 } }));
    expect(parsed({ createdAt: { $gt: '2030-01-01T00:00:00' } })).toEqual(
      parsed({ created_at: { $gt: '2030-01-01T01:00:00+01:00' } }),
    );
    expect(parsed({ created_at: { $gt: 1_900_000_000 } })).toEqual(parsed({ created_at: { $gt: 1_900_000_000_000 } }));
    expect(parsed({})).toBeUndefined();
    expect(parseRunFilter('null')).toBeUndefined();
  });

  test('what is wrong is named', () => {
    expect(complaint('{')).toMatch(/not valid JSON/);
    expect(complaint([1])).toMatch(/must be an object/);
    expect(complaint({ colour: 1 })).toMatch(/no key "colour"/);
    expect(complaint({ config: 1 })).toMatch(/config\.lr/);
    expect(complaint({ $where: 'x' })).toMatch(/"\$where"/);
    expect(complaint({ state: { $near: 1 } })).toMatch(/"\$near".*"state"/);
    expect(complaint({ $or: [] })).toMatch(/"\$or" needs a list/);
    expect(complaint({ created_at: { $gt: 'yesterday' } })).toMatch(/"created_at" needs a time/);
    expect(complaint({ created_at: '2030-13-45' })).toMatch(/needs a time/);
    expect(complaint({ duration: 'long' })).toMatch(/"duration" needs a number/);
    expect(complaint({ tags: { $gt: 'a' } })).toMatch(/"\$gt" cannot be used with "tags"/);
    expect(complaint({ name: { $in: 'a' } })).toMatch(/"\$in" of "name" needs a list/);
    expect(complaint({ name: { $regex: '(?=a)' } })).toMatch(/\$regex of "name"/);
  });

  test('filters are bounded', () => {
    let deep: unknown = { state: 'running' };
    for (let i = 0; i < filterLimits.depth + 1; i++) deep = { $and: [deep] };
    expect(complaint(deep)).toMatch(/levels deep/);
    expect(complaint({ $or: Array.from({ length: 501 }, () => ({ state: 'a' })) })).toMatch(/at most 500 conditions/);
    expect(complaint({ name: { $in: Array.from({ length: filterLimits.values + 1 }, String) } })).toMatch(/more than/);
    expect(complaint(`{"name":"${'a'.repeat(filterLimits.text)}"}`)).toMatch(/characters/);
  });

  test('no text makes the parser fail in any other way than by a sentence', () => {
    const keys = fc.constantFrom(
      '$and',
      '$or',
      '$not',
      '$in',
      '$regex',
      '$gt',
      '$exists',
      'state',
      'tags',
      'config.a.b',
      'created_at',
      '__proto__',
      '',
    );
    const { filter } = fc.letrec((tie) => ({
      filter: fc.dictionary(
        keys,
        fc.oneof({ maxDepth: 4 }, fc.jsonValue(), tie('filter'), fc.array(tie('filter'), { maxLength: 3 })),
        { maxKeys: 3 },
      ),
    }));
    fc.assert(
      fc.property(filter, (value) => {
        complaint(value);
      }),
      { numRuns: 500 },
    );
  });
});

describe('orders', () => {
  test('+ and - and nothing', () => {
    expect(parseRunOrder('-created_at')).toMatchObject({ descending: true, key: { column: 'created_at' } });
    expect(parseRunOrder('+config.lr.value')).toMatchObject({
      descending: false,
      key: { kind: 'config', path: ['lr'] },
    });
    expect(parseRunOrder(null)).toEqual(parseRunOrder('-created_at'));
    expect(() => parseRunOrder('+colour')).toThrow(/no key "colour"/);
    expect(() => parseRunOrder('tags')).toThrow(/tags/);
  });
});

describe('patterns', () => {
  const translated = (source: string) => postgresRegex(source, 'name').pattern;
  test('word boundaries are spelled as the database spells them', () => {
    expect(translated('\\bfoo\\b')).toBe('(?p)\\yfoo\\y');
    expect(translated('(?i)foo')).toBe('(?pi)foo');
    expect(translated('a{')).toBe('(?p)a\\{');
  });
  test.each(['(?=a)', '(?<=a)b', '(a)\\1', '\\Qa', '(', 'a)', '[a', '(a{200}){200}', 'a{1000}', '\\', '(?m)a'])(
    '%s is refused',
    (source) => {
      expect(() => translated(source)).toThrow(/cannot be used/);
    },
  );
});
