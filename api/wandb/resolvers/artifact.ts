import { artifactWireId } from '../../../domain/job.js';
import { runsThatUsed } from '../../../store/artifact-lineage.js';
import type { VersionRow } from '../../../store/artifact-versions.js';
import { userById } from '../../../store/entities.js';
import { runById, runByName } from '../../../store/runs.js';
import type { Context, RunParent } from '../context.js';
import { aliasGlobalId, tagGlobalId } from '../ids.js';
import { currentManifestOf, filesByManifestEntries, filesOfVersion } from './artifact-files.js';
import { loadersOf, versionOfId } from './artifact-scope.js';
import { shownUser } from './session.js';

/** A version; its parent is a VersionRow. */

const longestPage = 1_000;

export interface AliasParent {
  collection_id: number;
  alias: string;
}

export const artifactResolvers = {
  Query: {
    artifact: async (_: unknown, args: { id: string }, context: Context) =>
      (await versionOfId(context, args.id)) ?? null,
  },
  Artifact: {
    id: (version: VersionRow) => artifactWireId(version.id),
    artifactSequence: (version: VersionRow, _: unknown, context: Context) =>
      loadersOf(context).collection(version.collection_id),
    artifactType: (version: VersionRow) => ({
      name: version.type,
      projectId: version.project_id,
      createdAt: version.created_at,
    }),
    versionIndex: (version: VersionRow) => version.version_index,
    // Some clients take an empty text for a mistake.
    description: (version: VersionRow) => version.description || null,
    labels: () => null,
    ttlDurationSeconds: (version: VersionRow) => version.ttl_seconds ?? -1,
    ttlIsInherited: (version: VersionRow) => version.ttl_seconds === null,
    tags: async (version: VersionRow, _: unknown, context: Context) =>
      ((await loadersOf(context).tags(version.id)) ?? []).map((row) => tagNode(row.tag)),
    historyStep: (version: VersionRow) => version.history_step,
    digestAlgorithm: (version: VersionRow) => version.digest_algorithm,
    commitHash: (version: VersionRow) => (version.state === 'COMMITTED' ? version.digest : null),
    fileCount: (version: VersionRow) => version.file_count,
    createdAt: (version: VersionRow) => version.created_at,
    updatedAt: (version: VersionRow) => version.updated_at,
    aliases,
    currentManifest: currentManifestOf,
    files: filesOfVersion,
    filesByManifestEntries,
    usedBy,
    createdBy,
    artifactMemberships,
  },
  ArtifactCreator: {
    __resolveType: (creator: object) => ('project_id' in creator ? 'Run' : 'User'),
  },
  ArtifactAlias: {
    id: (row: AliasParent) => aliasGlobalId(row.collection_id, row.alias),
    artifactCollection: (row: AliasParent, _: unknown, context: Context) =>
      loadersOf(context).collection(row.collection_id),
  },
};

export const tagNode = (tag: string) => ({
  id: tagGlobalId(tag),
  name: tag,
  tagCategoryName: null,
  attributes: null,
});

async function visiblePlaces(version: VersionRow, context: Context) {
  const { places, project } = loadersOf(context);
  const seen = [];
  for (const place of (await places(version.id)) ?? []) if (await project(place.project_id)) seen.push(place);
  return seen;
}

/** Each place has its `vN`: clients take the version's name in the collection from there. */
async function aliases(version: VersionRow, _: unknown, context: Context): Promise<AliasParent[]> {
  const [places, rows] = await Promise.all([visiblePlaces(version, context), loadersOf(context).aliases(version.id)]);
  return places.flatMap((place) => [
    ...(rows ?? []).filter((row) => row.collection_id === place.collection_id),
    { collection_id: place.collection_id, alias: `v${place.version_index}` },
  ]);
}

async function artifactMemberships(
  version: VersionRow,
  args: { after?: string | null; first?: number | null },
  context: Context,
) {
  const all = await visiblePlaces(version, context);
  const after = Number(args.after ?? 0);
  const limit = Math.min(Math.max(args.first ?? longestPage, 1), longestPage);
  const left = all.filter((place) => place.id > after);
  const shown = left.slice(0, limit);
  const last = shown.at(-1);
  return {
    edges: shown.map((place) => ({ node: place, cursor: String(place.id) })),
    pageInfo: { endCursor: last ? String(last.id) : null, hasNextPage: left.length > limit },
    totalCount: all.length,
  };
}

/** Runs of projects that this key does not see are not shown. */
async function usedBy(version: VersionRow, args: { after?: string | null; first?: number | null }, context: Context) {
  const limit = Math.min(Math.max(args.first ?? longestPage, 1), longestPage);
  const after = Number(args.after ?? 0);
  const rows = await runsThatUsed(context.db, version.id, { afterId: Number.isSafeInteger(after) ? after : 0, limit });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const edges: { node: RunParent; cursor: string }[] = [];
  for (const row of page) {
    const scope = await loadersOf(context).project(row.project_id);
    if (scope) edges.push({ node: { ...row, scope }, cursor: String(row.id) });
  }
  return {
    edges,
    pageInfo: { endCursor: last ? String(last.id) : null, hasNextPage: rows.length > limit },
    totalCount: edges.length,
  };
}

/**
 * The run that logged it, by its name alone when it was deleted: clients then look for it, and say that they cannot find it. Else whoever did.
 * Never null: 0.19 falls over that.
 */
async function createdBy(version: VersionRow, _: unknown, context: Context) {
  const run = version.run_id === null ? undefined : await runById(context.db, version.run_id);
  const scope = run && (await loadersOf(context).project(run.project_id));
  if (run && scope) return { ...run, scope } satisfies RunParent;
  const gone = version.deleted_run === null ? undefined : await deletedRun(version, version.deleted_run, context);
  if (gone) return gone;
  const user = version.user_id === null ? undefined : await userById(context.db, version.user_id);
  const username = user?.username ?? version.created_by;
  return shownUser({ user_id: user?.id ?? 0, username, user_display_name: user?.display_name ?? username });
}

/** Not when its name was given to another run since: that one would be taken for it. */
async function deletedRun(version: VersionRow, name: string, context: Context): Promise<RunParent | undefined> {
  const scope = await loadersOf(context).project(version.project_id);
  if (!scope || (await runByName(context.db, version.project_id, name))) return undefined;
  const { created_at: at, entity_id, entity_name, project_id, project_name } = version;
  return {
    ...emptyRun,
    name,
    display_name: name,
    created_at: at,
    heartbeat_at: at,
    entity_id,
    entity_name,
    project_id,
    project_name,
    scope,
  };
}

/** No run has this id: whatever is asked of it is empty. */
const emptyRun = {
  id: 0,
  deleted: true as const,
  state: 'finished' as const,
  config: '{}',
  summary: '{}',
  notes: '',
  description: '',
  tags: [],
  group_name: '',
  job_type: '',
  host: '',
  program: '',
  repo: '',
  commit: '',
  sweep_name: null,
  user_id: null,
  username: null,
  user_display_name: null,
  launch_id: null,
  stopped: false,
  exit_code: null,
  history_lines: 0,
  events_lines: 0,
  log_lines: 0,
  ended_at: null,
  life: 0,
  life_at: null,
  spoken: false,
  line_base: {},
};
