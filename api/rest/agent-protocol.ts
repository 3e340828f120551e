import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { planRequestOf } from '../../domain/plan-request.js';
import { DavitError } from '../../domain/errors.js';
import { launchIdSchema, nameSchema } from '../../domain/ids.js';
import { labelsSchema } from '../../domain/requirements.js';
import { logStreams, targetNameSchema } from '../../domain/words.js';
import {
  agentHeartbeat,
  bindQueues,
  ordersOf,
  registerAgent,
  type AgentOrders,
  type ServedQueue,
} from '../../store/agent-registry.js';
import { queueNames } from '../../store/agents.js';
import { recordProgress } from '../../store/attempts.js';
import { openCodeArchive } from '../../store/code-archive.js';
import { jobSourceOf, readJobVersion } from '../../store/jobs.js';
import { issueKey } from '../../store/keys.js';
import { appendLog } from '../../store/launch-logs.js';
import { claim, claimRefusals, confirm, giveBack } from '../../store/line.js';
import type { Store } from '../../store/open.js';
import { lineTaskQueue, privateTaskQueue, watchTaskQueue } from '../../workflows/ids.js';
import type { Actor } from '../auth/authenticate.js';
import { requireEntity } from '../auth/authorize.js';
import { jobTraceparent } from '../tracing.js';
import { defineRoute } from './route.js';
import { wholeNumber } from './schemas.js';

/**
 * What agents say to the API (docs/claim-protocol.md). Every call about a launch carries its claim and is refused when the claim is not the
 * launch's present one; every call may be repeated.
 */

const tag = 'agent protocol';
const incarnationSchema = z.string().regex(/^[a-z0-9]{8,40}$/);
const claimSchema = z.uuid();
const agentParams = z.strictObject({ agentId: z.string().max(40) });
const launchParams = z.strictObject({ agentId: z.string().max(40), launchId: launchIdSchema });

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

/** An agent key acts for its own entity only; the row says which agents those are. */
async function ownAgent(db: Store, actor: Actor, agentId: string) {
  const agent = await db
    .selectFrom('agent')
    .innerJoin('entity', 'entity.id', 'agent.entity_id')
    .select([
      'agent.id',
      'agent.entity_id',
      'agent.incarnation',
      'agent.targets',
      'agent.name',
      'entity.name as entity',
    ])
    .where('agent.id', '=', agentId)
    .executeTakeFirst();
  if (!agent || agent.entity_id !== actor.entityId)
    throw new DavitError('not-found', `There is no agent ${agentId} for this key.`);
  return agent;
}

const notBound = (what: string, names: Iterable<string>): DavitError =>
  new DavitError(
    'queue-not-bound',
    `The key of this agent is bound to ${[...names].join(', ') || 'no queue'}; not to ${what}.`,
  );

/** A key may be bound to queues: every other one is refused by its name. `*` means those that it is bound to. */
async function requireBoundNames(db: Store, actor: Actor, entity: string, wanted: readonly string[]): Promise<void> {
  if (actor.queueIds === undefined) return;
  const names = new Set((await queueNames(db, actor.queueIds)).values());
  const foreign = wanted.filter((name) => name !== '*' && !names.has(`${entity}/${name}`));
  if (foreign.length > 0) throw notBound(foreign.map((name) => `${entity}/${name}`).join(', '), names);
}

async function requireBound(db: Store, actor: Actor, queueId: number): Promise<void> {
  if (actor.queueIds === undefined || actor.queueIds.includes(queueId)) return;
  const names = await queueNames(db, [...actor.queueIds, queueId]);
  const name = names.get(queueId) ?? `queue ${queueId}`;
  names.delete(queueId);
  throw notBound(name, names.values());
}

/** The launch, if this claim is the one that holds it and its queue is one that the agent's key may serve. */
async function heldLaunch(db: Store, actor: Actor, launchId: string, claimId: string) {
  const launch = await db
    .selectFrom('launch')
    .innerJoin('queue', 'queue.id', 'launch.queue_id')
    .selectAll('launch')
    .select('queue.entity_id as queue_entity_id')
    .where('launch.id', '=', launchId)
    .where('launch.claim', '=', claimId)
    .executeTakeFirst();
  if (!launch || launch.queue_entity_id !== actor.entityId) throw new DavitError('claim-lost');
  await requireBound(db, actor, launch.queue_id);
  return launch;
}

