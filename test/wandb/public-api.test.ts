import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { newestWandb, runWandbScript, wandbVersions } from '../support/wandb-clients.js';

const write = `
import wandb
run = wandb.init(project="demo", id="readme", config={"lr": 0.1}, tags=["t"], notes="n")
for step in range(1200):
    run.log({"loss": 1 / (step + 1), "deep": {"x": step}, **({"rare": step} if step % 100 == 0 else {})})
print("printed line")
open("model.txt", "w").write("weights")
run.save("model.txt")
run.finish()
`;
const read = `
import json, wandb
api = wandb.Api()
run = api.run("ada/demo/readme")
out = {
    "name": run.id, "state": run.state, "config": dict(run.config), "loss": run.summary["loss"], "tags": run.tags, "lastStep": run.lastHistoryStep,
    "sampled": len(run.history(samples=100, pandas=False)), "keys": sorted(run.history(samples=5, pandas=False)[0].keys()),
    "rare": [row["rare"] for row in run.history(keys=["rare"], pandas=False)],
    "scan": [row["_step"] for row in run.scan_history(page_size=500)] == list(range(1200)),
    "scan_keys": [row["rare"] for row in run.scan_history(keys=["rare"])],
    "slice": [row["_step"] for row in run.scan_history(min_step=5, max_step=8)],
    "files": sorted(f.name for f in run.files()),
    "runs": [r.id for r in api.runs("ada/demo")],
    "projects": [p.name for p in api.projects("ada")],
    "viewer": api.viewer.username, "entity": api.default_entity,
}
run.file("model.txt").download(root="got", replace=True)
out["file"] = open("got/model.txt").read()
try:
    api.run("ada/demo/nothing")
except Exception as error:
    out["missing"] = type(error).__name__
run.notes = "edited"
run.config["lr"] = 0.2
run.update()
run.summary["best"] = 7
run.summary.update()
print("OUT" + json.dumps(out))
`;

let api: TrackingApi;
beforeAll(async () => {
  api = await startTrackingApi();
  const made = await runWandbScript(newestWandb, write, api);
  expect(made.code, made.output).toBe(0);
}, 900_000);
afterAll(() => api.close());

describe.each(wandbVersions)('wandb %s', (version) => {
  test('wandb.Api reads what a run logged, and edits it', { timeout: 900_000 }, async () => {
    const result = await runWandbScript(version, read, api);
    expect(result.code, result.output).toBe(0);
    const out = JSON.parse(/^OUT(.*)$/m.exec(result.output)?.[1] ?? '{}') as Record<string, unknown>;
    const rare = Array.from({ length: 12 }, (_, i) => i * 100);
    expect(out).toMatchObject({
      name: 'readme',
      state: 'finished',
      tags: ['t'],
      lastStep: 1199,
      sampled: 100,
      rare,
      scan: true,
      scan_keys: rare,
      slice: [5, 6, 7],
      runs: ['readme'],
      projects: ['demo'],
      viewer: 'ada',
      entity: 'ada',
      file: 'weights',
    });
    expect(out['loss']).toBeCloseTo(1 / 1200, 6);
    expect(out['keys']).toEqual(expect.arrayContaining(['_step', 'loss']));
    expect(out['files']).toEqual(expect.arrayContaining(['model.txt', 'config.yaml', 'wandb-metadata.json']));
    expect(out['missing']).toMatch(/CommError|ValueError|RunNotFound/);
    const edited = await api.graphql<{
      project: { run: { notes: string; config: string; summaryMetrics: string; state: string } };
    }>('{ project(name: "demo") { run(name: "readme") { notes config summaryMetrics state } } }');
    expect(edited.data.project.run).toMatchObject({ notes: 'edited', state: 'finished' });
    expect(JSON.parse(edited.data.project.run.config)).toMatchObject({ lr: { value: 0.2 } });
    expect(JSON.parse(edited.data.project.run.summaryMetrics)).toMatchObject({ best: 7 });
    expect(api.refused).toEqual([]);
  });
});
