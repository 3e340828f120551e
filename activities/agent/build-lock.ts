import type { BuildLock } from '../../builders/builder.js';
import { within } from '../../domain/within.js';
import type { AgentApi } from './agent-api.js';
import { untilAnswered } from './retry.js';

/** Often enough that an API which is restarted in between costs no lock (store/build-locks.ts has how long one lasts). */
const renewMs = 5_000;
const askAgainMs = 1_000;

/** The lock of the API: it holds over all agents, and goes with the claim of its holder. */
export function apiBuildLock(
  { api, launchId, claim }: { api: AgentApi; launchId: string; claim: string },
  signal: AbortSignal,
): BuildLock {
  return async (key, onWait, work) => {
    const ask = (action: 'take' | 'release'): Promise<boolean> => api.buildLock(launchId, claim, key, action);
    for (let waited = false; !(await untilAnswered(signal, () => ask('take'))); waited = true) {
      if (!waited) onWait();
      await within(signal, askAgainMs, endOf);
      signal.throwIfAborted();
    }
    // One that is not answered is sent again before the lock ends.
    const renewing = setInterval(() => void ask('take').catch(() => undefined), renewMs);
    try {
      return await work();
    } finally {
      clearInterval(renewing);
      await ask('release').catch(() => undefined);
    }
  };
}

const endOf = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
