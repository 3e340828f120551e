import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createUser } from '../../store/entities.js';
import { issueKey } from '../../store/keys.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { artifactWriter, md5 } from './support/artifact-writer.js';

let api: TrackingApi;
let strangersKey: string;

beforeAll(async () => {
  api = await startTrackingApi();
  const { userId } = await createUser(api.db, { username: 'eve', email: 'eve@example.test' });
  strangersKey = (await issueKey(api.db, { kind: 'user', userId })).key;
});
afterAll(() => api.close());

const hex = (text: string) => createHash('md5').update(text).digest('hex');
const textOf = async (url: string) => (await fetch(url)).text();

test('a version shows when it is committed, and not before', async () => {
  const writer = artifactWriter(api, { project: 'shows' });
  const files = { 'a.txt': 'one', 'deep/b.txt': 'two' };
  const made = await writer.create({ digest: writer.digestOf(files) });
  expect(made).toMatchObject({ state: 'PENDING', latest: null });
  await writer.uploadFiles(made.id, files);
  await writer.uploadManifest(made.id, writer.manifestOf(made.id, files));
  expect(await writer.read('set:latest')).toBeNull();
  expect(await writer.commit(made.id)).toEqual({ id: made.id, digest: writer.digestOf(files) });
  const read = await writer.read('set:latest');
  expect(read).toMatchObject({ id: made.id, versionIndex: 0, state: 'COMMITTED', size: 6, fileCount: 2 });
  const shown = Object.fromEntries(
    await Promise.all((read?.files.edges ?? []).map(async ({ node }) => [node.name, await textOf(node.directUrl)])),
  );
  expect(shown).toEqual(files);
});

test('each request may come twice: nothing is doubled, and the answers agree', async () => {
  const writer = artifactWriter(api, { project: 'twice' });
  const files = { 'a.txt': 'twice' };
  const input = { digest: writer.digestOf(files), clientID: 'one-client-id', sequenceClientID: 'one-sequence' };
  const [made, again] = await Promise.all([writer.create(input), writer.create(input)]);
  expect(again).toEqual(made);
  const first = await writer.uploadFiles(made.id, files);
  // Its answer was lost: what is stored need not be sent.
  const second = await writer.announce(made.id, [{ name: 'a.txt', md5: md5('twice') }]);
  expect(second[0]).toMatchObject({ storagePath: first[0]?.storagePath, uploadUrl: null });
  const text = writer.manifestOf(made.id, files);
  await writer.uploadManifest(made.id, text);
  await writer.uploadManifest(made.id, text);
  const [a, b] = await Promise.all([writer.commit(made.id), writer.commit(made.id)]);
  expect(a).toEqual(b);
  expect(await writer.commit(made.id)).toEqual(a);
  expect(await writer.create(input)).toMatchObject({ id: made.id, state: 'COMMITTED' });
  expect(await writer.read('set:v0')).not.toBeNull();
  expect(await writer.read('set:v1')).toBeNull();
  const mapped = await writer.ask('query($id: ID!) { clientIDMapping(clientID: $id) { serverID } }', {
    id: 'one-client-id',
  });
  expect(mapped).toEqual({ clientIDMapping: { serverID: made.id } });
});

test('the same files make no new version, and move the aliases; changed files make the next one', async () => {
  const writer = artifactWriter(api, { project: 'same' });
  const v0 = await writer.log({ 'a.txt': 'one' });
  const v1 = await writer.log({ 'a.txt': 'two' });
  expect(v1.latest).toBe(v0.id);
  const same = await writer.log(
    { 'a.txt': 'one' },
    { aliases: ['latest', 'back'].map((alias) => ({ alias, artifactCollectionName: 'set' })) },
  );
  expect(same).toMatchObject({ id: v0.id, state: 'COMMITTED' });
  expect(await writer.read('set:back')).toMatchObject({ id: v0.id });
  expect(await writer.read('set:latest')).toMatchObject({ id: v0.id });
  const forced = await writer.log({ 'a.txt': 'one' }, { enableDigestDeduplication: false });
  expect(await writer.read('set:latest')).toMatchObject({ id: forced.id, versionIndex: 2 });
});

