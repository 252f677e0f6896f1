/** The webhooks of the fake Iamport: when it sends them, and in which format. */

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

/** The received JSON bodies, after every delivery has finished. */
async function bodies(): Promise<unknown[]> {
  await iamport.webhooks.idle();
  return shop.received.map(({ body }) => JSON.parse(body));
}

describe('a webhook is sent', () => {
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

  test('with a cancellation_id after a cancel in the console', async () => {
    const imp_uid = paid(iamport);
    await iamport.webhooks.idle();
    const { cancel_history } = iamport.ledger.cancelInConsole(imp_uid, 4000);
    const cancellation_id = cancel_history[0]?.cancellation_id;
    expect(cancellation_id).toEqual(expect.any(String));
    expect((await bodies())[1]).toEqual({ imp_uid, merchant_uid: 'order-1', status: 'cancelled', cancellation_id });
  });

  test('after a cancel through the API only with enable_webhook', async () => {
    const imp_uid = paid(iamport);
    await iamport.call('POST', '/payments/cancel', { json: { imp_uid, amount: 1000 } });
    expect(await bodies()).toHaveLength(1);
    await iamport.call('POST', '/payments/cancel', { json: { imp_uid, amount: 1000, enable_webhook: true } });
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
  const set = (json: object) => iamport.call('PATCH', '/__control/settings', { json });

  test('selects the form format', async () => {
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

  test('sends late [T59]', async () => {
    await set({ webhooks: 'late', lateSeconds: 0.2 });
    const before = performance.now();
    paid(iamport);
    expect(await bodies()).toHaveLength(1);
    expect(performance.now() - before).toBeGreaterThan(190);
  });

  test('sends a webhook in every mode, with any status and format [T60]', async () => {
    await set({ webhooks: 'never' });
    const imp_uid = paid(iamport);
    await iamport.call('POST', `/__control/payments/${imp_uid}/webhook`, { json: { times: 2, status: 'cancelled' } });
    const forged = { imp_uid, merchant_uid: 'order-1', status: 'cancelled' };
    expect(await bodies()).toEqual([forged, forged]);
    await iamport.call('POST', `/__control/payments/${imp_uid}/webhook`, { json: { format: 'form' } });
    await iamport.webhooks.idle();
    expect(shop.received[2]?.body).toBe(`imp_uid=${imp_uid}&merchant_uid=order-1&status=paid`);
  });

  test('refuses an unknown setting', async () => {
    expect(await set({ webhooks: 'sometimes' })).toMatchObject({ status: 400 });
    expect(await set({ unknown: true })).toMatchObject({ status: 400 });
  });
});

describe('after a 5xx a webhook', () => {
  test('is not repeated by default', async () => {
    shop.responses = [{ status: 503 }];
    paid(iamport);
    expect(await bodies()).toHaveLength(1);
  });

  test('is repeated until a 2xx when repeats are on', async () => {
    Object.assign(iamport.settings, { repeats: true, repeatSeconds: 0 });
    shop.responses = [{ status: 503 }, { status: 500 }, { status: 200 }];
    paid(iamport);
    expect(await bodies()).toHaveLength(3);
    expect(iamport.webhooks.deliveries.map(({ status }) => status)).toEqual([200, 500, 503]);
  });

  test('is repeated at most five times, and not after a 4xx', async () => {
    Object.assign(iamport.settings, { repeats: true, repeatSeconds: 0 });
    shop.responses = [{ status: 500 }];
    paid(iamport);
    expect(await bodies()).toHaveLength(6);
    shop.responses = [{ status: 400 }];
    paid(iamport);
    expect(await bodies()).toHaveLength(7);
  });
});

test('repeats a webhook to an unreachable shop too', async () => {
  Object.assign(iamport.settings, { repeats: true, repeatSeconds: 0 });
  await shop.close();
  paid(iamport);
  await iamport.webhooks.idle();
  expect(iamport.webhooks.deliveries).toHaveLength(6);
  expect(iamport.webhooks.deliveries[0]).not.toHaveProperty('status');
});

test('close cancels pending webhooks', async () => {
  Object.assign(iamport.settings, { webhooks: 'late', lateSeconds: 3600 });
  paid(iamport);
  await iamport.close();
  expect(shop.received).toEqual([]);
  iamport = await startCaller();
});
