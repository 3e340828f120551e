import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listRunFiles } from '../../store/run-files.js';
import { readConsole, readHistory } from '../../store/run-lines.js';
import { listRuns } from '../../store/runs.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { runWandbScript, wandbVersions } from '../support/wandb-clients.js';

const script = `
import math, sys, wandb
run = wandb.init(project="demo", config={"lr": 0.1, "nested": {"layers": [1, 2], "name": "mlp"}, "odd": float("nan")},
                 tags=["a", "b"], notes="first try", group="g", job_type="train")
for step in range(50):
    run.log({"loss": 1 / (step + 1), "deep": {"acc": step / 50, "more": {"x": step}},
             "bad": float("nan") if step % 10 == 0 else float("inf"), "text": "é\\u2713 \\"quoted\\" NaN"})
print("hello from the run")
print("and a line on stderr", file=sys.stderr)
run.summary["best"] = 42
run.finish()
`;

let api: TrackingApi;
beforeAll(async () => {
  api = await startTrackingApi();
}, 120_000);
afterAll(() => api.close());

describe.each(wandbVersions)('wandb %s', (version) => {
  test('logs a whole run without a complaint', { timeout: 900_000 }, async () => {
    const before = new Set((await listRuns(api.db, {}, { limit: 100 })).items.map((run) => run.id));
    const refusedBefore = api.refused.length;
    const result = await runWandbScript(version, script, api);
    expect(result, result.output).toMatchObject({ code: 0, complaints: [] });
    expect(api.refused.slice(refusedBefore)).toEqual([]);

    const run = (await listRuns(api.db, {}, { limit: 100 })).items.find((found) => !before.has(found.id));
    expect(run).toMatchObject({
      entity: 'ada',
      project: 'demo',
      username: 'ada',
      state: 'finished',
      exitCode: 0,
      config: { lr: 0.1, nested: { layers: [1, 2], name: 'mlp' }, odd: null },
      tags: ['a', 'b'],
      notes: 'first try',
      group: 'g',
      jobType: 'train',
      historyLines: 50,
      launchId: null,
    });
    if (!run) return;
    expect(run.displayName).toMatch(/^[a-z]+-[a-z]+-\d+$/);
    expect(run.endedAt).toBeInstanceOf(Date);
    expect(run.rawConfig).toHaveProperty('_wandb');

    const history = await readHistory(api.db, run.id, { limit: 100 });
    expect(history.map((h) => h.line)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(history.map((h) => h.values['_step'])).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(history[10]?.values).toMatchObject({
      deep: { acc: 0.2, more: { x: 10 } },
      bad: 'NaN',
      text: 'é✓ "quoted" NaN',
    });
    expect(history[11]?.values['bad']).toBe('Infinity');
    expect(history[49]?.values['loss']).toBeCloseTo(0.02, 6);
    expect(run.summary).toMatchObject({ best: 42, deep: { acc: 0.98 } });
    expect(run.summary).not.toHaveProperty('_wandb');

    const console = await readConsole(api.db, run.id, { limit: 1000 });
    expect(console.find((l) => l.text.includes('hello from the run'))).toMatchObject({ level: 'info' });
    expect(console.find((l) => l.text.includes('and a line on stderr'))).toMatchObject({ level: 'error' });

    const files = await listRunFiles(api.db, run.id);
    const names = files.map((f) => f.name);
    expect(names).toEqual(expect.arrayContaining(['wandb-metadata.json', 'requirements.txt', 'config.yaml']));
    expect(files.every((f) => f.size > 0)).toBe(true);
  });
});
