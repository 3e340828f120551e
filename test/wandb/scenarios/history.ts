import { expect } from 'vitest';
import type { Scenario } from './scenario.js';

/** The program prints one JSON text a line behind a mark; what the client itself prints is in between. */
const helpers = `
import json, time, wandb

def show(name, value):
    print("@@" + json.dumps([name, value]), flush=True)

def pathOf(run):
    return run.path if isinstance(run.path, str) else "/".join(run.path)

def attribute(run, name):
    run.load(force=True)
    return run._attrs[name]
`;

/** What a program showed, by name. */
export function shownIn(output: string): Record<string, unknown> {
  const lines = output.split('\n').flatMap((line) => {
    const at = line.indexOf('@@[');
    return at < 0 ? [] : [JSON.parse(line.slice(at + 2)) as [string, unknown]];
  });
  return Object.fromEntries(lines);
}

const logAndRead = `${helpers}
run = wandb.init()
run.define_metric("epoch")
run.define_metric("val/*", step_metric="epoch")
run.define_metric("best", summary="min")
run.define_metric("worst", summary="max")
for step in range(1200):
    row = {"loss": 1 / (step + 1), "deep": {"acc": step, "more": {"x": -step}}}
    row["best"] = row["worst"] = abs(600 - step)
    if step % 100 == 0:
        row["epoch"] = step // 100
        row["val/acc"] = step / 1200
    if step % 10 == 3:
        row["odd"] = [float("nan"), float("inf"), float("-inf")][step // 10 % 3]
    row["word"] = "w%d" % step
    # Steps of the script's own, with holes.
    run.log(row, step=step * 2)
run.log({"half": 1}, step=5000, commit=False)
run.log({"whole": 2}, step=5000)
run.summary["mine"] = {"nested": [1, 2]}
path = pathOf(run)
run.finish()

r = wandb.Api().run(path)
show("keys", attribute(r, "historyKeys"))
show("last", r.lastHistoryStep)
show("summary", {k: r.summary.get(k) for k in ("loss", "half", "whole")})
show("mine", list(r.summary["mine"]["nested"]))
show("best", [r.summary["best"]["min"], r.summary["worst"]["max"]])
show("sampled", [row["_step"] for row in r.history(samples=50, pandas=False)])
show("keyed", r.history(keys=["loss", "deep.acc"], samples=5000, pandas=False)[:3])
show("few", len(r.history(keys=["deep.more.x"], samples=11, pandas=False)))
show("by-epoch", r.history(keys=["val/acc"], x_axis="epoch", pandas=False))
show("odd", [str(row["odd"]).lower() for row in r.history(keys=["odd"], pandas=False)[:3]])
scan = list(r.scan_history())
show("scan", [len(scan), scan[0]["_step"], scan[-1].get("half"), scan[-1].get("whole"), scan[7]["deep"]])
show("scan-keys", [sum(row["loss"] for row in r.scan_history(keys=["loss"], page_size=377)),
                   [row["_step"] for row in r.scan_history(keys=["val/acc", "_step"], page_size=500)]])
show("scan-range", [row["_step"] for row in r.scan_history(min_step=100, max_step=110, page_size=3)])
show("scan-key-range", [row["loss"] for row in r.scan_history(keys=["loss"], min_step=100, max_step=110, page_size=4)])
`;

const manyKeys = `${helpers}
run = wandb.init()
for step in range(3):
    run.log({"key%d" % k: k + step for k in range(20000)})
path = pathOf(run)
run.finish()
r = wandb.Api().run(path)
show("first", r.history(keys=["key7"], pandas=False))
show("last", r.history(keys=["key19999"], pandas=False))
show("width", [len(row) > 20000 for row in r.scan_history()])
# 0.31 may wait for its helper process for ever when a large answer is still on its way to a program that ends.
__import__("os")._exit(0)
`;

