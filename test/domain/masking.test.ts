import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Masks } from '../../domain/masking.js';
import { Needles } from '../../domain/needles.js';

const bytes = (letters: string, max: number, min = 0) =>
  fc.array(fc.constantFrom(...letters), { minLength: min, maxLength: max }).map((parts) => Buffer.from(parts.join('')));

/** Every place, every needle, one after the other. */
function slowly(text: Buffer, needles: readonly Buffer[]): number[] {
  const marks = Array.from(text, () => 0);
  for (const needle of needles)
    for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, at + 1))
      marks.fill(1, at, at + needle.length);
  return marks;
}

test('many words are found at once exactly where each is found alone, overlapping ones too', () => {
  fc.assert(
    fc.property(bytes('ab', 40), fc.array(bytes('ab', 6, 1), { minLength: 1, maxLength: 5 }), (text, needles) => {
      const marks = new Uint8Array(text.length);
      const open = new Needles(needles).mark(text, marks);
      expect([...marks]).toEqual(slowly(text, needles));
      const ends = needles.flatMap((needle) =>
        Array.from(needle.subarray(1), (_, i) => needle.subarray(0, i + 1)).filter((start) =>
          text.subarray(-start.length).equals(start),
        ),
      );
      expect(open).toBe(Math.max(0, ...ends.map((start) => start.length)));
    }),
    { numRuns: 2_000 },
  );
});

/** The text through a stream in these pieces, and how much was let go after each. */
function inPieces(masks: Masks, text: Buffer, places: readonly number[]): { shown: Buffer; letGo: number[] } {
  const at = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
  const stream = masks.stream();
  const out: Uint8Array[] = [];
  const letGo: number[] = [];
  for (const [i, from] of [0, ...at].entries()) {
    out.push(stream.write(text.subarray(from, at[i] ?? text.length)));
    letGo.push(out.reduce((sum, part) => sum + part.length, 0));
    expect(stream.held).toBe((at[i] ?? text.length) - (letGo.at(-1) ?? 0));
  }
  out.push(stream.end());
  return { shown: Buffer.concat(out), letGo };
}

const secret = fc
  .array(fc.constantFrom('a', 'b', 'c', 'ä', '\n'), { minLength: 4, maxLength: 9 })
  .map((l) => l.join(''));
const noise = fc.array(fc.constantFrom('a', 'b', 'c', 'x', '\n', 'ä', '"'), { maxLength: 12 }).map((l) => l.join(''));

test('cut anywhere, a log shows no secret, and what it shows is in its place', () => {
  fc.assert(
    fc.property(
      fc.array(secret, { minLength: 1, maxLength: 3 }),
      fc.array(fc.oneof(noise, fc.nat(2)), { maxLength: 8 }),
      fc.array(fc.nat()),
      (secrets, parts, places) => {
        const text = Buffer.from(
          parts.map((part) => (typeof part === 'number' ? secrets[part % secrets.length] : part)).join(''),
        );
        const masks = new Masks();
        masks.add(secrets);
        const { shown } = inPieces(masks, text, places);
        expect(shown.length).toBe(text.length);
        expect(shown.equals(inPieces(masks, text, []).shown)).toBe(true);
        for (const one of secrets) expect(shown.includes(one)).toBe(false);
        for (const [i, byte] of shown.entries()) if (byte !== 42) expect(byte).toBe(text[i]);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('no piece ends within a secret: who reads on from its end needs nothing of what was before', () => {
  const value = 'hf_abcabcabd';
  const text = Buffer.from(`one ${value} two abcabc hf_abcabc ${value}${value} end`);
  const masks = new Masks();
  masks.add([value]);
  const { shown: whole } = inPieces(masks, text, []);
  for (let place = 0; place <= text.length; place++) {
    const end = inPieces(masks, text, [place]).letGo[0] ?? 0;
    const after = inPieces(masks, text.subarray(end), []).shown;
    expect(after.toString(), `cut at ${place}`).toBe(whole.subarray(end).toString());
  }
});

describe('what counts as the secret', () => {
  const masked = (values: string[], text: string): string => {
    const masks = new Masks();
    masks.add(values);
    return masks.text(text);
  };

  test('the value as it is, quoted, in an address and in base64', () => {
    const value = 'p"ss w/rd+1';
    expect(masked([value], `say ${value}.`)).toBe('say ***********.');
    expect(masked([value], JSON.stringify({ value }))).toBe('{"value":"************"}');
    expect(masked([value], `https://u:${encodeURIComponent(value)}@host`)).toMatch(/^https:\/\/u:\*+@host$/);
    expect(masked([value], Buffer.from(value).toString('base64'))).toMatch(/^\*+=?$/);
    // `echo $VALUE | base64` adds a line's end.
    expect(masked([value], Buffer.from(`${value}\n`).toString('base64'))).toMatch(/^\*{12}/);
  });

  test('each line of it', () => {
    const key = '-----BEGIN KEY-----\nMIIEvQIBADANBg\r\nkqhkiG9w0BAQEF\n-----END KEY-----\n';
    expect(masked([key], 'line 2 is kqhkiG9w0BAQEF!')).toBe('line 2 is **************!');
  });

  test('keys of this API by their form, whoever they belong to, and nothing that only begins like one', () => {
    const key = `davit_run-${'0123456789'.repeat(4)}`;
    const masks = new Masks();
    const text = Buffer.from(`WANDB_API_KEY=${key}\ndavit davit_run- davit_run-12 loaded`);
    for (let place = 0; place <= text.length; place++) {
      const { shown } = inPieces(masks, text, [place]);
      // Its first letters, which every key has, may be shown.
      expect(shown.toString()).toMatch(/^WANDB_API_KEY=d?a?v?i?t?\*{45,50}\ndavit davit_run- davit_run-12 loaded$/);
      expect(shown.length).toBe(text.length);
    }
    // Much that is printed ends in its first letters: it is not held back for that.
    const stream = masks.stream();
    expect(Buffer.from(stream.write(Buffer.from('started'))).toString()).toBe('started');
  });

  test('all of it, when nobody knows what it is', () => {
    const masks = new Masks();
    masks.hideAll();
    expect(masks.text('any\nthing')).toBe('***\n*****');
  });
});
