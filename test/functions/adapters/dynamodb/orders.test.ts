import { GetItemCommand, PutItemCommand, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { createOrders } from '../../../../functions/adapters/dynamodb/orders.ts';
import { table } from '../../../../functions/adapters/dynamodb/table.ts';
import { StoreUnavailable, StoreUnexpected } from '../../../../functions/application/faults.ts';
import { storedValue } from '../../../../functions/application/ports/stores.ts';
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
  return { client, names, item, orders: createOrders(table(client, names.orders)) };
}

describe('an order', () => {
  test('registers an order once, and returns the first order to a second registration', async () => {
    const { orders } = await open();
    const first = await orders.register(terms, now);
    const again = await orders.register({ ...terms, amount: won(1) }, now + 1);
    expect(first).toMatchObject({ written: true, value: { revision: 1, createdAt: now, state: { status: 'ready' } } });
    expect(again).toEqual({ written: false, current: storedValue(first) });
    expect(await orders.read('order-1')).toEqual(storedValue(first));
  });

  test('returns undefined for an order that is not registered', async () => {
    const { orders } = await open();
    expect(await orders.read('order-1')).toBeUndefined();
  });

  test('reads an order in every state as it was written', async () => {
    const { orders } = await open();
    let order = storedValue(await orders.register(terms, now));
    for (const [name, next] of Object.entries(states)) {
      if (!order) throw new Error('not registered');
      const result = await orders.change(order, next, now);
      expect(result.written, name).toBe(true);
      order = storedValue(result);
      expect(await orders.read('order-1'), name).toEqual(order);
      expect(order?.state, name).toEqual(next);
    }
  });

  test('stores dollars and cents exactly', async () => {
    const { orders, item } = await open();
    await orders.register({ merchantUid: 'order-1', amount: won(1_999), currency: 'USD' }, now);
    expect((await item('order-1'))?.amount).toEqual({ N: '19.99' });
    expect((await orders.read('order-1'))?.amount).toBe(1_999);
  });

  test('removes the attributes of the former state', async () => {
    const { orders, item } = await open();
    const order = storedValue(await orders.register(terms, now));
    const issued = order && (await orders.change(order, states['waits for this account'] as OrderState, now));
    expect(await item('order-1')).toHaveProperty('virtual_account');
    if (issued?.written) await orders.change(issued.value, { status: 'ready' }, now);
    expect(Object.keys((await item('order-1')) ?? {}).sort()).toEqual(
      ['merchant_uid', 'amount', 'currency', 'name', 'status', 'revision', 'created_at', 'updated_at'].sort(),
    );
  });

  test('keeps the attributes of the shop', async () => {
    const { orders, item, client, names } = await open();
    const order = storedValue(await orders.register(terms, now));
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
  test('writes one of 30 concurrent changes, and returns the order of the winner to the losers', async () => {
    const { orders } = await open();
    const order = storedValue(await orders.register(terms, now));
    if (!order) throw new Error('not registered');
    const attempts = Array.from({ length: 30 }, (_, index) =>
      orders.change(order, { status: 'paid', impUid: `imp_${index}`, record: {} }, now),
    );
    const results = await Promise.all(attempts);
    const winners = results.flatMap((result) => (result.written ? [result.value] : []));
    expect(winners).toHaveLength(1);
    for (const result of results) expect(storedValue(result)).toEqual(winners[0]);
  });

  test('returns no order when the order was deleted', async () => {
    const { orders } = await open();
    const order = storedValue(await orders.register(terms, now));
    const gone = order && (await orders.change({ ...order, merchantUid: 'order-2' }, { status: 'ready' }, now));
    expect(gone).toEqual({ written: false });
    expect(await orders.read('order-2')).toBeUndefined();
  });
});

describe('the index of due orders', () => {
  const due = async ({ client, names }: Awaited<ReturnType<typeof open>>) => {
    const found: string[] = [];
    for (const shard of ['0', '1', '2', '3']) {
      const query = { TableName: names.orders, IndexName: 'due', KeyConditionExpression: 'due_shard = :shard' };
      const { Items = [] } = await client.send(
        new QueryCommand({ ...query, ExpressionAttributeValues: { ':shard': { S: shard } } }),
      );
      found.push(...Items.map(({ merchant_uid, due_at }) => `${merchant_uid?.S} at ${due_at?.N}`));
    }
    return found;
  };

  test.each<[string, OrderState, string[]]>([
    ['has an account at its deadline', states['waits for this account'] as OrderState, ['order-1 at 2000000']],
    ['has a new deposit at its next check', states['paid by this deposit'] as OrderState, [`order-1 at ${now + 600}`]],
    ['has no card payment', states['paid by this card'] as OrderState, []],
    ['has no closed order', { status: 'closed' }, []],
  ])('%s', async (_name, next, expected) => {
    const store = await open();
    const order = storedValue(await store.orders.register(terms, now));
    if (order) await store.orders.change(order, next, now);
    expect(await due(store)).toEqual(expected);
  });

  test('has an open order at its deadline', async () => {
    const store = await open();
    await store.orders.register({ ...terms, expiresAt: now + 3_600 }, now);
    expect(await due(store)).toEqual([`order-1 at ${now + 3_600}`]);
  });
});

describe('a fault of the store', () => {
  test('throws StoreUnexpected for an item of a newer version', async () => {
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
    await expect(orders.read('order-1')).rejects.toThrow('The status of order order-1 is missing or invalid');
  });

  test('throws StoreUnavailable for a missing table', async () => {
    const { client } = await freshTables();
    await expect(createOrders(table(client, 'no-such-table')).read('order-1')).rejects.toThrow(StoreUnavailable);
  });
});
