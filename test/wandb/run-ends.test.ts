import { afterAll, beforeAll, expect, test } from 'vitest';
import { listAudit } from '../../store/audit.js';
import { createUser } from '../../store/entities.js';
import { issueKey } from '../../store/keys.js';
import { listAlerts } from '../../store/run-alerts.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';

let api: TrackingApi;
let foreignKey: string;
beforeAll(async () => {
  api = await startTrackingApi();
  const { userId } = await createUser(api.db, { username: 'eve' });
  foreignKey = (await issueKey(api.db, { kind: 'user', userId })).key;
});
afterAll(() => api.close());

async function newRun(name: string, sweep?: string): Promise<string> {
  const answer = await api.graphql<{ upsertBucket: { bucket: { id: string } } }>(
    'mutation M($n: String, $s: String) { upsertBucket(input: {name: $n, modelName: "ends", host: "vm", sweep: $s}) { bucket { id } } }',
    { n: name, s: sweep ?? null },
  );
  expect(answer.errors).toBeUndefined();
  return answer.data.upsertBucket.bucket.id;
}
const post = (run: string, body: unknown) => api.fileStream(`ada/ends/${run}`, body);
async function stateOf(name: string) {
  const answer = await api.graphql<{ project: { run: { state: string } | null } }>(
    'query Q($n: String) { project(name: "ends") { run(name: $n) { state } } }',
    { n: name },
  );
  return answer.data.project.run?.state;
}
const setState = (id: string, state: string, key?: string) =>
  api.graphql(
    'mutation UpdateRunState($input: UpdateRunStateInput!) { updateRunState(input: $input) { success } }',
    { input: { id, state } },
    key,
  );

test('a lost run can be set to pending or failed, and nothing else can be set', async () => {
  const id = await newRun('lost');
  expect((await setState(id, 'pending')).data).toEqual({ updateRunState: { success: true } });
  expect(await stateOf('lost')).toBe('pending');
  expect((await setState(id, 'failed')).data).toEqual({ updateRunState: { success: true } });
  expect(await stateOf('lost')).toBe('failed');
  for (const state of ['finished', 'running', '']) expect((await setState(id, state)).errors).toHaveLength(1);
  await post('lost', { complete: true, exitcode: 0 });
  expect((await setState(id, 'failed')).errors?.[0]?.message).toMatch(/is finished cannot be set/);
  const ofSweep = await newRun('swept', 'sweep1');
  expect((await setState(ofSweep, 'failed')).errors?.[0]?.message).toMatch(/sweep/);
});

test('a pending run that its process takes up runs', async () => {
  const id = await newRun('waits');
  await setState(id, 'pending');
  await post('waits', {});
  expect(await stateOf('waits')).toBe('running');
});

test('an alert is kept once within its waiting time, and another one at once', async () => {
  await newRun('loud');
  const alert = (title: string, text: string, waitDuration: number | null) =>
    api.graphql(
      `mutation NotifyScriptableRunAlert($title: String!, $text: String!, $severity: AlertSeverity = INFO, $waitDuration: Duration) {
        notifyScriptableRunAlert(input: {entityName: "ada", projectName: "ends", runName: "loud", title: $title, text: $text, severity: $severity, waitDuration: $waitDuration}) { success } }`,
      { title, text, waitDuration },
    );
  for (const [title, text, wait] of [
    ['high', '1', 3600_000],
    ['high', '2', 3600_000],
    ['low \u0000', '3', null],
    ['low \u0000', '4', 0],
  ] as const)
    expect((await alert(title, text, wait)).data).toEqual({ notifyScriptableRunAlert: { success: true } });
  const { id } = await api.db.selectFrom('run').select('id').where('name', '=', 'loud').executeTakeFirstOrThrow();
  const kept = await listAlerts(api.db, id, 10);
  expect(kept.map((a) => [a.title, a.text])).toEqual([
    ['low \ufffd', '4'],
    ['low \ufffd', '3'],
    ['high', '1'],
  ]);
});

test('a custom chart is kept under its name, and the same again changes nothing', async () => {
  const chart = (spec: string, key?: string) =>
    api.graphql<{ createCustomChart: { chart: { id: string } } }>(
      `mutation CreateCustomChart($entity: String!, $name: String!, $displayName: String!, $type: String!, $access: String!, $spec: JSONString!) {
        createCustomChart(input: {entity: $entity, name: $name, displayName: $displayName, type: $type, access: $access, spec: $spec}) { chart { id } } }`,
      { entity: 'ada', name: 'roc', displayName: 'ROC', type: 'vega2', access: 'private', spec },
      key,
    );
  const first = await chart('{"a":1}');
  expect(first.errors).toBeUndefined();
  expect((await chart('{"a":1}')).data).toEqual(first.data);
  expect((await chart('{"a":2}')).data).toEqual(first.data);
  const made = (await listAudit(api.db, {}, { limit: 1000 })).filter((entry) => entry.action === 'chart.create');
  expect(made).toHaveLength(2);
  expect((await chart('{}', foreignKey)).errors?.[0]?.message).toMatch(/no entity "ada"/);
});

test('who may not see a run can neither end nor change it, and hears that there is none', async () => {
  const id = await newRun('guarded');
  const asked = [
    await setState(id, 'failed', foreignKey),
    await api.graphql('mutation M($id: ID!) { stopRun(input: {id: $id}) { success } }', { id }, foreignKey),
    await api.graphql('mutation M($id: ID!) { deleteRun(input: {id: $id}) { success } }', { id }, foreignKey),
    await api.graphql(
      'mutation M { rewindRun(input: {runName: "guarded", entityName: "ada", projectName: "ends", metricName: "_step", metricValue: 0}) { rewoundRun { id } } }',
      {},
      foreignKey,
    ),
    await api.graphql(
      'mutation M { notifyScriptableRunAlert(input: {entityName: "ada", projectName: "ends", runName: "guarded", title: "t", text: "x"}) { success } }',
      {},
      foreignKey,
    ),
  ];
  for (const answer of asked) {
    expect(answer.status).toBe(200);
    expect(answer.errors?.[0]?.message).toMatch(/There is no run "ada\/ends\/guarded" that this key may see/);
  }
  expect(await stateOf('guarded')).toBe('running');
});

test('a deleted run is gone, and its stream is told so', async () => {
  const id = await newRun('deleted');
  const answer = await api.graphql(
    'mutation DeleteRun($id: ID!, $a: Boolean) { deleteRun(input: {id: $id, deleteArtifacts: $a}) { clientMutationId } }',
    { id, a: true },
  );
  expect(answer.data).toEqual({ deleteRun: { clientMutationId: null } });
  expect(await stateOf('deleted')).toBeUndefined();
  expect((await post('deleted', {})).status).toBe(404);
});
