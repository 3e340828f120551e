import type { Logger } from 'pino';
import { DavitError } from '../../domain/errors.js';
import { relaunchRequest } from '../../domain/relaunch.js';
import { advance, leaseBulk, nextItems, postponeBulk, stepBulk, type Progress } from '../../store/bulk.js';
import { launchesByIds } from '../../store/launches.js';
import type { Store } from '../../store/open.js';
import type { Dispatch } from '../deps.js';

/**
 * Does the work of bulks, a step at a time. Any number of API processes may do so at once: a step is locked by who does it, and one that was
 * cut off is done by whoever comes next.
 */
export interface BulkDeps {
  db: Store;
  enqueue: Dispatch['enqueue'];
  told(launchId: string): void;
  nudgeQueue(queueId: number): void;
  log: Logger;
}

/** For so long a step may lock a line: claims and enqueues of that line wait meanwhile. */
const lockMs = 40;
const smallest = 10;
const largest = 500;
/** A retry is an enqueue: launches between two notes of progress, and how long others leave them to us. */
const retriesAtOnce = 25;
const retryLeaseMs = 5_000;

export function bulkRunner({ db, enqueue, told, nudgeQueue, log }: BulkDeps) {
  /** Launches a step, by bulk: as many as lately fitted into `lockMs`. */
  const sizes = new Map<string, number>();
  let working: Promise<void> | undefined;
  let again = false;
  let stopped = false;

  async function stepOfLine(): Promise<boolean> {
    const step = await stepBulk(db, (id) => sizes.get(id) ?? 50);
    if (!step) return false;
    const { bulkId, action, count, heldMs, tell, roomIn } = step;
    if (count === 0) sizes.delete(bulkId);
    else sizes.set(bulkId, Math.round(Math.max(smallest, Math.min(largest, (count * lockMs) / Math.max(1, heldMs)))));
    for (const launchId of tell) told(launchId);
    if (roomIn !== undefined && (action === 'release' || action === 'transfer')) nudgeQueue(roomIn);
    return true;
  }

  async function stepOfRetry(): Promise<boolean> {
    const bulk = await leaseBulk(db, 'retry', retryLeaseMs);
    if (!bulk) return false;
    const items = await nextItems(db, bulk, retriesAtOnce);
    const rows = await launchesByIds(
      db,
      items.map(({ launchId }) => launchId),
    );
    const progress: Progress = { done: 0, skipped: 0, failures: {} };
    for (const { launchId } of items) {
      if (stopped) return false;
      const row = rows.get(launchId);
      if (!row || !bulk.work.states.includes(row.state)) {
        progress.skipped++;
        continue;
      }
      try {
        // No key of a client has a space in it.
        const idempotencyKey = `${bulk.id} ${launchId}`;
        const options = { idempotencyKey, defaultEntity: row.entity, relaunchOf: launchId, bulk: bulk.id };
        await enqueue(bulk.actor, relaunchRequest(row), options);
        progress.done++;
      } catch (error) {
        if (!(error instanceof DavitError) || error.entry.status >= 500) {
          await postponeBulk(db, bulk.id);
          throw error;
        }
        progress.failures[error.code] = (progress.failures[error.code] ?? 0) + 1;
      }
    }
    const cursor = String(items.at(-1)?.n ?? bulk.cursor);
    await db.transaction().execute((tx) => advance(tx, bulk, cursor, progress, items.length === 0));
    return true;
  }

  async function workAll(): Promise<void> {
    do {
      again = false;
      // Both in turn, so that neither waits for the other's end.
      for (let busy = true; busy && !stopped;) {
        const line = await stepOfLine();
        const retry = !stopped && (await stepOfRetry());
        busy = line || retry;
      }
    } while (again && !stopped);
  }

  /** Until nothing is left to do. */
  function run(): Promise<void> {
    if (stopped) return Promise.resolve();
    working ??= workAll().finally(() => (working = undefined));
    return working;
  }

  return {
    run,
    /** There is a new one. Never waits, never fails: a sweep makes up for it. */
    kick(): void {
      again = true;
      run().catch((error: unknown) => log.debug({ error: String(error) }, 'a bulk could not go on; the sweep will'));
    },
    /** After the step that is under way. */
    async stop(): Promise<void> {
      stopped = true;
      await working?.catch(() => undefined);
    },
  };
}
