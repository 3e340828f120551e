import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { newestWandb, runWandbScript } from '../support/wandb-clients.js';

let api: TrackingApi;
beforeAll(async () => {
  api = await startTrackingApi();
});
afterAll(() => api.close());

const patience = { timeout: 900_000 };
test('a wrong key and an unknown entity end init at once, with our sentence', patience, async () => {
  const script = 'import wandb\nwandb.init(project="demo", entity=__import__("os").environ.get("E") or None)\n';
  const key = await runWandbScript(newestWandb, script, { url: api.url, key: `davit_user-${'0'.repeat(40)}` });
  expect(key.code).not.toBe(0);
  expect(key.output).toMatch(/API key/i);
  const entity = await runWandbScript(newestWandb, script, api, { E: 'nobody-here' });
  expect(entity.code).not.toBe(0);
  expect(entity.output).toContain('no entity "nobody-here" that this key may see');
});
