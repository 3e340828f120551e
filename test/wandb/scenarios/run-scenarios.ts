import { afterAll, beforeAll, describe, test } from 'vitest';
import { startTrackingApi, type TrackingApi } from '../../support/tracking-api.js';
import type { WandbVersion } from '../../support/wandb-clients.js';
import { openContext } from './context.js';
import { scenarios } from './index.js';
import type { Scenario } from './scenario.js';

declare module 'vitest' {
  interface TaskMeta {
    /** Why the client cannot do what the scenario promises; the table of `npm run test:wandb` prints it. */
    unavailable?: string;
  }
}

/** Registers scenarios as tests against one API: each with a project, a folder and programs of its own, one after another. */
export function runScenarios(version: WandbVersion, chosen: readonly Scenario[] = scenarios): void {
  describe(`wandb ${version}`, () => {
    let api: TrackingApi;
    beforeAll(async () => {
      api = await startTrackingApi();
    }, 900_000);
    afterAll(() => api.close());

    for (const scenario of chosen) {
      test(scenario.name, { timeout: 900_000 }, async ({ task, skip }) => {
        const reason = scenario.unavailable?.[version];
        if (reason !== undefined) {
          task.meta.unavailable = reason;
          return skip(reason);
        }
        const context = await openContext(version, api, scenario.name);
        try {
          await scenario.run(context);
        } finally {
          await context.close();
        }
      });
    }
  });
}
