import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { manifestDigest, md5Base64 } from '../../domain/digests.js';
import { artifactFiles, commitArtifact } from '../../store/artifacts.js';
import { putContent, readContent } from '../../store/content.js';
import { ensureProject } from '../../store/projects.js';
import { startTestApi, tarGzOf, tarOf, trainFiles, type TarEntry, type TestApi } from './support/api.js';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ codeArchiveBytes: 3_000_000, codeBytes: 12_000_000, codeFiles: 50 });
});
afterAll(() => api.close());

const upload = (
  job: string,
  raw: Uint8Array | string,
  query = 'entryPoint=python+train.py',
  type = 'application/gzip',
) =>
  api.call('POST', `/entities/lab/projects/demo/jobs/${job}/versions?${query}`, {
    raw,
    headers: { 'Content-Type': type },
  });

test('an uploaded folder comes back byte for byte, always in the same archive', async () => {
  const large = Buffer.alloc(5_000_001, 'abcdefg');
  const deep = `${'folder/'.repeat(20)}file.txt`;
  const entries: TarEntry[] = [
    ...trainFiles,
    { path: 'ünïcode näme.txt', data: 'ü' },
    { path: 'empty' },
    { path: deep, data: 'deep' },
    { path: 'run.sh', data: '#!/bin/sh\nexit 0\n' },
    { path: 'large.bin', data: large },
    { path: 'larger.bin', data: Buffer.concat([large, Buffer.from('!')]) },
    { path: '.git/config', data: 'left out' },
    { path: 'wandb/run-1/log', data: 'left out' },
  ];
  const made = await upload('round', tarGzOf(entries));
  expect(made.status, made.text).toBe(201);
  expect(made.body).toMatchObject({ version: 'v0', created: true, message: 'Created', files: 8, warnings: [] });

  const key = api.keys.ada;
  const fetchCode = async () => {
    const response = await fetch(`${api.url}/api/v1/entities/lab/projects/demo/jobs/round/versions/latest/code`, {
      headers: { Authorization: `Bearer ${key}` },
    });
    expect(response.status).toBe(200);
    return Buffer.from(await response.arrayBuffer());
  };
  const [one, two] = [await fetchCode(), await fetchCode()];
  expect(one.equals(two)).toBe(true);

  const folder = mkdtempSync(join(tmpdir(), 'davit-code-test-'));
  try {
    writeFileSync(join(folder, 'code.tar.gz'), one);
    execFileSync('tar', ['xzf', 'code.tar.gz'], { cwd: folder });
    const read = (path: string) => readFileSync(join(folder, path));
    expect(read('large.bin').equals(large)).toBe(true);
    expect(read('larger.bin').length).toBe(large.length + 1);
    expect(read('ünïcode näme.txt').toString()).toBe('ü');
    expect(read(deep).toString()).toBe('deep');
    expect(read('empty').length).toBe(0);
    expect(
      execFileSync('sh', ['-c', 'test -x run.sh && ! test -x train.py && echo yes'], { cwd: folder }).toString(),
    ).toBe('yes\n');
    expect(() => read('.git/config')).toThrow();
    expect(() => read('wandb/run-1/log')).toThrow();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the artifacts are those that the wandb client would have made', async () => {
  // From a recorded `wandb job create code`: these two files have these digests, and this job file has this length and MD5.
  expect(
    manifestDigest([
      { path: 'requirements.txt', md5: 'LSZGvuxoavW3GG14tPG1YQ==' },
      { path: 'main.py', md5: 'a4BaruVzuC2C8Pl5b4oocw==' },
    ]),
  ).toBe('ea9d83854163c55ee1d706f19cf281a1');

  const made = await upload('wire', tarGzOf(trainFiles), 'entryPoint=python+train.py&pythonVersion=3.11&alias=good');
  expect(made.status, made.text).toBe(201);
  const job = await api.db
    .selectFrom('artifact')
    .innerJoin('artifact_collection', 'artifact_collection.id', 'artifact.collection_id')
    .select(['artifact.id', 'artifact.metadata', 'artifact.state'])
    .where('artifact_collection.name', '=', 'wire')
    .executeTakeFirstOrThrow();
  expect(job).toMatchObject({ metadata: '{"_partial":true}', state: 'COMMITTED' });
  const code = await api.db
    .selectFrom('artifact')
    .innerJoin('artifact_collection', 'artifact_collection.id', 'artifact.collection_id')
    .select(['artifact.id', 'artifact_collection.type'])
    .where('artifact_collection.name', '=', 'code-wire')
    .executeTakeFirstOrThrow();
  expect(code.type).toBe('code');
  const files = await artifactFiles(api.db, job.id);
  expect(files.map((file) => file.path)).toEqual(['requirements.frozen.txt', 'wandb-job.json']);
  const text = await readContent(api.blobs, files[1]?.blob_key ?? '');
  expect(files[1]).toMatchObject({ md5: md5Base64(text), size: text.length });
  expect(text.toString()).toBe(`{
    "_version": "v0",
    "source_type": "artifact",
    "source": {
        "entrypoint": [
            "python",
            "train.py"
        ],
        "notebook": false,
        "artifact": "wandb-artifact://_id/${Buffer.from(`Artifact:${code.id}`).toString('base64')}"
    },
    "input_types": {
        "wb_type": "typedDict",
        "params": {
            "type_map": {}
        }
    },
    "output_types": {
        "wb_type": "typedDict",
        "params": {
            "type_map": {}
        }
    },
    "runtime": "3.11"
}`);
  expect((await readContent(api.blobs, files[0]?.blob_key ?? '')).toString()).toBe('wandb\n');
});

test('the same folder again is no new version, but takes the aliases; a changed one is', async () => {
  const first = await upload('again', tarGzOf(trainFiles), 'entryPoint=python+train.py&alias=a,b');
  const same = await upload('again', tarGzOf([...trainFiles].reverse()), 'entryPoint=python+train.py&alias=c');
  expect([first.status, same.status]).toEqual([201, 200]);
  expect(same.body).toMatchObject({
    version: 'v0',
    created: false,
    message: 'No changes detected',
    digest: first.body.digest,
  });
  const other = await upload('again', tarGzOf(trainFiles), 'entryPoint=python+-u+train.py&alias=a');
  expect(other.body).toMatchObject({ version: 'v1', created: true, message: 'Updated' });
  const back = await upload('again', tarGzOf(trainFiles));
  expect(back.body).toMatchObject({ version: 'v0', created: false });

  const shown = await api.call('GET', '/entities/lab/projects/demo/jobs/again');
  expect(shown.body.versions.map((v: { version: string; aliases: string[] }) => [v.version, v.aliases])).toEqual([
    ['v1', ['a']],
    ['v0', ['b', 'c', 'latest']],
  ]);
  expect(shown.body.versions[0]).toMatchObject({ kind: 'code', entryPoint: ['python', '-u', 'train.py'], launches: 0 });
  const listed = await api.call('GET', '/entities/lab/projects/demo/jobs?limit=200');
  expect(listed.body.items.find((job: { name: string }) => job.name === 'again')).toMatchObject({
    versions: 2,
    latestVersion: 'v0',
    kind: 'code',
  });
});

test('one line of tar and curl uploads a folder', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'davit-curl-test-'));
  try {
    mkdirSync(join(folder, 'src'));
    writeFileSync(join(folder, 'src', 'train.py'), 'print(1)\n');
    writeFileSync(join(folder, 'requirements.txt'), 'wandb\n');
    writeFileSync(join(folder, 'large.bin'), randomBytes(1_500_000));
    const line =
      `tar cz -C ${folder} . | curl -sS --data-binary @- -H "Authorization: Bearer ${api.keys.ada}" -H 'Content-Type: application/gzip' ` +
      `"${api.url}/api/v1/entities/lab/projects/demo/jobs/curl/versions?entryPoint=python%20src/train.py"`;
    const { stdout } = await promisify(execFile)('sh', ['-c', line]);
    expect(JSON.parse(stdout)).toMatchObject({ job: 'curl', version: 'v0', created: true, files: 3 });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('uploads at the same time give versions without gap', async () => {
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, i) => upload('race', tarGzOf([...trainFiles, { path: 'n', data: String(i % 4) }]))),
  );
  expect(answers.map((a) => a.status).sort()).toEqual([200, 200, 200, 200, 201, 201, 201, 201]);
  expect([...new Set(answers.map((a) => a.body.version as string))].sort()).toEqual(['v0', 'v1', 'v2', 'v3']);
});

