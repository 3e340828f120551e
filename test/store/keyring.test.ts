import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { Keyring, newKeyLine } from '../../store/keyring.js';

const line = (id: string, bytes = 32): string => `${id}:${randomBytes(bytes).toString('base64')}`;

test('what is sealed opens in its own row and in no other, and not when a bit of it was changed', () => {
  const keyring = Keyring.parse(line('one'));
  const sealed = keyring.seal('hünter2', ['secret', 1, 'a']);
  expect(keyring.open(sealed, ['secret', 1, 'a'])).toBe('hünter2');
  expect(sealed.sealed.includes('hünter2')).toBe(false);
  expect(() => keyring.open(sealed, ['secret', 2, 'a'])).toThrow(/does not open/);
  expect(() => keyring.open(sealed, ['secret', 1, 'b'])).toThrow(/does not open/);
  for (let at = 0; at < sealed.sealed.length; at++) {
    const changed = Buffer.from(sealed.sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(() => keyring.open({ ...sealed, sealed: changed }, ['secret', 1, 'a'])).toThrow(/does not open/);
  }
});

test('the same value is never stored twice alike', () => {
  const keyring = Keyring.parse(line('one'));
  const about = ['secret', 1, 'a'];
  expect(keyring.seal('value', about).sealed.equals(keyring.seal('value', about).sealed)).toBe(false);
});

test('the first key seals, the others open', () => {
  const [old, young] = [line('old'), line('young')];
  const sealed = Keyring.parse(old).seal('value', ['x']);
  const both = Keyring.parse(`# the young one since May\n${young}\n\n${old}\n`);
  expect(both.ids).toEqual(['young', 'old']);
  expect(both.open(sealed, ['x'])).toBe('value');
  expect(both.seal('value', ['x']).keyId).toBe('young');
  expect(() => Keyring.parse(young).open(sealed, ['x'])).toThrow(/"old", which is missing/);
  expect(Keyring.parse(`${young}, ${old}`).ids).toEqual(['young', 'old']);
});

test('a list of keys that cannot be used is refused, without a word of the keys', () => {
  const short = line('short', 16);
  const twice = line('twice');
  for (const [text, why] of [
    ['', /no key/],
    ['# only a comment', /no key/],
    [randomBytes(32).toString('base64'), /key 1 is not written as id:base64/],
    [short, /key "short" has 16 bytes, not 32/],
    [`${twice}\n${twice}`, /two keys "twice"/],
  ] as const) {
    expect(() => Keyring.parse(text)).toThrow(why);
    try {
      Keyring.parse(text);
    } catch (error) {
      for (const part of text.split(/[:\s]/).filter((word) => word.length > 20))
        expect(String(error)).not.toContain(part);
    }
  }
});

test('a new key is a line that can be used', () => {
  const made = newKeyLine(new Date('2026-05-01'));
  expect(made).toMatch(/^k20260501-[0-9a-f]{4}:/);
  expect(Keyring.parse(made).ids).toHaveLength(1);
});
