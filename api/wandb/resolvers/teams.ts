import { DavitError } from '../../../domain/errors.js';
import { nameSchema } from '../../../domain/ids.js';
import { roleIncludes, type Role } from '../../../domain/words.js';
import { audit } from '../../../store/audit.js';
import {
  createTeam as makeTeam,
  membersOf,
  setMember,
  storedBytes,
  userByEmail,
  userById,
  userByName,
} from '../../../store/entities.js';
import { forgetRole } from '../../auth/authorize.js';
import { visibleEntity, type Context } from '../context.js';
import { userGlobalId } from '../ids.js';
import { parseUserId } from '../user-ids.js';
import { userNode } from './users.js';

interface EntityParent {
  id: number;
  name: string;
  kind: 'user' | 'team';
  role?: Role;
  /** Reached through the organization that it stands for. */
  isOrganization?: boolean;
}

export const teamResolvers = {
  Entity: {
    available: () => false,
    photoUrl: () => null,
    readOnly: (entity: EntityParent) => entity.role !== undefined && !roleIncludes(entity.role, 'member'),
    readOnlyAdmin: () => false,
    entityType: (entity: EntityParent) => (entity.isOrganization ? 'organization' : entity.kind.toUpperCase()),
    privateOnly: () => true,
    storageBytes: (entity: EntityParent, _: unknown, { db }: Context) => storedBytes(db, entity.id),
    codeSavingEnabled: () => true,
    defaultAccess: () => 'PRIVATE',
    isPaid: () => false,
    limits: () => '{}',
    members: async (entity: EntityParent, _: unknown, { db }: Context) =>
      (await membersOf(db, entity)).map((row) => ({
        id: userGlobalId(row.id),
        admin: row.role === 'admin',
        pending: false,
        email: row.email,
        username: row.username,
        name: row.display_name || row.username,
        photoUrl: null,
        accountType: row.role === 'admin' ? 'ADMIN' : 'MEMBER',
        apiKey: null,
        role: row.role,
      })),
  },
  Mutation: { createTeam, createInvite, deleteInvite, createServiceAccount },
};

async function createTeam(
  _: unknown,
  { input }: { input: { teamName: string; teamAdminUserName?: string | null } },
  { db, actor }: Context,
) {
  if (actor.kind !== 'user' || actor.userId === undefined)
    throw new DavitError('forbidden', 'The key of an agent or a launch makes no teams.');
  const name = nameSchema.safeParse(input.teamName);
  if (!name.success)
    throw new DavitError(
      'invalid-request',
      `"${input.teamName.slice(0, 100)}" cannot be the name of a team: ${name.error.issues[0]?.message ?? ''}.`,
    );
  let adminUserId = actor.userId;
  if (input.teamAdminUserName && input.teamAdminUserName !== actor.username) {
    if (!actor.isAdmin) throw new DavitError('forbidden', 'Only a site admin makes teams for others.');
    const user = await userByName(db, input.teamAdminUserName);
    if (!user) throw new DavitError('not-found', `There is no user "${input.teamAdminUserName.slice(0, 100)}".`);
    adminUserId = user.id;
  }
  const team = await db.transaction().execute(async (tx) => {
    const made = await makeTeam(tx, { name: name.data, adminUserId });
    await audit(tx, { actor: actor.name, action: 'team.create', subject: `entity/${name.data}` });
    return made;
  });
  return { entity: { ...team, role: 'admin' } satisfies EntityParent };
}

async function createInvite(
  _: unknown,
  { input }: { input: { entityName: string; email?: string | null; username?: string | null; admin?: boolean | null } },
  context: Context,
) {
  const team = await teamToManage(context, input.entityName);
  const { db, actor } = context;
  const who = input.username || input.email || '';
  const user = input.username ? await userByName(db, input.username) : await userByEmail(db, input.email ?? '');
  if (!user)
    throw new DavitError(
      'not-found',
      `There is no user "${who.slice(0, 200)}" here. A site admin makes users: wandb.Api().create_user(email).`,
    );
  const role: Role = input.admin === true ? 'admin' : 'member';
  await db.transaction().execute(async (tx) => {
    if (await setMember(tx, team.id, user.id, role))
      await audit(tx, {
        actor: actor.name,
        action: 'member.set',
        subject: `entity/${team.name}/member/${user.username}`,
        data: { role },
      });
  });
  forgetRole(db, team.id, user.id);
  return {
    invite: {
      id: userGlobalId(user.id),
      name: user.username,
      email: user.email,
      createdAt: new Date(),
      toUser: userNode(user, []),
    },
  };
}

async function deleteInvite(
  _: unknown,
  { input }: { input: { id?: string | null; entityName?: string | null } },
  context: Context,
) {
  const team = await teamToManage(context, input.entityName ?? '');
  const { db, actor } = context;
  const userId = parseUserId(input.id ?? '');
  const user = userId === undefined ? undefined : await userById(db, userId);
  const changed =
    user !== undefined &&
    (await db.transaction().execute(async (tx) => {
      const did = await setMember(tx, team.id, user.id, undefined);
      if (did)
        await audit(tx, {
          actor: actor.name,
          action: 'member.remove',
          subject: `entity/${team.name}/member/${user.username}`,
        });
      return did;
    }));
  if (!changed) throw new DavitError('not-found', `This is no member of "${team.name}".`);
  forgetRole(db, team.id, user.id);
  return { success: true };
}

/** The client shows a service account's key in its list of members, and Davit keeps no key that it could show there. */
async function createServiceAccount(_: unknown, { input }: { input: { entityName: string } }, context: Context) {
  await teamToManage(context, input.entityName);
  throw new DavitError(
    'invalid-request',
    'Davit has no service accounts: make a user for the program (wandb.Api().create_user), invite it, and give it a key of its own; launches get theirs by themselves.',
  );
}

async function teamToManage(context: Context, name: string): Promise<{ id: number; name: string }> {
  const team = name === '' ? undefined : await visibleEntity(context, name);
  if (!team) throw new DavitError('not-found', `There is no entity "${name.slice(0, 200)}" that this key may see.`);
  if (context.actor.kind !== 'user' || !roleIncludes(team.role, 'admin'))
    throw new DavitError('forbidden', `Members of "${team.name}" are chosen by its admins; this key has ${team.role}.`);
  if (team.kind !== 'team')
    throw new DavitError('invalid-request', `"${team.name}" is a user: only teams have members.`);
  return team;
}
