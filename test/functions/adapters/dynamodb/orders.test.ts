import { GetItemCommand, PutItemCommand, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { ordersIn } from '../../../../functions/adapters/dynamodb/orders.ts';
import { table } from '../../../../functions/adapters/dynamodb/table.ts';
import { StoreUnavailable, StoreUnexpected } from '../../../../functions/application/faults.ts';
import type { OrderState, OrderTerms } from '../../../../functions/payment/order.ts';
import { freshTables } from '../../../support/dynamodb.ts';
import { states, won } from '../../payment/cases.ts';

const terms: OrderTerms = { merchantUid: 'order-1', amount: won(14_000), currency: 'KRW', name: '아메리카노' };
const now = 1_795_000_000;

async function open() {
  const { client, names } = await freshTables();
  const item = async (merchantUid: string) =>
    (await client.send(new GetItemCommand({ TableName: names.orders, Key: { merchant_uid: { S: merchantUid } } })))
      .Item;
  return { client, names, item, orders: ordersIn(table(client, names.orders)) };
}

describe('an order', () => {
  test('is registered once, and comes back to who registers it again', async () => {
    const { orders } = await open();
    const first = await orders.register(terms, now);
    const again = await orders.register({ ...terms, amount: won(1) }, now + 1);
    expect(first).toMatchObject({ held: true, order: { revision: 1, createdAt: now, state: { status: 'ready' } } });
    expect(again).toEqual({ held: false, order: first.order });
    expect(await orders.read('order-1')).toEqual(first.order);
  });

  test('that nobody registered is none', async () => {
    const { orders } = await open();
    expect(await orders.read('order-1')).toBeUndefined();
  });

  test('comes back in every state as it was written', async () => {
    const { orders } = await open();
    let { order } = await orders.register(terms, now);
    for (const [name, next] of Object.entries(states)) {
      if (!order) throw new Error('not registered');
      const held = await orders.change(order, next, now);
      expect(held.held, name).toBe(true);
      expect(await orders.read('order-1'), name).toEqual(held.order);
      expect(held.order?.state, name).toEqual(next);
      order = held.order;
    }
  });

  test('holds dollars and cents exactly', async () => {
    const { orders, item } = await open();
    await orders.register({ merchantUid: 'order-1', amount: won(1_999), currency: 'USD' }, now);
    expect((await item('order-1'))?.amount).toEqual({ N: '19.99' });
    expect((await orders.read('order-1'))?.amount).toBe(1_999);
  });

  test('keeps nothing of its former state', async () => {
    const { orders, item } = await open();
    const { order } = await orders.register(terms, now);
    const issued = order && (await orders.change(order, states['waits for this account'] as OrderState, now));
    expect(await item('order-1')).toHaveProperty('virtual_account');
    if (issued?.order) await orders.change(issued.order, { status: 'ready' }, now);
    expect(Object.keys((await item('order-1')) ?? {}).sort()).toEqual(
      ['merchant_uid', 'amount', 'currency', 'name', 'status', 'revision', 'created_at', 'updated_at'].sort(),
    );
  });

  test("keeps a shop's own attributes", async () => {
    const { orders, item, client, names } = await open();
    const { order } = await orders.register(terms, now);
    const own = { TableName: names.orders, Key: { merchant_uid: { S: 'order-1' } } };
    await client.send(
      new UpdateItemCommand({
        ...own,
        UpdateExpression: 'SET gift = :gift',
        ExpressionAttributeValues: { ':gift': { BOOL: true } },
      }),
    );
    if (order) await orders.change(order, { status: 'paid', impUid: 'imp_1', record: { payMethod: 'card' } }, now);
    expect(await item('order-1')).toMatchObject({
      gift: { BOOL: true },
      status: { S: 'paid' },
      imp_uid: { S: 'imp_1' },
    });
  });
});

describe('a race for an order', () => {
  test('has one winner, and every loser gets the order as the winner left it', async () => {
    const { orders } = await open();
    const { order } = await orders.register(terms, now);
    if (!order) throw new Error('not registered');
    const tries = Array.from({ length: 30 }, (_, index) =>
      orders.change(order, { status: 'paid', impUid: `imp_${index}`, record: {} }, now),
    );
    const results = await Promise.all(tries);
    const winners = results.filter(({ held }) => held);
    expect(winners).toHaveLength(1);
    for (const result of results) expect(result.order).toEqual(winners[0]?.order);
  });

  test('for an order that is gone gives nothing back', async () => {
    const { orders } = await open();
    const { order } = await orders.register(terms, now);
    const gone = order && (await orders.change({ ...order, merchantUid: 'order-2' }, { status: 'ready' }, now));
    expect(gone).toEqual({ held: false });
    expect(await orders.read('order-2')).toBeUndefined();
  });
});

describe('what is awaited', () => {
  const due = async ({ client, names }: Awaited<ReturnType<typeof open>>) => {
    const found: string[] = [];
    for (const shard of ['0', '1', '2', '3']) {
      const query = { TableName: names.orders, IndexName: 'due', KeyConditionExpression: 'watch = :shard' };
      const { Items = [] } = await client.send(
        new QueryCommand({ ...query, ExpressionAttributeValues: { ':shard': { S: shard } } }),
      );
      found.push(...Items.map(({ merchant_uid, due_at }) => `${merchant_uid?.S} at ${due_at?.N}`));
    }
    return found;
  };

  test.each<[string, OrderState, string[]]>([
    ['an account, until its deadline', states['waits for this account'] as OrderState, ['order-1 at 2000000']],
    ['a fresh deposit, for a second look', states['paid by this deposit'] as OrderState, [`order-1 at ${now + 600}`]],
    ['a card payment, not at all', states['paid by this card'] as OrderState, []],
    ['a closed order, not at all', { status: 'closed' }, []],
  ])('%s', async (_name, next, expected) => {
    const store = await open();
    const { order } = await store.orders.register(terms, now);
    if (order) await store.orders.change(order, next, now);
    expect(await due(store)).toEqual(expected);
  });

  test('is an open order with a deadline', async () => {
    const store = await open();
    await store.orders.register({ ...terms, expiresAt: now + 3_600 }, now);
    expect(await due(store)).toEqual([`order-1 at ${now + 3_600}`]);
  });
});

describe('what the store cannot do', () => {
  test('is to guess at an item of a newer version', async () => {
    const { orders, client, names } = await open();
    await orders.register(terms, now);
    const Item = {
      merchant_uid: { S: 'order-1' },
      amount: { N: '14000' },
      currency: { S: 'KRW' },
      status: { S: 'in_dispute' },
      revision: { N: '2' },
      created_at: { N: '1' },
      updated_at: { N: '1' },
    };
    await client.send(new PutItemCommand({ TableName: names.orders, Item }));
    await expect(orders.read('order-1')).rejects.toThrow(StoreUnexpected);
    await expect(orders.read('order-1')).rejects.toThrow('The status of order order-1 is missing or not what we write');
  });

  test('is to answer without DynamoDB', async () => {
    const { client } = await freshTables();
    await expect(ordersIn(table(client, 'no-such-table')).read('order-1')).rejects.toThrow(StoreUnavailable);
  });
});
