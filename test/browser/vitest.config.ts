import { defineConfig } from 'vitest/config';

/** Tests that need a real Chromium, apart from the others: `npm test` runs wherever Node does. */
export default defineConfig({
  test: {
    include: ['test/browser/*.browser.ts'],
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
