import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { nameSchema } from '../../domain/ids.js';
import { audit } from '../../store/audit.js';
import { queueNames } from '../../store/agents.js';
import { issueKey, keyById, listKeysOfUser, revokeKey } from '../../store/keys.js';
import type { Store } from '../../store/open.js';
import { queueByName } from '../../store/queues.js';
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
    queues: z
      .array(z.string())
      .nullable()
      .describe('Agent keys: the queues they are bound to; null: every one of the entity.'),
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
    const names = await queueNames(
      deps.db,
      rows.flatMap((row) => row.queue_ids ?? []),
    );
    return {
      items: rows.map((row) => ({
        id: row.id,
        kind: row.kind,
        hint: row.hint,
        description: row.description,
        entity: row.entity,
        queues: row.queue_ids?.flatMap((id) => names.get(id) ?? []) ?? null,
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
      queues: z
        .array(z.string().max(200))
        .min(1)
        .max(1000)
        .optional()
        .describe(
          'Names of queues (queue or entity/queue): the agent sees and takes from these only. Default: all, later ones included.',
        ),
      description: z.string().max(200).optional(),
      expiresAt: z.iso.datetime({ offset: true }).optional(),
    }),
  ])
  .meta({ id: 'NewKey' });

/** The queues of these names, once each. All must be of the entity: a key reaches one. */
async function boundQueues(db: Store, entity: { id: number; name: string }, names: readonly string[]) {
  const found = new Map<number, { id: number; name: string }>();
  for (const full of names) {
    const name = full.startsWith(`${entity.name}/`) ? full.slice(entity.name.length + 1) : full;
    const queue = await queueByName(db, entity.id, name);
    if (!queue) throw new DavitError('unknown-queue', `Entity "${entity.name}" has no queue "${full}".`);
    found.set(queue.id, { id: queue.id, name: queue.name });
  }
  return [...found.values()];
}

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
    const bound =
      body.kind === 'agent' && body.queues !== undefined && entity !== undefined
        ? await boundQueues(deps.db, entity, body.queues)
        : undefined;
    return deps.db.transaction().execute(async (tx) => {
      const { id, key } = await issueKey(tx, {
        kind: body.kind,
        userId,
        ...(entity === undefined ? {} : { entityId: entity.id }),
        ...(body.description === undefined ? {} : { description: body.description }),
        ...(expiresAt === undefined ? {} : { expiresAt }),
        ...(bound === undefined ? {} : { queueIds: bound.map((queue) => queue.id) }),
      });
      await audit(tx, {
        actor: actor.name,
        action: 'key.create',
        subject: `key/${id}`,
        data: {
          kind: body.kind,
          ...(entity === undefined ? {} : { entity: entity.name }),
          ...(bound === undefined ? {} : { queues: bound.map((queue) => queue.name) }),
        },
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
