import { z } from 'zod';
import { deleteQueue, drainQueue, pauseQueue, resumeQueue, undrainQueue } from '../../store/queue-operations.js';
import type { Store } from '../../store/open.js';
import type { QueueRow } from '../../store/queues.js';
import { queueDocument, queueParams, queueSchema, requireQueue } from './queue-schemas.js';
import { defineRoute } from './route.js';

/** What an operator does with a queue as a whole. Each may be repeated. */

const reasonBody = z
  .strictObject({ reason: z.string().max(1_000).optional().describe('A sentence for people.') })
  .meta({ id: 'Reason' });

const withReason = (
  path: 'pause' | 'drain',
  texts: { operationId: string; summary: string; description: string },
  change: (db: Store, queue: QueueRow, actor: string, reason?: string) => Promise<void>,
) =>
  defineRoute({
    method: 'post',
    path: `/queues/{entity}/{queue}/${path}`,
    ...texts,
    tag: 'queues',
    auth: 'user',
    params: queueParams,
    body: reasonBody,
    response: queueSchema,
    handler: async ({ actor, params, body, deps }) => {
      const queue = await requireQueue(deps.db, actor, params, 'admin');
      await change(deps.db, queue, actor.name, body.reason);
      return queueDocument(deps.db, await requireQueue(deps.db, actor, params, 'viewer'));
    },
  });

const pause = withReason(
  'pause',
  {
    operationId: 'pauseQueue',
    summary: 'Hand nothing out',
    description: 'When this answers, no further launch of the queue is taken. What runs goes on and is watched.',
  },
  pauseQueue,
);

const drain = withReason(
  'drain',
  {
    operationId: 'drainQueue',
    summary: 'Take no new launches',
    description: 'Launches that wait are worked off; new ones are refused.',
  },
  drainQueue,
);

const lifted = (
  path: 'resume' | 'undrain',
  texts: { operationId: string; summary: string },
  change: (db: Store, queue: QueueRow, actor: string) => Promise<void>,
) =>
  defineRoute({
    method: 'post',
    path: `/queues/{entity}/{queue}/${path}`,
    ...texts,
    tag: 'queues',
    auth: 'user',
    params: queueParams,
    response: queueSchema,
    handler: async ({ actor, params, deps }) => {
      const queue = await requireQueue(deps.db, actor, params, 'admin');
      await change(deps.db, queue, actor.name);
      deps.dispatch.nudgeQueue(queue.id);
      return queueDocument(deps.db, await requireQueue(deps.db, actor, params, 'viewer'));
    },
  });

const resume = lifted('resume', { operationId: 'resumeQueue', summary: 'Hand out again' }, resumeQueue);
const undrain = lifted('undrain', { operationId: 'undrainQueue', summary: 'Take new launches again' }, undrainQueue);

const remove = defineRoute({
  method: 'delete',
  path: '/queues/{entity}/{queue}',
  operationId: 'deleteQueue',
  summary: 'Delete a queue',
  description:
    'Only when nothing waits and nothing runs in it; with cancelWaiting, launches that wait are cancelled (the answer names the bulk that ' +
    'does it). The name is free at once; launches of the queue can still be read.',
  tag: 'queues',
  auth: 'user',
  params: queueParams,
  query: z.strictObject({ cancelWaiting: z.enum(['true', 'false']).optional() }),
  response: z
    .object({
      entity: z.string(),
      name: z.string(),
      cancelling: z.int().describe('Launches that waited.'),
      bulk: z.string().nullable().describe('The bulk that cancels them.'),
    })
    .meta({ id: 'DeletedQueue' }),
  handler: async ({ actor, params, query, deps }) => {
    const queue = await requireQueue(deps.db, actor, params, 'admin');
    const { cancelling, bulkId } = await deleteQueue(deps.db, queue, {
      actor: actor.name,
      cancelWaiting: query.cancelWaiting === 'true',
    });
    if (bulkId !== null) deps.dispatch.bulkStarted();
    return { entity: queue.entity, name: queue.name, cancelling, bulk: bulkId };
  },
});

export const queueOperationRoutes = [pause, resume, drain, undrain, remove];
