import { sql } from 'kysely';
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

export interface UserRow {
  id: number;
  username: string;
  display_name: string;
  email: string;
  is_admin: boolean;
}

/** Addresses are compared without regard to case; nobody's is empty. */
export const userByEmail = (db: Store, email: string) =>
  db
    .selectFrom('user_account')
    .selectAll()
    .where('email', '<>', '')
    .where(sql`lower(email)`, '=', email.trim().toLowerCase())
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();

/** Users whose name or address has this text in it; for others than site admins, oneself and who is in a team with one. Exact finds come first. */
export async function searchUsers(
  db: Store,
  viewer: { userId: number; isAdmin: boolean },
  text: string,
  limit: number,
): Promise<UserRow[]> {
  const wanted = text.trim().toLowerCase().slice(0, 300);
  return db
    .selectFrom('user_account')
    .select(['id', 'username', 'display_name', 'email', 'is_admin'])
    .where((eb) =>
      eb.or([
        sql<boolean>`position(${wanted} in lower(username)) > 0`,
        sql<boolean>`position(${wanted} in lower(email)) > 0`,
        sql<boolean>`position(${wanted} in lower(display_name)) > 0`,
      ]),
    )
    .$if(!viewer.isAdmin, (q) =>
      q.where((eb) =>
        eb.or([
          eb('id', '=', viewer.userId),
          eb(
            'id',
            'in',
            eb
              .selectFrom('member as theirs')
              .innerJoin('member as mine', 'mine.entity_id', 'theirs.entity_id')
              .select('theirs.user_id')
              .where('mine.user_id', '=', viewer.userId),
          ),
        ]),
      ),
    )
    .orderBy(sql`lower(username) = ${wanted} or lower(email) = ${wanted}`, 'desc')
    .orderBy('username')
    .limit(limit)
    .execute();
}

/** Names of the teams of these users, as far as the viewer may know of them. */
export async function teamsOfUsers(
  db: Store,
  viewer: { userId: number; isAdmin: boolean },
  userIds: readonly number[],
): Promise<Map<number, string[]>> {
  const teams = new Map<number, string[]>();
  if (userIds.length === 0) return teams;
  const rows = await db
    .selectFrom('member')
    .innerJoin('entity', 'entity.id', 'member.entity_id')
    .select(['member.user_id', 'entity.name'])
    .where('member.user_id', 'in', userIds)
    .$if(!viewer.isAdmin, (q) =>
      q.where('member.entity_id', 'in', (eb) =>
        eb.selectFrom('member as mine').select('mine.entity_id').where('mine.user_id', '=', viewer.userId),
      ),
    )
    .orderBy('entity.name')
    .execute();
  for (const { user_id, name } of rows) teams.set(user_id, [...(teams.get(user_id) ?? []), name]);
  return teams;
}

/** Members of a team, or the one user whose entity it is. */
export async function membersOf(
  db: Store,
  entity: { id: number; kind: 'user' | 'team' },
): Promise<(UserRow & { role: Role })[]> {
  if (entity.kind === 'user') {
    const own = await db.selectFrom('user_account').selectAll().where('entity_id', '=', entity.id).executeTakeFirst();
    return own ? [{ ...own, role: 'admin' }] : [];
  }
  return db
    .selectFrom('member')
    .innerJoin('user_account', 'user_account.id', 'member.user_id')
    .select(['user_account.id', 'username', 'display_name', 'email', 'is_admin', 'member.role'])
    .where('member.entity_id', '=', entity.id)
    .orderBy('username')
    .execute();
}

/** What the files of runs and the versions of artifacts of an entity add up to; bytes that several share are counted for each. */
export async function storedBytes(db: Store, entityId: number): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    select (coalesce((select sum(f.size) from run_file f join run r on r.id = f.run_id join project p on p.id = r.project_id where p.entity_id = ${entityId}), 0)
      + coalesce((select sum(a.size) from artifact a join artifact_collection c on c.id = a.collection_id join project p on p.id = c.project_id
        where p.entity_id = ${entityId} and a.state = 'COMMITTED'), 0))::bigint as bytes`.execute(db);
  return rows[0]?.bytes ?? 0;
}
