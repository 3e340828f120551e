import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { artifactIdOfWireId } from '../../domain/job.js';
import { sweepArtifacts } from '../../store/artifact-sweep.js';
import { TcpRelay } from '../faults/support/tcp-relay.js';
import { s3Credentials, startS3 } from '../support/s3.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { newestWandb, runWandbScript } from '../support/wandb-clients.js';
import { artifactWriter, md5 } from './support/artifact-writer.js';

const MiB = 1024 * 1024;
const bucket = 'artifacts';
/** From 2,048 on the client sends the file in parts. */
const largeMiB = Number(process.env['DAVIT_TEST_ARTIFACT_MIB'] ?? 16);

let s3: Awaited<ReturnType<typeof startS3>>;
/** What clients reach the storage by. */
let relay: TcpRelay;
let api: TrackingApi;
beforeAll(async () => {
  s3 = await startS3(bucket);
  relay = await TcpRelay.to(new URL(s3.endpoint).host);
  api = await startTrackingApi({
    storage: {
      kind: 's3',
      bucket,
      region: 'us-east-1',
      endpoint: s3.endpoint,
      publicEndpoint: `http://${relay.address}`,
      forcePathStyle: true,
      credentials: s3Credentials,
    },
  });
}, 300_000);
afterAll(async () => {
  await api.close();
  relay.close();
  await s3.stop();
});

const openUploads = async () => {
  const client = new S3Client({
    endpoint: s3.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: s3Credentials,
  });
  const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  return (Uploads ?? []).map((upload) => upload.Key);
};

const upAndDown = `
import os, random, wandb
block = random.Random(7).randbytes(1 << 20)
os.makedirs("data/deep")
with open("data/large.bin", "wb") as f:
    for n in range(${largeMiB}): f.write(n.to_bytes(8, "big") + block[8:])
for n in range(30):
    with open(f"data/deep/{n}.txt", "w") as f: f.write(f"content {n}")
with wandb.init(project="s3") as run:
    made = wandb.Artifact("set", type="dataset")
    made.add_dir("data", policy="immutable", skip_cache=True)
    logged = run.log_artifact(made).wait()
    assert logged.version == "v0", logged.version
got = wandb.Api().artifact("s3/set:v0").download(root="got")
for folder, _, names in os.walk("data"):
    for name in names:
        path = os.path.join(folder, name)
        with open(path, "rb") as a, open(os.path.join(got, os.path.relpath(path, "data")), "rb") as b:
            while block := a.read(1 << 20): assert block == b.read(1 << 20), path
            assert b.read() == b""
`;

test(
  'the client sends an artifact to S3 and fetches it whole, though its connections were cut in the middle',
  { timeout: 300_000 + largeMiB * 600 },
  async () => {
    const cut = relay.after((largeMiB * MiB) / 2, 'up', () => relay.drop());
    const { code, output } = await runWandbScript(
      newestWandb,
      upAndDown,
      { url: api.url, key: api.key },
      { WANDB_X_FILE_TRANSFER_RETRY_WAIT_MIN_SECONDS: '0.2', WANDB_X_FILE_TRANSFER_RETRY_WAIT_MAX_SECONDS: '1' },
    );
    expect(code, output).toBe(0);
    await cut;
    // Bytes go past the API, and each is stored once.
    expect(api.requests.filter((request) => request.includes('/blobs/'))).toEqual([]);
    const blobs = await api.db.selectFrom('artifact_blob').select(['key', 'size']).execute();
    expect(blobs).toHaveLength(31);
    for (const { key, size } of blobs) expect(await api.blobs.stat(key)).toMatchObject({ size });
    expect(await openUploads()).toEqual([]);
  },
);

const hex = (data: string | Buffer): string => createHash('md5').update(data).digest('hex');

/** Says that all parts are there. */
const complete = (
  artifactID: string,
  node: { storagePath: string; uploadMultipartUrls: { uploadID: string } | null } | undefined,
  hexes: string[],
) =>
  api.graphql(
    `mutation($parts: [UploadPartsInput!]!, $artifactID: ID!, $storagePath: String!, $uploadID: String!) {
      completeMultipartUploadArtifact(input: { completeMultipartAction: Complete, completedParts: $parts, artifactID: $artifactID,
        storagePath: $storagePath, uploadID: $uploadID }) { digest } }`,
    {
      parts: hexes.map((one, index) => ({ partNumber: index + 1, hexMD5: `"${one}"` })),
      artifactID,
      storagePath: node?.storagePath,
      uploadID: node?.uploadMultipartUrls?.uploadID,
    },
  );

test('an upload in parts that was given up answers clearly, and S3 keeps nothing of it', async () => {
  const writer = artifactWriter(api, { project: 'parts' });
  const pieces = [Buffer.alloc(5 * MiB, 1), Buffer.from('the end')];
  const hexes = pieces.map(hex);
  const made = await writer.create({ digest: 'parts' });
  const spec = [{ name: 'large.bin', md5: md5(Buffer.concat(pieces)), parts: hexes }];
  const [node] = await writer.announce(made.id, spec);
  const upload = node?.uploadMultipartUrls;
  const put = (index: number) =>
    writer.upload(upload?.uploadUrlParts[index]?.uploadUrl ?? '', pieces[index] ?? '', [
      `Content-MD5:${md5(pieces[index] ?? '')}`,
    ]);
  expect((await put(0)).headers.get('etag')).toBe(`"${hexes[0]}"`);
  const half = await complete(made.id, node, hexes);
  expect([half.status, half.errors?.[0]?.message]).toEqual([200, expect.stringMatching(/does not have all parts/)]);
  expect(await openUploads()).toEqual([node?.storagePath]);

  // Nobody goes on with it.
  const long = new Date(Date.now() - 30 * 24 * 3600_000);
  const id = artifactIdOfWireId(made.id) ?? 0;
  await api.db.updateTable('artifact').set({ updated_at: long }).where('id', '=', id).execute();
  await sweepArtifacts(api);
  expect(await openUploads()).toEqual([]);
  expect((await put(1)).ok).toBe(false);
  const late = await complete(made.id, node, hexes);
  expect([late.status, late.errors?.[0]?.message]).toEqual([
    200,
    expect.stringMatching(/given up|no artifact|deleted/),
  ]);
  expect(await api.blobs.stat(node?.storagePath ?? '')).toBeUndefined();
});

test('an upload in parts that S3 itself has thrown away is said to be incomplete, and the bytes are sent anew', async () => {
  const writer = artifactWriter(api, { project: 'aborted' });
  const made = await writer.create({ digest: 'aborted' });
  const spec = [{ name: 'large.bin', md5: md5('all'), parts: [hex('all')] }];
  const [node] = await writer.announce(made.id, spec);
  await api.blobs.abortParts(node?.storagePath ?? '', node?.uploadMultipartUrls?.uploadID ?? '');
  const answer = await complete(made.id, node, [hex('all')]);
  expect([answer.status, answer.errors?.[0]?.message]).toEqual([200, expect.stringMatching(/does not have all parts/)]);
  // Whoever logs the same bytes again sends them anew.
  const next = await writer.create({ digest: 'anew' });
  const [again] = await writer.announce(next.id, [{ name: 'large.bin', md5: md5('all') }]);
  expect((await writer.upload(again?.uploadUrl ?? '', 'all', again?.uploadHeaders)).status).toBe(200);
  expect(await api.blobs.stat(again?.storagePath ?? '')).toMatchObject({ size: 3 });
});
