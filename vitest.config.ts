import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/infra/global-setup.ts'],
    // Real engines and a real browser, on two slow cores: a limit against hanging, not a measure of speed.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
