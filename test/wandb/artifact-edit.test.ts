import { afterAll, beforeAll, expect, test } from 'vitest';
import { artifactWireId } from '../../domain/job.js';
import { createTeam, createUser, setMember } from '../../store/entities.js';
import { issueKey } from '../../store/keys.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { storeVersion } from './support/stored-artifacts.js';

let api: TrackingApi;
beforeAll(async () => {
  api = await startTrackingApi();
});
afterAll(() => api.close());

const stored = (project: string, collection: string, text: string, aliases: string[] = []) =>
  storeVersion(api, { entityId: api.entityId, project, collection, files: { 'a.txt': text }, aliases });

const say = async (query: string, variables: Record<string, unknown> = {}, key?: string) => {
  const { data, errors } = await api.graphql<Record<string, unknown> | null>(query, variables, key);
  return errors?.[0]?.message ?? data;
};

const aliasMutation = (field: string) =>
  `mutation ($id: ID!, $aliases: [ArtifactCollectionAliasInput!]!) { result: ${field}(input: { artifactID: $id, aliases: $aliases }) { success } }`;
const aliasOf = (project: string, collection: string, alias: string, entity = 'ada') => ({
  alias,
  artifactCollectionName: collection,
  entityName: entity,
  projectName: project,
});

async function aliases(project: string, name: string): Promise<string[] | null> {
  const { data } = await api.graphql<{ project: { artifact: { aliases: { alias: string }[] } | null } }>(
    `query ($p: String!, $n: String!) { project(name: $p, entityName: "ada") { artifact(name: $n) { aliases { alias } } } }`,
    { p: project, n: name },
  );
  return data.project.artifact?.aliases.map((one) => one.alias).sort() ?? null;
}

test('aliases are added, moved and taken away, and a number is nobody’s to give', async () => {
  const one = await stored('alias', 'm', 'one');
  const two = await stored('alias', 'm', 'two');
  const id = artifactWireId(one.artifactId);
  expect(await say(aliasMutation('addAliases'), { id, aliases: [aliasOf('alias', 'm', 'prod')] })).toEqual({
    result: { success: true },
  });
  expect(await aliases('alias', 'm:prod')).toEqual(['prod', 'v0']);
  await say(aliasMutation('addAliases'), {
    id: artifactWireId(two.artifactId),
    aliases: [aliasOf('alias', 'm', 'prod')],
  });
  expect(await aliases('alias', 'm:prod')).toEqual(['latest', 'prod', 'v1']);
  // Somebody else's by now: nothing happens.
  await say(aliasMutation('deleteAliases'), { id, aliases: [aliasOf('alias', 'm', 'prod')] });
  expect(await aliases('alias', 'm:prod')).toEqual(['latest', 'prod', 'v1']);
  for (const alias of ['v7', 'a/b', 'a:b', ''])
    expect(await say(aliasMutation('addAliases'), { id, aliases: [aliasOf('alias', 'm', alias)] })).toEqual(
      expect.any(String),
    );
  expect(await aliases('alias', 'm:v0')).toEqual(['v0']);
});

test('description, metadata, tags and time to live are changed, and null leaves them', async () => {
  const one = await stored('update', 'm', 'one');
  const id = artifactWireId(one.artifactId);
  const update = (input: Record<string, unknown>) =>
    say(
      `mutation ($input: UpdateArtifactInput!) { result: updateArtifact(input: $input) { artifact { description metadata ttlDurationSeconds ttlIsInherited tags { name } } } }`,
      { input: { artifactID: id, ...input } },
    );
  const tags = (...names: string[]) => names.map((tagName) => ({ tagName }));
  expect(
    await update({ description: 'd', metadata: '{"x": NaN}', ttlDurationSeconds: 3600, tagsToAdd: tags('b', 'a') }),
  ).toEqual({
    result: {
      artifact: {
        description: 'd',
        metadata: '{"x": NaN}',
        ttlDurationSeconds: 3600,
        ttlIsInherited: false,
        tags: [{ name: 'a' }, { name: 'b' }],
      },
    },
  });
  const expires = () =>
    api.db.selectFrom('artifact').select('expires_at').where('id', '=', one.artifactId).executeTakeFirstOrThrow();
  expect((await expires()).expires_at).toBeInstanceOf(Date);
  expect(
    await update({ description: null, metadata: null, ttlDurationSeconds: -1, tagsToDelete: tags('a', 'x') }),
  ).toMatchObject({
    result: {
      artifact: { description: 'd', ttlDurationSeconds: -1, ttlIsInherited: true, tags: [{ name: 'b' }] },
    },
  });
  expect((await expires()).expires_at).toBeNull();
  expect(await update({ metadata: '[1' })).toMatch(/not valid JSON/);
  expect(await update({ ttlDurationSeconds: 0 })).toMatch(/time to live/);
});

