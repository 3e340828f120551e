import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { testBundle } from '../support/bundle.js';

const root = join(import.meta.dirname, 'histories');
const histories = readdirSync(root).flatMap((release) =>
  readdirSync(join(root, release)).map((file) => ({ release, file, path: join(root, release, file) })),
);

let codePath: string;
beforeAll(async () => {
  codePath = await testBundle();
});

describe('workflows that are running somewhere go on under this version', () => {
  test('there is something to replay', () => {
    expect(histories.length).toBeGreaterThan(5);
  });

  test.each(histories)('$release $file', async ({ path, file }) => {
    const history: unknown = JSON.parse(readFileSync(path, 'utf8'));
    await Worker.runReplayHistory({ workflowBundle: { codePath } }, history, file);
  });

  test('a launch of any of these paths stays within 40 events', () => {
    for (const { file, path } of histories.filter((history) => history.file.startsWith('launch-'))) {
      const { events } = JSON.parse(readFileSync(path, 'utf8')) as { events: unknown[] };
      // Ending a running job takes a kill at its place besides.
      expect(events.length, file).toBeLessThanOrEqual(file === 'launch-cancelled-running.json' ? 45 : 40);
    }
  });
});