/**
 * For calls that need nothing of the launch: its documents stay in the database. The key's queues do not count here: whoever finds the job
 * of a lost agent at its place follows it, and may say what it sees.
 */
async function requireHeld(db: Store, actor: Actor, launchId: string, claimId: string): Promise<void> {
  const launch = await db
    .selectFrom('launch')
    .innerJoin('queue', 'queue.id', 'launch.queue_id')
    .select('queue.entity_id')
    .where('launch.id', '=', launchId)
    .where('launch.claim', '=', claimId)
    .executeTakeFirst();
  if (!launch || launch.entity_id !== actor.entityId) throw new DavitError('claim-lost');
}

/** An agent that may take nothing polls nothing: tickets go to those who can. It stays bound to its queues, to be seen there. */
const dutyOf = (queues: readonly ServedQueue[], { wanted, quarantine, mayTake }: AgentOrders) => ({
  queues: mayTake
    ? queues.map((queue) => ({ ...queue, taskQueue: lineTaskQueue(queue.entity, queue.queue, queue.class) }))
    : [],
  wanted,
  quarantine,
});

const hello = defineRoute({
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
    const queues = await bindQueues(db, agentId, said);
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
      ...dutyOf(queues, await ordersOf(db, agentId)),
    };
  },
});

const heartbeat = defineRoute({
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
    // Most keys are bound to no queue: then one statement less, and a thousand agents do this every few seconds.
    if (actor.queueIds !== undefined) {
      const { entity } = await ownAgent(deps.db, actor, agentId);
      await requireBoundNames(deps.db, actor, entity, body.queues);
    }
    const agent = await agentHeartbeat(deps.db, { ...body, agentId, entityId: actor.entityId });
    if (!agent) {
      await ownAgent(deps.db, actor, agentId);
      throw new DavitError('agent-superseded');
    }
    const bound = { entityId: agent.entityId, queues: body.queues, targets: agent.targets, boundTo: actor.queueIds };
    return dutyOf(await bindQueues(deps.db, agentId, bound), agent);
  },
});

const claimOne = defineRoute({
  method: 'post',
  path: '/agents/{agentId}/claim',
  operationId: 'agentClaim',
  summary: 'Take the first launch of a line',
  tag,
  auth: 'agent',
  params: agentParams,
  body: z.strictObject({
    incarnation: incarnationSchema,
    queueId: z.int(),
    class: z
      .string()
      .regex(/^([0-9a-f]{12})?$/)
      .optional(),
    ticket: z.string().max(200),
    ticketAttempt: z.int().min(1),
  }),
  response: z
    .object({
      outcome: z.enum(['granted', ...claimRefusals]),
      left: z.int().describe('Launches of the line that could still be claimed, counted up to 41.'),
      launchId: z.string().optional(),
      claim: z.string().optional(),
    })
    .meta({ id: 'AgentClaim' }),
  handler: async ({ actor, params, body, deps }) => {
    const agent = await ownAgent(deps.db, actor, params.agentId);
    const queue = await deps.db
      .selectFrom('queue')
      .select(['id', 'target', 'deleted_at'])
      .where('id', '=', body.queueId)
      .where('entity_id', '=', agent.entity_id)
      .executeTakeFirst();
    // A ticket of a queue that was deleted. It is answered, so that the old line ends and a new queue of this name can have its own.
    if (queue?.deleted_at) return { outcome: 'none' as const, left: 0 };
    const place = queue && agent.targets[queue.target]?.place;
    if (!queue || place === undefined)
      throw new DavitError('not-found', `Agent ${agent.name} cannot serve queue ${body.queueId}.`);
    await requireBound(deps.db, actor, queue.id);
    const answer = await claim(deps.db, {
      queueId: queue.id,
      class: body.class,
      ticket: body.ticket,
      ticketAttempt: body.ticketAttempt,
      agentId: agent.id,
      incarnation: body.incarnation,
      privateQueue: privateTaskQueue(agent.id, body.incarnation),
      place,
    });
    deps.metrics?.claimed(answer);
    if (answer.outcome !== 'granted') return { outcome: answer.outcome, left: answer.left };
    // Beside the answer, never before it or instead of it: the row is due, whoever dies now.
    deps.dispatch.told(answer.launchId);
    return { outcome: answer.outcome, left: answer.left, launchId: answer.launchId, claim: answer.claim };
  },
});

