import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventParser } from '../../client/event-source.js';
import { textOfChunk } from '../../domain/text-chunks.js';

/** Cuts at any places. */
function cut<T extends { length: number; slice(from: number, to: number): T }>(whole: T, places: number[]): T[] {
  const at = [...new Set(places.map((p) => p % (whole.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, i) => whole.slice(from, at[i] ?? whole.length));
}

test('a text that is cut anywhere, characters included, is the same text again', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.array(fc.nat()), (text, places) => {
      const bytes = Buffer.from(text);
      let before = Buffer.alloc(0);
      let read = '';
      for (const piece of cut(bytes, places)) {
        read += textOfChunk(before.subarray(-4), piece);
        before = Buffer.concat([before, piece]);
      }
      expect(read).toBe(bytes.toString());
    }),
  );
});

test('events that arrive in any pieces, with any line ends, are the same events', () => {
  const event = fc.record({ event: fc.constantFrom('log', 'end'), id: fc.constantFrom('1', 'abc'), data: fc.json() });
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 5 }),
      fc.array(fc.nat()),
      fc.constantFrom('\n', '\r\n'),
      (events, places, end) => {
        const text = events
          .map((e) => [`event: ${e.event}`, ': still here', `id: ${e.id}`, `data: ${e.data}`, '', ''].join(end))
          .join('');
        const parser = new EventParser();
        expect(cut(text, places).flatMap((piece) => parser.push(piece))).toEqual(events);
      },
    ),
  );
});
