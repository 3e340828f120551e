import { afterAll, beforeAll, expect, test } from 'vitest';
import { artifactWireId } from '../../domain/job.js';
import { createTeam, createUser, setMember } from '../../store/entities.js';
import { issueKey } from '../../store/keys.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { storeVersion } from './support/stored-artifacts.js';

let api: TrackingApi;
const keys: Record<string, string> = {};
beforeAll(async () => {
  api = await startTrackingApi();
  const team = await createTeam(api.db, { name: 'lab', adminUserId: api.userId });
  for (const [username, role] of [
    ['mia', 'member'],
    ['vic', 'viewer'],
    ['eve', undefined],
  ] as const) {
    const { userId } = await createUser(api.db, { username });
    if (role) await setMember(api.db, team.id, userId, role);
    keys[username] = (await issueKey(api.db, { kind: 'user', userId })).key;
  }
});
afterAll(() => api.close());

const say = async (query: string, variables: Record<string, unknown> = {}, user?: string) => {
  const { data, errors } = await api.graphql<Record<string, unknown> | null>(query, variables, user && keys[user]);
  return errors?.[0]?.message ?? data;
};

const make = (name: string, input: Record<string, unknown> = {}, user?: string) =>
  say(
    `mutation ($i: UpsertModelInput!) { upsertModel(input: $i) { inserted project { id name description allowAllArtifactTypesInRegistry
      artifactTypes(includeAll: true) { edges { node { name } } } } } }`,
    { i: { name: `wandb-registry-${name}`, entityName: 'lab', ...input } },
    user,
  );
const link = async (registry: string, collection: string, type = 'model', user?: string, aliases: string[] = []) => {
  const { id: entityId } = await api.db
    .selectFrom('entity')
    .select('id')
    .where('name', '=', 'lab')
    .executeTakeFirstOrThrow();
  const stored = await storeVersion(api, {
    entityId,
    project: 'work',
    collection: `${collection}-${type}-${registry}`,
    type,
    files: { 'a.txt': `${registry} ${collection}` },
  });
  return say(
    `mutation ($i: LinkArtifactInput!) { linkArtifact(input: $i) { versionIndex } }`,
    {
      i: {
        artifactID: artifactWireId(stored.artifactId),
        artifactPortfolioName: collection,
        entityName: 'lab',
        projectName: `wandb-registry-${registry}`,
        aliases: aliases.map((alias) => ({ alias, artifactCollectionName: collection })),
      },
    },
    user,
  );
};
const remove = async (project: string, user?: string) =>
  say(
    `mutation ($id: String!) { deleteModel(input: { id: $id }) { success } }`,
    { id: Buffer.from(`Project:v1:${project}:lab`).toString('base64') },
    user,
  );

interface Found {
  organization: {
    name: string;
    orgEntity: {
      entityType: string;
      projects: { edges: { node: { name: string } }[]; pageInfo: { endCursor: string; hasNextPage: boolean } };
      artifactCollections: { totalCount: number; edges: { node: { name: string } }[] };
      artifactMemberships: {
        totalCount: number;
        edges: { node: { versionIndex: number; artifactCollection: { name: string; project: { name: string } } } }[];
      };
    };
  } | null;
}
const search = async (variables: Record<string, unknown> = {}, user?: string) => {
  const { data, errors } = await api.graphql<Found>(
    `query ($org: String = "lab", $r: JSONString, $c: JSONString, $v: JSONString, $first: Int, $after: String, $order: String, $linkedOrder: String) {
      organization(name: $org) { name orgEntity { entityType
        projects(filters: $r, first: $first, after: $after, order: $order) { edges { node { name } } pageInfo { endCursor hasNextPage } }
        artifactCollections(projectFilters: $r, filters: $c, collectionTypes: [PORTFOLIO]) { totalCount edges { node { name } } }
        artifactMemberships(projectFilters: $r, collectionFilters: $c, filters: $v, order: $linkedOrder) { totalCount edges { node { versionIndex
          artifactCollection { name project { name } } } } } } } }`,
    variables,
    user && keys[user],
  );
  if (errors?.[0]) return errors[0].message;
  const found = data.organization?.orgEntity;
  return (
    found && {
      registries: found.projects.edges.map(({ node }) => node.name.replace('wandb-registry-', '')),
      next: found.projects.pageInfo.hasNextPage ? found.projects.pageInfo.endCursor : null,
      collections: found.artifactCollections.edges.map(({ node }) => node.name).sort(),
      linked: found.artifactMemberships.edges.map(({ node }) => node.artifactCollection.name),
      counts: [found.artifactCollections.totalCount, found.artifactMemberships.totalCount],
    }
  );
};

