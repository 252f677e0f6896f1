/** Metrics: the embedded metric format of CloudWatch, and the counts that the reconciler reports. */

import { describe, expect, test } from 'vitest';
import { eventNames } from '../../functions/events/event-schema.ts';
import { callsTimedBy } from '../../functions/runtime/calls.ts';
import { embedded, moneyEvents } from '../../functions/shared/metrics.ts';
import { startFixture } from '../support/functions.ts';
import '../support/silence-console.ts';

describe('a line in the embedded metric format', () => {
  test('has its dimensions, units and values, and lists its metrics', () => {
    const line = embedded(
      { Money: 14_000 },
      { Event: 'Payment Paid', Currency: 'KRW' },
      'Shop/Payments',
      1_795_000_000_000,
    );
    expect(JSON.parse(line ?? '')).toEqual({
      _aws: {
        Timestamp: 1_795_000_000_000,
        CloudWatchMetrics: [
          {
            Namespace: 'iamport-serverless',
            Dimensions: [['Deployment', 'Event', 'Currency']],
            Metrics: [{ Name: 'Money', Unit: 'None' }],
          },
        ],
      },
      Deployment: 'Shop/Payments',
      Event: 'Payment Paid',
      Currency: 'KRW',
      Money: 14_000,
    });
  });

  test('leaves out zero counts and zero overdue seconds, but keeps a zero ScanLag', () => {
    expect(embedded({ OldestOverdueItem: 0, SkippedItems: 0 }, {}, 'Shop', 1)).toBeUndefined();
    expect(JSON.parse(embedded({ OldestOverdueItem: 90 }, {}, 'Shop', 1) ?? '')).toMatchObject({
      OldestOverdueItem: 90,
    });
    expect(embedded({ ReconcilerFaults: 0, KeysRefused: 0 }, {}, 'Shop', 1)).toBeUndefined();
    const line = JSON.parse(embedded({ ReconcilerFaults: 0, ScanLag: 0 }, {}, 'Shop', 1) ?? '');
    expect(line).toMatchObject({ Deployment: 'Shop', ScanLag: 0 });
    expect(line._aws.CloudWatchMetrics[0].Metrics).toEqual([{ Name: 'ScanLag', Unit: 'Seconds' }]);
    expect(line).not.toHaveProperty('ReconcilerFaults');
  });

  test('sums money only for events that exist', () => {
    expect(moneyEvents.filter((name) => !eventNames.some((known) => known === name))).toEqual([]);
  });
});

test('counts calls by upstream with their time, also failed ones, and starts at zero for each request', async () => {
  let now = 1_000;
  const calls = callsTimedBy({ now: () => now });
  const takes = (ms: number) => async (result: string) => {
    now += ms;
    if (result === 'broken') throw new Error(result);
    return result;
  };
  expect(await calls.around('iamport')(takes(40))('paid')).toBe('paid');
  await expect(calls.around('iamport')(takes(5))('broken')).rejects.toThrow('broken');
  await calls.around('table')(takes(4))('item');
  expect(calls.take()).toEqual({ iamportCalls: 2, iamportMs: 45, tableCalls: 1, tableMs: 4 });
  expect(calls.take()).toEqual({ iamportCalls: 0, iamportMs: 0, tableCalls: 0, tableMs: 0 });
});

describe('the reconciler', () => {
  test('reports a growing ScanLag while Iamport is unavailable, and a small one afterwards', async () => {
    const { reconcile, pass, iamport, counted } = await startFixture();
    await reconcile();
    pass(1_200);
    iamport.faults.add({ path: '/payments/status', status: 503, times: 100 });
    await reconcile();
    const late = counted.at(-1)?.ScanLag ?? 0;
    expect(late).toBeGreaterThanOrEqual(1_200);
    expect(late).toBeLessThan(1_300);
    expect(counted.at(-1)).toMatchObject({ KeysRefused: 0 });
    iamport.faults.clear();
    pass(300);
    await reconcile();
    expect(counted.at(-1)?.ScanLag).toBeLessThan(60);
  });

  test('counts the payments that name an order of ours, and those that do not, without the unreadable ones [T641]', async () => {
    const { reconcile, pass, order, paid, ledger, counted } = await startFixture();
    await reconcile();
    expect(counted.at(-1)).toMatchObject({ MatchedPayments: 0, UnmatchedPayments: 0 });
    for (const merchantUid of ['order-1', 'order-2', 'order-3']) paid(14_000, await order(merchantUid));
    for (const merchantUid of ['other-1', 'other-2']) paid(14_000, merchantUid);
    Object.assign(ledger.payment(paid(14_000, 'order-1')), { cancel_amount: 'none' });
    pass(300);
    await reconcile();
    expect(counted.at(-1)).toMatchObject({ MatchedPayments: 3, UnmatchedPayments: 2, UnreadablePayments: 1 });
  });

  test('counts the run in which Iamport refuses the keys', async () => {
    const { reconcile, iamport, counted } = await startFixture();
    iamport.faults.add({ path: '/users/getToken', status: 401, times: 100 });
    await reconcile();
    expect(counted.at(-1)).toMatchObject({ KeysRefused: 1 });
    expect(counted.at(-1)?.ScanLag).toBeGreaterThan(3_000);
  });

  test('counts a refund that has waited for the operator for more than a working day, and no newer one', async () => {
    const { order, deps, reconcile, pass, paid, complete, counted } = await startFixture();
    await order();
    const byHand = { ...deps, policy: { ...deps.policy, reversals: 'manual' as const } };
    await complete(paid(100), byHand);
    pass(7 * 3_600);
    await reconcile(byHand);
    expect(counted.at(-1)).toMatchObject({ RefundsOverdue: 0 });
    // Longer than any weekend.
    pass(4 * 86_400);
    await reconcile(byHand);
    expect(counted.at(-1)).toMatchObject({ RefundsOverdue: 1 });
  });
});
