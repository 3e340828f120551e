import { sql } from 'kysely';
import type { Store } from './open.js';

/** A holder that is silent for this long has lost the lock. */
export const buildLockTtlMs = 20_000;

interface Holder {
  entityId: number;
  key: string;
  launchId: string;
  claim: string;
}

/** Takes the lock, or renews it. False: another claim builds this image. A claim that is no launch's any more holds nothing. */
export async function takeBuildLock(db: Store, { entityId, key, launchId, claim }: Holder): Promise<boolean> {
  const expiresAt = sql<Date>`now() + ${buildLockTtlMs} * interval '1 millisecond'`;
  const taken = await db
    .insertInto('build_lock')
    .values({ entity_id: entityId, key, launch_id: launchId, claim, expires_at: expiresAt })
    .onConflict((conflict) =>
      conflict
        .columns(['entity_id', 'key'])
        .doUpdateSet({ launch_id: launchId, claim, expires_at: expiresAt })
        .where(
          sql<boolean>`build_lock.claim = ${claim} or build_lock.expires_at < now() or not exists (
            select from launch where launch.id = build_lock.launch_id and launch.claim = build_lock.claim)`,
        ),
    )
    .returning('key')
    .executeTakeFirst();
  return taken !== undefined;
}

export async function releaseBuildLock(db: Store, { entityId, key, claim }: Holder): Promise<void> {
  await db
    .deleteFrom('build_lock')
    .where('entity_id', '=', entityId)
    .where('key', '=', key)
    .where('claim', '=', claim)
    .execute();
}
