import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Tests of single modules. They need no database, no template and no browser, so they run without the global setup. */
const unit = [
  'test/check-words.test.ts',
  'test/bench/*.test.ts',
  'test/client/{contract,payments,webhook}.test.ts',
  'test/functions/{application,handlers,payment}/**/*.test.ts',
  'test/functions/adapters/iamport/{client,client-changes,connections,transport,wire}.test.ts',
  'test/functions/adapters/dynamodb/{attribute-types,releases}.test.ts',
  'test/functions/adapters/webhooks/**/*.test.ts',
  'test/functions/adapters/confirming-shop.test.ts',
  'test/functions/{bad-input,confirm,deliver,event-schema,foreign-text,html,instance,plain-text,prime,result-page,settle,shop-auth}.test.ts',
  'test/infra/{config,configuration-file}.test.ts',
  'test/local/aws/{event,queue,routes,secrets,signature,throttle}.test.ts',
  'test/local/iamport/{changes,described,reads,tokens}.test.ts',
  'test/local/{environment,request-observer}.test.ts',
  'test/ops/{doctor-stack,github-role}.test.ts',
  'test/storefront/{checkout,native,payment-apps,webview}.test.ts',
];
const simulation = ['test/simulation/**/*.test.ts'];
const e2e = ['test/e2e/**/*.test.ts'];
/** DynamoDB Local, the synthesized template, the browser: started once for a whole run. */
const globalSetup = ['test/infra/global-setup.ts'];

export default defineConfig({
  test: {
    // Real engines and a real browser, on two slow cores: a limit against hanging, not a measure of speed.
    // Many of the tests wait for something most of the time, so on two cores three workers are faster than two.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 180_000,
    expect: { poll: { timeout: 30_000 } },
    hookTimeout: 300_000,
    // Node.js loads the TypeScript itself. Vite would transform each module once a project.
    experimental: { viteModuleRunner: false },
    // The CDK's validation takes seconds in each process. test/infra/app.test.ts runs it on the template that ships.
    env: { CDK_VALIDATION: 'false' },
    projects: [
      // One process runs several files: the modules are loaded once.
      { extends: true, test: { name: 'unit', include: unit, isolate: false } },
      { extends: true, test: { name: 'simulation', include: simulation } },
      { extends: true, test: { name: 'e2e', include: e2e, globalSetup } },
      {
        extends: true,
        test: {
          name: 'integration',
          // One process runs many files: the SDK of AWS and the CDK are loaded once in each, not once a file.
          isolate: false,
          include: ['test/**/*.test.ts'],
          exclude: [...unit, ...simulation, ...e2e],
          globalSetup,
        },
      },
    ],
  },
});
