import { z } from 'zod';
import {
  bulkActions,
  bulkRequestSchema,
  statesOf,
  type BulkAction,
  type BulkFilter,
  type BulkParams,
} from '../../domain/bulk.js';
import { DavitError } from '../../domain/errors.js';
import { bulkIdSchema, nameSchema } from '../../domain/ids.js';
import { numberOfPriority, roleIncludes, type Role } from '../../domain/words.js';
import { previewSelection, type BulkSelection } from '../../store/bulk-selection.js';
import { bulkById, cancelBulk, listBulks, startBulk, type BulkRow } from '../../store/bulk.js';
import { launchesByIds } from '../../store/launches.js';
import type { Store } from '../../store/open.js';
import { projectByName } from '../../store/projects.js';
import type { Actor } from '../auth/authenticate.js';
import { requireEntity, roleOf } from '../auth/authorize.js';
import { visibleEntityIds, workingEntityIds } from '../auth/visible.js';
import { launchSchema, toLaunch } from './launch-schemas.js';
import { requireQueueNamed } from './queue-schemas.js';
import { defineRoute } from './route.js';
import { defaultLimit, page, pageOf, pageQuery, readCursor, timeOf, timeSchema } from './schemas.js';

const sampleSize = 20;

const bulkSchema = z
  .object({
    id: z.string(),
    entity: z.string(),
    action: z.enum(bulkActions),
    filter: z.record(z.string(), z.unknown()),
    params: z.record(z.string(), z.unknown()),
    actor: z.string(),
    state: z.enum(['running', 'done', 'cancelled']),
    total: z.int().describe('Launches that it is about, fixed when it began.'),
    done: z.int(),
    skipped: z.int().describe('Launches that had changed by themselves when it came to them.'),
    failed: z.int(),
    failures: z.record(z.string(), z.int()).describe('Error code -> launches that were refused for it.'),
    error: z.string().nullable().describe('What keeps it from going on at this moment.'),
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'Bulk' });

const toBulk = (row: BulkRow): z.input<typeof bulkSchema> => ({
  id: row.id,
  entity: row.entity,
  action: row.action as BulkAction,
  filter: row.filter,
  params: row.params,
  actor: row.actor,
  state: row.state,
  total: row.total,
  done: row.done,
  skipped: row.skipped,
  failed: row.failed,
  failures: row.failures,
  error: row.error,
  createdAt: timeOf(row.created_at),
  updatedAt: timeOf(row.updated_at),
});

const refused = (path: string, message: string) =>
  new DavitError('invalid-request', `${path}: ${message}`, { errors: [{ path, message }] });

interface Request {
  entity?: string | undefined;
  action: BulkAction;
  filter: BulkFilter;
  params?: BulkParams | undefined;
}

/** Names looked up and roles checked: a bulk is about launches in queues of one entity, for its members. */
async function selectionOf(
  db: Store,
  actor: Actor,
  { entity, action, filter, params = {} }: Request,
): Promise<BulkSelection> {
  const home = actor.homeEntity?.name ?? '';
  const queue =
    filter.queue === undefined ? undefined : await requireQueueNamed(db, actor, filter.queue, entity ?? home, 'member');
  const [first = '', second] = filter.project?.split('/') ?? [];
  const owner = queue?.entity ?? entity ?? (second === undefined ? home : first);
  if (queue && entity !== undefined && entity !== queue.entity)
    throw refused('filter.queue', `is no queue of "${entity}"`);
  const { id: entityId, name: entityName } = await requireEntity(db, actor, owner, 'member');
  const states = statesOf(action, filter.state);
  if (states.length === 0) throw refused('filter.state', `nothing in this state can be changed by ${action}`);

  let projectIds: number[] | undefined;
  if (filter.project !== undefined) {
    const projectEntity = await requireEntity(db, actor, second === undefined ? entityName : first, 'viewer');
    const project = await projectByName(db, projectEntity.id, second ?? first);
    if (!project) throw new DavitError('not-found', `There is no project "${filter.project}".`);
    projectIds = [project.id];
  }
  const target =
    params.queue === undefined ? undefined : await requireQueueNamed(db, actor, params.queue, entityName, 'member');
  if (target && queue && target.target !== queue.target) throw new DavitError('transfer-other-target');
  if (target?.draining) throw new DavitError('queue-draining');
  return {
    entityId,
    queueId: queue?.id,
    projectIds,
    // A retry puts something into the project; whoever may not is not asked for it launch by launch.
    destinationEntityIds: action === 'retry' ? await workingEntityIds(db, actor) : 'all',
    action,
    states,
    filter,
    params: {
      to: params.to,
      priority: params.priority === undefined ? undefined : numberOfPriority[params.priority],
      queueId: target?.id,
    },
  };
}

