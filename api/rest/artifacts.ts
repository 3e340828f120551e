import { sql } from 'kysely';
import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { nameSchema } from '../../domain/ids.js';
import { toStrictJson } from '../../domain/extended-json.js';
import { listEntries } from '../../store/artifact-entries.js';
import { inputsOfRun, outputsOfRun, runsThatUsed } from '../../store/artifact-lineage.js';
import {
  collectionNamed,
  inProject,
  listCollections,
  tagsOfCollections,
  type CollectionRow,
} from '../../store/artifact-lists.js';
import {
  aliasesOfVersions,
  listVersions,
  placeIndexOrder,
  placeNamed,
  tagsOfVersions,
  versionsByIds,
} from '../../store/artifact-places.js';
import type { VersionRow } from '../../store/artifact-versions.js';
import { writeCursor } from '../../store/keyset.js';
import type { Store } from '../../store/open.js';
import { runById, runByName } from '../../store/runs.js';
import type { Actor } from '../auth/authenticate.js';
import { roleOf } from '../auth/authorize.js';
import type { ApiDeps } from '../deps.js';
import { originOf } from '../origin.js';
import { requireProject } from './projects.js';
import { defineRoute } from './route.js';
import { defaultLimit, nameCursor, page, pageOf, pageQuery, readCursor, timeOf, timeSchema } from './schemas.js';

/** Artifacts, to be shown: what was logged, in which versions, from where, and its files. They are changed by the wandb client. */

const collectionName = z.string().min(1).max(256);
const projectParams = z.strictObject({ entity: nameSchema, project: nameSchema });
const collectionParams = projectParams.extend({ collection: collectionName });
const versionParams = collectionParams.extend({ version: z.string().min(1).max(256).describe('An alias or vN.') });

const collectionSchema = z
  .object({
    name: z.string(),
    type: z.string(),
    kind: z.enum(['sequence', 'portfolio']).describe('A portfolio has links to versions that were logged elsewhere.'),
    description: z.string(),
    tags: z.array(z.string()),
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'ArtifactCollection' });

const versionSchema = z
  .object({
    entity: z.string(),
    project: z.string(),
    collection: z.string().describe('Where it was logged.'),
    version: z.string().describe('vN of the collection that was asked.'),
    type: z.string(),
    description: z.string(),
    metadata: z.record(z.string(), z.unknown()),
    aliases: z.array(z.string()),
    tags: z.array(z.string()),
    digest: z.string(),
    size: z.int(),
    fileCount: z.int(),
    createdAt: timeSchema,
    createdBy: z.string(),
  })
  .meta({ id: 'ArtifactVersion' });

const runRef = z.object({ entity: z.string(), project: z.string(), name: z.string(), displayName: z.string() });

async function requireCollection(deps: ApiDeps, actor: Actor, params: z.infer<typeof collectionParams>) {
  const project = await requireProject(deps.db, actor, params, 'viewer');
  const collection = await collectionNamed(deps.db, project.id, params.collection);
  if (!collection)
    throw new DavitError(
      'not-found',
      `There is no artifact "${params.entity}/${params.project}/${params.collection}".`,
    );
  return collection;
}

async function requireVersion(deps: ApiDeps, actor: Actor, params: z.infer<typeof versionParams>) {
  const collection = await requireCollection(deps, actor, params);
  const place = await placeNamed(deps.db, collection.id, params.version);
  const [version] = place ? await versionsByIds(deps.db, [place.artifact_id]) : [];
  if (!place || !version)
    throw new DavitError('not-found', `"${params.collection}" has no version "${params.version}".`);
  return { collection, place, version };
}