describe('an archive that an agent could not unpack safely is refused', () => {
  const ok: TarEntry = { path: 'train.py', data: 'x' };
  const tricks: [string, TarEntry[]][] = [
    ['absolute path', [ok, { path: '/etc/passwd', data: 'x' }]],
    ['path that leaves the folder', [ok, { path: '../x', data: 'x' }]],
    ['path that leaves it later', [ok, { path: 'a/../../x', data: 'x' }]],
    ['backslash', [ok, { path: 'a\\..\\x', data: 'x' }]],
    ['drive letter', [ok, { path: 'C:/x', data: 'x' }]],
    ['symbolic link', [ok, { path: 'l', type: 'SymbolicLink', linkpath: '/etc/passwd' }]],
    ['harmless-looking symbolic link', [ok, { path: 'l', type: 'SymbolicLink', linkpath: 'train.py' }]],
    ['hard link', [ok, { path: 'l', type: 'Link', linkpath: 'train.py' }]],
    ['pipe', [ok, { path: 'l', type: 'FIFO' }]],
    ['device', [ok, { path: 'l', type: 'CharacterDevice' }]],
    ['same name twice', [ok, { path: './train.py', data: 'y' }]],
    ['file that is a folder', [ok, { path: 'train.py/x', data: 'y' }]],
    ['folder that is a file', [ok, { path: 'a/x', data: 'y' }, { path: 'a', data: 'y' }]],
    ['name that is too long', [ok, { path: 'x'.repeat(300), data: 'y' }]],
    ['nothing in it', []],
    ['only folders', [{ path: 'a/', type: 'Directory' }]],
  ];
  test.each(tricks)('%s', async (_name, entries) => {
    const answer = await upload('tricks', tarGzOf(entries));
    expect(answer.status, answer.text).toBe(400);
    expect(answer.body.code).toBe('code-invalid');
  });

  const whole = tarGzOf([ok, { path: 'b', data: Buffer.alloc(200_000, 'ab') }]);
  const damaged: [string, Uint8Array | string][] = [
    ['not gzip', 'hello'],
    ['empty', new Uint8Array()],
    ['gzip of something else', gzipSync(Buffer.alloc(5_000, 'x'))],
    ['cut in the middle', whole.subarray(0, whole.length - 30)],
    [
      'tar cut in the middle',
      gzipSync(tarOf([ok, { path: 'b', data: Buffer.alloc(200_000, 'ab') }]).subarray(0, 100_000)),
    ],
    ['tar that is not compressed', tarOf([ok])],
  ];
  test.each(damaged)('%s', async (_name, raw) => {
    const answer = await upload('tricks', raw);
    expect(answer.status, answer.text).toBe(400);
    expect(answer.body.code).toBe('code-invalid');
  });

  const tooMuch: [string, () => Buffer][] = [
    ['too many files', () => tarGzOf([ok, ...Array.from({ length: 60 }, (_, i) => ({ path: `f${i}`, data: 'x' }))])],
    [
      'a bomb: small on the line, too large unpacked',
      () => tarGzOf([ok, { path: 'zeros', data: Buffer.alloc(14_000_000) }]),
    ],
    ['too large on the line', () => Buffer.alloc(3_100_000)],
  ];
  test.each(tooMuch)('%s', async (_name, raw) => {
    const answer = await upload('tricks', raw());
    expect(answer.status, answer.text).toBe(413);
    expect(answer.body.code).toBe('body-too-large');
  });

  test('and none of it left a job behind', async () => {
    expect((await api.call('GET', '/entities/lab/projects/demo/jobs/tricks')).body.code).toBe('unknown-job');
    expect(api.complaints).toEqual([]);
  });
});

