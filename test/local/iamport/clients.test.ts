/** Four clients that others made for the real Iamport must find nothing strange about the sandbox. They live in test/clients. */

import { execFile } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { type SandboxIamport, startIamport } from '../../../local/iamport/server.ts';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../../clients', import.meta.url));

const payment = z.object({
  imp_uid: z.string(),
  merchant_uid: z.string(),
  amount: z.number(),
  cancel_amount: z.number(),
  status: z.string(),
});
const seenBy = z.record(
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
let iamport: SandboxIamport;
let seen: z.infer<typeof seenBy>;
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
  seen = seenBy.parse(JSON.parse(stdout));
}, 180_000);

afterAll(() => iamport?.close());

/** Some of the clients are old, so they keep their dependencies out of ours: installed only when a test needs them. */
async function install(): Promise<void> {
  const installed = `${folder}/node_modules/.package-lock.json`;
  const lock = `${folder}/package-lock.json`;
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder]);
}

describe.each(clients.map((client, index) => ({ client, index })))('$client', ({ client, index }) => {
  const expected = () => ({ imp_uid: impUids[index], merchant_uid: `order-${client}`, amount: 14000 });

  test('meets no error and gets the token that everybody gets', () => {
    expect(seen[client]?.error).toBeUndefined();
    expect(iamport.tokens.accepts(seen[client]?.token ?? '')).toBe(true);
  });

  test('reads the payment', () => {
    expect(seen[client]?.read).toEqual({ ...expected(), status: 'paid', cancel_amount: 0 });
  });

  test('cancels 4,000 of 14,000 won with a checksum', () => {
    expect(seen[client]?.cancelled).toEqual({ ...expected(), status: 'cancelled', cancel_amount: 4000 });
    expect(iamport.ledger.payment(impUids[index] ?? '').cancel_amount).toBe(4000);
  });
});

// iamport-server-api has no call for it.
test.each(clients.slice(0, 3))('%s finds the payment by its merchant_uid', (client) => {
  expect(seen[client]?.found).toMatchObject({ merchant_uid: `order-${client}`, status: 'paid', amount: 14000 });
});
