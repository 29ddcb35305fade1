import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // They need a real Chromium: npm run test:browser.
    exclude: ['test/browser/**'],
    // Voice tests run in real time against real sockets: more workers than cores would only add jitter.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
