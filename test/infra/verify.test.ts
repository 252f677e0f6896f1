/** `verify` in a process of its own, on a system whose settings change what it expects. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { expect, test } from 'vitest';
import { IamportPayments } from '../../infra/iamport-payments.ts';
import { startSystem } from '../support/system.ts';
import { shippedContext } from './shipped.ts';
import { verified } from './verified.ts';

test('verify finds nothing with signatures, an order prefix, Iamport as the only sender, and a result target', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'verify-'));
  const app = new App({ outdir: directory, analyticsReporting: false });
  new IamportPayments(new Stack(app, 'Shop'), 'Payments', {
    storefront: shippedContext.iamport.storefront,
    shopAuth: 'iam',
    orderPrefix: 'p'.repeat(30),
    webhookSenders: 'iamport-only',
    results: { web: 'https://shop.example/result' },
  });
  app.synth();
  const system = await startSystem({ assembly: directory });
  try {
    const { code, lines } = await verified(system.url);
    expect([code, lines.filter((line) => line.startsWith('✗'))]).toEqual([0, []]);
    for (const line of [
      'PUT /orders/{merchant_uid}, registers with a signature: 201 ready',
      'DELETE /orders/{merchant_uid}, with a wrong signature: 403',
      'POST /payments/webhook, a payment that Iamport does not know: 403 sender_refused',
      'GET /payments/complete/mobile, a payment that Iamport does not know: 303',
    ]) {
      expect(lines.join('\n')).toContain(` ${line} (`);
    }
    expect(lines.at(-2)).toMatch(/^Left behind: one closed order.* p{30}verify-[0-9a-f]{3}$/);
  } finally {
    await system.close();
    await rm(directory, { recursive: true });
  }
  // It synthesizes and starts a system of its own.
}, 300_000);
