import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConsole, readHistory } from '../../store/run-lines.js';
import { getRunByPath } from '../../store/runs.js';
import { startCluster } from '../support/postgres-cluster.mjs';
import { startTrackingApi } from '../support/tracking-api.js';
import { until } from '../support/until.js';
import { newestWandb, startWandbScript } from '../support/wandb-clients.js';

const script = `
import time, wandb
run = wandb.init(project="demo", id="survivor")
for step in range(100):
    run.log({"step": step})
    print("step", step)
    time.sleep(0.1)
run.finish()
`;

test('a run loses nothing when PostgreSQL is killed in its middle and comes back', { timeout: 900_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'davit-test-own-postgres-'));
  const cluster = await startCluster({ folder });
  const api = await startTrackingApi({ server: cluster.url });
  const running = await startWandbScript(newestWandb, script, api);
  const find = () => getRunByPath(api.db, 'ada', 'demo', 'survivor');
  await until(async () => ((await find())?.historyLines ?? 0) > 5, { what: 'the first lines', ms: 60_000 });
  await cluster.kill();
  const away = await api.graphql('{ viewer { id } }');
  expect(away.status).toBe(503);
  const back = await until(() => startCluster({ folder, port: cluster.port }), { what: 'PostgreSQL to come back' });

  const result = await running.done;
  expect(result.code, result.output).toBe(0);
  const run = await find();
  expect(run).toMatchObject({ state: 'finished', exitCode: 0, historyLines: 100, summary: { step: 99 } });
  const history = await readHistory(api.db, run?.id ?? 0, { limit: 1000 });
  expect(history.map((h) => h.values['step'])).toEqual(Array.from({ length: 100 }, (_, i) => i));
  const console = await readConsole(api.db, run?.id ?? 0, { limit: 1000 });
  expect(console.filter((l) => l.text.startsWith('step ')).map((l) => l.text)).toEqual(
    Array.from({ length: 100 }, (_, i) => `step ${i}`),
  );
  await api.close();
  await back.remove();
  await rm(folder, { recursive: true, force: true });
});
