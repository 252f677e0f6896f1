/** What the world is told: read off the two versions of an item, once for each step, with ids that tell repeats. */

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
import { type PublisherRooms, publish } from '../../functions/handlers/publish.ts';
import { orderEvents, refundEvents, reversalEvents, staleAccount } from '../../functions/payment/events.ts';
import type { Order, OrderState } from '../../functions/payment/order.ts';
import type { Refund } from '../../functions/payment/refund.ts';
import type { Reversal, ReversalRequest } from '../../functions/payment/reversal.ts';
import type { Counts } from '../../functions/runtime/metrics.ts';
import { orderIn, states, won } from './payment/cases.ts';

vi.spyOn(console, 'error').mockReturnValue();

const state = (name: string) => states[name] as OrderState;
const step = (from: string, to: OrderState): [Order, Order] => [orderIn(state(from)), { ...orderIn(to), revision: 8 }];
const reversal = (fields: Partial<Reversal> = {}): Reversal => ({
  impUid: 'imp_1',
  merchantUid: 'order-1',
  kind: 'cancel',
  reason: 'amount_mismatch',
  amount: won(100),
  currency: 'KRW',
  state: 'requested',
  revision: 1,
  attempts: 1,
  createdAt: 1,
  updatedAt: 1,
  ...fields,
});
const refund = (fields: Partial<Refund> = {}): Refund => ({
  impUid: 'imp_1',
  key: 'once',
  cancelKey: '4fzyo82mvyr0',
  cancelsBefore: 0,
  sentAt: 1,
  merchantUid: 'order-1',
  amount: won(4_000),
  checksum: won(14_000),
  currency: 'KRW',
  reason: '단순 변심',
  state: 'requested',
  revision: 1,
  attempts: 1,
  createdAt: 1,
  updatedAt: 1,
  ...fields,
});
const names = (events: readonly { name: string; id: string }[]) => events.map(({ name, id }) => `${name} ${id}`);

describe('an order', () => {
  test.each<[string, OrderState, string]>([
    ['ready', state('paid by this card'), 'Payment Paid'],
    ['ready', state('waits for this account'), 'Virtual Account Issued'],
    ['waits for this account', { status: 'ready' }, 'Virtual Account Withdrawn'],
    ['ready', state('failed by this'), 'Payment Failed'],
    ['paid by this card', state('cancelled, this'), 'Payment Cancelled'],
    ['paid by this card', state('partly cancelled, this'), 'Payment Partially Cancelled'],
    ['paid by this deposit', state('deposit reversed, this'), 'Deposit Reversed'],
    ['ready', { status: 'expired' }, 'Order Expired'],
    ['ready', { status: 'closed' }, 'Order Closed'],
  ])('from %s to %o is %s', (from, to, name) => {
    expect(names(orderEvents(...step(from, to)))).toEqual([`${name} order-1:8`]);
  });

  test('that is new, or was only noted, is no event', () => {
    expect(orderEvents(undefined, orderIn({ status: 'ready' }))).toEqual([]);
    expect(orderEvents(orderIn(state('paid by this deposit')), orderIn(state('paid by this deposit')))).toEqual([]);
  });

  test('tells whose account is gone', () => {
    expect(orderEvents(...step('waits for this account', { status: 'ready' }))).toMatchObject([{ impUid: 'imp_500' }]);
  });
});

describe('an account that is left behind', () => {
  test.each<[string, OrderState, string | undefined]>([
    ['waits for this account', state('paid by another'), 'duplicate_payment'],
    ['waits for this account', { status: 'closed' }, 'order_closed'],
    ['waits for this account', state('waits for a newer account'), 'account_superseded'],
    ['expired with this account', state('paid by another'), 'duplicate_payment'],
    ['waits for this account', state('paid by this deposit'), undefined],
    ['waits for this account', { status: 'ready' }, undefined],
    ['waits for this account', state('expired with this account'), 'order_expired'],
    ['ready', state('paid by another'), undefined],
    ['ready, this account is gone', state('paid by another'), undefined],
  ])('from %s to %o: %s', (from, to, reason) => {
    expect(staleAccount(...step(from, to))?.reason).toBe(reason);
  });
});

