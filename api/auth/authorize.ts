import { DavitError } from '../../domain/errors.js';
import { roleIncludes, type Role } from '../../domain/words.js';
import { entityByName, memberRole, type EntityRow } from '../../store/entities.js';
import type { Store } from '../../store/open.js';
import type { Actor } from './authenticate.js';

/**
 * The role that this actor has in the entity; undefined = it may not even know that the entity exists.
 * A user's own entity and a site admin: admin. Teams: as the member row says. Agents and jobs: member of their one entity; what a job's
 * key may touch in it (its own launch and run) is for the caller to check by `actor.launchId`.
 */
export async function roleOf(db: Store, actor: Actor, entityId: number): Promise<Role | undefined> {
  if (actor.kind !== 'user') return actor.entityId === entityId ? 'member' : undefined;
  if (actor.isAdmin || actor.homeEntity?.id === entityId) return 'admin';
  if (actor.userId === undefined) return undefined;
  return memberRoleSoon(db, entityId, actor.userId);
}

/** As with keys: a role that somebody had is believed for so long, so that a burst of requests asks once. */
const cacheMs = 3_000;
const cacheEntries = 10_000;
const caches = new WeakMap<object, Map<string, { role: Role; untilMs: number }>>();

async function memberRoleSoon(db: Store, entityId: number, userId: number): Promise<Role | undefined> {
  let cache = caches.get(db);
  if (!cache) caches.set(db, (cache = new Map<string, { role: Role; untilMs: number }>()));
  const key = `${entityId}/${userId}`;
  const known = cache.get(key);
  if (known && known.untilMs > Date.now()) return known.role;
  cache.delete(key);
  const role = await memberRole(db, entityId, userId);
  if (role === undefined) return undefined;
  if (cache.size >= cacheEntries) cache.clear();
  cache.set(key, { role, untilMs: Date.now() + cacheMs });
  return role;
}

/** A role was changed in this process: it counts at once here. */
export function forgetRole(db: Store, entityId: number, userId: number): void {
  caches.get(db)?.delete(`${entityId}/${userId}`);
}

/** Throws `not-found` when the actor cannot see the entity, `forbidden` when it sees it but lacks the role. */
export async function requireRole(db: Store, actor: Actor, entityId: number, role: Role): Promise<void> {
  const have = await roleOf(db, actor, entityId);
  if (have === undefined) throw new DavitError('not-found');
  if (!roleIncludes(have, role))
    throw new DavitError('forbidden', `This needs the role ${role} in the entity; this key has ${have}.`);
}

/** The entity of this name, if the actor has the role in it. An unknown and a foreign entity answer alike. */
export async function requireEntity(db: Store, actor: Actor, name: string, role: Role): Promise<EntityRow> {
  const entity = await entityByName(db, name);
  const have = entity && (await roleOf(db, actor, entity.id));
  if (!entity || have === undefined)
    throw new DavitError('not-found', `There is no entity "${name}" that this key may see.`);
  if (!roleIncludes(have, role))
    throw new DavitError('forbidden', `This needs the role ${role} in "${name}"; this key has ${have}.`);
  return entity;
}
