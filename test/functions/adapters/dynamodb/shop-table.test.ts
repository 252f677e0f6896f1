/** Orders as guests in a shop's own table: what is read from its items, what is written into them, and what is left alone. */

import {
  CreateTableCommand,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { ordersIn } from '../../../../functions/adapters/dynamodb/orders.ts';
import type { ShopColumns } from '../../../../functions/adapters/dynamodb/shop-columns.ts';
import { type Item, table } from '../../../../functions/adapters/dynamodb/table.ts';
import { shopTable } from '../../../../functions/adapters/dynamodb/table-mapping.ts';
import { StoreUnexpected } from '../../../../functions/application/faults.ts';
import type { OrderState } from '../../../../functions/payment/order.ts';
import { freshTables } from '../../../support/dynamodb.ts';
import { states, won } from '../../payment/cases.ts';

const now = 1_795_000_000;
const paid: OrderState = { status: 'paid', impUid: 'imp_1', record: { payMethod: 'card' } };

/** Reserved words and attributes of ours on purpose: nothing of the shop's may be hit. */
const item: Item = {
  key: { S: 'order-1' },
  total: { N: '14000' },
  money: { S: 'KRW' },
  status: { S: 'in the basket' },
  revision: { S: 'b' },
  imp_uid: { S: 'none of yours' },
  watch: { BOOL: true },
};

const { money: _money, ...itemWithoutCurrency } = item;

async function open(columns: ShopColumns = { key: 'key', amount: 'total', currency: 'money' }) {
  const { client } = await freshTables();
  const layout = shopTable(columns);
  await client.send(
    new CreateTableCommand({
      TableName: 'shop',
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'key', KeyType: 'HASH' }],
      AttributeDefinitions: [
        { AttributeName: 'key', AttributeType: 'S' },
        { AttributeName: 'iamport_watch', AttributeType: 'S' },
        { AttributeName: 'iamport_due_at', AttributeType: 'N' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'iamport_due',
          KeySchema: [
            { AttributeName: 'iamport_watch', KeyType: 'HASH' },
            { AttributeName: 'iamport_due_at', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    }),
  );
  const Key = { key: { S: 'order-1' } };
  return {
    orders: ordersIn(table(client, 'shop', layout.prefix), layout),
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

type Opened = Awaited<ReturnType<typeof open>>;
async function there({ orders }: Opened) {
  const order = await orders.read('order-1');
  if (!order) throw new Error('The order is not there');
  return order;
}

test('an item that the shop wrote is an order that nothing has happened to', async () => {
  const shop = await open();
  expect(await shop.orders.read('order-1')).toBeUndefined();
  await shop.put();
  expect(await there(shop)).toEqual({
    merchantUid: 'order-1',
    amount: 14_000,
    currency: 'KRW',
    revision: 0,
    createdAt: 0,
    updatedAt: 0,
    state: { status: 'ready' },
  });
});

test('a step of the order is written beside what the shop wrote, and changes nothing of it', async () => {
  const shop = await open();
  await shop.put();
  const held = await shop.orders.change(await there(shop), paid, now);
  expect(held).toMatchObject({ held: true, order: { revision: 1, createdAt: now, state: paid } });
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
  expect(await there(shop)).toEqual(held.order);
});

test('every state comes back as it was written', async () => {
  const shop = await open();
  await shop.put();
  for (const [name, next] of Object.entries(states)) {
    const held = await shop.orders.change(await there(shop), next, now);
    expect(held.held, name).toBe(true);
    expect(await there(shop), name).toEqual(held.order);
    expect(held.order?.state, name).toEqual(next);
  }
});

test('of many who take the first step one does, and the others get the order as it is then', async () => {
  const shop = await open();
  await shop.put();
  const order = await there(shop);
  const tries = Array.from({ length: 20 }, (_, index) =>
    shop.orders.change(order, { status: 'paid', impUid: `imp_${index}`, record: {} }, now),
  );
  const results = await Promise.all(tries);
  const winners = results.filter(({ held }) => held);
  expect(winners).toHaveLength(1);
  for (const result of results) expect(result.order).toEqual(winners[0]?.order);
});

test('a price that the shop changes meanwhile lets no payment through that was held against the old one', async () => {
  const shop = await open();
  await shop.put();
  const order = await there(shop);
  await shop.price('20000');
  expect(await shop.orders.change(order, paid, now)).toMatchObject({
    held: false,
    order: { amount: 20_000, revision: 0 },
  });
  expect(await shop.stored()).not.toHaveProperty('iamport_status');
});

test.each<[string, Item]>([
  ['changes', item],
  ['adds', itemWithoutCurrency],
])('a currency that the shop %s meanwhile does neither', async (_what, before) => {
  const shop = await open();
  await shop.put(before);
  const order = await there(shop);
  await shop.put({ ...item, money: { S: 'JPY' } });
  expect(await shop.orders.change(order, paid, now)).toMatchObject({ held: false, order: { currency: 'JPY' } });
});

test('a price that the shop changes after the payment changes nothing any more', async () => {
  const shop = await open();
  await shop.put();
  await shop.orders.change(await there(shop), paid, now);
  await shop.price('99');
  const order = await there(shop);
  expect(order).toMatchObject({ amount: 14_000, currency: 'KRW', state: paid });
  const cancelled = { status: 'cancelled', impUid: 'imp_1', record: {}, cancelledAmount: won(14_000) } as const;
  expect((await shop.orders.change(order, cancelled, now)).held).toBe(true);
});

test('without a currency attribute orders are in won', async () => {
  const shop = await open({ key: 'key', amount: 'total' });
  await shop.put({ ...item, money: { S: 'USD' } });
  expect(await there(shop)).toMatchObject({ amount: 14_000, currency: 'KRW' });
  expect((await shop.orders.change(await there(shop), paid, now)).held).toBe(true);
});

test('registering an order adds to the item of the shop, at the price that is in it', async () => {
  const shop = await open();
  const terms = { merchantUid: 'order-1', amount: won(14_000), currency: 'KRW', expiresAt: now + 60 };
  expect(await shop.orders.register(terms, now)).toEqual({ held: false });
  expect(await shop.stored()).toBeUndefined();
  await shop.put();
  expect(await shop.orders.register({ ...terms, amount: won(9) }, now)).toMatchObject({
    held: false,
    order: { amount: 14_000, revision: 0 },
  });
  expect(await shop.orders.register(terms, now)).toMatchObject({ held: true, order: { revision: 1 } });
  expect(await there(shop)).toMatchObject({ revision: 1, createdAt: now, expiresAt: now + 60, dueAt: now + 60 });
  expect(await shop.stored()).toMatchObject(item);
  expect(await shop.stored()).not.toHaveProperty('iamport_amount');
});

test('what is due is found by its own index, under the name that the shop gave', async () => {
  const shop = await open();
  await shop.put();
  await shop.orders.register(
    { merchantUid: 'order-1', amount: won(14_000), currency: 'KRW', expiresAt: now + 60 },
    now,
  );
  expect(await shop.orders.due(now + 59, 10)).toEqual([]);
  expect(await shop.orders.due(now + 60, 10)).toEqual([{ id: 'order-1', dueAt: now + 60 }]);
});

test('many are read at once, and an item without a price hides no other', async () => {
  const shop = await open();
  await shop.put();
  await shop.put({ ...itemWithoutCurrency, key: { S: 'order-2' } });
  await shop.put({ ...item, key: { S: 'order-3' }, total: { S: 'on request' } });
  const { orders, unreadable } = await shop.orders.readMany(['order-1', 'order-2', 'order-3', 'order-4']);
  expect(orders.map(({ merchantUid }) => merchantUid).sort()).toEqual(['order-1', 'order-2']);
  expect(unreadable).toEqual(['order-3']);
  await expect(shop.orders.read('order-3')).rejects.toThrow(StoreUnexpected);
});

test.each(Object.entries(states))('many at once read as much of an order as one alone: %s', async (_name, state) => {
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
  const prepared = await there(shop);
  await shop.orders.note(prepared, { isUnprepared: true, dueAt: now + 60, preparedAmount: won(14_000) });
  await shop.orders.announceCancel(await there(shop));
  await shop.orders.change(await there(shop), state, now);
  const { orders } = await shop.orders.readMany(['order-1']);
  expect(orders).toEqual([await there(shop)]);
});

test('an item that the shop deleted meanwhile is not made again', async () => {
  const shop = await open();
  await shop.put();
  const order = await there(shop);
  await shop.remove();
  expect(await shop.orders.change(order, paid, now)).toEqual({ held: false });
  expect(await shop.stored()).toBeUndefined();
});
