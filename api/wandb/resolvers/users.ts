import { DavitError } from '../../../domain/errors.js';
import { audit } from '../../../store/audit.js';
import {
  createUser as makeUser,
  searchUsers,
  teamsOfUsers,
  userByEmail,
  type UserRow,
} from '../../../store/entities.js';
import { issueKey, keyById, listKeysOfUser, revokeKey } from '../../../store/keys.js';
import { forgetKey } from '../../auth/authenticate.js';
import type { Context } from '../context.js';
import { userGlobalId } from '../ids.js';
import { apiKeyGlobalId, parseApiKeyId } from '../user-ids.js';

const mostFound = 100;

export const userResolvers = {
  Query: { users },
  Mutation: { createUser, generateApiKey, deleteApiKey },
};

/** A user with its teams; as much of them as whoever asks may see. */
export function userNode(row: UserRow, teams: readonly string[]) {
  return {
    id: userGlobalId(row.id),
    name: row.display_name || row.username,
    username: row.username,
    email: row.email,
    admin: row.is_admin,
    flags: '{}',
    entity: row.username,
    photoUrl: null,
    deletedAt: null,
    apiKeys: (_: unknown, context: Context) => apiKeysOf(row.id, context),
    teams: { edges: teams.map((name) => ({ node: { name } })) },
  };
}

async function users(_: unknown, args: { query?: string | null; first?: number | null }, context: Context) {
  const { db, actor } = context;
  if (actor.kind !== 'user' || actor.userId === undefined) return { edges: [] };
  const viewer = { userId: actor.userId, isAdmin: actor.isAdmin };
  const limit = Math.min(Math.max(args.first ?? mostFound, 1), mostFound);
  const rows = await searchUsers(db, viewer, args.query ?? '', limit);
  const teams = await teamsOfUsers(
    db,
    viewer,
    rows.map(({ id }) => id),
  );
  return { edges: rows.map((row) => ({ node: userNode(row, teams.get(row.id) ?? []) })) };
}

/** Their names, which tell them apart and open nothing. Only one's own. */
export async function apiKeysOf(userId: number, { db, actor }: Context) {
  if (actor.kind !== 'user' || actor.userId !== userId) return { edges: [] };
  const keys = (await listKeysOfUser(db, userId)).filter((key) => key.kind === 'user' && key.revoked_at === null);
  return {
    edges: keys.map((key) => ({
      node: {
        id: apiKeyGlobalId(key.id),
        name: `davit_user-...${key.hint} (${key.id.slice(0, 8)})`,
        description: key.description,
      },
    })),
  };
}

/** The part before the @ becomes the user name, and that of the user's entity; with a number when there is such an entity. */
async function createUser(
  _: unknown,
  { input }: { input: { email: string; admin?: boolean | null; username?: string | null } },
  context: Context,
) {
  const { db, actor } = context;
  if (!actor.isAdmin) throw new DavitError('forbidden', 'Only a site admin makes users.');
  const email = input.email.trim();
  if (!/^[^\s@]{1,64}@[^\s@]{1,190}$/.test(email))
    throw new DavitError('invalid-request', `"${email.slice(0, 200)}" is not an e-mail address.`);
  if (await userByEmail(db, email))
    throw new DavitError('conflict', `There is a user with the address ${email} already.`);
  const wanted =
    (input.username ?? email.split('@')[0] ?? '')
      .toLowerCase()
      .replace(/[^a-z0-9_-]+/g, '-')
      .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
      .slice(0, 50) || 'user';
  for (let n = 1; n <= 50; n++) {
    const username = n === 1 ? wanted : `${wanted}-${n}`;
    try {
      const made = await db.transaction().execute(async (tx) => {
        const { userId } = await makeUser(tx, { username, email, isAdmin: input.admin === true });
        await audit(tx, {
          actor: actor.name,
          action: 'user.create',
          subject: `user/${username}`,
          data: { admin: input.admin === true },
        });
        return userId;
      });
      return {
        user: userNode({ id: made, username, email, display_name: username, is_admin: input.admin === true }, []),
      };
    } catch (error) {
      if (!(error instanceof DavitError && error.code === 'conflict') || input.username) throw error;
    }
  }
  throw new DavitError('conflict', `There are too many users with names like "${wanted}".`);
}

async function generateApiKey(
  _: unknown,
  { input }: { input: { description?: string | null } },
  { db, actor }: Context,
) {
  if (actor.kind !== 'user' || actor.userId === undefined)
    throw new DavitError('forbidden', 'The key of an agent or a launch makes no keys.');
  const userId = actor.userId;
  const description = (input.description ?? '').slice(0, 200);
  const made = await db.transaction().execute(async (tx) => {
    const key = await issueKey(tx, { kind: 'user', userId, description });
    await audit(tx, { actor: actor.name, action: 'key.create', subject: `key/${key.id}`, data: { kind: 'user' } });
    return key;
  });
  return { apiKey: { id: apiKeyGlobalId(made.id), name: made.key, description } };
}

async function deleteApiKey(_: unknown, { input }: { input: { id: string } }, { db, actor }: Context) {
  const none = new DavitError('not-found', 'There is no such key.');
  const id = parseApiKeyId(input.id);
  if (id === undefined || actor.kind !== 'user') throw none;
  const key = await keyById(db, id);
  if (!key || !(actor.isAdmin || (key.user_id === actor.userId && key.kind === 'user'))) throw none;
  await db.transaction().execute(async (tx) => {
    if (await revokeKey(tx, id)) await audit(tx, { actor: actor.name, action: 'key.revoke', subject: `key/${id}` });
  });
  forgetKey(db, id);
  return { success: true };
}
