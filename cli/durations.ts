import { InvalidArgumentError } from 'commander';

/** Durations as people write and read them: 90s, 15m, 2h, 1h30m, 7d. */

const unitsMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const whole = /^(\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;

/** Undefined: it is no duration. */
export function durationMsOf(text: string): number | undefined {
  if (!whole.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g))
    total += Number(amount) * (unitsMs[unit ?? ''] ?? 0);
  return Math.round(total);
}

/** For options. */
export function durationOption(text: string): number {
  const ms = durationMsOf(text);
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError('Write a duration such as 90s, 15m, 2h, 1h30m or 7d.');
}

/** As short as can be read: 45s, 14m, 2h05m, 3d4h. */
export function shortDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) {
    const rest = seconds % 60;
    return seconds < 600 && rest > 0 ? `${Math.floor(seconds / 60)}m${two(rest)}s` : `${Math.floor(seconds / 60)}m`;
  }
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h${two(Math.floor((seconds % 3_600) / 60))}m`;
  return `${Math.floor(seconds / 86_400)}d${Math.floor((seconds % 86_400) / 3_600)}h`;
}

/** As it is written in an option: 90s is 90s and 120s is 2m. */
export function durationWord(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const size = unitsMs[unit] ?? 1;
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

const two = (n: number): string => String(n).padStart(2, '0');