const planRequestSchema = z.object({
  launchId: z.string(),
  attempt: z.int(),
  name: z.string(),
  command: z.array(z.string()),
  workingDir: z.string(),
  environment: z.record(z.string(), z.string()),
  requirements: z.string().optional(),
  pythonVersion: z.string().optional(),
  codeDigest: z.string().optional(),
  resourceConfig: z.record(z.string(), z.unknown()),
});

const confirmOne = defineRoute({
  method: 'post',
  path: '/agents/{agentId}/launches/{launchId}/confirm',
  operationId: 'agentConfirm',
  summary: 'The first act under a claim; answers what to run',
  tag,
  auth: 'agent',
  params: launchParams,
  body: z.strictObject({ claim: claimSchema, incarnation: incarnationSchema }),
  response: z.object({ request: planRequestSchema, killGraceMs: z.int() }),
  handler: async ({ actor, params, body, deps }) => {
    const launch = await heldLaunch(deps.db, actor, params.launchId, body.claim);
    if (!(await confirm(deps.db, launch.id, body.claim, body.incarnation))) throw new DavitError('claim-lost');
    const { job } = launch.request;
    const version = await readJobVersion(deps, job.artifactId);
    const { requirements, pythonVersion, codeDigest, ...request } = planRequestOf({
      launchId: launch.id,
      attempt: launch.attempt,
      resolved: launch.request,
      overrides: launch.spec.overrides,
      source: jobSourceOf(version),
      apiUrl: deps.publicUrl,
    });
    const traceparent = jobTraceparent(
      { id: launch.id, epoch: launch.epoch, traceparent: launch.request.traceparent },
      deps.tracing,
    );
    return {
      request: {
        ...request,
        environment: {
          ...(traceparent === undefined ? {} : { TRACEPARENT: traceparent }),
          ...request.environment,
        },
        ...(requirements === undefined ? {} : { requirements }),
        ...(pythonVersion === undefined ? {} : { pythonVersion }),
        ...(codeDigest === undefined ? {} : { codeDigest }),
      },
      killGraceMs: 10_000,
    };
  },
});

const giveBackOne = defineRoute({
  method: 'post',
  path: '/agents/{agentId}/launches/{launchId}/give-back',
  operationId: 'agentGiveBack',
  summary: 'Put a launch back in its place that was claimed and not begun',
  tag,
  auth: 'agent',
  params: launchParams,
  body: z.strictObject({ claim: claimSchema, reason: z.string().max(500) }),
  response: z.object({ returned: z.boolean() }),
  handler: async ({ actor, params, body, deps }) => {
    const launch = await heldLaunch(deps.db, actor, params.launchId, body.claim);
    const returned = await giveBack(deps.db, {
      launchId: launch.id,
      claim: body.claim,
      unconfirmedOnly: true,
      reason: body.reason,
    });
    if (returned) {
      deps.dispatch.told(launch.id);
      deps.dispatch.nudge({
        queueId: launch.queue_id,
        entity: launch.request.queueEntity,
        queue: launch.request.queue,
      });
    }
    return { returned };
  },
});

const progress = defineRoute({
  method: 'post',
  path: '/agents/{agentId}/launches/{launchId}/progress',
  operationId: 'agentProgress',
  summary: 'How the attempt gets on',
  tag,
  auth: 'agent',
  params: launchParams,
  body: z.strictObject({
    claim: claimSchema,
    n: z.int().describe('The agent counts its reports of a claim; a repeated one changes nothing.'),
    state: z.enum(['preparing', 'submitting', 'starting', 'running']).optional(),
    reason: z.string().max(2000).optional(),
    node: z.string().max(255).optional(),
    plan: z.record(z.string(), z.unknown()).optional(),
    at: z.iso.datetime(),
  }),
  response: z.object({ accepted: z.boolean().describe('False: the claim was lost, or the launch is being stopped.') }),
  handler: async ({ actor, params, body, deps }) => {
    await requireHeld(deps.db, actor, params.launchId, body.claim);
    const { claim: claimId, n, state, reason, node, plan } = body;
    const accepted = await recordProgress(deps.db, {
      launchId: params.launchId,
      claim: claimId,
      n,
      state,
      reason,
      node,
      plan,
      at: new Date(body.at),
    });
    return { accepted };
  },
});