test('registries of a team are searched by its members, page by page, and by nobody else', async () => {
  for (const name of ['alpha', 'beta', 'gamma']) await make(name, { description: `about ${name}` }, 'mia');
  await link('alpha', 'one', 'model', 'mia', ['prod']);
  await link('beta', 'two', 'dataset', 'mia');
  expect(await search({}, 'vic')).toEqual({
    registries: ['alpha', 'beta', 'gamma'],
    next: null,
    collections: ['one', 'two'],
    linked: ['two', 'one'],
    counts: [2, 2],
  });
  const first = await search({ first: 2, order: '-name' });
  expect(first).toMatchObject({ registries: ['gamma', 'beta'], next: expect.any(String) });
  expect(await search({ first: 2, order: '-name', after: (first as { next: string }).next })).toMatchObject({
    registries: ['alpha'],
    next: null,
  });
  const by = (r: unknown, c: unknown = {}, v: unknown = {}) =>
    search({ r: JSON.stringify(r), c: JSON.stringify(c), v: JSON.stringify(v) });
  expect(await by({ name: { $regex: 'a(l|m)' } })).toMatchObject({ registries: ['alpha', 'gamma'], linked: ['one'] });
  expect(await by({ $or: [{ name: 'wandb-registry-beta' }, { description: 'about gamma' }] })).toMatchObject({
    registries: ['beta', 'gamma'],
  });
  expect(await by({}, { name: { $in: ['one', 'three'] } }, { version: 'v0' })).toMatchObject({
    collections: ['one'],
    linked: ['one'],
    counts: [1, 1],
  });
  expect(await by({}, {}, { $or: [{ alias: 'prod' }, { artifact_size: { $lt: 0 } }] })).toMatchObject({
    linked: ['one'],
  });
  expect(await search({ linkedOrder: 'acm_created_at' })).toMatchObject({ linked: ['one', 'two'] });

  expect(await search({}, 'eve')).toBeUndefined();
  expect(await search({ org: 'nobody' }, 'eve')).toBeUndefined();
  expect(await make('delta', {}, 'eve')).toMatch(/no entity "lab" that this key may see/);
  expect(await make('delta', {}, 'vic')).toMatch(/needs the role member/);
});

test('a wrong filter, pattern or order is said in a sentence', async () => {
  expect(await search({ r: '{"colour": 1}' })).toMatch(/cannot be filtered by "colour"/);
  expect(await search({ r: '{"name": {"$regex": "a**"}}' })).toMatch(/\$regex/);
  expect(await search({ r: '{"name"' })).toMatch(/not valid JSON/);
  expect(await search({ order: 'size' })).toMatch(/cannot be ordered by "size"/);
  expect(await search({ linkedOrder: 'size' })).toMatch(/cannot be ordered by "size"/);
});

test('a registry takes the types that it names and those that it has, and more can be named', async () => {
  const types = (...names: string[]) => ({ artifactTypes: names.map((name) => ({ name })) });
  await make('strict');
  await link('strict', 'first', 'dataset');
  expect(await make('strict', { allowAllArtifactTypesInRegistry: false, ...types('model') })).toMatchObject({
    upsertModel: {
      inserted: false,
      project: {
        allowAllArtifactTypesInRegistry: false,
        artifactTypes: { edges: [{ node: { name: 'dataset' } }, { node: { name: 'model' } }] },
      },
    },
  });
  expect(await link('strict', 'second', 'model')).toEqual({ linkArtifact: { versionIndex: 0 } });
  expect(await link('strict', 'third', 'plot')).toMatch(/some types only \(dataset, model\), and "plot" is none/);
  await make('strict', types('plot'));
  expect(await link('strict', 'third', 'plot')).toEqual({ linkArtifact: { versionIndex: 0 } });
  expect(await make('strict', { access: 'RESTRICTED' })).toMatch(/cannot be restricted/);
});

