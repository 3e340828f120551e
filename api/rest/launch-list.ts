import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { jobNameSchema, launchIdSchema, nameSchema } from '../../domain/ids.js';
import { labelsSchema } from '../../domain/requirements.js';
import { launchStates, prioritySchema } from '../../domain/words.js';
import { listLaunches, listLine, queuesNamed, type LaunchFilter, type LinePlace } from '../../store/launch-lists.js';
import type { Store } from '../../store/open.js';
import { visibleEntityIds } from '../auth/visible.js';
import { launchSchema, toLaunch } from './launch-schemas.js';
import { defineRoute } from './route.js';
import { commaList, defaultLimit, page, pageOf, pageQuery, readCursor, timeText } from './schemas.js';

/** `gpu=a100,zone=x` */
const labelsText = z
  .string()
  .max(4_000)
  .transform((text, context) => {
    const pairs = text.split(',').map((part) => part.split('=') as [string, string?, string?]);
    if (pairs.every(([name, value, more]) => name && value !== undefined && more === undefined))
      return Object.fromEntries(pairs.map(([name, value = '']) => [name, value]));
    context.addIssue({ code: 'custom', message: 'write name=value, with commas between' });
    return z.NEVER;
  })
  .pipe(labelsSchema);

const lineCursor: z.ZodType<LinePlace> = z.tuple([
  z.int().min(0).max(3),
  z.int().min(-Number.MAX_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER),
  launchIdSchema,
]);

const list = defineRoute({
  method: 'get',
  path: '/launches',
  operationId: 'listLaunches',
  summary: 'Launches, newest first or in the order of their line',
  tag: 'launches',
  auth: 'user',
  query: z.strictObject({
    ...pageQuery,
    entity: nameSchema.optional(),
    project: nameSchema.optional(),
    queue: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{1,64}(\/[A-Za-z0-9_.-]{1,64})?$/, 'write queue or entity/queue')
      .optional(),
    state: commaList(z.enum([...launchStates, 'held']))
      .optional()
      .describe('One or more states, separated by commas; held: those queued ones that are passed over.'),
    priority: commaList(prioritySchema).optional().describe('One or more, separated by commas.'),
    author: z.string().min(1).max(256).optional(),
    job: jobNameSchema.optional().describe('Name of the job, any version.'),
    labels: labelsText.optional().describe('Labels that the launch requires: gpu=a100,zone=x.'),
    since: timeText.optional().describe('Accepted at or after this time.'),
    until: timeText.optional().describe('Accepted before this time.'),
    order: z
      .enum(['newest', 'line'])
      .optional()
      .describe(
        'line: what waits in one queue and is not held, by priority and place. A fair queue goes by turns through its projects.',
      ),
  }),
  response: pageOf(launchSchema, 'LaunchPage'),
  handler: async ({ actor, query, deps: { db } }) => {
    const limit = query.limit ?? defaultLimit;
    const [first = '', second] = query.queue?.split('/') ?? [];
    const filter: LaunchFilter = {
      entityIds: await visibleEntityIds(db, actor, query.entity),
      project: query.project,
      queue:
        query.queue === undefined
          ? undefined
          : second === undefined
            ? { name: first }
            : { entity: first, name: second },
      states: query.state,
      priorities: query.priority,
      author: query.author,
      job: query.job,
      labels: query.labels,
      since: query.since,
      until: query.until,
    };
    if (query.order === 'line') {
      const queueId = await oneLine(db, filter);
      const after = readCursor(lineCursor, query.cursor);
      // The queue is known by its id now; by its name it would bring deleted ones in.
      const rows = await listLine(db, queueId, { ...filter, queue: undefined }, { after, limit: limit + 1 });
      return page(rows, limit, toLaunch, (row) => [row.priority, row.rank, row.id]);
    }
    const rows = await listLaunches(db, filter, {
      beforeId: readCursor(launchIdSchema, query.cursor),
      limit: limit + 1,
    });
    return page(rows, limit, toLaunch, (row) => row.id);
  },
});

const refused = (field: string, message: string) =>
  new DavitError('invalid-request', `query.${field}: ${message}`, { errors: [{ path: `query.${field}`, message }] });

/** A place in line is a place in one queue, among what waits there. */
async function oneLine(db: Store, { queue, states, entityIds }: LaunchFilter): Promise<number> {
  if (!queue) throw refused('queue', 'order=line needs one queue');
  if (states && !states.includes('queued')) throw refused('state', 'only queued launches are in line');
  const found = (await queuesNamed(db, queue)).filter(
    ({ entity_id, deleted_at }) => deleted_at === null && (entityIds === 'all' || entityIds.includes(entity_id)),
  );
  if (found.length > 1) throw refused('queue', 'several queues have this name: write entity/queue');
  const [only] = found;
  if (!only) throw new DavitError('unknown-queue');
  return only.id;
}

export const launchListRoutes = [list];
