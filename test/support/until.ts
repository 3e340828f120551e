import { setTimeout as wait } from 'node:timers/promises';

/**
 * Waits until the condition holds (gives anything but undefined, null, false or an empty text) and gives what it gave. Throws with `what` after `ms`, with the
 * condition's own last error when there was one. The time limit is for hangs; no test may depend on how long something takes.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  options: { what?: string | (() => string); ms?: number; everyMs?: number } = {},
): Promise<Exclude<T, undefined | null | false | ''>> {
  const { what = 'the condition', ms = 60_000, everyMs = 20 } = options;
  const deadline = Date.now() + ms;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await condition();
      // A file that is there and has nothing in it yet is as good as none.
      if (value !== undefined && value !== null && value !== false && value !== '')
        return value as Exclude<T, undefined | null | false | ''>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (Date.now() > deadline)
      throw new Error(`waited ${ms} ms for ${typeof what === 'string' ? what : what()}`, { cause: lastError });
    await wait(everyMs);
  }
}
