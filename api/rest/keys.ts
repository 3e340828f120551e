import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { nameSchema } from '../../domain/ids.js';
import { audit } from '../../store/audit.js';
import { issueKey, keyById, listKeysOfUser, revokeKey } from '../../store/keys.js';
import { forgetKey } from '../auth/authenticate.js';
import { requireEntity, requireRole } from '../auth/authorize.js';
import { defineRoute } from './route.js';
import { maybeTime, timeOf, timeSchema } from './schemas.js';

const keySchema = z
  .object({
    id: z.string(),
    kind: z.enum(['user', 'agent', 'run']),
    hint: z.string().describe('The last four characters.'),
    description: z.string(),
    entity: z.string().nullable().describe('Agent keys: the one entity they reach.'),
    createdAt: timeSchema,
    expiresAt: timeSchema.nullable(),
    revokedAt: timeSchema.nullable(),
    lastUsedAt: timeSchema.nullable(),
  })
  .meta({ id: 'Key' });

const list = defineRoute({
  method: 'get',
  path: '/keys',
  operationId: 'listKeys',
  summary: 'Keys that this user made',
  tag: 'keys',
  auth: 'user',
  response: z.object({ items: z.array(keySchema) }).meta({ id: 'KeyList' }),
  handler: async ({ actor, deps }) => {
    const rows = await listKeysOfUser(deps.db, actor.userId ?? 0);
    return {
      items: rows.map((row) => ({
        id: row.id,
        kind: row.kind,
        hint: row.hint,
        description: row.description,
        entity: row.entity,
        createdAt: timeOf(row.created_at),
        expiresAt: maybeTime(row.expires_at),
        revokedAt: maybeTime(row.revoked_at),
        lastUsedAt: maybeTime(row.last_used_at),
      })),
    };
  },
});

const newKeySchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('user'),
      description: z.string().max(200).optional(),
      expiresAt: z.iso.datetime({ offset: true }).optional(),
    }),
    z.strictObject({
      kind: z.literal('agent'),
      entity: nameSchema.describe('The entity whose queues the agent may serve. Needs the role admin there.'),
      description: z.string().max(200).optional(),
      expiresAt: z.iso.datetime({ offset: true }).optional(),
    }),
  ])
  .meta({ id: 'NewKey' });

const create = defineRoute({
  method: 'post',
  path: '/keys',
  operationId: 'createKey',
  summary: 'Make a key for oneself, or for an agent',
  description: 'The key is in this answer and nowhere else.',
  tag: 'keys',
  auth: 'user',
  body: newKeySchema,
  status: 201,
  response: z.object({ id: z.string(), kind: z.enum(['user', 'agent']), key: z.string() }).meta({ id: 'CreatedKey' }),
  handler: async ({ actor, body, deps }) => {
    if (actor.userId === undefined) throw new DavitError('forbidden');
    const userId = actor.userId;
    const expiresAt = body.expiresAt === undefined ? undefined : new Date(body.expiresAt);
    if (expiresAt && expiresAt.getTime() <= Date.now())
      throw new DavitError('invalid-request', 'expiresAt: lies in the past', {
        errors: [{ path: 'expiresAt', message: 'lies in the past' }],
      });
    const entity = body.kind === 'agent' ? await requireEntity(deps.db, actor, body.entity, 'admin') : undefined;
    return deps.db.transaction().execute(async (tx) => {
      const { id, key } = await issueKey(tx, {
        kind: body.kind,
        userId,
        ...(entity === undefined ? {} : { entityId: entity.id }),
        ...(body.description === undefined ? {} : { description: body.description }),
        ...(expiresAt === undefined ? {} : { expiresAt }),
      });
      await audit(tx, {
        actor: actor.name,
        action: 'key.create',
        subject: `key/${id}`,
        data: { kind: body.kind, ...(entity === undefined ? {} : { entity: entity.name }) },
      });
      return { id, kind: body.kind, key };
    });
  },
});

const revoke = defineRoute({
  method: 'delete',
  path: '/keys/{id}',
  operationId: 'revokeKey',
  summary: 'Make a key open nothing any more',
  description: 'One of your own; for agent keys also any admin of the entity. Other API processes notice within 3 s.',
  tag: 'keys',
  auth: 'user',
  params: z.strictObject({ id: z.uuid() }),
  handler: async ({ actor, params, deps }) => {
    const key = await keyById(deps.db, params.id);
    if (!key) throw new DavitError('not-found', 'There is no such key.');
    if (key.user_id !== actor.userId && !actor.isAdmin) {
      if (key.entity_id === null) throw new DavitError('not-found', 'There is no such key.');
      await requireRole(deps.db, actor, key.entity_id, 'admin');
    }
    await deps.db.transaction().execute(async (tx) => {
      if (await revokeKey(tx, params.id))
        await audit(tx, { actor: actor.name, action: 'key.revoke', subject: `key/${params.id}` });
    });
    forgetKey(deps.db, params.id);
  },
});

export const keyRoutes = [list, create, revoke];
