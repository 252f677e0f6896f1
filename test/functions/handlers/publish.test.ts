/** The handler of the publisher: it reads records of the streams, puts their events on the bus, and answers Lambda. */

import type { DynamoDBRecord } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import type { BusEntry, UnreadableRecord } from '../../../functions/application/ports/delivery.ts';
import { eventDetail, eventNames, notificationDetail } from '../../../functions/events/event-schema.ts';
import { publish } from '../../../functions/handlers/publish.ts';
import { publisherDependenciesFrom } from '../../../functions/runtime/publisher-dependencies.ts';
import { portOf, SimulatedTable } from '../../simulation/table.ts';

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
  /** The number of entries in each call of the bus. */
  const puts: number[] = [];
  const reversals = new SimulatedTable('imp_uid');
  const kept: UnreadableRecord[] = [];
  const deps = publisherDependenciesFrom({
    bus: {
      put: async (entries) => {
        puts.push(entries.length);
        sent.push(...entries);
        return entries.map(isAccepted);
      },
    },
    reversals: portOf(reversals),
    clock: { now: () => 1_795_000_000_000, sleep: async () => undefined },
    count: () => undefined,
    log: () => undefined,
    unreadable: { send: async (record) => void kept.push(record) },
  });
  return { deps, sent, puts, reversals, kept };
}

describe('the publisher', () => {
  test('publishes nothing for an item that restore has copied, and the next step under the next id', async () => {
    const { deps, sent } = createDeps();
    const restored = { ...paidItem, revision: { N: '4' }, restored_by: { S: '1795000000000' } };
    const cancelled = { ...restored, ...item(5, 'cancelled', { cancelled_amount: { N: '14000' } }) };
    const records = [
      record('1', item(1, 'ready'), restored),
      record('2', undefined, restored),
      record('3', restored, cancelled),
      record('4', cancelled, { ...cancelled, revision: { N: '9' }, restored_by: { S: '1795000000001' } }),
    ];
    await publish(deps, { Records: records });
    expect(sent.map(({ detailType, detail }) => [detailType, (detail as { id: string }).id])).toEqual([
      ['Payment Cancelled', 'order-1:5'],
    ]);
  });

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
    const { deps, sent, puts } = createDeps();
    const more = { imp_uid: { S: 'imp_9' }, payment: { M: {} }, cancelled_amount: { N: '4000' } };
    const partly = item(2, 'partial_cancelled', more);
    await publish(deps, { Records: [record('1', item(1, 'ready'), partly)] });
    expect(puts).toEqual([1, 1]);
    expect(sent.map(({ detailType, detail }) => [detailType, (detail as { id: string }).id])).toEqual([
      ['Payment Paid', 'order-1:2:paid'],
      ['Payment Partially Cancelled', 'order-1:2'],
    ]);
  });

  test('fails at the first record whose event was not accepted', async () => {
    const { deps } = createDeps(({ detailType }) => detailType !== 'Payment Paid');
    const records = [
      record('1', undefined, item(1, 'ready')),
      record('2', item(1, 'ready'), item(2, 'closed')),
      record('3', item(1, 'ready'), paidItem),
      record('4', item(1, 'ready'), item(2, 'closed')),
    ];
    expect(await publish(deps, { Records: records })).toEqual({ batchItemFailures: [{ itemIdentifier: '3' }] });
  });

  test('keeps an unreadable record for the operator and publishes the records behind it', async () => {
    const { deps, sent, kept } = createDeps();
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
    const { deps, reversals } = createDeps();
    const waiting = item(1, 'virtual_account_issued', { virtual_account: account, imp_uid: { S: 'imp_1' } });
    await publish(deps, { Records: [record('1', waiting, paidItem)] });
    expect([...reversals.items()]).toMatchObject([
      {
        imp_uid: { S: 'imp_1' },
        merchant_uid: { S: 'order-1' },
        kind: { S: 'revoke' },
        reason: { S: 'duplicate_payment' },
        amount: { N: '0' },
        state: { S: 'requested' },
        attempts: { N: '0' },
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
