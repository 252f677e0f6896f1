/** The bundles: complete, the same in every directory, and without code that would slow a cold start. */
import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { type Bundle, bundleFunctions } from '../../infra/bundle.ts';

const run = promisify(execFile);
const scratch = await mkdtemp(join(tmpdir(), 'bundle-'));
afterAll(() => rm(scratch, { recursive: true }));
const bundles = await bundleFunctions(join(scratch, 'one'));

test('each function has one bundle with a source map, and no other files', async () => {
  expect(bundles.map(({ name }) => name)).toEqual([
    'complete',
    'mobile-redirect',
    'webhook',
    'orders',
    'refunds',
    'close-order',
    'confirm',
    'reconcile',
    'publish',
    'deliver',
  ]);
  for (const { name } of bundles) {
    expect(await readdir(join(scratch, 'one', name))).toEqual(['index.mjs', 'index.mjs.map']);
  }
});

test('bundling into another directory gives the same bytes', async () => {
  const again = await bundleFunctions(join(scratch, 'elsewhere/deeper'));
  for (const [index, bundle] of bundles.entries()) {
    const other = again[index]?.file ?? '';
    expect(await digest(other)).toBe(await digest(bundle.file));
    expect(await digest(`${other}.map`)).toBe(await digest(`${bundle.file}.map`));
  }
});

test('a bundle is one file that imports nothing', async () => {
  for (const bundle of bundles) {
    // A failure shows only the match, not the bundle.
    expect((await code(bundle)).match(/(?:^|[;}])import\s*[\w${*"'][^;]*;/g)).toBeNull();
  }
});

test('a bundle exports its handler', async () => {
  for (const bundle of bundles) {
    expect((await code(bundle)).match(/export\{.*?\};/g)).toEqual([expect.stringMatching(/ as handler[,}]/)]);
  }
});

test('a bundle starts with the environment of its function alone', async () => {
  const lambda = {
    AWS_LAMBDA_FUNCTION_NAME: 'function',
    AWS_REGION: 'ap-northeast-2',
    AWS_ACCESS_KEY_ID: 'AKIA',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    REVERSALS_TABLE: 'reversals',
  };
  const settling = {
    ...lambda,
    ORDERS_TABLE: 'orders',
    STATE_TABLE: 'state',
    IAMPORT_SECRET_ARN: 'arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:iamport',
    IAMPORT_API_URL: 'http://127.0.0.1:9',
    SHOP_KEYS_SECRET_ARN: 'arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop-keys',
  };
  const publishing = { ...lambda, EVENT_BUS: 'bus', UNPUBLISHED_QUEUE_URL: 'http://127.0.0.1:9/1/unpublished' };
  const { REVERSALS_TABLE: _none, ...withoutTables } = lambda;
  const delivering = {
    ...withoutTables,
    WEBHOOK_URL: 'https://shop.invalid/',
    WEBHOOK_SECRET_ARN: 'arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:webhook',
    WEBHOOK_QUEUE_URL: 'http://127.0.0.1:9/1/webhooks',
    WEBHOOK_DEAD_LETTERS_URL: 'http://127.0.0.1:9/1/dead-letters',
  };
  for (const { name, file } of bundles) {
    const env = name === 'publish' ? publishing : name === 'deliver' ? delivering : settling;
    const script = `const { handler } = await import(${JSON.stringify(file)}); console.log(typeof handler); process.exit();`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { env });
    expect(stdout).toBe('function\n');
  }
});

test('the bundle of deliver, which needs no DynamoDB and no undici, is at most 190 KB', () => {
  const deliver = bundles.find(({ name }) => name === 'deliver');
  expect((deliver?.bytes ?? 0) / 1024).toBeGreaterThan(100);
  expect((deliver?.bytes ?? 0) / 1024).toBeLessThanOrEqual(190);
});

test('bundles exclude the SDK’s credential chain and most of undici', async () => {
  for (const bundle of bundles) {
    const { sources } = JSON.parse(await readFile(`${bundle.file}.map`, 'utf8')) as { sources: string[] };
    expect(
      sources.filter((source) =>
        /credential-provider|token-providers|undici\/(?:index|lib\/(?:mock|cache|interceptor))/.test(source),
      ),
    ).toEqual([]);
  }
});

test('the undici of the bundles sends requests, observes time-outs, and exports its errors', async () => {
  const { Pool, errors }: typeof import('undici') = createRequire(import.meta.url)('../../infra/undici-pool.cjs');
  const server = createServer((request, response) => {
    if (request.url === '/fast') response.end(`${request.method} answered`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const pool = new Pool(`http://127.0.0.1:${port}`, { maxResponseSize: 1024 });
  try {
    const answer = await pool.request({ method: 'POST', path: '/fast', body: 'a=1' });
    expect([answer.statusCode, await answer.body.text()]).toEqual([200, 'POST answered']);
    const slow = pool.request({ method: 'GET', path: '/slow', signal: AbortSignal.timeout(50) });
    await expect(slow).rejects.toThrow(/timeout/);
    expect(new errors.ResponseExceededMaxSizeError().code).toBe('UND_ERR_RES_EXCEEDED_MAX_SIZE');
  } finally {
    await pool.destroy();
    server.close();
  }
});

test('a source map names the sources and does not repeat them', async () => {
  for (const bundle of bundles) {
    expect((await code(bundle)).slice(-36)).toBe('//# sourceMappingURL=index.mjs.map\n'.padStart(36, '\n'));
    expect(JSON.parse(await readFile(`${bundle.file}.map`, 'utf8'))).not.toHaveProperty('sourcesContent');
  }
});

const digest = async (file: string) => hash('sha256', await readFile(file), 'hex');
const code = ({ file }: Bundle) => readFile(file, 'utf8');
