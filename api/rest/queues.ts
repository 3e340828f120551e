import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { nameSchema } from '../../domain/ids.js';
import { targetNameSchema } from '../../domain/words.js';
import { audit } from '../../store/audit.js';
import type { Store } from '../../store/open.js';
import { ensureProject } from '../../store/projects.js';
import { lockLine } from '../../store/queue-operations.js';
import {
  createQueue,
  listQueues,
  queueByName,
  setQueueProjects,
  updateQueue,
  type QueueChange,
  type QueueProject,
} from '../../store/queues.js';
import { requireSecrets } from '../../store/secrets.js';
import type { Actor } from '../auth/authenticate.js';
import { requireEntity } from '../auth/authorize.js';
import { visibleEntityIds } from '../auth/visible.js';
import { ifMatchHeader, requireMatch } from './etag.js';
import {
  queueDocument,
  queueEtag,
  queueParams,
  queueSchema,
  queueSettings,
  requireQueue,
  toQueues,
} from './queue-schemas.js';
import { defineRoute } from './route.js';
import { defaultLimit, page, pageOf, pageQuery, pairCursor, readCursor } from './schemas.js';

type Projects = z.output<typeof queueSettings.projects>;

/** Projects of queues come into being when they are named, like those of launches. */
async function projectsFor(
  db: Store,
  actor: Actor,
  queueEntity: string,
  projects: NonNullable<Projects>,
): Promise<QueueProject[]> {
  const rows = new Map<number, QueueProject>();
  for (const { project, maxRunning, weight } of projects) {
    const [first = '', second] = project.split('/');
    const entity = await requireEntity(db, actor, second === undefined ? queueEntity : first, 'member');
    const { id } = await ensureProject(db, entity.id, second ?? first);
    if (rows.has(id))
      throw new DavitError('invalid-request', `projects: "${project}" is named twice`, {
        errors: [{ path: 'projects', message: `"${project}" is named twice` }],
      });
    rows.set(id, { projectId: id, maxRunning: maxRunning ?? null, weight: weight ?? 1 });
  }
  return [...rows.values()];
}

/** They must be there: a misspelt name would be noticed by the first launch that needs it. */
const secretsNamed = (settings: QueueChange): string[] => [
  ...(settings.secrets ?? []),
  ...Object.values(settings.secretVariables ?? {}),
];

const list = defineRoute({
  method: 'get',
  path: '/queues',
  operationId: 'listQueues',
  summary: 'Queues that this key may see',
  tag: 'queues',
  auth: 'user',
  query: z.strictObject({ ...pageQuery, entity: nameSchema.optional() }),
  response: pageOf(queueSchema, 'QueuePage'),
  handler: async ({ actor, query, deps }) => {
    const limit = query.limit ?? defaultLimit;
    const after = readCursor(pairCursor, query.cursor);
    const rows = await listQueues(
      deps.db,
      { entityIds: await visibleEntityIds(deps.db, actor, query.entity) },
      { ...(after === undefined ? {} : { after: { entity: after[0], name: after[1] } }), limit: limit + 1 },
    );
    return page(rows, limit, await toQueues(deps.db, rows), (row) => [row.entity, row.name]);
  },
});

const show = defineRoute({
  method: 'get',
  path: '/queues/{entity}/{queue}',
  operationId: 'getQueue',
  summary: 'One queue with its depth',
  tag: 'queues',
  auth: 'user',
  params: queueParams,
  response: queueSchema,
  handler: async ({ actor, params, deps, res }) => {
    const document = await queueDocument(deps.db, await requireQueue(deps.db, actor, params, 'viewer'));
    res.setHeader('ETag', queueEtag(document));
    return document;
  },
});

const create = defineRoute({
  method: 'post',
  path: '/queues',
  operationId: 'createQueue',
  summary: 'Make a queue',
  tag: 'queues',
  auth: 'user',
  body: z
    .strictObject({
      entity: nameSchema.optional().describe('Default: your own.'),
      name: nameSchema,
      target: targetNameSchema.optional().describe('Where its launches run. Fixed once made; default: process.'),
      ...queueSettings,
      requireRun: z.boolean().optional().describe('Default: true.'),
    })
    .meta({ id: 'NewQueue' }),
  status: 201,
  response: queueSchema,
  handler: async ({ actor, body, deps, res }) => {
    const entityName = body.entity ?? actor.homeEntity?.name ?? '';
    const entity = await requireEntity(deps.db, actor, entityName, 'admin');
    const { target = 'process', name, projects, entity: _entity, ...settings } = body;
    if (!deps.targets.includes(target))
      throw new DavitError(
        'unsupported-target',
        `This version has no target "${target}"; it has: ${deps.targets.join(', ')}.`,
      );
    const row = await deps.db.transaction().execute(async (tx) => {
      await requireSecrets(tx, entity.id, secretsNamed(settings));
      const id = await createQueue(tx, { ...settings, entityId: entity.id, name, target, createdBy: actor.name });
      if (id === undefined) throw new DavitError('conflict', `There is a queue "${entity.name}/${name}" already.`);
      if (projects) await setQueueProjects(tx, id, await projectsFor(tx, actor, entity.name, projects));
      await audit(tx, {
        actor: actor.name,
        action: 'queue.create',
        subject: `queue/${entity.name}/${name}`,
        data: { target },
      });
      return queueByName(tx, entity.id, name);
    });
    if (!row) throw new Error('the queue was made and is not there');
    res.setHeader('Location', `/api/v1/queues/${entity.name}/${name}`);
    return queueDocument(deps.db, row);
  },
});

const update = defineRoute({
  method: 'patch',
  path: '/queues/{entity}/{queue}',
  operationId: 'updateQueue',
  summary: 'Change a queue',
  description:
    'Launches that were accepted before keep what they were accepted with; limits hold from now on and stop nothing that runs. Null takes a ' +
    'limit away.',
  tag: 'queues',
  auth: 'user',
  params: queueParams,
  headers: ifMatchHeader,
  body: z.strictObject(queueSettings).meta({ id: 'QueueChange' }),
  response: queueSchema,
  handler: async ({ actor, params, body, deps, req, res }) => {
    const queue = await requireQueue(deps.db, actor, params, 'admin');
    const { projects, ...settings } = body;
    await deps.db.transaction().execute(async (tx) => {
      const shares = projects && (await projectsFor(tx, actor, queue.entity, projects));
      // A claim that is just happening is over before the new limits hold.
      await lockLine(tx, queue.id);
      const now = await queueByName(tx, queue.entity_id, queue.name);
      if (now) requireMatch(req, queueEtag(await queueDocument(tx, now)));
      await requireSecrets(tx, queue.entity_id, secretsNamed(settings));
      if (!(await updateQueue(tx, queue.id, settings)))
        throw new DavitError('unknown-queue', `There is no queue "${queue.entity}/${queue.name}" any more.`);
      if (shares) await setQueueProjects(tx, queue.id, shares);
      await audit(tx, {
        actor: actor.name,
        action: 'queue.update',
        subject: `queue/${params.entity}/${params.queue}`,
        data: body,
      });
    });
    // A limit may have been lifted.
    deps.dispatch.nudgeQueue(queue.id);
    const document = await queueDocument(deps.db, await requireQueue(deps.db, actor, params, 'viewer'));
    res.setHeader('ETag', queueEtag(document));
    return document;
  },
});

export const queueRoutes = [list, show, create, update];
