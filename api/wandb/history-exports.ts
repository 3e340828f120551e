import { setTimeout } from 'node:timers/promises';
import { exportedHistory, exportHistory, isExportable } from '../../store/history-exports.js';
import type { Store } from '../../store/open.js';
import type { WandbDeps } from './deps.js';

/** Files of history are made when a client first asks for them: most runs are never read whole. */

/** So long the asking client waits, which gives up after 30 s; what takes longer is there when it asks again. */
const waitMs = 15_000;
/** One is made at a time; a request for the files of a hundred runs begins no more than these. */
const mostWaiting = 10;

const making = new WeakMap<Store, Map<number, Promise<void>>>();

/** Blob keys of the files that hold all history of a run; undefined: it is to be read by pages. */
export async function historyFiles(deps: WandbDeps, runId: number): Promise<string[] | undefined> {
  const found = await exportedHistory(deps.db, runId);
  if (found.kind !== 'due') return found.kind === 'files' ? found.files : undefined;
  // Asked first, so that those who will read pages do not wait for others' files.
  if (!(await isExportable(deps.db, runId))) return undefined;
  const made = make(deps, runId);
  if (!made) return undefined;
  const enough = new AbortController();
  await Promise.race([made, setTimeout(waitMs, undefined, { signal: enough.signal }).catch(() => undefined)]);
  enough.abort();
  const now = await exportedHistory(deps.db, runId);
  return now.kind === 'files' ? now.files : undefined;
}

/** Never rejects: whoever waits reads pages then. */
function make(deps: WandbDeps, runId: number): Promise<void> | undefined {
  const queue = making.get(deps.db) ?? new Map<number, Promise<void>>();
  making.set(deps.db, queue);
  const known = queue.get(runId);
  if (known || queue.size >= mostWaiting) return known;
  const before = [...queue.values()].at(-1);
  const made = (async () => {
    await before;
    try {
      const startedAt = Date.now();
      if (await exportHistory(deps, runId)) deps.log.info({ runId, ms: Date.now() - startedAt }, 'exported a history');
    } catch (error) {
      deps.log.warn({ err: error, runId }, 'a history could not be exported; it is read by pages');
    } finally {
      queue.delete(runId);
    }
  })();
  queue.set(runId, made);
  return made;
}
