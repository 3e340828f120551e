import { DavitError } from '../../domain/errors.js';
import { roleIncludes, type Role } from '../../domain/words.js';
import { entityByName, memberRole, ownerOfEntity, type EntityRow } from '../../store/entities.js';
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
  if ((await ownerOfEntity(db, entityId)) === actor.userId) return 'admin';
  return memberRole(db, entityId, actor.userId);
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
