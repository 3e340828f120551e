import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { nameSchema } from '../../domain/ids.js';
import {
  disciplineSchema,
  holdCauses,
  launchStateSchema,
  priorityOfNumber,
  prioritySchema,
  targetNameSchema,
} from '../../domain/words.js';
import {
  firstInLine,
  heldInLine,
  summariesOfLines,
  underWay,
  type LaunchInLine,
  type LineSummary,
} from '../../store/line-view.js';
import { visibleEntityIds } from '../auth/visible.js';
import { defineRoute } from './route.js';
import { maybeTime, timeOf, timeSchema, wholeNumber } from './schemas.js';

/** Lines as an operator watches them. Lists of launches are newest first; these are in the order in which they are taken. */

const summarySchema = z
  .object({
    entity: z.string(),
    queue: z.string(),
    target: targetNameSchema,
    paused: z.boolean(),
    pausedBy: z.string().nullable(),
    pausedAt: timeSchema.nullable(),
    pauseReason: z.string().nullable(),
    draining: z.boolean(),
    discipline: disciplineSchema,
    maxRunning: z.int().nullable(),
    maxRunningPerProject: z.int().nullable(),
    maxWaiting: z.int().nullable(),
    waiting: z.int(),
    held: z.int(),
    running: z.int().describe('Launches that hold a slot.'),
    oldestQueuedAt: timeSchema.nullable().describe('When the one that waits longest came into line.'),
    agents: z.int().describe('Agents that serve it and may take something.'),
    slots: z
      .int()
      .nullable()
      .describe('Of these agents, for all of their queues together. Null: one of them has no limit.'),
    slotsBusy: z.int(),
    endedPerMinute: z.number().nullable().describe('Launches that ended, over the last five minutes.'),
  })
  .meta({ id: 'LineSummary' });

const inLineSchema = z
  .object({
    id: z.string(),
    position: z.int().nullable().describe('1 = next. Null: held, or under way.'),
    state: launchStateSchema,
    priority: prioritySchema,
    job: z.string(),
    entity: z.string(),
    project: z.string(),
    author: z.string(),
    agent: z.string().nullable(),
    queuedAt: timeSchema.describe('When it came into line last.'),
    claimedAt: timeSchema.nullable(),
    startedAt: timeSchema.nullable(),
    hold: z.enum(holdCauses).nullable(),
    holdReason: z.string().nullable(),
    requires: z.record(z.string(), z.string()),
  })
  .meta({ id: 'LaunchInLine' });

const toSummary = ({ queueId: _queueId, ...row }: LineSummary): z.input<typeof summarySchema> => ({
  ...row,
  pausedAt: maybeTime(row.pausedAt),
  oldestQueuedAt: maybeTime(row.oldestQueuedAt),
});

const toInLine = (row: LaunchInLine): z.input<typeof inLineSchema> => ({
  ...row,
  priority: priorityOfNumber(row.priority),
  queuedAt: timeOf(row.queuedAt),
  claimedAt: maybeTime(row.claimedAt),
  startedAt: maybeTime(row.startedAt),
});

const list = defineRoute({
  method: 'get',
  path: '/lines',
  operationId: 'listLines',
  summary: 'Every line at this moment, in short',
  tag: 'queues',
  auth: 'user',
  query: z.strictObject({ entity: nameSchema.optional() }),
  response: z.object({ at: timeSchema, items: z.array(summarySchema) }).meta({ id: 'LineList' }),
  handler: async ({ actor, query, deps }) => {
    const entityIds = await visibleEntityIds(deps.db, actor, query.entity);
    return { at: timeOf(new Date()), items: (await summariesOfLines(deps.db, { entityIds })).map(toSummary) };
  },
});

const show = defineRoute({
  method: 'get',
  path: '/queues/{entity}/{queue}/line',
  operationId: 'getLine',
  summary: 'One line at this moment: who is next, who is held, what runs',
  tag: 'queues',
  auth: 'user',
  params: z.strictObject({ entity: nameSchema, queue: nameSchema }),
  query: z.strictObject({ limit: wholeNumber(1, 1_000).optional().describe('Of each of the lists; default 50.') }),
  response: z
    .object({
      at: timeSchema,
      line: summarySchema,
      next: z.array(inLineSchema).describe('In the order in which they are taken.'),
      held: z.array(inLineSchema),
      running: z.array(inLineSchema).describe('What holds a slot, the longest first.'),
    })
    .meta({ id: 'Line' }),
  handler: async ({ actor, params, query, deps }) => {
    const unknown = new DavitError(
      'unknown-queue',
      `There is no queue "${params.entity}/${params.queue}" that this key may see.`,
    );
    const entityIds = await visibleEntityIds(deps.db, actor, params.entity).catch((error: unknown) => {
      throw error instanceof DavitError && error.code === 'not-found' ? unknown : error;
    });
    const summaries = await summariesOfLines(deps.db, { entityIds, queue: params.queue });
    const summary = summaries[0];
    if (!summary) throw unknown;
    const limit = query.limit ?? 50;
    const [next, held, running] = await Promise.all([
      firstInLine(deps.db, { id: summary.queueId, discipline: summary.discipline }, limit),
      summary.held === 0 ? [] : heldInLine(deps.db, summary.queueId, limit),
      summary.running === 0 ? [] : underWay(deps.db, summary.queueId, limit),
    ]);
    return {
      at: timeOf(new Date()),
      line: toSummary(summary),
      next: next.map(toInLine),
      held: held.map(toInLine),
      running: running.map(toInLine),
    };
  },
});

export const lineRoutes = [list, show];