test('a job whose wandb-job.json cannot be understood is listed without a kind, and hides no other', async () => {
  const project = await ensureProject(api.db, api.ids.lab, 'strange');
  const files = [await putContent(api.blobs, 'wandb-job.json', Buffer.from('{"source_type": "tape"'))];
  for (const collection of ['broken', 'empty'])
    await commitArtifact(api.db, {
      ...{ projectId: project.id, type: 'job', collection, metadata: {}, aliases: [], createdBy: 'ada' },
      files: collection === 'broken' ? files : [],
    });
  const made = await api.call('POST', '/entities/lab/projects/strange/jobs/train/versions?entryPoint=python+train.py', {
    raw: tarGzOf(trainFiles),
    headers: { 'Content-Type': 'application/gzip' },
  });
  expect(made.status, made.text).toBe(201);
  const jobs = await api.call('GET', '/entities/lab/projects/strange/jobs');
  expect(jobs.status, jobs.text).toBe(200);
  expect(jobs.body.items.map((job: { name: string; kind: string | null }) => [job.name, job.kind])).toEqual([
    ['broken', null],
    ['empty', null],
    ['train', 'code'],
  ]);
  const { body } = await api.call('GET', '/entities/lab/projects/strange/jobs/broken');
  expect(body.versions).toMatchObject([{ version: 'v0', kind: null, entryPoint: null, source: {} }]);
});

describe('a job says what it starts', () => {
  const cases: [string, number, string | undefined][] = [
    ['', 400, 'missing-entry-point'],
    ['entryPoint=', 400, 'missing-entry-point'],
    ['entryPoint=python+nothere.py', 400, 'missing-entry-point'],
    ['entryPoint=nothere.sh', 400, 'missing-entry-point'],
    ['entryPoint=./bin/run', 400, 'missing-entry-point'],
    ['entryPoint=torchrun+--nproc-per-node+2+nothere.py', 400, 'missing-entry-point'],
    ['entryPoint=python+%22train.py', 400, 'missing-entry-point'],
    ['entryPoint=python+./train.py+--config+other.yaml', 201, undefined],
    ['entryPoint=python+-m+http.server', 201, undefined],
    ['entryPoint=%5B%22python%22%2C%22train.py%22%5D', 200, undefined],
    ['entryPoint=python+train.py&alias=v3', 400, 'invalid-request'],
    ['entryPoint=python+train.py&pythonVersion=2.7', 400, 'invalid-request'],
    ['entryPoint=python+train.py&unknown=1', 400, 'invalid-request'],
  ];
  test.each(cases)('%s', async (query, status, code) => {
    await upload('entry', tarGzOf(trainFiles));
    const answer = await upload('entry', tarGzOf(trainFiles), query);
    expect(answer.status, answer.text).toBe(status);
    expect(answer.body.code).toBe(code);
  });
  test('a body of another type is refused', async () => {
    const answer = await upload('entry', 'x', 'entryPoint=python+train.py', 'application/zip');
    expect([answer.status, answer.body.code]).toEqual([415, 'unsupported-media-type']);
  });
});
