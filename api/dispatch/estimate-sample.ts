import type { Logger } from 'pino';
import { openEstimates } from '../../store/estimates.js';
import { waitingOf, type WaitingDeps } from '../waiting.js';

/**
 * Estimates for a few of the launches that come in, so that a queue's hit rate is known although nobody looks at its launches. Beside the
 * enqueue, one at a time and seldom: it costs a few milliseconds of the database and of this process.
 */
const every = 10;
const pauseMs = 500;
/** Of one queue, whose launches have not been taken yet: a line of a million is no reason for more. */
const mostOpen = 200;

export function estimateSample(deps: WaitingDeps, log: Logger) {
  let seen = 0;
  let busy = false;
  let lastMs = 0;

  async function estimate(launchId: string, queueId: number): Promise<void> {
    if ((await openEstimates(deps.db, queueId, mostOpen)) < mostOpen) await waitingOf(deps, launchId);
  }

  /** Never waits, never fails. The first launch and every tenth after it, if the last estimate is over. */
  return (launchId: string, queueId: number): void => {
    if (seen++ % every !== 0) return;
    if (busy || Date.now() < lastMs + pauseMs) return;
    busy = true;
    void estimate(launchId, queueId)
      .catch((error: unknown) => log.debug({ launch: launchId, error: String(error) }, 'no estimate for this launch'))
      .finally(() => {
        busy = false;
        lastMs = Date.now();
      });
  };
}
