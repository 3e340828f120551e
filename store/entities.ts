import { DavitError } from '../domain/errors.js';
import type { Role } from '../domain/words.js';
import type { Store } from './open.js';
import { inTransaction } from './transaction.js';

/** Users and teams, and who may do what in a team. */

export interface EntityRow {
  id: number;
  name: string;
  kind: 'user' | 'team';
  created_at: Date;
}

/** Entities are never renamed or removed, so a row once read stays right; every request asks for one. */
const knownEntities = new WeakMap<object, Map<string, EntityRow>>();
const knownEntitiesMax = 10_000;

export async function entityByName(db: Store, name: string): Promise<EntityRow | undefined> {
  let known = knownEntities.get(db);
  if (!known) knownEntities.set(db, (known = new Map<string, EntityRow>()));
  const before = known.get(name);
  if (before) return before;
  const row = await db.selectFrom('entity').selectAll().where('name', '=', name).executeTakeFirst();
  // What a transaction sees may never be committed.
  if (!row || db.isTransaction) return row;
  if (known.size >= knownEntitiesMax) known.clear();
  known.set(name, row);
  return row;
}

export const entityById = (db: Store, id: number): Promise<EntityRow | undefined> =>
  db.selectFrom('entity').selectAll().where('id', '=', id).executeTakeFirst();

export async function memberRole(db: Store, entityId: number, userId: number): Promise<Role | undefined> {
  const row = await db
    .selectFrom('member')
    .select('role')
    .where('entity_id', '=', entityId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row?.role;
}

/** The entities that a user may see, with its role in each; all of them for a site admin. */
export async function listEntities(
  db: Store,
  viewer: { userId: number; isAdmin: boolean },
  page: { afterName?: string; limit: number },
): Promise<(EntityRow & { role: Role })[]> {
  const rows = await db
    .selectFrom('entity')
    .leftJoin('member', (join) =>
      join.onRef('member.entity_id', '=', 'entity.id').on('member.user_id', '=', viewer.userId),
    )
    .leftJoin('user_account', 'user_account.entity_id', 'entity.id')
    .select(['entity.id', 'entity.name', 'entity.kind', 'entity.created_at', 'member.role', 'user_account.id as owner'])
    .$if(!viewer.isAdmin, (q) =>
      q.where((eb) => eb.or([eb('member.role', 'is not', null), eb('user_account.id', '=', viewer.userId)])),
    )
    .$if(page.afterName !== undefined, (q) => q.where('entity.name', '>', page.afterName ?? ''))
    .orderBy('entity.name')
    .limit(page.limit)
    .execute();
  return rows.map(({ owner, role, ...entity }) => ({
    ...entity,
    role: viewer.isAdmin || owner === viewer.userId ? 'admin' : (role ?? 'viewer'),
  }));
}

/** A team with its first admin. Names of users and teams are one space. */
export async function createTeam(db: Store, team: { name: string; adminUserId: number }): Promise<EntityRow> {
  return inTransaction(db, async (tx) => {
    const entity = await tx
      .insertInto('entity')
      .values({ name: team.name, kind: 'team' })
      .onConflict((c) => c.column('name').doNothing())
      .returningAll()
      .executeTakeFirst();
    if (!entity) throw new DavitError('conflict', `An entity named "${team.name}" exists already.`);
    await tx.insertInto('member').values({ entity_id: entity.id, user_id: team.adminUserId, role: 'admin' }).execute();
    return entity;
  });
}

/** A user with an entity of the same name. */
export async function createUser(
  db: Store,
  user: { username: string; email?: string; displayName?: string; isAdmin?: boolean },
): Promise<{ userId: number; entityId: number }> {
  return inTransaction(db, async (tx) => {
    const entity = await tx
      .insertInto('entity')
      .values({ name: user.username, kind: 'user' })
      .onConflict((c) => c.column('name').doNothing())
      .returning('id')
      .executeTakeFirst();
    if (!entity) throw new DavitError('conflict', `An entity named "${user.username}" exists already.`);
    const row = await tx
      .insertInto('user_account')
      .values({
        entity_id: entity.id,
        username: user.username,
        email: user.email ?? '',
        display_name: user.displayName ?? user.username,
        is_admin: user.isAdmin ?? false,
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    return { userId: row.id, entityId: entity.id };
  });
}

export const userByName = (db: Store, username: string) =>
  db.selectFrom('user_account').selectAll().where('username', '=', username).executeTakeFirst();

export const userById = (db: Store, id: number) =>
  db.selectFrom('user_account').selectAll().where('id', '=', id).executeTakeFirst();

export const listMembers = (db: Store, entityId: number) =>
  db
    .selectFrom('member')
    .innerJoin('user_account', 'user_account.id', 'member.user_id')
    .select(['user_account.username', 'user_account.display_name', 'member.role'])
    .where('member.entity_id', '=', entityId)
    .orderBy('user_account.username')
    .execute();

/**
 * Sets or removes (role undefined) a member of a team; returns whether anything changed. The last admin stays: the entity row is locked so
 * that two admins who remove each other at once cannot leave a team that nobody can manage.
 */
export async function setMember(db: Store, entityId: number, userId: number, role: Role | undefined): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    await tx.selectFrom('entity').select('id').where('id', '=', entityId).forUpdate().execute();
    const before = await memberRole(tx, entityId, userId);
    if (before === role) return false;
    if (before === 'admin') {
      const admins = await tx
        .selectFrom('member')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('entity_id', '=', entityId)
        .where('role', '=', 'admin')
        .executeTakeFirstOrThrow();
      if (admins.count < 2) throw new DavitError('conflict', 'A team keeps at least one admin.');
    }
    if (role === undefined)
      await tx.deleteFrom('member').where('entity_id', '=', entityId).where('user_id', '=', userId).execute();
    else
      await tx
        .insertInto('member')
        .values({ entity_id: entityId, user_id: userId, role })
        .onConflict((c) => c.columns(['entity_id', 'user_id']).doUpdateSet({ role }))
        .execute();
    return true;
  });
}
