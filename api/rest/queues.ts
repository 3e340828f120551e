import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { nameSchema } from '../../domain/ids.js';
import { targetNameSchema, type Role } from '../../domain/words.js';
import { audit } from '../../store/audit.js';
import type { Store } from '../../store/open.js';
import {
  countsOfQueues,
  createQueue,
  listQueues,
  queueByName,
  updateQueue,
  type QueueRow,
} from '../../store/queues.js';
import type { Actor } from '../auth/authenticate.js';
import { requireEntity } from '../auth/authorize.js';
import { visibleEntityIds } from '../auth/visible.js';
import { defineRoute } from './route.js';
import { defaultLimit, page, pageOf, pageQuery, pairCursor, readCursor, timeOf, timeSchema } from './schemas.js';

const configSchema = z.record(z.string(), z.unknown());
const queueSchema = z
  .object({
    entity: z.string(),
    name: z.string(),
    target: targetNameSchema,
    description: z.string(),
    paused: z.boolean(),
    requireRun: z.boolean().describe('A job that never calls wandb.init fails.'),
    resourceConfig: configSchema.describe('Parameters for the target that every launch of this queue gets.'),
    waiting: z.int().describe('Launches in line.'),
    running: z.int().describe('Launches that an agent holds.'),
    agents: z.int().describe('Active agents that serve it.'),
    createdBy: z.string(),
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'Queue' });

type Counts = { waiting: number; running: number; agents: number };
const toQueue = (row: QueueRow, counts: Counts | undefined) => ({
  entity: row.entity,
  name: row.name,
  target: row.target,
  description: row.description,
  paused: row.paused,
  requireRun: row.require_run,
  resourceConfig: row.resource_config,
  ...(counts ?? { waiting: 0, running: 0, agents: 0 }),
  createdBy: row.created_by,
  createdAt: timeOf(row.created_at),
  updatedAt: timeOf(row.updated_at),
});

const queueParams = z.strictObject({ entity: nameSchema, queue: nameSchema });

/** An unknown queue answers `unknown-queue`, whether or not its entity may be seen. */
async function requireQueue(
  db: Store,
  actor: Actor,
  params: z.infer<typeof queueParams>,
  role: Role,
): Promise<QueueRow> {
  const unknown = new DavitError(
    'unknown-queue',
    `There is no queue "${params.entity}/${params.queue}" that this key may see.`,
  );
  const entity = await requireEntity(db, actor, params.entity, role).catch((error: unknown) => {
    throw error instanceof DavitError && error.code === 'not-found' ? unknown : error;
  });
  const queue = await queueByName(db, entity.id, params.queue);
  if (!queue) throw unknown;
  return queue;
}

const withCounts = async (db: Store, row: QueueRow) => toQueue(row, (await countsOfQueues(db, [row.id])).get(row.id));

const list = defineRoute({
  method: 'get',
  path: '/queues',
  operationId: 'listQueues',
  summary: 'Queues that this key may see',
  tag: 'queues',
  auth: 'user',
  query: z.strictObject({ ...pageQuery, entity: nameSchema.optional() }),
  response: pageOf(queueSchema, 'QueuePage'),
  handler: async ({ actor, query, deps }) => {
    const limit = query.limit ?? defaultLimit;
    const after = readCursor(pairCursor, query.cursor);
    const rows = await listQueues(
      deps.db,
      { entityIds: await visibleEntityIds(deps.db, actor, query.entity) },
      { ...(after === undefined ? {} : { after: { entity: after[0], name: after[1] } }), limit: limit + 1 },
    );
    const counts = await countsOfQueues(
      deps.db,
      rows.map((row) => row.id),
    );
    return page(
      rows,
      limit,
      (row) => toQueue(row, counts.get(row.id)),
      (row) => [row.entity, row.name],
    );
  },
});

const show = defineRoute({
  method: 'get',
  path: '/queues/{entity}/{queue}',
  operationId: 'getQueue',
  summary: 'One queue with its depth',
  tag: 'queues',
  auth: 'user',
  params: queueParams,
  response: queueSchema,
  handler: async ({ actor, params, deps }) => withCounts(deps.db, await requireQueue(deps.db, actor, params, 'viewer')),
});

const create = defineRoute({
  method: 'post',
  path: '/queues',
  operationId: 'createQueue',
  summary: 'Make a queue',
  tag: 'queues',
  auth: 'user',
  body: z
    .strictObject({
      entity: nameSchema.optional().describe('Default: your own.'),
      name: nameSchema,
      target: targetNameSchema.optional().describe('Where its launches run. Fixed once made; default: process.'),
      description: z.string().max(10_000).optional(),
      requireRun: z.boolean().optional().describe('Default: true.'),
      resourceConfig: configSchema.optional(),
    })
    .meta({ id: 'NewQueue' }),
  status: 201,
  response: queueSchema,
  handler: async ({ actor, body, deps, res }) => {
    const entityName = body.entity ?? actor.homeEntity?.name ?? '';
    const entity = await requireEntity(deps.db, actor, entityName, 'admin');
    const target = body.target ?? 'process';
    if (!deps.targets.includes(target))
      throw new DavitError(
        'unsupported-target',
        `This version has no target "${target}"; it has: ${deps.targets.join(', ')}.`,
      );
    const row = await deps.db.transaction().execute(async (tx) => {
      const id = await createQueue(tx, {
        entityId: entity.id,
        name: body.name,
        target,
        description: body.description ?? '',
        requireRun: body.requireRun ?? true,
        resourceConfig: body.resourceConfig ?? {},
        createdBy: actor.name,
      });
      if (id === undefined) throw new DavitError('conflict', `There is a queue "${entity.name}/${body.name}" already.`);
      await audit(tx, {
        actor: actor.name,
        action: 'queue.create',
        subject: `queue/${entity.name}/${body.name}`,
        data: { target },
      });
      return queueByName(tx, entity.id, body.name);
    });
    if (!row) throw new Error('the queue was made and is not there');
    res.setHeader('Location', `/api/v1/queues/${entity.name}/${body.name}`);
    return withCounts(deps.db, row);
  },
});

const update = defineRoute({
  method: 'patch',
  path: '/queues/{entity}/{queue}',
  operationId: 'updateQueue',
  summary: 'Change a queue',
  description: 'Launches that were accepted before keep what they were accepted with.',
  tag: 'queues',
  auth: 'user',
  params: queueParams,
  body: z
    .strictObject({
      description: z.string().max(10_000).optional(),
      requireRun: z.boolean().optional(),
      resourceConfig: configSchema.optional().describe('Replaces the whole of it.'),
    })
    .meta({ id: 'QueueChange' }),
  response: queueSchema,
  handler: async ({ actor, params, body, deps }) => {
    const queue = await requireQueue(deps.db, actor, params, 'admin');
    await deps.db.transaction().execute(async (tx) => {
      await updateQueue(tx, queue.id, {
        ...(body.description === undefined ? {} : { description: body.description }),
        ...(body.requireRun === undefined ? {} : { requireRun: body.requireRun }),
        ...(body.resourceConfig === undefined ? {} : { resourceConfig: body.resourceConfig }),
      });
      await audit(tx, {
        actor: actor.name,
        action: 'queue.update',
        subject: `queue/${params.entity}/${params.queue}`,
        data: body,
      });
    });
    const row = await requireQueue(deps.db, actor, params, 'viewer');
    return withCounts(deps.db, row);
  },
});

export const queueRoutes = [list, show, create, update];
