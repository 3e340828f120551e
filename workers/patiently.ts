import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { DavitApiError } from '../client/index.js';

const longestBreakMs = 10_000;

/**
 * Calls an API that is there and too busy to answer (a thousand agents that start at once) again and again, with longer breaks each time. An
 * address where nothing listens, or a refusal, is an error at once: whoever started this program wants to read it.
 */
export async function patiently<T>(call: () => Promise<T>, log: Logger, patienceMs = 120_000): Promise<T> {
  const giveUpAtMs = Date.now() + patienceMs;
  for (let breakMs = 500; ; breakMs = Math.min(longestBreakMs, breakMs * 2)) {
    try {
      return await call();
    } catch (error) {
      if (!isBusy(error) || Date.now() + breakMs > giveUpAtMs) throw error;
      log.warn({ error: String(error), againInMs: breakMs }, 'the API is too busy to answer');
      await wait(error.retryAfterMs ?? breakMs);
    }
  }
}

const isBusy = (error: unknown): error is DavitApiError =>
  error instanceof DavitApiError &&
  (error.status === 429 ||
    error.status === 503 ||
    (error.cause instanceof Error && error.cause.name === 'TimeoutError'));