const remove = (id: number, deleteAliases: boolean | null, key?: string) =>
  say(
    `mutation ($input: DeleteArtifactInput!) { result: deleteArtifact(input: $input) { artifact { id } } }`,
    { input: { artifactID: artifactWireId(id), deleteAliases } },
    key,
  );

test('a version with aliases is deleted only together with them, and latest goes to the newest that is left', async () => {
  await stored('delete', 'm', 'one');
  const two = await stored('delete', 'm', 'two');
  expect(await remove(two.artifactId, false)).toMatch(/has aliases \(latest\)/);
  expect(await remove(two.artifactId, true)).toEqual({
    result: { artifact: { id: artifactWireId(two.artifactId) } },
  });
  expect(await aliases('delete', 'm:latest')).toEqual(['latest', 'v0']);
  expect(await aliases('delete', 'm:v1')).toBeNull();
  expect(await remove(two.artifactId, true)).toMatch(/no artifact .* may see/);
});

const link = (input: Record<string, unknown>, key?: string) =>
  say(
    `mutation ($input: LinkArtifactInput!) { result: linkArtifact(input: $input) { versionIndex artifactMembership { __typename versionIndex createdAt aliases { alias }
       artifactCollection { __typename id name project { name } } artifact { versionIndex artifactSequence { name project { name } } } } } }`,
    { input },
    key,
  );

test('a version is linked into a portfolio, counted there, found there, and unlinked', async () => {
  await stored('source', 'm', 'one');
  const two = await stored('source', 'm', 'two');
  const id = artifactWireId(two.artifactId);
  const input = { artifactID: id, artifactPortfolioName: 'best', entityName: 'ada', projectName: 'registry' };
  const linked = await link({ ...input, aliases: [{ alias: 'prod', artifactCollectionName: 'best' }] });
  expect(linked).toMatchObject({
    result: {
      versionIndex: 0,
      artifactMembership: {
        __typename: 'ArtifactCollectionMembership',
        aliases: [{ alias: 'latest' }, { alias: 'prod' }],
        artifactCollection: { __typename: 'ArtifactPortfolio', name: 'best', project: { name: 'registry' } },
        artifact: { versionIndex: 1, artifactSequence: { name: 'm', project: { name: 'source' } } },
      },
    },
  });
  expect(await link(input)).toMatchObject({ result: { versionIndex: 0 } });
  expect(await aliases('registry', 'best:prod')).toEqual(['latest', 'latest', 'prod', 'v0', 'v1']);
  const places = await say(
    `query ($id: ID!) { artifact(id: $id) { artifactMemberships { edges { node { versionIndex aliases { alias } artifactCollection { __typename name } } } } } }`,
    { id },
  );
  expect(places).toMatchObject({
    artifact: {
      artifactMemberships: {
        edges: [
          { node: { versionIndex: 1, artifactCollection: { __typename: 'ArtifactSequence', name: 'm' } } },
          { node: { versionIndex: 0, artifactCollection: { __typename: 'ArtifactPortfolio', name: 'best' } } },
        ],
      },
    },
  });
  // The names are taken by the other kind.
  expect(await link({ ...input, projectName: 'source', artifactPortfolioName: 'm' })).toEqual(expect.any(String));
  const portfolio = (linked as { result: { artifactMembership: { artifactCollection: { id: string } } } }).result
    .artifactMembership.artifactCollection.id;
  const unlink = `mutation ($id: ID!, $p: ID!) { unlinkArtifact(input: { artifactID: $id, artifactPortfolioID: $p }) { artifactID success clientMutationId } }`;
  expect(await say(unlink, { id, p: portfolio })).toMatchObject({ unlinkArtifact: { success: true } });
  expect(await aliases('registry', 'best')).toBeNull();
  expect(await aliases('source', 'm:v1')).toEqual(['latest', 'v1']);
});

