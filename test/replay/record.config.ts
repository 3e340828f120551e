import { defineConfig } from 'vitest/config';

/** Records the histories of this version: `npx vitest run --config test/replay/record.config.ts`. Once per release; never again for an old one. */
export default defineConfig({
  test: { include: ['test/replay/record.ts'], testTimeout: 300_000, hookTimeout: 120_000, pool: 'forks' },
});
