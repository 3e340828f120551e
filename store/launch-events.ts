import { sql } from 'kysely';
import type { Store } from './open.js';

/** The story of a launch. Every writer counts its own events, so that a retry writes the same row again and changes nothing. */

export async function appendEvent(
  db: Store,
  event: { launchId: string; writer: string; n: number; type: string; data?: Record<string, unknown>; at?: Date },
): Promise<void> {
  await db
    .insertInto('launch_event')
    .values({
      launch_id: event.launchId,
      writer: event.writer,
      n: event.n,
      type: event.type,
      data: JSON.stringify(event.data ?? {}),
      ...(event.at === undefined ? {} : { at: event.at }),
    })
    .onConflict((c) => c.columns(['launch_id', 'writer', 'n']).doNothing())
    .execute();
}

/** All writers' events by time. Clocks of several machines are in it, so among equal times the writer's own order decides. */
export const listEvents = (db: Store, launchId: string) =>
  db
    .selectFrom('launch_event')
    .select(['writer', 'n', 'at', 'type'])
    // The line writes down who took it by id; people know agents by name.
    .select(
      sql<Record<string, unknown>>`case when type = 'claimed'
        then data || jsonb_build_object('agentName', (select name from agent where agent.id = launch_event.data->>'agent')) else data end`.as(
        'data',
      ),
    )
    .where('launch_id', '=', launchId)
    .orderBy('at')
    .orderBy('writer')
    .orderBy('n')
    .limit(5_000)
    .execute();
