import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { launchIdSchema } from '../../domain/ids.js';
import { jobTraceparent } from '../tracing.js';
import { defineRoute } from './route.js';

const trace = defineRoute({
  method: 'get',
  path: '/agents/{agentId}/launches/{launchId}/trace',
  operationId: 'agentTrace',
  summary: 'Where a launch stands in its trace, for the agent that works on it',
  tag: 'agent protocol',
  auth: 'agent',
  params: z.strictObject({ agentId: z.string().max(40), launchId: launchIdSchema }),
  query: z.strictObject({ claim: z.uuid() }),
  response: z.object({ traceparent: z.string().nullable() }),
  handler: async ({ actor, params, query, deps }) => {
    const launch = await deps.db
      .selectFrom('launch')
      .innerJoin('queue', 'queue.id', 'launch.queue_id')
      .select(['launch.id', 'launch.epoch', 'launch.request', 'queue.entity_id'])
      .where('launch.id', '=', params.launchId)
      .where('launch.claim', '=', query.claim)
      .executeTakeFirst();
    if (!launch || launch.entity_id !== actor.entityId) throw new DavitError('claim-lost');
    const { id, epoch, request } = launch;
    return { traceparent: jobTraceparent({ id, epoch, traceparent: request.traceparent }, deps.tracing) ?? null };
  },
});

export const agentTraceRoutes = [trace];
