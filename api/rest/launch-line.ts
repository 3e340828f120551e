import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { launchIdSchema } from '../../domain/ids.js';
import { launchRequestSchema } from '../../domain/launch-request.js';
import { prioritySchema } from '../../domain/words.js';
import { hold, move, release, reprioritise, transfer, type LineAnswer } from '../../store/line-operations.js';
import type { Store } from '../../store/open.js';
import { requireInLine } from './launch-access.js';
import { requireQueueNamed } from './queue-schemas.js';
import { defineRoute } from './route.js';

/**
 * What people do with one waiting launch. Against a claim that is just happening: either the change holds, or the launch was taken, and the
 * refusal `not-waiting` says in which state it is and which agent has it.
 */

const params = z.strictObject({ id: z.string().max(64) });
const common = { method: 'post', tag: 'launches', auth: 'user', params } as const;

const changedSchema = z
  .object({
    id: z.string(),
    outcome: z.literal('done'),
    position: z.int().nullable().describe('Place in line now, 1 = next. Null: it is held.'),
    held: z.boolean(),
  })
  .meta({ id: 'ChangedLaunch' });

async function answered(db: Store, id: string, answer: LineAnswer): Promise<z.input<typeof changedSchema>> {
  if (answer.outcome === 'done') return { id, ...answer };
  const { state, agentId } = answer;
  const agent =
    agentId === null
      ? undefined
      : await db.selectFrom('agent').select('name').where('id', '=', agentId).executeTakeFirst();
  const by = agent ? ` with agent "${agent.name}"` : '';
  throw new DavitError('not-waiting', `Launch ${id} does not wait any more: it is ${state}${by}.`, {
    extra: { state, agent: agent?.name ?? null },
  });
}

const holdOne = defineRoute({
  ...common,
  path: '/launches/{id}/hold',
  operationId: 'holdLaunch',
  summary: 'Pass a launch over until it is released',
  description: 'It keeps its place in line.',
  body: z.strictObject({ reason: z.string().max(1_000).optional() }).meta({ id: 'HoldLaunch' }),
  response: changedSchema,
  handler: async ({ actor, params: { id }, body, deps: { db } }) => {
    const row = await requireInLine(db, actor, id);
    return answered(db, row.id, await hold(db, row.id, { by: actor.name, cause: 'user', reason: body.reason }));
  },
});

const releaseOne = defineRoute({
  ...common,
  path: '/launches/{id}/release',
  operationId: 'releaseLaunch',
  summary: 'Put a held launch back into its place in line',
  response: changedSchema,
  handler: async ({ actor, params: { id }, deps: { db, dispatch } }) => {
    const row = await requireInLine(db, actor, id);
    const answer = await release(db, row.id, actor.name);
    dispatch.nudgeQueue(row.queue_id);
    return answered(db, row.id, answer);
  },
});

const moveOne = defineRoute({
  ...common,
  path: '/launches/{id}/move',
  operationId: 'moveLaunch',
  summary: 'Move a launch within its priority',
  body: z
    .strictObject({
      to: z.enum(['front', 'back']).optional(),
      before: launchIdSchema.optional(),
      after: launchIdSchema.optional(),
    })
    .refine(
      (body) => [body.to, body.before, body.after].filter((place) => place !== undefined).length === 1,
      'say one of to, before and after',
    )
    .meta({ id: 'MoveLaunch' }),
  response: changedSchema,
  handler: async ({ actor, params: { id }, body, deps: { db } }) => {
    const row = await requireInLine(db, actor, id);
    const { to, before, after = '' } = body;
    const place = to !== undefined ? { to } : before !== undefined ? { before } : { after };
    return answered(db, row.id, await move(db, row.id, place, actor.name));
  },
});

const prioritise = defineRoute({
  ...common,
  path: '/launches/{id}/priority',
  operationId: 'prioritiseLaunch',
  summary: 'Change the priority of a launch',
  description: 'Among launches of its new priority its acceptance decides.',
  body: z.strictObject({ priority: prioritySchema }).meta({ id: 'PrioritiseLaunch' }),
  response: changedSchema,
  handler: async ({ actor, params: { id }, body, deps: { db, dispatch } }) => {
    const row = await requireInLine(db, actor, id);
    const answer = await reprioritise(db, row.id, body.priority, actor.name);
    dispatch.told(row.id);
    return answered(db, row.id, answer);
  },
});

const transferOne = defineRoute({
  ...common,
  path: '/launches/{id}/transfer',
  operationId: 'transferLaunch',
  summary: 'Move a launch to the end of another queue',
  description:
    'To the end of its priority there, in a queue of the same target; resource config and requireRun become those of that queue.',
  body: z
    .strictObject({ queue: launchRequestSchema.shape.queue.describe('queue or entity/queue') })
    .meta({ id: 'TransferLaunch' }),
  response: changedSchema,
  handler: async ({ actor, params: { id }, body, deps: { db, dispatch } }) => {
    const row = await requireInLine(db, actor, id);
    const queue = await requireQueueNamed(db, actor, body.queue, row.queue_entity, 'member');
    const answer = await transfer(db, row.id, queue.id, actor.name);
    dispatch.told(row.id);
    dispatch.nudgeQueue(queue.id);
    return answered(db, row.id, answer);
  },
});

export const launchLineRoutes = [holdOne, releaseOne, moveOne, prioritise, transferOne];
