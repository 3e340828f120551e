import { defineConfig } from 'vitest/config';

/**
 * For `npm run test:wandb`, which prints the table. A project per version and half of its scenarios, so that two workers have as much to do to
 * the end; named scenarios are few, and stay together.
 */
const versions = (process.env['DAVIT_WANDB_VERSIONS'] ?? '').split(',');
const halves = process.env['DAVIT_WANDB_SCENARIOS'] ? [undefined] : ['0', '1'];

export default defineConfig({
  test: {
    maxWorkers: 2,
    minWorkers: 1,
    pool: 'forks',
    projects: versions.flatMap((version) =>
      halves.map((half) => ({
        extends: true as const,
        test: {
          name: half === undefined ? version : `${version} ${Number(half) + 1}/2`,
          include: ['test/wandb/scenarios/one-version.ts'],
          setupFiles: ['test/support/guard-group.ts'],
          hookTimeout: 120_000,
          env: { DAVIT_WANDB_VERSION: version, ...(half === undefined ? {} : { DAVIT_WANDB_HALF: half }) },
        },
      })),
    ),
  },
});
