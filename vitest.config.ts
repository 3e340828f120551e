import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { suites } from './scripts/suites.mjs';

/** Small files that take minutes: vitest begins with the largest files, so these would be left for the end, one beside nothing. */
const longest = /\/scenarios-\w+\.test\.ts$/;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification) => (longest.test(moduleId) ? 0 : 1);
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    // Two cores are the smallest machine that this is meant to be built on; more workers would only wait for each other.
    maxWorkers: 2,
    minWorkers: 1,
    // Processes: some tests change their environment, and native libraries do not share threads well.
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    projects: suites.map(({ name, testTimeoutS, alone }) => ({
      extends: true,
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        setupFiles: ['test/support/guard-group.ts', 'test/support/seeded-properties.ts'],
        testTimeout: testTimeoutS * 1000,
        hookTimeout: 900_000,
        ...(alone === true ? { poolOptions: { forks: { singleFork: true } }, sequence: { groupOrder: 1 } } : {}),
      },
    })),
  },
});
