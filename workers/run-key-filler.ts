import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Store } from '../store/open.js';
import { fillRunKeys } from '../store/run-keys.js';

const pauseMs = 2_000;
const longestPauseMs = 60_000;

/** Makes lists of runs fast for keys that were asked for lately (store/run-keys.ts). Any number of control workers may run this. */
export function startRunKeyFiller({ db, log }: { db: Store; log: Logger }): { stop(): Promise<void> } {
  const stop = new AbortController();
  const loop = async (): Promise<void> => {
    let failures = 0;
    while (!stop.signal.aborted) {
      try {
        while (!stop.signal.aborted && (await fillRunKeys(db)));
        failures = 0;
      } catch (error) {
        if (failures === 0)
          log.warn({ error: String(error) }, 'values of runs are not prepared for lists now; lists take longer');
        failures += 1;
      }
      const ms = Math.min(longestPauseMs, pauseMs * 2 ** Math.min(failures, 6));
      await wait(ms, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  };
  const done = loop();
  return {
    async stop() {
      stop.abort();
      await done;
    },
  };
}