describe('a payment that is undone', () => {
  test.each<[string, Reversal | undefined, Reversal, string[]]>([
    ['is rejected', undefined, reversal(), ['Payment Rejected imp_1:1']],
    [
      'is rejected and waits for a person',
      undefined,
      reversal({ kind: 'manual', state: 'manual' }),
      ['Payment Rejected imp_1:1', 'Refund Required imp_1:1:refund'],
    ],
    ['was tried again', reversal(), reversal({ revision: 2, attempts: 2 }), []],
    [
      'was refused for good',
      reversal(),
      reversal({ revision: 2, state: 'manual' }),
      ['Refund Required imp_1:2:refund'],
    ],
    ['is given back', reversal(), reversal({ revision: 2, state: 'done' }), ['Refund Completed imp_1:2']],
    [
      'was an account without money',
      reversal({ kind: 'revoke', amount: won(0) }),
      reversal({ kind: 'revoke', amount: won(0), revision: 2, state: 'done' }),
      [],
    ],
    [
      'stands, and more was deposited',
      undefined,
      reversal({ kind: 'manual', state: 'manual', reason: 'deposit_excess' }),
      ['Refund Required imp_1:1:refund'],
    ],
    ['has no order', undefined, reversal({ kind: 'orphan', state: 'manual' }), ['Payment Without Order imp_1:1']],
    [
      'found its order',
      reversal({ kind: 'orphan', state: 'manual' }),
      reversal({ kind: 'orphan', state: 'done', revision: 2 }),
      [],
    ],
    [
      'was an account, and got a deposit',
      reversal({ kind: 'revoke' }),
      reversal({ kind: 'manual', state: 'manual', revision: 2 }),
      ['Payment Rejected imp_1:2', 'Refund Required imp_1:2:refund'],
    ],
  ])('%s', (_name, before, after, expected) => {
    expect(names(reversalEvents(before, after))).toEqual(expected);
  });

  test("by the shop's own wish is told once, when it is done", () => {
    expect(refundEvents(undefined, refund())).toEqual([]);
    expect(names(refundEvents(refund(), refund({ state: 'done', revision: 2 })))).toEqual([
      'Refund Completed imp_1/once:2',
    ]);
    expect(refundEvents(refund({ state: 'done' }), refund({ state: 'done', revision: 3 }))).toEqual([]);
    expect(names(refundEvents(refund(), refund({ state: 'refused', revision: 2 })))).toEqual([
      'Refund Refused imp_1/once:2',
    ]);
    expect(refundEvents(refund(), refund({ state: 'unsent', revision: 2 }))).toEqual([]);
  });
});

/** A record of the orders' stream, as DynamoDB writes it. */
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

function roomsWith(takes: (entry: BusEntry) => boolean = () => true) {
  const sent: BusEntry[] = [];
  const requested: ReversalRequest[] = [];
  const counted: [Counts, Readonly<Record<string, string>>][] = [];
  const kept: UnreadableRecord[] = [];
  const rooms: PublisherRooms = {
    bus: {
      put: async (entries) => {
        sent.push(...entries);
        return entries.map(takes);
      },
    },
    reversals: {
      request: async (request) => {
        requested.push(request);
        return { created: true, reversal: reversal(request) };
      },
    },
    clock: { now: () => 1_795_000_000_000, sleep: async () => undefined },
    count: (counts, by) => counted.push([counts, by]),
    unreadable: { keep: async (record) => void kept.push(record) },
  };
  return { rooms, sent, requested, counted, kept };
}

