import { z } from 'zod';
import { causeCodes } from '../../domain/waiting.js';
import { launchStateSchema } from '../../domain/words.js';
import { waitingOf, type Waiting } from '../waiting.js';
import { requireInLine } from './launch-access.js';
import { defineRoute } from './route.js';
import { timeOf, timeSchema } from './schemas.js';

const params = z.strictObject({ id: z.string().max(64) });

const causeSchema = z
  .object({
    code: z.enum(causeCodes),
    sentence: z.string().describe('What is, and the next step.'),
    data: z.record(z.string(), z.unknown()).describe('The same for programs; docs/waiting.md names the fields.'),
  })
  .meta({ id: 'WaitingCause' });

const estimateSchema = z
  .object({
    madeAt: timeSchema,
    earliest: timeSchema,
    latest: timeSchema.describe('8 of 10 launches are taken between the two.'),
    basis: z.string().describe('What it was made from.'),
    hitRate: z.object({
      estimates: z.int().describe('Measured ones of this queue, at most the last 200.'),
      right: z.int().describe('Of them, such whose range held the start.'),
      sentence: z.string(),
    }),
  })
  .meta({ id: 'StartEstimate' });

/** What a waiting launch and a dry run have in common. */
export const waitingParts = {
  causes: z.array(causeSchema).describe('Everything that keeps it now, the most important first.'),
  estimate: estimateSchema.optional().describe('When it will be taken.'),
  noEstimate: z.string().optional().describe('Why there is no estimate.'),
};

export const toWaitingParts = ({ causes, estimate, noEstimate }: Omit<Waiting, 'position'>) => ({
  causes,
  ...(estimate === undefined
    ? {}
    : {
        estimate: {
          madeAt: timeOf(estimate.madeAt),
          earliest: timeOf(estimate.earliest),
          latest: timeOf(estimate.latest),
          basis: estimate.basis,
          hitRate: estimate.hitRate,
        },
      }),
  ...(noEstimate === undefined ? {} : { noEstimate }),
});

const waiting = defineRoute({
  method: 'get',
  path: '/launches/{id}/waiting',
  operationId: 'getLaunchWaiting',
  summary: 'Why a launch waits, and until when',
  description: 'A launch that does not wait has no position and no causes; its state says where it is.',
  tag: 'launches',
  auth: 'user',
  params,
  response: z
    .object({
      state: launchStateSchema,
      position: z.int().nullable().describe('Place in line, 1 = next; null when it is held or does not wait.'),
      ...waitingParts,
    })
    .meta({ id: 'LaunchWaiting' }),
  handler: async ({ actor, params: { id }, deps }) => {
    // Whoever keeps the queue may ask, too: the launch may belong to another entity's project.
    const find = () => requireInLine(deps.db, actor, id, { orInProject: true, role: 'viewer' });
    const row = await find();
    const found = row.state === 'queued' ? await waitingOf(deps, row.id) : undefined;
    if (found) return { state: row.state, position: found.position, ...toWaitingParts(found) };
    // Taken since it was read.
    const now = row.state === 'queued' ? await find() : row;
    return { state: now.state, position: null, causes: [] };
  },
});

export const launchWaitingRoutes = [waiting];
