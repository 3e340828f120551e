import { afterAll, beforeAll, expect, test } from 'vitest';
import { artifactWireId } from '../../domain/job.js';
import { useVersion } from '../../store/artifact-usages.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { storeVersion } from './support/stored-artifacts.js';

const fragment = `
  fragment A on Artifact {
    __typename id artifactSequence { __typename name project { id internalId name entity { name } } } versionIndex
    artifactType { name } description metadata ttlDurationSeconds ttlIsInherited tags { __typename id name } historyStep
    state size digest commitHash fileCount createdAt updatedAt
    aliases { __typename id alias artifactCollection { __typename name project { name entity { name } } } }
  }`;

interface Found {
  id: string;
  versionIndex: number;
  digest: string;
  aliases: { alias: string }[];
}

let api: TrackingApi;
let first: Awaited<ReturnType<typeof storeVersion>>;
let second: Awaited<ReturnType<typeof storeVersion>>;
beforeAll(async () => {
  api = await startTrackingApi();
  const at = { entityId: api.entityId, project: 'demo', collection: 'numbers' };
  first = await storeVersion(api, { ...at, files: { 'a.txt': 'one' }, aliases: ['good'] });
  second = await storeVersion(api, {
    ...at,
    files: { 'a.txt': 'two', 'b/c.txt': 'three' },
    metadata: { rows: 2 },
  });
});
afterAll(() => api.close());

const byName = (name: string) =>
  api.graphql<{ project: { artifact: Found | null } | null }>(
    `query ($n: String!) { project(name: "demo", entityName: "ada") { artifact(name: $n) { ...A } } } ${fragment}`,
    { n: name },
  );

test('a version is found by alias, by number, by nothing, and by its id, and says what strict clients demand', async () => {
  for (const [name, index] of Object.entries({ numbers: 1, 'numbers:latest': 1, 'numbers:v0': 0, 'numbers:good': 0 })) {
    const { data, errors } = await byName(name);
    expect(errors).toBeUndefined();
    expect(data.project?.artifact?.versionIndex, name).toBe(index);
  }
  expect((await byName('numbers:nothing')).data.project).toEqual({ artifact: null });
  expect((await byName('others')).data.project).toEqual({ artifact: null });
  const { data } = await api.graphql<{ artifact: Found }>(
    `query ($id: ID!) { artifact(id: $id) { ...A } } ${fragment}`,
    { id: artifactWireId(second.artifactId) },
  );
  expect(data.artifact).toMatchObject({
    __typename: 'Artifact',
    id: artifactWireId(second.artifactId),
    artifactSequence: { __typename: 'ArtifactSequence', name: 'numbers', project: { name: 'demo' } },
    artifactType: { name: 'dataset' },
    metadata: '{"rows":2}',
    ttlDurationSeconds: -1,
    ttlIsInherited: true,
    tags: [],
    state: 'COMMITTED',
    size: 8,
    fileCount: 2,
    digest: second.digest,
  });
  expect(data.artifact.aliases.map((one) => one.alias).sort()).toEqual(['latest', 'v1']);
  for (const id of ['', 'nonsense', artifactWireId(987_654_321), Buffer.from('Run:1').toString('base64')])
    expect((await api.graphql(`query ($id: ID!) { artifact(id: $id) { id } }`, { id })).data).toEqual({
      artifact: null,
    });
});

