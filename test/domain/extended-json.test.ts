import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseExtendedJson, parseObjectOrEmpty, toStrictJson, type Json } from '../../domain/extended-json.js';

/** A value, its extended text, and what reading it should give. */
const nonFinite = fc.constantFrom(
  { text: 'NaN', read: 'NaN' as Json },
  { text: 'Infinity', read: 'Infinity' as Json },
  { text: '-Infinity', read: '-Infinity' as Json },
);
// Texts that look like the tokens, and the characters that end or hide the end of a string.
const trickyText = fc.oneof(
  fc.string(),
  fc
    .array(fc.constantFrom('NaN', '-Infinity', '"', '\\', '\\"', ',', ':', '}', 'é', '\u0000'), { maxLength: 12 })
    .map((a) => a.join('')),
);
const { tree } = fc.letrec<{ tree: { text: string; read: Json } }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    nonFinite,
    fc.oneof(fc.integer(), fc.boolean(), fc.constant(null)).map((v) => ({ text: JSON.stringify(v), read: v })),
    trickyText.map((v) => ({ text: JSON.stringify(v), read: v })),
    fc.array(tie('tree'), { maxLength: 5 }).map((items) => ({
      text: `[${items.map((i) => i.text).join(' , ')}]`,
      read: items.map((i) => i.read),
    })),
    fc.array(fc.tuple(trickyText, tie('tree')), { maxLength: 5 }).map((entries) => ({
      text: `{${entries.map(([key, value]) => `${JSON.stringify(key)}: ${value.text}`).join(',')}}`,
      read: Object.fromEntries(entries.map(([key, value]) => [key, value.read])),
    })),
  ),
}));

test('values are read as JSON reads them, and NaN and the infinities as strings', () => {
  fc.assert(
    fc.property(tree, ({ text, read }) => {
      expect(parseExtendedJson(text)).toEqual(read);
    }),
  );
});

test('strict JSON is left as it is, letter for letter', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(toStrictJson(text)).toBe(text);
      expect(parseExtendedJson(text)).toEqual(JSON.parse(text));
    }),
  );
});

test('anything else is refused with a syntax error and no other', () => {
  fc.assert(
    fc.property(trickyText, (text) => {
      try {
        JSON.parse(toStrictJson(text));
      } catch {
        expect(() => parseExtendedJson(text)).toThrow(SyntaxError);
      }
    }),
  );
  for (const text of ['', '{', '{"a": NaNa}', '{"a": -NaN}', '1NaN', '{NaN: 1,}', '[Infinity', '"NaN'])
    expect(() => parseExtendedJson(text), text).toThrow(SyntaxError);
});

test('a text made to be slow is not', () => {
  // Escaped quotes, backslashes and open strings: each would take minutes if a position were looked at again and again.
  for (const piece of ['\\"', '\\\\', '"', 'NaN', '"\\', '-'])
    expect(() => parseExtendedJson(`["${piece.repeat(1_000_000)}NaN`)).toThrow(SyntaxError);
});

test('a stored text that is broken reads as empty', () => {
  for (const text of ['', 'x', '[1]', '"s"', 'null', '{"a":']) expect(parseObjectOrEmpty(text)).toEqual({});
  expect(Object.getPrototypeOf(parseObjectOrEmpty('{"__proto__": {"x": 1}}'))).toBe(Object.prototype);
});