test('a commit without every file of the manifest is refused, names them, and can be tried again', async () => {
  const writer = artifactWriter(api, { project: 'half' });
  const files = { 'here.txt': 'here', 'gone.txt': 'gone' };
  const made = await writer.create({ digest: writer.digestOf(files) });
  await expect(writer.commit(made.id)).rejects.toThrow(/manifest was not announced/);
  await writer.uploadFiles(made.id, { 'here.txt': 'here' });
  await writer.announce(made.id, [{ name: 'gone.txt', md5: md5('gone') }]);
  await writer.uploadManifest(made.id, writer.manifestOf(made.id, files));
  await expect(writer.commit(made.id)).rejects.toThrow(/1 of its files is not here \("gone.txt"\)/);
  expect(await writer.read('set:latest')).toBeNull();
  await writer.uploadFiles(made.id, files);
  await writer.commit(made.id);
  expect(await writer.read('set:latest')).toMatchObject({ fileCount: 2 });
});

test('bytes that are not those announced are refused, and nothing is kept of them', async () => {
  const writer = artifactWriter(api, { project: 'digest' });
  const made = await writer.create({ digest: 'x' });
  const [node] = await writer.announce(made.id, [{ name: 'a.txt', md5: md5('right') }]);
  const wrong = await writer.upload(node?.uploadUrl ?? '', 'wrong');
  expect(wrong.status).toBe(400);
  expect(await wrong.text()).toMatch(/digest-mismatch/);
  expect(await api.blobs.stat(node?.storagePath ?? '')).toBeUndefined();
  const header = await writer.upload(node?.uploadUrl ?? '', 'right', [`Content-MD5:${md5('right')}`]);
  expect(header.status).toBe(200);
  await expect(
    writer.uploadManifest(made.id, writer.manifestOf(made.id, { 'a.txt': 'right' }).replace('"size":5', '"size":6')),
  ).resolves.toBeUndefined();
  await expect(writer.commit(made.id)).rejects.toThrow(/has 6 bytes; 5 came/);
});

test('manifests and names that play tricks are refused with a sentence', async () => {
  const writer = artifactWriter(api, { project: 'tricks' });
  const made = await writer.create({ digest: 'tricks' });
  for (const name of ['../up', '/root', 'a/../../b', 'C:\\win', 'a\0b', ''])
    await expect(writer.announce(made.id, [{ name, md5: md5('x') }])).rejects.toThrow(/path|name/i);
  await expect(writer.announce(made.id, [{ name: 'a', md5: 'nonsense' }])).rejects.toThrow(/not the base64/);
  await expect(writer.create({ digest: '', artifactCollectionName: 'a/b' })).rejects.toThrow(/separate names/);
  await expect(writer.create({ digest: '', metadata: '[1' })).rejects.toThrow(/metadata/);
  for (const text of ['not json', '[]', '{"version":2}', writer.manifestOf(made.id, { '../x': 'x' })]) {
    await writer.uploadManifest(made.id, text);
    await expect(writer.commit(made.id)).rejects.toThrow(/manifest of the artifact cannot be used/);
  }
});

test('an increment is merged with the version that it adds to', async () => {
  const writer = artifactWriter(api, { project: 'increment' });
  const base = await writer.log({ 'a.txt': 'one', 'b.txt': 'two' });
  const next = await writer.create({ digest: writer.digestOf({ 'c.txt': 'three', 'b.txt': 'changed' }) });
  await writer.uploadFiles(next.id, { 'c.txt': 'three', 'b.txt': 'changed' });
  const text = writer.manifestOf(next.id, { 'c.txt': 'three', 'b.txt': 'changed' });
  await writer.uploadManifest(next.id, text, { type: 'INCREMENTAL', baseArtifactID: base.id });
  const whole = { 'a.txt': 'one', 'b.txt': 'changed', 'c.txt': 'three' };
  expect(await writer.commit(next.id)).toMatchObject({ digest: writer.digestOf(whole) });
  const read = await writer.read('set:latest');
  expect(read?.files.edges.map(({ node }) => node.name)).toEqual(Object.keys(whole));
  const manifest = JSON.parse(await textOf(read?.currentManifest.file.directUrl ?? '')) as {
    contents: Record<string, { birthArtifactID: string }>;
  };
  expect(manifest.contents['a.txt']?.birthArtifactID).toBe(base.id);
});

test('several runs write one version; parts that never came are left out', async () => {
  const writer = artifactWriter(api, { project: 'together' });
  const parts = [{ '1.txt': 'one' }, { '2.txt': 'two' }, { 'never.txt': 'never' }];
  const ids = new Set<string>();
  for (const [index, files] of parts.entries()) {
    const made = await writer.create({ digest: `part ${index}`.replace(' ', ''), distributedID: 'joint' });
    ids.add(made.id);
    if (index === 2) await writer.manifest(made.id, md5('never sent'), { type: 'PATCH' });
    else {
      await writer.uploadFiles(made.id, files);
      const text = writer.manifestOf(made.id, files);
      await writer.uploadManifest(made.id, text, { type: 'PATCH' });
    }
  }
  expect(ids.size).toBe(1);
  await writer.commit([...ids][0] ?? '');
  const read = await writer.read('set:latest');
  expect(read?.files.edges.map(({ node }) => node.name)).toEqual(['1.txt', '2.txt']);
});