test('the manifest and the files have addresses that give the bytes without a key', async () => {
  const { data } = await api.graphql<{
    artifact: {
      currentManifest: { file: { directUrl: string } };
      files: { edges: { node: { name: string; directUrl: string } }[]; totalCount: number };
    };
  }>(
    `query ($id: ID!) { artifact(id: $id) { currentManifest { file { directUrl } }
       files(first: 5000) { totalCount pageInfo { hasNextPage } edges { node { __typename id name displayName directUrl sizeBytes digest md5 url storagePath mimetype updatedAt } } } } }`,
    { id: artifactWireId(second.artifactId) },
  );
  const manifest = (await (await fetch(data.artifact.currentManifest.file.directUrl)).json()) as {
    contents: Record<string, { size: number }>;
  };
  expect(Object.keys(manifest.contents)).toEqual(['a.txt', 'b/c.txt']);
  expect(data.artifact.files.totalCount).toBe(2);
  const texts = await Promise.all(
    data.artifact.files.edges.map(async ({ node }) => [node.name, await (await fetch(node.directUrl)).text()]),
  );
  expect(Object.fromEntries(texts)).toEqual({ 'a.txt': 'two', 'b/c.txt': 'three' });
});

test('a file is had by its digest at the addresses that clients build themselves', async () => {
  const hex = Buffer.from('uMLH1MLtbpqTBSEY3xD2dA==', 'base64').toString('hex');
  expect(hex).toHaveLength(32);
  const { data } = await api.graphql<{ artifact: { files: { edges: { node: { digest: string } }[] } } }>(
    `query ($id: ID!) { artifact(id: $id) { files(names: ["b/c.txt"]) { edges { node { digest } } } } }`,
    { id: artifactWireId(second.artifactId) },
  );
  const md5 = Buffer.from(data.artifact.files.edges[0]?.node.digest ?? '', 'base64').toString('hex');
  const id = encodeURIComponent(artifactWireId(second.artifactId));
  const headers = { Authorization: `Basic ${Buffer.from(`api:${api.key}`).toString('base64')}` };
  for (const path of [
    `default/ada/demo/numbers/${id}/${id}/${md5}/c.txt`,
    `default/ada/demo/numbers/${id}/${id}/${md5}/c%zz#.txt`,
    `default/ada/demo/numbers/${id}/${md5}/c.txt`,
    `default/ada/${id}/${md5}`,
  ])
    expect(await (await fetch(`${api.url}/artifactsV2/${path}`, { headers })).text(), path).toBe('three');
  for (const path of [
    `default/ada/demo/numbers/${id}/${id}/${hex}/c.txt`,
    `default/ada/demo/others/${id}/${id}/${md5}/c.txt`,
    `default/eve/demo/numbers/${id}/${id}/${md5}/c.txt`,
    'x',
    `default/ada/%zz/${md5}`,
  ])
    expect((await fetch(`${api.url}/artifactsV2/${path}`, { headers })).status, path).toBe(404);
  expect((await fetch(`${api.url}/artifactsV2/default/ada/${id}/${md5}`)).status).toBe(401);
  // Of the old storage layout: by entity and digest alone.
  expect(await (await fetch(`${api.url}/artifacts/ada/${md5}`, { headers })).text()).toBe('three');
  for (const path of [`ada/${hex}`, `eve/${md5}`, 'ada', `ada/${md5}/x`])
    expect((await fetch(`${api.url}/artifacts/${path}`, { headers })).status, path).toBe(404);
  expect((await fetch(`${api.url}/artifacts/ada/${md5}`)).status).toBe(401);
});

