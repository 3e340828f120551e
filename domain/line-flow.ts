/**
 * How many tickets a line keeps out. A ticket carries no launch, so only their number matters: never fewer than min(cap, launches that can
 * be claimed), and none when nobody waits. Pure; the line workflow feeds it.
 */

/** Must exceed the slots that may become free within one round trip; more costs only memory. */
export const maxTicketsOut = 40;

export interface LineState {
  out: number;
  /** Tickets that should be out. */
  wanted: number;
  /** Number of `more` notes seen; a ticket remembers the number at its issue. */
  notes: number;
}

export const emptyLine: LineState = { out: 0, wanted: 0, notes: 0 };

export const onMore = (s: LineState, left: number): LineState => ({
  ...s,
  notes: s.notes + 1,
  wanted: Math.max(s.wanted, Math.min(maxTicketsOut, left)),
});

export const onIssue = (s: LineState): LineState => ({ ...s, out: s.out + 1 });

/**
 * A ticket came back; `left` launches could still be claimed at that moment. When a `more` arrived since the ticket was issued, `left` may
 * be older than that note, so at least this ticket is issued again.
 */
export function onAnswer(s: LineState, left: number, notesAtIssue: number): LineState {
  const out = s.out - 1;
  const fresh = s.notes === notesAtIssue;
  const wanted = Math.min(maxTicketsOut, fresh ? left : Math.max(left, out + 1));
  return { ...s, out, wanted };
}

export const toIssue = (s: LineState): number => Math.max(0, s.wanted - s.out);
export const isDrained = (s: LineState): boolean => s.out === 0 && s.wanted === 0;
