import { readFile } from 'node:fs/promises';
import { parquetReadObjects } from 'hyparquet';
import { expect } from 'vitest';
import type { TrackingApi } from '../../support/tracking-api.js';
import { until } from '../../support/until.js';
import { shownIn } from './history.js';
import type { Scenario } from './scenario.js';

/** Of each scan the rows, JSON text a line behind a mark. Before 0.28 reading by files has a name of its own. */
const helpers = `
import inspect, json, math, os, pathlib, wandb

def show(name, value):
    print("@@" + json.dumps([name, value]), flush=True)

def scan(run, **options):
    by_files = "use_cache" in inspect.signature(run.scan_history).parameters
    return list((run.scan_history if by_files else run.beta_scan_history)(**options))

def fetch(run, folder):
    from wandb.apis.public.runhistory import IncompleteRunHistoryError
    try:
        found = run.download_history_exports(folder)
    except IncompleteRunHistoryError:
        return "incomplete"
    assert not found.errors and not found.contains_live_data, found
    return sorted(str(path) for path in found.paths)

def log(run, first, last):
    for n in range(first, last):
        run.log({"loss": 1 / (n + 1), "odd": [math.nan, math.inf, -math.inf, 7][n % 4], "whole": n}, step=2 * n)

def open_run(name):
    return wandb.Api().run(os.environ["WANDB_PROJECT"] + "/" + name)
`;

const logFirst = `${helpers}
run = wandb.init(id="dense")
log(run, 0, 2500)
show("running", fetch(open_run("dense"), "running"))
run.finish()
`;

const readAll = `${helpers}
run = open_run("dense")
rows = scan(run)
show("keys", sorted({key for row in rows for key in row}))
show("rows", [[row["_step"], row["loss"], row["whole"], str(row["odd"]).lower()] for row in rows])
show("pages", [[row["_step"], row["loss"]] for row in scan(run, keys=["loss"], page_size=377)])
show("two", [[row["_step"], row["loss"], row["whole"]] for row in scan(run, keys=["whole", "loss"], use_cache=False)])
show("range", [row["_step"] for row in scan(run, min_step=100, max_step=110, page_size=3)])
show("fetched", fetch(run, "fetched"))
# 0.31 may wait for its helper process for ever when a large answer is still on its way to a program that ends.
os._exit(0)
`;

const goOn = `${helpers}
run = wandb.init(id="dense", resume="must")
log(run, 2500, 2600)
run.finish()
`;

const sparse = `${helpers}
run = wandb.init(id="sparse")
for n in range(300):
    run.log({"loss": n, "deep": {"acc": n}, **({"rare": n} if n % 100 == 0 else {})})
run.finish()
run = open_run("sparse")
show("rows", [[row["_step"], row["deep"]] for row in scan(run)][:2])
show("rare", [[row["_step"], row["rare"]] for row in scan(run, keys=["rare"])])
show("deep", len(scan(run, keys=["deep.acc"])))
show("fetched", fetch(run, "fetched"))
os._exit(0)
`;

const close = (value: number) => expect.closeTo(value, 9) as number;
const odd = ['nan', expect.stringMatching(/^inf/) as string, expect.stringMatching(/^-inf/) as string, '7'];
const range = (until: number): number[] => Array.from({ length: until }, (_, i) => i);
const reads = 'it has no way to read histories from files';

/** Whoever asks first waits for the file only so long, and a busy machine may take longer. */
const untilMade = (api: TrackingApi, project: string): Promise<boolean> =>
  until(
    async () => {
      const { data } = await api.graphql<{ project: { run: { parquetHistory: { parquetUrls: string[] } } } }>(
        'query Q($p: String) { project(name: $p, entityName: "ada") { run(name: "dense") { parquetHistory(liveKeys: ["_step"]) { parquetUrls } } } }',
        { p: project },
      );
      return data.project.run.parquetHistory.parquetUrls.length > 0;
    },
    { what: 'the file of the history', ms: 120_000, everyMs: 100 },
  );

/** What the programs show of the first `count` steps. */
function expectAll(shown: Record<string, unknown>, count: number): void {
  expect(shown['keys']).toEqual(['_runtime', '_step', '_timestamp', 'loss', 'odd', 'whole']);
  expect(shown['rows']).toEqual(range(count).map((n) => [2 * n, close(1 / (n + 1)), n, odd[n % 4]]));
  expect(shown['pages']).toEqual(range(count).map((n) => [2 * n, close(1 / (n + 1))]));
  expect(shown['two']).toEqual(range(count).map((n) => [2 * n, close(1 / (n + 1)), n]));
  expect(shown['range']).toEqual([100, 102, 104, 106, 108]);
}

export const historyFileScenarios: Scenario[] = [
  {
    name: 'history-files',
    promise:
      'The history of an ended run is read and downloaded as files, every row once, also after the run went on and with what the client kept.',
    unavailable: { '0.19.11': reads, '0.22.3': reads },
    async run({ api, python, folder, project }) {
      const pagesRead = () => api.requests.filter((request) => request === 'POST /graphql').length;
      const filesRead = () => api.requests.filter((request) => request.includes('/blobs/history/')).length;
      const refused = api.refused.length;

      const logged = await python(logFirst);
      expect(logged.complaints, logged.output).toEqual([]);
      // A run that still logs has no complete history, and nobody is told that it had.
      expect(shownIn(logged.output)['running'], logged.output).toBe('incomplete');

      for (const [count, files] of [
        [2500, 1],
        [2600, 2],
      ] as const) {
        await untilMade(api, project);
        const before = { pages: pagesRead(), files: filesRead() };
        const read = await python(readAll);
        expect(read.complaints, read.output).toEqual([]);
        const shown = shownIn(read.output);
        expectAll(shown, count);
        // Pages of 377 steps would be many requests.
        expect(pagesRead() - before.pages).toBeLessThan(30);
        expect(filesRead()).toBeGreaterThan(before.files);
        const paths = shown['fetched'] as string[];
        expect(paths).toHaveLength(files);
        const rows = [];
        for (const path of paths) {
          const bytes = await readFile(path.startsWith('/') ? path : `${folder}/${path}`);
          rows.push(...(await parquetReadObjects({ file: new Uint8Array(bytes).buffer })));
        }
        expect(rows.map(({ _step, whole }) => [Number(_step), whole])).toEqual(range(count).map((n) => [2 * n, n]));
        if (count === 2500) {
          const more = await python(goOn);
          expect(more.complaints, more.output).toEqual([]);
        }
      }
      expect(api.refused.slice(refused)).toEqual([]);
    },
  },
  {
    name: 'history-by-pages',
    promise:
      'A history that files would not tell rightly (keys that are not in every row, nested ones) is read as it was logged.',
    unavailable: { '0.19.11': reads, '0.22.3': reads },
    async run({ python }) {
      const read = await python(sparse);
      expect(read.complaints, read.output).toEqual([]);
      const shown = shownIn(read.output);
      expect(shown['rows'], read.output).toEqual([
        [0, { acc: 0 }],
        [1, { acc: 1 }],
      ]);
      expect(shown['rare']).toEqual([0, 100, 200].map((n) => [n, n]));
      expect(shown['deep']).toBe(300);
      // Said, where before nothing was downloaded without a word.
      expect(shown['fetched']).toBe('incomplete');
    },
  },
];
