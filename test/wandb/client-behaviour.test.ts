import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requestRunStop } from '../../store/run-life.js';
import { readHistory } from '../../store/run-lines.js';
import { getRun, type RunRecord } from '../../store/runs.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { until } from '../support/until.js';
import { newestWandb, runWandbScript, startWandbScript, wandbVersions } from '../support/wandb-clients.js';

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
const resuming = `
import sys, wandb
run = wandb.init(project="demo", id=sys.argv[1] if len(sys.argv) > 1 else None, config={"from": "script"})
print("resumed", run.resumed)
for _ in range(3):
    run.log({"loss": 1.0})
run.finish()
`;

describe.each(wandbVersions)('wandb %s', (version) => {
  const id = `resume-${version.replaceAll('.', '-')}`;
  const start = (resume: string, runId: string) =>
    runWandbScript(version, resuming, api, { WANDB_RUN_ID: runId, ...(resume ? { WANDB_RESUME: resume } : {}) });

  test('resume: must wants a run, never wants none, allow and auto go on where it ended', patience, async () => {
    const missing = await start('must', id);
    expect(missing.code, missing.output).not.toBe(0);
    expect(await find(id)).toBeUndefined();

    const first = await start('never', id);
    expect(first, first.output).toMatchObject({ code: 0, complaints: [] });
    expect(first.output).toContain('resumed False');

    const never = await start('never', id);
    expect(never.code, never.output).not.toBe(0);
    expect(await find(id)).toMatchObject({ historyLines: 3, state: 'finished' });

    const must = await start('must', id);
    expect(must, must.output).toMatchObject({ code: 0 });
    expect(must.output).toContain('resumed True');
    const allow = await start('allow', id);
    expect(allow, allow.output).toMatchObject({ code: 0 });
    const run = await find(id);
    expect(run).toMatchObject({ state: 'finished', historyLines: 9, exitCode: 0 });
    const steps = (await readHistory(api.db, run?.id ?? 0, { limit: 100 })).map((h) => h.values['_step']);
    expect(steps).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('a script that fails has a failed run with its exit code', patience, async () => {
    const name = `fail-${version.replaceAll('.', '-')}`;
    const script = `
import sys, wandb
run = wandb.init(project="demo")
run.log({"loss": 1})
sys.exit(3)
`;
    const result = await runWandbScript(version, script, api, { WANDB_RUN_ID: name });
    expect(result.code, result.output).toBe(3);
    expect(await find(name)).toMatchObject({ state: 'failed', exitCode: 3, historyLines: 1 });
  });
});

// At once: the client itself looks for a stop each 15 s only.
describe.concurrent.each(wandbVersions)('wandb %s', (version) => {
  test('a run that is asked to stop is interrupted', patience, async () => {
    const name = `stop-${version.replaceAll('.', '-')}`;
    const script = `
import time, wandb
run = wandb.init(project="demo")
try:
    while True:
        run.log({"t": time.time()})
        time.sleep(0.2)
except KeyboardInterrupt:
    print("interrupted as asked")
    raise
`;
    const running = await startWandbScript(version, script, api, { WANDB_RUN_ID: name });
    const run = await until(
      async () => {
        const found = await find(name);
        return found && found.historyLines > 0 ? found : undefined;
      },
      { what: 'the first lines', ms: 60_000 },
    );
    await requestRunStop(api.db, run.id);
    const result = await running.done;
    expect(result.output).toContain('interrupted as asked');
    expect(result.code).not.toBe(0);
    expect(await find(name)).toMatchObject({ state: 'killed' });
  });
});

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
