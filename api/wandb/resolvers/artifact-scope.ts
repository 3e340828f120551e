import { DavitError } from '../../../domain/errors.js';
import { collectionsByIds, tagsOfCollections, type CollectionRow } from '../../../store/artifact-lists.js';
import {
  aliasesOfVersions,
  manifestsOfVersions,
  placesOfVersions,
  tagsOfVersions,
  versionsByIds,
} from '../../../store/artifact-places.js';
import type { VersionRow } from '../../../store/artifact-versions.js';
import { projectsByIds } from '../../../store/projects.js';
import { registrySettings } from '../../../store/registries.js';
import { roleOf } from '../../auth/authorize.js';
import { batched, groupBy } from '../batched.js';
import { keyReachesProject, type Context, type ProjectScope } from '../context.js';
import { artifactIdOf, collectionIdOf } from '../ids.js';

/** What the resolvers of one request look up by number, each thing once, and what of it this key may see. */

function makeLoaders(context: Context) {
  const { db, actor } = context;
  return {
    version: batched(async (ids: number[]) => new Map((await versionsByIds(db, ids)).map((row) => [row.id, row]))),
    collection: batched(
      async (ids: number[]) => new Map((await collectionsByIds(db, ids)).map((row) => [row.id, row])),
    ),
    places: batched(async (ids: number[]) => groupBy(await placesOfVersions(db, ids), (row) => row.artifact_id)),
    aliases: batched(async (ids: number[]) => groupBy(await aliasesOfVersions(db, ids), (row) => row.artifact_id)),
    tags: batched(async (ids: number[]) => groupBy(await tagsOfVersions(db, ids), (row) => row.artifact_id)),
    /** The manifest that readers get; missing for versions that no wandb client made. */
    manifest: batched(
      async (ids: number[]) => new Map((await manifestsOfVersions(db, ids)).map((row) => [row.artifact_id, row])),
    ),
    collectionTags: batched(async (ids: number[]) =>
      groupBy(await tagsOfCollections(db, ids), (row) => row.collection_id),
    ),
    registry: batched(async (ids: number[]) => new Map((await registrySettings(db, ids)).map((row) => [row.id, row]))),
    /** Missing: there is none, or none that this key may see. */
    project: batched(async (ids: number[]) => {
      const seen = new Map<number, ProjectScope>();
      for (const row of await projectsByIds(db, ids)) {
        const role = await roleOf(db, actor, row.entity_id);
        if (role === undefined || !(await keyReachesProject(context, row.id))) continue;
        seen.set(row.id, {
          id: row.id,
          name: row.name,
          description: row.description,
          createdAt: row.created_at,
          entityId: row.entity_id,
          entityName: row.entity_name,
          entityKind: row.entity_kind,
          role,
        });
      }
      return seen;
    }),
  };
}

const loaders = new WeakMap<Context, ReturnType<typeof makeLoaders>>();

/** Of this request: after a change they still say what was there before, so changes are read back by `versionById` and its like. */
export function loadersOf(context: Context): ReturnType<typeof makeLoaders> {
  let known = loaders.get(context);
  if (!known) loaders.set(context, (known = makeLoaders(context)));
  return known;
}

/** A mutation changed something: the answer is to be read anew. */
export function forgetLoaded(context: Context): void {
  loaders.delete(context);
}

/** Whoever sees the project of a version sees it, and whoever sees a portfolio that it is linked into. */
export async function visibleVersion(
  context: Context,
  version: VersionRow | undefined,
): Promise<VersionRow | undefined> {
  if (!version || version.state === 'DELETED') return undefined;
  const { project, places } = loadersOf(context);
  if (await project(version.project_id)) return version;
  for (const place of (await places(version.id)) ?? []) if (await project(place.project_id)) return version;
  return undefined;
}

export async function versionOfId(context: Context, wireId: string): Promise<VersionRow | undefined> {
  const id = artifactIdOf(wireId);
  return id === undefined ? undefined : visibleVersion(context, await loadersOf(context).version(id));
}

/** For changes. Unknown and foreign ones answer alike. */
export async function requireVersion(context: Context, wireId: string): Promise<VersionRow> {
  const version = await versionOfId(context, wireId);
  if (!version) throw new DavitError('not-found', `There is no artifact "${wireId}" that this key may see.`);
  return version;
}

export async function collectionOfId(context: Context, wireId: string): Promise<CollectionRow | undefined> {
  const id = collectionIdOf(wireId);
  const { collection, project } = loadersOf(context);
  const row = id === undefined ? undefined : await collection(id);
  return row?.state === 'READY' && (await project(row.project_id)) ? row : undefined;
}

export async function requireCollection(
  context: Context,
  wireId: string,
): Promise<{ collection: CollectionRow; scope: ProjectScope }> {
  const collection = await collectionOfId(context, wireId);
  const scope = collection && (await loadersOf(context).project(collection.project_id));
  if (!collection || !scope)
    throw new DavitError('not-found', `There is no artifact collection "${wireId}" that this key may see.`);
  return { collection, scope };
}

/** `name` or `name:alias`; without an alias the latest. */
export function splitName(name: string): { collection: string; alias: string } {
  const at = name.indexOf(':');
  return at < 0 ? { collection: name, alias: 'latest' } : { collection: name.slice(0, at), alias: name.slice(at + 1) };
}
