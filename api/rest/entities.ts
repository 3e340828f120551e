import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { nameSchema } from '../../domain/ids.js';
import { roles } from '../../domain/words.js';
import { audit } from '../../store/audit.js';
import { createTeam, listEntities, listMembers, setMember, userByName } from '../../store/entities.js';
import type { Actor } from '../auth/authenticate.js';
import { forgetRole, requireEntity, roleOf } from '../auth/authorize.js';
import type { ApiDeps } from '../deps.js';
import { defineRoute } from './route.js';
import {
  defaultLimit,
  entityParams,
  nameCursor,
  page,
  pageOf,
  pageQuery,
  readCursor,
  timeOf,
  timeSchema,
} from './schemas.js';

const roleSchema = z.enum(roles);
const entitySchema = z
  .object({
    name: z.string(),
    kind: z.enum(['user', 'team']),
    role: roleSchema.describe('What this key may do in it.'),
    createdAt: timeSchema,
  })
  .meta({ id: 'Entity' });
const memberSchema = z
  .object({ username: z.string(), displayName: z.string(), role: roleSchema })
  .meta({ id: 'Member' });

const list = defineRoute({
  method: 'get',
  path: '/entities',
  operationId: 'listEntities',
  summary: 'Users and teams that this key may see',
  tag: 'entities',
  auth: 'user',
  query: z.strictObject(pageQuery),
  response: pageOf(entitySchema, 'EntityPage'),
  handler: async ({ actor, query, deps }) => {
    const limit = query.limit ?? defaultLimit;
    const after = readCursor(nameCursor, query.cursor);
    const rows = await listEntities(
      deps.db,
      { userId: actor.userId ?? 0, isAdmin: actor.isAdmin },
      { ...(after === undefined ? {} : { afterName: after }), limit: limit + 1 },
    );
    return page(
      rows,
      limit,
      (row) => ({ name: row.name, kind: row.kind, role: row.role, createdAt: timeOf(row.created_at) }),
      (row) => row.name,
    );
  },
});

const show = defineRoute({
  method: 'get',
  path: '/entities/{entity}',
  operationId: 'getEntity',
  summary: 'One user or team',
  tag: 'entities',
  auth: 'user',
  params: entityParams,
  response: entitySchema,
  handler: async ({ actor, params, deps }) => {
    const entity = await requireEntity(deps.db, actor, params.entity, 'viewer');
    const role = (await roleOf(deps.db, actor, entity.id)) ?? 'viewer';
    return { name: entity.name, kind: entity.kind, role, createdAt: timeOf(entity.created_at) };
  },
});

const create = defineRoute({
  method: 'post',
  path: '/entities',
  operationId: 'createTeam',
  summary: 'Make a team; its maker is its first admin',
  tag: 'entities',
  auth: 'user',
  body: z.strictObject({ name: nameSchema }).meta({ id: 'NewTeam' }),
  status: 201,
  response: entitySchema,
  handler: async ({ actor, body, deps, res }) => {
    if (actor.userId === undefined) throw new DavitError('forbidden');
    const adminUserId = actor.userId;
    const team = await deps.db.transaction().execute(async (tx) => {
      const made = await createTeam(tx, { name: body.name, adminUserId });
      await audit(tx, { actor: actor.name, action: 'team.create', subject: `entity/${body.name}` });
      return made;
    });
    res.setHeader('Location', `/api/v1/entities/${team.name}`);
    return { name: team.name, kind: team.kind, role: 'admin' as const, createdAt: timeOf(team.created_at) };
  },
});

const members = defineRoute({
  method: 'get',
  path: '/entities/{entity}/members',
  operationId: 'listMembers',
  summary: 'Members of a team',
  tag: 'entities',
  auth: 'user',
  params: entityParams,
  response: z.object({ items: z.array(memberSchema) }).meta({ id: 'MemberList' }),
  handler: async ({ actor, params, deps }) => {
    const entity = await requireEntity(deps.db, actor, params.entity, 'viewer');
    const rows = await listMembers(deps.db, entity.id);
    return { items: rows.map((row) => ({ username: row.username, displayName: row.display_name, role: row.role })) };
  },
});

const memberParams = z.strictObject({ entity: nameSchema, username: nameSchema });

const putMember = defineRoute({
  method: 'put',
  path: '/entities/{entity}/members/{username}',
  operationId: 'putMember',
  summary: 'Give a user a role in a team',
  tag: 'entities',
  auth: 'user',
  params: memberParams,
  body: z.strictObject({ role: roleSchema }).meta({ id: 'MemberRole' }),
  response: memberSchema,
  handler: async ({ actor, params, body, deps }) => {
    const { user } = await change(deps, actor, params, body.role);
    return { username: user.username, displayName: user.display_name, role: body.role };
  },
});

const removeMember = defineRoute({
  method: 'delete',
  path: '/entities/{entity}/members/{username}',
  operationId: 'removeMember',
  summary: 'Take a user out of a team',
  tag: 'entities',
  auth: 'user',
  params: memberParams,
  handler: async ({ actor, params, deps }) => {
    const { changed } = await change(deps, actor, params, undefined);
    if (!changed) throw new DavitError('not-found', `"${params.username}" is no member of "${params.entity}".`);
  },
});

async function change(
  deps: ApiDeps,
  actor: Actor,
  params: { entity: string; username: string },
  role: (typeof roles)[number] | undefined,
) {
  const team = await requireEntity(deps.db, actor, params.entity, 'admin');
  if (team.kind !== 'team') throw new DavitError('conflict', `"${team.name}" is a user: only teams have members.`);
  const user = await userByName(deps.db, params.username);
  if (!user) throw new DavitError('not-found', `There is no user "${params.username}".`);
  const changed = await deps.db.transaction().execute(async (tx) => {
    const did = await setMember(tx, team.id, user.id, role);
    if (did)
      await audit(tx, {
        actor: actor.name,
        action: role === undefined ? 'member.remove' : 'member.set',
        subject: `entity/${team.name}/member/${user.username}`,
        data: role === undefined ? {} : { role },
      });
    return did;
  });
  forgetRole(deps.db, team.id, user.id);
  return { user, changed };
}

export const entityRoutes = [list, show, create, members, putMember, removeMember];
