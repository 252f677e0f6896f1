/** What time does to an order: accounts, deposits and deadlines, looked at by the reconciler though nobody calls. */

import { describe, expect, test, vi } from 'vitest';
import { openRooms } from '../support/functions.ts';

vi.spyOn(console, 'info').mockReturnValue();
vi.spyOn(console, 'error').mockReturnValue();

describe('virtual accounts', () => {
  test('expire only after Iamport was asked, and a deposit after that still settles', async () => {
    const { order, account, webhook, reconcile, pass, show, ledger } = await openRooms();
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

  test('that were paid at the last moment are paid, and not expired', async () => {
    const { order, account, webhook, reconcile, pass, show, ledger } = await openRooms();
    await order();
    const impUid = account(3_600);
    await webhook(impUid);
    pass(3_599);
    ledger.deposit(impUid);
    pass(10);
    await reconcile();
    expect((await show()).status).toBe('paid');
  });

  test('do not expire while Iamport cannot be asked', async () => {
    const { order, account, webhook, reconcile, pass, show, iamport } = await openRooms();
    await order();
    await webhook(account(3_600));
    pass(4_000);
    iamport.faults.add({ path: '/payments', status: 500, times: 1_000 });
    await reconcile();
    expect((await show()).status).toBe('virtual_account_issued');
  });

  test('are looked at a second time after the deposit, and what the bank took back is told', async () => {
    const { order, account, webhook, reconcile, pass, show, ledger, rooms } = await openRooms();
    // Lists that lag for ever: only the planned check can find it.
    const listPayments = async () => ({ payments: [], unreadable: [], total: 0, next: 0 });
    const blind = { ...rooms.iamport, listPayments };
    const secondLook = () => reconcile({ ...rooms, iamport: blind });
    await order();
    const impUid = account();
    ledger.deposit(impUid);
    await webhook(impUid);
    expect((await rooms.orders.read('order-1'))?.dueAt).toBe(1_795_000_600);
    ledger.takeBackDeposit(impUid);
    pass(500);
    await secondLook();
    expect((await show()).status).toBe('paid');
    pass(120);
    await secondLook();
    expect((await show()).status).toBe('deposit_reversed');
    ledger.deposit(impUid);
    pass(300);
    await reconcile();
    expect((await show()).status).toBe('paid');
  });

  test('whose deposit stands are checked for three days', async () => {
    const { order, account, webhook, reconcile, pass, ledger, rooms, iamport, now } = await openRooms();
    await order();
    const impUid = account();
    ledger.deposit(impUid);
    await webhook(impUid);
    const paidAt = now();
    const next = async () => (await rooms.orders.read('order-1'))?.dueAt;
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

  test('whose deposit came and went free the order', async () => {
    const { order, account, webhook, reconcile, pass, show, ledger, paid } = await openRooms();
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

  test('of which the later one counts: the older is revoked', async () => {
    const { order, account, webhook, pass, show, ledger } = await openRooms();
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
  test('expires after Iamport was asked, and not when it was paid meanwhile', async () => {
    const { order, paid, reconcile, pass, show, now } = await openRooms();
    await order('left', { expires_at: now() + 600 });
    await order('paid', { expires_at: now() + 600 });
    pass(500);
    paid(14_000, 'paid');
    pass(200);
    await reconcile();
    expect([(await show('left')).status, (await show('paid')).status]).toEqual(['expired', 'paid']);
  });

  test('that failed stays failed once it has expired and failed again', async () => {
    const { order, reconcile, pass, show, now, ledger, webhook } = await openRooms();
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
