import type { Logger } from 'pino';
import { DavitError, failure } from '../../domain/errors.js';
import { isTerminal } from '../../domain/words.js';
import { admitLaunch } from '../../store/admission.js';
import { cancel } from '../../store/line.js';
import type { Store } from '../../store/open.js';
import { noteOf } from '../../store/outbox.js';
import type { Dispatch } from '../deps.js';
import { bulkRunner } from './bulks.js';
import { estimateSample } from './estimate-sample.js';
import { lineNudger } from './nudge.js';
import { createSweeps } from './sweeps.js';
import { tell } from './tell.js';
import type { LazyTemporal } from './temporal-client.js';
import type { Blobs } from '../../store/blobs/blobs.js';
import { temporalHealth } from './temporal-health.js';

export { lazyTemporal, type LazyTemporal } from './temporal-client.js';

export interface DispatchOptions {
  db: Store;
  temporal: LazyTemporal;
  /** Launches at the front of a line that have a workflow from the start. */
  windowSize: number;
  /** Says of each run of a sweep whether it could do its work. */
  observeSweep?: ((sweep: string, works: boolean) => void) | undefined;
  /** Present: bytes that no artifact needs any more are removed from here. */
  blobs?: Blobs | undefined;
  log: Logger;
}

/** With its own life: the entry point starts and stops it. */
export interface FullDispatch extends Dispatch {
  /** The sweeps run until `stop`. */
  start(): void;
  stop(): Promise<void>;
}

/** Tells under way at once, and waiting for it. What comes on top stays due: a burst must not pile up requests to Temporal. */
const tellsAtOnce = 32;
const tellsWaiting = 1_000;

/** From the store to Temporal: every change is committed first, and told after; what is not told now is told by a sweep. */
export function createDispatch(options: DispatchOptions): FullDispatch {
  const { db, temporal, windowSize, log } = options;
  const nudger = lineNudger(db, temporal, log);
  const health = temporalHealth();
  const sample = estimateSample({ db, dispatch: { temporalAway: health.away } }, log);
  const bulks = bulkRunner({ db, enqueue, told, nudgeQueue, log });
  const sweeps = createSweeps({
    db,
    temporal,
    nudger,
    windowSize,
    health,
    told,
    runBulks: bulks.run,
    observe: options.observeSweep,
    blobs: options.blobs,
    log,
  });
  let stopSweeps: (() => Promise<void>) | undefined;
  const waiting = new Set<string>();
  let telling = 0;

  async function tellNext(): Promise<void> {
    telling++;
    for (const launchId of waiting) {
      waiting.delete(launchId);
      try {
        const row = await noteOf(db, launchId);
        // Ended before it ever had a workflow: there is nobody to tell.
        if (row && (row.told || !isTerminal(row.state))) await tell(db, temporal, row);
      } catch (error) {
        log.debug({ launch: launchId, error: String(error) }, 'not told now; the sweep will');
      }
    }
    telling--;
  }

  function told(launchId: string): void {
    if (waiting.size >= tellsWaiting) return;
    waiting.add(launchId);
    if (telling < tellsAtOnce) void tellNext();
  }

  function nudgeQueue(queueId: number): void {
    void sweeps.nudgeQueue(queueId).catch((error: unknown) => {
      log.debug({ queueId, error: String(error) }, 'a queue could not be told; the sweep will');
    });
  }

  async function enqueue(...[actorName, request, options]: Parameters<Dispatch['enqueue']>) {
    const admitted = await admitLaunch(db, { ...options, request, actorName, windowSize });
    if (admitted.created) {
      if (admitted.inWindow) told(admitted.launchId);
      nudger.nudge(admitted);
      sample(admitted.launchId, admitted.queueId);
    }
    return { launchId: admitted.launchId, created: admitted.created, warnings: admitted.warnings };
  }

  return {
    told,
    temporalAway: health.away,
    nudge: (line) => nudger.nudge(line),
    nudgeQueue,
    bulkStarted: () => bulks.kick(),
    enqueue,

    async cancel(launchId, actorName) {
      const state = await cancel(db, launchId, actorName, failure('cancelled', 'run'));
      if (state === null) throw new DavitError('not-found', `There is no launch ${launchId}.`);
      told(launchId);
      return state;
    },

    start() {
      stopSweeps ??= sweeps.start();
    },
    async stop() {
      nudger.stop();
      await bulks.stop();
      await stopSweeps?.();
      await temporal.close();
    },
  };
}
