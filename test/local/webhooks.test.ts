/**
 * Signed webhooks end to end: the template's rule and queue, the bundle that deploys, and a real server of a shop, which verifies
 * each webhook with the library of the Standard Webhooks project.
 */

import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type ShopServer, startShopServer, webhooksAssembly } from '../support/shop-server.ts';
import { type System, startSystem } from '../support/system.ts';

/** A timeout against hanging, not a measure of speed. Milliseconds. */
const delivered = 50_000;

/** While the secret is changed, both are valid. */
const previousSecret = `whsec_${randomBytes(32).toString('base64')}`;

let shop: ShopServer;
let system: System;
const log: string[] = [];
beforeAll(async () => {
  shop = await startShopServer();
  system = await startSystem({
    assembly: await webhooksAssembly(),
    webhooks: { url: `${shop.url}?key=in-the-query`, secret: shop.secret, previousSecret },
    environment: { WEBHOOK_TIMEOUT_MS: '5000' },
    log: (text) => log.push(text),
  });
  system.iamport.settings.webhooks = 'never';
}, 300_000);
afterAll(async () => {
  await system.close();
  await shop.close();
});

async function paidOrder(): Promise<{ merchantUid: string; impUid: string }> {
  const merchantUid = await system.order();
  const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
  system.iamport.ledger.pay(imp_uid);
  const { status } = await system.webhook({ imp_uid, merchant_uid: merchantUid });
  expect(status).toBe(200);
  return { merchantUid, impUid: imp_uid };
}

const of = (merchantUid: string) => shop.seen.filter(({ event }) => event.data.merchant_uid === merchantUid);
/** Waits for so many attempts. */
const attempts = (merchantUid: string, count: number) =>
  vi.waitFor(() => {
    expect(of(merchantUid)).toHaveLength(count);
    return of(merchantUid);
  }, delivered);
/** The lines of the function's log about an order. */
const linesOf = (merchantUid: string) =>
  log
    .join('')
    .split('\n')
    .filter((line) => line.includes('"route":"deliver"') && line.includes(merchantUid))
    .map((line) => JSON.parse(line).message);
const queues = () => {
  const [destination] = system.webhooks.destinations;
  if (!destination) throw new Error('There is no destination of webhooks');
  return destination;
};

test('a paid order arrives once as a signed webhook', async () => {
  const { merchantUid, impUid } = await paidOrder();
  const [webhook] = await attempts(merchantUid, 1);
  const verified = new Webhook(shop.secret).verify(webhook?.body ?? '', webhook?.headers as Record<string, string>);
  expect(verified).toEqual({
    type: 'Payment Paid',
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
    data: expect.objectContaining({
      version: 1,
      id: `${merchantUid}:2`,
      merchant_uid: merchantUid,
      imp_uid: impUid,
      amount: 14_000,
      status: 'paid',
    }),
  });
  expect(webhook?.headers).toMatchObject({ 'webhook-id': `${merchantUid}:2`, 'content-type': 'application/json' });
  await vi.waitFor(() => expect(queues().queue.bodies).toEqual([]), delivered);
  expect(linesOf(merchantUid)).toEqual([
    expect.objectContaining({ outcome: 'delivered', status: 204, event: 'Payment Paid', id: `${merchantUid}:2` }),
  ]);
});

test('a receiver with the new or with the previous secret verifies a webhook while the secret is changed', async () => {
  const { merchantUid } = await paidOrder();
  const [webhook] = await attempts(merchantUid, 1);
  for (const secret of [shop.secret, previousSecret]) {
    const verified = new Webhook(secret).verify(webhook?.body ?? '', webhook?.headers as Record<string, string>);
    expect(verified).toEqual(webhook?.event);
  }
});

test('a redirect and no answer in time are repeated with the same id, until one is 2xx', async () => {
  shop.answers.push(
    (response) => response.writeHead(308, { location: '/elsewhere' }).end('a text that nothing reads'),
    () => undefined,
  );
  const { merchantUid } = await paidOrder();
  const webhooks = await attempts(merchantUid, 3);
  expect(new Set(webhooks.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([`${merchantUid}:2`]));
  expect(new Set(webhooks.map(({ body }) => body)).size).toBe(1);
  for (const { body, headers } of webhooks) new Webhook(shop.secret).verify(body, headers as Record<string, string>);
  await vi.waitFor(() => expect(queues().queue.bodies).toEqual([]), delivered);
  expect(linesOf(merchantUid).map(({ outcome, status, causes }) => [outcome, status ?? causes])).toEqual([
    ['repeat', 308],
    ['repeat', ['WebhookNoResponse: No answer within 5000 ms']],
    ['delivered', 204],
  ]);
  expect(queues().deadLetters.bodies).toEqual([]);
});

test('an answer 410 ends it, and the event waits in the dead-letter queue', async () => {
  shop.answers.push((response) => response.writeHead(410).end());
  const { merchantUid } = await paidOrder();
  await vi.waitFor(() => expect(queues().deadLetters.bodies).toHaveLength(1), delivered);
  await vi.waitFor(() => expect(queues().queue.bodies).toEqual([]), delivered);
  expect(JSON.parse(queues().deadLetters.bodies[0] ?? '')).toMatchObject({
    'detail-type': 'Payment Paid',
    detail: { merchant_uid: merchantUid },
  });
  expect(of(merchantUid)).toHaveLength(1);
  expect(linesOf(merchantUid)).toEqual([expect.objectContaining({ outcome: 'gone', status: 410 })]);
});

test('the log has neither the secret, nor the query of the URL, nor a body', () => {
  const text = log.join('');
  expect(JSON.stringify(linesOf(''))).toContain('"outcome":"delivered"');
  expect(text).not.toContain(shop.secret.slice('whsec_'.length));
  expect(text).not.toContain(previousSecret.slice('whsec_'.length));
  expect(text).not.toContain('in-the-query');
  expect(JSON.stringify(linesOf(''))).not.toContain('14000');
  expect(text).not.toContain('a text that nothing reads');
});

test('reports no fault of a function', () => expect(system.faults).toEqual([]));
