import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { nameSchema } from '../../domain/ids.js';
import { maxSecretBytes, secretNameSchema, secretValueSchema } from '../../domain/secrets.js';
import { audit } from '../../store/audit.js';
import { requireKeyring } from '../../store/keyring.js';
import type { Store } from '../../store/open.js';
import {
  countByKey,
  deleteSecret,
  listSecrets,
  putSecret,
  queuesAllowing,
  resealSecrets,
  secretByName,
  type SecretRow,
} from '../../store/secrets.js';
import type { Actor } from '../auth/authenticate.js';
import { requireEntity } from '../auth/authorize.js';
import { defineRoute } from './route.js';
import {
  defaultLimit,
  entityParams,
  maybeTime,
  nameCursor,
  page,
  pageOf,
  pageQuery,
  readCursor,
  timeOf,
  timeSchema,
} from './schemas.js';

/** Named secrets. What was set is never answered again: jobs get it, by way of their agents. */

const secretSchema = z
  .object({
    entity: z.string(),
    name: z.string(),
    description: z.string(),
    version: z.int().describe('How often it was set.'),
    queues: z.array(z.string()).describe('Queues of the entity whose launches may use it.'),
    createdBy: z.string(),
    createdAt: timeSchema,
    updatedBy: z.string(),
    updatedAt: timeSchema,
    usedAt: timeSchema.nullable().describe('When an agent was last given it, to the minute.'),
  })
  .meta({ id: 'Secret' });
const secretParams = z.strictObject({ entity: nameSchema, secret: secretNameSchema });

async function toSecrets(db: Store, entity: { id: number; name: string }, rows: readonly SecretRow[]) {
  const names = rows.map(({ name }) => name);
  const allowing = await queuesAllowing(db, entity.id, names);
  return (row: SecretRow): z.input<typeof secretSchema> => ({
    entity: entity.name,
    name: row.name,
    description: row.description,
    version: row.version,
    queues: allowing.filter(({ secret }) => secret === row.name).map(({ queue }) => queue),
    createdBy: row.created_by,
    createdAt: timeOf(row.created_at),
    updatedBy: row.updated_by,
    updatedAt: timeOf(row.updated_at),
    usedAt: maybeTime(row.used_at),
  });
}

async function document(db: Store, entity: { id: number; name: string }, name: string) {
  const row = await secretByName(db, entity.id, name);
  if (!row) throw new DavitError('unknown-secret', `Entity "${entity.name}" has no secret "${name}".`);
  return (await toSecrets(db, entity, [row]))(row);
}

const list = defineRoute({
  method: 'get',
  path: '/entities/{entity}/secrets',
  operationId: 'listSecrets',
  summary: 'Secrets of an entity, by name',
  tag: 'secrets',
  auth: 'user',
  params: entityParams,
  query: z.strictObject(pageQuery),
  response: pageOf(secretSchema, 'SecretPage'),
  handler: async ({ actor, params, query, deps }) => {
    const entity = await requireEntity(deps.db, actor, params.entity, 'viewer');
    const limit = query.limit ?? defaultLimit;
    const afterName = readCursor(nameCursor, query.cursor);
    const rows = await listSecrets(deps.db, entity.id, { afterName, limit: limit + 1 });
    return page(rows, limit, await toSecrets(deps.db, entity, rows), (row) => row.name);
  },
});

const show = defineRoute({
  method: 'get',
  path: '/entities/{entity}/secrets/{secret}',
  operationId: 'getSecret',
  summary: 'What is known of a secret; never its value',
  tag: 'secrets',
  auth: 'user',
  params: secretParams,
  response: secretSchema,
  handler: async ({ actor, params, deps }) =>
    document(deps.db, await requireEntity(deps.db, actor, params.entity, 'viewer'), params.secret),
});

