import { countInputs, countOutputs, inputsOfRun, outputsOfRun } from '../../../store/artifact-lineage.js';
import {
  collectionNamed,
  countCollections,
  inProject,
  listCollections,
  listTypes,
  type CollectionFilter,
  type TypeRow,
} from '../../../store/artifact-lists.js';
import { filterSql } from '../../../store/artifact-filter.js';
import { placeNamed } from '../../../store/artifact-places.js';
import type { VersionRow } from '../../../store/artifact-versions.js';
import { writeCursor } from '../../../store/keyset.js';
import type { Context, ProjectScope, RunParent } from '../context.js';
import { artifactTypeGlobalId } from '../ids.js';
import { collectionKey, collectionOrder } from './artifact-orders.js';
import { loadersOf, splitName, visibleVersion } from './artifact-scope.js';

/** How versions and collections are found: by project, by type, by run. */

const longestPage = 1_000;

interface PageArgs {
  after?: string | null;
  first?: number | null;
}

export interface CollectionsArgs extends PageArgs {
  filters?: string | null;
  order?: string | null;
}

interface TypeParent {
  name: string;
  projectId: number;
  createdAt: Date;
}

export const artifactLookupResolvers = {
  Project: {
    artifact: (project: ProjectScope, args: { name: string }, context: Context) =>
      versionNamed(context, project.id, args.name),
    artifactCollectionMembership: async (project: ProjectScope, args: { name: string }, context: Context) =>
      (await membershipNamed(context, project.id, args.name))?.place ?? null,
    artifactType: async (project: ProjectScope, args: { name: string }, { db }: Context) => {
      const [found] = await listTypes(db, project.id, { name: args.name, limit: 1 });
      return found ? typeOf(project.id, found) : null;
    },
    artifactTypes,
    artifactCollection: async (project: ProjectScope, args: { name: string }, { db }: Context) =>
      (await collectionNamed(db, project.id, args.name)) ?? null,
    artifactCollections: (project: ProjectScope, args: CollectionsArgs, context: Context) =>
      collections({ scope: inProject(project.id) }, args, context),
  },
  ArtifactType: {
    id: (type: TypeParent) => artifactTypeGlobalId(type.projectId, type.name),
    description: () => null,
    artifact: async (type: TypeParent, args: { name: string }, context: Context) => {
      if (!(await isSeen(type, context))) return null;
      const found = await membershipNamed(context, type.projectId, args.name);
      return found?.type === type.name ? loadersOf(context).version(found.place.artifact_id) : null;
    },
    artifactCollection: collectionOfType,
    artifactSequence: async (type: TypeParent, args: { name: string }, context: Context) => {
      const found = await collectionOfType(type, args, context);
      return found?.kind === 'SEQUENCE' ? found : null;
    },
    artifactCollections: async (type: TypeParent, args: CollectionsArgs, context: Context) =>
      (await isSeen(type, context))
        ? collections({ scope: inProject(type.projectId), type: type.name }, args, context)
        : none,
  },
  Run: {
    outputArtifacts: (run: RunParent, args: PageArgs, context: Context) =>
      versionPage(
        context,
        args,
        (page) => outputsOfRun(context.db, run.id, page),
        () => countOutputs(context.db, run.id),
      ),
    inputArtifacts: (run: RunParent, args: PageArgs, context: Context) =>
      versionPage(
        context,
        args,
        (page) => inputsOfRun(context.db, run.id, page),
        () => countInputs(context.db, run.id),
      ),
  },
};

/** A version that is seen by a link shows its type, but nothing else of the project that it comes from. */
const isSeen = async (type: TypeParent, context: Context): Promise<boolean> =>
  (await loadersOf(context).project(type.projectId)) !== undefined;

const none = { edges: [], pageInfo: { endCursor: null, hasNextPage: false }, totalCount: 0 };

const typeOf = (projectId: number, row: TypeRow): TypeParent => ({
  name: row.name,
  projectId,
  createdAt: row.created_at,
});

async function membershipNamed(context: Context, projectId: number, name: string) {
  const { collection, alias } = splitName(name);
  const found = await collectionNamed(context.db, projectId, collection);
  const place = found && (await placeNamed(context.db, found.id, alias));
  return found && place ? { type: found.type, place } : undefined;
}

async function versionNamed(context: Context, projectId: number, name: string): Promise<VersionRow | null> {
  const found = await membershipNamed(context, projectId, name);
  return (found && (await loadersOf(context).version(found.place.artifact_id))) ?? null;
}

async function collectionOfType(type: TypeParent, args: { name: string }, context: Context) {
  if (!(await isSeen(type, context))) return null;
  const found = await collectionNamed(context.db, type.projectId, args.name);
  return found?.type === type.name ? found : null;
}

async function artifactTypes(project: ProjectScope, args: PageArgs & { includeAll?: boolean | null }, { db }: Context) {
  const limit = Math.min(Math.max(args.first ?? longestPage, 1), longestPage);
  const rows = await listTypes(db, project.id, { after: args.after, limit, includeAll: args.includeAll === true });
  const shown = rows.slice(0, limit);
  return {
    edges: shown.map((row) => ({ node: typeOf(project.id, row), cursor: row.name })),
    pageInfo: { endCursor: shown.at(-1)?.name ?? null, hasNextPage: rows.length > limit },
  };
}

export async function collections(
  filter: CollectionFilter,
  args: CollectionsArgs,
  { db }: Context,
  keyOf = collectionKey,
) {
  const wanted = { ...filter, where: filterSql(args.filters, keyOf) };
  const limit = Math.min(Math.max(args.first ?? longestPage, 1), longestPage);
  const rows = await listCollections(db, wanted, { order: collectionOrder(args.order), after: args.after, limit });
  const edges = rows.slice(0, limit).map((row) => ({ node: row, cursor: writeCursor(row.order_value, row.id) }));
  return {
    edges,
    pageInfo: { endCursor: edges.at(-1)?.cursor ?? null, hasNextPage: rows.length > limit },
    totalCount: () => countCollections(db, wanted),
  };
}

/** Versions of projects that this key does not see are left out; the count says that there are such. */
async function versionPage(
  context: Context,
  args: PageArgs,
  load: (page: { afterId?: number; limit: number }) => Promise<VersionRow[]>,
  count: () => Promise<number>,
) {
  const limit = Math.min(Math.max(args.first ?? 50, 1), longestPage);
  const after = Number(args.after ?? 0);
  const rows = await load({ limit, ...(Number.isSafeInteger(after) ? { afterId: after } : {}) });
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const seen = await Promise.all(shown.map((row) => visibleVersion(context, row)));
  return {
    edges: seen.flatMap((row) => (row ? [{ node: row, cursor: String(row.id) }] : [])),
    pageInfo: { endCursor: last ? String(last.id) : null, hasNextPage: rows.length > limit },
    totalCount: count,
  };
}
