import { defineConfig } from 'vitest/config';

/** For `npm run test:faults`, which prints everything itself. Not a part of `npm test`. */
export default defineConfig({
  test: {
    include: ['test/faults/scale/run.ts'],
    setupFiles: ['test/support/guard-group.ts'],
    testTimeout: 24 * 3_600_000,
    hookTimeout: 120_000,
    pool: 'forks',
    reporters: [{}],
    disableConsoleIntercept: true,
    watch: false,
  },
});
