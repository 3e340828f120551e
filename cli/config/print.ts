import type { Setting, Settings } from './settings.js';
import type { Loaded } from './load.js';

/** The configuration as it may be printed and logged: each value with its source, without secrets. */
export function redacted(
  settings: Settings,
  loaded: Loaded<Record<string, unknown>>,
): Record<string, { value: unknown; from: string }> {
  const entries = Object.entries(settings).flatMap(([key, one]) => {
    const value = loaded.values[key];
    return value === undefined ? [] : [[key, { value: redactedValue(one, value), from: loaded.origins[key] ?? '' }]];
  });
  return Object.fromEntries(entries) as Record<string, { value: unknown; from: string }>;
}

function redactedValue(one: Setting<unknown>, value: unknown): unknown {
  if (one.secret === 'no') return value;
  if (one.secret === 'yes' || typeof value !== 'string' || !URL.canParse(value)) return '(secret)';
  const address = new URL(value);
  if (address.password !== '') address.password = 'secret';
  // Passwords may stand in the query as well, and nothing there is needed to know which database it is.
  address.search = '';
  return address.toString();
}