test('collections are renamed, described, tagged, moved and deleted, and their names are free again', async () => {
  await stored('coll', 'old', 'one');
  await stored('coll', 'taken', 'one');
  const idOf = async (name: string) => {
    const found = await say(
      `query ($n: String!) { project(name: "coll", entityName: "ada") { artifactCollection(name: $n) { __typename id } } }`,
      { n: name },
    );
    return (found as { project: { artifactCollection: { id: string } } }).project.artifactCollection.id;
  };
  const id = await idOf('old');
  const update = `mutation ($input: UpdateArtifactSequenceInput!) { result: updateArtifactSequence(input: $input) { artifactCollection { __typename id name description type: defaultArtifactType { name } } } }`;
  expect(await say(update, { input: { artifactSequenceID: id, name: 'taken' } })).toMatch(/already/);
  expect(await say(update, { input: { artifactSequenceID: id, name: 'new', description: 'd' } })).toMatchObject({
    result: { artifactCollection: { id, name: 'new', description: 'd', type: { name: 'dataset' } } },
  });
  const tag = (field: string, selection: string) =>
    say(
      `mutation { result: ${field}(input: { entityName: "ada", projectName: "coll", artifactCollectionName: "new", tags: [{ tagName: "x y" }] }) { ${selection} } }`,
    );
  expect(await tag('createArtifactCollectionTagAssignments', 'tags { __typename name }')).toEqual({
    result: { tags: [{ __typename: 'Tag', name: 'x y' }] },
  });
  expect(await tag('deleteArtifactCollectionTagAssignments', 'success')).toEqual({ result: { success: true } });
  const move = `mutation ($id: ID!, $type: String!) { result: moveArtifactSequence(input: { artifactSequenceID: $id, destinationArtifactTypeName: $type }) { artifactCollection { __typename type: defaultArtifactType { name } } } }`;
  expect(await say(move, { id, type: 'model' })).toMatchObject({
    result: { artifactCollection: { type: { name: 'model' } } },
  });
  expect(await say(move, { id, type: 'job' })).toMatch(/Jobs cannot/);
  const gone = `mutation ($id: ID!) { deleteArtifactSequence(input: { artifactSequenceID: $id }) { artifactCollection { __typename state } } }`;
  expect(await say(gone, { id })).toEqual({
    deleteArtifactSequence: { artifactCollection: { __typename: 'ArtifactSequence', state: 'DELETED' } },
  });
  expect(await aliases('coll', 'new')).toBeNull();
  const again = await stored('coll', 'new', 'one');
  expect(again.versionIndex).toBe(0);
});

