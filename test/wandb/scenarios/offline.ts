import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { listRunFiles } from '../../../store/run-files.js';
import { readConsole, readHistory } from '../../../store/run-lines.js';
import { mediaPackages } from '../../support/media-packages.js';
import type { ScenarioContext, Scenario } from './scenario.js';
import { runIn } from './stored.js';

const training = `
import os, sys, wandb
run = wandb.init(id=os.environ.get("RUN", "offline1"), config={"lr": 0.5}, tags=["a"], notes="no network", name="shown name")
for step in range(30): run.log({"loss": 1 / (step + 1), "deep": {"acc": step}})
print("printed offline")
with open("kept.txt", "w") as file: file.write("kept")
run.save("kept.txt", policy="now")
run.summary["best"] = 7
run.finish()
`;

/** That a file of another folder is linked, not copied: a hint, not a complaint. */
const isComplaint = (line: string) => !line.includes('Symlinked');
const offline = { WANDB_MODE: 'offline' };

async function offlineRuns(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, 'wandb'));
  return names.filter((name) => name.startsWith('offline-run-')).map((name) => join(folder, 'wandb', name));
}

/** The mark by which a client knows what it has sent; what options say so differs from version to version. */
async function forgetSync(runs: string[]): Promise<void> {
  for (const run of runs)
    for (const name of await readdir(run)) if (name.endsWith('.synced')) await rm(join(run, name));
}

/** What was logged offline, as if it had been online. */
async function expectWhole({ api, project }: ScenarioContext, name: string) {
  const run = await runIn(api, project, name);
  expect(run).toMatchObject({ config: { lr: 0.5 }, tags: ['a'], notes: 'no network', historyLines: 30 });
  const history = await readHistory(api.db, run.id, { limit: 100 });
  expect(history.map((line) => line.values['_step'])).toEqual(Array.from({ length: 30 }, (_, i) => i));
  expect(history[29]?.values).toMatchObject({ deep: { acc: 29 } });
  return run;
}

const logging = `
import wandb
with open("small.txt", "w") as file: file.write("small")
with open("large.bin", "wb") as file: file.write(bytes(range(256)) * 4096)
with wandb.init(id="made") as run:
    made = wandb.Artifact("set", type="dataset", metadata={"rows": 2})
    for name in ("small.txt", "large.bin"): made.add_file(name)
    run.log_artifact(made, aliases=["kept"])
    run.log({"table": wandb.Table(columns=["a"], data=[[1], [2]])})
`;
const fetching = `
import os, wandb
got = wandb.Api().artifact(os.environ["WANDB_PROJECT"] + "/set:kept")
root = got.download(root="got")
got.verify(root=root)
print("bytes", os.path.getsize(root + "/large.bin"), open(root + "/small.txt").read(), got.metadata, got.logged_by().id)
table = [each for each in wandb.Api().run(os.environ["WANDB_PROJECT"] + "/made").logged_artifacts() if each.type == "run_table"]
print("tables", [len(each.get("table").data) for each in table])
`;

