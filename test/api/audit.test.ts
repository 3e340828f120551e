import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sweepClient, type SweepClient } from '../support/sweep-client.js';
import { wandbRequests } from '../support/wandb-requests.js';
import { startTestApi, type TestApi } from './support/api.js';

/** The audit trail tells of every change: one that it could not take has not happened. */

let api: TestApi;
let requests: ReturnType<typeof wandbRequests>;
let client: SweepClient;
beforeAll(async () => {
  api = await startTestApi();
  requests = wandbRequests(api.url, api.keys.ada);
  client = sweepClient(requests, 'demo');
});
afterAll(() => api.close());

const random = 'method: random\nparameters: {a: {min: 0.0, max: 1.0}}';

/** The rows of what these requests change, and the trail. Signs of life may move meanwhile. */
async function rows(): Promise<unknown> {
  const tables = ['project', 'sweep', 'sweep_set', 'run', 'run_alert', 'custom_chart', 'audit'] as const;
  const all: Record<string, unknown> = {};
  for (const table of tables) {
    const { rows } = await sql<{ row: Record<string, unknown> }>`
      select to_jsonb(t) - 'heartbeat_at' as row from ${sql.table(table)} t order by to_jsonb(t)::text`.execute(api.db);
    all[table] = rows.map(({ row }) => row);
  }
  return all;
}

async function whileTheTrailTakesNothing<T>(work: () => Promise<T>): Promise<T> {
  await sql`alter table audit add constraint takes_nothing check (false) not valid`.execute(api.db);
  try {
    return await work();
  } finally {
    await sql`alter table audit drop constraint takes_nothing`.execute(api.db);
  }
}

async function newRun(name: string): Promise<string> {
  const { data } = await requests.graphql<{ upsertBucket: { bucket: { id: string } } }>(
    'mutation M($n: String) { upsertBucket(input: {name: $n, modelName: "demo"}) { bucket { id } } }',
    { n: name },
  );
  return data.upsertBucket.bucket.id;
}

const byRest = async (path: string): Promise<boolean> => (await api.call('POST', path)).status === 200;
const byGraphql = async (input: string, variables: Record<string, unknown> = {}): Promise<boolean> => {
  const types = { id: 'ID!' } as Record<string, string>;
  const declared = Object.keys(variables).map((name) => `$${name}: ${types[name] ?? 'String!'}`);
  const answer = await requests.graphql(
    `mutation M${declared.length ? `(${declared.join()})` : ''} { ${input} }`,
    variables,
  );
  return answer.status === 200 && answer.errors === undefined;
};

type Change = [action: string, prepare: () => Promise<() => Promise<boolean>>];
const ofSweep =
  (change: (sweep: { id: string; name: string }) => Promise<boolean>): Change[1] =>
  async () => {
    const sweep = await client.create(random);
    return () => change(sweep);
  };
const ofRun =
  (name: string, change: (id: string) => Promise<boolean>): Change[1] =>
  async () => {
    const id = await newRun(name);
    return () => change(id);
  };

const changes: Change[] = [
  [
    'sweep.create',
    () =>
      Promise.resolve(() =>
        byGraphql(`upsertSweep(input: {projectName: "demo", config: ${JSON.stringify(random)}}) { sweep { id } }`),
      ),
  ],
  ['sweep.state', ofSweep(({ name }) => byRest(`/entities/ada/projects/demo/sweeps/${name}/pause`))],
  [
    'sweep.state',
    ofSweep(({ id }) => byGraphql('upsertSweep(input: {id: $id, state: "CANCELED"}) { inserted }', { id })),
  ],
  [
    'sweep.update',
    ofSweep(({ id }) => byGraphql('upsertSweep(input: {id: $id, displayName: "new"}) { inserted }', { id })),
  ],
  ['sweep.enqueue', ofSweep(({ id }) => byGraphql('enqueueSweepRun(input: {id: $id, config: "{}"}) { id }', { id }))],
  ['run.stop', ofRun('stopped', (id) => byGraphql('stopRun(input: {id: $id}) { success }', { id }))],
  [
    'run.state',
    ofRun('lost', (id) => byGraphql('updateRunState(input: {id: $id, state: "failed"}) { success }', { id })),
  ],
  ['run.delete', ofRun('deleted', (id) => byGraphql('deleteRun(input: {id: $id}) { success }', { id }))],
  [
    'run.alert',
    ofRun('loud', () =>
      byGraphql(
        'notifyScriptableRunAlert(input: {entityName: "ada", projectName: "demo", runName: "loud", title: "t", text: "x"}) { success }',
      ),
    ),
  ],
  [
    'chart.create',
    () => Promise.resolve(() => byGraphql('createCustomChart(input: {entity: "ada", name: "roc"}) { chart { id } }')),
  ],
  [
    'project.create',
    () => Promise.resolve(() => byGraphql('upsertModel(input: {entityName: "ada", name: "new"}) { inserted }')),
  ],
];

test.each(changes)(
  '%s leaves nothing behind when its audit event cannot be kept, and both when it can',
  async (action, prepare) => {
    const change = await prepare();
    const before = await rows();
    expect(await whileTheTrailTakesNothing(change)).toBe(false);
    expect(await rows()).toEqual(before);

    expect(await change()).toBe(true);
    expect(await rows()).not.toEqual(before);
    const last = await api.db.selectFrom('audit').select(['actor', 'action']).orderBy('id', 'desc').executeTakeFirst();
    expect(last).toEqual({ actor: 'ada', action });
  },
);
