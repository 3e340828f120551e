import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  emptyLine,
  isDrained,
  maxTicketsOut,
  onAnswer,
  onIssue,
  onMore,
  toIssue,
  type LineState,
} from '../../domain/line-flow.js';

/**
 * A model of one line: launches come and are claimed, tickets are out, agents take them in any order, notes arrive late or not at all until
 * the sweep. What must hold whatever the interleaving: the line never stands still for good while somebody waits, and ends without tickets.
 */
interface Model {
  waiting: number;
  line: LineState;
  /** `notes` at the issue of each ticket that is out. */
  out: number[];
}

const issue = (m: Model): void => {
  for (let n = toIssue(m.line); n > 0; n--) {
    m.out.push(m.line.notes);
    m.line = onIssue(m.line);
  }
};
const answer = (m: Model, index: number): void => {
  const [notesAtIssue] = m.out.splice(index % m.out.length, 1);
  if (notesAtIssue === undefined) return;
  if (m.waiting > 0) m.waiting--;
  m.line = onAnswer(m.line, Math.min(m.waiting, maxTicketsOut + 1), notesAtIssue);
  issue(m);
};
const more = (m: Model): void => {
  if (m.waiting === 0) return;
  m.line = onMore(m.line, Math.min(m.waiting, maxTicketsOut + 1));
  issue(m);
};

const step = fc.oneof(
  fc.record({ kind: fc.constant('enqueue' as const), n: fc.integer({ min: 1, max: 60 }), told: fc.boolean() }),
  fc.record({ kind: fc.constant('answer' as const), index: fc.nat() }),
  fc.record({ kind: fc.constant('sweep' as const) }),
);

describe('tickets of a line', () => {
  test('however notes and answers interleave, a told line drains, and no more tickets are out than allowed', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const m: Model = { waiting: 0, line: emptyLine, out: [] };
        for (const s of steps) {
          if (s.kind === 'enqueue') {
            m.waiting += s.n;
            if (s.told) more(m);
          } else if (s.kind === 'sweep') more(m);
          else if (m.out.length > 0) answer(m, s.index);
          expect(m.out.length).toBe(m.line.out);
          expect(m.line.out).toBeLessThanOrEqual(maxTicketsOut);
        }
        // From here on nobody comes; one last note, as the sweep gives it.
        more(m);
        for (let turn = 0; m.out.length > 0; turn++) {
          expect(turn).toBeLessThan(10_000);
          answer(m, turn * 7);
        }
        expect(m.waiting).toBe(0);
        expect(isDrained(m.line)).toBe(true);
      }),
    );
  });

  test('a launch that came while the last ticket was being answered gets a ticket', () => {
    const m: Model = { waiting: 1, line: emptyLine, out: [] };
    more(m);
    // The claim saw an empty line behind it; the note of the new launch overtakes the answer.
    m.waiting = 0;
    m.line = onMore(m.line, 1);
    m.line = onAnswer(m.line, 0, 0);
    expect(toIssue(m.line)).toBe(1);
  });
});
