import { artifactNameProblem } from '../../../domain/artifact-names.js';
import { DavitError } from '../../../domain/errors.js';
import { isJsonObject, parseExtendedJson } from '../../../domain/extended-json.js';
import { artifactWireId } from '../../../domain/job.js';
import { isVersionAlias } from '../../../domain/artifact-names.js';
import { projectNameProblem } from '../../../domain/run-name.js';
import { createVersion } from '../../../store/artifact-create.js';
import { useVersion } from '../../../store/artifact-usages.js';
import { versionById, versionsByClientId, type VersionRow } from '../../../store/artifact-versions.js';
import { storable } from '../../../store/text.js';
import { requireWriter, visibleProject, writableProject, type Context } from '../context.js';
import { wandbLimits } from '../deps.js';
import { requireVersion, visibleVersion } from './artifact-scope.js';
import { runToWrite } from './run-mutations.js';

/** Announcing versions, and using them. */

interface CreateInput {
  artifactTypeName: string;
  artifactCollectionName?: string | null;
  artifactCollectionNames?: string[] | null;
  entityName?: string | null;
  projectName?: string | null;
  runName?: string | null;
  digest: string;
  digestAlgorithm?: 'MANIFEST_MD5' | 'MANIFEST_XXH128' | null;
  description?: string | null;
  metadata?: string | null;
  aliases?: { alias: string }[] | null;
  tags?: { tagName: string }[] | null;
  clientID?: string | null;
  sequenceClientID?: string | null;
  distributedID?: string | null;
  enableDigestDeduplication?: boolean | null;
  historyStep?: number | null;
  storageRegion?: string | null;
  ttlDurationSeconds?: number | null;
}

/** What the client itself uses when nobody chose one. */
const defaultProject = 'uncategorized';
const longestId = 512;

export const artifactCreateResolvers = {
  Query: { clientIDMapping },
  Mutation: { createArtifact, createArtifactType, useArtifact },
};

async function createArtifact(_: unknown, { input }: { input: CreateInput }, context: Context) {
  const collection = input.artifactCollectionName || (input.artifactCollectionNames?.[0] ?? '');
  const names = checkedNames(input, collection);
  const projectName = input.projectName || defaultProject;
  const problem = projectNameProblem(projectName);
  if (problem) throw new DavitError('invalid-request', problem);
  if (input.digestAlgorithm === 'MANIFEST_XXH128')
    throw new DavitError('invalid-request', 'This Davit knows artifacts by MD5 only, not by XXH128.');
  const metadata = metadataText(input.metadata);
  const scope = await writableProject(context, input.entityName, projectName);
  const run = input.runName
    ? await runToWrite(context, scope.entityName, scope.name, input.runName, 'Logging an artifact')
    : undefined;
  const { artifactId } = await createVersion(context.db, {
    projectId: scope.id,
    type: input.artifactTypeName,
    collection,
    digest: input.digest,
    digestAlgorithm: 'MANIFEST_MD5',
    deduplicate: input.enableDigestDeduplication !== false,
    description: storable(input.description ?? ''),
    metadata,
    aliases: names.aliases,
    tags: names.tags,
    clientId: shortId(input.clientID, 'clientID'),
    sequenceClientId: shortId(input.sequenceClientID, 'sequenceClientID'),
    distributedId: shortId(input.distributedID, 'distributedID'),
    historyStep: input.historyStep ?? undefined,
    storageRegion: shortId(input.storageRegion, 'storageRegion'),
    ttlSeconds: ttlOf(input.ttlDurationSeconds),
    runId: run?.id,
    userId: context.actor.userId,
    createdBy: context.actor.name,
  });
  return { artifact: await present(context, artifactId) };
}

function checkedNames(input: CreateInput, collection: string): { aliases: string[]; tags: string[] } {
  const aliases = (input.aliases ?? []).map(({ alias }) => alias);
  const tags = (input.tags ?? []).map(({ tagName }) => tagName);
  if (aliases.length > wandbLimits.namesPerRequest || tags.length > wandbLimits.namesPerRequest)
    throw new DavitError('invalid-request', `At most ${wandbLimits.namesPerRequest} aliases or tags are accepted.`);
  const problem =
    artifactNameProblem('collection', collection) ??
    artifactNameProblem('type', input.artifactTypeName) ??
    aliases.map((alias) => artifactNameProblem('alias', alias)).find((found) => found !== undefined) ??
    tags.map((tag) => artifactNameProblem('tag', tag)).find((found) => found !== undefined);
  if (problem) throw new DavitError('invalid-request', problem);
  if (!/^[\w+/=-]{0,256}$/.test(input.digest)) throw new DavitError('invalid-request', '"digest" is not a digest.');
  // An image's tag becomes an alias of its job, and may look like the number of a version: that name is not to be given.
  return { aliases: aliases.filter((alias) => !isVersionAlias(alias)), tags };
}

