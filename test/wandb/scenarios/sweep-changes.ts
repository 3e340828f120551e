import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { until } from '../../support/until.js';
import type { Scenario } from './scenario.js';
import { out, runsOf, stateOf, sweepIn } from './sweep-look.js';

/** What people do with sweeps that are there already. */

const priorRuns = `
import json, wandb
for lr in [1.0, 2.0]:
    with wandb.init(config={"lr": lr}) as run:
        run.log({"loss": lr})
    print("OUT", json.dumps(run.id))
`;

const job = `
import json, wandb
with wandb.init() as run:
    run.log({"loss": run.config["lr"]})
    print("OUT", json.dumps(run.config["lr"]))
`;

const untilToldTo = `
import os, time, wandb
with wandb.init() as run:
    run.log({"loss": 1.0})
    while not os.path.exists("end"):
        time.sleep(0.05)
`;

const agentsOfSweep = `
import json, wandb

def train():
    with wandb.init() as run:
        run.log({"loss": run.config["lr"]})

sweep = wandb.sweep({"method": "grid", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [1.0, 2.0]}}})
wandb.agent(sweep, function=train)
api = wandb.Api()
found = api.sweep(api.default_entity + "/" + wandb.env.get_project() + "/" + sweep)
agents = found.agents()
one = found.agent(agents[0].name)
runs = list(one.runs(per_page=1))
print("OUT", json.dumps([len(agents), one.id == agents[0].id, one.state, one.totalRuns]))
print("OUT", json.dumps([sorted(run.id for run in runs) == sorted(run.id for run in found.runs), len(runs), [run.state for run in runs]]))
`;

const gridOf = (values: number[]) =>
  `program: job.py\nmethod: grid\nmetric: {name: loss}\nparameters: {lr: {values: [${values.map((v) => v.toFixed(1)).join(', ')}]}}\n`;

const noAgents = 'the client has no list of the agents of a sweep';

export const sweepChangeScenarios: Scenario[] = [
  {
    name: 'sweep-prior-runs-and-update',
    promise:
      'wandb sweep --prior_run begins with runs of before, whose sets are not tried again; after --update and --resume an agent runs what the new config adds, and nothing twice.',
    async run(ctx) {
      await writeFile(join(ctx.folder, 'job.py'), job);
      await writeFile(join(ctx.folder, 'sweep.yaml'), gridOf([1, 2, 4]));
      const prior = out(await ctx.python(priorRuns)).map(String);
      const made = await ctx.wandb(['sweep', ...prior.flatMap((run) => ['--prior_run', run]), 'sweep.yaml']);
      const sweep = sweepIn(made);
      const path = `ada/${ctx.project}/${sweep}`;
      expect(out(await ctx.wandb(['agent', path]))).toEqual([4]);
      expect(await stateOf(ctx, sweep)).toBe('FINISHED');

      await writeFile(join(ctx.folder, 'sweep.yaml'), gridOf([1, 4, 8]));
      const updated = await ctx.wandb(['sweep', '--update', path, 'sweep.yaml']);
      expect(updated.output).toContain('Updating');
      expect(sweepIn(updated)).toBe(sweep);
      await ctx.wandb(['sweep', '--resume', path]);
      expect(out(await ctx.wandb(['agent', path]))).toEqual([8]);
      expect(await stateOf(ctx, sweep)).toBe('FINISHED');
      const runs = await runsOf(ctx, sweep);
      expect(runs.map((run) => run.name).slice(0, 2)).toEqual(prior);
      expect(runs.map((run) => run.state)).toEqual(Array(4).fill('finished'));
    },
  },
  {
    name: 'sweep-stop',
    promise:
      'wandb sweep --stop gives no new sets: the run that is under way goes on to its end, and its agent leaves.',
    async run(ctx) {
      await writeFile(join(ctx.folder, 'job.py'), untilToldTo);
      await writeFile(join(ctx.folder, 'sweep.yaml'), gridOf([1, 2, 3]));
      const sweep = sweepIn(await ctx.wandb(['sweep', 'sweep.yaml']));
      const path = `ada/${ctx.project}/${sweep}`;
      const agent = ctx.wandb(['agent', path]);
      const states = async () => (await runsOf(ctx, sweep)).map((run) => run.state);
      await until(async () => (await states()).includes('running'), { what: 'a run', ms: 300_000, everyMs: 200 });
      await ctx.wandb(['sweep', '--stop', path]);
      expect(await stateOf(ctx, sweep)).toBe('FINISHED');
      expect(await states()).toEqual(['running']);
      await writeFile(join(ctx.folder, 'end'), '');
      await agent;
      expect(await states()).toEqual(['finished']);
      expect(await stateOf(ctx, sweep)).toBe('FINISHED');
    },
  },
  {
    name: 'sweep-agents',
    promise: 'api.sweep(…).agents() lists who worked a sweep, and each agent its runs, page by page.',
    unavailable: { '0.19.11': noAgents, '0.22.3': noAgents, '0.25.1': noAgents },
    async run(ctx) {
      const result = await ctx.python(agentsOfSweep);
      expect(out(result), result.output).toEqual([
        [1, true, 'FINISHED', 2],
        [true, 2, ['finished', 'finished']],
      ]);
    },
  },
];
