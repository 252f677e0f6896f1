/** The publisher: reads records of the streams, and puts their events on the bus. */

import type { DynamoDBRecord } from 'aws-lambda';
import { describe, expect, test, vi } from 'vitest';
import {
  BusUnavailable,
  EventRefused,
  QueueUnavailable,
  StoreUnavailable,
  StoreUnexpected,
} from '../../functions/application/faults.ts';
import type { BusEntry, UnreadableRecord } from '../../functions/application/ports.ts';
import { eventDetail, eventNames, notificationDetail } from '../../functions/events/event-schema.ts';
import { type PublisherDependencies, publish } from '../../functions/handlers/publish.ts';
import type { ReversalRequest } from '../../functions/payment/reversal.ts';
import type { Counts } from '../../functions/shared/metrics.ts';
import { reversalIn as reversal } from './payment/cases.ts';

vi.spyOn(console, 'error').mockReturnValue();

/** A record of the stream of the table of orders, as DynamoDB writes it. */
const record = (sequence: string, before: object | undefined, after: object | undefined): DynamoDBRecord => ({
  eventName: after ? 'MODIFY' : 'REMOVE',
  eventSourceARN: 'arn:aws:dynamodb:ap-northeast-2:123456789012:table/orders/stream/2026-11-27T00:00:00.000',
  dynamodb: {
    Keys: { merchant_uid: { S: 'order-1' } },
    SequenceNumber: sequence,
    ApproximateCreationDateTime: 1_795_000_000,
    ...(before && { OldImage: before as never }),
    ...(after && { NewImage: after as never }),
  },
});
const item = (revision: number, status: string, more: object = {}) => ({
  merchant_uid: { S: 'order-1' },
  amount: { N: '14000' },
  currency: { S: 'KRW' },
  status: { S: status },
  revision: { N: String(revision) },
  created_at: { N: '1' },
  updated_at: { N: '1' },
  ...more,
});
const paidItem = item(2, 'paid', { imp_uid: { S: 'imp_9' }, payment: { M: { pay_method: { S: 'card' } } } });
const account = { M: { imp_uid: { S: 'imp_1' }, number: { S: '790-1' }, issued_at: { N: '5' } } };

function createDeps(isAccepted: (entry: BusEntry) => boolean = () => true) {
  const sent: BusEntry[] = [];
  const requested: ReversalRequest[] = [];
  const counted: [Counts, Readonly<Record<string, string>>][] = [];
  const kept: UnreadableRecord[] = [];
  const deps: PublisherDependencies = {
    bus: {
      put: async (entries) => {
        sent.push(...entries);
        return entries.map(isAccepted);
      },
    },
    reversals: {
      request: async (request) => {
        requested.push(request);
        return { written: true, value: reversal(request) };
      },
    },
    clock: { now: () => 1_795_000_000_000, sleep: async () => undefined },
    count: (counts, by) => counted.push([counts, by]),
    unreadable: { keep: async (record) => void kept.push(record) },
  };
  return { deps, sent, requested, counted, kept };
}

