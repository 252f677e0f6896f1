/** Planned checks of the reconciler: virtual accounts, deposits and deadlines, without a call of a buyer or Iamport. */

import { describe, expect, test } from 'vitest';
import { startFixture } from '../support/functions.ts';
import '../support/silence-console.ts';

describe('virtual accounts', () => {
  test('expires a virtual account after a call to Iamport, and a later deposit still settles the order', async () => {
    const { order, account, webhook, reconcile, pass, show, ledger } = await startFixture();
    await order();
    const impUid = account(3_600);
    await webhook(impUid);
    pass(3_500);
    await reconcile();
    expect((await show()).status).toBe('virtual_account_issued');
    pass(200);
    await reconcile();
    expect(await show()).toMatchObject({ status: 'expired', virtual_account: { imp_uid: impUid } });
    ledger.deposit(impUid);
    pass(300);
    await reconcile();
    expect((await show()).status).toBe('paid');
  });

  test('settles a virtual account with a deposit in its last second', async () => {
    const { order, account, webhook, reconcile, pass, show, ledger } = await startFixture();
    await order();
    const impUid = account(3_600);
    await webhook(impUid);
    pass(3_599);
    ledger.deposit(impUid);
    pass(10);
    await reconcile();
    expect((await show()).status).toBe('paid');
  });

  test('settles a card payment that no notification reported, in place of the expiry of its account [T585]', async () => {
    const { order, account, paid, webhook, reconcile, pass, show } = await startFixture();
    await order();
    await webhook(account(3_600));
    pass(3_590);
    const impUid = paid();
    pass(20);
    await reconcile();
    // Registered, waiting for the deposit, and paid: an expiry would be one revision and one event more.
    expect(await show()).toMatchObject({ status: 'paid', imp_uid: impUid, revision: 3 });
  });

  test('expires no virtual account while Iamport is unavailable', async () => {
    const { order, account, webhook, reconcile, pass, show, iamport } = await startFixture();
    await order();
    await webhook(account(3_600));
    pass(4_000);
    iamport.faults.add({ path: '/payments', status: 500, times: 1_000 });
    await reconcile();
    expect((await show()).status).toBe('virtual_account_issued');
  });

  test('checks a virtual account again after its deposit, and records that the bank took it back', async () => {
    const { order, account, webhook, reconcile, pass, show, ledger, deps } = await startFixture();
    // Lists that stay empty: only the planned check can find the change.
    const listPayments = async () => ({ payments: [], unreadable: [], total: 0, next: 0 });
    const iamport = { ...deps.iamport, listPayments };
    const check = () => reconcile({ ...deps, iamport });
    await order();
    const impUid = account();
    ledger.deposit(impUid);
    await webhook(impUid);
    expect((await deps.orders.read('order-1'))?.nextCheckAt).toBe(1_795_000_600);
    ledger.takeBackDeposit(impUid);
    pass(500);
    await check();
    expect((await show()).status).toBe('paid');
    pass(120);
    await check();
    expect((await show()).status).toBe('deposit_reversed');
    ledger.deposit(impUid);
    pass(300);
    await reconcile();
    expect((await show()).status).toBe('paid');
  });

  test('checks a paid virtual account for three days', async () => {
    const { order, account, webhook, reconcile, pass, ledger, deps, iamport, now } = await startFixture();
    await order();
    const impUid = account();
    ledger.deposit(impUid);
    await webhook(impUid);
    const paidAt = now();
    const next = async () => (await deps.orders.read('order-1'))?.nextCheckAt;
    for (const after of [600, 3_600, 21_600, 86_400, 259_200]) {
      expect(await next()).toBe(paidAt + after);
      pass(paidAt + after - now());
      await reconcile();
    }
    expect(await next()).toBeUndefined();
    pass(7_200);
    iamport.faults.forgetCalls();
    await reconcile();
    expect(iamport.faults.counts()[`GET /payments/${impUid}`]).toBeUndefined();
  });

  test('leaves an order payable whose deposit was cancelled', async () => {
    const { order, account, webhook, reconcile, pass, show, ledger, paid } = await startFixture();
    await reconcile();
    await order();
    const impUid = account();
    await webhook(impUid);
    ledger.deposit(impUid);
    ledger.cancelInConsole(impUid);
    pass(300);
    await reconcile();
    expect((await show()).status).toBe('ready');
    await webhook(paid());
    expect((await show()).status).toBe('paid');
  });

  test('revokes the older one of two virtual accounts', async () => {
    const { order, account, webhook, pass, show, ledger } = await startFixture();
    await order();
    const older = account();
    pass(10);
    const newer = account();
    await webhook(newer);
    await webhook(older);
    expect(await show()).toMatchObject({ status: 'virtual_account_issued', virtual_account: { imp_uid: newer } });
    expect(ledger.payment(older).status).toBe('cancelled');
  });
});

describe('an order with a deadline of its own', () => {
  test('expires an order after a call to Iamport, unless it was paid meanwhile', async () => {
    const { order, paid, reconcile, pass, show, now } = await startFixture();
    await order('left', { expires_at: now() + 600 });
    await order('paid', { expires_at: now() + 600 });
    pass(500);
    paid(14_000, 'paid');
    pass(200);
    await reconcile();
    expect([(await show('left')).status, (await show('paid')).status]).toEqual(['expired', 'paid']);
  });

  test('takes a repeat of its registration after the deadline, and no new one [T586]', async () => {
    const { order, put, paid, webhook, pass, now } = await startFixture();
    const terms = { expires_at: now() + 600 };
    await order('order-1', terms);
    await webhook(paid());
    pass(601);
    expect(await put('order-1', terms)).toMatchObject({ status: 200, json: { status: 'paid' } });
    expect(await put('order-1', { expires_at: now() - 2 })).toMatchObject({
      status: 409,
      json: { code: 'order_exists' },
    });
    expect(await put('order-2', terms)).toMatchObject({ status: 400, json: { code: 'invalid_request' } });
  });

  test('leaves an order failed that expired and failed again', async () => {
    const { order, reconcile, pass, show, now, ledger, webhook } = await startFixture();
    await order('order-1', { expires_at: now() + 600 });
    pass(700);
    await reconcile();
    const { imp_uid } = ledger.open({ merchant_uid: 'order-1', amount: 14_000 });
    ledger.fail(imp_uid, '한도 초과');
    await webhook(imp_uid);
    for (let run = 0; run < 4; run += 1) {
      pass(300);
      await reconcile();
    }
    expect(await show()).toMatchObject({ status: 'failed', revision: 3 });
  });
});
