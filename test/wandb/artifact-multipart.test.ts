import { HeadObjectCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sweepArtifacts } from '../../store/artifact-sweep.js';
import { TcpRelay } from '../faults/support/tcp-relay.js';
import { s3Credentials, startS3 } from '../support/s3.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { openContext } from './scenarios/context.js';

/**
 * Uploads in parts by the client's own code. It begins them at 2 GiB: in wandb-core that is compiled in, but up to 0.28 `wandb sync` (0.28: with `--legacy`)
 * uploads with Python code, where it is a constant of a module, and the size of a part another. Nothing else of the client is changed.
 */

const MiB = 1024 * 1024;
const bucket = 'parts';
let s3: Awaited<ReturnType<typeof startS3>>;
/** What clients reach the storage by. */
let relay: TcpRelay;
let api: TrackingApi;
let client: S3Client;
beforeAll(async () => {
  s3 = await startS3(bucket);
  relay = await TcpRelay.to(new URL(s3.endpoint).host);
  const place = {
    region: 'us-east-1',
    endpoint: s3.endpoint,
    forcePathStyle: true,
    credentials: s3Credentials,
  };
  client = new S3Client(place);
  api = await startTrackingApi({
    storage: { kind: 's3', bucket, ...place, publicEndpoint: `http://${relay.address}` },
  });
}, 300_000);
afterAll(async () => {
  await api.close();
  relay.close();
  await s3.stop();
});

const openUploads = async () =>
  ((await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? []).map(({ Key }) => Key);

/** 12 MiB, which are three parts, and a small file. */
const offline = `
import random, wandb
with open("large.bin", "wb") as f: f.write(random.Random(7).randbytes(12 << 20))
with open("small.txt", "w") as f: f.write("small")
with wandb.init(id="r1", mode="offline") as run:
    made = wandb.Artifact("set", type="dataset")
    for name in ("large.bin", "small.txt"): made.add_file(name, policy="immutable", skip_cache=True)
    run.log_artifact(made)
`;

const syncWith = (version: string) => `
import glob
from wandb.sdk.artifacts.storage_policies import wandb_storage_policy as policy
least = 5 << 20
if hasattr(policy, "S3_MIN_MULTI_UPLOAD_SIZE"):
    policy.S3_MIN_MULTI_UPLOAD_SIZE = least
    policy.WandbStoragePolicy.calc_chunk_size = lambda self, size: least
else:
    policy.MIN_MULTI_UPLOAD_SIZE = least
    policy.calc_part_size.__defaults__ = (least,)
from wandb.cli.cli import cli
cli(["sync", ${version === '0.28.2' ? '"--legacy", ' : ''}*glob.glob("wandb/offline-run-*")], standalone_mode=False)
`;

const fetchIt = `
import os, wandb
got = wandb.Api().artifact(os.environ["WANDB_PROJECT"] + "/set:v0")
root = got.download(root="got")
got.verify(root=root)
with open("large.bin", "rb") as a, open(root + "/large.bin", "rb") as b: assert a.read() == b.read()
`;

const blobsOf = (project: string) =>
  api.db
    .selectFrom('artifact_blob')
    .innerJoin('project', 'project.id', 'artifact_blob.project_id')
    .select(['artifact_blob.key', 'artifact_blob.size'])
    .where('project.name', '=', project)
    .orderBy('artifact_blob.size', 'desc')
    .execute();

const isVisible = async (project: string): Promise<boolean> => {
  const { data } = await api.graphql<{ project: { artifact: unknown } }>(
    'query ($p: String!) { project(name: $p, entityName: "ada") { artifact(name: "set:v0") { id } } }',
    { p: project },
  );
  return data.project.artifact !== null;
};

describe.each(['0.19.11', '0.28.2'] as const)('wandb %s', (version) => {
  test('a large file goes to S3 in parts and comes back whole', { timeout: 300_000 }, async () => {
    const project = `whole-${version}`;
    const context = await openContext(version, api, project);
    try {
      await context.python(offline);
      await context.python(syncWith(version));
      const [large] = await blobsOf(project);
      const { ETag, ContentLength } = await client.send(
        new HeadObjectCommand({ Bucket: bucket, Key: large?.key ?? '' }),
      );
      // S3's own mark of an object that was put together from three parts.
      expect(ETag).toMatch(/-3"$/);
      expect([large?.size, ContentLength]).toEqual([12 * MiB, 12 * MiB]);
      expect(await openUploads()).toEqual([]);
      await context.python(fetchIt);
    } finally {
      await context.close();
    }
  });

  test(
    'a client that is killed between parts leaves nothing to be seen, and goes on when it is started again',
    { timeout: 300_000 },
    async () => {
      const project = `again-${version}`;
      const context = await openContext(version, api, project);
      try {
        await context.python(offline);
        await killedWithin(context);
        expect(await isVisible(project)).toBe(false);
        const [key] = await openUploads();
        expect(await api.blobs.stat(key ?? '')).toBeUndefined();

        await context.python(syncWith(version));
        expect(await isVisible(project)).toBe(true);
        expect(await openUploads()).toEqual([]);
        await context.python(fetchIt);
      } finally {
        await context.close();
      }
    },
  );

  test('what a killed client left in S3 is swept', { timeout: 300_000 }, async () => {
    const project = `left-${version}`;
    const context = await openContext(version, api, project);
    try {
      await context.python(offline);
      await killedWithin(context);
      expect(await openUploads()).toHaveLength(1);
      const long = new Date(Date.now() - 30 * 24 * 3600_000);
      await api.db.updateTable('artifact').set({ updated_at: long }).where('state', '=', 'PENDING').execute();
      await sweepArtifacts(api);
      expect(await openUploads()).toEqual([]);
      expect(await blobsOf(project)).toEqual([]);
      expect(await isVisible(project)).toBe(false);
    } finally {
      await context.close();
    }
  });
});

/** Its first part is there, and its second on the way. */
async function killedWithin(context: Awaited<ReturnType<typeof openContext>>): Promise<void> {
  const started = context.start(syncWith(context.version));
  void relay.after(8 * MiB, 'up', () => void started.then((running) => running.kill('SIGKILL')));
  const { code, output } = await (await started).done;
  expect(code, output).toBeNull();
}
