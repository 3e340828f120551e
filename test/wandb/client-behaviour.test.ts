import { afterAll, beforeAll, expect, test } from 'vitest';
import { getRun, type RunRecord } from '../../store/runs.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { newestWandb, runWandbScript } from '../support/wandb-clients.js';

let api: TrackingApi;
beforeAll(async () => {
  api = await startTrackingApi();
}, 120_000);
afterAll(() => api.close());

async function find(name: string): Promise<RunRecord | undefined> {
  const project = await api.db.selectFrom('project').select('id').where('name', '=', 'demo').executeTakeFirst();
  return project && getRun(api.db, project.id, name);
}

const patience = { timeout: 900_000 };
test('a wrong key and an unknown entity end init at once, with our sentence', patience, async () => {
  const script = 'import wandb\nwandb.init(project="demo", entity=__import__("os").environ.get("E") or None)\n';
  const key = await runWandbScript(newestWandb, script, { url: api.url, key: `davit_user-${'0'.repeat(40)}` });
  expect(key.code).not.toBe(0);
  expect(key.output).toMatch(/API key/i);
  const entity = await runWandbScript(newestWandb, script, api, { E: 'nobody-here' });
  expect(entity.code).not.toBe(0);
  expect(entity.output).toContain('no entity "nobody-here" that this key may see');
});

test('what Davit cannot do yet is said in one line, and the run goes on', patience, async () => {
  const script = `
import wandb
run = wandb.init(project="demo", id="artifact-try")
artifact = wandb.Artifact("model", type="model")
with artifact.new_file("weights.txt") as f:
    f.write("1")
try:
    run.log_artifact(artifact).wait()
except Exception as error:
    print("REFUSED", error)
run.log({"loss": 1})
run.finish()
`;
  const result = await runWandbScript(newestWandb, script, api);
  expect(result.code, result.output).toBe(0);
  expect(result.output).toMatch(/does not know it yet/);
  expect(await find('artifact-try')).toMatchObject({ state: 'finished', historyLines: 1 });
});
