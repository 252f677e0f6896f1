import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/infra/global-setup.ts'],
    // Real engines and a real browser, on two slow cores: a limit against hanging, not a measure of speed.
    // Many of the tests wait for something most of the time, so on two cores a third one finds room.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
    hookTimeout: 120_000,
  },
});
