import { filterSql } from '../../../store/artifact-filter.js';
import { userById } from '../../../store/entities.js';
import { writeCursor } from '../../../store/keyset.js';
import { countLinked, listLinked, listRegistries, registriesOf } from '../../../store/registries.js';
import type { CollectionKind } from '../../../store/schema.js';
import { scopeOf, visibleEntity, visibleProject, type Context, type ProjectScope } from '../context.js';
import { organizationGlobalId } from '../ids.js';
import { parseUserId } from '../user-ids.js';
import { collections, type CollectionsArgs } from './artifact-lookup.js';
import { loadersOf } from './artifact-scope.js';
import { linkedKey, linkedOrder, registryCollectionKey, registryKey, registryOrder } from './registry-orders.js';
import { noMembers, registryMutations } from './registry-changes.js';
import { entitiesOf } from './session.js';
import { userNode } from './users.js';

/**
 * Registries as clients find them: in the organization of an entity. Davit has no organizations, so every entity stands for its own, of the
 * same name (docs/decisions/0013-registries.md).
 */

interface EntityParent {
  id: number;
  name: string;
  kind: 'user' | 'team';
}
interface OrganizationParent {
  entity: EntityParent;
}
interface PageArgs {
  after?: string | null;
  first?: number | null;
  order?: string | null;
}

const longestPage = 1_000;
const none = { edges: [], pageInfo: { endCursor: null, hasNextPage: false }, totalCount: 0 };

async function organizationNamed(context: Context, name: string | null | undefined) {
  const entity = name ? await visibleEntity(context, name) : undefined;
  return entity ? ({ entity } satisfies OrganizationParent) : null;
}

export const registryResolvers = {
  Query: {
    organization: (_: unknown, args: { name?: string | null }, context: Context) =>
      organizationNamed(context, args.name),
  },
  Organization: {
    id: ({ entity }: OrganizationParent) => organizationGlobalId(entity.id),
    name: ({ entity }: OrganizationParent) => entity.name,
    coreWeaveOrganizationId: () => null,
    featureFlags: () => [],
    orgEntity: ({ entity }: OrganizationParent) => ({ ...entity, isOrganization: true }),
    advancedRegistryFeatures: () => ({ advancedSearch: true }),
  },
  User: {
    organizations: async (user: { id: string }, _: unknown, context: Context): Promise<OrganizationParent[]> => {
      const { actor, db } = context;
      if (actor.userId === undefined || parseUserId(user.id) !== actor.userId) return [];
      return (await entitiesOf(db, context)).map((entity) => ({ entity }));
    },
  },
  Entity: {
    organization: (entity: EntityParent, _: unknown, context: Context) => organizationNamed(context, entity.name),
    user: async (entity: EntityParent, _: unknown, { actor, db }: Context) => {
      if (actor.kind !== 'user' || actor.userId === undefined || actor.homeEntity?.name !== entity.name) return null;
      const row = await userById(db, actor.userId);
      return row ? userNode(row, []) : null;
    },
    project: async (entity: EntityParent, args: { name?: string | null }, context: Context) =>
      (await visibleProject(context, entity.name, args.name)) ?? null,
    projects,
    artifactCollections,
    artifactMemberships,
  },
  Project: {
    updatedAt: async (project: ProjectScope, _: unknown, context: Context) =>
      (await loadersOf(context).registry(project.id))?.updated_at ?? null,
    allowAllArtifactTypesInRegistry: async (project: ProjectScope, _: unknown, context: Context) =>
      (await loadersOf(context).registry(project.id))?.any_artifact_type ?? true,
    members: noMembers,
    teamMembers: noMembers,
  },
  Mutation: registryMutations,
};

/** Whose registries the key may look through. A job's key reaches its own project only, which is no registry. */
async function searchable(context: Context, entity: EntityParent) {
  return context.actor.kind === 'run' ? undefined : visibleEntity(context, entity.name);
}

async function projects(parent: EntityParent, args: PageArgs & { filters?: string | null }, context: Context) {
  const entity = await searchable(context, parent);
  if (!entity) return none;
  const limit = limitOf(args);
  const rows = await listRegistries(context.db, registriesOf(entity.id, filterSql(args.filters, registryKey)), {
    order: registryOrder(args.order),
    after: args.after,
    limit,
  });
  const edges = rows
    .slice(0, limit)
    .map((row) => ({ node: scopeOf(row, entity), cursor: writeCursor(row.order_value, row.id) }));
  return { edges, pageInfo: pageInfoOf(edges, rows.length > limit) };
}

async function artifactCollections(
  parent: EntityParent,
  args: CollectionsArgs & { projectFilters?: string | null; collectionTypes?: CollectionKind[] | null },
  context: Context,
) {
  const entity = await searchable(context, parent);
  if (!entity) return none;
  const scope = registriesOf(entity.id, filterSql(args.projectFilters, registryKey));
  return collections({ scope, kinds: args.collectionTypes ?? undefined }, args, context, registryCollectionKey);
}

async function artifactMemberships(
  parent: EntityParent,
  args: PageArgs & {
    projectFilters?: string | null;
    collectionFilters?: string | null;
    filters?: string | null;
  },
  context: Context,
) {
  const { db } = context;
  const entity = await searchable(context, parent);
  if (!entity) return none;
  const scope = [
    registriesOf(entity.id, filterSql(args.projectFilters, registryKey)),
    filterSql(args.collectionFilters, registryCollectionKey),
    filterSql(args.filters, linkedKey),
  ].filter((condition) => condition !== undefined);
  const limit = limitOf(args);
  const rows = await listLinked(db, scope, { order: linkedOrder(args.order), after: args.after, limit });
  const edges = rows.slice(0, limit).map((row) => ({ node: row, cursor: writeCursor(row.order_value, row.id) }));
  return { edges, pageInfo: pageInfoOf(edges, rows.length > limit), totalCount: () => countLinked(db, scope) };
}

const limitOf = (args: PageArgs) => Math.min(Math.max(args.first ?? 100, 1), longestPage);

const pageInfoOf = (edges: readonly { cursor: string }[], hasNextPage: boolean) => ({
  endCursor: edges.at(-1)?.cursor ?? null,
  hasNextPage,
});
