import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { launchRequestSchema, overridesSchema, type LaunchRequest } from '../../domain/launch-request.js';
import { relaunchRequest } from '../../domain/relaunch.js';
import { summaryOf } from '../../domain/waiting.js';
import { launchStateSchema, prioritySchema } from '../../domain/words.js';
import { listEvents } from '../../store/launch-events.js';
import { planOfLaunch, runOfLaunch } from '../../store/launches.js';
import { positionOf } from '../../store/line.js';
import type { Actor } from '../auth/authenticate.js';
import type { ApiDeps } from '../deps.js';
import { problemOf, problemSchema, toDavitError } from '../errors.js';
import { pinOf } from '../git.js';
import { causesFor } from '../waiting.js';
import { requireInLine, requireLaunch, requireMayEnqueue } from './launch-access.js';
import { dryRun, dryRunSchema } from './launch-dry-run.js';
import { eventSchema, launchDetailSchema, launchRequestBody, toEvent, toLaunch } from './launch-schemas.js';
import { traceparentOf, tracesLaunch } from '../tracing.js';
import { defineRoute } from './route.js';

export const launchParams = z.strictObject({ id: z.string().max(64) });

const acceptedSchema = z
  .object({
    id: z.string(),
    created: z.boolean().describe('False: this Idempotency-Key was accepted before.'),
    warnings: z.array(z.string()).describe('What was accepted all the same, such as inputs that do not fit.'),
  })
  .meta({ id: 'AcceptedLaunch' });

const idempotencyHeader = {
  'Idempotency-Key': {
    description: 'The same key with the same body is accepted once, however often it is sent. 1 to 200 characters.',
  },
};
const keyPattern = /^[\x21-\x7e]{1,200}$/;

function idempotencyKeyOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (keyPattern.test(header)) return header;
  throw new DavitError('invalid-request', 'Idempotency-Key: use 1 to 200 printable characters without spaces', {
    errors: [{ path: 'header.Idempotency-Key', message: 'use 1 to 200 printable characters without spaces' }],
  });
}

async function enqueueOne(
  deps: ApiDeps,
  actor: Actor,
  request: LaunchRequest,
  options: { idempotencyKey?: string | undefined; relaunchOf?: string; traceparent?: string | undefined },
) {
  const defaultEntity = actor.homeEntity?.name ?? '';
  await requireMayEnqueue(deps.db, actor, request, defaultEntity);
  const { idempotencyKey, relaunchOf, traceparent } = options;
  const git = await pinOf(deps, actor, request, defaultEntity);
  const { launchId, created, warnings } = await deps.dispatch.enqueue(actor.name, request, {
    defaultEntity,
    git,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(relaunchOf === undefined ? {} : { relaunchOf }),
    traceparent,
  });
  return { id: launchId, created, warnings };
}

const enqueue = defineRoute({
  method: 'post',
  path: '/launches',
  operationId: 'enqueueLaunch',
  summary: 'Enqueue a launch',
  description:
    'It is stored when this answers: nothing accepted is lost. 201 = new, 200 = accepted before under this key, or a dry run.',
  tag: 'launches',
  auth: 'user',
  headers: idempotencyHeader,
  query: z.strictObject({
    dryRun: z.enum(['true', 'false']).optional().describe('true: says what it would do, and changes nothing.'),
  }),
  body: launchRequestBody,
  status: 201,
  otherStatus: [200],
  response: z.union([acceptedSchema, dryRunSchema]),
  handler: async ({ actor, body, query, deps, req, res }) => {
    if (query.dryRun === 'true') {
      res.status(200);
      return dryRun(deps, actor, body);
    }
    const accepted = await enqueueOne(deps, actor, body, {
      idempotencyKey: idempotencyKeyOf(req.get('idempotency-key')),
      traceparent: traceparentOf(req),
    });
    tracesLaunch(req, accepted.id, deps.tracing);
    res.status(accepted.created ? 201 : 200).setHeader('Location', `/api/v1/launches/${accepted.id}`);
    return accepted;
  },
});

const enqueueBatch = defineRoute({
  method: 'post',
  path: '/launches/batch',
  operationId: 'enqueueLaunches',
  summary: 'Enqueue up to 1,000 launches, in order',
  description:
    'A body that does not fit the schema is refused as a whole; otherwise each launch is accepted or refused for itself. With an ' +
    'Idempotency-Key, the launch at place i has the key "<key>#<i>".',
  tag: 'launches',
  auth: 'user',
  headers: idempotencyHeader,
  body: z.strictObject({ launches: z.array(launchRequestBody).min(1).max(1000) }).meta({ id: 'LaunchBatch' }),
  bodyLimitBytes: 32 * 1024 * 1024,
  response: z
    .object({ results: z.array(z.union([acceptedSchema, z.object({ error: problemSchema })])) })
    .meta({ id: 'LaunchBatchResult' }),
  handler: async ({ actor, body, deps, req, requestId }) => {
    const key = idempotencyKeyOf(req.get('idempotency-key'));
    const traceparent = traceparentOf(req);
    const results: (z.input<typeof acceptedSchema> | { error: z.input<typeof problemSchema> })[] = [];
    // One after the other: the order of the list is the order in line.
    for (const [i, request] of body.launches.entries()) {
      try {
        results.push(await enqueueOne(deps, actor, request, { idempotencyKey: key && `${key}#${i}`, traceparent }));
      } catch (thrown) {
        const error = toDavitError(thrown);
        // What is wrong with the server is wrong for all that follow: the caller repeats the batch with its key.
        if (error.entry.status >= 500) throw thrown;
        results.push({ error: problemOf(error, deps.publicUrl, requestId, `/api/v1/launches/batch#${i}`) });
      }
    }
    return { results };
  },
});