test('pages of versions stay right while versions are added', async () => {
  const at = { entityId: api.entityId, project: 'pages', collection: 'many' };
  for (let i = 0; i < 5; i++) await storeVersion(api, { ...at, files: { n: String(i) } });
  const page = async (after: string | null, order: string | null = null) => {
    const { data, errors } = await api.graphql<{
      project: {
        artifactType: {
          artifactCollection: {
            artifacts: {
              totalCount: number;
              pageInfo: { endCursor: string; hasNextPage: boolean };
              edges: { version: string; node: { tags: unknown[]; aliases: unknown[] } }[];
            };
          };
        };
      };
    }>(
      `query ($after: String, $order: String) { project(name: "pages", entityName: "ada") { artifactType(name: "dataset") { artifactCollection(name: "many") { __typename
         artifacts(first: 2, after: $after, order: $order, filters: "{\\"state\\": \\"COMMITTED\\"}") { totalCount pageInfo { endCursor hasNextPage } edges { version node { ...A } } } } } } } ${fragment}`,
      { after, order },
    );
    expect(errors).toBeUndefined();
    const { edges, pageInfo, totalCount } = data.project.artifactType.artifactCollection.artifacts;
    return { versions: edges.map((edge) => edge.version), ...pageInfo, totalCount };
  };
  const one = await page(null);
  expect(one).toMatchObject({ versions: ['v4', 'v3'], hasNextPage: true, totalCount: 5 });
  await storeVersion(api, { ...at, files: { n: 'new' } });
  const two = await page(one.endCursor);
  expect(two).toMatchObject({ versions: ['v2', 'v1'], hasNextPage: true, totalCount: 6 });
  expect(await page(two.endCursor)).toMatchObject({ versions: ['v0'], hasNextPage: false });
  expect(await page(null, '+createdAt')).toMatchObject({ versions: ['v0', 'v1'] });
  expect(await page(null, '-updated_at')).toMatchObject({ hasNextPage: true });
});

test('filters and orders that are not known, and cursors that are none, are refused in a sentence', async () => {
  const ask = async (args: string) =>
    (
      await api.graphql(
        `{ project(name: "demo", entityName: "ada") { artifactCollection(name: "numbers") { __typename artifacts(${args}) { totalCount edges { version } } } } }`,
      )
    ).errors?.[0]?.message ?? '';
  expect(await ask(`order: "colour"`)).toMatch(/cannot be ordered by "colour"/);
  expect(await ask(`filters: "{\\"a; drop table run\\": 1}"`)).toMatch(/cannot be filtered by/);
  expect(await ask(`filters: "[1"`)).toMatch(/not valid JSON/);
  expect(await ask(`filters: "{\\"tags\\": {\\"$in\\": [\\"it's\\"]}}"`)).toBe('');
  expect(await ask(`filters: "{\\"createdAt\\": {\\"$gt\\": \\"whenever\\"}}"`)).toMatch(/times like/);
  expect(await ask(`after: "nonsense"`)).toMatch(/not a cursor/);
});

test('five thousand files are listed in pages, and none twice', { timeout: 300_000 }, async () => {
  const files = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`f/${i}.txt`, 'same']));
  const { artifactId } = await storeVersion(api, { entityId: api.entityId, project: 'big', collection: 'big', files });
  const names: string[] = [];
  let after: string | null = null;
  for (let pages = 0; pages < 10; pages++) {
    const { data }: { data: { artifact: { files: FilePage } } } = await api.graphql(
      `query ($id: ID!, $after: String) { artifact(id: $id) { files(first: 2000, after: $after) { totalCount pageInfo { endCursor hasNextPage } edges { node { name directUrl } } } } }`,
      { id: artifactWireId(artifactId), after },
    );
    expect(data.artifact.files.totalCount).toBe(5_000);
    names.push(...data.artifact.files.edges.map(({ node }) => node.name));
    after = data.artifact.files.pageInfo.endCursor;
    if (!data.artifact.files.pageInfo.hasNextPage) break;
  }
  expect(names).toHaveLength(5_000);
  expect(new Set(names).size).toBe(5_000);
});
interface FilePage {
  totalCount: number;
  pageInfo: { endCursor: string; hasNextPage: boolean };
  edges: { node: { name: string } }[];
}

