import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listAudit } from '../../store/audit.js';
import { openBlobs } from '../../store/blobs/open-blobs.js';
import { createUser } from '../../store/entities.js';
import { issueKey } from '../../store/keys.js';
import { announceRunFiles, listRunFiles, markRunFilesUploaded, removeRunFiles } from '../../store/run-files.js';
import { getRunByPath } from '../../store/runs.js';
import { startS3, s3Credentials } from '../support/s3.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';

let api: TrackingApi;
let count = 0;
beforeAll(async () => {
  api = await startTrackingApi();
});
afterAll(() => api.close());

interface FileNode {
  id: string;
  name: string;
  md5: string | null;
  sizeBytes: number;
  mimetype: string | null;
  directUrl: string;
}

async function newRun(): Promise<{ name: string; id: number }> {
  const name = `files${++count}`;
  const made = await api.graphql(
    'mutation M($n: String) { upsertBucket(input: {name: $n, modelName: "demo"}) { inserted } }',
    {
      n: name,
    },
  );
  expect(made.errors).toBeUndefined();
  const run = await getRunByPath(api.db, 'ada', 'demo', name);
  if (!run) throw new Error('the run is gone');
  return { name, id: run.id };
}

async function upload(run: string, files: Record<string, string>): Promise<void> {
  const answer = await api.graphql<{ createRunFiles: { files: { name: string; uploadUrl: string | null }[] } }>(
    `mutation M($r: String!, $f: [String!]!) { createRunFiles(input: {entityName: "ada", projectName: "demo", runName: $r, files: $f}) {
      files { name uploadUrl } } }`,
    { r: run, f: Object.keys(files) },
  );
  for (const { name, uploadUrl } of answer.data.createRunFiles.files)
    expect((await fetch(uploadUrl ?? '', { method: 'PUT', body: files[name] ?? '' })).status).toBe(200);
}

async function list(run: string, args = ''): Promise<FileNode[]> {
  const answer = await api.graphql<{ project: { run: { files: { edges: { node: FileNode }[] } } } }>(
    `query Q($r: String!) { project(name: "demo") { run(name: $r) { files${args} { edges { node {
      id name md5 sizeBytes mimetype directUrl } } } } } }`,
    { r: run },
  );
  expect(answer.errors).toBeUndefined();
  return answer.data.project.run.files.edges.map((edge) => edge.node);
}

const md5 = (text: string) => createHash('md5').update(text).digest('base64');
const remove = (ids: string[], key?: string) =>
  api.graphql<{ deleteFiles: { success: boolean } | null }>(
    'mutation M($f: [ID!]!) { deleteFiles(input: {files: $f, projectId: 1}) { success } }',
    { f: ids },
    key,
  );

test('a file is listed with size, digest and kind, is replaced under its name, and found by the path it was saved as', async () => {
  const run = await newRun();
  await upload(run.name, { 'a/b.json': '{}', 'empty.bin': '', 'log.txt': 'first, and longer' });
  await upload(run.name, { 'log.txt': 'second' });
  expect(await list(run.name)).toMatchObject([
    { name: 'a/b.json', sizeBytes: 2, md5: md5('{}'), mimetype: 'application/json' },
    { name: 'empty.bin', sizeBytes: 0, md5: md5(''), mimetype: null },
    { name: 'log.txt', sizeBytes: 6, md5: md5('second'), mimetype: 'text/plain' },
  ]);
  expect(await list(run.name, '(names: ["./a/b.json", "gone"])')).toMatchObject([
    { name: 'a/b.json', sizeBytes: 2 },
    { name: 'gone', sizeBytes: 0, md5: '0' },
  ]);
  const [empty] = await list(run.name, '(names: ["empty.bin"])');
  const got = await fetch(empty?.directUrl ?? '');
  expect([got.status, await got.text(), got.headers.get('access-control-allow-origin')]).toEqual([200, '', '*']);
});

