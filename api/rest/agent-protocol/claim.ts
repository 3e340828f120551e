import { z } from 'zod';
import { DavitError } from '../../../domain/errors.js';
import { planRequestOf } from '../../../domain/plan-request.js';
import { sourceOf } from '../../../store/jobs.js';
import { claim, claimRefusals, confirm, giveBack } from '../../../store/line.js';
import { privateTaskQueue } from '../../../workflows/ids.js';
import { jobTraceparent } from '../../tracing.js';
import { defineRoute } from '../route.js';
import {
  agentParams,
  claimSchema,
  heldLaunch,
  incarnationSchema,
  launchParams,
  ownAgent,
  requireBound,
  tag,
} from './access.js';

/** A launch is taken, confirmed with the first act under its claim, or given back. */

export const claimOne = defineRoute({
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
  source: z.union([
    z.object({ kind: z.literal('code') }),
    z.object({
      kind: z.literal('git'),
      remote: z.string(),
      commit: z.string(),
      credentials: z.string().optional(),
      patched: z.boolean().optional(),
    }),
    z.object({ kind: z.literal('image'), image: z.string() }),
  ]),
  build: z.object({
    dockerfile: z.string().optional(),
    context: z.string().optional(),
    baseImage: z.string().optional(),
    acceleratorBaseImage: z.string().optional(),
    builder: z.string().optional(),
  }),
  entryPoint: z.array(z.string()),
  args: z.array(z.string()),
  command: z.array(z.string()),
  workingDir: z.string(),
  environment: z.record(z.string(), z.string()),
  requirements: z.string().optional(),
  pythonVersion: z.string().optional(),
  codeDigest: z.string().optional(),
  resourceConfig: z.record(z.string(), z.unknown()),
});

export const confirmOne = defineRoute({
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
    const { requirements, pythonVersion, codeDigest, ...request } = planRequestOf({
      launchId: launch.id,
      attempt: launch.attempt,
      resolved: launch.request,
      overrides: launch.spec.overrides,
      source: await sourceOf(deps, launch.request),
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

export const giveBackOne = defineRoute({
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
