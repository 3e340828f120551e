/**
 * Values of a sweep's config, with numbers that keep their text: `1.0` must reach the program as a float and `1` as an int, which JavaScript's own
 * numbers cannot tell apart.
 */
export class PyNumber {
  /** `text` is a number as JSON (and Python's reading of it) has it, or `NaN`, `Infinity`, `-Infinity`. */
  private constructor(
    readonly text: string,
    readonly value: number,
    readonly isInt: boolean,
  ) {}

  /** Whole numbers beyond 2^53 keep their digits in the text. */
  static int(value: number | bigint): PyNumber {
    return new PyNumber(BigInt(value).toString(), Number(value), true);
  }

  static float(value: number): PyNumber {
    const text = String(value);
    return new PyNumber(/^-?\d+$/.test(text) ? `${text}.0` : text, value, false);
  }
}

export type Value = null | boolean | string | PyNumber | Value[] | { [key: string]: Value };
export type ValueMap = { [key: string]: Value };

export const isValueMap = (value: Value | undefined): value is ValueMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof PyNumber);

/** JSON text as Python reads it back, type for type. */
export function toJsonText(value: Value): string {
  if (value instanceof PyNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(toJsonText).join(',')}]`;
  if (isValueMap(value))
    return `{${Object.entries(value)
      .map(([key, entry]) => `${JSON.stringify(key)}:${toJsonText(entry)}`)
      .join(',')}}`;
  return JSON.stringify(value);
}

/** As JSON has it; what JSON has no number for is its text. */
export function plainValue(value: Value): unknown {
  if (value instanceof PyNumber) return Number.isFinite(value.value) ? value.value : value.text;
  if (Array.isArray(value)) return value.map(plainValue);
  if (isValueMap(value))
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plainValue(entry)]));
  return value;
}

/** Equal for equal values: 3 and 3.0 are one, the order of keys does not count. */
export function canonicalText(value: Value): string {
  if (value instanceof PyNumber)
    return value.isInt && !Number.isSafeInteger(value.value) ? value.text : String(value.value === 0 ? 0 : value.value);
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (isValueMap(value))
    return `{${Object.keys(value)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonicalText(value[key] ?? null)}`)
      .join(',')}}`;
  return JSON.stringify(value);
}

/** A value for a sentence, short. */
export const shown = (value: Value | undefined): string => {
  const text = value === undefined ? 'nothing' : toJsonText(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
};