const show = defineRoute({
  method: 'get',
  path: '/launches/{id}',
  operationId: 'getLaunch',
  summary: 'One launch with its timeline',
  tag: 'launches',
  auth: 'user',
  params: launchParams,
  response: launchDetailSchema,
  handler: async ({ actor, params, deps }) => {
    const row = await requireLaunch(deps.db, actor, params.id, 'viewer');
    const [events, plan, run, position, causes] = await Promise.all([
      listEvents(deps.db, row.id),
      planOfLaunch(deps.db, row.id),
      runOfLaunch(deps.db, row),
      row.state === 'queued' ? positionOf(deps.db, row.id) : undefined,
      row.state === 'queued' ? causesFor(deps, row.id) : [],
    ]);
    return {
      ...toLaunch(row),
      position: position ?? null,
      waiting: summaryOf(causes),
      request: { ...row.spec },
      resolved: { ...plan?.request },
      image: row.image,
      plan: plan?.plan ? { ...plan.plan } : null,
      run: run
        ? {
            name: run.name,
            displayName: run.display_name,
            state: run.state,
            url: `/api/v1/runs/${row.entity}/${row.project}/${run.name}`,
          }
        : null,
      timeline: events.map(toEvent),
    };
  },
});

const events = defineRoute({
  method: 'get',
  path: '/launches/{id}/events',
  operationId: 'listLaunchEvents',
  summary: 'The timeline of a launch',
  tag: 'launches',
  auth: 'user',
  params: launchParams,
  response: z.object({ items: z.array(eventSchema) }).meta({ id: 'LaunchEventList' }),
  handler: async ({ actor, params, deps }) => {
    const row = await requireLaunch(deps.db, actor, params.id, 'viewer');
    return { items: (await listEvents(deps.db, row.id)).map(toEvent) };
  },
});

const cancel = defineRoute({
  method: 'post',
  path: '/launches/{id}/cancel',
  operationId: 'cancelLaunch',
  summary: 'Cancel a launch',
  description: 'Waiting: stopped at once. Running: its job is ended. Ended: nothing changes. Safe to repeat.',
  tag: 'launches',
  auth: 'user',
  params: launchParams,
  response: z.object({ id: z.string(), state: launchStateSchema }).meta({ id: 'CancelledLaunch' }),
  handler: async ({ actor, params, deps }) => {
    const row = await requireInLine(deps.db, actor, params.id, { orInProject: true });
    return { id: row.id, state: await deps.dispatch.cancel(row.id, actor.name) };
  },
});

const relaunch = defineRoute({
  method: 'post',
  path: '/launches/{id}/relaunch',
  operationId: 'relaunchLaunch',
  summary: 'Enqueue the same again',
  description:
    'A new launch and a new run from the same request. What is given here replaces that part of the request.',
  tag: 'launches',
  auth: 'user',
  headers: idempotencyHeader,
  params: launchParams,
  body: z
    .strictObject({
      queue: launchRequestSchema.shape.queue.optional(),
      job: launchRequestSchema.shape.job.optional(),
      name: launchRequestSchema.shape.name,
      priority: prioritySchema.optional(),
      requireRun: z.boolean().optional(),
      templateVariables: launchRequestSchema.shape.templateVariables,
      overrides: overridesSchema
        .optional()
        .describe(
          'Replaces the overrides field by field. A git job runs the commit that it ran, unless `ref` says another; on the same queue the very image that ran is run again, if a registry has it and nothing is changed that it depends on.',
        ),
    })
    .meta({ id: 'Relaunch' }),
  status: 201,
  otherStatus: [200],
  response: acceptedSchema,
  handler: async ({ actor, params, body, deps, req, res }) => {
    const row = await requireLaunch(deps.db, actor, params.id, 'member');
    const accepted = await enqueueOne(deps, actor, relaunchRequest(row, body), {
      idempotencyKey: idempotencyKeyOf(req.get('idempotency-key')),
      relaunchOf: row.id,
      traceparent: traceparentOf(req),
    });
    tracesLaunch(req, accepted.id, deps.tracing);
    res.status(accepted.created ? 201 : 200).setHeader('Location', `/api/v1/launches/${accepted.id}`);
    return accepted;
  },
});

export const launchRoutes = [enqueue, enqueueBatch, show, events, cancel, relaunch];
