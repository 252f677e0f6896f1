/** What is counted: the form that CloudWatch takes metrics in, and when the reconciler says that something is late. */

import { describe, expect, test } from 'vitest';
import { eventNames } from '../../functions/events/event-schema.ts';
import { callsTimedBy } from '../../functions/runtime/calls.ts';
import { embedded, moneyEvents } from '../../functions/runtime/metrics.ts';
import { openRooms } from '../support/functions.ts';

describe('a line of metrics', () => {
  test('has its dimensions, its unit and its value, and names what it holds', () => {
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

  test('leaves out counts of nothing and items that are not overdue, but not a ledger that is not late', () => {
    expect(embedded({ OldestOverdueItem: 0, SkippedItems: 0 }, {}, 'Shop', 1)).toBeUndefined();
    expect(JSON.parse(embedded({ OldestOverdueItem: 90 }, {}, 'Shop', 1) ?? '')).toMatchObject({
      OldestOverdueItem: 90,
    });
    expect(embedded({ ReconcilerFaults: 0, KeysRefused: 0 }, {}, 'Shop', 1)).toBeUndefined();
    const line = JSON.parse(embedded({ ReconcilerFaults: 0, LedgerLate: 0 }, {}, 'Shop', 1) ?? '');
    expect(line).toMatchObject({ Deployment: 'Shop', LedgerLate: 0 });
    expect(line._aws.CloudWatchMetrics[0].Metrics).toEqual([{ Name: 'LedgerLate', Unit: 'Seconds' }]);
    expect(line).not.toHaveProperty('ReconcilerFaults');
  });

  test('adds up the money of events that there are', () => {
    expect(moneyEvents.filter((name) => !eventNames.some((known) => known === name))).toEqual([]);
  });
});

test('calls are counted by upstream with their time, failed ones too, and each request begins at nothing', async () => {
  let now = 1_000;
  const calls = callsTimedBy({ now: () => now });
  const takes = (ms: number) => async (answer: string) => {
    now += ms;
    if (answer === 'broken') throw new Error(answer);
    return answer;
  };
  expect(await calls.around('iamport')(takes(40))('paid')).toBe('paid');
  await expect(calls.around('iamport')(takes(5))('broken')).rejects.toThrow('broken');
  await calls.around('table')(takes(4))('item');
  expect(calls.take()).toEqual({ iamportCalls: 2, iamportMs: 45, tableCalls: 1, tableMs: 4 });
  expect(calls.take()).toEqual({ iamportCalls: 0, iamportMs: 0, tableCalls: 0, tableMs: 0 });
});

describe('the reconciler', () => {
  test('says how late the ledger is while Iamport does not answer, and that it is not late when it does again', async () => {
    const { reconcile, pass, iamport, counted } = await openRooms();
    await reconcile();
    pass(1_200);
    iamport.faults.add({ path: '/payments/status', status: 503, times: 100 });
    await reconcile();
    const late = counted.at(-1)?.LedgerLate ?? 0;
    expect(late).toBeGreaterThanOrEqual(1_200);
    expect(late).toBeLessThan(1_300);
    expect(counted.at(-1)).toMatchObject({ KeysRefused: 0 });
    iamport.faults.clear();
    pass(300);
    await reconcile();
    expect(counted.at(-1)?.LedgerLate).toBeLessThan(60);
  });

  test('counts the run in which Iamport refuses the keys', async () => {
    const { reconcile, iamport, counted } = await openRooms();
    iamport.faults.add({ path: '/users/getToken', status: 401, times: 100 });
    await reconcile();
    expect(counted.at(-1)).toMatchObject({ KeysRefused: 1 });
    expect(counted.at(-1)?.LedgerLate).toBeGreaterThan(3_000);
  });

  test('counts a refund that has waited for a person for more than a day, and not one of this morning', async () => {
    const { order, rooms, reconcile, pass, paid, complete, counted } = await openRooms();
    await order();
    const byHand = { ...rooms, policy: { ...rooms.policy, reversals: 'manual' as const } };
    await complete(paid(100), byHand);
    pass(7 * 3_600);
    await reconcile(byHand);
    expect(counted.at(-1)).toMatchObject({ RefundsOverdue: 0 });
    // Past any weekend.
    pass(4 * 86_400);
    await reconcile(byHand);
    expect(counted.at(-1)).toMatchObject({ RefundsOverdue: 1 });
  });
});