test('types, collections and lineage are told from both ends', async () => {
  await api.graphql(`mutation { upsertBucket(input: { name: "r1", modelName: "demo" }) { inserted } }`);
  const run = await api.db.selectFrom('run').select('id').where('name', '=', 'r1').executeTakeFirstOrThrow();
  await api.db.updateTable('artifact').set({ run_id: run.id }).where('id', '=', first.artifactId).execute();
  await useVersion(api.db, { runId: run.id, artifactId: second.artifactId });
  const { data, errors } = await api.graphql<Record<string, Record<string, unknown>>>(
    `query ($made: ID!, $used: ID!) {
      made: artifact(id: $made) { createdBy { __typename ... on Run { id name project { name entity { name } } } } }
      used: artifact(id: $used) { usedBy { edges { node { __typename name } } } createdBy { __typename } }
      project(name: "demo", entityName: "ada") {
        artifactTypes(first: 10) { edges { node { __typename id name description createdAt } } pageInfo { __typename hasNextPage } }
        artifactCollections(first: 10, order: "+name", filters: "{\\"name\\": \\"numbers\\"}") { totalCount edges { node {
          __typename id name description createdAt updatedAt type: defaultArtifactType { name } tags { edges { node { name } } } aliases { edges { node { alias } } } } } }
        run(name: "r1") {
          out: outputArtifacts(first: 10) { totalCount edges { node { versionIndex } } }
          in: inputArtifacts(first: 10) { totalCount edges { node { versionIndex } } }
        } } }`,
    { made: artifactWireId(first.artifactId), used: artifactWireId(second.artifactId) },
  );
  expect(errors).toBeUndefined();
  expect(data['made']).toMatchObject({ createdBy: { __typename: 'Run', name: 'r1', project: { name: 'demo' } } });
  expect(data['used']).toEqual({
    usedBy: { edges: [{ node: { __typename: 'Run', name: 'r1' } }] },
    createdBy: { __typename: 'User' },
  });
  expect(data['project']).toMatchObject({
    artifactTypes: { edges: [{ node: { name: 'dataset' } }] },
    artifactCollections: {
      totalCount: 1,
      edges: [
        {
          node: {
            __typename: 'ArtifactSequence',
            name: 'numbers',
            type: { name: 'dataset' },
            aliases: { edges: [{ node: { alias: 'good' } }, { node: { alias: 'latest' } }] },
          },
        },
      ],
    },
    run: {
      out: { totalCount: 1, edges: [{ node: { versionIndex: 0 } }] },
      in: { totalCount: 1, edges: [{ node: { versionIndex: 1 } }] },
    },
  });
});

test('a version whose run was deleted names it, until another run takes the name', async () => {
  const begin = async () => {
    const answer = await api.graphql<{ upsertBucket: { bucket: { id: string } } }>(
      'mutation { upsertBucket(input: {name: "brief", modelName: "demo"}) { bucket { id } } }',
    );
    return answer.data.upsertBucket.bucket.id;
  };
  const id = await begin();
  const run = await api.db.selectFrom('run').select('id').where('name', '=', 'brief').executeTakeFirstOrThrow();
  const stored = { entityId: api.entityId, project: 'demo', collection: 'orphan', files: { a: 'of a brief run' } };
  const { artifactId } = await storeVersion(api, stored);
  await api.db.updateTable('artifact').set({ run_id: run.id }).where('id', '=', artifactId).execute();
  const maker = async () => {
    const { data, errors } = await api.graphql<{ artifact: { createdBy: unknown } }>(
      `query ($id: ID!) { artifact(id: $id) { createdBy { __typename ... on Run {
        id name displayName state config historyLineCount historyKeys createdAt tags fileCount project { name entity { name } } } } } }`,
      { id: artifactWireId(artifactId) },
    );
    expect(errors).toBeUndefined();
    return data.artifact.createdBy;
  };
  expect(await maker()).toMatchObject({ __typename: 'Run', id, name: 'brief', state: 'running' });
  await api.graphql('mutation ($id: ID!) { deleteRun(input: {id: $id}) { success } }', { id });
  expect(await maker()).toMatchObject({
    __typename: 'Run',
    id,
    name: 'brief',
    state: null,
    config: '{}',
    historyLineCount: 0,
    fileCount: 0,
    project: { name: 'demo', entity: { name: 'ada' } },
  });
  await begin();
  expect(await maker()).toEqual({ __typename: 'User' });
});
