import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { DavitApiError } from '../client/index.js';

export interface HeartbeatOptions {
  everyMs: number;
  send(): Promise<void>;
  log: Logger;
}

/** Answers that will not change. `not-found`: the agent was deleted while this process was not heard of. */
const finalCodes = ['agent-superseded', 'unauthenticated', 'forbidden', 'queue-not-bound', 'not-found'];

/** Sends heartbeats until stopped. An API that does not answer is waited for; one that says "superseded" ends the agent. */
export function beat({ everyMs, send, log }: HeartbeatOptions): { done: Promise<void>; stop(): void } {
  const stopped = new AbortController();
  let silent = false;
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      try {
        await send();
        if (silent) log.info('the API answers again');
        silent = false;
      } catch (error) {
        if (error instanceof DavitApiError && finalCodes.includes(error.code)) throw error;
        if (!silent) log.warn({ error: String(error) }, 'the API does not answer heartbeats; running jobs go on');
        silent = true;
      }
      await wait(everyMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
    // Ended by stop: `done` stays open, because nothing broke.
    await new Promise<never>(() => undefined);
  };
  return { done: loop(), stop: () => stopped.abort() };
}
