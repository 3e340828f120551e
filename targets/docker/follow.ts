import type { JobStatus } from '../../domain/job-plan.js';
import { type Engine, EngineAway } from './engine.js';
import { jobStatus } from './status.js';
import type { Watcher } from './watcher.js';

/** An Engine that restarts is back within seconds; only a longer absence is news. */
const awayWordsAfterMs = 3_000;

export async function* followJob(
  engine: Engine,
  watcher: Watcher,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<JobStatus> {
  const watched = watcher.watch(name);
  let last: JobStatus | undefined;
  let shown = '';
  let awaySinceMs: number | undefined;
  const isNew = (status: JobStatus): boolean => {
    const text = JSON.stringify(status);
    if (text === shown) return false;
    shown = text;
    return true;
  };
  try {
    while (!signal.aborted) {
      const status = await jobStatus(engine, name).catch((error: unknown) => {
        if (error instanceof EngineAway) return error;
        throw error;
      });
      if (status instanceof EngineAway) {
        awaySinceMs ??= Date.now();
        if (last && Date.now() - awaySinceMs >= awayWordsAfterMs) {
          const reason = `The Docker Engine has not answered since ${new Date(awaySinceMs).toISOString()}.`;
          const waiting = { ...last, reason };
          if (isNew(waiting)) yield waiting;
        }
      } else {
        awaySinceMs = undefined;
        // A container that nobody started and somebody removed: there is no job, and whoever asked decides what that means.
        if (status === undefined && last !== undefined) return;
        if (status) {
          last = status;
          if (isNew(status)) yield status;
          if (status.state === 'ended') return;
        }
      }
      await watched.next(signal);
    }
  } finally {
    watched.close();
  }
}
