import { defineConfig } from 'vitest/config';
import { suites } from './scripts/suites.mjs';

export default defineConfig({
  test: {
    // Two cores are the smallest machine that this is meant to be built on; more workers would only wait for each other.
    maxWorkers: 2,
    minWorkers: 1,
    // Processes: some tests change their environment, and native libraries do not share threads well.
    pool: 'forks',
    projects: suites.map(({ name, testTimeoutS, alone }) => ({
      extends: true,
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        setupFiles: ['test/support/guard-group.ts'],
        testTimeout: testTimeoutS * 1000,
        hookTimeout: 120_000,
        ...(alone === true ? { poolOptions: { forks: { singleFork: true } }, sequence: { groupOrder: 1 } } : {}),
      },
    })),
  },
});
