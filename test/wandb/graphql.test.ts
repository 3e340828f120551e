import { buildClientSchema, getIntrospectionQuery, type IntrospectionQuery } from 'graphql/index.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTeam, createUser, setMember } from '../../store/entities.js';
import { issueKey } from '../../store/keys.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';

let api: TrackingApi;
beforeAll(async () => {
  api = await startTrackingApi();
});
afterAll(() => api.close());

const upsert = /* GraphQL */ `
  mutation UpsertBucket(
    $id: String
    $name: String
    $project: String
    $entity: String
    $config: JSONString
    $displayName: String
    $notes: String
    $tags: [String!]
    $state: String
    $summaryMetrics: JSONString
    $groupName: String
  ) {
    upsertBucket(
      input: {
        id: $id
        name: $name
        modelName: $project
        entityName: $entity
        config: $config
        displayName: $displayName
        notes: $notes
        tags: $tags
        state: $state
        summaryMetrics: $summaryMetrics
        groupName: $groupName
      }
    ) {
      bucket {
        id
        name
        displayName
        description
        config
        sweepName
        notes
        tags
        state
        group
        project {
          id
          name
          entity {
            id
            name
          }
        }
        historyLineCount
      }
      inserted
    }
  }
`;
interface Upserted {
  upsertBucket: {
    inserted: boolean;
    bucket: { id: string; name: string; displayName: string; config: string } & Record<string, unknown>;
  };
}
const send = (variables: Record<string, unknown>, key?: string) => api.graphql<Upserted>(upsert, variables, key);

test('documents that clients of the field send are taken as they are', async () => {
  const ask = (body: unknown) =>
    fetch(`${api.url}/graphql`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${api.key}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    }).then(async (res) => ({ status: res.status, ...((await res.json()) as object) }));
  const viewer = { status: 200, data: { viewer: { entity: 'ada' } } };
  // No name, an empty one, the right one, and a comment before it all.
  expect(await ask({ query: '{ viewer { entity } }' })).toEqual(viewer);
  expect(await ask({ query: 'query Viewer { viewer { entity } }', variables: null, operationName: '' })).toEqual(
    viewer,
  );
  expect(await ask({ query: '#graphql\n\nquery Viewer { viewer { entity } }', operationName: 'Viewer' })).toEqual(
    viewer,
  );
  // Variables that nobody declared, that nobody uses, an empty slot in their list; a fragment that nobody spreads.
  expect(
    await ask({
      query: 'query Q($a: String, , $b: Int,) { viewer { entity } } fragment F on User { id }',
      variables: { a: 'x', z: 1 },
    }),
  ).toEqual(viewer);
  // ID, String and JSONString for one another; a bare value for a list.
  expect((await send({ name: 'loose1', project: 'demo' })).errors).toBeUndefined();
  expect(
    await ask({
      query: `query Q($p: ID!, $s: [String!]!) { project(name: $p, entityName: "ada") { run(name: "loose1") { sampledHistory(specs: $s) } } }`,
      variables: { p: 'demo', s: '{"keys":["loss"]}' },
    }),
  ).toEqual({ status: 200, data: { project: { run: { sampledHistory: [[]] } } } });
});

test('what Davit does not know yet is named, in a 200', async () => {
  for (const [query, name] of [
    ['mutation { createSweep(input: {}) { id } }', 'createSweep'],
    ['{ viewer { fingerprint } }', 'fingerprint'],
    ['{ project(name: "a", color: "b") { id } }', 'color'],
    ['query Q($i: CreateSweepInput!) { viewer { id } }', 'CreateSweepInput'],
    ['mutation { stopRun(input: {id: "x", force: true}) { success } }', 'force'],
  ] as const) {
    const answer = await api.graphql(query);
    expect(answer.status, query).toBe(200);
    expect(answer.data).toBeNull();
    expect(answer.errors?.[0]?.message).toContain(`"${name}"`);
    expect(answer.errors?.[0]?.message).toMatch(/This Davit does not know it yet\.$/);
  }
  // The beginning is what older clients look for.
  expect((await api.graphql('{ serverInfo { nonsense } }')).errors?.[0]?.message).toMatch(
    /^Cannot query field "nonsense" on type "ServerInfo"\./,
  );
});

