/** Four third-party clients of the real Iamport work with the fake one. They are in test/clients. */

import { execFile } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { type FakeIamport, startIamport } from '../../../local/iamport/server.ts';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../../clients', import.meta.url));

const payment = z.object({
  imp_uid: z.string(),
  merchant_uid: z.string(),
  amount: z.number(),
  cancel_amount: z.number(),
  status: z.string(),
});
const resultsSchema = z.record(
  z.string(),
  z.object({
    error: z.string().optional(),
    token: z.string().optional(),
    read: payment.optional(),
    found: payment.optional(),
    cancelled: payment.optional(),
  }),
);

const clients = ['iamport', 'iamporter', 'iamport-rest-client-nodejs', 'iamport-server-api'];
let iamport: FakeIamport;
let results: z.infer<typeof resultsSchema>;
const impUids: string[] = [];

beforeAll(async () => {
  await install();
  iamport = await startIamport({ port: 0 });
  for (const client of clients) {
    const { imp_uid } = iamport.ledger.open({ merchant_uid: `order-${client}`, amount: 14000 });
    iamport.ledger.pay(imp_uid);
    impUids.push(imp_uid);
  }
  const orders = clients.flatMap((client, index) => [impUids[index] ?? '', `order-${client}`]);
  const { stdout } = await run(process.execPath, ['run.mjs', iamport.url, ...orders], { cwd: folder });
  results = resultsSchema.parse(JSON.parse(stdout));
}, 180_000);

afterAll(() => iamport?.close());

/** Installs the clients only when a test needs them. Some are old, so their dependencies stay out of ours. */
async function install(): Promise<void> {
  const installed = `${folder}/node_modules/.package-lock.json`;
  const lock = `${folder}/package-lock.json`;
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder]);
}

describe.each(clients.map((client, index) => ({ client, index })))('$client', ({ client, index }) => {
  const expected = () => ({ imp_uid: impUids[index], merchant_uid: `order-${client}`, amount: 14000 });

  test('gets the shared token without an error', () => {
    expect(results[client]?.error).toBeUndefined();
    expect(iamport.tokens.accepts(results[client]?.token ?? '')).toBe(true);
  });

  test('reads the payment', () => {
    expect(results[client]?.read).toEqual({ ...expected(), status: 'paid', cancel_amount: 0 });
  });

  test('cancels 4,000 of 14,000 won with a checksum', () => {
    expect(results[client]?.cancelled).toEqual({ ...expected(), status: 'cancelled', cancel_amount: 4000 });
    expect(iamport.ledger.payment(impUids[index] ?? '').cancel_amount).toBe(4000);
  });
});

// iamport-server-api has no such call.
test.each(clients.slice(0, 3))('%s finds the payment by its merchant_uid', (client) => {
  expect(results[client]?.found).toMatchObject({ merchant_uid: `order-${client}`, status: 'paid', amount: 14000 });
});
