/** Late changes: deposits that banks take back, cancels that take PGs days, prices that the shop changes meanwhile. */

import { describe, expect, test } from 'vitest';
import { inTime } from '../../functions/application/in-time.ts';
import { settlePayment } from '../../functions/application/settle.ts';
import { staleAccount } from '../../functions/payment/events.ts';
import type { HandlerDependencies } from '../../functions/runtime/dependencies.ts';
import { beginning, type Fixture, startFixture } from '../support/functions.ts';
import { startOwnedFixture } from '../support/owned-table.ts';
import '../support/silence-console.ts';

const day = 86_400;

describe('a paid deposit', () => {
  /** A paid deposit in a deployment that is two days old. None of the longer scans is due during the next day. */
  async function deposited() {
    const fixture = await startFixture();
    const { order, account, webhook, ledger, reconcile, pass } = fixture;
    await reconcile();
    pass(2 * day);
    await reconcile();
    await order();
    const impUid = account();
    await webhook(impUid);
    ledger.deposit(impUid);
    await webhook(impUid);
    return { ...fixture, impUid };
  }

  test.each([
    ['11 minutes', 660, 3_600, 300],
    ['2 hours', 7_200, 21_600, 900],
    ['7 hours', 25_200, day, 3_600],
    ['2 days', 2 * day, 3 * day, 7_200],
  ])(
    'detects at the next planned check a deposit that the bank takes back after %s [T57]',
    async (_when, after, known, step) => {
      const { ledger, reconcile, show, pass, impUid, now } = await deposited();
      const paidAt = now();
      let isBack = false;
      for (let at = 0; at <= known; at += step) {
        if (at >= after && !isBack) {
          ledger.takeBackDeposit(impUid);
          isBack = true;
        }
        if (at > 0) await reconcile();
        pass(step);
      }
      expect(now() - paidAt).toBe(known + step);
      expect((await show()).status).toBe('deposit_reversed');
    },
  );

  test('checks a paid deposit for no longer than three days', async () => {
    const { deps, reconcile, pass } = await deposited();
    for (const seconds of [600, 3_000, 18_000, day - 21_600, 2 * day]) {
      pass(seconds);
      await reconcile();
    }
    expect((await deps.orders.read('order-1'))?.nextCheckAt).toBeUndefined();
    expect(await deps.orders.read('order-1')).toMatchObject({ state: { status: 'paid' }, revision: 3 });
  });

  test('detects a deposit that the bank takes back after a partial refund [T522]', async () => {
    const { ledger, reconcile, refund, webhook, show, pass, impUid } = await deposited();
    const account = { holder: '홍길동', bank: '011', number: '352-0000-0000-00' };
    pass(3 * day);
    await reconcile();
    expect(await refund({ amount: 4_000, reason: '반품', account }, 'a')).toMatchObject({ status: 200 });
    expect(await show()).toMatchObject({ status: 'partial_cancelled' });
    const { status, paid_at } = ledger.payment(impUid);
    // Iamport documents no other status for an account that awaits its deposit.
    Object.assign(ledger.payment(impUid), { status: 'ready', paid_at: 0 });
    pass(660);
    await reconcile();
    expect(await show()).toMatchObject({ status: 'deposit_reversed' });
    Object.assign(ledger.payment(impUid), { status, paid_at });
    await webhook(impUid);
    expect(await show()).toMatchObject({ status: 'partial_cancelled', cancelled_amount: 4_000 });
  });

  test('revokes the account of a rejected deposit that the bank takes back, without a refund', async () => {
    const { order, paid, account, webhook, ledger, reconcile, pass, show } = await startFixture();
    await order();
    await webhook(paid());
    const second = account(5 * day);
    ledger.deposit(second);
    await webhook(second);
    expect((await show()).reversals).toMatchObject([{ kind: 'manual', state: 'manual', amount: 14_000 }]);
    ledger.takeBackDeposit(second);
    pass(600);
    await reconcile();
    expect((await show()).reversals).toMatchObject([{ kind: 'revoke', state: 'done', amount: 0 }]);
    expect(ledger.payment(second).status).toBe('cancelled');
  });
});

describe('a cancel that Iamport accepted', () => {
  /** Iamport returns `code: 0` to a cancel, and the payment shows it later. */
  const accepting = ({ deps, ledger }: Fixture, forged: string) => {
    let calls = 0;
    const cancel: HandlerDependencies['iamport']['cancel'] = async ({ payment }) => {
      calls += 1;
      return payment;
    };
    return {
      deps: { ...deps, iamport: { ...deps.iamport, cancel } },
      calls: () => calls,
      finish: () => ledger.cancelInConsole(forged),
    };
  };

  test('never repeats an accepted cancel, and finishes it when the payment shows it', async () => {
    const fixture = await startFixture();
    const { order, paid, webhook, reconcile, pass, show } = fixture;
    await order();
    const forged = paid(100);
    const slow = accepting(fixture, forged);
    await webhook(forged, slow.deps);
    expect((await show()).reversals).toMatchObject([{ state: 'requested' }]);
    for (let hour = 0; hour < 36; hour += 1) {
      pass(3_600);
      await reconcile(slow.deps);
      await webhook(forged, slow.deps);
    }
    expect(slow.calls()).toBe(1);
    slow.finish();
    pass(day);
    await reconcile(slow.deps);
    expect((await show()).reversals).toMatchObject([{ state: 'done', amount: 100 }]);
  });

  test('leaves an accepted cancel to the operator when the payment does not show it after three working days', async () => {
    const fixture = await startFixture();
    const { order, paid, webhook, reconcile, pass, show } = fixture;
    await order();
    const forged = paid(100);
    const slow = accepting(fixture, forged);
    await webhook(forged, slow.deps);
    for (let at = 0; at < 7; at += 1) {
      pass(day);
      await reconcile(slow.deps);
    }
    expect((await show()).reversals).toMatchObject([{ state: 'manual', amount: 100 }]);
    expect(slow.calls()).toBe(1);
  });
});