export const offlineScenarios: Scenario[] = [
  {
    name: 'offline-artifact',
    promise:
      'An artifact and a table that were logged without a network are there after `wandb sync`, with every byte.',
    async run({ api, folder, python, wandb }) {
      await python(logging, { env: offline });
      const refused = api.refused.length;
      const sync = await wandb(['sync', ...(await offlineRuns(folder))]);
      expect(sync.complaints, sync.output).toEqual([]);
      expect(api.refused.slice(refused)).toEqual([]);
      const { output } = await python(fetching);
      expect(output).toContain("bytes 1048576 small {'rows': 2} made");
      expect(output).toContain('tables [2]');
    },
  },
  {
    name: 'offline-sync',
    promise:
      'A run without a network is whole after `wandb sync`: history, config, summary, console, files, its end; a second sync doubles nothing, and --id makes another run of it.',
    async run(ctx) {
      const { api, project, folder, python, wandb } = ctx;
      const before = api.requests.length;
      const result = await python(training, { env: offline });
      expect(result.complaints.filter(isComplaint), result.output).toEqual([]);
      expect(api.requests.slice(before)).toEqual([]);
      const runs = await offlineRuns(folder);
      expect(runs).toHaveLength(1);

      const refused = api.refused.length;
      const sync = await wandb(['sync', ...runs]);
      expect(sync.complaints, sync.output).toEqual([]);
      expect(api.refused.slice(refused)).toEqual([]);
      const run = await expectWhole(ctx, 'offline1');
      expect(run).toMatchObject({ state: 'finished', displayName: 'shown name', summary: { best: 7 } });
      const printed = await readConsole(api.db, run.id, { limit: 1000 });
      expect(printed.filter((line) => line.text.includes('printed offline'))).toHaveLength(1);
      const files = (await listRunFiles(api.db, run.id)).map((file) => file.name);
      expect(files).toEqual(expect.arrayContaining(['kept.txt', 'requirements.txt']));

      await forgetSync(runs);
      await wandb(['sync', ...runs]);
      const again = await expectWhole(ctx, 'offline1');
      expect(again.id).toBe(run.id);
      expect(again.state).toBe('finished');
      const printedAgain = await readConsole(api.db, run.id, { limit: 1000 });
      expect(printedAgain.map((line) => line.text)).toEqual(printed.map((line) => line.text));

      await forgetSync(runs);
      await wandb(['sync', '--id', 'other1', ...runs]);
      await expectWhole(ctx, 'other1');
      expect((await runIn(api, project, 'offline1')).historyLines).toBe(30);
    },
  },
  {
    name: 'offline-several',
    promise: 'Several runs of one folder are synced by one command.',
    async run(ctx) {
      const { folder, python, wandb } = ctx;
      await python(training, { env: { ...offline, RUN: 'first' } });
      await python(training, { env: { ...offline, RUN: 'second' } });
      const runs = await offlineRuns(folder);
      expect(runs).toHaveLength(2);
      const sync = await wandb(['sync', ...runs]);
      expect(sync.complaints, sync.output).toEqual([]);
      for (const name of ['first', 'second']) expect((await expectWhole(ctx, name)).state).toBe('finished');
    },
  },
  {
    name: 'disabled',
    promise: 'WANDB_MODE=disabled runs the same program and sends nothing.',
    async run({ api, python }) {
      const before = api.requests.length;
      const result = await python(training, { env: { WANDB_MODE: 'disabled' } });
      expect(result.complaints.filter(isComplaint), result.output).toEqual([]);
      expect(api.requests.slice(before)).toEqual([]);
    },
  },
  {
    name: 'tensorboard',
    promise: 'What a program writes for TensorBoard becomes the history of its run.',
    async run({ api, project, python }) {
      const result = await python(
        `
import os, sys
sys.path.append(os.environ["PACKAGES"])
import time, wandb
from tensorboardX import SummaryWriter
run = wandb.init(id="board")
# What sync_tensorboard=True does when a writer is made; that itself wants the large package "tensorboard" beside the writer's own.
run._tensorboard_callback("logs/train", save=True, root_logdir="logs")
writer = SummaryWriter("logs/train")
for step in range(10): writer.add_scalar("loss", 1 / (step + 1), step)
writer.close()
time.sleep(2)
run.finish()
`,
        { env: { PACKAGES: await mediaPackages() } },
      );
      expect(result.complaints, result.output).toEqual([]);
      const run = await runIn(api, project, 'board');
      const history = await readHistory(api.db, run.id, { limit: 100 });
      const losses = history.flatMap(({ values }) => {
        const key = Object.keys(values).find((name) => name.endsWith('loss'));
        return key === undefined ? [] : [values[key]];
      });
      expect(losses).toHaveLength(10);
      expect(losses[9]).toBeCloseTo(0.1, 5);
      const files = (await listRunFiles(api.db, run.id)).map((file) => file.name);
      expect(files.some((name) => name.includes('tfevents'))).toBe(true);
    },
  },
];
