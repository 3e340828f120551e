import { DavitError } from './errors.js';

/** A pattern may grow to so many parts when its counts are written out. */
const largestPattern = 2_000;
const longestPattern = 1_000;
/** PostgreSQL's own bound. */
const largestCount = 255;

/**
 * Filters speak RE2, the database speaks its own dialect: the two differ in a few escapes, and PostgreSQL has more (back-references, looking around), which
 * can take for ever. Whatever is left after this is matched by an automaton; what is still no pattern, the database refuses.
 */
export function postgresRegex(
  source: string,
  key: string,
  alsoIgnoreCase = false,
): { pattern: string; source: string; ignoreCase: boolean } {
  const refuse = (why: string) => new DavitError('invalid-request', `The $regex of "${key}" cannot be used: ${why}.`);
  if (source.length > longestPattern) throw refuse(`it has more than ${longestPattern} characters`);
  let rest = source;
  let ignoreCase = alsoIgnoreCase;
  const flags = /^\(\?([a-z]+)\)/i.exec(rest);
  if (flags?.[1] !== undefined) {
    if (/[^is]/.test(flags[1])) throw refuse(`of flags it takes (?i) and (?s), at the beginning`);
    ignoreCase ||= flags[1].includes('i');
    rest = rest.slice(flags[0].length);
  }

  let out = '';
  let at = 0;
  /** Size of what stands in each open group: finished parts, and the last one, which a count would multiply. */
  const groups = [{ done: 0, last: 0 }];
  const top = () => groups[groups.length - 1] ?? { done: 0, last: 0 };
  const atom = (text: string, size = 1) => {
    const group = top();
    group.done += group.last;
    group.last = size;
    out += text;
  };
  while (at < rest.length) {
    const char = rest[at] ?? '';
    if (char === '\\') {
      const { text, length } = escape(rest.slice(at), refuse);
      atom(text);
      at += length;
    } else if (char === '[') {
      const { text, length } = bracket(rest.slice(at), refuse);
      atom(text);
      at += length;
    } else if (char === '(') {
      const special = /^\(\?(:|P?<[A-Za-z_]\w*>)?/.exec(rest.slice(at));
      if (special && special[1] === undefined) throw refuse('of (?…) it takes groups only, and (?i) at the beginning');
      if (groups.length > 50) throw refuse('its groups are too deep');
      groups.push({ done: 0, last: 0 });
      out += special?.[1] === ':' ? '(?:' : '(';
      at += special?.[0].length ?? 1;
    } else if (char === ')') {
      const group = groups.pop();
      if (!group || groups.length === 0) throw refuse('it has a ) without a (');
      atom(')', Math.max(group.done + group.last, 1));
      at++;
    } else if (char === '{' && /^\{\d+(,\d*)?\}/.test(rest.slice(at))) {
      const [whole = '', from = '', upTo = ''] = /^\{(\d+)(?:,(\d*))?\}/.exec(rest.slice(at)) ?? [];
      const most = Math.max(Number(from), Number(upTo));
      if (most > largestCount) throw refuse(`counts go up to ${largestCount}`);
      top().last *= Math.max(most, 1);
      out += whole;
      at += whole.length;
    } else {
      if (char === '{') atom('\\{');
      else if ('*+?'.includes(char)) out += char;
      else atom(char);
      at++;
    }
    if (groups.reduce((sum, { done, last }) => sum + done + last, 0) > largestPattern)
      throw refuse('written out, its counts make it too large');
  }
  if (groups.length > 1) throw refuse('it has a ( without a )');
  return { pattern: `(?${ignoreCase ? 'pi' : 'p'})${out}`, source, ignoreCase };
}

type Refuse = (why: string) => DavitError;

/** One escape outside of brackets. */
function escape(rest: string, refuse: Refuse): { text: string; length: number } {
  const next = rest[1];
  if (next === undefined) throw refuse('it ends with a \\');
  const other = { b: '\\y', B: '\\Y', z: '\\Z', A: '\\A' }[next];
  if (other !== undefined) return { text: other, length: 2 };
  return plainEscape(rest, refuse);
}

function plainEscape(rest: string, refuse: Refuse): { text: string; length: number } {
  const next = rest[1] ?? '';
  if ('dDwWsSnrtfv'.includes(next)) return { text: `\\${next}`, length: 2 };
  const hex = /^\\x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,4})\})/.exec(rest);
  if (hex) return { text: `\\u${(hex[1] ?? hex[2] ?? '').padStart(4, '0')}`, length: hex[0].length };
  if (/[\p{L}\p{N}]/u.test(next)) throw refuse(`it does not know \\${next}`);
  return { text: `\\${next}`, length: 2 };
}

/** A bracket expression as a whole. */
function bracket(rest: string, refuse: Refuse): { text: string; length: number } {
  let at = rest[1] === '^' ? 2 : 1;
  let text = rest.slice(0, at);
  // Right after the beginning, ] is itself.
  if (rest[at] === ']') {
    text += '\\]';
    at++;
  }
  while (at < rest.length) {
    const char = rest[at] ?? '';
    if (char === ']') return { text: `${text}]`, length: at + 1 };
    if (char === '\\') {
      if (rest[at + 1] === undefined) break;
      const { text: escaped, length } = plainEscape(rest.slice(at), refuse);
      text += escaped;
      at += length;
      continue;
    }
    if (char === '[') {
      const named = /^\[:\^?[a-z]+:\]/.exec(rest.slice(at));
      text += named?.[0] ?? '\\[';
      at += named?.[0].length ?? 1;
      continue;
    }
    text += char;
    at++;
  }
  throw refuse('it has a [ without a ]');
}