test('deleting a registry takes its links only, and is refused when there is more in it', async () => {
  await make('full');
  await link('full', 'shelf');
  expect(await remove('wandb-registry-full', 'mia')).toMatch(/needs the role admin/);
  expect(await remove('wandb-registry-full', 'eve')).toMatch(/no project/);
  expect(await remove('work')).toMatch(/Only registries/);
  await say('mutation ($i: UpsertBucketInput!) { upsertBucket(input: $i) { inserted } }', {
    i: { name: 'r1', modelName: 'wandb-registry-full', entityName: 'lab' },
  });
  expect(await remove('wandb-registry-full')).toMatch(/more than links in it/);
  expect(await search({ r: '{"name": "wandb-registry-full"}' })).toMatchObject({ linked: ['shelf'] });

  await make('empty');
  await link('empty', 'shelf');
  expect(await remove('wandb-registry-empty')).toEqual({ deleteModel: { success: true } });
  expect(await search({ r: '{"name": "wandb-registry-empty"}' })).toMatchObject({ registries: [], linked: [] });
  // The version is where it was, and the name is free.
  expect(
    await say(
      '{ project(name: "work", entityName: "lab") { artifact(name: "shelf-model-empty:v0") { aliases { alias } } } }',
    ),
  ).toMatchObject({ project: { artifact: { aliases: [{ alias: 'latest' }, { alias: 'v0' }] } } });
  expect(await make('empty')).toMatchObject({ upsertModel: { inserted: true } });
});

test('a registry is renamed to a free name of a registry, with what is in it', async () => {
  await make('before');
  await link('before', 'shelf');
  const rename = (to: string, user?: string) =>
    say(
      'mutation ($i: RenameProjectInput!) { renameProject(input: $i) { inserted project { name } } }',
      { i: { entityName: 'lab', oldProjectName: 'wandb-registry-before', newProjectName: to } },
      user,
    );
  expect(await rename('plain')).toMatch(/begins with wandb-registry-/);
  expect(await rename('wandb-registry-alpha')).toMatch(/is a project "wandb-registry-alpha" already/);
  expect(await rename('wandb-registry-after', 'vic')).toMatch(/needs the role member/);
  expect(await rename('wandb-registry-after', 'mia')).toEqual({
    renameProject: { inserted: false, project: { name: 'wandb-registry-after' } },
  });
  expect(await search({ r: '{"name": "wandb-registry-after"}' })).toMatchObject({ linked: ['shelf'] });
});

test('members of a registry cannot be read or chosen, and that is said', async () => {
  const words = /has no members of its own/;
  expect(await say('{ project(name: "wandb-registry-alpha", entityName: "lab") { members { id } } }')).toMatch(words);
  expect(
    await say(
      'mutation { updateProjectMember(input: { projectId: "x", userId: "y", userProjectRole: "admin" }) { success } }',
    ),
  ).toMatch(words);
});

test('everybody is in the organizations of the entities that they are in', async () => {
  const { data } = await api.graphql<{ entity: { organization: { name: string } }; viewer: unknown }>(
    '{ entity(name: "mia") { organization { name orgEntity { name entityType } } user { organizations { name orgEntity { name } } } } }',
    {},
    keys['mia'],
  );
  const organization = (name: string) => ({ name, orgEntity: { name } });
  expect(data.entity).toEqual({
    organization: { name: 'mia', orgEntity: { name: 'mia', entityType: 'organization' } },
    user: { organizations: [organization('lab'), organization('mia')] },
  });
});