test('mistakes of a client never look temporary', async () => {
  const answers = await Promise.all([
    api.graphql('{ viewer { id '),
    api.graphql(''),
    api.graphql('query A { viewer { id } } query B { viewer { id } }'),
    send({ name: 'a/b', project: 'demo' }),
    send({ name: ' x', project: 'demo' }),
    send({ name: 'x', project: 'a/b' }),
    send({ name: 'x', project: 'demo', entity: 'nobody' }),
    send({ name: 'x', project: 'demo', config: '{' }),
    send({ name: 'x', project: 'demo', config: '[]' }),
    send({ name: 'x', project: 'demo', state: 'sleeping' }),
    send({ name: 5, project: 'demo' }),
    send({ id: 'nonsense' }),
    send({ id: Buffer.from('Run:v1:none:demo:ada').toString('base64'), notes: 'x' }),
    api.graphql('mutation { stopRun(input: {id: "x"}) { success } }'),
    api.graphql(
      '{ project(name: "demo") { runs(filters: "{\\"config.lr\\": {\\"$near\\": 1}}") { edges { cursor } } } }',
    ),
  ]);
  for (const [index, answer] of answers.entries()) {
    expect(answer.status).toBe(200);
    expect(answer.errors?.[0]?.message, `mistake ${index}`).toBeTruthy();
    expect(answer.errors?.[0]?.message).not.toMatch(/its log says why/);
  }
  const raw = await fetch(`${api.url}/graphql`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${api.key}` },
    body: '{"query',
  });
  expect(raw.status).toBe(400);
  expect(await raw.json()).toHaveProperty('errors.0.message');
  const anonymous = await fetch(`${api.url}/graphql`, { method: 'POST', body: '{"query":"{viewer{id}}"}' });
  expect(anonymous.status).toBe(401);
  expect(await anonymous.json()).toHaveProperty('errors.0.message');
});

test('unknown and forbidden things are both null, with a 200', async () => {
  await createUser(api.db, { username: 'eve' });
  const query = `query Q($e: String, $p: String) {
    project(name: $p, entityName: $e) { id } entity(name: $e) { id } organization(name: $e) { featureFlags(rampIDType: OrgName) { rampKey } } }`;
  const nothing = { status: 200, data: { project: null, entity: null, organization: null } };
  expect(await api.graphql(query, { e: 'nobody', p: 'demo' })).toEqual(nothing);
  expect(await api.graphql(query, { e: 'eve', p: 'demo' })).toEqual(nothing);
});

test('null leaves a field, an empty text clears it, and config is replaced whole', async () => {
  const first = await send({
    name: 'edit1',
    project: 'demo',
    config: '{"lr":{"value":NaN},"b":{"value":1}}',
    notes: 'n',
    tags: ['x', 'x', 'y'],
    groupName: 'g',
  });
  expect(first.data.upsertBucket).toMatchObject({
    inserted: true,
    bucket: {
      name: 'edit1',
      config: '{"lr":{"value":NaN},"b":{"value":1}}',
      tags: ['x', 'y'],
      notes: 'n',
      group: 'g',
      state: 'running',
      historyLineCount: 0,
      sweepName: null,
      project: { name: 'demo', entity: { name: 'ada' } },
    },
  });
  const { displayName, id } = first.data.upsertBucket.bucket;
  expect(displayName).toMatch(/^[a-z]+-[a-z]+-\d+$/);
  const second = await send({
    name: 'edit1',
    project: 'demo',
    config: '{"c":{"value":2}}',
    notes: null,
    groupName: '',
    tags: [],
  });
  expect(second.data.upsertBucket).toMatchObject({
    inserted: false,
    bucket: { id, displayName, config: '{"c":{"value":2}}', notes: 'n', group: null, tags: [] },
  });
  // By its id alone, as the public API does it.
  const third = await send({ id, displayName: 'chosen', summaryMetrics: '{"best":Infinity}' });
  expect(third.data.upsertBucket).toMatchObject({ inserted: false, bucket: { displayName: 'chosen' } });
});

test('the same new run twice at once is one run', async () => {
  const answers = await Promise.all(Array.from({ length: 12 }, () => send({ name: 'twin', project: 'fresh-project' })));
  expect(answers.flatMap((a) => a.errors ?? [])).toEqual([]);
  expect(answers.filter((a) => a.data.upsertBucket.inserted)).toHaveLength(1);
  expect(new Set(answers.map((a) => a.data.upsertBucket.bucket.id)).size).toBe(1);
});

test('a viewer of a team reads its runs and writes none', async () => {
  const team = await createTeam(api.db, { name: 'crew', adminUserId: api.userId });
  const { userId } = await createUser(api.db, { username: 'vera' });
  await setMember(api.db, team.id, userId, 'viewer');
  const { key } = await issueKey(api.db, { kind: 'user', userId });
  expect((await send({ name: 'shared', project: 'demo', entity: 'crew' })).errors).toBeUndefined();

  const read = await api.graphql(
    '{ project(name: "demo", entityName: "crew") { readOnly run(name: "shared") { state readOnly } } }',
    {},
    key,
  );
  expect(read.data).toEqual({ project: { readOnly: true, run: { state: 'running', readOnly: true } } });
  const write = await send({ name: 'shared', project: 'demo', entity: 'crew', notes: 'x' }, key);
  expect(write.errors?.[0]?.message).toMatch(/needs the role member/);
  const stream = await api.fileStream('crew/demo/shared', {}, key);
  expect(stream.status).toBe(403);
  const files = await api.graphql(
    'mutation { createRunFiles(input: {entityName: "crew", projectName: "demo", runName: "shared", files: ["a"]}) { runID } }',
    {},
    key,
  );
  expect(files.errors?.[0]?.message).toMatch(/needs the role member/);
});

test('every file that is asked for gets its entry, in order; impossible names get no address', async () => {
  await send({ name: 'files1', project: 'demo' });
  const names = ['b.txt', 'media/images/é ☃ 1.png', '../../etc/passwd', '/abs', 'b.txt', 'nul\u0000', 'a'.repeat(1000)];
  const answer = await api.graphql<{
    createRunFiles: { runID: string; uploadHeaders: string[]; files: { name: string; uploadUrl: string | null }[] };
  }>(
    `mutation M($f: [String!]!) { createRunFiles(input: {entityName: "ada", projectName: "demo", runName: "files1", files: $f}) {
      runID uploadHeaders files { name uploadUrl } } }`,
    { f: names },
  );
  expect(answer.errors).toBeUndefined();
  const { files, runID, uploadHeaders } = answer.data.createRunFiles;
  expect(files.map((f) => f.name)).toEqual(names);
  expect(files.map((f) => f.uploadUrl !== null)).toEqual([true, true, false, false, true, false, true]);
  expect(runID).toBeTruthy();
  expect(uploadHeaders).toEqual([]);
  const put = await fetch(files[1]?.uploadUrl ?? '', { method: 'PUT', body: 'snow' });
  expect(put.status).toBe(200);
  const listed = await api.graphql<{
    project: {
      run: { fileCount: number; files: { edges: { node: { name: string; sizeBytes: number; directUrl: string } }[] } };
    };
  }>(
    '{ project(name: "demo") { run(name: "files1") { fileCount files { edges { node { name sizeBytes directUrl url md5 } } } } } }',
  );
  expect(listed.data.project.run).toMatchObject({
    fileCount: 1,
    files: { edges: [{ node: { name: names[1], sizeBytes: 4 } }] },
  });
  const got = await fetch(listed.data.project.run.files.edges[0]?.node.directUrl ?? '');
  expect(await got.text()).toBe('snow');
  const missing = await api.graphql<{
    project: { run: { files: { edges: { node: { directUrl: string } }[] } } };
  }>(
    '{ project(name: "demo") { run(name: "files1") { files(names: ["gone.txt"]) { edges { node { name md5 updatedAt directUrl } } } } } }',
  );
  expect(missing.data).toMatchObject({
    project: {
      run: { files: { edges: [{ node: { name: 'gone.txt', md5: '0', updatedAt: null } }] } },
    },
  });
  // An address all the same: to a program that downloads without looking, "404" says more than no address.
  expect((await fetch(missing.data.project.run.files.edges[0]?.node.directUrl ?? '')).status).toBe(404);
});

test('the schema tells older clients all they ask of it', async () => {
  const full = await api.graphql<IntrospectionQuery>(getIntrospectionQuery());
  expect(full.errors).toBeUndefined();
  expect(() => buildClientSchema(full.data)).not.toThrow();
  const probe = await api.graphql<Record<string, { fields: { name: string }[] } | null>>(
    `query P { Query: __type(name: "Query") { fields { name } } Mutation: __type(name: "Mutation") { fields { name } }
      ServerInfo: __type(name: "ServerInfo") { fields { name } } ServerSettings: __type(name: "ServerSettings") { fields { name } }
      Artifact: __type(name: "LaunchAgent") { fields { name } } }`,
  );
  expect(probe.data['Mutation']?.fields.map((f) => f.name)).toEqual(
    expect.arrayContaining(['upsertBucket', 'createRunFiles']),
  );
  expect(probe.data['ServerInfo']?.fields.map((f) => f.name)).toContain('features');
  expect(probe.data['ServerSettings']).not.toBeNull();
  expect(probe.data['Artifact']).toBeNull();
});

test('ten megabytes in a variable are no trouble', async () => {
  const answer = await api.graphql(
    'query Q($d: String!, $e: String) { project(name: "demo", entityName: $e) { run(name: "", desc: $d) { name summaryMetrics } } }',
    { d: 'x'.repeat(10 * 1024 * 1024), e: 'somebody-unknown' },
  );
  expect(answer).toEqual({ status: 200, data: { project: null } });
});
