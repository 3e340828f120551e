import { sql } from 'kysely';
import { timeOutFailure, type TimeOutCode } from '../domain/time-outs.js';
import type { Timeouts } from '../domain/retry-policy.js';
import type { LaunchState } from '../domain/words.js';
import { revokeLaunchKeys } from './keys.js';
import type { Store } from './open.js';

/** Steps that took too long. The columns are kept by triggers (migration 0004), so a dead agent or workflow changes nothing about them. */

export interface Overdue {
  id: string;
  deadline: TimeOutCode;
  timeouts: Timeouts;
  /** When it was looked at. */
  state: LaunchState;
}

export async function overdueLaunches(db: Store, limit: number): Promise<Overdue[]> {
  const result = await sql<Overdue>`
    select id, deadline, timeouts, state from launch where deadline_at <= clock_timestamp() and deadline is not null and timeouts is not null
    order by deadline_at limit ${limit}`.execute(db);
  return result.rows;
}

/**
 * Asks for the launch's stop in the name of its time-out; one that has no job yet ends at once. Undefined: it went on, ended, or is being
 * stopped already.
 */
export async function timeOut(db: Store, { id, deadline, timeouts, state }: Overdue): Promise<LaunchState | undefined> {
  const why = JSON.stringify(timeOutFailure(deadline, timeouts, state));
  return db.transaction().execute(async (tx) => {
    const result = await sql<{ state: LaunchState | null }>`
      select line_time_out(${id}, ${deadline}, ${why}::jsonb) as state`.execute(tx);
    const next = result.rows[0]?.state ?? undefined;
    if (next === 'failed') await revokeLaunchKeys(tx, id);
    return next;
  });
}
