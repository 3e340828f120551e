import { InvalidArgumentError } from 'commander';

/** Values of options that several commands have. */

export function wholeAbove0(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('It must be a whole number above 0.');
}

/** A number, or that there is none: commander makes an empty text of null. */
export type OrNone = number | 'none';
export const nullForNone = (value: OrNone | undefined): number | null | undefined => (value === 'none' ? null : value);

export function limitOption(text: string): OrNone {
  if (text === 'none') return text;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number, or none.');
}

export function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError('It must be a JSON object, such as {"maxLogBytes": 1000000}.');
}

/** The object without what is undefined: an option that was not given says nothing. */
export function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
