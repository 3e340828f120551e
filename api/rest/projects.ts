import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { nameSchema } from '../../domain/ids.js';
import { audit } from '../../store/audit.js';
import { createProject, listProjects, projectByName } from '../../store/projects.js';
import type { Store } from '../../store/open.js';
import type { Actor } from '../auth/authenticate.js';
import { requireEntity } from '../auth/authorize.js';
import type { Role } from '../../domain/words.js';
import { defineRoute } from './route.js';
import {
  defaultLimit,
  entityParams,
  nameCursor,
  page,
  pageOf,
  pageQuery,
  readCursor,
  timeOf,
  timeSchema,
} from './schemas.js';

const projectSchema = z
  .object({ entity: z.string(), name: z.string(), description: z.string(), createdAt: timeSchema })
  .meta({ id: 'Project' });
const listedSchema = projectSchema.extend({ runs: z.int(), jobs: z.int() }).meta({ id: 'ProjectListItem' });

export const projectParams = z.strictObject({ entity: nameSchema, project: nameSchema });

/** The project, if the actor has the role in its entity. */
export async function requireProject(
  db: Store,
  actor: Actor,
  params: { entity: string; project: string },
  role: Role,
): Promise<{ id: number; entityId: number; description: string; created_at: Date }> {
  const entity = await requireEntity(db, actor, params.entity, role);
  const project = await projectByName(db, entity.id, params.project);
  if (!project) throw new DavitError('not-found', `There is no project "${params.entity}/${params.project}".`);
  return { id: project.id, entityId: entity.id, description: project.description, created_at: project.created_at };
}

const list = defineRoute({
  method: 'get',
  path: '/entities/{entity}/projects',
  operationId: 'listProjects',
  summary: 'Projects of an entity',
  tag: 'projects',
  auth: 'user',
  params: entityParams,
  query: z.strictObject(pageQuery),
  response: pageOf(listedSchema, 'ProjectPage'),
  handler: async ({ actor, params, query, deps }) => {
    const entity = await requireEntity(deps.db, actor, params.entity, 'viewer');
    const limit = query.limit ?? defaultLimit;
    const after = readCursor(nameCursor, query.cursor);
    const rows = await listProjects(deps.db, entity.id, {
      ...(after === undefined ? {} : { afterName: after }),
      limit: limit + 1,
    });
    return page(
      rows,
      limit,
      (row) => ({
        entity: entity.name,
        name: row.name,
        description: row.description,
        createdAt: timeOf(row.created_at),
        runs: row.runs ?? 0,
        jobs: row.jobs ?? 0,
      }),
      (row) => row.name,
    );
  },
});

const show = defineRoute({
  method: 'get',
  path: '/entities/{entity}/projects/{project}',
  operationId: 'getProject',
  summary: 'One project',
  tag: 'projects',
  auth: 'user',
  params: projectParams,
  response: projectSchema,
  handler: async ({ actor, params, deps }) => {
    const project = await requireProject(deps.db, actor, params, 'viewer');
    return {
      entity: params.entity,
      name: params.project,
      description: project.description,
      createdAt: timeOf(project.created_at),
    };
  },
});

const create = defineRoute({
  method: 'post',
  path: '/entities/{entity}/projects',
  operationId: 'createProject',
  summary: 'Make a project',
  description: 'Not needed before using one: the first job, launch or run in a project makes it.',
  tag: 'projects',
  auth: 'user',
  params: entityParams,
  body: z.strictObject({ name: nameSchema, description: z.string().max(10_000).optional() }).meta({ id: 'NewProject' }),
  status: 201,
  response: projectSchema,
  handler: async ({ actor, params, body, deps, res }) => {
    const entity = await requireEntity(deps.db, actor, params.entity, 'member');
    const made = await deps.db.transaction().execute(async (tx) => {
      const row = await createProject(tx, {
        entityId: entity.id,
        name: body.name,
        description: body.description ?? '',
      });
      if (!row) throw new DavitError('conflict', `There is a project "${entity.name}/${body.name}" already.`);
      await audit(tx, { actor: actor.name, action: 'project.create', subject: `project/${entity.name}/${body.name}` });
      return row;
    });
    res.setHeader('Location', `/api/v1/entities/${entity.name}/projects/${made.name}`);
    return { entity: entity.name, name: made.name, description: made.description, createdAt: timeOf(made.created_at) };
  },
});

export const projectRoutes = [list, show, create];
