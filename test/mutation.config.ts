/** For `npm run mutate`: the tests of the pure rules alone, which need neither an engine nor a template. */
import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { include: ['test/functions/payment/**/*.test.ts'], testTimeout: 60_000 } });
