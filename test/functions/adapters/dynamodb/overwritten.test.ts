/** Attributes that the shop overwrites in its table are restored from the stream, on DynamoDB Local, and published once. */

import { CreateTableCommand, DeleteItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { createOrders } from '../../../../functions/adapters/dynamodb/orders.ts';
import { type Item, table } from '../../../../functions/adapters/dynamodb/table.ts';
import { shopTable } from '../../../../functions/adapters/dynamodb/table-mapping.ts';
import type { BusEntry } from '../../../../functions/application/ports/delivery.ts';
import { publish } from '../../../../functions/handlers/publish.ts';
import type { Order, OrderState } from '../../../../functions/payment/order.ts';
import { publisherDependenciesFrom } from '../../../../functions/runtime/publisher-dependencies.ts';
import type { LogLine } from '../../../../functions/shared/log-line.ts';
import type { Counts } from '../../../../functions/shared/metrics.ts';
import { freshTables } from '../../../support/dynamodb.ts';
import { won } from '../../payment/cases.ts';

const now = 1_795_000_000;
const shopItem: Item = { key: { S: 'order-1' }, total: { N: '14000' }, note: { S: 'the shop’s own' } };
const paidBy = (impUid: string): OrderState => ({ status: 'paid', impUid, record: { payMethod: 'card' } });
const partly: OrderState = {
  ...paidBy('imp_1'),
  status: 'partial_cancelled',
  cancelledAmount: won(4_000),
} as OrderState;

/** The table of the shop with one order, and the publisher that reads its stream. */
async function open() {
  const { client, names } = await freshTables();
  const mapping = shopTable({ key: 'key', amount: 'total' });
  await client.send(
    new CreateTableCommand({
      TableName: 'shop',
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'key', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'key', AttributeType: 'S' }],
    }),
  );
  const shop = table(client, 'shop', mapping.prefix);
  const orders = createOrders(shop, mapping);
  const sent: BusEntry[] = [];
  const counted: Counts[] = [];
  const logged: [LogLine, boolean][] = [];
  const bus = {
    put: async (entries: readonly BusEntry[]) => {
      sent.push(...entries);
      return entries.map(() => true);
    },
  };
  const deps = publisherDependenciesFrom({
    bus,
    reversals: table(client, names.reversals),
    clock: { now: () => now * 1000, sleep: async () => undefined },
    count: (counts: Counts) => counted.push(counts),
    log: (line: LogLine, isFault: boolean) => logged.push([line, isFault]),
    unreadable: { send: () => Promise.reject(new Error('every record can be read')) },
    shop: { orders: shop, mapping },
  });
  const Key = { key: { S: 'order-1' } };
  const stored = async () =>
    (await client.send(new GetItemCommand({ TableName: 'shop', Key, ConsistentRead: true }))).Item;
  const put = (item: Item = shopItem) => client.send(new PutItemCommand({ TableName: 'shop', Item: item }));
  let sequence = 0;
  const recordOf = (before: Item | undefined, after: Item | undefined): DynamoDBRecord => {
    sequence += 1;
    const images = { ...(before && { OldImage: before }), ...(after && { NewImage: after }) };
    return {
      eventName: 'MODIFY',
      dynamodb: { Keys: Key, SequenceNumber: String(sequence), ApproximateCreationDateTime: now, ...images },
    } as DynamoDBRecord;
  };
  /** @returns the record of the stream for the write */
  const written = async (write: () => Promise<unknown>): Promise<DynamoDBRecord> => {
    const before = await stored();
    await write();
    return recordOf(before, await stored());
  };
  const settle = (state: OrderState, at = now) =>
    written(async () => orders.change((await orders.read('order-1')) as Order, state, at));
  const deliver = async (...Records: DynamoDBRecord[]) =>
    expect(await publish(deps, { Records })).toEqual({ batchItemFailures: [] });
  const ids = () => sent.map(({ detailType, detail }) => `${detailType} ${(detail as { id: string }).id}`);
  await put();
  const remove = () => client.send(new DeleteItemCommand({ TableName: 'shop', Key }));
  return { put, stored, written, settle, deliver, ids, counted, logged, remove, orders };
}

const ours = (item: Item | undefined) =>
  Object.fromEntries(
    Object.entries(item ?? {}).filter(([name]) => name.startsWith('iamport_') && name !== 'iamport_restored_by'),
  );

