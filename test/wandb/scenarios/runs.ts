import { expect } from 'vitest';
import { listAlerts } from '../../../store/run-alerts.js';
import { lookAt, untilLogged } from './look.js';
import type { Scenario } from './scenario.js';

export const runScenarioList: Scenario[] = [
  {
    name: 'how-runs-end',
    promise: 'Exit codes, exceptions and pre-emption show as finished, failed and preempted.',
    async run(ctx) {
      const result = await ctx.python(
        `
import wandb
wandb.init(id="good").finish()
wandb.init(id="bad").finish(exit_code=3)
gone = wandb.init(id="gone")
gone.mark_preempting()
gone.finish(exit_code=1)
wandb.init(id="thrown").log({"loss": 1})
raise ValueError("as planned")
`,
        { exitCode: 1 },
      );
      expect(result.output).toContain('as planned');
      const states = await Promise.all(['good', 'bad', 'gone', 'thrown'].map((id) => lookAt(ctx, id)));
      expect(states.map((run) => run.state)).toEqual(['finished', 'failed', 'preempted', 'failed']);
    },
  },
  {
    name: 'edits-of-a-run',
    promise:
      'Tags, notes, name, config and summary change from inside a run and from the public API, and each reads what the other one wrote.',
    async run(ctx) {
      const result = await ctx.python(`
import json, os, wandb
run = wandb.init(id="edited", name="first name", tags=["a"], notes="first", group="g", job_type="train", config={"lr": 0.1, "keep": True})
run.tags = run.tags + ("b",)
run.notes = "second"
run.name = "second name"
run.config.update({"lr": 0.5, "added": {"deep": [1, 2]}}, allow_val_change=True)
run.log({"loss": 3})
run.log({"loss": 1})
run.summary["best"] = 0.5
run.finish()
path = f"ada/{os.environ['WANDB_PROJECT']}/edited"
r = wandb.Api().run(path)
print("READ", json.dumps([r.state, sorted(r.tags), r.notes, r.name, r.config, r.summary["loss"], r.summary["best"], r.group, r.job_type]))
r.tags.append("c")
r.tags.remove("a")
r.notes = "third"
r.name = "third name"
r.group = "h"
r.config["late"] = 7
r.update()
r.summary.update({"chosen": 42})
again = wandb.Api().run(path)
print("AGAIN", json.dumps([again.state, sorted(again.tags), again.notes, again.name, again.config, again.summary["chosen"], again.summary["loss"], again.group]))
`);
      const line = (word: string) => {
        const found = new RegExp(`^${word} (.*)$`, 'm').exec(result.output)?.[1];
        return JSON.parse(found ?? 'null') as unknown;
      };
      const config = { lr: 0.5, keep: true, added: { deep: [1, 2] } };
      expect(line('READ')).toEqual(['finished', ['a', 'b'], 'second', 'second name', config, 1, 0.5, 'g', 'train']);
      expect(line('AGAIN')).toEqual([
        'finished',
        ['b', 'c'],
        'third',
        'third name',
        { ...config, late: 7 },
        42,
        1,
        'h',
      ]);
      expect(await lookAt(ctx, 'edited')).toMatchObject({ displayName: 'third name', group: 'h', jobType: 'train' });
    },
  },
  {
    name: 'stopped-by-the-server',
    promise: 'A run that somebody stops is interrupted in its process, and counts as killed.',
    async run(ctx) {
      const running = await ctx.start(`
import time, wandb
run = wandb.init(id="endless")
try:
    while True:
        run.log({"t": time.time()})
        time.sleep(0.2)
except KeyboardInterrupt:
    print("interrupted as asked")
    raise
`);
      const { id } = await untilLogged(ctx, 'endless', 1);
      const stopped = await ctx.api.graphql('mutation M($id: ID!) { stopRun(input: {id: $id}) { success } }', { id });
      expect(stopped.data).toEqual({ stopRun: { success: true } });
      const result = await running.done;
      expect(result.output).toContain('interrupted as asked');
      expect(result.code).not.toBe(0);
      expect(await lookAt(ctx, 'endless')).toMatchObject({ state: 'killed' });
    },
  },
  {
    name: 'alert',
    promise: 'wandb.alert is kept with its run, once within its waiting time.',
    async run(ctx) {
      const result = await ctx.python(`
import wandb
run = wandb.init(id="loud")
for n in range(2):
    wandb.alert(title="Loss is high", text="it is %d" % n, level=wandb.AlertLevel.WARN, wait_duration=600)
run.alert("Another", "one")
run.finish()
`);
      expect(result.complaints, result.output).toEqual([]);
      const row = await ctx.api.db
        .selectFrom('run')
        .innerJoin('project', 'project.id', 'run.project_id')
        .select('run.id')
        .where('run.name', '=', 'loud')
        .where('project.name', '=', ctx.project)
        .executeTakeFirstOrThrow();
      const alerts = await listAlerts(ctx.api.db, row.id, 10);
      expect(alerts.map(({ title, text, severity }) => [title, text, severity])).toEqual([
        ['Another', 'one', 'INFO'],
        ['Loss is high', 'it is 0', 'WARN'],
      ]);
    },
  },
  {
    name: 'group-of-processes',
    promise: 'Processes that log runs of their own under one group are told apart by name and job type.',
    async run(ctx) {
      const script = `
import os, wandb
rank = os.environ["RANK"]
run = wandb.init(id="rank" + rank, group="ddp", job_type="worker" if rank != "0" else "leader")
run.log({"rank": int(rank)})
run.finish()
`;
      await Promise.all(['0', '1'].map((rank) => ctx.python(script, { env: { RANK: rank } })));
      const runs = await Promise.all(['rank0', 'rank1'].map((id) => lookAt(ctx, id)));
      expect(runs.map((run) => [run.group, run.jobType, run.summary['rank'], run.state])).toEqual([
        ['ddp', 'leader', 0, 'finished'],
        ['ddp', 'worker', 1, 'finished'],
      ]);
    },
  },
  {
    name: 'login-verified',
    promise: '`wandb login --verify` takes a right key and refuses a wrong one.',
    async run({ api, wandb }) {
      const bare = { WANDB_API_KEY: '' };
      const login = (key: string) => ['login', '--verify', '--relogin', '--host', api.url, key];
      const wrong = await wandb(login(`davit_user-${'0'.repeat(40)}`), { env: bare, exitCode: 1 });
      expect(wrong.output).not.toContain('Traceback');
      await wandb(login(api.key), { env: bare });
    },
  },
];
