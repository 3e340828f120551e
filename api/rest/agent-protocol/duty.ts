import { z } from 'zod';
import { DavitError } from '../../../domain/errors.js';
import { nameSchema } from '../../../domain/ids.js';
import { labelsSchema } from '../../../domain/requirements.js';
import { targetNameSchema } from '../../../domain/words.js';
import { agentHeartbeats, type AgentDuty, type AgentHeartbeat } from '../../../store/agent-heartbeats.js';
import { bindQueues } from '../../../store/agent-queues.js';
import { ordersOf, registerAgent } from '../../../store/agent-registry.js';
import type { Store } from '../../../store/open.js';
import { lineTaskQueue, privateTaskQueue, watchTaskQueue } from '../../../workflows/ids.js';
import { requireEntity } from '../../auth/authorize.js';
import { gathered } from '../../gathered.js';
import { defineRoute } from '../route.js';
import { agentParams, incarnationSchema, ownAgent, requireBoundNames, tag } from './access.js';

/** An agent says that it lives and hears what it is to serve. */

const agentTargetSchema = z.strictObject({
  place: z.string().regex(/^[A-Za-z0-9_.-]{1,100}$/),
  ok: z.boolean(),
  details: z.array(z.string().max(2000)).max(50),
});

const dutySchema = z.object({
  queues: z.array(
    z.object({
      queueId: z.int(),
      entity: z.string(),
      queue: z.string(),
      target: targetNameSchema,
      class: z.string().describe('Hash of the labels that launches of this line require; empty: none.'),
      taskQueue: z.string(),
    }),
  ),
  wanted: z
    .enum(['active', 'draining', 'stopped'])
    .describe('What an operator wants: draining takes nothing new and stays, stopped ends the process.'),
  quarantine: z
    .object({ reason: z.string(), probeAfter: z.string().nullable() })
    .nullable()
    .describe('Set while the agent takes nothing because launches failed on it.'),
});

/** An agent that may take nothing polls nothing: tickets go to those who can. It stays bound to its queues, to be seen there. */
const dutyOf = ({ queues, wanted, quarantine, mayTake }: AgentDuty) => ({
  queues: mayTake
    ? queues.map((queue) => ({ ...queue, taskQueue: lineTaskQueue(queue.entity, queue.queue, queue.class) }))
    : [],
  wanted,
  quarantine,
});

export const hello = defineRoute({
  method: 'post',
  path: '/agents/hello',
  operationId: 'agentHello',
  summary: 'A process begins to work as an agent',
  tag,
  auth: 'agent',
  body: z
    .strictObject({
      entity: nameSchema,
      name: nameSchema,
      incarnation: incarnationSchema,
      endedIncarnation: incarnationSchema.optional(),
      host: z.string().max(255),
      pid: z.int().min(0),
      version: z.string().max(50),
      maxJobs: z.int().min(-1).max(100_000),
      targets: z.partialRecord(targetNameSchema, agentTargetSchema),
      labels: labelsSchema.optional().describe('What it has; launches may require it.'),
      quarantineAfter: z
        .int()
        .min(0)
        .max(1000)
        .optional()
        .describe(
          'Different launches that must fail on it in a row until it takes nothing more; 0: never. Default: 3.',
        ),
      queues: z.array(z.union([nameSchema, z.literal('*')])).max(10_000),
    })
    .meta({ id: 'AgentHello' }),
  response: dutySchema
    .extend({
      agentId: z.string(),
      privateTaskQueue: z.string(),
      watchTaskQueues: z.record(z.string(), z.string()),
      heartbeatMs: z.int(),
      temporal: z.object({ address: z.string(), namespace: z.string() }),
    })
    .meta({ id: 'AgentWelcome' }),
  handler: async ({ actor, body, deps }) => {
    const { db, dispatch } = deps;
    const entity = await requireEntity(db, actor, body.entity, 'member');
    await requireBoundNames(db, actor, entity.name, body.queues);
    const said = { ...body, entityId: entity.id, keyId: actor.keyId, boundTo: actor.queueIds };
    const { agentId, moved } = await registerAgent(db, said);
    const queues = await bindQueues(db, { ...said, agentId });
    for (const queue of queues) if (moved.includes(queue.queueId)) dispatch.nudge(queue);
    // Whoever waits in a line that had no agent is noticed at once.
    for (const queue of queues) dispatch.nudge(queue);
    return {
      agentId,
      privateTaskQueue: privateTaskQueue(agentId, body.incarnation),
      watchTaskQueues: Object.fromEntries(
        Object.entries(body.targets).map(([name, target]) => [name, watchTaskQueue(name, target.place)]),
      ),
      heartbeatMs: 3_000,
      temporal: deps.temporal,
      ...dutyOf({ queues, ...(await ordersOf(db, agentId)) }),
    };
  },
});

export const heartbeat = defineRoute({
  method: 'post',
  path: '/agents/{agentId}/heartbeat',
  operationId: 'agentHeartbeat',
  summary: 'An agent lives; answers what it is to serve',
  tag,
  auth: 'agent',
  params: agentParams,
  body: z.strictObject({
    incarnation: incarnationSchema,
    status: z.enum(['active', 'draining', 'stopped']),
    queues: z.array(z.union([nameSchema, z.literal('*')])).max(10_000),
  }),
  response: dutySchema.meta({ id: 'AgentDuty' }),
  handler: async ({ actor, params, body, deps }) => {
    const { agentId } = params;
    const { entityId, queueIds: boundTo } = actor;
    // Most keys are bound to no queue: nothing to look up for them.
    if (boundTo !== undefined) {
      const { entity } = await ownAgent(deps.db, actor, agentId);
      await requireBoundNames(deps.db, actor, entity, body.queues);
    }
    const duty = entityId === undefined ? undefined : await beatOf(deps.db)({ ...body, agentId, entityId, boundTo });
    if (duty) return dutyOf(duty);
    await ownAgent(deps.db, actor, agentId);
    throw new DavitError('agent-superseded');
  },
});

/** A thousand agents send one every few seconds: those of a moment go to the store together. */
const beats = new WeakMap<Store, (beat: AgentHeartbeat) => Promise<AgentDuty | undefined>>();
function beatOf(db: Store) {
  const known = beats.get(db);
  if (known) return known;
  const made = gathered((group: AgentHeartbeat[]) => agentHeartbeats(db, group));
  beats.set(db, made);
  return made;
}
