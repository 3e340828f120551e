import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jobEnvironment } from '../../domain/job-environment.js';
import { issueKey } from '../../store/keys.js';
import { getRunOfLaunch } from '../../store/runs.js';
import { lineFixture, type LineFixture } from '../support/line-fixture.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { newestWandb, runWandbScript, wandbVersions } from '../support/wandb-clients.js';

const script = `
import wandb
run = wandb.init(config={"lr": 0.1, "epochs": 3})
print("lr is", run.config["lr"], "and epochs", run.config["epochs"])
for step in range(run.config["epochs"]):
    run.log({"loss": run.config["lr"] / (step + 1)})
run.finish()
`;

let api: TrackingApi;
let crew: LineFixture;
beforeAll(async () => {
  api = await startTrackingApi();
  crew = await lineFixture(api.db, 'crew');
  await crew.queue('gpu');
});
afterAll(() => api.close());

/** A launch as it is when its job starts, and the environment the job gets. */
async function launched(name: string | undefined, runId?: string) {
  const launchId = await crew.enqueue('gpu', {
    ...(name === undefined ? {} : { name }),
    ...(runId === undefined ? {} : { runId }),
  });
  const { request } = await api.db
    .selectFrom('launch')
    .select('request')
    .where('id', '=', launchId)
    .executeTakeFirstOrThrow();
  const { key } = await issueKey(api.db, { kind: 'run', userId: api.userId, entityId: crew.entityId, launchId });
  const environment = jobEnvironment({
    launchId,
    attempt: 1,
    resolved: request,
    overrides: { config: { lr: 0.5 } },
    apiUrl: api.url,
  });
  return { launchId, key, environment, runName: request.runName };
}

describe.each(wandbVersions)('wandb %s', (version) => {
  test(
    'a launched script becomes the run that was fixed at enqueue, with its config overridden',
    { timeout: 900_000 },
    async () => {
      const { launchId, key, environment, runName } = await launched('my launch');
      const result = await runWandbScript(version, script, { url: api.url, key }, environment);
      expect(result, result.output).toMatchObject({ code: 0, complaints: [] });
      expect(result.output).toContain('lr is 0.5 and epochs 3');
      expect(await getRunOfLaunch(api.db, launchId)).toMatchObject({
        name: runName,
        entity: 'crew',
        project: 'demo',
        displayName: 'my launch',
        launchId,
        state: 'finished',
        exitCode: 0,
        config: { lr: 0.5, epochs: 3 },
        summary: { _step: 2 },
        username: 'ada',
        historyLines: 3,
      });
      expect(api.refused).toEqual([]);
    },
  );
});

test('a job that runs twice with the same run id continues its run', { timeout: 900_000 }, async () => {
  const { launchId, key, environment } = await launched(undefined);
  const first = await runWandbScript(newestWandb, script, { url: api.url, key }, environment);
  expect(first, first.output).toMatchObject({ code: 0 });
  const again = await runWandbScript(
    newestWandb,
    script,
    { url: api.url, key },
    { ...environment, WANDB_RESUME: 'allow' },
  );
  expect(again, again.output).toMatchObject({ code: 0 });
  expect(await getRunOfLaunch(api.db, launchId)).toMatchObject({
    historyLines: 6,
    state: 'finished',
    summary: { _step: 5 },
  });
});

test('the key of a launch reaches the project of its launch and nothing else', async () => {
  const { key, runName } = await launched('guarded');
  const upsert = `mutation M($name: String, $project: String, $entity: String) {
    upsertBucket(input: {name: $name, modelName: $project, entityName: $entity}) { bucket { name displayName project { name entity { name } } } inserted } }`;

  const own = await api.graphql<{ upsertBucket: { bucket: object } }>(
    upsert,
    { name: runName, project: 'demo', entity: null },
    key,
  );
  expect(own.data.upsertBucket.bucket).toMatchObject({
    displayName: 'guarded',
    project: { name: 'demo', entity: { name: 'crew' } },
  });
  const second = await api.graphql(upsert, { name: 'second1', project: 'demo', entity: 'crew' }, key);
  expect(second.errors).toBeUndefined();

  const elsewhere = await api.graphql(upsert, { name: 'x1', project: 'other', entity: 'crew' }, key);
  expect(elsewhere.errors?.[0]?.message).toMatch(/only write to the project of its launch/);
  const foreign = await api.graphql(upsert, { name: 'x1', project: 'demo', entity: 'ada' }, key);
  expect(foreign.errors?.[0]?.message).toMatch(/no entity "ada" that this key may see/);
  // What a job's key cannot write it cannot read either.
  await api.graphql(upsert, { name: 'private', project: 'secret', entity: 'ada' });
  const read = await api.graphql(
    '{ project(name: "secret", entityName: "ada") { run(name: "private") { config } } }',
    {},
    key,
  );
  expect(read).toMatchObject({ status: 200, data: { project: null } });
  const stream = await api.fileStream('ada/secret/private', {}, key);
  expect(stream.status).toBe(404);
});

test('a launch leaves the runs of other launches alone, but continues one that it was fixed to', async () => {
  const upsert = `mutation M($name: String) { upsertBucket(input: {name: $name, modelName: "demo", notes: "mine"}) { bucket { id } } }`;
  const first = await launched(undefined, 'fixed1');
  const made = await api.graphql<{ upsertBucket: { bucket: { id: string } } }>(upsert, { name: 'fixed1' }, first.key);
  const { id } = made.data.upsertBucket.bucket;
  expect((await api.fileStream('crew/demo/fixed1', { complete: true, exitcode: 1 }, first.key)).status).toBe(200);

  const other = await launched(undefined);
  expect((await api.graphql(upsert, { name: 'fixed1' }, other.key)).errors?.[0]?.message).toMatch(
    /belongs to another launch/,
  );
  expect((await api.fileStream('crew/demo/fixed1', {}, other.key)).status).toBe(403);
  for (const mutation of ['stopRun', 'deleteRun']) {
    const answer = await api.graphql(
      `mutation M($id: ID!) { ${mutation}(input: {id: $id}) { success } }`,
      { id },
      other.key,
    );
    expect(answer.errors?.[0]?.message).toMatch(/another launch|not that of this key/);
  }

  const again = await launched(undefined, 'fixed1');
  expect((await api.graphql(upsert, { name: 'fixed1' }, again.key)).errors).toBeUndefined();
  const stream = { files: { 'wandb-history.jsonl': { offset: 0, content: ['{"_step":0}'] } } };
  expect((await api.fileStream('crew/demo/fixed1', stream, again.key)).status).toBe(200);
  expect(await getRunOfLaunch(api.db, again.launchId)).toMatchObject({
    name: 'fixed1',
    state: 'running',
    notes: 'mine',
  });
});