describe('the publisher', () => {
  test('publishes each step once, in the documented form', async () => {
    const { deps, sent } = createDeps();
    const records = [
      record('1', undefined, item(1, 'ready')),
      record('2', item(1, 'ready'), paidItem),
      record('3', paidItem, undefined),
    ];
    expect(await publish(deps, { Records: records })).toEqual({ batchItemFailures: [] });
    expect(sent).toEqual([
      {
        detailType: 'Payment Paid',
        time: 1_795_000_000,
        detail: {
          version: 1,
          id: 'order-1:2',
          merchant_uid: 'order-1',
          imp_uid: 'imp_9',
          amount: 14_000,
          currency: 'KRW',
          status: 'paid',
          pay_method: 'card',
        },
      },
    ]);
    expect(eventDetail.safeParse(sent[0]?.detail).success).toBe(true);
    expect(eventNames).toContain(sent[0]?.detailType);
  });

  test('puts a payment and its partial cancel of one write one by one, the payment first', async () => {
    const { deps, sent } = createDeps();
    const calls: number[] = [];
    const put: PublisherDependencies['bus']['put'] = (entries) => {
      calls.push(entries.length);
      return deps.bus.put(entries);
    };
    const more = { imp_uid: { S: 'imp_9' }, payment: { M: {} }, cancelled_amount: { N: '4000' } };
    const partly = item(2, 'partial_cancelled', more);
    await publish({ ...deps, bus: { put } }, { Records: [record('1', item(1, 'ready'), partly)] });
    expect(calls).toEqual([1, 1]);
    expect(sent.map(({ detailType, detail }) => [detailType, (detail as { id: string }).id])).toEqual([
      ['Payment Paid', 'order-1:2:paid'],
      ['Payment Partially Cancelled', 'order-1:2'],
    ]);
  });

  test('does not put a later event of a write before the bus accepted the earlier one', async () => {
    const { deps, sent } = createDeps(({ detailType }) => detailType !== 'Payment Paid');
    const more = { imp_uid: { S: 'imp_9' }, payment: { M: {} }, cancelled_amount: { N: '4000' } };
    const records = [record('1', item(1, 'ready'), item(2, 'partial_cancelled', more))];
    expect(await publish(deps, { Records: records })).toEqual({ batchItemFailures: [{ itemIdentifier: '1' }] });
    expect(sent.map(({ detailType }) => detailType)).toEqual(['Payment Paid']);
  });

  test('counts accepted events, and their money by currency, and no refused event', async () => {
    const { deps, counted } = createDeps(({ detailType }) => detailType !== 'Order Closed');
    const dollars = item(2, 'paid', {
      currency: { S: 'USD' },
      amount: { N: '19.99' },
      imp_uid: { S: 'imp_8' },
      payment: { M: {} },
    });
    await publish(deps, {
      Records: [
        record('1', item(1, 'ready'), paidItem),
        record('2', item(1, 'ready'), paidItem),
        record('3', item(1, 'ready', { currency: { S: 'USD' }, amount: { N: '19.99' } }), dollars),
        record('4', item(1, 'ready'), item(2, 'expired')),
        record('5', item(1, 'ready'), item(2, 'closed')),
        record('6', item(1, 'ready'), paidItem),
      ],
    });
    expect(counted).toEqual([
      [{ Events: 3 }, { Event: 'Payment Paid' }],
      [{ Money: 28_000 }, { Event: 'Payment Paid', Currency: 'KRW' }],
      [{ Money: 19.99 }, { Event: 'Payment Paid', Currency: 'USD' }],
      [{ Events: 1 }, { Event: 'Order Expired' }],
    ]);
  });

  test('fails at the first record whose event was not accepted', async () => {
    for (const refuses of [() => false, () => Promise.reject(new BusUnavailable('down'))]) {
      const { deps } = createDeps();
      let calls = 0;
      const put: PublisherDependencies['bus']['put'] = async (entries) => {
        if (entries.length === 0) return [];
        calls += 1;
        return calls === 2 ? [await refuses()] : entries.map(() => true);
      };
      const records = [
        record('1', undefined, item(1, 'ready')),
        record('2', item(1, 'ready'), item(2, 'closed')),
        record('3', item(1, 'ready'), paidItem),
        record('4', item(1, 'ready'), item(2, 'closed')),
      ];
      expect(await publish({ ...deps, bus: { put } }, { Records: records })).toEqual({
        batchItemFailures: [{ itemIdentifier: '3' }],
      });
    }
  });

  test('keeps an unreadable record for the operator and publishes the records behind it', async () => {
    const { deps, sent, kept, counted } = createDeps();
    const records = [
      record('7', item(1, 'ready'), item(2, 'in_dispute')),
      record('8', item(1, 'ready'), paidItem),
      record('9', item(1, 'ready'), item(2, 'paid')),
    ];
    expect(await publish(deps, { Records: records })).toEqual({ batchItemFailures: [] });
    expect(sent.map(({ detailType }) => detailType)).toEqual(['Payment Paid']);
    const common = { table: 'orders', key: { merchant_uid: 'order-1' }, changedAt: 1_795_000_000 };
    expect(kept).toEqual([
      { ...common, sequenceNumber: '7', reason: expect.stringContaining('status of order order-1') },
      { ...common, sequenceNumber: '9', reason: expect.stringContaining('imp_uid of order order-1') },
    ]);
    expect(counted.filter(([counts]) => 'UnreadableRecords' in counts)).toEqual([
      [{ UnreadableRecords: 1 }, {}],
      [{ UnreadableRecords: 1 }, {}],
    ]);
  });

  test('fails at an unreadable record that the queue does not accept', async () => {
    const { deps, sent } = createDeps();
    const unreadable = { keep: () => Promise.reject(new QueueUnavailable('no response')) };
    const records = [
      record('6', item(1, 'ready'), paidItem),
      record('7', item(1, 'ready'), item(2, 'in_dispute')),
      record('8', item(1, 'ready'), paidItem),
    ];
    expect(await publish({ ...deps, unreadable }, { Records: records })).toEqual({
      batchItemFailures: [{ itemIdentifier: '7' }],
    });
    expect(sent).toHaveLength(1);
  });

  test('keeps a record whose event the bus refuses for its content', async () => {
    const { deps, kept } = createDeps();
    const put = () => Promise.reject(new EventRefused('MalformedDetail: Detail is malformed'));
    const records = [record('7', item(1, 'ready'), paidItem)];
    expect(await publish({ ...deps, bus: { put } }, { Records: records })).toEqual({ batchItemFailures: [] });
    expect(kept).toMatchObject([{ sequenceNumber: '7', reason: expect.stringContaining('MalformedDetail') }]);
  });

  test('publishes the event of an order whose former account has an unreadable reversal', async () => {
    const { deps, sent, kept } = createDeps();
    const reversals = {
      request: () => Promise.reject(new StoreUnexpected('The kind of reversal of imp_1 is missing')),
    };
    const waiting = item(1, 'virtual_account_issued', { virtual_account: account, imp_uid: { S: 'imp_1' } });
    await publish({ ...deps, reversals }, { Records: [record('1', waiting, paidItem)] });
    expect(sent.map(({ detailType }) => detailType)).toEqual(['Payment Paid']);
    expect(kept).toMatchObject([{ reason: expect.stringContaining('reversal of imp_1') }]);
  });

  test('stops at an outage, so that no later event of the item overtakes the one that failed', async () => {
    const { deps, kept } = createDeps();
    for (const outage of [
      new StoreUnavailable('down'),
      new BusUnavailable('down'),
      new TypeError('a fault of our own'),
    ]) {
      const put = () => Promise.reject(outage);
      const records = [record('7', item(1, 'ready'), item(2, 'closed'))];
      expect(await publish({ ...deps, bus: { put } }, { Records: records })).toEqual({
        batchItemFailures: [{ itemIdentifier: '7' }],
      });
    }
    expect(kept).toEqual([]);
  });

  test('fails the whole batch at its first record, so that Lambda bisects it', async () => {
    const { deps } = createDeps(() => false);
    const records = [record('7', item(1, 'ready'), paidItem), record('8', item(1, 'ready'), paidItem)];
    await expect(publish(deps, { Records: records })).rejects.toThrow('Failed at the first of 2 records');
  });

  test('publishes nothing when a manual edit lowers the revision of an order', async () => {
    const { deps, sent } = createDeps();
    await publish(deps, { Records: [record('1', item(3, 'closed'), paidItem)] });
    expect(sent).toEqual([]);
  });

  test('ignores items of the shop without an order of ours', async () => {
    const { deps, sent } = createDeps();
    const records = [record('1', undefined, { merchant_uid: { S: 'theirs' }, total: { N: '5' } })];
    expect(await publish(deps, { Records: records })).toEqual({ batchItemFailures: [] });
    expect(sent).toEqual([]);
  });

  test('requests the revocation of a stale account', async () => {
    const { deps, requested } = createDeps();
    const waiting = item(1, 'virtual_account_issued', { virtual_account: account, imp_uid: { S: 'imp_1' } });
    await publish(deps, { Records: [record('1', waiting, paidItem)] });
    expect(requested).toEqual([
      {
        impUid: 'imp_1',
        merchantUid: 'order-1',
        kind: 'revoke',
        reason: 'duplicate_payment',
        amount: 0,
        currency: 'KRW',
      },
    ]);
  });
});

test('publishes a notification that no API confirms with verified: false', async () => {
  const { deps, sent } = createDeps();
  const kept = (event: string) => ({
    imp_uid: { S: `imp_1#${event === 'Something.New' ? 'other' : 'escrow'}` },
    kind: { S: 'notification' },
    merchant_uid: { S: 'order-1' },
    notified_of: { S: 'imp_1' },
    event: { S: event },
    content: { M: { escrow_status: { S: 'confirmed' } } },
    revision: { N: '5' },
    updated_at: { N: '5' },
  });
  await publish(deps, {
    Records: [record('1', undefined, kept('Inicis.Escrow.Changed')), record('2', undefined, kept('Something.New'))],
  });
  expect(sent.map(({ detailType }) => detailType)).toEqual(['Escrow Changed', 'Unrecognised Notification']);
  expect(sent[0]?.detail).toEqual({
    version: 1,
    id: 'imp_1:Inicis.Escrow.Changed:5',
    merchant_uid: 'order-1',
    imp_uid: 'imp_1',
    verified: false,
    event: 'Inicis.Escrow.Changed',
    content: { escrow_status: 'confirmed' },
  });
  for (const { detail } of sent) expect(notificationDetail.safeParse(detail).success).toBe(true);
});