const create = defineRoute({
  method: 'post',
  path: '/bulk',
  operationId: 'startBulk',
  summary: 'Change many launches at once',
  description:
    'Which launches it is about is fixed when this answers; the work goes on in the background. With dryRun nothing is changed: the answer ' +
    'says how many there are and shows the first ones, in the order in which they would be dealt with.',
  tag: 'bulk',
  auth: 'user',
  body: bulkRequestSchema.meta({ id: 'BulkRequest' }),
  bodyLimitBytes: 1024 * 1024,
  status: 202,
  otherStatus: [200],
  response: z
    .object({
      id: z.string().nullable().describe('Null: it was a dry run.'),
      total: z.int(),
      sample: z.array(launchSchema).describe(`The first ${sampleSize}.`),
    })
    .meta({ id: 'StartedBulk' }),
  handler: async ({ actor, body, deps: { db, dispatch }, res }) => {
    const { dryRun = false, filter, params = {} } = body;
    const selection = await selectionOf(db, actor, body);
    const preview = await previewSelection(db, selection, sampleSize);
    const rows = await launchesByIds(db, preview.ids);
    const sample = preview.ids.flatMap((id) => rows.get(id) ?? []).map(toLaunch);
    if (dryRun) {
      res.status(200);
      return { id: null, total: preview.total, sample };
    }
    const id = await db.transaction().execute((tx) => startBulk(tx, { actor: actor.name, selection, filter, params }));
    dispatch.bulkStarted();
    res.setHeader('Location', `/api/v1/bulk/${id}`);
    const total = (await bulkById(db, id))?.total ?? preview.total;
    return { id, total, sample };
  },
});

const bulkParams = z.strictObject({ id: z.string().max(64) });

async function requireBulk(db: Store, actor: Actor, id: string, role: Role): Promise<BulkRow> {
  const row = bulkIdSchema.safeParse(id).success ? await bulkById(db, id) : undefined;
  const have = row && (await roleOf(db, actor, row.entity_id));
  if (!row || have === undefined) throw new DavitError('not-found', `There is no bulk "${id}" that this key may see.`);
  if (!roleIncludes(have, role))
    throw new DavitError('forbidden', `This needs the role ${role} in "${row.entity}"; this key has ${have}.`);
  return row;
}

const list = defineRoute({
  method: 'get',
  path: '/bulk',
  operationId: 'listBulks',
  summary: 'Changes of many launches, newest first',
  tag: 'bulk',
  auth: 'user',
  query: z.strictObject({ ...pageQuery, entity: nameSchema.optional() }),
  response: pageOf(bulkSchema, 'BulkPage'),
  handler: async ({ actor, query, deps: { db } }) => {
    const limit = query.limit ?? defaultLimit;
    const entityIds = await visibleEntityIds(db, actor, query.entity);
    const beforeId = readCursor(bulkIdSchema, query.cursor);
    const rows = await listBulks(db, { entityIds }, { beforeId, limit: limit + 1 });
    return page(rows, limit, toBulk, (row) => row.id);
  },
});

const show = defineRoute({
  method: 'get',
  path: '/bulk/{id}',
  operationId: 'getBulk',
  summary: 'How far a change of many launches is',
  tag: 'bulk',
  auth: 'user',
  params: bulkParams,
  response: bulkSchema,
  handler: async ({ actor, params, deps: { db } }) => toBulk(await requireBulk(db, actor, params.id, 'viewer')),
});

const cancel = defineRoute({
  method: 'post',
  path: '/bulk/{id}/cancel',
  operationId: 'cancelBulk',
  summary: 'Stop changing launches',
  description: 'What is done stays done. Safe to repeat.',
  tag: 'bulk',
  auth: 'user',
  params: bulkParams,
  response: bulkSchema,
  handler: async ({ actor, params, deps: { db } }) => {
    const row = await requireBulk(db, actor, params.id, 'member');
    await cancelBulk(db, row.id, actor.name);
    return toBulk(await requireBulk(db, actor, params.id, 'viewer'));
  },
});

export const bulkRoutes = [create, list, show, cancel];
