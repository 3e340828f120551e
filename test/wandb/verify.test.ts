import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { newestWandb } from '../support/wandb-clients.js';
import { openContext } from './scenarios/context.js';

let api: TrackingApi;
beforeAll(async () => {
  api = await startTrackingApi();
}, 900_000);
afterAll(() => api.close());

test("the newest client's own acceptance test passes: all but its two warnings about https, on loopback", async () => {
  const context = await openContext(newestWandb, api, 'verify');
  try {
    const { output } = await context.wandb(['verify', '--host', api.url]);
    const marks = output.split('\n').filter((line) => line.startsWith('Checking '));
    const failed = marks.filter((line) => !line.includes('\u2705'));
    expect(marks.length, output).toBeGreaterThanOrEqual(10);
    expect(
      failed.map((line) => line.replace(/\.{3,}.*/, '')),
      output,
    ).toEqual(['Checking requests to base url', 'Checking requests made over signed URLs']);
  } finally {
    await context.close();
  }
}, 900_000);