/** Versions with what lies in other tables, of a whole page at once. `index`: in the collection that was asked; default its own. */
async function toVersions(
  db: Store,
  rows: readonly { version: VersionRow; index?: number; collectionId?: number }[],
): Promise<z.input<typeof versionSchema>[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ version }) => version.id);
  const [aliases, tags] = await Promise.all([aliasesOfVersions(db, ids), tagsOfVersions(db, ids)]);
  return rows.map(({ version, index, collectionId = version.collection_id }) => ({
    entity: version.entity_name,
    project: version.project_name,
    collection: version.collection,
    version: `v${index ?? version.version_index ?? 0}`,
    type: version.type,
    description: version.description,
    metadata: JSON.parse(toStrictJson(version.metadata)) as Record<string, unknown>,
    aliases: aliases
      .filter((row) => row.artifact_id === version.id && row.collection_id === collectionId)
      .map((row) => row.alias),
    tags: tags.filter((row) => row.artifact_id === version.id).map((row) => row.tag),
    digest: version.digest,
    size: version.size,
    fileCount: version.file_count,
    createdAt: timeOf(version.created_at),
    createdBy: version.created_by,
  }));
}

const list = defineRoute({
  method: 'get',
  path: '/entities/{entity}/projects/{project}/artifacts',
  operationId: 'listArtifacts',
  summary: 'Artifacts of a project, by name',
  tag: 'artifacts',
  auth: 'user',
  params: projectParams,
  query: z.strictObject({ ...pageQuery, type: z.string().min(1).max(256).optional() }),
  response: pageOf(collectionSchema, 'ArtifactPage'),
  handler: async ({ actor, params, query, deps }) => {
    const project = await requireProject(deps.db, actor, params, 'viewer');
    const limit = query.limit ?? defaultLimit;
    const rows = await listCollections(
      deps.db,
      { scope: inProject(project.id), type: query.type },
      {
        order: { expression: sql`artifact_collection.name`, type: 'text', descending: false },
        after: readCursor(nameCursor, query.cursor),
        limit,
      },
    );
    const tags = rows.length === 0 ? [] : await tagsOfCollections(deps.db, idsOf(rows));
    return page(
      rows,
      limit,
      (row) => ({
        name: row.name,
        type: row.type,
        kind: row.kind === 'PORTFOLIO' ? ('portfolio' as const) : ('sequence' as const),
        description: row.description,
        tags: tags.filter((tag) => tag.collection_id === row.id).map((tag) => tag.tag),
        createdAt: timeOf(row.created_at),
        updatedAt: timeOf(row.updated_at),
      }),
      (row) => writeCursor(row.order_value, row.id),
    );
  },
});

const idsOf = (rows: readonly CollectionRow[]): number[] => rows.map((row) => row.id);

const versions = defineRoute({
  method: 'get',
  path: '/entities/{entity}/projects/{project}/artifacts/{collection}/versions',
  operationId: 'listArtifactVersions',
  summary: 'Versions of an artifact, newest first',
  tag: 'artifacts',
  auth: 'user',
  params: collectionParams,
  query: z.strictObject(pageQuery),
  response: pageOf(versionSchema, 'ArtifactVersionPage'),
  handler: async ({ actor, params, query, deps }) => {
    const collection = await requireCollection(deps, actor, params);
    const limit = query.limit ?? defaultLimit;
    const rows = await listVersions(deps.db, collection.id, {
      order: placeIndexOrder(true),
      after: readCursor(nameCursor, query.cursor),
      limit,
    });
    const items = await toVersions(
      deps.db,
      rows.map((version) => ({ version, index: version.place_index, collectionId: collection.id })),
    );
    return page(
      rows.map((row, i) => ({ row, item: items[i] })),
      limit,
      ({ item }) => item as z.input<typeof versionSchema>,
      ({ row }) => writeCursor(row.order_value, row.id),
    );
  },
});

const show = defineRoute({
  method: 'get',
  path: '/entities/{entity}/projects/{project}/artifacts/{collection}/versions/{version}',
  operationId: 'getArtifactVersion',
  summary: 'One version, the run that logged it and the runs that used it',
  tag: 'artifacts',
  auth: 'user',
  params: versionParams,
  response: z
    .object({
      version: versionSchema,
      loggedBy: runRef.nullable(),
      usedBy: z.array(runRef).describe('At most 200, oldest first; only runs that you may see.'),
    })
    .meta({ id: 'ArtifactLineage' }),
  handler: async ({ actor, params, deps }) => {
    const { db } = deps;
    const { collection, place, version } = await requireVersion(deps, actor, params);
    const [shown] = await toVersions(db, [{ version, index: place.version_index, collectionId: collection.id }]);
    if (!shown) throw new Error(`version ${version.id} vanished`);
    const maker = version.run_id === null ? undefined : await runById(db, version.run_id);
    const seen = async (run: { entity_id: number }) => (await roleOf(db, actor, run.entity_id)) !== undefined;
    const users = await runsThatUsed(db, version.id, { limit: 200 });
    const visible = await Promise.all(users.slice(0, 200).map(async (run) => ((await seen(run)) ? [run] : [])));
    return {
      version: shown,
      loggedBy: maker && (await seen(maker)) ? refOf(maker) : null,
      usedBy: visible.flat().map(refOf),
    };
  },
});