test('who is somebody else sees and changes nothing: what is foreign answers like what does not exist', async () => {
  const mine = await stored('secret', 'm', 'one', ['prod']);
  const { userId } = await createUser(api.db, { username: 'eve', email: 'eve@example.test' });
  const { key } = await issueKey(api.db, { kind: 'user', userId });
  const id = artifactWireId(mine.artifactId);
  const none = artifactWireId(987_654);
  const same = async (
    query: string,
    mineVariables: Record<string, unknown>,
    noneVariables: Record<string, unknown>,
  ) => {
    const text = async (variables: Record<string, unknown>) =>
      JSON.stringify(await say(query, variables, key))
        .replaceAll(id, 'X')
        .replaceAll(none, 'X');
    expect(await text(mineVariables)).toBe(await text(noneVariables));
    return say(query, mineVariables, key);
  };
  const each = (query: string) => same(query, { id }, { id: none });
  expect(
    await each(`query ($id: ID!) { artifact(id: $id) { id metadata currentManifest { file { directUrl } } } }`),
  ).toEqual({
    artifact: null,
  });
  expect(await say(`{ project(name: "secret", entityName: "ada") { artifact(name: "m") { id } } }`, {}, key)).toEqual({
    project: null,
  });
  for (const mutation of [
    `updateArtifact(input: { artifactID: $id, description: "x" }) { artifact { id } }`,
    `deleteArtifact(input: { artifactID: $id, deleteAliases: true }) { artifact { id } }`,
    `addAliases(input: { artifactID: $id, aliases: [{ alias: "x", artifactCollectionName: "m", entityName: "ada", projectName: "secret" }] }) { success }`,
    `deleteAliases(input: { artifactID: $id, aliases: [{ alias: "prod", artifactCollectionName: "m", entityName: "ada", projectName: "secret" }] }) { success }`,
    `linkArtifact(input: { artifactID: $id, artifactPortfolioName: "p", entityName: "eve", projectName: "mine" }) { versionIndex }`,
  ])
    expect(await each(`mutation ($id: ID!) { ${mutation} }`)).toMatch(/There is no artifact .* may see/);
  const collection = await api.graphql<{ project: { artifactCollection: { id: string } } }>(
    `{ project(name: "secret", entityName: "ada") { artifactCollection(name: "m") { __typename id } } }`,
  );
  const foreign = collection.data.project.artifactCollection.id;
  for (const mutation of [
    `updateArtifactSequence(input: { artifactSequenceID: $id, name: "x" }) { artifactCollection { __typename } }`,
    `moveArtifactSequence(input: { artifactSequenceID: $id, destinationArtifactTypeName: "x" }) { artifactCollection { __typename } }`,
    `deleteArtifactSequence(input: { artifactSequenceID: $id }) { artifactCollection { __typename } }`,
    `deleteArtifactPortfolio(input: { artifactPortfolioID: $id }) { artifactCollection { __typename } }`,
  ])
    expect(await say(`mutation ($id: ID!) { ${mutation} }`, { id: foreign }, key)).toMatch(/no artifact collection/);
  expect(
    await say(`query ($id: ID!) { artifactCollection(id: $id) { __typename name } }`, { id: foreign }, key),
  ).toEqual({
    artifactCollection: null,
  });
  expect(await aliases('secret', 'm:prod')).toEqual(['latest', 'prod', 'v0']);
});

test('who sees a version by a link sees it whole, but nothing else of where it comes from', async () => {
  const mine = await stored('hidden', 'm', 'shared text');
  await stored('hidden', 'm', 'never shared');
  const team = await createTeam(api.db, { name: 'crew', adminUserId: api.userId });
  const { userId } = await createUser(api.db, { username: 'bob', email: 'bob@example.test' });
  await setMember(api.db, team.id, userId, 'viewer');
  const { key } = await issueKey(api.db, { kind: 'user', userId });
  const id = artifactWireId(mine.artifactId);
  await link({ artifactID: id, artifactPortfolioName: 'shelf', entityName: 'crew', projectName: 'shared' });
  const seen = await say(
    `{ project(name: "shared", entityName: "crew") { artifact(name: "shelf:v0") { files { edges { node { name directUrl } } } aliases { alias artifactCollection { name } }
         artifactType { name artifactCollections { totalCount } } artifactMemberships { totalCount }
         artifactSequence { name project { name } description latestArtifact { id } artifacts { totalCount } aliases { edges { node { alias } } } artifactMembership(aliasName: "v1") { id } } } } }`,
    {},
    key,
  );
  expect(seen).toMatchObject({
    project: {
      artifact: {
        files: { edges: [{ node: { name: 'a.txt' } }] },
        aliases: [
          { alias: 'latest', artifactCollection: { name: 'shelf' } },
          { alias: 'v0', artifactCollection: { name: 'shelf' } },
        ],
        artifactType: { name: 'dataset', artifactCollections: { totalCount: 0 } },
        artifactMemberships: { totalCount: 1 },
        artifactSequence: {
          name: 'm',
          project: null,
          latestArtifact: null,
          artifacts: { totalCount: 0 },
          aliases: { edges: [] },
          artifactMembership: null,
        },
      },
    },
  });
  expect(
    await say(
      `mutation ($id: ID!) { updateArtifact(input: { artifactID: $id, description: "x" }) { artifact { id } } }`,
      { id },
      key,
    ),
  ).toMatch(/needs to write/);
  expect(await remove(mine.artifactId, true, key)).toMatch(/needs to write/);
  expect(
    await say(aliasMutation('addAliases'), { id, aliases: [aliasOf('shared', 'shelf', 'mine', 'crew')] }, key),
  ).toMatch(/needs the role member/);
});
