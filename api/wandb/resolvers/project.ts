import { DavitError } from '../../../domain/errors.js';
import { projectNameProblem } from '../../../domain/run-name.js';
import { roleIncludes, runStates } from '../../../domain/words.js';
import { listProjects } from '../../../store/projects.js';
import { countRuns, listRunRows, runByName, runCursor, type RunFilter } from '../../../store/runs.js';
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

interface RunsArgs {
  filters?: string | null;
  after?: string | null;
  first?: number | null;
  order?: string | null;
}

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
    readOnly: (p: ProjectScope) => !roleIncludes(p.role, 'member'),
    access: () => 'PRIVATE',
    views: () => '{}',
    isBenchmark: () => false,
    run,
    bucket: run,
    runs,
    buckets: runs,
    runCount: async (p: ProjectScope, args: RunsArgs, context: Context) => {
      if (filterOf(args.filters).state === undefined) return countRuns(context.db, p.id);
      return (await listRunRows(context.db, { projectId: p.id, ...filterOf(args.filters) }, { limit: longestPage }))
        .length;
    },
  },
};

async function run(p: ProjectScope, args: { name?: string | null }, context: Context): Promise<RunParent | null> {
  const row = args.name ? await runByName(context.db, p.id, args.name) : undefined;
  return row ? { ...row, scope: p } : null;
}

async function runs(p: ProjectScope, args: RunsArgs, context: Context) {
  const order = args.order ?? '-created_at';
  if (!['-created_at', '-createdAt', '+created_at', '+createdAt', 'created_at', ''].includes(order))
    throw new DavitError('invalid-request', `Runs cannot be ordered by "${order}": this Davit does not know it yet.`);
  const ascending = !order.startsWith('-') && order !== '';
  const limit = Math.min(Math.max(args.first ?? 50, 1), longestPage);
  const rows = await listRunRows(
    context.db,
    { projectId: p.id, ...filterOf(args.filters) },
    { limit, ascending, ...(args.after ? { cursor: args.after } : {}) },
  );
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    edges: shown.map((row) => ({ node: { ...row, scope: p }, cursor: runCursor(row) })),
    pageInfo: { endCursor: last ? runCursor(last) : null, hasNextPage: rows.length > limit },
    totalCount: () => countRuns(context.db, p.id),
  };
}

/** `{}` and a plain state; the rest of the filter language is not here yet, and guessing would show wrong runs. */
function filterOf(text: string | null | undefined): RunFilter {
  if (!text) return {};
  let filters: unknown;
  try {
    filters = JSON.parse(text);
  } catch {
    throw new DavitError('invalid-request', 'The filters are not valid JSON.');
  }
  if (filters === null) return {};
  if (typeof filters !== 'object' || Array.isArray(filters))
    throw new DavitError('invalid-request', 'Filters must be an object.');
  const { state, ...others } = filters as Record<string, unknown>;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined)
    throw new DavitError(
      'invalid-request',
      `Runs cannot be filtered by "${unknown}": this Davit does not know it yet.`,
    );
  if (state === undefined) return {};
  const known = runStates.find((s) => s === state);
  if (!known) throw new DavitError('invalid-request', `${JSON.stringify(state)} is not a state of runs.`);
  return { state: known };
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
  { input }: { input: { name?: string | null; entityName?: string | null } },
  context: Context,
) {
  const name = input.name ?? '';
  const problem = projectNameProblem(name);
  if (problem) throw new DavitError('invalid-request', problem);
  const { created, ...made } = await writableProject(context, input.entityName, name);
  return { project: made, model: made, inserted: created };
}
