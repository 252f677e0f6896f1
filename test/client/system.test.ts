/** The client against the running local system: the functions that deploy, and the fake Iamport. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPayments, type Payments, PaymentsError } from '../../client/index.ts';
import { shopKeysOf } from '../../functions/shared/shop-keys.ts';
import { localShopKey, localShopKeyText } from '../../local/aws/secrets.ts';
import { type System, startSystem } from '../support/system.ts';

let system: System;
let payments: Payments;

beforeAll(async () => {
  system = await startSystem();
  payments = createPayments({ url: system.url, key: localShopKey });
});
afterAll(() => system.close());

test('registers, reads, refunds and closes orders of the real handlers', async () => {
  const merchantUid = `주문 ${crypto.randomUUID().slice(0, 8)}`;
  const terms = { amount: 14_000, name: '꽃' };
  expect(await payments.orders.register(merchantUid, terms)).toMatchObject({ status: 'ready', prepared: true });
  expect(await payments.orders.register(merchantUid, terms)).toMatchObject({
    merchant_uid: merchantUid,
    amount: 14_000,
  });
  const changed = payments.orders.register(merchantUid, { ...terms, amount: 15_000 });
  await expect(changed).rejects.toBeInstanceOf(PaymentsError);
  await expect(changed).rejects.toMatchObject({ code: 'order_exists', status: 409 });

  const { ledger } = system.iamport;
  const { imp_uid } = ledger.open({ merchant_uid: merchantUid, amount: 14_000, pay_method: 'card' });
  ledger.pay(imp_uid, { amount: 14_000, payMethod: 'card' });
  await system.webhook({ imp_uid, merchant_uid: merchantUid, status: 'paid' });
  expect(await payments.orders.get(merchantUid)).toMatchObject({ status: 'paid', imp_uid, reversals: [], refunds: [] });
  const part = { amount: 4_000, reason: 'Sold out', idempotencyKey: 'part-1' };
  const { refund, order } = await payments.refunds.create(merchantUid, part);
  expect([refund.state, refund.key, order.status, order.cancelled_amount]).toEqual([
    'done',
    'part-1',
    'partial_cancelled',
    4_000,
  ]);
  expect((await payments.refunds.create(merchantUid, part)).refund).toEqual(refund);
  await expect(payments.orders.close(merchantUid)).rejects.toMatchObject({ code: 'order_paid', status: 409 });
  expect((await payments.orders.get(merchantUid)).refunds).toEqual([refund]);
});

test('closes an unpaid order, also twice, and gets the problem of an order that is missing', async () => {
  const merchantUid = await system.order();
  expect(await payments.orders.close(merchantUid)).toBeUndefined();
  expect(await payments.orders.close(merchantUid)).toBeUndefined();
  expect(await payments.orders.get(merchantUid)).toMatchObject({ status: 'closed' });
  await expect(payments.orders.get('missing')).rejects.toMatchObject({ code: 'order_not_found', status: 404 });
});

test('gets the problems of a wrong key, and of a key that may only register and read', async () => {
  const merchantUid = await system.order();
  const wrong = createPayments({ url: system.url, key: 'sk_orders_wrong' });
  await expect(wrong.orders.get(merchantUid)).rejects.toMatchObject({ code: 'unauthorised', status: 401 });
  const [ordersKey = ''] = shopKeysOf({ current: localShopKeyText }).orders;
  const reader = createPayments({ url: system.url, key: ordersKey });
  expect(await reader.orders.get(merchantUid)).toMatchObject({ status: 'ready' });
  await expect(reader.orders.close(merchantUid)).rejects.toMatchObject({ code: 'forbidden', status: 403 });
});
