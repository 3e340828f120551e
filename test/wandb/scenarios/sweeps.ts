import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { until } from '../../support/until.js';
import { configOf } from './listed-config.js';
import type { Scenario } from './scenario.js';
import { complaints, out, runsOf, stateOf, sweepIn } from './sweep-look.js';

const functionAgents = `
${configOf}
import json, wandb

def train():
    with wandb.init() as run:
        config = dict(run.config)
        run.log({"loss": 1.0})
        run.log({"loss": float(config.get("lr") or config.get("x") or 0)})
        print("OUT", json.dumps({k: [type(v).__name__, v] for k, v in sorted(config.items())}))

grid = wandb.sweep({"method": "grid", "name": "by hand", "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"values": [1.0, 0.5]}, "n": {"value": 3}, "opt": {"parameters": {"kind": {"value": "sgd"}}}}})
wandb.agent(grid, function=train)
sweep = wandb.Api().sweep(wandb.Api().default_entity + "/" + wandb.env.get_project() + "/" + grid)
print("OUT", json.dumps([sweep.state, sweep.expected_run_count, sweep.name, config_of(sweep.best_run())["lr"], len(sweep.runs)]))

bayes = wandb.sweep({"method": "bayes", "metric": {"name": "loss", "goal": "maximize"},
    "parameters": {"x": {"min": 0.5, "max": 2.5}, "c": {"distribution": "q_log_uniform_values", "min": 8, "max": 64, "q": 8}}})
wandb.agent(bayes, function=train, count=3)
try:
    wandb.sweep({"method": "random", "parameters": {"x": {"min": 3.5, "max": 1.5}}})
except Exception as error:
    print("OUT", json.dumps(str(error)))
`;

const cliProgram = `
import json, sys, wandb
with wandb.init() as run:
    run.log({"loss": run.config["lr"]})
print("OUT", json.dumps(sys.argv[1:]))
`;

const earlyStopped = `
import json, os, time, wandb
first = []

def train():
    with wandb.init() as run:
        if not first:
            first.append(True)
            for _ in range(6):
                run.log({"loss": 0.1})
            return
        if len(first) == 2:
            run.log({"loss": 0.1})
            return
        first.append(True)
        for step in range(1200):
            run.log({"loss": 9.0})
            time.sleep(0.1)
        print("OUT", json.dumps("ran to its end"))

sweep = wandb.sweep({"method": "random", "metric": {"name": "loss"}, "run_cap": 3,
    "early_terminate": {"type": "hyperband", "min_iter": 3, "eta": 3}, "parameters": {"a": {"min": 0.0, "max": 1.0}}})
print("OUT", json.dumps(sweep))
wandb.agent(sweep, function=train)
`;

const longRun = `
import time, wandb
with wandb.init() as run:
    for step in range(3000):
        run.log({"loss": step})
        time.sleep(0.1)
`;

export const sweepScenarios: Scenario[] = [
  {
    name: 'sweep-functions',
    promise:
      'wandb.sweep and wandb.agent run a grid with nested parameters to its end and a Bayesian search to its count, floats stay floats, api.sweep finds the best run, and a wrong config is refused with a sentence.',
    async run(ctx) {
      const result = await ctx.python(functionAgents);
      const said = out(result);
      const nested = { n: ['int', 3], opt: ['dict', { kind: 'sgd' }] };
      expect(said.slice(0, 3), result.output).toEqual([
        { lr: ['float', 1], ...nested },
        { lr: ['float', 0.5], ...nested },
        ['FINISHED', 2, 'by hand', 0.5, 2],
      ]);
      const searched = said.slice(3, 6) as { x: [string, number]; c: [string, number] }[];
      for (const { x, c } of searched) {
        expect(x[0]).toBe('float');
        expect(c[0]).toBe('int');
        expect(c[1] % 8).toBe(0);
      }
      expect(said[6]).toContain('"min" (3.5) is greater than "max" (1.5)');
      expect(complaints(result).filter((line) => !line.includes('greater than'))).toEqual([]);
    },
  },
  {
    name: 'sweep-command-line',
    promise:
      'Two wandb agents at once share a grid made by wandb sweep: each set runs once, the cap holds, and both agents end by themselves.',
    async run(ctx) {
      const grid =
        'program: job.py\nmethod: grid\nrun_cap: 4\nmetric: {name: loss}\nparameters: {lr: {values: [1.0, 2.0, 0.5, 4.0, 8.0]}}\n';
      await writeFile(join(ctx.folder, 'sweep.yaml'), grid);
      await writeFile(join(ctx.folder, 'job.py'), cliProgram);
      const made = await ctx.wandb(['sweep', 'sweep.yaml']);
      const sweep = sweepIn(made);
      const agents = await Promise.all([1, 2].map(() => ctx.wandb(['agent', `ada/${ctx.project}/${sweep}`])));
      const args = agents.flatMap(out).map((argv) => String((argv as string[])[0]));
      expect(args.sort(), agents.map((a) => a.output).join('\n')).toEqual(
        ['--lr=0.5', '--lr=1', '--lr=2', '--lr=4'].map(asPython).sort(),
      );
      const runs = await runsOf(ctx, sweep);
      expect(runs.map((run) => [run.state, run.sweepName])).toEqual(Array(4).fill(['finished', sweep]));
      expect(await stateOf(ctx, sweep)).toBe('FINISHED');
    },
  },
  {
    name: 'sweep-early-termination',
    promise:
      'A run that is far worse than those before it is stopped early, and its agent goes on with the next set until the cap.',
    async run(ctx) {
      const result = await ctx.python(earlyStopped);
      const [sweep, ...rest] = out(result);
      expect(rest, result.output).toEqual([]);
      const states = (await runsOf(ctx, String(sweep))).map((run) => run.state);
      expect(states, result.output).toEqual(['finished', 'killed', 'finished']);
    },
  },
  {
    name: 'sweep-pause-and-cancel',
    promise:
      'wandb sweep --pause, --resume and --cancel change what agents do: a cancelled sweep ends its running job and its agent.',
    async run(ctx) {
      await writeFile(
        join(ctx.folder, 'sweep.yaml'),
        'program: long.py\nmethod: random\nparameters: {lr: {min: 0.1, max: 0.2}}\n',
      );
      await writeFile(join(ctx.folder, 'long.py'), longRun);
      const made = await ctx.wandb(['sweep', 'sweep.yaml']);
      const sweep = sweepIn(made);
      const path = `ada/${ctx.project}/${sweep}`;
      const agent = ctx.wandb(['agent', path]);
      await until(async () => (await runsOf(ctx, sweep)).length > 0, {
        what: 'the first run',
        ms: 300_000,
        everyMs: 200,
      });
      await ctx.wandb(['sweep', '--pause', path]);
      expect(await stateOf(ctx, sweep)).toBe('PAUSED');
      await ctx.wandb(['sweep', '--resume', path]);
      expect(await stateOf(ctx, sweep)).toBe('RUNNING');
      await ctx.wandb(['sweep', '--cancel', path]);
      const ended = await agent;
      expect(await stateOf(ctx, sweep)).toBe('CANCELED');
      // Its last words are sent by a process that may outlive the agent.
      await until(
        async () => (await runsOf(ctx, sweep)).every(({ state }) => state !== 'running' && state !== 'pending'),
        { what: `the end of the run of ${ended.output}`, ms: 120_000, everyMs: 200 },
      );
    },
  },
];

/** A float's text as Python writes it. */
const asPython = (arg: string): string => (arg.includes('.') ? arg : `${arg}.0`);
