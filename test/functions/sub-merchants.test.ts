/** Payments of an Agency account's sub-merchants, over HTTP: Iamport returns each only for its code in the header `Tier`. */

import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { orderEvents } from '../../functions/payment/events.ts';
import { startFixture } from '../support/functions.ts';
import '../support/silence-console.ts';

/** A fixture that scans the sub-merchants' lists. The first run has set every checkpoint. */
async function startWithTiers(tiers: readonly string[]) {
  const fixture = await startFixture();
  const { deps, ledger, reconcile, pass } = fixture;
  const ours: typeof deps = { ...deps, config: { ...deps.config, tiers } };
  await reconcile(ours);
  pass(60);
  return {
    ...fixture,
    ours,
    webhookOf: (impUid: string) =>
      fixture.notify({ imp_uid: impUid, merchant_uid: ledger.payment(impUid).merchant_uid }),
    scan: () => reconcile(ours),
    paidTo: (tier: string, merchantUid = 'order-1', amount = 14_000) => {
      const { imp_uid } = ledger.open({ merchant_uid: merchantUid, amount: 14_000, tier });
      return ledger.pay(imp_uid, { amount }).imp_uid;
    },
  };
}

describe('the lists of sub-merchants', () => {
  test('settles the payment of a sub-merchant that no notification reported [T320]', async () => {
    const { order, paid, paidTo, scan, show, pass } = await startWithTiers(['T001', 'T002']);
    for (const [name, tier] of [
      ['one', 'T001'],
      ['two', 'T002'],
    ] as const) {
      await order(name, { tier });
      paidTo(tier, name);
    }
    await order('own');
    paid(14_000, 'own');
    pass(300);
    expect(await scan()).toMatchObject({ payments: 3, matched: 3, settled: 3, orphans: 0, faults: [], finished: true });
    const statuses = await Promise.all(['one', 'two', 'own'].map(async (name) => (await show(name)).status));
    expect(statuses).toEqual(['paid', 'paid', 'paid']);
  });

  test('sends no call for a sub-merchant by default', async () => {
    const { order, paidTo, reconcile, show, pass, iamport } = await startWithTiers([]);
    await order('order-1', { tier: 'T001' });
    paidTo('T001');
    pass(20);
    iamport.faults.forgetCalls();
    expect(await reconcile()).toMatchObject({ payments: 0, finished: true });
    expect(iamport.faults.calls).toHaveLength(4);
    expect((await show()).status).toBe('ready');
  });

  test('sends four calls for each further list without payments', async () => {
    const { scan, pass, iamport } = await startWithTiers(['T001', 'T002']);
    pass(300);
    iamport.faults.forgetCalls();
    await scan();
    expect(iamport.faults.calls).toHaveLength(12);
  });

  test('cancels a payment of a wrong amount with the code of its sub-merchant', async () => {
    const { order, paidTo, scan, show, pass, ledger } = await startWithTiers(['T001']);
    await order('order-1', { tier: 'T001' });
    const impUid = paidTo('T001', 'order-1', 100);
    pass(300);
    expect(await scan()).toMatchObject({ settled: 1, faults: [] });
    expect((await show()).reversals).toMatchObject([{ reason: 'amount_mismatch', state: 'done' }]);
    expect(ledger.payment(impUid)).toMatchObject({ status: 'cancelled', cancel_amount: 100 });
  });

  test('cancels and refunds with the code of its sub-merchant, although the order was deleted [T594]', async () => {
    const { order, paidTo, webhookOf, refund, scan, pass, ledger, iamport, client, names, deps } = await startWithTiers(
      ['T001'],
    );
    for (const number of ['order-1', 'order-2']) await order(number, { tier: 'T001' });
    const forged = paidTo('T001', 'order-1', 100);
    const right = paidTo('T001', 'order-2');
    iamport.faults.add({ path: '/payments/cancel', answer: 'reset', times: 2 });
    for (const impUid of [forged, right]) await webhookOf(impUid);
    expect(await refund({}, 'a', 'order-2')).toMatchObject({ status: 202 });
    for (const number of ['order-1', 'order-2']) {
      await client.send(new DeleteItemCommand({ TableName: names.orders, Key: { merchant_uid: { S: number } } }));
    }
    pass(300);
    await scan();
    expect(ledger.payment(forged)).toMatchObject({ status: 'cancelled', cancel_amount: 100 });
    expect(ledger.payment(right)).toMatchObject({ status: 'cancelled', cancel_amount: 14_000 });
    expect(await deps.reversals.read(forged)).toMatchObject({ state: 'done' });
    expect(await deps.refunds.read({ impUid: right, key: 'a' })).toMatchObject({ state: 'done' });
  });

  test('scans the other lists when one cannot be read, and continues it later [T321]', async () => {
    const { order, paid, paidTo, scan, show, pass, iamport, counted } = await startWithTiers(['T001', 'T002']);
    for (const tier of ['T001', 'T002']) {
      await order(tier, { tier });
      paidTo(tier, tier);
    }
    await order('own');
    paid(14_000, 'own');
    pass(300);
    iamport.faults.add({ path: '/payments/status', tier: 'T001', status: 401, times: 1_000 });
    expect(await scan()).toMatchObject({
      settled: 2,
      finished: false,
      faults: [expect.stringMatching(/^Sub-merchant T001: /)],
    });
    // Only the account's own list shows that the keys are wrong.
    expect(counted.at(-1)).toMatchObject({ KeysRefused: 0, ScanLag: 360 });
    expect([(await show('own')).status, (await show('T002')).status, (await show('T001')).status]).toEqual([
      'paid',
      'paid',
      'ready',
    ]);
    iamport.faults.clear();
    pass(3_600);
    expect(await scan()).toMatchObject({ settled: 1, faults: [], finished: true });
    expect((await show('T001')).status).toBe('paid');
  });

  test('scans the sub-merchants when the account’s own list cannot be read', async () => {
    const { order, paidTo, ours, reconcile, show, pass } = await startWithTiers(['T001']);
    await order('order-1', { tier: 'T001' });
    paidTo('T001');
    pass(300);
    const { listPayments } = ours.iamport;
    const failing: typeof listPayments = async (query, deadline) =>
      listPayments(query.tier ? query : { ...query, limit: 0 }, deadline);
    expect(await reconcile({ ...ours, iamport: { ...ours.iamport, listPayments: failing } })).toMatchObject({
      settled: 1,
      finished: false,
    });
    expect((await show()).status).toBe('paid');
  });

  test('gives each list a share of the time, and begins each run with another sub-merchant', async () => {
    const tiers = ['T001', 'T002', 'T003', 'T004', 'T005', 'T006'];
    const { ours, reconcile, pass } = await startWithTiers(tiers);
    const { listPayments } = ours.iamport;
    const reached = async () => {
      const lists = new Set<string>();
      // Each page takes 11 seconds, so one run has no time for all lists.
      const slow: typeof listPayments = async (query, deadline) => {
        lists.add(query.tier ?? 'own');
        const page = await listPayments(query, deadline);
        pass(11);
        return page;
      };
      await reconcile({ ...ours, iamport: { ...ours.iamport, listPayments: slow } });
      return lists;
    };
    const all = new Set<string>();
    for (let run = 0; run < tiers.length; run += 1) {
      pass(300);
      const lists = await reached();
      expect(lists.has('own')).toBe(true);
      expect(lists.size).toBeGreaterThan(2);
      for (const list of lists) all.add(list);
    }
    expect(all.size).toBe(7);
  });

  test('continues a list that used up its share when the others are done', async () => {
    const { order, paid, ours, reconcile, pass, show } = await startWithTiers(['T001']);
    await order();
    paid();
    pass(300);
    const { listPayments } = ours.iamport;
    // A page of the account's own list takes 15 seconds: its share ends after the third of four.
    const statuses: string[] = [];
    const slow: typeof listPayments = async (query, deadline) => {
      const page = await listPayments(query, deadline);
      if (!query.tier) pass(15);
      statuses.push(`${query.tier ?? 'own'} ${query.status}`);
      return page;
    };
    const report = await reconcile({ ...ours, iamport: { ...ours.iamport, listPayments: slow } });
    expect(report).toMatchObject({ settled: 1, faults: [] });
    expect(statuses.indexOf('own failed')).toBeGreaterThan(statuses.indexOf('T001 failed'));
    expect(statuses).toContain('T001 failed');
    expect((await show()).status).toBe('paid');
  });

  test('records a payment to another sub-merchant than the order names, and never cancels it [T322]', async () => {
    const { order, paidTo, scan, show, pass, deps, ledger } = await startWithTiers(['T001', 'T002']);
    await order('order-1', { tier: 'T001' });
    const impUid = paidTo('T002');
    pass(300);
    expect(await scan()).toMatchObject({ settled: 0, orphans: 1, faults: [] });
    expect((await show()).status).toBe('ready');
    expect(await deps.reversals.read(impUid)).toMatchObject({ kind: 'orphan', state: 'manual', amount: 14_000 });
    pass(300);
    expect(await scan()).toMatchObject({ settled: 0, orphans: 0, faults: [] });
    expect(ledger.payment(impUid).cancel_amount).toBe(0);
  });

  test.each([100, 14_000])(
    'settles no order of a sub-merchant by a payment of %i won to the account itself [T520]',
    async (amount) => {
      const { order, paid, notify, complete, scan, show, pass, deps, ledger } = await startWithTiers(['T001']);
      await order('order-1', { tier: 'T001' });
      const impUid = paid(amount);
      await notify({ imp_uid: impUid, merchant_uid: 'order-1', status: 'paid' });
      await notify({ imp_uid: impUid, status: 'paid' });
      expect((await complete(impUid)).status).toBe(404);
      pass(300);
      expect(await scan()).toMatchObject({ settled: 0, orphans: 1, faults: [] });
      expect(await show()).toMatchObject({ status: 'ready' });
      expect(await deps.reversals.read(impUid)).toMatchObject({ kind: 'orphan', state: 'manual', amount });
      pass(3_600);
      expect(await scan()).toMatchObject({ orphans: 0, faults: [] });
      expect(ledger.payment(impUid).cancel_amount).toBe(0);
    },
  );

  test('keeps a payment without an order, when the order that is registered for it names a sub-merchant [T521]', async () => {
    const { order, paid, scan, show, pass, deps } = await startWithTiers(['T001']);
    const impUid = paid();
    pass(300);
    expect(await scan()).toMatchObject({ orphans: 1, faults: [] });
    await order('order-1', { tier: 'T001' });
    for (const wait of [60, 3_600, 86_400]) {
      pass(wait);
      expect(await scan()).toMatchObject({ faults: [] });
    }
    expect(await show()).toMatchObject({ status: 'ready' });
    expect(await deps.reversals.read(impUid)).toMatchObject({ kind: 'orphan', state: 'manual' });
  });

  test('settles again later what it could not settle, with the code of the sub-merchant', async () => {
    const { order, paidTo, scan, show, pass, iamport, deps } = await startWithTiers(['T001']);
    await order('order-1', { tier: 'T001' });
    const impUid = paidTo('T001');
    pass(300);
    iamport.faults.add({ path: `/payments/${impUid}`, tier: 'T001', status: 500, times: 2 });
    expect(await scan()).toMatchObject({ settled: 0, faults: [expect.stringContaining(impUid)] });
    expect((await deps.checkpoints.read(['recent/T001'])).checkpoint('recent/T001')?.unresolved).toMatchObject([
      { impUid },
    ]);
    pass(7_200);
    expect(await scan()).toMatchObject({ settled: 1, faults: [] });
    expect((await show()).status).toBe('paid');
  });

  test('settles from the webhook with the order number, and refunds, with the code of the order [T323]', async () => {
    const { order, paidTo, notify, complete, refund, show, ledger } = await startWithTiers([]);
    await order('order-1', { tier: 'T001' });
    const impUid = paidTo('T001');
    expect((await complete(impUid)).status).toBe(404);
    expect(await notify({ imp_uid: impUid, merchant_uid: 'order-1', status: 'paid' })).toMatchObject({
      json: { settled: true },
    });
    expect((await refund({})).status).toBe(200);
    expect(await show()).toMatchObject({ status: 'cancelled' });
    expect(ledger.payment(impUid).cancel_amount).toBe(14_000);
  });
});

