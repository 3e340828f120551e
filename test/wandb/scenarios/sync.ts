import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { until } from '../../support/until.js';
import { lookAt, printed, stepsOf, untilLogged } from './look.js';
import type { Scenario, ScenarioContext } from './scenario.js';

const training = `
import os, time, wandb
life = os.environ["LIFE"]
run = wandb.init(config={"life": life}, resume=os.environ.get("HOW") or None)
for n in range(int(os.environ["LINES"])):
    print("line of", life, n, "x" * int(os.environ.get("WIDTH", "0")))
    run.log({"loss": n, life: n, "text": "y" * int(os.environ.get("WIDTH", "0"))})
print("all is logged")
if os.environ.get("WAIT"):
    time.sleep(600)
run.finish()
`;

/** Folders of what was recorded, the oldest first. */
async function recorded(folder: string, prefix: string): Promise<string[]> {
  const names = await readdir(join(folder, 'wandb'));
  return names
    .filter((name) => name.startsWith(prefix))
    .sort()
    .map((name) => join(folder, 'wandb', name));
}

const sync = (ctx: ScenarioContext, folder: string) =>
  ctx.wandb(['sync', '--include-online', '--include-synced', folder]);

/** What a second sync may not change. */
async function kept(ctx: ScenarioContext, name: string) {
  const run = await lookAt(ctx, name);
  const { loss, one, two } = run.summary;
  const lines = printed(run, 'line of').map((line) => line.trim());
  return { state: run.state, config: run.config, values: { loss, one, two }, steps: stepsOf(run), lines };
}

export const syncScenarios: Scenario[] = [
  {
    name: 'sync-of-a-resumed-run',
    promise:
      '`wandb sync` of what the processes of a resumed run recorded, in any order, neither doubles a line nor takes another process’s away.',
    unavailable: {
      '0.19.11': 'it does not say when its process started, so nobody can tell which one is sent again',
      '0.28.2':
        'its sync does not resume: its first request is that of a script which begins the run anew, and so it does',
    },
    async run(ctx) {
      const env = (life: string) => ({ env: { WANDB_RUN_ID: 'on', LIFE: life, LINES: '3', HOW: 'allow' } });
      await ctx.python(training, env('one'));
      await ctx.python(training, env('two'));
      const before = await kept(ctx, 'on');
      expect(before).toMatchObject({ state: 'finished', config: { life: 'two' }, steps: [0, 1, 2, 3, 4, 5] });
      expect(before.lines).toHaveLength(6);
      const [first = '', second = ''] = await recorded(ctx.folder, 'run-');
      for (const folder of [second, first]) {
        const synced = await sync(ctx, folder);
        expect(synced.complaints, synced.output).toEqual([]);
        expect(await kept(ctx, 'on'), synced.output).toEqual(before);
      }
      // And the next process goes on behind them.
      await ctx.python(training, env('three'));
      expect((await kept(ctx, 'on')).steps).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    },
  },
  {
    name: 'sync-of-a-killed-run',
    promise:
      'What reached the disk of a run that was killed offline is there after `wandb sync`, and once only after a second one.',
    async run(ctx) {
      const env = { LIFE: 'one', LINES: '300', WIDTH: '1000', WAIT: '1' };
      const offline = await ctx.start(training, { env: { ...env, WANDB_RUN_ID: 'off', WANDB_MODE: 'offline' } });
      // The client writes whole blocks of 32 KiB; what is in the last one dies with it.
      const folder = await until(
        async () => {
          if (!offline.output().includes('all is logged')) return undefined;
          const [found] = await recorded(ctx.folder, 'offline-run-');
          return found !== undefined && (await stat(join(found, 'run-off.wandb'))).size > 200_000 ? found : undefined;
        },
        { what: 'recorded lines', ms: 300_000, everyMs: 200 },
      );
      offline.kill('SIGKILL');
      await offline.done;
      await sync(ctx, folder);
      const before = await untilLogged(ctx, 'off', 100);
      expect(stepsOf(before)).toEqual(before.history.map((_, n) => n));
      await sync(ctx, folder);
      const after = await lookAt(ctx, 'off');
      expect(stepsOf(after)).toEqual(stepsOf(before));
      // Clients up to 0.25 play the console through a terminal once more: how many of many lines come differs from one sync to the next.
      const lines = printed(after, 'line of').map((line) => line.trim());
      expect(new Set(lines).size).toBe(lines.length);
    },
  },
];
