import { afterAll, beforeAll, expect, test } from 'vitest';
import { artifactIdOfWireId } from '../../domain/job.js';
import { sweepArtifacts } from '../../store/artifact-sweep.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { artifactWriter, md5 } from './support/artifact-writer.js';

let api: TrackingApi;

beforeAll(async () => {
  api = await startTrackingApi();
});
afterAll(() => api.close());

const sweep = () => sweepArtifacts(api);
const keysOf = async (project: string) =>
  (
    await api.db
      .selectFrom('artifact_blob')
      .innerJoin('project', 'project.id', 'artifact_blob.project_id')
      .select(['key', 'md5'])
      .where('project.name', '=', project)
      .execute()
  ).map((row) => row.key);
const age = (wireId: string, column: 'updated_at' | 'expires_at') =>
  api.db
    .updateTable('artifact')
    .set({ [column]: new Date(Date.now() - 30 * 24 * 3600_000) })
    .where('id', '=', artifactIdOfWireId(wireId) ?? 0)
    .execute();

test('an upload that nobody went on with is taken away with its bytes, and one that goes on is left', async () => {
  const writer = artifactWriter(api, { project: 'abandoned' });
  const files = { 'a.txt': 'left behind' };
  const left = await writer.create({ digest: writer.digestOf(files) });
  const [node] = await writer.uploadFiles(left.id, files);
  const [parts] = await writer.announce(left.id, [{ name: 'large.bin', md5: md5('large'), parts: ['0'.repeat(32)] }]);
  expect(parts?.uploadMultipartUrls).not.toBeNull();
  const busy = await writer.create({ digest: 'busy' });
  await writer.uploadFiles(busy.id, { 'b.txt': 'goes on' });
  await age(left.id, 'updated_at');
  await sweep();
  expect(await api.blobs.stat(node?.storagePath ?? '')).toBeUndefined();
  const keys = await keysOf('abandoned');
  expect(keys).toHaveLength(1);
  expect(await api.blobs.stat(keys[0] ?? '')).toBeDefined();
  // Its address is valid still; bytes that nobody would ever remove are not taken.
  expect((await writer.upload(parts?.uploadMultipartUrls?.uploadUrlParts[0]?.uploadUrl ?? '', 'x')).status).toBe(403);
  await expect(writer.announce(left.id, [{ name: 'a', md5: md5('a') }])).rejects.toThrow(/given up|no artifact/);
  await writer.uploadManifest(busy.id, writer.manifestOf(busy.id, { 'b.txt': 'goes on' }));
  await writer.commit(busy.id);
  await sweep();
  expect(await writer.read('set:latest')).toMatchObject({ id: busy.id });
});

test('a version past its age limit is deleted; bytes that another version shares stay', async () => {
  const writer = artifactWriter(api, { project: 'expires' });
  const v0 = await writer.log({ 'shared.txt': 'shared', 'own.txt': 'own' }, { ttlDurationSeconds: 60 });
  const v1 = await writer.log({ 'shared.txt': 'shared' });
  expect(await keysOf('expires')).toHaveLength(2);
  await sweep();
  expect(await writer.read('set:v0')).toMatchObject({ id: v0.id });
  await age(v0.id, 'expires_at');
  await sweep();
  expect(await writer.read('set:v0')).toBeNull();
  const read = await writer.read('set:v1');
  expect(read).toMatchObject({ id: v1.id });
  expect(await (await fetch(read?.files.edges[0]?.node.directUrl ?? '')).text()).toBe('shared');
  expect(await keysOf('expires')).toHaveLength(1);
});

test('what a sweep has taken is uploaded anew when somebody logs it again', async () => {
  const writer = artifactWriter(api, { project: 'again' });
  const files = { 'a.txt': 'comes back' };
  for (let round = 0; round < 3; round++) {
    const made = await writer.log(files, { ttlDurationSeconds: 60 });
    const read = await writer.read('set:latest');
    expect(await (await fetch(read?.files.edges[0]?.node.directUrl ?? '')).text()).toBe('comes back');
    await age(made.id, 'expires_at');
    await Promise.all([sweep(), sweep()]);
    await sweep();
    expect(await keysOf('again')).toEqual([]);
  }
});