test('hostile patterns, names and cursors are answered, never a failure', async () => {
  const run = await newRun();
  await upload(run.name, { 'a.txt': 'a' });
  for (const args of [
    '(pattern: "%\\\\")',
    '(pattern: "\\u0000")',
    '(names: ["\\u0000", "../a.txt"])',
    '(after: "\\u0000")',
  ])
    await list(run.name, args);
  expect(await list(run.name, '(pattern: "%.txt")')).toHaveLength(1);
  // More names than a statement has places for parameters.
  const uploaded = Array.from({ length: 70_000 }, (_, i) => `file-${i}.txt`);
  const answer = await api.fileStream(`ada/demo/${run.name}`, { uploaded: [...uploaded, '../x', '\u0000'] });
  expect(answer).toEqual({ status: 200, body: {} });
  expect(await list(run.name)).toHaveLength(1);
});

test('files are deleted by those who may, with an audit event, and again without harm; others find nothing', async () => {
  const run = await newRun();
  await upload(run.name, { 'a.txt': 'a', 'b.txt': 'b' });
  const [a, b] = await list(run.name);
  if (!a || !b) throw new Error('the files are not listed');
  const { userId } = await createUser(api.db, { username: `eve${run.id}` });
  const { key } = await issueKey(api.db, { kind: 'user', userId });
  const refused = await remove([a.id], key);
  expect(refused.errors?.[0]?.message).toMatch(/no such file/);
  expect(await list(run.name)).toHaveLength(2);

  // One that is not to be seen: none is deleted.
  expect((await remove([a.id, Buffer.from('File:999999:x').toString('base64')])).errors).toHaveLength(1);
  expect((await remove(['nonsense'])).errors?.[0]?.message).toMatch(/not the id of a file/);
  expect(await list(run.name)).toHaveLength(2);

  expect((await remove([a.id])).data).toEqual({ deleteFiles: { success: true } });
  expect((await remove([a.id])).data).toEqual({ deleteFiles: { success: true } });
  expect((await list(run.name)).map((file) => file.name)).toEqual(['b.txt']);
  expect((await fetch(a.directUrl)).status).toBe(404);
  const events = await listAudit(api.db, { subject: `run/ada/demo/${run.name}` }, { limit: 10 });
  expect(events.filter((event) => event.action === 'run.delete-files')).toHaveLength(2);
});

test('what is shown as itself can do no harm, everything else comes as bytes', async () => {
  const run = await newRun();
  await upload(run.name, { 'p.png': 'x', 'page.html': '<script>1</script>', 'v.svg': '<svg/>', 'n.txt': 'n' });
  const kinds = await Promise.all(
    (await list(run.name)).map(async ({ name, directUrl }) => {
      const { headers } = await fetch(directUrl);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      return [name, headers.get('content-type')];
    }),
  );
  expect(Object.fromEntries(kinds)).toEqual({
    'n.txt': 'text/plain; charset=utf-8',
    'p.png': 'image/png',
    'page.html': 'application/octet-stream',
    'v.svg': 'application/octet-stream',
  });
});

test('with S3 a file is there once the client says so, with the digest that S3 tells, and goes with its bytes', async () => {
  const s3 = await startS3('run-files');
  try {
    const blobs = await openBlobs(
      {
        kind: 's3',
        bucket: 'run-files',
        region: 'us-east-1',
        endpoint: s3.endpoint,
        forcePathStyle: true,
        credentials: s3Credentials,
      },
      { db: api.db, publicUrl: api.url },
    );
    const run = await newRun();
    const [announced] = await announceRunFiles(api.db, run.id, ['a.txt', 'never.txt']);
    const key = announced?.blobKey ?? '';
    const put = await fetch(await blobs.uploadUrl(key, { expiresInMs: 60_000, maxBytes: 100 }), {
      method: 'PUT',
      body: 'abc',
    });
    expect(put.status).toBe(200);
    expect(await listRunFiles(api.db, run.id)).toEqual([]);
    await markRunFilesUploaded(api.db, blobs, run.id, ['a.txt', 'never.txt', 'nobody-announced.txt']);
    expect(await listRunFiles(api.db, run.id)).toMatchObject([{ name: 'a.txt', size: 3, md5: md5('abc') }]);
    expect(await removeRunFiles(api.db, blobs, run.id, ['a.txt'])).toBe(1);
    expect(await blobs.stat(key)).toBeUndefined();
    expect(await listRunFiles(api.db, run.id)).toEqual([]);
  } finally {
    await s3.stop();
  }
}, 600_000);
