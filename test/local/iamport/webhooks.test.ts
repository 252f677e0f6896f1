/** When the sandbox sends a webhook, and how. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { awaited, type Caller, paid, startCaller } from './caller.ts';
import { type Receiver, startReceiver } from './receiver.ts';

let shop: Receiver;
let iamport: Caller;
beforeEach(async () => {
  shop = await startReceiver();
  iamport = await startCaller({ webhookUrl: `${shop.url}/payments/webhook` });
});
afterEach(async () => {
  await iamport.close();
  await shop.close();
});

/** The JSON bodies that have arrived once nothing is on its way. */
async function bodies(): Promise<unknown[]> {
  await iamport.webhooks.idle();
  return shop.received.map(({ body }) => JSON.parse(body));
}

describe('is sent', () => {
  test('as JSON with ids and status when a payment is approved', async () => {
    const imp_uid = paid(iamport);
    expect(await bodies()).toEqual([{ imp_uid, merchant_uid: 'order-1', status: 'paid' }]);
    expect(shop.received[0]).toMatchObject({ path: '/payments/webhook', contentType: 'application/json' });
    expect(iamport.webhooks.deliveries).toMatchObject([{ notice: { imp_uid }, format: 'json', status: 200 }]);
  });

  test('when an account is issued and when the deposit arrives', async () => {
    const imp_uid = awaited(iamport);
    await iamport.webhooks.idle();
    iamport.ledger.deposit(imp_uid);
    expect(await bodies()).toEqual([
      { imp_uid, merchant_uid: 'order-1', status: 'ready' },
      { imp_uid, merchant_uid: 'order-1', status: 'paid' },
    ]);
  });

  test('with a cancellation_id when someone cancels in the console', async () => {
    const imp_uid = paid(iamport);
    await iamport.webhooks.idle();
    const { cancel_history } = iamport.ledger.cancelInConsole(imp_uid, 4000);
    const cancellation_id = cancel_history[0]?.cancellation_id;
    expect(cancellation_id).toEqual(expect.any(String));
    expect((await bodies())[1]).toEqual({ imp_uid, merchant_uid: 'order-1', status: 'cancelled', cancellation_id });
  });

  test('after a cancel through the API only when that asks for it', async () => {
    const imp_uid = paid(iamport);
    await iamport.ask('POST', '/payments/cancel', { json: { imp_uid, amount: 1000 } });
    expect(await bodies()).toHaveLength(1);
    await iamport.ask('POST', '/payments/cancel', { json: { imp_uid, amount: 1000, enable_webhook: true } });
    expect((await bodies())[1]).toMatchObject({ imp_uid, status: 'cancelled' });
  });

  test('never for a window, a failure or a revoked account', async () => {
    const { imp_uid } = iamport.ledger.open({ merchant_uid: 'order-1', amount: 14000 });
    iamport.ledger.fail(imp_uid, '한도초과');
    const account = awaited(iamport);
    await iamport.webhooks.idle();
    iamport.ledger.revokeAccount(account);
    expect(await bodies()).toEqual([{ imp_uid: account, merchant_uid: 'order-1', status: 'ready' }]);
  });
});

describe('the control page', () => {
  const set = (json: object) => iamport.ask('PATCH', '/__control/settings', { json });

  test('chooses the form', async () => {
    await set({ format: 'form' });
    const imp_uid = paid(iamport);
    await iamport.webhooks.idle();
    expect(shop.received).toEqual([
      {
        path: '/payments/webhook',
        contentType: 'application/x-www-form-urlencoded',
        body: `imp_uid=${imp_uid}&merchant_uid=order-1&status=paid`,
      },
    ]);
  });

  test.each([
    ['never', 0],
    ['now', 1],
    ['twice', 2],
  ])('sends %s', async (webhooks, times) => {
    await set({ webhooks });
    paid(iamport);
    expect(await bodies()).toHaveLength(times);
  });

  test('sends late', async () => {
    await set({ webhooks: 'late', lateSeconds: 0.2 });
    const before = performance.now();
    paid(iamport);
    expect(await bodies()).toHaveLength(1);
    expect(performance.now() - before).toBeGreaterThan(190);
  });

  test('sends again whatever the mode is, with any status and in either form', async () => {
    await set({ webhooks: 'never' });
    const imp_uid = paid(iamport);
    await iamport.ask('POST', `/__control/payments/${imp_uid}/webhook`, { json: { times: 2, status: 'cancelled' } });
    const forged = { imp_uid, merchant_uid: 'order-1', status: 'cancelled' };
    expect(await bodies()).toEqual([forged, forged]);
    await iamport.ask('POST', `/__control/payments/${imp_uid}/webhook`, { json: { format: 'form' } });
    await iamport.webhooks.idle();
    expect(shop.received[2]?.body).toBe(`imp_uid=${imp_uid}&merchant_uid=order-1&status=paid`);
  });

  test('refuses a setting that does not exist', async () => {
    expect(await set({ webhooks: 'sometimes' })).toMatchObject({ status: 400 });
    expect(await set({ unknown: true })).toMatchObject({ status: 400 });
  });
});

describe('after a 5xx', () => {
  test('it is sent once', async () => {
    shop.answers = [{ status: 503 }];
    paid(iamport);
    expect(await bodies()).toHaveLength(1);
  });

  test('it is repeated until it is taken, when repeats are asked for', async () => {
    Object.assign(iamport.settings, { repeats: true, repeatSeconds: 0 });
    shop.answers = [{ status: 503 }, { status: 500 }, { status: 200 }];
    paid(iamport);
    expect(await bodies()).toHaveLength(3);
    expect(iamport.webhooks.deliveries.map(({ status }) => status)).toEqual([200, 500, 503]);
  });

  test('it is repeated five times at most, and not at all after a 4xx', async () => {
    Object.assign(iamport.settings, { repeats: true, repeatSeconds: 0 });
    shop.answers = [{ status: 500 }];
    paid(iamport);
    expect(await bodies()).toHaveLength(6);
    shop.answers = [{ status: 400 }];
    paid(iamport);
    expect(await bodies()).toHaveLength(7);
  });
});

test('a shop that cannot be reached is repeated too', async () => {
  Object.assign(iamport.settings, { repeats: true, repeatSeconds: 0 });
  await shop.close();
  paid(iamport);
  await iamport.webhooks.idle();
  expect(iamport.webhooks.deliveries).toHaveLength(6);
  expect(iamport.webhooks.deliveries[0]).not.toHaveProperty('status');
});

test('closing gives up what waits to be sent', async () => {
  Object.assign(iamport.settings, { webhooks: 'late', lateSeconds: 3600 });
  paid(iamport);
  await iamport.close();
  expect(shop.received).toEqual([]);
  iamport = await startCaller();
});