describe('an account that could not be revoked', () => {
  async function unrevokable(lastsSeconds: number) {
    const fixture = await startFixture();
    const { order, account, webhook, iamport, ledger, pass } = fixture;
    await order();
    const older = account(lastsSeconds);
    pass(10);
    await webhook(account(20 * day));
    iamport.faults.add({ path: '/vbanks', status: 400, times: 10_000 });
    await webhook(older);
    return { ...fixture, older, revocations: () => iamport.faults.counts()[`DELETE /vbanks/${older}`] ?? 0, ledger };
  }

  test('finishes a failed revocation at the deadline, and never counts it as an overdue refund', async () => {
    const { reconcile, pass, show } = await unrevokable(4 * day);
    for (let hour = 0; hour < 100; hour += 1) {
      pass(3_600);
      expect((await reconcile()).overdue).toBe(0);
    }
    expect((await show()).reversals).toMatchObject([{ kind: 'revoke', state: 'done', amount: 0 }]);
  });

  test.each([
    ['manual reversals', { reversals: 'manual', acceptTestPayments: false }],
    ['a test deployment', { reversals: 'automatic', acceptTestPayments: true }],
  ] as const)(
    'with %s, leaves a real account that outlives its order to the operator [T523]',
    async (_name, policy) => {
      const { deps, order, account, webhook, pass, reconcile, ledger, show } = await startFixture();
      const to: HandlerDependencies = { ...deps, policy };
      await order('order-1', { expires_at: beginning + 600 });
      const impUid = account(10 * day);
      await webhook(impUid, to);
      const before = await deps.orders.read('order-1');
      pass(700);
      await reconcile(to);
      const after = (await deps.orders.read('order-1')) ?? expect.unreachable();
      // The publisher does this. It reads the write of the order from the stream, and knows no policy.
      const stale = staleAccount(before, after) ?? expect.unreachable();
      expect(stale).toMatchObject({ kind: 'revoke', reason: 'order_expired' });
      await deps.reversals.request(stale, beginning + 700, 0);
      pass(300);
      await reconcile(to);
      expect(ledger.payment(impUid).status).toBe('ready');
      expect(await show()).toMatchObject({
        status: 'expired',
        reversals: [{ kind: 'manual', state: 'manual', amount: 0 }],
      });
    },
  );

  test('sends an accepted revocation once, and finishes it after the deadline of its account [T649]', async () => {
    const { order, account, webhook, reconcile, pass, show, iamport, ledger } = await startFixture();
    await order();
    const older = account(6 * day);
    await webhook(older);
    // The PG registers the revocation, and never performs it.
    Object.assign(ledger, { revokeAccount: (impUid: string) => ledger.payment(impUid) });
    pass(10);
    await webhook(account(20 * day));
    await webhook(older);
    const sent = () => iamport.faults.counts()[`DELETE /vbanks/${older}`];
    expect((await show()).reversals).toMatchObject([{ kind: 'revoke', state: 'requested' }]);
    for (let quarter = 0; quarter < 6 * 4; quarter += 1) {
      pass(6 * 3_600);
      await reconcile();
    }
    expect(ledger.payment(older).status).toBe('ready');
    expect((await show()).reversals).toMatchObject([{ kind: 'revoke', state: expect.not.stringMatching('done') }]);
    expect(sent()).toBe(1);
    pass(2 * day);
    await reconcile();
    expect((await show()).reversals).toMatchObject([{ kind: 'revoke', state: 'done', amount: 0 }]);
    expect(sent()).toBe(1);
  });

  test.each([
    ['manual reversals', { reversals: 'manual', acceptTestPayments: false }],
    ['a test deployment', { reversals: 'automatic', acceptTestPayments: true }],
  ] as const)(
    'is left to the operator by a later deployment with %s, also after the last attempt [T627]',
    async (_name, policy) => {
      const { deps, order, account, webhook, iamport, ledger, pass, reconcile, show } = await startFixture();
      await order('order-1', { expires_at: beginning + 600 });
      const impUid = account(10 * day);
      await webhook(impUid);
      const before = await deps.orders.read('order-1');
      iamport.faults.add({ path: '/vbanks', status: 400, times: 10_000 });
      pass(700);
      await reconcile();
      const after = (await deps.orders.read('order-1')) ?? expect.unreachable();
      const stale = staleAccount(before, after) ?? expect.unreachable();
      await deps.reversals.request(stale, beginning + 700, 0);
      for (let hour = 0; hour < 36; hour += 1) {
        pass(3_600);
        await reconcile();
      }
      expect((await show()).reversals).toMatchObject([{ kind: 'revoke', state: 'manual' }]);
      iamport.faults.clear();
      for (let check = 0; check < 3; check += 1) {
        pass(6 * 3_600);
        await reconcile({ ...deps, policy });
      }
      expect(ledger.payment(impUid).status).toBe('ready');
      expect((await show()).reversals).toMatchObject([{ kind: 'manual', state: 'manual', amount: 0 }]);
    },
  );

  test('repeats a failed revocation until the missing key is configured', async () => {
    const { reconcile, pass, show, iamport, ledger, older } = await unrevokable(10 * day);
    for (let hour = 0; hour < 48; hour += 1) {
      pass(3_600);
      await reconcile();
    }
    expect((await show()).reversals).toMatchObject([{ kind: 'revoke', state: 'manual' }]);
    iamport.faults.clear();
    pass(6 * 3_600);
    await reconcile();
    expect((await show()).reversals).toMatchObject([{ state: 'done' }]);
    expect(ledger.payment(older).status).toBe('cancelled');
  });
});