const maxLogPieceBytes = 1024 * 1024;

const log = defineRoute({
  method: 'post',
  path: '/agents/{agentId}/launches/{launchId}/log',
  operationId: 'agentLog',
  summary: 'Append to a stream of a launch; answers its length, where the next piece belongs',
  tag,
  auth: 'agent',
  params: launchParams,
  query: z.strictObject({
    claim: claimSchema,
    attempt: wholeNumber(1, 1_000_000),
    stream: z.enum(logStreams),
    fromByte: wholeNumber(0, 1e15),
    at: z.iso.datetime(),
    ended: z.enum(['true', 'false']),
  }),
  rawBody: { contentType: 'application/octet-stream', description: 'Bytes of the stream, at most 1 MiB.' },
  response: z.object({ length: z.int() }),
  handler: async ({ actor, params, query, deps, req }) => {
    await requireHeld(deps.db, actor, params.launchId, query.claim);
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of req as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > maxLogPieceBytes) throw new DavitError('body-too-large');
      parts.push(part);
    }
    return appendLog(deps.db, {
      launchId: params.launchId,
      attempt: query.attempt,
      stream: query.stream,
      fromByte: query.fromByte,
      at: new Date(query.at),
      data: Buffer.concat(parts),
      ended: query.ended === 'true',
    });
  },
});

/** A key outlives any sensible job and is revoked when the launch ends. */
const runKeyTtlMs = 90 * 24 * 3600_000;

const secrets = defineRoute({
  method: 'post',
  path: '/agents/{agentId}/launches/{launchId}/secrets',
  operationId: 'agentSecrets',
  summary: 'Secret variables for the job: a key that reaches its own run and project only',
  tag,
  auth: 'agent',
  params: launchParams,
  body: z.strictObject({ claim: claimSchema }),
  response: z.object({ environment: z.record(z.string(), z.string()) }),
  handler: async ({ actor, params, body, deps }) => {
    const launch = await heldLaunch(deps.db, actor, params.launchId, body.claim);
    const project = await deps.db
      .selectFrom('project')
      .select('entity_id')
      .where('id', '=', launch.project_id)
      .executeTakeFirstOrThrow();
    const author = await deps.db
      .selectFrom('user_account')
      .select('id')
      .where('username', '=', launch.author)
      .executeTakeFirst();
    const { key } = await issueKey(deps.db, {
      kind: 'run',
      entityId: project.entity_id,
      launchId: launch.id,
      description: `launch ${launch.id}`,
      expiresAt: new Date(Date.now() + runKeyTtlMs),
      ...(author ? { userId: author.id } : {}),
    });
    return { environment: { WANDB_API_KEY: key } };
  },
});

const code = defineRoute({
  method: 'get',
  path: '/agents/{agentId}/launches/{launchId}/code',
  operationId: 'agentCode',
  summary: "The job's code",
  tag,
  auth: 'agent',
  params: launchParams,
  query: z.strictObject({ claim: claimSchema }),
  streams: ['application/gzip'],
  handler: async ({ actor, params, query, deps, res }) => {
    const launch = await heldLaunch(deps.db, actor, params.launchId, query.claim);
    const version = await readJobVersion(deps, launch.request.job.artifactId);
    if (version.codeArtifactId === undefined) throw new DavitError('not-found', 'This job has no code.');
    const archive = await openCodeArchive(deps, version.codeArtifactId);
    res.setHeader('Content-Type', 'application/gzip');
    await pipeline(archive, res);
  },
});

export const agentProtocolRoutes = [hello, heartbeat, claimOne, confirmOne, giveBackOne, progress, log, secrets, code];