/** The text is kept as it came. */
function metadataText(text: string | null | undefined): string {
  if (text === null || text === undefined || text === '') return '{}';
  try {
    const value = parseExtendedJson(text);
    if (value === null) return '{}';
    if (isJsonObject(value)) return storable(text);
  } catch {
    // Said below.
  }
  throw new DavitError('invalid-request', '"metadata" must be a JSON object.');
}

function shortId(id: string | null | undefined, name: string): string | undefined {
  if (!id) return undefined;
  if (id.length > longestId || !/^[\x20-\x7e]+$/.test(id))
    throw new DavitError('invalid-request', `"${name}" is longer than ${longestId} characters, or not plain text.`);
  return id;
}

/** -1, or nothing: inherited; -2: never; else seconds. */
function ttlOf(seconds: number | null | undefined): number | null {
  if (seconds === null || seconds === undefined || seconds === -1) return null;
  if (seconds === -2 || (seconds > 0 && seconds < 10_000_000_000)) return seconds;
  throw new DavitError(
    'invalid-request',
    '"ttlDurationSeconds" must be -1 (inherit), -2 (never) or a number of seconds.',
  );
}

async function present(context: Context, artifactId: number): Promise<VersionRow> {
  const version = await versionById(context.db, artifactId);
  if (!version) throw new Error(`artifact ${artifactId} vanished while it was made`);
  return version;
}

/** Asked by old clients before they log. Types are as many as there are collections of them. */
async function createArtifactType(
  _: unknown,
  { input }: { input: { entityName: string; projectName: string; name: string } },
  context: Context,
) {
  const problem = artifactNameProblem('type', input.name) ?? projectNameProblem(input.projectName);
  if (problem) throw new DavitError('invalid-request', problem);
  const scope = await writableProject(context, input.entityName, input.projectName);
  return { artifactType: { name: input.name, projectId: scope.id, createdAt: scope.createdAt } };
}

/** Null until the version was announced; then the same for ever. */
async function clientIDMapping(_: unknown, { clientID }: { clientID: string }, context: Context) {
  for (const version of await versionsByClientId(context.db, clientID))
    if (await visibleVersion(context, version)) return { serverID: artifactWireId(version.id) };
  return null;
}

interface UseInput {
  artifactID: string;
  entityName: string;
  projectName: string;
  runName: string;
  usedAs?: string | null;
  artifactEntityName?: string | null;
  artifactProjectName?: string | null;
}

async function useArtifact(_: unknown, { input }: { input: UseInput }, context: Context) {
  const run = await runToWrite(context, input.entityName, input.projectName, input.runName, 'Using an artifact');
  const version = await requireVersion(context, input.artifactID);
  // By a link: then the place that it was found in is named, and must be one that this key may see.
  if (input.artifactEntityName && input.artifactProjectName) {
    const place = await visibleProject(context, input.artifactEntityName, input.artifactProjectName);
    if (!place)
      throw new DavitError(
        'not-found',
        `There is no project "${input.artifactEntityName}/${input.artifactProjectName}" that this key may see.`,
      );
  }
  await useVersion(context.db, {
    runId: run.id,
    artifactId: version.id,
    usedAs: input.usedAs ? storable(input.usedAs.slice(0, 1_000)) : null,
  });
  return { artifact: version };
}

/** The version, when this key may write to it: the project is its own to write, and so is the run that logs it. */
export async function versionToWrite(context: Context, wireId: string): Promise<VersionRow> {
  const version = await requireVersion(context, wireId);
  const scope = await visibleProject(context, version.entity_name, version.project_name);
  if (!scope)
    throw new DavitError('forbidden', 'This version is only linked here: it can be changed where it was logged.');
  requireWriter(scope.role, 'Logging an artifact');
  return version;
}