describe('an item that the shop writes back whole', () => {
  test.each<[string, OrderState]>([
    ['paid', paidBy('imp_1')],
    ['paid and partly cancelled before it was read', partly],
  ])('restores our attributes after it was %s, and publishes its events once', async (_name, state) => {
    const { put, stored, written, settle, deliver, ids, counted, logged, orders } = await open();
    await deliver(await settle(state));
    const published = ids();
    const before = ours(await stored());
    const edited = { ...shopItem, note: { S: 'edited' } };
    const overwrite = await written(() => put(edited));
    expect(ours(await stored())).toEqual({});
    const restored = await written(() => deliver(overwrite));
    expect(ours(await stored())).toEqual(before);
    expect(await stored()).toMatchObject(edited);
    await deliver(restored);
    expect(ids()).toEqual(published);
    expect(counted).toContainEqual({ RestoredItems: 1, UnrestoredItems: 0 });
    const line = { record: '2', merchantUid: 'order-1', code: 'overwritten_item_restored' };
    expect(logged).toEqual([[line, false]]);
    // The next step continues from the restored revision.
    expect((await orders.read('order-1'))?.revision).toBe(1);
    const cancelled = { ...paidBy('imp_1'), status: 'cancelled', cancelledAmount: won(14_000) } as OrderState;
    await deliver(await settle(cancelled));
    expect(ids()).toEqual([...published, 'Payment Cancelled order-1:2']);
  });

  test('restores exactly the newer attributes when the shop writes older ones', async () => {
    const { put, stored, written, settle, deliver, ids } = await open();
    const failure = { impUid: 'imp_0', failedAt: now };
    await deliver(await settle({ status: 'failed', failure }));
    const stale = await stored();
    await deliver(await settle(paidBy('imp_1')));
    const before = ours(await stored());
    const overwrite = await written(() => put(stale as Item));
    const restored = await written(() => deliver(overwrite));
    expect(ours(await stored())).toEqual(before);
    expect(await stored()).not.toHaveProperty('iamport_failure');
    await deliver(restored);
    expect(ids()).toEqual(['Payment Failed order-1:1', 'Payment Paid order-1:2']);
  });

  test('restores the newest attributes when the shop removes them, and then writes older ones [T667]', async () => {
    const { put, stored, written, settle, deliver, counted } = await open();
    await deliver(await settle({ status: 'failed', failure: { impUid: 'imp_0', failedAt: now } }));
    const stale = await stored();
    await deliver(await settle(paidBy('imp_1'), now + 60));
    const before = ours(await stored());
    const removed = await written(() => put());
    const older = await written(() => put(stale as Item));
    await deliver(removed, older);
    expect(ours(await stored())).toEqual(before);
    expect(counted).toContainEqual({ RestoredItems: 1, UnrestoredItems: 0 });
    expect(counted).not.toContainEqual(expect.objectContaining({ UnrestoredItems: 1 }));
  });

  test('restores the item once for a repeated record', async () => {
    const { put, written, settle, deliver, counted } = await open();
    await deliver(await settle(paidBy('imp_1')));
    const overwrite = await written(() => put());
    await deliver(overwrite);
    await deliver(overwrite);
    expect(counted.filter((counts) => counts.UnrestoredItems)).toEqual([]);
  });

  test('restores the newer attributes over older ones, which a repeated record has restored meanwhile [T537]', async () => {
    const { put, stored, written, settle, deliver, counted } = await open();
    await deliver(await settle({ status: 'failed', failure: { impUid: 'imp_0', failedAt: now } }));
    const first = await written(() => put());
    await deliver(first);
    await deliver(await settle(paidBy('imp_1'), now + 1));
    const before = ours(await stored());
    const second = await written(() => put());
    // Lambda repeats the batch of the first record, which it had ended for its time-out.
    await deliver(first);
    expect(ours(await stored())).not.toEqual(before);
    await deliver(second);
    expect(ours(await stored())).toEqual(before);
    expect(counted).not.toContainEqual({ RestoredItems: 0, UnrestoredItems: 1 });
    await deliver(first, second);
    expect(ours(await stored())).toEqual(before);
  });

  test('reports an item that was settled after a repeated record restored an older version', async () => {
    const { put, stored, written, settle, deliver, counted } = await open();
    await deliver(await settle({ status: 'failed', failure: { impUid: 'imp_0', failedAt: now } }));
    const first = await written(() => put());
    await deliver(first);
    await settle({ status: 'expired' }, now + 1);
    await settle(paidBy('imp_1'), now + 2);
    const second = await written(() => put());
    await deliver(first);
    await settle(paidBy('imp_2'), now + 3);
    const since = await stored();
    await deliver(second);
    expect(await stored()).toEqual(since);
    expect(counted).toContainEqual({ RestoredItems: 0, UnrestoredItems: 1 });
  });

  test('leaves an item unchanged that another payment has settled since, and counts it for the alarm', async () => {
    const { put, stored, written, settle, deliver, counted, logged } = await open();
    await deliver(await settle(paidBy('imp_1')));
    const overwrite = await written(() => put());
    await settle(paidBy('imp_2'));
    const since = await stored();
    await deliver(overwrite);
    expect(await stored()).toEqual(since);
    expect(counted).toContainEqual({ RestoredItems: 0, UnrestoredItems: 1 });
    const line = { record: '2', merchantUid: 'order-1', code: 'overwritten_item_lost' };
    expect(logged).toEqual([[line, true]]);
  });

  test('does not restore an item that the shop deleted since', async () => {
    const { put, stored, written, settle, deliver, counted, remove } = await open();
    await deliver(await settle(paidBy('imp_1')));
    const overwrite = await written(() => put());
    await remove();
    await deliver(overwrite);
    expect(await stored()).toBeUndefined();
    expect(counted.filter((counts) => counts.UnrestoredItems)).toEqual([]);
  });

  test('reports an item whose mark of a restoration is no number, and continues with the next record [T569]', async () => {
    const { put, stored, written, settle, deliver, counted, ids } = await open();
    await deliver(await settle(paidBy('imp_1')));
    const overwrite = await written(() => put());
    await settle(paidBy('imp_2'));
    await put({ ...(await stored()), iamport_restored_by: { S: 'by hand' } });
    const cancelled = { ...paidBy('imp_2'), status: 'cancelled', cancelledAmount: won(14_000) } as OrderState;
    const next = await settle(cancelled);
    await deliver(overwrite, next);
    expect(counted).toContainEqual({ RestoredItems: 0, UnrestoredItems: 1 });
    expect(ids()).toEqual(['Payment Paid order-1:1', 'Payment Cancelled order-1:2']);
  });
});
