/** Orders in attributes of the shop's table: reads of its items, writes into them, and attributes that stay unchanged. */

import {
  type BatchGetItemCommandOutput,
  CreateTableCommand,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { createOrders } from '../../../../functions/adapters/dynamodb/orders.ts';
import type { ShopColumns } from '../../../../functions/adapters/dynamodb/shop-columns.ts';
import { type Item, table } from '../../../../functions/adapters/dynamodb/table.ts';
import { shopTable } from '../../../../functions/adapters/dynamodb/table-mapping.ts';
import { StoreUnexpected } from '../../../../functions/application/faults.ts';
import { storedValue } from '../../../../functions/application/ports/stores.ts';
import type { OrderState } from '../../../../functions/payment/order.ts';
import { freshTables } from '../../../support/dynamodb.ts';
import { states, won } from '../../payment/cases.ts';

const now = 1_795_000_000;
const paid: OrderState = { status: 'paid', impUid: 'imp_1', record: { payMethod: 'card' } };

/** Reserved words and our own attribute names on purpose: no write may change an attribute of the shop. */
const item: Item = {
  key: { S: 'order-1' },
  total: { N: '14000' },
  money: { S: 'KRW' },
  status: { S: 'in the basket' },
  revision: { S: 'b' },
  imp_uid: { S: 'none of yours' },
  due_shard: { BOOL: true },
};

const { money: _money, ...itemWithoutCurrency } = item;

async function open(columns: ShopColumns = { key: 'key', amount: 'total', currency: 'money' }) {
  const { client } = await freshTables();
  const mapping = shopTable(columns);
  await client.send(
    new CreateTableCommand({
      TableName: 'shop',
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'key', KeyType: 'HASH' }],
      AttributeDefinitions: [
        { AttributeName: 'key', AttributeType: 'S' },
        { AttributeName: 'iamport_due_shard', AttributeType: 'S' },
        { AttributeName: 'iamport_due_at', AttributeType: 'N' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'iamport_due',
          KeySchema: [
            { AttributeName: 'iamport_due_shard', KeyType: 'HASH' },
            { AttributeName: 'iamport_due_at', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    }),
  );
  const Key = { key: { S: 'order-1' } };
  return {
    client,
    orders: createOrders(table(client, 'shop', mapping.prefix), mapping),
    put: (Item = item) => client.send(new PutItemCommand({ TableName: 'shop', Item })),
    stored: async () => (await client.send(new GetItemCommand({ TableName: 'shop', Key }))).Item,
    remove: () => client.send(new DeleteItemCommand({ TableName: 'shop', Key })),
    /** The shop itself changes the price. */
    price: (total: string) =>
      client.send(
        new UpdateItemCommand({
          TableName: 'shop',
          Key,
          UpdateExpression: 'SET #total = :total',
          ExpressionAttributeNames: { '#total': 'total' },
          ExpressionAttributeValues: { ':total': { N: total } },
        }),
      ),
  };
}

type Fixture = Awaited<ReturnType<typeof open>>;
async function readOrder({ orders }: Fixture) {
  const order = await orders.read('order-1');
  if (!order) throw new Error('The order is missing');
  return order;
}

test('reads an item that the shop wrote as a new order', async () => {
  const shop = await open();
  expect(await shop.orders.read('order-1')).toBeUndefined();
  await shop.put();
  expect(await readOrder(shop)).toEqual({
    merchantUid: 'order-1',
    amount: 14_000,
    currency: 'KRW',
    revision: 0,
    createdAt: 0,
    updatedAt: 0,
    state: { status: 'ready' },
  });
});

test('writes a step of the order beside the attributes of the shop, and changes none of them', async () => {
  const shop = await open();
  await shop.put();
  const result = await shop.orders.change(await readOrder(shop), paid, now);
  expect(result).toMatchObject({ written: true, value: { revision: 1, createdAt: now, state: paid } });
  expect(await shop.stored()).toEqual({
    ...item,
    iamport_status: { S: 'paid' },
    iamport_revision: { N: '1' },
    iamport_imp_uid: { S: 'imp_1' },
    iamport_payment: { M: { pay_method: { S: 'card' } } },
    iamport_amount: { N: '14000' },
    iamport_currency: { S: 'KRW' },
    iamport_created_at: { N: String(now) },
    iamport_updated_at: { N: String(now) },
  });
  expect(await readOrder(shop)).toEqual(storedValue(result));
});

test('reads every state as it was written', async () => {
  const shop = await open();
  await shop.put();
  for (const [name, next] of Object.entries(states)) {
    const result = await shop.orders.change(await readOrder(shop), next, now);
    expect(result.written, name).toBe(true);
    expect(await readOrder(shop), name).toEqual(storedValue(result));
    expect(storedValue(result)?.state, name).toEqual(next);
  }
});

test('has one winner of 20 concurrent first steps, and the losers get the order of the winner', async () => {
  const shop = await open();
  await shop.put();
  const order = await readOrder(shop);
  const attempts = Array.from({ length: 20 }, (_, index) =>
    shop.orders.change(order, { status: 'paid', impUid: `imp_${index}`, record: {} }, now),
  );
  const results = await Promise.all(attempts);
  const winners = results.flatMap((result) => (result.written ? [result.value] : []));
  expect(winners).toHaveLength(1);
  for (const result of results) expect(storedValue(result)).toEqual(winners[0]);
});

test('writes no payment that was compared with an amount that the shop has changed since', async () => {
  const shop = await open();
  await shop.put();
  const order = await readOrder(shop);
  await shop.price('20000');
  expect(await shop.orders.change(order, paid, now)).toMatchObject({
    written: false,
    current: { amount: 20_000, revision: 0 },
  });
  expect(await shop.stored()).not.toHaveProperty('iamport_status');
});

test.each<[string, Item]>([
  ['changes', item],
  ['adds', itemWithoutCurrency],
])('writes no payment after the shop %s the currency meanwhile', async (_name, before) => {
  const shop = await open();
  await shop.put(before);
  const order = await readOrder(shop);
  await shop.put({ ...item, money: { S: 'JPY' } });
  expect(await shop.orders.change(order, paid, now)).toMatchObject({ written: false, current: { currency: 'JPY' } });
});

test('keeps the order of a payment when the shop changes its amount afterwards', async () => {
  const shop = await open();
  await shop.put();
  await shop.orders.change(await readOrder(shop), paid, now);
  await shop.price('99');
  const order = await readOrder(shop);
  expect(order).toMatchObject({ amount: 14_000, currency: 'KRW', state: paid });
  const cancelled = { status: 'cancelled', impUid: 'imp_1', record: {}, cancelledAmount: won(14_000) } as const;
  expect((await shop.orders.change(order, cancelled, now)).written).toBe(true);
});

test('reads orders in won without a currency attribute', async () => {
  const shop = await open({ key: 'key', amount: 'total' });
  await shop.put({ ...item, money: { S: 'USD' } });
  expect(await readOrder(shop)).toMatchObject({ amount: 14_000, currency: 'KRW' });
  expect((await shop.orders.change(await readOrder(shop), paid, now)).written).toBe(true);
});

test('registers an order in the item of the shop, at the amount of that item', async () => {
  const shop = await open();
  const terms = { merchantUid: 'order-1', amount: won(14_000), currency: 'KRW', expiresAt: now + 60 };
  expect(await shop.orders.register(terms, now)).toEqual({ written: false });
  expect(await shop.stored()).toBeUndefined();
  await shop.put();
  expect(await shop.orders.register({ ...terms, amount: won(9) }, now)).toMatchObject({
    written: false,
    current: { amount: 14_000, revision: 0 },
  });
  expect(await shop.orders.register(terms, now)).toMatchObject({ written: true, value: { revision: 1 } });
  expect(await readOrder(shop)).toMatchObject({
    revision: 1,
    createdAt: now,
    expiresAt: now + 60,
    nextCheckAt: now + 60,
  });
  expect(await shop.stored()).toMatchObject(item);
  expect(await shop.stored()).not.toHaveProperty('iamport_amount');
});

test('finds due orders by our index, under the key of the shop', async () => {
  const shop = await open();
  await shop.put();
  await shop.orders.register(
    { merchantUid: 'order-1', amount: won(14_000), currency: 'KRW', expiresAt: now + 60 },
    now,
  );
  expect(await shop.orders.due(now + 59, 10)).toEqual([]);
  expect(await shop.orders.due(now + 60, 10)).toEqual([{ id: 'order-1', dueAt: now + 60 }]);
});

test('reads many orders at once, and reports an item without a readable amount', async () => {
  const shop = await open();
  await shop.put();
  await shop.put({ ...itemWithoutCurrency, key: { S: 'order-2' } });
  await shop.put({ ...item, key: { S: 'order-3' }, total: { S: 'on request' } });
  const { orders, unreadable } = await shop.orders.readMany(['order-1', 'order-2', 'order-3', 'order-4']);
  expect(orders.map(({ merchantUid }) => merchantUid).sort()).toEqual(['order-1', 'order-2']);
  expect(unreadable).toEqual(['order-3']);
  await expect(shop.orders.read('order-3')).rejects.toThrow(StoreUnexpected);
});

test('reads in a batch only the attributes of an order, and none of the shop [T647]', async () => {
  const shop = await open();
  await shop.put({ ...item, lines: { S: 'x'.repeat(300_000) } });
  const returned: Item[] = [];
  shop.client.middlewareStack.add(
    (next) => async (parameters) => {
      const result = await next(parameters);
      const { Responses } = result.output as BatchGetItemCommandOutput;
      returned.push(...(Responses?.shop ?? []));
      return result;
    },
    { step: 'initialize' },
  );
  const { orders } = await shop.orders.readMany(['order-1']);
  expect(orders).toMatchObject([{ merchantUid: 'order-1', amount: won(14_000) }]);
  expect(returned).toEqual([{ key: item.key, total: item.total, money: item.money }]);
});

test.each(Object.entries(states))('reads the same attributes in a batch as alone: %s', async (_name, state) => {
  const shop = await open();
  await shop.put();
  const terms = {
    amount: won(14_000),
    currency: 'KRW',
    taxFree: won(4_000),
    vatAmount: won(0),
    name: '노트',
    tier: 't',
  };
  await shop.orders.register({ merchantUid: 'order-1', ...terms, expiresAt: now + 60 }, now);
  const prepared = await readOrder(shop);
  await shop.orders.updateSchedule(prepared, {
    isUnprepared: true,
    nextCheckAt: now + 60,
    preparedAmount: won(14_000),
  });
  await shop.orders.announceCancel(await readOrder(shop));
  await shop.orders.change(await readOrder(shop), state, now);
  const { orders } = await shop.orders.readMany(['order-1']);
  expect(orders).toEqual([await readOrder(shop)]);
});

test('writes no item that the shop deleted meanwhile', async () => {
  const shop = await open();
  await shop.put();
  const order = await readOrder(shop);
  await shop.remove();
  expect(await shop.orders.change(order, paid, now)).toEqual({ written: false });
  expect(await shop.stored()).toBeUndefined();
});
