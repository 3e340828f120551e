import { expect } from 'vitest';
import type { TrackingApi } from '../../support/tracking-api.js';
import type { Words } from './schema-walk.js';
import { storeVersion } from './stored-artifacts.js';

/** Types that have ids of which an entity cannot have any, and why. */
export const typesWithoutIds: Record<string, string> = {
  ProjectMember: 'registries have none',
  View: 'Davit keeps no reports',
  CustomChart: 'only in the answer to its making; Davit keeps none',
  Invite: 'only in the answer to its making; its id is that of the user',
};

/**
 * One of everything under `entity/demo`, with the mark in whatever text it holds; each area adds its own. Returns what arguments and
 * input fields are to be called with so that they mean these things.
 */
export async function seedEverything(
  api: TrackingApi,
  { key, entity, mark }: { key: string; entity: string; mark: string },
): Promise<Words> {
  const ask = async <T>(query: string, input: Record<string, unknown>): Promise<T> => {
    const answer = await api.graphql<T>(query, { i: input }, key);
    expect(answer.errors, query).toBeUndefined();
    return answer.data;
  };
  await ask('mutation M($i: UpsertModelInput!) { upsertModel(input: $i) { inserted } }', {
    name: 'demo',
    entityName: entity,
  });
  await api.db
    .updateTable('project')
    .set({ description: mark })
    .where('name', '=', 'demo')
    .where('entity_id', '=', (eb) => eb.selectFrom('entity').select('id').where('name', '=', entity))
    .execute();
  await ask('mutation M($i: UpsertBucketInput!) { upsertBucket(input: $i) { inserted } }', {
    name: 'r1',
    modelName: 'demo',
    entityName: entity,
    displayName: `name ${mark}`,
    notes: mark,
    groupName: mark,
    tags: [mark],
    config: JSON.stringify({ secret: { value: mark } }),
    summaryMetrics: JSON.stringify({ secret: mark }),
  });
  const line = { _timestamp: 1, _runtime: 1, secret: mark };
  const streamed = await api.fileStream(
    `${entity}/demo/r1`,
    {
      files: {
        'wandb-history.jsonl': { offset: 0, content: [JSON.stringify({ _step: 0, ...line })] },
        'wandb-events.jsonl': { offset: 0, content: [JSON.stringify({ 'system.cpu': 1, _wandb: true, ...line })] },
        'output.log': { offset: 0, content: [JSON.stringify({ ts: '2030-01-01T00:00:00.000000', content: mark })] },
      },
    },
    key,
  );
  expect(streamed.status).toBe(200);

  // A file, uploaded as clients do.
  const file = { entityName: entity, projectName: 'demo', runName: 'r1', files: [`${mark}.txt`] };
  const made = await ask<{ createRunFiles: { files: { uploadUrl: string }[] } }>(
    'mutation M($i: CreateRunFilesInput!) { createRunFiles(input: $i) { files { name uploadUrl } } }',
    file,
  );
  const put = await fetch(made.createRunFiles.files[0]?.uploadUrl ?? '', { method: 'PUT', body: mark });
  expect(put.status).toBeLessThan(300);
  await ask('mutation M($i: MarkRunFilesUploadedInput!) { markRunFilesUploaded(input: $i) { success } }', file);

  // A version with a file, in a collection and a portfolio, with a tag and an alias.
  const { id: entityId } = await api.db
    .selectFrom('entity')
    .select('id')
    .where('name', '=', entity)
    .executeTakeFirstOrThrow();
  await storeVersion(api, {
    entityId,
    project: 'demo',
    collection: 'things',
    files: { [`${mark}.txt`]: mark },
    metadata: { secret: mark },
    aliases: ['best'],
  });
  const { data } = await api.graphql<{ project: { artifact: { id: string } } }>(
    'query Q($e: String) { project(name: "demo", entityName: $e) { artifact(name: "things:latest") { id } } }',
    { e: entity },
    key,
  );
  const artifactID = data.project.artifact.id;
  await ask('mutation M($i: UpdateArtifactInput!) { updateArtifact(input: $i) { artifact { id } } }', {
    artifactID,
    description: mark,
    tagsToAdd: [{ tagName: mark }],
  });
  await ask('mutation M($i: LinkArtifactInput!) { linkArtifact(input: $i) { versionIndex } }', {
    artifactID,
    artifactPortfolioName: 'shelf',
    entityName: entity,
    projectName: 'demo',
    aliases: [{ artifactCollectionName: 'shelf', alias: 'chosen' }],
  });

  // A registry with a link in it.
  await ask('mutation M($i: UpsertModelInput!) { upsertModel(input: $i) { inserted } }', {
    name: 'wandb-registry-shop',
    entityName: entity,
    description: mark,
    allowAllArtifactTypesInRegistry: false,
    artifactTypes: [{ name: 'dataset' }, { name: mark }],
  });
  await ask('mutation M($i: LinkArtifactInput!) { linkArtifact(input: $i) { versionIndex } }', {
    artifactID,
    artifactPortfolioName: 'window',
    entityName: entity,
    projectName: 'wandb-registry-shop',
    aliases: [{ artifactCollectionName: 'window', alias: mark }],
  });

  // A sweep with an agent.
  const sweep = await ask<{ upsertSweep: { sweep: { name: string } } }>(
    'mutation M($i: UpsertSweepInput!) { upsertSweep(input: $i) { sweep { name } } }',
    {
      entityName: entity,
      projectName: 'demo',
      description: mark,
      config: `name: ${mark}\nprogram: train.py\nmethod: random\nparameters:\n  lr:\n    values: [1, 2]\n`,
    },
  );
  const sweepName = sweep.upsertSweep.sweep.name;
  await ask('mutation M($i: CreateAgentInput!) { createAgent(input: $i) { agent { id } } }', {
    entityName: entity,
    projectName: 'demo',
    host: mark,
    sweep: sweepName,
  });

  return {
    'Project.artifact.name': 'things:latest',
    'Project.artifactCollectionMembership.name': 'things:latest',
    'Project.artifactCollection.name': 'things',
    'Project.artifactType.name': 'dataset',
    'ArtifactType.artifactCollection.name': 'things',
    'ArtifactCollection.artifactMembership.aliasName': 'latest',
    aliasName: 'latest',
    artifactCollectionName: 'things',
    artifactPortfolioName: 'shelf',
    artifactTypeName: 'dataset',
    alias: 'best',
    tagName: 'new',
    sweepName,
    sweep: sweepName,
    config: '{}',
    'UpsertSweepInput.config': 'method: random\nparameters:\n  lr:\n    values: [1]\n',
    entityName: entity,
    entity,
    'Query.entity.name': entity,
    'Query.organization.name': entity,
    'Entity.project.name': 'wandb-registry-shop',
    oldProjectName: 'wandb-registry-shop',
    newProjectName: 'wandb-registry-stall',
    projectFilters: '{}',
    collectionFilters: '{}',
    projectName: 'demo',
    modelName: 'demo',
    project: 'demo',
    'Query.project.name': 'demo',
    'Query.model.name': 'demo',
    'UpsertModelInput.name': 'demo',
    'UpsertBucketInput.name': 'r1',
    'UpsertBucketInput.notes': 'changed',
    'UpsertBucketInput.tags': ['changed'],
    runName: 'r1',
    run: 'r1',
    name: 'r1',
    teamName: entity,
    files: ['new.txt'],
    username: 'eve',
    email: 'new@example.test',
    specs: ['{"keys":["_step","secret"]}'],
    filters: '{}',
    first: 3,
    last: 3,
    samples: 5,
  };
}
