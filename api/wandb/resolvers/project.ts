import { isRegistryName } from '../../../domain/artifact-names.js';
import { DavitError } from '../../../domain/errors.js';
import { projectNameProblem } from '../../../domain/run-name.js';
import { roleIncludes } from '../../../domain/words.js';
import { listProjects } from '../../../store/projects.js';
import { runByName } from '../../../store/runs.js';
import {
  keyReachesProject,
  visibleEntity,
  visibleProject,
  writableProject,
  type Context,
  type ProjectScope,
  type RunParent,
} from '../context.js';
import { projectGlobalId, projectInternalId } from '../ids.js';
import { refuseRegistry, settleRegistry, type RegistryInput } from './registry-changes.js';
import { runCount, runs } from './runs.js';

const longestPage = 1000;

const project = (_: unknown, args: { name?: string | null; entityName?: string | null }, context: Context) =>
  visibleProject(context, args.entityName, args.name);

export const projectResolvers = {
  Query: { project, model: project, models },
  Mutation: { upsertModel },
  Project: {
    id: (p: ProjectScope) => projectGlobalId(p),
    internalId: (p: ProjectScope) => projectInternalId(p.id),
    entity: (p: ProjectScope) => ({ id: p.entityId, name: p.entityName, kind: p.entityKind }),
    // 0.22 takes an empty one for a fault.
    description: (p: ProjectScope) => p.description || null,
    readOnly: (p: ProjectScope) => !roleIncludes(p.role, 'member'),
    access: () => 'PRIVATE',
    views: () => '{}',
    isBenchmark: () => false,
    run,
    bucket: run,
    runs,
    buckets: runs,
    runCount,
  },
};

async function run(p: ProjectScope, args: { name?: string | null }, context: Context): Promise<RunParent | null> {
  const row = args.name ? await runByName(context.db, p.id, args.name) : undefined;
  return row ? { ...row, scope: p } : null;
}

async function models(
  _: unknown,
  args: { entityName?: string | null; after?: string | null; first?: number | null },
  context: Context,
) {
  const none = { edges: [], pageInfo: { endCursor: null, hasNextPage: false } };
  const entity = await visibleEntity(context, args.entityName);
  if (!entity) return none;
  const limit = Math.min(Math.max(args.first ?? 50, 1), longestPage);
  const rows = await listProjects(context.db, entity.id, {
    limit: limit + 1,
    ...(args.after ? { afterName: args.after } : {}),
  });
  const shown = rows.slice(0, limit);
  const reached = await Promise.all(
    shown.map(async (row) => ((await keyReachesProject(context, row.id)) ? [row] : [])),
  );
  return {
    edges: reached.flat().map((row) => ({
      cursor: row.name,
      node: {
        id: row.id,
        name: row.name,
        description: row.description,
        createdAt: row.created_at,
        entityId: entity.id,
        entityName: entity.name,
        entityKind: entity.kind,
        role: entity.role,
      } satisfies ProjectScope,
    })),
    pageInfo: { endCursor: shown.at(-1)?.name ?? null, hasNextPage: rows.length > limit },
  };
}

async function upsertModel(
  _: unknown,
  { input }: { input: RegistryInput & { name?: string | null; entityName?: string | null } },
  context: Context,
) {
  const name = input.name ?? '';
  const problem = projectNameProblem(name);
  if (problem) throw new DavitError('invalid-request', problem);
  refuseRegistry(name, input);
  const { created, ...scope } = await writableProject(context, input.entityName, name);
  const made = isRegistryName(name) ? await settleRegistry(context, scope, input) : scope;
  return { project: made, model: made, inserted: created };
}
