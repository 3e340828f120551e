/**
 * JSON as Python writes it: `NaN`, `Infinity` and `-Infinity` may stand where a value may. The wandb client sends such text in config, summary
 * and history. It is stored as it came; whoever needs values gets the three as strings, because strict JSON has no other way to say them.
 */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Throws `SyntaxError` for anything that is not extended JSON. Linear in the length of the text. */
export function parseExtendedJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    // The usual line has no such token; only a refused one is looked at a second time.
    if (!/NaN|Infinity/.test(text)) throw error;
    return JSON.parse(toStrictJson(text)) as Json;
  }
}

/** The same text with the three tokens as strings: valid JSON when the input was valid extended JSON. */
export const toStrictJson = (text: string): string => replaceTokens(text, '"$&"');

/** As `toStrictJson`, but so that `unmarkTokens` finds the tokens again: for texts that are changed and stored, not read. */
export const markTokens = (text: string): string => replaceTokens(text, '"\\u0000$&"');
export const unmarkTokens = (text: string): string => text.replace(/"\\u0000(-?Infinity|NaN)"/g, '$1');

function replaceTokens(text: string, replacement: string): string {
  let strict = '';
  let at = 0;
  while (at < text.length) {
    const quote = text.indexOf('"', at);
    const outside = quote < 0 ? text.slice(at) : text.slice(at, quote);
    strict += outside.replace(/-?Infinity|NaN/g, replacement);
    if (quote < 0) break;
    const end = endOfString(text, quote);
    strict += text.slice(quote, end);
    at = end;
  }
  return strict;
}

/** The object in a JSON text; `{}` when the text is empty, broken or something else (it came from outside long ago, and is only shown). */
export function parseObjectOrEmpty(text: string): { [key: string]: Json } {
  try {
    const value = parseExtendedJson(text);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

export const isJsonObject = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Index behind the string that begins at `quote`. Each backslash is looked at once, so many escaped quotes cost no more than others. */
function endOfString(text: string, quote: number): number {
  let at = quote + 1;
  while (at < text.length) {
    const next = text.indexOf('"', at);
    if (next < 0) return text.length;
    let backslashes = 0;
    while (next - 1 - backslashes >= at && text[next - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return next + 1;
    at = next + 1;
  }
  return text.length;
}
