import type { JobStatus } from '../../domain/job-plan.js';
import { Changes } from './changes.js';
import type { JobFolder } from './layout.js';
import { statusOf } from './state.js';

/** Nothing tells us that a keeper was killed, so everybody looks now and then. */
const netMs = 2_000;
/** When the folder is not there yet, or cannot be watched. */
const unwatchedNetMs = 250;

export async function* followJob(folder: JobFolder, signal: AbortSignal): AsyncGenerator<JobStatus> {
  const changes = new Changes();
  let last: string | undefined;
  try {
    while (!signal.aborted) {
      // Watch first, look then: what happens in between wakes us.
      const watched = changes.watch(folder.state);
      const status = await statusOf(folder);
      const shown = status && JSON.stringify(status);
      if (status && shown !== last) {
        last = shown;
        yield status;
      }
      if (status?.state === 'ended') return;
      await changes.next(watched ? netMs : unwatchedNetMs, signal);
    }
  } finally {
    changes.close();
  }
}
