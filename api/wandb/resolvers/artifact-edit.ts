import { artifactNameProblem, isVersionAlias } from '../../../domain/artifact-names.js';
import { DavitError } from '../../../domain/errors.js';
import { isJsonObject, parseExtendedJson, type Json } from '../../../domain/extended-json.js';
import {
  addAliases as storeAliases,
  deleteVersionUnlessNamed,
  removeAliases,
  replaceAliases,
  updateVersion,
  type AliasesOfCollection,
  type VersionChanges,
} from '../../../store/artifact-edit.js';
import { collectionNamed } from '../../../store/artifact-lists.js';
import { versionById, type VersionRow } from '../../../store/artifact-versions.js';
import { audit } from '../../../store/audit.js';
import { inTransaction } from '../../../store/transaction.js';
import { requireWriter, visibleProject, type Context } from '../context.js';
import { forgetLoaded, loadersOf, requireVersion } from './artifact-scope.js';

/** Changes to versions: what is said about them, aliases, tags, deletion. */

export const artifactEditResolvers = {
  Mutation: { updateArtifact, deleteArtifact, addAliases, deleteAliases },
};

export interface TagInput {
  tagName: string;
}

interface UpdateInput {
  artifactID: string;
  description?: string | null;
  metadata?: string | null;
  ttlDurationSeconds?: number | null;
  tagsToAdd?: TagInput[] | null;
  tagsToDelete?: TagInput[] | null;
  aliases?: { alias: string; artifactCollectionName: string }[] | null;
}

/** The name of a version in audit events. */
export const versionSubject = (version: VersionRow): string =>
  `artifact/${version.entity_name}/${version.project_name}/${version.collection}:v${version.version_index ?? '?'}`;

/** Changing a version needs to write where it was logged; whoever sees it by a link only cannot. */
async function versionToWrite(context: Context, id: string, what: string): Promise<VersionRow> {
  const version = await requireVersion(context, id);
  const scope = await loadersOf(context).project(version.project_id);
  if (!scope)
    throw new DavitError('forbidden', `${what} needs to write to the project that it was logged to; this key cannot.`);
  requireWriter(scope.role, what);
  return version;
}

async function updateArtifact(_: unknown, { input }: { input: UpdateInput }, context: Context) {
  const { db, actor } = context;
  const version = await versionToWrite(context, input.artifactID, 'Changing an artifact');
  const changes: VersionChanges = {
    ...(typeof input.description === 'string' ? { description: input.description } : {}),
    ...(typeof input.metadata === 'string' ? { metadata: metadataText(input.metadata) } : {}),
    ...(typeof input.ttlDurationSeconds === 'number' ? { ttlSeconds: ttlOf(input.ttlDurationSeconds) } : {}),
    tagsToAdd: tagNames(input.tagsToAdd),
    tagsToDelete: (input.tagsToDelete ?? []).map((tag) => tag.tagName),
  };
  const own = (input.aliases ?? []).filter((one) => one.artifactCollectionName === version.collection);
  const aliases = own.map((one) => one.alias).filter((alias) => !isVersionAlias(alias));
  refuseNames('alias', aliases);
  await inTransaction(db, async (tx) => {
    await updateVersion(tx, version, changes);
    if (input.aliases) await replaceAliases(tx, version.id, { collectionId: version.collection_id, aliases });
    await audit(tx, { actor: actor.name, action: 'artifact.update', subject: versionSubject(version) });
  });
  forgetLoaded(context);
  return { artifact: (await versionById(db, version.id)) ?? version };
}

function metadataText(text: string): string {
  let value: Json;
  try {
    value = parseExtendedJson(text);
  } catch {
    throw new DavitError('invalid-request', '"metadata" is not valid JSON.');
  }
  if (!isJsonObject(value) && value !== null) throw new DavitError('invalid-request', '"metadata" must be an object.');
  return value === null ? '{}' : text;
}

const longestTtlSeconds = 100 * 366 * 24 * 3600;

/** -1: inherited, which is stored as nothing; -2: never. */
function ttlOf(seconds: number): number | null {
  if (seconds === -1) return null;
  if (seconds === -2 || (seconds > 0 && seconds <= longestTtlSeconds)) return seconds;
  throw new DavitError(
    'invalid-request',
    `A time to live of ${seconds} seconds is none: at least 1, at most 100 years.`,
  );
}

export function tagNames(tags: TagInput[] | null | undefined): string[] {
  const names = (tags ?? []).map((tag) => tag.tagName);
  refuseNames('tag', names);
  return names;
}

export function refuseNames(what: 'alias' | 'tag', names: readonly string[]): void {
  for (const name of names) {
    const problem =
      artifactNameProblem(what, name) ??
      (what === 'alias' && isVersionAlias(name)
        ? `"${name}" names a version by its number; it cannot be given as an alias.`
        : undefined);
    if (problem) throw new DavitError('invalid-request', problem);
  }
}

async function deleteArtifact(
  _: unknown,
  { input }: { input: { artifactID: string; deleteAliases?: boolean | null } },
  context: Context,
) {
  const { db, actor } = context;
  const version = await versionToWrite(context, input.artifactID, 'Deleting an artifact');
  await inTransaction(db, async (tx) => {
    const done = await deleteVersionUnlessNamed(tx, version.id, { withAliases: input.deleteAliases ?? false });
    if (done) await audit(tx, { actor: actor.name, action: 'artifact.delete', subject: versionSubject(version) });
  });
  forgetLoaded(context);
  return { artifact: { ...version, state: 'DELETED' } satisfies VersionRow };
}

interface AliasesInput {
  artifactID: string;
  aliases: { alias: string; artifactCollectionName: string; entityName: string; projectName: string }[];
}

async function addAliases(_: unknown, { input }: { input: AliasesInput }, context: Context) {
  refuseNames(
    'alias',
    input.aliases.map((one) => one.alias),
  );
  return changeAliases(input, context, 'artifact.alias', storeAliases);
}

async function deleteAliases(_: unknown, { input }: { input: AliasesInput }, context: Context) {
  return changeAliases(input, context, 'artifact.unalias', removeAliases);
}

/** Aliases belong to collections: what is needed is to write to theirs, not to where the version was logged. */
async function changeAliases(
  input: AliasesInput,
  context: Context,
  action: string,
  change: (db: Context['db'], artifactId: number, aliases: AliasesOfCollection[]) => Promise<void>,
) {
  const { db, actor } = context;
  const version = await requireVersion(context, input.artifactID);
  const wanted = new Map<number, string[]>();
  for (const { alias, artifactCollectionName, entityName, projectName } of input.aliases) {
    const scope = await visibleProject(context, entityName, projectName);
    const collection = scope && (await collectionNamed(db, scope.id, artifactCollectionName));
    if (!scope || !collection)
      throw new DavitError(
        'not-found',
        `There is no artifact collection "${entityName}/${projectName}/${artifactCollectionName}" that this key may see.`,
      );
    requireWriter(scope.role, 'Changing aliases');
    wanted.set(collection.id, [...(wanted.get(collection.id) ?? []), alias]);
  }
  await inTransaction(db, async (tx) => {
    await change(
      tx,
      version.id,
      [...wanted].map(([collectionId, aliases]) => ({ collectionId, aliases })),
    );
    await audit(tx, {
      actor: actor.name,
      action,
      subject: versionSubject(version),
      data: { aliases: input.aliases.map((one) => one.alias) },
    });
  });
  forgetLoaded(context);
  return { success: true };
}