const put = defineRoute({
  method: 'put',
  path: '/entities/{entity}/secrets/{secret}',
  operationId: 'putSecret',
  summary: 'Make a secret, or give it another value',
  description: 'Launches get the value that it has when their job is handed to the target. 201 = new.',
  tag: 'secrets',
  auth: 'user',
  params: secretParams,
  body: z
    .strictObject({
      value: secretValueSchema.meta({ writeOnly: true, description: 'Is in no answer.' }),
      description: z.string().max(1_000).optional().describe('Default: as before.'),
    })
    .meta({ id: 'SecretValue' }),
  bodyLimitBytes: 8 * maxSecretBytes,
  otherStatus: [201],
  response: secretSchema,
  handler: async ({ actor, params, body, deps, res }) => {
    const entity = await requireEntity(deps.db, actor, params.entity, 'admin');
    const keyring = requireKeyring(deps.keyring);
    const version = await deps.db.transaction().execute(async (tx) => {
      const given = { entityId: entity.id, name: params.secret, actor: actor.name, ...body };
      const set = await putSecret(tx, keyring, given);
      await audit(tx, {
        actor: actor.name,
        action: 'secret.set',
        subject: `secret/${entity.name}/${params.secret}`,
        data: { version: set },
      });
      return set;
    });
    if (version === 1)
      res.status(201).setHeader('Location', `/api/v1/entities/${entity.name}/secrets/${params.secret}`);
    return document(deps.db, entity, params.secret);
  },
});

const remove = defineRoute({
  method: 'delete',
  path: '/entities/{entity}/secrets/{secret}',
  operationId: 'deleteSecret',
  summary: 'Delete a secret, and take it off the queues that allow it',
  description: 'Jobs that run keep what they were given. Launches that wait for it fail when they are submitted.',
  tag: 'secrets',
  auth: 'user',
  params: secretParams,
  handler: async ({ actor, params, deps }) => {
    const entity = await requireEntity(deps.db, actor, params.entity, 'admin');
    await deps.db.transaction().execute(async (tx) => {
      const queues = await queuesAllowing(tx, entity.id, [params.secret]);
      if (!(await deleteSecret(tx, entity.id, params.secret)))
        throw new DavitError('unknown-secret', `Entity "${entity.name}" has no secret "${params.secret}".`);
      await audit(tx, {
        actor: actor.name,
        action: 'secret.delete',
        subject: `secret/${entity.name}/${params.secret}`,
        data: { queues: queues.map(({ queue }) => queue) },
      });
    });
  },
});

function requireSiteAdmin(actor: Actor): void {
  if (!actor.isAdmin) throw new DavitError('forbidden', 'The keys of the installation are for its admins.');
}

const keysSchema = z
  .object({
    current: z
      .string()
      .nullable()
      .describe('Id of the key that secrets are stored under now; null: none is configured.'),
    keys: z.array(
      z.object({
        id: z.string(),
        configured: z.boolean().describe('False: what lies under it cannot be opened.'),
        secrets: z.int().describe('Secrets stored under it.'),
        running: z.int().describe('What launches that have not ended were given, and is kept under it.'),
      }),
    ),
  })
  .meta({ id: 'SecretKeys' });

const keys = defineRoute({
  method: 'get',
  path: '/secret-keys',
  operationId: 'listSecretKeys',
  summary: 'The keys of the installation, and how much lies under each',
  description: 'A key with nothing under it is not needed any more.',
  tag: 'secrets',
  auth: 'user',
  response: keysSchema,
  handler: async ({ actor, deps }) => {
    requireSiteAdmin(actor);
    const counted = new Map((await countByKey(deps.db)).map(({ keyId, ...counts }) => [keyId, counts]));
    const configured = deps.keyring?.ids ?? [];
    const ids = [...configured, ...[...counted.keys()].filter((id) => !configured.includes(id))];
    return {
      current: deps.keyring?.current ?? null,
      keys: ids.map((id) => ({
        id,
        configured: configured.includes(id),
        ...(counted.get(id) ?? { secrets: 0, running: 0 }),
      })),
    };
  },
});

const reseal = defineRoute({
  method: 'post',
  path: '/secret-keys/reseal',
  operationId: 'resealSecrets',
  summary: 'Store under the present key what lies under older ones',
  tag: 'secrets',
  auth: 'user',
  response: z.object({ resealed: z.int() }).meta({ id: 'Resealed' }),
  handler: async ({ actor, deps }) => {
    requireSiteAdmin(actor);
    const keyring = requireKeyring(deps.keyring);
    const resealed = await resealSecrets(deps.db, keyring);
    await audit(deps.db, {
      actor: actor.name,
      action: 'secret.reseal',
      subject: `secret-key/${keyring.current}`,
      data: { resealed },
    });
    return { resealed };
  },
});

export const secretRoutes = [list, show, put, remove, keys, reseal];
