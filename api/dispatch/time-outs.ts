import { overdueLaunches, timeOut } from '../../store/time-outs.js';
import type { Store } from '../../store/open.js';

/** Looks for launches whose time is over. Several processes may do so at once: the first one that asks for a stop has asked for it. */
export async function endOverdue(db: Store, told: (launchId: string) => void): Promise<void> {
  for (const overdue of await overdueLaunches(db, 500)) if (await timeOut(db, overdue)) told(overdue.id);
}
