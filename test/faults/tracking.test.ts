import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPython, wandbEnvironment } from '../support/run-python.js';
import { Stack } from '../support/stack.js';
import { until } from '../support/until.js';
import { newestWandb, wandbPython } from '../support/wandb-clients.js';

/** The long form by hand: DAVIT_TEST_TRACKING_SECONDS=60, and a kill every ten seconds. */
const seconds = Number(process.env['DAVIT_TEST_TRACKING_SECONDS'] ?? 6);
const perSecond = 1_000;
const total = seconds * perSecond;
const kills = Math.max(2, Math.floor(seconds / 10));

const script = `
import time, wandb
run = wandb.init(project="kills", id="killed")
begun = time.monotonic()
for step in range(${total}):
    run.log({"loss": 1 / (step + 1), "square": step * step})
    ahead = (step + 1) / ${perSecond} - (time.monotonic() - begun)
    if ahead > 0.01:
        time.sleep(ahead)
print("logged all", flush=True)
run.finish()
`;

let stack: Stack;
let stop: (() => Promise<void>) | undefined;
beforeAll(async () => {
  stack = await Stack.start({ maxJobs: 0 });
  stop = () => stack.stop();
});
afterAll(() => stop?.());

const stored = async (): Promise<number> => {
  const rows = await stack.ask<{ n: string }>(`select count(*) as n from run_line where file = 'history'`);
  return Number(rows[0]?.n ?? 0);
};

test(
  'a run that logs 1,000 steps a second while the API is killed again and again ends finished with every step once',
  async () => {
    const folder = join(stack.folder, 'training');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'train.py'), script);
    const training = startPython(await wandbPython(newestWandb), ['train.py'], {
      folder,
      env: {
        ...wandbEnvironment(folder, { url: stack.apiUrl, key: stack.userKey }),
        WANDB_X_FILE_STREAM_RETRY_WAIT_MIN_SECONDS: '1',
        WANDB_X_FILE_STREAM_RETRY_WAIT_MAX_SECONDS: '2',
      },
    });
    for (let kill = 1; kill <= kills; kill++) {
      // In the middle of what arrives; the last ones may come when all is logged and only sent.
      const enough = Math.floor((total * kill) / (kills + 2));
      await until(async () => (await stored()) >= enough, {
        what: () => `${enough} lines before kill ${kill}; the script said: ${training.output()}`,
        ms: 180_000,
      });
      await stack.killAndWait('server');
    }
    const result = await training.done;
    expect(result.code, result.output).toBe(0);
    expect(result.output).toContain('logged all');

    const [run] = await stack.ask<{ state: string; exit_code: number; history_lines: number }>(
      `select state, exit_code, history_lines from run where name = 'killed'`,
    );
    expect(run).toEqual({ state: 'finished', exit_code: 0, history_lines: total });
    const [lines] = await stack.ask<{ lines: string; first: number; last: number; wrong: string }>(`
    select count(*) as lines, min(line) as first, max(line) as last,
      count(*) filter (where (content::json->>'_step')::int <> line or (content::json->>'square')::float8 <> line::float8 * line) as wrong
    from run_line where file = 'history'`);
    expect(lines).toEqual({ lines: String(total), first: 0, last: total - 1, wrong: '0' });
    // What curves are read from agrees with the lines.
    const [folded] = await stack.ask<{ lines: string; steps: number; min: number; max: number }>(`
    select (select sum(lines) from metric_segment where file = 'history') as lines,
      (stats->'types'->>'number')::int as steps, (stats->>'min')::float8 as min, (stats->>'max')::float8 as max
    from run_metric where file = 'history' and key = '_step'`);
    expect(folded).toEqual({ lines: String(total), steps: total, min: 0, max: total - 1 });
  },
  300_000 + seconds * 5_000,
);
