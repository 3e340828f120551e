import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { labelsSchema, type Labels } from '../../domain/requirements.js';

/**
 * The kinds of values a setting may have. Flags and variables give text, the file gives typed values: each kind takes both and says in
 * words what it allows, for messages and for the reference page.
 */
export interface Kind<T> {
  type: z.ZodType<T>;
  allowed: string;
  /** Boolean settings become a pair of flags, --x and --no-x. */
  isBoolean?: boolean;
  /** Settings of several items get a flag for one of them, which may be given again and again, instead of the flag for all. */
  itemFlag?: string;
}

export function integer(min: number, max: number): Kind<number> {
  const allowed = `a whole number from ${min} to ${max}`;
  const fromText = (value: unknown) =>
    typeof value === 'string' && /^\s*-?\d+\s*$/.test(value) ? Number(value) : value;
  const type = z.preprocess(
    fromText,
    z.int(`must be ${allowed}`).min(min, `must be ${allowed}`).max(max, `must be ${allowed}`),
  );
  return { type, allowed };
}

/** How many at once; -1 is no limit. Not 0: an agent without slots would look alive and take nothing. */
export function slots(): Kind<number> {
  const { type } = integer(-1, 10_000);
  const allowed = 'a whole number from 1 to 10000, or -1 for no limit';
  return { type: type.refine((value) => value !== 0, `must be ${allowed}`), allowed };
}

export function boolean(): Kind<boolean> {
  const allowed = 'true or false';
  const words: Record<string, boolean> = { true: true, '1': true, yes: true, false: false, '0': false, no: false };
  const fromText = (value: unknown) =>
    typeof value === 'string' ? (words[value.trim().toLowerCase()] ?? value) : value;
  return { type: z.preprocess(fromText, z.boolean(`must be ${allowed}`)), allowed, isBoolean: true };
}

export function text(allowed = 'text', pattern = /^[^\0\n]+$/): Kind<string> {
  return { type: z.string(`must be ${allowed}`).regex(pattern, `must be ${allowed}`), allowed };
}

export function choice<const T extends readonly [string, ...string[]]>(...values: T): Kind<T[number]> {
  const allowed = `one of ${values.join(', ')}`;
  return { type: z.enum(values, `must be ${allowed}`), allowed };
}

/** A path; "~/" is the user's home, relative ones count from where the program is started. */
export function path(): Kind<string> {
  const allowed = 'a path';
  const full = (value: string) =>
    value === '~' || value.startsWith('~/')
      ? join(homedir(), value.slice(1))
      : isAbsolute(value)
        ? value
        : resolve(value);
  return { type: z.string(`must be ${allowed}`).min(1, `must be ${allowed}`).transform(full), allowed };
}

export function url(schemes: readonly string[], example: string): Kind<string> {
  const allowed = `an address such as ${example}`;
  const isOne = (value: string) => URL.canParse(value) && schemes.includes(new URL(value).protocol.slice(0, -1));
  return { type: z.string(`must be ${allowed}`).refine(isOne, `must be ${allowed}`), allowed };
}

/** Several words: a list in the file, separated by commas elsewhere. */
export function list(of: string, pattern: RegExp): Kind<string[]> {
  const allowed = `${of}, separated by commas`;
  const fromText = (value: unknown) =>
    typeof value === 'string'
      ? value
          .split(',')
          .map((part) => part.trim())
          .filter((part) => part !== '')
      : value;
  const item = z.string(`must be ${allowed}`).regex(pattern, `must be ${allowed}`);
  return { type: z.preprocess(fromText, z.array(item, `must be ${allowed}`)), allowed };
}

/** name=value, several of them: a mapping or a list in the file, a flag each, separated by commas in a variable. */
export function labels(): Kind<Labels> {
  const allowed = 'labels such as gpu=a100, separated by commas';
  const fromText = (value: unknown): unknown => {
    const items = typeof value === 'string' ? value.split(',').filter((item) => item.trim() !== '') : value;
    if (!Array.isArray(items)) return value;
    const pairs: [string, string][] = [];
    for (const item of items.flatMap((one: unknown) => (typeof one === 'string' ? one.split(',') : [one]))) {
      const at = typeof item === 'string' ? item.indexOf('=') : -1;
      if (typeof item !== 'string' || at < 1) return value;
      pairs.push([item.slice(0, at).trim(), item.slice(at + 1).trim()]);
    }
    // The same name twice is a mistake that one of them would hide.
    return new Set(pairs.map(([name]) => name)).size === pairs.length ? Object.fromEntries(pairs) : value;
  };
  return { type: z.preprocess(fromText, labelsSchema), allowed, itemFlag: 'label' };
}
