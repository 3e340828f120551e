import { sql } from 'kysely';
import type { Store } from './open.js';

/** The first request of a process for its run. */
export interface LifeStart {
  /** It goes on where the run ended. */
  resumed: boolean;
  /** Time since the request arrived. */
  ageMs: () => number;
  /** Nobody waits for the answer any more: the client has given this request up, and perhaps sent it again. */
  isAbandoned: () => boolean;
}

/** Arrived before the present life began or the run ended, and was held up: the life that it asked for has been, or is. */
export async function isLate(tx: Store, runId: number, start: Pick<LifeStart, 'ageMs'>): Promise<boolean> {
  const row = await tx
    .selectFrom('run')
    .select(
      sql<boolean>`greatest(life_at, ended_at) > clock_timestamp() - ${Math.ceil(start.ageMs())} * interval '1 ms'`.as(
        'late',
      ),
    )
    .where('id', '=', runId)
    .where('life', '>', 0)
    .executeTakeFirst();
  return row?.late === true;
}
