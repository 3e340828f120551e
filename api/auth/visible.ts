import { roleIncludes } from '../../domain/words.js';
import { listEntities } from '../../store/entities.js';
import type { Store } from '../../store/open.js';
import type { Actor } from './authenticate.js';
import { requireEntity } from './authorize.js';

/** Entities are few; a user in more teams than this sees the first ones in lists over all of them. */
const maxEntities = 1_000;

/** The entities in which this actor may change things: as a member or as an admin. */
export async function workingEntityIds(db: Store, actor: Actor): Promise<number[] | 'all'> {
  if (actor.isAdmin) return 'all';
  if (actor.kind !== 'user' || actor.userId === undefined) return actor.entityId === undefined ? [] : [actor.entityId];
  const entities = await listEntities(db, { userId: actor.userId, isAdmin: false }, { limit: maxEntities });
  return entities.filter(({ role }) => roleIncludes(role, 'member')).map(({ id }) => id);
}

/** The entities that a list over "everything I may see" covers; with a name, that one, if it may be seen. */
export async function visibleEntityIds(db: Store, actor: Actor, entity?: string): Promise<number[] | 'all'> {
  if (entity !== undefined) return [(await requireEntity(db, actor, entity, 'viewer')).id];
  if (actor.isAdmin) return 'all';
  if (actor.kind !== 'user' || actor.userId === undefined) return actor.entityId === undefined ? [] : [actor.entityId];
  const entities = await listEntities(db, { userId: actor.userId, isAdmin: false }, { limit: maxEntities });
  return entities.map((row) => row.id);
}
