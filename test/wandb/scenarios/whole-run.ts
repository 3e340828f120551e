import { expect } from 'vitest';
import { listRunFiles } from '../../../store/run-files.js';
import { readConsole, readHistory } from '../../../store/run-lines.js';
import { listRuns } from '../../../store/runs.js';
import type { Scenario } from './scenario.js';

const script = `
import math, sys, wandb
run = wandb.init(config={"lr": 0.1, "nested": {"layers": [1, 2], "name": "mlp"}, "odd": float("nan")},
                 tags=["a", "b"], notes="first try", group="g", job_type="train")
for step in range(50):
    run.log({"loss": 1 / (step + 1), "deep": {"acc": step / 50, "more": {"x": step}},
             "bad": float("nan") if step % 10 == 0 else float("inf"), "text": "é\\u2713 \\"quoted\\" NaN"})
print("hello from the run")
print("and a line on stderr", file=sys.stderr)
run.summary["best"] = 42
run.finish()
`;

export const wholeRunScenarios: Scenario[] = [
  {
    name: 'whole-run',
    promise:
      'A script that configures, logs, prints and sets its summary leaves a run with all of it, line by line, without a complaint.',
    async run({ api, project, python }) {
      const refusedBefore = api.refused.length;
      const result = await python(script);
      expect(result.complaints, result.output).toEqual([]);
      expect(api.refused.slice(refusedBefore)).toEqual([]);

      const all = (await listRuns(api.db, {}, { limit: 100 })).items;
      const run = all.find((found) => found.project === project);
      expect(run).toMatchObject({
        entity: 'ada',
        project,
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
    },
  },
];