test('a large file comes in parts, which may be sent again, and is whole in the end', async () => {
  const writer = artifactWriter(api, { project: 'parts' });
  const pieces = ['first part, ', 'second part, ', 'end'];
  const whole = pieces.join('');
  const files = { 'large.bin': whole };
  const made = await writer.create({ digest: writer.digestOf(files) });
  const spec = [{ name: 'large.bin', md5: md5(whole), parts: pieces.map(hex) }];
  const [node] = await writer.announce(made.id, spec);
  const uploadID = node?.uploadMultipartUrls?.uploadID;
  const complete = () =>
    writer.ask(
      `mutation($parts: [UploadPartsInput!]!, $artifactID: ID!, $storagePath: String!, $uploadID: String!) {
        completeMultipartUploadArtifact(input: { completeMultipartAction: Complete, completedParts: $parts, artifactID: $artifactID,
          storagePath: $storagePath, uploadID: $uploadID }) { digest } }`,
      {
        parts: pieces.map((piece, index) => ({ partNumber: index + 1, hexMD5: `"${hex(piece)}"` })),
        artifactID: made.id,
        storagePath: node?.storagePath,
        uploadID,
      },
    );
  const urls = node?.uploadMultipartUrls?.uploadUrlParts.map((part) => part.uploadUrl) ?? [];
  expect((await writer.upload(urls[1] ?? '', 'not the part')).status).toBe(400);
  for (const index of [2, 0, 0]) {
    const answer = await writer.upload(urls[index] ?? '', pieces[index] ?? '');
    expect([answer.status, answer.headers.get('etag')]).toEqual([200, `"${hex(pieces[index] ?? '')}"`]);
  }
  await expect(complete()).rejects.toThrow(/Part 2 of the file has not been uploaded/);
  // Asked again, as after a restart: the same upload goes on.
  const [later] = await writer.announce(made.id, spec);
  expect(later?.uploadMultipartUrls?.uploadID).toBe(uploadID);
  await writer.upload(later?.uploadMultipartUrls?.uploadUrlParts[1]?.uploadUrl ?? '', pieces[1] ?? '');
  expect(await complete()).toEqual({ completeMultipartUploadArtifact: { digest: md5(whole) } });
  expect(await complete()).toEqual({ completeMultipartUploadArtifact: { digest: md5(whole) } });
  await writer.uploadManifest(made.id, writer.manifestOf(made.id, files));
  await writer.commit(made.id);
  const read = await writer.read('set:latest');
  expect(await textOf(read?.files.edges[0]?.node.directUrl ?? '')).toBe(whole);
});

test('nobody writes, finishes, uses or finds what is of another entity', async () => {
  const writer = artifactWriter(api, { project: 'mine' });
  const open = await writer.create({ digest: 'open', clientID: 'my-own-client-id' });
  const done = await writer.log({ 'secret.txt': 'secret' });
  const eve = artifactWriter(api, { key: strangersKey, project: 'mine' });
  const hidden = /no artifact|no entity|no run|no manifest/;
  await expect(eve.create({ digest: 'x' })).rejects.toThrow(hidden);
  await expect(eve.announce(open.id, [{ name: 'a', md5: md5('a') }])).rejects.toThrow(hidden);
  await expect(eve.manifest(open.id, md5('a'))).rejects.toThrow(hidden);
  await expect(eve.commit(open.id)).rejects.toThrow(hidden);
  const mapped = await eve.ask('{ clientIDMapping(clientID: "my-own-client-id") { serverID } }', {});
  expect(mapped).toEqual({ clientIDMapping: null });
  // Knowing the digest of a file is not having it, and neither is naming the version that has it.
  const own = artifactWriter(api, { key: strangersKey, entity: 'eve', project: 'theft' });
  const theft = await own.create({ digest: 'theft', entityName: 'eve' });
  const [node] = await own.announce(theft.id, [{ name: 'secret.txt', md5: md5('secret') }]);
  expect(node?.uploadUrl).not.toBeNull();
  await own.uploadManifest(theft.id, own.manifestOf(done.id, { 'secret.txt': 'secret' }));
  await expect(own.commit(theft.id)).rejects.toThrow(/not here/);
});
