import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';

const longestPauseMs = 60_000;

export interface InTurnsOptions {
  pauseMs: number;
  log: Logger;
  /** Told once, when turns begin to fail. */
  failing: string;
  /** Told when they succeed again; silent without it. */
  wellAgain?: string;
}

/** Does work by the portion: at once while there is more (true), then after a pause, which grows while it fails. */
export function inTurns(work: () => Promise<boolean>, options: InTurnsOptions): { stop(): Promise<void> } {
  const { pauseMs, log, failing, wellAgain } = options;
  const stop = new AbortController();
  const loop = async (): Promise<void> => {
    let failures = 0;
    while (!stop.signal.aborted) {
      try {
        while (!stop.signal.aborted && (await work()));
        if (failures > 0 && wellAgain !== undefined) log.info(wellAgain);
        failures = 0;
      } catch (error) {
        if (failures === 0) log.warn({ error: String(error) }, failing);
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
