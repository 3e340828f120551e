import { expect } from 'vitest';
import { until } from '../../support/until.js';
import { lookAt, printed, stepsOf, untilLogged } from './look.js';
import type { Scenario } from './scenario.js';

/** Logs LINES lines, each with its name in the console, and then waits to be killed, fails with CODE, or ends. */
const training = `
import os, sys, time, wandb
life = os.environ["LIFE"]
run = wandb.init(config={"life": life}, resume=os.environ.get("HOW") or None)
print("resumed is", run.resumed)
for n in range(int(os.environ["LINES"])):
    print("line of", life, n)
    run.log({"loss": n, life: n})
if os.environ.get("WAIT"):
    time.sleep(600)
run.finish(exit_code=int(os.environ.get("CODE", "0")))
`;

export const lifeScenarios: Scenario[] = [
  {
    name: 'killed-and-begun-again',
    promise:
      'A script that is killed with -9 and started again with the same run id, without resume, leaves what the second process logged and nothing of the first.',
    async run(ctx) {
      const first = await ctx.start(training, { env: { WANDB_RUN_ID: 'again', LIFE: 'one', LINES: '5', WAIT: '1' } });
      await untilLogged(ctx, 'again', 5);
      first.kill('SIGKILL');
      await first.done;
      const second = await ctx.python(training, { env: { WANDB_RUN_ID: 'again', LIFE: 'two', LINES: '3' } });
      expect(second.complaints, second.output).toEqual([]);
      const run = await lookAt(ctx, 'again');
      expect(run).toMatchObject({ state: 'finished', config: { life: 'two' } });
      expect(stepsOf(run)).toEqual([0, 1, 2]);
      expect(run.summary).not.toHaveProperty('one');
      expect(run.summary).toMatchObject({ two: 2 });
      expect(printed(run, 'line of one')).toEqual([]);
      expect(printed(run, 'line of two')).toHaveLength(3);
      // And one that logs nothing leaves nothing of it.
      await ctx.python(training, { env: { WANDB_RUN_ID: 'again', LIFE: 'three', LINES: '0', CODE: '4' }, exitCode: 0 });
      const last = await lookAt(ctx, 'again');
      expect(last).toMatchObject({ state: 'failed', history: [] });
      expect(printed(last, 'line of')).toEqual([]);
    },
  },
  {
    name: 'killed-and-resumed',
    promise:
      'resume="allow" and "must" go on behind the last line that arrived, with console and summary of both lives; "never" refuses an existing run and "must" a missing one.',
    async run(ctx) {
      const env = (how: string, life: string) => ({ WANDB_RUN_ID: 'on', LIFE: life, LINES: '3', HOW: how });
      const first = await ctx.start(training, { env: { ...env('allow', 'one'), WAIT: '1' } });
      await untilLogged(ctx, 'on', 3);
      // The console goes its own way.
      await until(async () => printed(await lookAt(ctx, 'on'), 'line of one').length === 3, {
        what: 'the console of the first life',
        ms: 300_000,
        everyMs: 200,
      });
      first.kill('SIGKILL');
      await first.done;
      const second = await ctx.python(training, { env: env('allow', 'two') });
      expect(second.complaints, second.output).toEqual([]);
      expect(second.output).toContain('resumed is True');
      await ctx.python(training, { env: env('must', 'three') });
      const run = await lookAt(ctx, 'on');
      expect(run).toMatchObject({ state: 'finished', config: { life: 'three' } });
      expect(stepsOf(run)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
      // That of the first one may not have been sent before it was killed.
      expect(run.summary).toMatchObject({ two: 2, three: 2 });
      expect(printed(run, 'line of').map((line) => line.trim())).toEqual(
        ['one', 'two', 'three'].flatMap((life) => [0, 1, 2].map((n) => `line of ${life} ${n}`)),
      );
      await ctx.python(training, { env: env('never', 'four'), exitCode: 1 });
      expect(stepsOf(await lookAt(ctx, 'on'))).toHaveLength(9);
      await ctx.python(training, { env: { ...env('must', 'none'), WANDB_RUN_ID: 'missing' }, exitCode: 1 });
    },
  },
  {
    name: 'resume-auto',
    promise: 'resume="auto" goes on with the run of the process that was killed in this folder.',
    async run(ctx) {
      const env = { LIFE: 'one', LINES: '2', HOW: 'auto' };
      const first = await ctx.start(`${training}`, { env: { ...env, WANDB_RUN_ID: 'auto', WAIT: '1' } });
      await untilLogged(ctx, 'auto', 2);
      first.kill('SIGKILL');
      await first.done;
      const second = await ctx.python(training, { env: { ...env, LIFE: 'two' } });
      expect(second.output).toContain('resumed is True');
      expect(stepsOf(await lookAt(ctx, 'auto'))).toEqual([0, 1, 2, 3]);
    },
  },
  {
    name: 'fork-and-rewind',
    promise:
      'fork_from begins a new run with the history of another one up to a step; resume_from takes a run back to a step; both go on behind it.',
    async run(ctx) {
      await ctx.python(`
import wandb
run = wandb.init(id="parent")
for n in range(5):
    run.log({"loss": n})
run.finish()
fork = wandb.init(fork_from="parent?_step=2", id="forked")
for n in range(2):
    fork.log({"loss": 100 + n})
fork.finish()
back = wandb.init(resume_from="parent?_step=1")
back.log({"loss": 200})
back.finish()
`);
      const fork = await lookAt(ctx, 'forked');
      expect(fork.history.map((line) => [line['_step'], line['loss']])).toEqual([
        [0, 0],
        [1, 1],
        [2, 2],
        [3, 100],
        [4, 101],
      ]);
      const parent = await lookAt(ctx, 'parent');
      expect(parent.history.map((line) => [line['_step'], line['loss']])).toEqual([
        [0, 0],
        [1, 1],
        [2, 200],
      ]);
      expect([fork.state, parent.state]).toEqual(['finished', 'finished']);
    },
  },
  {
    name: 'shared-run',
    promise:
      'Several processes write one run in shared mode: no line of any is lost or doubled, and it ends when the primary one ends.',
    async run(ctx) {
      const script = `
import os, time, wandb
primary = os.environ["RANK"] == "0"
run = wandb.init(config={"rank" + os.environ["RANK"]: 1},
                 settings=wandb.Settings(mode="shared", x_primary=primary, x_label="rank" + os.environ["RANK"], x_update_finish_state=primary))
for n in range(4):
    print("rank", os.environ["RANK"], "line", n)
    run.log({"rank" + os.environ["RANK"]: n})
    time.sleep(0.5)
while primary and not os.path.exists("done"):
    time.sleep(0.2)
run.finish()
if not primary:
    open("done", "w").close()
`;
      const env = (rank: string) => ({ env: { WANDB_RUN_ID: 'together', RANK: rank } });
      const lead = await ctx.start(script, env('0'));
      await untilLogged(ctx, 'together', 1);
      await ctx.python(script, env('1'));
      expect((await lead.done).code, lead.output()).toBe(0);
      const run = await lookAt(ctx, 'together');
      expect(run).toMatchObject({ state: 'finished', config: { rank0: 1, rank1: 1 }, summary: { rank0: 3, rank1: 3 } });
      for (const rank of ['rank0', 'rank1']) {
        expect(run.history.flatMap((line) => (rank in line ? [line[rank]] : []))).toEqual([0, 1, 2, 3]);
        expect(printed(run, `${rank.replace('k', 'k ')} line`)).toHaveLength(4);
      }
      expect(run.history.every((line) => typeof line['_step'] === 'number')).toBe(true);
    },
  },
];
