import type { Logger } from 'pino';

const firstDelayMs = 250;
const longestDelayMs = 10_000;

/**
 * Does something that needs another server, again and again until it works: a part may be started before what it rests on, and stays up
 * while that is away. Errors that waiting does not mend are thrown at once.
 */
export async function untilThere<T>(
  what: string,
  work: () => Promise<T>,
  options: { log: Logger; signal: AbortSignal; isTemporary(error: unknown): boolean },
): Promise<T> {
  const begunAtMs = Date.now();
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, longestDelayMs)) {
    try {
      return await work();
    } catch (error) {
      options.signal.throwIfAborted();
      if (!options.isTemporary(error)) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      const forSeconds = Math.round((Date.now() - begunAtMs) / 1000);
      options.log.warn({ reason, forSeconds, againInMs: delayMs }, `${what} cannot be reached; trying again`);
      await pause(delayMs, options.signal);
      options.signal.throwIfAborted();
    }
  }
}

export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end, { once: true });
  });
}