const refOf = (run: { entity_name: string; project_name: string; name: string; display_name: string }) => ({
  entity: run.entity_name,
  project: run.project_name,
  name: run.name,
  displayName: run.display_name,
});

const linkMs = 3600 * 1000;

const files = defineRoute({
  method: 'get',
  path: '/entities/{entity}/projects/{project}/artifacts/{collection}/versions/{version}/files',
  operationId: 'listArtifactFiles',
  summary: 'Files of a version with addresses to fetch them from',
  tag: 'artifacts',
  auth: 'user',
  params: versionParams,
  query: z.strictObject(pageQuery),
  response: pageOf(
    z
      .object({
        path: z.string(),
        size: z.int().nullable(),
        digest: z.string().describe('Base64 MD5; of a reference what its storage says.'),
        reference: z.string().nullable().describe('Where it lies, when it is not stored here.'),
        url: z.string().nullable().describe('Absolute, needs no key, works for an hour.'),
      })
      .meta({ id: 'ArtifactFile' }),
    'ArtifactFilePage',
  ),
  handler: async ({ actor, params, query, deps, req }) => {
    const { version } = await requireVersion(deps, actor, params);
    const limit = query.limit ?? defaultLimit;
    const rows = await listEntries(deps.db, version.id, { after: readCursor(nameCursor, query.cursor), limit });
    const origin = originOf(req, deps.publicUrl);
    const urls = await Promise.all(
      rows.map(async ({ blob_key, path }) =>
        blob_key === null
          ? null
          : deps.blobs.downloadUrl(blob_key, {
              expiresInMs: linkMs,
              fileName: path.split('/').at(-1) ?? path,
              origin,
            }),
      ),
    );
    return page(
      rows.map((row, i) => ({ ...row, url: urls[i] ?? null })),
      limit,
      ({ path, size, digest, ref, url }) => ({ path, size, digest, reference: ref, url }),
      (row) => row.path,
    );
  },
});

const ofRun = defineRoute({
  method: 'get',
  path: '/runs/{entity}/{project}/{run}/artifacts',
  operationId: 'listRunArtifacts',
  summary: 'Versions that a run logged, or used',
  tag: 'artifacts',
  auth: 'user',
  params: projectParams.extend({ run: z.string().min(1).max(128) }),
  query: z.strictObject({
    ...pageQuery,
    direction: z.enum(['logged', 'used']).optional().describe('Default: logged.'),
  }),
  response: pageOf(versionSchema, 'RunArtifactPage'),
  handler: async ({ actor, params, query, deps }) => {
    const { db } = deps;
    const project = await requireProject(db, actor, params, 'viewer');
    const run = await runByName(db, project.id, params.run);
    if (!run) throw new DavitError('not-found', `There is no run "${params.entity}/${params.project}/${params.run}".`);
    const limit = query.limit ?? defaultLimit;
    const after = readCursor(z.int(), query.cursor);
    const load = query.direction === 'used' ? inputsOfRun : outputsOfRun;
    const rows = await load(db, run.id, { limit, ...(after === undefined ? {} : { afterId: after }) });
    const seen = await Promise.all(rows.map((row) => roleOf(db, actor, row.entity_id)));
    const items = await toVersions(
      db,
      rows.map((version) => ({ version })),
    );
    const whole = page(
      rows.map((row, i) => ({ row, item: seen[i] === undefined ? undefined : items[i] })),
      limit,
      ({ item }) => item,
      ({ row }) => row.id,
    );
    return { ...whole, items: whole.items.filter((item) => item !== undefined) };
  },
});

export const artifactRoutes = [list, versions, show, files, ofRun];
