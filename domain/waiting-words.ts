/** How times and numbers are said in the sentences about waiting. */

const unit = (n: number, word: string): string => `${n} ${word}`;

/** Roughly: `40 s`, `12 min`, `3 h`, `5 d`. */
export function roughly(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return unit(seconds, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return unit(minutes, 'min');
  const hours = Math.round(minutes / 60);
  return hours < 48 ? unit(hours, 'h') : unit(Math.round(hours / 24), 'd');
}

/** To the second, in UTC, as everywhere in Davit's text. */
export const clock = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;

export const since = (at: Date, now: Date): string => `since ${clock(at)} (${roughly(now.getTime() - at.getTime())})`;

export const plural = (n: number, word: string): string =>
  `${n.toLocaleString('en-US')} ${word}${n === 1 ? '' : word.endsWith('ch') ? 'es' : 's'}`;

export const count = (n: number, word: string): string => (n === 1 ? `one ${word}` : plural(n, word));

/** The first few, and how many more. */
export const listed = (names: readonly string[], most = 3): string =>
  names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;

/** What is, and what to do about it. */
export const sentence = (text: string, next: string): string =>
  `${text}; ${next}.`.replace(/^./, (c) => c.toUpperCase());