test('expires an order at its own deadline, even if its account has a later one [T38]', async () => {
  const { order, account, webhook, reconcile, pass, show, now } = await startFixture();
  await order('order-1', { expires_at: now() + 600 });
  await webhook(account(5 * day));
  pass(900);
  await reconcile();
  expect((await show()).status).toBe('expired');
});

test('keeps an amount that another shop registered with Iamport [T31]', async () => {
  const { ledger, deps, order, show, reconcile, pass, now } = await startFixture();
  ledger.prepared.register({ merchant_uid: 'order-1', amount: 9_000, currency: null });
  await order('order-1', { expires_at: now() + day });
  expect(ledger.prepared.of('order-1')).toMatchObject({ amount: 9_000 });
  pass(3_700);
  await reconcile();
  expect(ledger.prepared.of('order-1')).toMatchObject({ amount: 9_000 });
  expect((await show()).status).toBe('ready');
  expect((await deps.orders.read('order-1'))?.isUnprepared).toBeUndefined();
});

describe('the table of a shop', () => {
  const deadline = { leftMs: () => 10_000 };

  test('writes no order as paid by a payment whose cancel is in progress [T32]', async () => {
    const { shop, price, status, paid, ledger, webhook } = await startOwnedFixture();
    const impUid = paid(14_000);
    const early = await shop.iamport.payment(impUid, deadline);
    // A coupon: the payment is wrong, and its cancel is sent. The price changes back while Iamport works on it.
    await price(13_000);
    let interrupted: unknown;
    const cancel: HandlerDependencies['iamport']['cancel'] = async (...parameters) => {
      await price(14_000);
      const order = await shop.orders.read('order-1');
      if (early) interrupted = await settlePayment(inTime(shop, deadline), early, order);
      return shop.iamport.cancel(...parameters);
    };
    await webhook(impUid, { ...shop, iamport: { ...shop.iamport, cancel } });
    expect(interrupted).toMatchObject({ kind: 'settled', outcome: { status: 'rejected', reason: 'amount_mismatch' } });
    expect(ledger.payment(impUid).cancel_amount).toBe(14_000);
    expect(await status()).toBe('ready');
  });

  test('writes no order as paid that was read before the cancel was announced', async () => {
    const { shop, price, status, paid, ledger, webhook } = await startOwnedFixture();
    const impUid = paid(14_000);
    const early = await shop.iamport.payment(impUid, deadline);
    const before = await shop.orders.read('order-1');
    await price(13_000);
    await webhook(impUid, shop);
    await price(14_000);
    if (early) await settlePayment(inTime(shop, deadline), early, before);
    expect(ledger.payment(impUid).cancel_amount).toBe(14_000);
    expect(await status()).toBe('ready');
  });

  test('keeps a payment that settled the order before its cancel was announced', async () => {
    const { shop, price, status, paid, ledger, webhook, deps } = await startOwnedFixture();
    const impUid = paid(14_000);
    await price(13_000);
    const { announceCancel } = shop.orders;
    const orders: HandlerDependencies['orders'] = {
      ...shop.orders,
      async announceCancel(order) {
        await price(14_000);
        // Another request settles the order: it read the reversal before that was written.
        const payment = await shop.iamport.payment(impUid, deadline);
        const none: HandlerDependencies = { ...shop, reversals: { ...shop.reversals, read: async () => undefined } };
        if (payment) await settlePayment(inTime(none, deadline), payment, await shop.orders.read('order-1'));
        return announceCancel(order);
      },
    };
    await webhook(impUid, { ...shop, orders });
    expect(ledger.payment(impUid).cancel_amount).toBe(0);
    expect(await status()).toBe('paid');
    expect(await deps.reversals.read(impUid)).toMatchObject({ state: 'done', amount: 0 });
  });
});