const system = `${helpers}
run = wandb.init(settings=wandb.Settings(x_stats_sampling_interval=0.1))
for step in range(30):
    run.log({"loss": step})
    time.sleep(0.1)
path = pathOf(run)
run.finish()
r = wandb.Api().run(path)
rows = r.history(stream="events", pandas=False)
show("rows", len(rows))
show("keys", sorted({key for row in rows for key in row}))
metrics = attribute(r, "systemMetrics")
show("metrics", sorted(json.loads(metrics) if isinstance(metrics, str) else metrics))
`;

const close = (value: number) => expect.closeTo(value, 6) as number;

export const historyScenarios: Scenario[] = [
  {
    name: 'history',
    promise:
      'What a script logged comes back as it was: sampled, by key, whole or by ranges of steps, with the summary it defined.',
    async run({ api, python }) {
      const refusedBefore = api.refused.length;
      const result = await python(logAndRead);
      expect(result.complaints, result.output).toEqual([]);
      expect(api.refused.slice(refusedBefore)).toEqual([]);
      const shown = shownIn(result.output);
      expect(shown['last'], result.output).toBe(5000);
      const { keys } = shown['keys'] as { keys: Record<string, { typeCounts: { type: string; count: number }[] }> };
      expect(keys['deep.more.x']?.typeCounts).toEqual([{ type: 'number', count: 1200 }]);
      expect(keys['odd']?.typeCounts).toEqual([{ type: 'number', count: 120 }]);
      expect(keys['word']?.typeCounts).toEqual([{ type: 'string', count: 1200 }]);
      expect(shown['summary']).toEqual({ loss: close(1 / 1200), half: 1, whole: 2 });
      expect(shown['mine']).toEqual([1, 2]);
      expect(shown['best']).toEqual([0, 600]);

      const steps = shown['sampled'] as number[];
      expect(steps).toHaveLength(50);
      expect([steps[0], steps.at(-1)]).toEqual([0, 5000]);
      expect([...steps].sort((a, b) => a - b)).toEqual(steps);
      expect(shown['keyed']).toEqual(
        [0, 1, 2].map((step) => ({ _step: step * 2, loss: close(1 / (step + 1)), 'deep.acc': step })),
      );
      expect(shown['few']).toBe(11);
      expect(shown['by-epoch']).toEqual(
        Array.from({ length: 12 }, (_, epoch) => ({ epoch, 'val/acc': close(epoch / 12) })),
      );
      expect(shown['odd']).toEqual(['nan', 'infinity', '-infinity']);
      expect(shown['scan']).toEqual([1201, 0, 1, 2, { acc: 7, more: { x: -7 } }]);
      const harmonic = Array.from({ length: 1200 }, (_, step) => 1 / (step + 1)).reduce((a, b) => a + b);
      expect(shown['scan-keys']).toEqual([close(harmonic), Array.from({ length: 12 }, (_, epoch) => epoch * 200)]);
      expect(shown['scan-range']).toEqual([100, 102, 104, 106, 108]);
      expect(shown['scan-key-range']).toEqual([50, 51, 52, 53, 54].map((step) => close(1 / (step + 1))));
    },
  },
  {
    name: 'history-many-keys',
    promise: 'A run that logs tens of thousands of different keys is kept and read like any other.',
    async run({ python }) {
      const result = await python(manyKeys);
      expect(result.complaints, result.output).toEqual([]);
      const shown = shownIn(result.output);
      expect(shown['first'], result.output).toEqual([0, 1, 2].map((step) => ({ _step: step, key7: 7 + step })));
      expect(shown['last']).toEqual([0, 1, 2].map((step) => ({ _step: step, key19999: 19999 + step })));
      expect(shown['width']).toEqual([true, true, true]);
    },
  },
  {
    name: 'system-metrics',
    promise: 'What the client measures of its machine is there as history of its own and as last values.',
    async run({ python }) {
      const result = await python(system);
      expect(result.complaints, result.output).toEqual([]);
      const shown = shownIn(result.output);
      expect(shown['rows'], result.output).toBeGreaterThan(0);
      expect(shown['keys']).toEqual(expect.arrayContaining(['_runtime', 'system.cpu']));
      expect(shown['metrics']).toEqual(expect.arrayContaining(['system.cpu']));
    },
  },
];
