import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { nameSchema } from '../../domain/ids.js';
import { audit } from '../../store/audit.js';
import { createUser, entityById, userById } from '../../store/entities.js';
import { issueKey } from '../../store/keys.js';
import { defineRoute } from './route.js';

const viewerSchema = z
  .object({
    kind: z.enum(['user', 'agent', 'run']),
    name: z.string().describe('As it stands in audit events and as the author of launches.'),
    username: z.string().nullable(),
    displayName: z.string().nullable(),
    email: z.string().nullable(),
    isAdmin: z.boolean(),
    entity: z.string().nullable().describe('The entity used where none is named.'),
    launchId: z.string().nullable().describe('Only for the key of a job: its launch.'),
    version: z.string().describe('Of this API.'),
  })
  .meta({ id: 'Viewer' });

const getViewer = defineRoute({
  method: 'get',
  path: '/viewer',
  operationId: 'getViewer',
  summary: 'Who this key belongs to',
  tag: 'viewer',
  auth: 'any',
  response: viewerSchema,
  handler: async ({ actor, deps }) => {
    const user =
      actor.kind === 'user' && actor.userId !== undefined ? await userById(deps.db, actor.userId) : undefined;
    const entity =
      actor.homeEntity?.name ??
      (actor.entityId === undefined ? undefined : (await entityById(deps.db, actor.entityId))?.name);
    return {
      kind: actor.kind,
      name: actor.name,
      username: user?.username ?? null,
      displayName: user?.display_name ?? null,
      email: user?.email ?? null,
      isAdmin: actor.isAdmin,
      entity: entity ?? null,
      launchId: actor.launchId ?? null,
      version: deps.version,
    };
  },
});

const createUserRoute = defineRoute({
  method: 'post',
  path: '/users',
  operationId: 'createUser',
  summary: 'Make a user, its entity and its first key',
  description: 'Site admins only. The key is in this answer and nowhere else.',
  tag: 'viewer',
  auth: 'user',
  body: z
    .strictObject({
      username: nameSchema,
      displayName: z.string().max(128).optional(),
      email: z.string().max(254).optional(),
      isAdmin: z.boolean().optional(),
    })
    .meta({ id: 'NewUser' }),
  status: 201,
  response: z
    .object({ username: z.string(), entity: z.string(), keyId: z.string(), key: z.string() })
    .meta({ id: 'CreatedUser' }),
  handler: async ({ actor, body, deps }) => {
    if (!actor.isAdmin) throw new DavitError('forbidden', 'Only a site admin makes users.');
    return deps.db.transaction().execute(async (tx) => {
      const { userId } = await createUser(tx, {
        username: body.username,
        ...(body.displayName === undefined ? {} : { displayName: body.displayName }),
        ...(body.email === undefined ? {} : { email: body.email }),
        ...(body.isAdmin === undefined ? {} : { isAdmin: body.isAdmin }),
      });
      const { id, key } = await issueKey(tx, { kind: 'user', userId, description: 'first key' });
      await audit(tx, { actor: actor.name, action: 'user.create', subject: `user/${body.username}` });
      return { username: body.username, entity: body.username, keyId: id, key };
    });
  },
});

export const viewerRoutes = [getViewer, createUserRoute];
