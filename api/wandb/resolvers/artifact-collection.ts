import { aliasesOfCollection, type CollectionRow } from '../../../store/artifact-lists.js';
import { countVersions, listVersions, placeNamed, type PlaceRow } from '../../../store/artifact-places.js';
import { filterSql } from '../../../store/artifact-filter.js';
import { latestVersionOf, type VersionRow } from '../../../store/artifact-versions.js';
import { writeCursor } from '../../../store/keyset.js';
import type { Context } from '../context.js';
import { collectionGlobalId, membershipGlobalId } from '../ids.js';
import { filesOfVersion, type FilesArgs } from './artifact-files.js';
import { versionKey, versionOrder } from './artifact-orders.js';
import { collectionOfId, loadersOf } from './artifact-scope.js';
import { tagNode, type AliasParent } from './artifact.js';

/** Collections (CollectionRow) and the places of versions in them (PlaceRow). */

const longestPage = 1_000;

interface PageArgs {
  after?: string | null;
  first?: number | null;
}

/** A version that is seen by a link shows the name of its sequence, but nothing that is in it. */
const isSeen = async (collection: CollectionRow, context: Context): Promise<boolean> =>
  (await loadersOf(context).project(collection.project_id)) !== undefined;

const none = { edges: [], pageInfo: { endCursor: null, hasNextPage: false }, totalCount: 0 };

const collectionFields = {
  id: (collection: CollectionRow) => collectionGlobalId(collection.id),
  createdAt: (collection: CollectionRow) => collection.created_at,
  updatedAt: (collection: CollectionRow) => collection.updated_at,
  // Null for whoever sees a version by a link, but not where it comes from.
  project: (collection: CollectionRow, _: unknown, context: Context) =>
    loadersOf(context).project(collection.project_id),
  defaultArtifactType: (collection: CollectionRow) => ({
    name: collection.type,
    projectId: collection.project_id,
    createdAt: collection.created_at,
  }),
  description: async (collection: CollectionRow, _: unknown, context: Context) =>
    (await isSeen(collection, context)) ? collection.description || null : null,
  tags: async (collection: CollectionRow, _: unknown, context: Context) => {
    if (!(await isSeen(collection, context))) return none;
    const rows = (await loadersOf(context).collectionTags(collection.id)) ?? [];
    return { edges: rows.map((row) => ({ node: tagNode(row.tag), cursor: row.tag })) };
  },
  aliases: async (collection: CollectionRow, args: PageArgs, context: Context) => {
    if (!(await isSeen(collection, context))) return none;
    const limit = Math.min(Math.max(args.first ?? longestPage, 1), longestPage);
    const rows = await aliasesOfCollection(context.db, collection.id, { after: args.after, limit });
    const shown = rows.slice(0, limit);
    return {
      edges: shown.map((row): { node: AliasParent; cursor: string } => ({ node: row, cursor: row.alias })),
      pageInfo: { endCursor: shown.at(-1)?.alias ?? null, hasNextPage: rows.length > limit },
    };
  },
  artifacts,
  artifactMembership: async (collection: CollectionRow, args: { aliasName: string }, context: Context) =>
    (await isSeen(collection, context))
      ? ((await placeNamed(context.db, collection.id, args.aliasName)) ?? null)
      : null,
};

export const artifactCollectionResolvers = {
  Query: {
    artifactCollection: async (_: unknown, args: { id: string }, context: Context) =>
      (await collectionOfId(context, args.id)) ?? null,
  },
  ArtifactCollection: {
    __resolveType: (collection: CollectionRow) =>
      collection.kind === 'PORTFOLIO' ? 'ArtifactPortfolio' : 'ArtifactSequence',
  },
  ArtifactSequence: {
    ...collectionFields,
    latestArtifact: async (collection: CollectionRow, _: unknown, context: Context) =>
      (await isSeen(collection, context)) ? ((await latestVersionOf(context.db, collection.id)) ?? null) : null,
    digestAlgorithm: () => 'MANIFEST_MD5',
  },
  ArtifactPortfolio: collectionFields,
  ArtifactCollectionMembership: {
    id: (place: PlaceRow) => membershipGlobalId(place.id),
    versionIndex: (place: PlaceRow) => place.version_index,
    createdAt: (place: PlaceRow) => place.created_at,
    aliases: async (place: PlaceRow, _: unknown, context: Context): Promise<AliasParent[]> =>
      ((await loadersOf(context).aliases(place.artifact_id)) ?? []).filter(
        (row) => row.collection_id === place.collection_id,
      ),
    artifactCollection: (place: PlaceRow, _: unknown, context: Context) =>
      loadersOf(context).collection(place.collection_id),
    artifact: (place: PlaceRow, _: unknown, context: Context) => loadersOf(context).version(place.artifact_id),
    files: async (place: PlaceRow, args: FilesArgs, context: Context) => {
      const version = await loadersOf(context).version(place.artifact_id);
      if (!version) throw new Error(`version ${place.artifact_id} has a place but no row`);
      return filesOfVersion(version, args, context);
    },
  },
};

interface VersionsArgs extends PageArgs {
  order?: string | null;
  filters?: string | null;
}

async function artifacts(collection: CollectionRow, args: VersionsArgs, context: Context) {
  if (!(await isSeen(collection, context))) return none;
  const { db } = context;
  const where = filterSql(args.filters, versionKey);
  const limit = Math.min(Math.max(args.first ?? 100, 1), longestPage);
  const rows = await listVersions(db, collection.id, {
    where,
    order: versionOrder(args.order),
    after: args.after,
    limit,
  });
  const edges = rows.slice(0, limit).map((row) => ({
    node: row satisfies VersionRow,
    version: `v${row.place_index}`,
    cursor: writeCursor(row.order_value, row.id),
  }));
  return {
    edges,
    pageInfo: { endCursor: edges.at(-1)?.cursor ?? null, hasNextPage: rows.length > limit },
    totalCount: () => countVersions(db, collection.id, where),
  };
}