describe('the publisher', () => {
  test('tells each step once, in the published form', async () => {
    const { rooms, sent } = roomsWith();
    const records = [
      record('1', undefined, item(1, 'ready')),
      record('2', item(1, 'ready'), paidItem),
      record('3', paidItem, undefined),
    ];
    expect(await publish(rooms, { Records: records })).toEqual({ batchItemFailures: [] });
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

  test('puts a payment and its partial cancel of one write onto the bus one by one, the payment first', async () => {
    const { rooms, sent } = roomsWith();
    const calls: number[] = [];
    const put: PublisherRooms['bus']['put'] = (entries) => {
      calls.push(entries.length);
      return rooms.bus.put(entries);
    };
    const more = { imp_uid: { S: 'imp_9' }, payment: { M: {} }, cancelled_amount: { N: '4000' } };
    const partly = item(2, 'partial_cancelled', more);
    await publish({ ...rooms, bus: { put } }, { Records: [record('1', item(1, 'ready'), partly)] });
    expect(calls).toEqual([1, 1]);
    expect(sent.map(({ detailType, detail }) => [detailType, (detail as { id: string }).id])).toEqual([
      ['Payment Paid', 'order-1:2:paid'],
      ['Payment Partially Cancelled', 'order-1:2'],
    ]);
  });

  test('does not put a later event of a write before the bus has taken the one before', async () => {
    const { rooms, sent } = roomsWith(({ detailType }) => detailType !== 'Payment Paid');
    const more = { imp_uid: { S: 'imp_9' }, payment: { M: {} }, cancelled_amount: { N: '4000' } };
    const records = [record('1', item(1, 'ready'), item(2, 'partial_cancelled', more))];
    expect(await publish(rooms, { Records: records })).toEqual({ batchItemFailures: [{ itemIdentifier: '1' }] });
    expect(sent.map(({ detailType }) => detailType)).toEqual(['Payment Paid']);
  });

  test('counts what the bus took, and its money by currency, and nothing that it did not take', async () => {
    const { rooms, counted } = roomsWith(({ detailType }) => detailType !== 'Order Closed');
    const dollars = item(2, 'paid', {
      currency: { S: 'USD' },
      amount: { N: '19.99' },
      imp_uid: { S: 'imp_8' },
      payment: { M: {} },
    });
    await publish(rooms, {
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

  test('begins again at the first step that could not be told', async () => {
    for (const refuses of [() => false, () => Promise.reject(new BusUnavailable('down'))]) {
      const { rooms } = roomsWith();
      let calls = 0;
      const put: PublisherRooms['bus']['put'] = async (entries) => {
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
      expect(await publish({ ...rooms, bus: { put } }, { Records: records })).toEqual({
        batchItemFailures: [{ itemIdentifier: '3' }],
      });
    }
  });

  test('keeps an unreadable record for the operator and publishes the records behind it', async () => {
    const { rooms, sent, kept, counted } = roomsWith();
    const records = [
      record('7', item(1, 'ready'), item(2, 'in_dispute')),
      record('8', item(1, 'ready'), paidItem),
      record('9', item(1, 'ready'), item(2, 'paid')),
    ];
    expect(await publish(rooms, { Records: records })).toEqual({ batchItemFailures: [] });
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

  test('fails at an unreadable record that the queue does not take', async () => {
    const { rooms, sent } = roomsWith();
    const unreadable = { keep: () => Promise.reject(new QueueUnavailable('no answer')) };
    const records = [
      record('6', item(1, 'ready'), paidItem),
      record('7', item(1, 'ready'), item(2, 'in_dispute')),
      record('8', item(1, 'ready'), paidItem),
    ];
    expect(await publish({ ...rooms, unreadable }, { Records: records })).toEqual({
      batchItemFailures: [{ itemIdentifier: '7' }],
    });
    expect(sent).toHaveLength(1);
  });

  test('keeps a record whose event the bus refuses for its content', async () => {
    const { rooms, kept } = roomsWith();
    const put = () => Promise.reject(new EventRefused('MalformedDetail: Detail is malformed'));
    const records = [record('7', item(1, 'ready'), paidItem)];
    expect(await publish({ ...rooms, bus: { put } }, { Records: records })).toEqual({ batchItemFailures: [] });
    expect(kept).toMatchObject([{ sequenceNumber: '7', reason: expect.stringContaining('MalformedDetail') }]);
  });

  test('publishes the event of an order whose former account has an unreadable reversal', async () => {
    const { rooms, sent, kept } = roomsWith();
    const reversals = {
      request: () => Promise.reject(new StoreUnexpected('The kind of reversal of imp_1 is missing')),
    };
    const waiting = item(1, 'virtual_account_issued', { virtual_account: account, imp_uid: { S: 'imp_1' } });
    await publish({ ...rooms, reversals }, { Records: [record('1', waiting, paidItem)] });
    expect(sent.map(({ detailType }) => detailType)).toEqual(['Payment Paid']);
    expect(kept).toMatchObject([{ reason: expect.stringContaining('reversal of imp_1') }]);
  });

  test('stops at an outage, so that no later event of the item overtakes the one that failed', async () => {
    const { rooms, kept } = roomsWith();
    for (const outage of [
      new StoreUnavailable('down'),
      new BusUnavailable('down'),
      new TypeError('a fault of our own'),
    ]) {
      const put = () => Promise.reject(outage);
      const records = [record('7', item(1, 'ready'), item(2, 'closed'))];
      expect(await publish({ ...rooms, bus: { put } }, { Records: records })).toEqual({
        batchItemFailures: [{ itemIdentifier: '7' }],
      });
    }
    expect(kept).toEqual([]);
  });

  test('fails the whole batch at its first record, so that Lambda bisects it', async () => {
    const { rooms } = roomsWith(() => false);
    const records = [record('7', item(1, 'ready'), paidItem), record('8', item(1, 'ready'), paidItem)];
    await expect(publish(rooms, { Records: records })).rejects.toThrow('Failed at the first of 2 records');
  });

  test('publishes nothing when a hand takes an order back to a lower revision', async () => {
    const { rooms, sent } = roomsWith();
    await publish(rooms, { Records: [record('1', item(3, 'closed'), paidItem)] });
    expect(sent).toEqual([]);
  });

  test("passes over a shop's own items, which are no orders of ours yet", async () => {
    const { rooms, sent } = roomsWith();
    const records = [record('1', undefined, { merchant_uid: { S: 'theirs' }, total: { N: '5' } })];
    expect(await publish(rooms, { Records: records })).toEqual({ batchItemFailures: [] });
    expect(sent).toEqual([]);
  });

  test('asks for the revocation of an account that an order left behind', async () => {
    const { rooms, requested } = roomsWith();
    const waiting = item(1, 'virtual_account_issued', { virtual_account: account, imp_uid: { S: 'imp_1' } });
    await publish(rooms, { Records: [record('1', waiting, paidItem)] });
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

test('a notification that no API confirms is told as such', async () => {
  const { rooms, sent } = roomsWith();
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
  await publish(rooms, {
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
