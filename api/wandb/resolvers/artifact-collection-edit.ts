import { artifactNameProblem } from '../../../domain/artifact-names.js';
import { DavitError } from '../../../domain/errors.js';
import {
  deleteCollection,
  tagCollection,
  untagCollection,
  updateCollection,
} from '../../../store/artifact-collection-edit.js';
import { collectionNamed, collectionsByIds, type CollectionRow } from '../../../store/artifact-lists.js';
import type { Store } from '../../../store/open.js';
import type { CollectionKind } from '../../../store/schema.js';
import { audit } from '../../../store/audit.js';
import { inTransaction } from '../../../store/transaction.js';
import { requireWriter, visibleProject, type Context } from '../context.js';
import { tagNames, type TagInput } from './artifact-edit.js';
import { forgetLoaded, requireCollection } from './artifact-scope.js';
import { tagNode } from './artifact.js';

/** Changes to collections: name, description, type, tags, deletion. */

interface UpdateInput {
  artifactSequenceID?: string;
  artifactPortfolioID?: string;
  name?: string | null;
  description?: string | null;
}

export const artifactCollectionEditResolvers = {
  Mutation: {
    updateArtifactSequence: update,
    updateArtifactPortfolio: update,
    moveArtifactSequence,
    deleteArtifactSequence: (_: unknown, { input }: { input: { artifactSequenceID: string } }, context: Context) =>
      remove(context, input.artifactSequenceID, 'SEQUENCE'),
    deleteArtifactPortfolio: (_: unknown, { input }: { input: { artifactPortfolioID: string } }, context: Context) =>
      remove(context, input.artifactPortfolioID, 'PORTFOLIO'),
    createArtifactCollectionTagAssignments: addTags,
    deleteArtifactCollectionTagAssignments: deleteTags,
  },
};

async function collectionToWrite(context: Context, id: string, what: string): Promise<CollectionRow> {
  const { collection, scope } = await requireCollection(context, id);
  requireWriter(scope.role, what);
  return collection;
}

const subjectOf = (collection: CollectionRow): string =>
  `artifact/${collection.entity_name}/${collection.project_name}/${collection.name}`;

/** Changes and says so, together. */
async function changed(
  context: Context,
  collection: CollectionRow,
  action: string,
  work: (tx: Store) => Promise<unknown>,
  data: Record<string, unknown> = {},
): Promise<CollectionRow> {
  await inTransaction(context.db, async (tx) => {
    await work(tx);
    await audit(tx, { actor: context.actor.name, action, subject: subjectOf(collection), data });
  });
  forgetLoaded(context);
  const [row] = await collectionsByIds(context.db, [collection.id]);
  return row ?? collection;
}

async function update(_: unknown, { input }: { input: UpdateInput }, context: Context) {
  const id = input.artifactSequenceID ?? input.artifactPortfolioID ?? '';
  const collection = await collectionToWrite(context, id, 'Changing an artifact collection');
  const name = input.name ?? collection.name;
  const problem = name === collection.name ? undefined : artifactNameProblem('collection', name);
  if (problem) throw new DavitError('invalid-request', problem);
  const changes = {
    ...(name === collection.name ? {} : { name }),
    ...(typeof input.description === 'string' ? { description: input.description } : {}),
  };
  return {
    artifactCollection: await changed(
      context,
      collection,
      'artifact-collection.update',
      (tx) => updateCollection(tx, collection, changes),
      name === collection.name ? {} : { name },
    ),
  };
}

async function moveArtifactSequence(
  _: unknown,
  { input }: { input: { artifactSequenceID: string; destinationArtifactTypeName: string } },
  context: Context,
) {
  const collection = await collectionToWrite(context, input.artifactSequenceID, 'Changing an artifact collection');
  const type = input.destinationArtifactTypeName;
  const problem = artifactNameProblem('type', type);
  if (problem) throw new DavitError('invalid-request', problem);
  if (type !== collection.type && (type === 'job' || collection.type === 'job'))
    throw new DavitError('invalid-request', 'Jobs cannot become artifacts of another type, nor others jobs.');
  return {
    artifactCollection: await changed(
      context,
      collection,
      'artifact-collection.update',
      (tx) => updateCollection(tx, collection, { type }),
      { type },
    ),
  };
}

async function remove(context: Context, id: string, kind: CollectionKind) {
  const collection = await collectionToWrite(context, id, 'Deleting an artifact collection');
  if (collection.kind !== kind)
    throw new DavitError('invalid-request', `"${collection.name}" is not a ${kind.toLowerCase()}.`);
  return {
    artifactCollection: await changed(context, collection, 'artifact-collection.delete', (tx) =>
      deleteCollection(tx, collection),
    ),
  };
}

interface TagsInput {
  entityName: string;
  projectName: string;
  artifactCollectionName: string;
  tags: TagInput[];
}

async function collectionToTag(context: Context, input: TagsInput): Promise<CollectionRow> {
  const scope = await visibleProject(context, input.entityName, input.projectName);
  const collection = scope && (await collectionNamed(context.db, scope.id, input.artifactCollectionName));
  if (!scope || !collection)
    throw new DavitError(
      'not-found',
      `There is no artifact collection "${input.entityName}/${input.projectName}/${input.artifactCollectionName}" that this key may see.`,
    );
  requireWriter(scope.role, 'Changing an artifact collection');
  return collection;
}

async function addTags(_: unknown, { input }: { input: TagsInput }, context: Context) {
  const collection = await collectionToTag(context, input);
  const tags = tagNames(input.tags);
  await changed(context, collection, 'artifact-collection.tag', (tx) => tagCollection(tx, collection.id, tags), {
    tags,
  });
  return { tags: tags.map(tagNode) };
}

async function deleteTags(_: unknown, { input }: { input: TagsInput }, context: Context) {
  const collection = await collectionToTag(context, input);
  const tags = input.tags.map((tag) => tag.tagName);
  await changed(context, collection, 'artifact-collection.untag', (tx) => untagCollection(tx, collection.id, tags), {
    tags,
  });
  return { success: true };
}