describe('a charge by billing key', () => {
  /** Charges at the fake Iamport over HTTP, as its control page does. */
  const chargeAt = async (url: string, fields: object) => {
    const response = await fetch(`${url}/__control/billing-key-payments`, {
      method: 'POST',
      body: JSON.stringify(fields),
    });
    return {
      status: response.status,
      payment: (await response.json()) as { imp_uid: string; status: string; channel: string },
    };
  };

  test('settles a registered order by its webhook and by complete, and is refunded [T324]', async () => {
    const { deps, order, iamport, notify, complete, refund, show, ledger } = await startFixture();
    await order();
    const { payment } = await chargeAt(iamport.url, { merchant_uid: 'order-1', amount: 14_000 });
    expect(payment).toMatchObject({ status: 'paid', channel: 'api', customer_uid: 'customer-1' });
    expect(payment.imp_uid).toMatch(/^imps_\d{12}$/);
    const before = await deps.orders.read('order-1');
    const notice = { imp_uid: payment.imp_uid, merchant_uid: 'order-1', status: 'paid' };
    expect(await notify(notice)).toMatchObject({ status: 200, json: { settled: true } });
    expect(await complete(payment.imp_uid)).toMatchObject({ status: 200, json: { status: 'paid' } });
    const after = (await deps.orders.read('order-1')) ?? expect.unreachable();
    expect(orderEvents(before, after)).toMatchObject([{ name: 'Payment Paid', impUid: payment.imp_uid }]);
    expect(await refund({ amount: 4_000 }, 'part')).toMatchObject({ status: 200 });
    expect(await show()).toMatchObject({
      status: 'partial_cancelled',
      refunds: [{ imp_uid: payment.imp_uid, amount: 4_000 }],
    });
    expect(ledger.payment(payment.imp_uid).cancel_amount).toBe(4_000);
  });

  test('settles by complete alone', async () => {
    const { order, iamport, complete, show } = await startFixture();
    await order();
    const { payment } = await chargeAt(iamport.url, { merchant_uid: 'order-1', amount: 14_000 });
    expect(await complete(payment.imp_uid)).toMatchObject({ json: { status: 'paid' } });
    expect((await show()).status).toBe('paid');
  });

  test('is found by the scan when its webhook is lost, also of a sub-merchant [T325]', async () => {
    const { order, iamport, scan, show, pass } = await startWithTiers(['T001']);
    await order();
    await order('order-2', { tier: 'T001' });
    await chargeAt(iamport.url, { merchant_uid: 'order-1', amount: 14_000 });
    await chargeAt(iamport.url, { merchant_uid: 'order-2', amount: 14_000, tier: 'T001' });
    pass(300);
    expect(await scan()).toMatchObject({ settled: 2, faults: [] });
    expect([(await show()).status, (await show('order-2')).status]).toEqual(['paid', 'paid']);
  });

  test('is cancelled when it has another amount than its order, or is the second one', async () => {
    const { order, iamport, complete, ledger } = await startFixture();
    await order();
    const charge = async (amount: number) =>
      (await chargeAt(iamport.url, { merchant_uid: 'order-1', amount })).payment.imp_uid;
    const forged = await charge(100);
    expect(await complete(forged)).toMatchObject({ json: { status: 'rejected' } });
    await complete(await charge(14_000));
    const second = await charge(14_000);
    expect(await complete(second)).toMatchObject({ json: { status: 'rejected' } });
    expect([ledger.payment(forged).cancel_amount, ledger.payment(second).cancel_amount]).toEqual([100, 14_000]);
  });

  test('of no order number is refused by the fake Iamport', async () => {
    const { iamport } = await startFixture();
    expect((await chargeAt(iamport.url, { amount: 14_000 })).status).toBe(400);
  });

  test.each(['imps_', 'imps-1', 'IMPS_123456789012', 'impss_123456789012', 'imps_1/../2', `imps_${'1'.repeat(28)}`])(
    'an id such as %s is refused without a call',
    async (impUid) => {
      const { complete, iamport } = await startFixture();
      expect(await complete(impUid)).toMatchObject({ status: 400 });
      expect(iamport.faults.calls).toEqual([]);
    },
  );
});
