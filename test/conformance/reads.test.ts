/** The store's reads and indexes, on every engine that it runs on: no stale, missing or duplicate items. */

import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { orderShards } from '../../functions/adapters/dynamodb/due-index.ts';
import { storedValue } from '../../functions/application/ports/stores.ts';
import { type Fixture, startEngines } from './engines.ts';
import { now, refundRequest, reversalRequest, storesIn, terms } from './stores.ts';

const engines = await startEngines();
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

describe.each(engines)('on $name', (engine) => {
  let fixture: Fixture;
  let store: ReturnType<typeof storesIn>;
  beforeEach(async () => {
    fixture = await engine.open();
    store = storesIn(fixture);
    fixture.sent.length = 0;
  });
  const registered = async () => storedValue(await store.orders.register(terms, now)) ?? expect.unreachable();

  describe('reads', () => {
    test('are strongly consistent', async () => {
      await registered();
      await store.orders.read('order-1');
      await store.orders.readMany(['order-1']);
      for (const { command, input } of fixture.sent) {
        if (command === 'GetItemCommand') expect(input.ConsistentRead).toBe(true);
        if (command !== 'BatchGetItemCommand') continue;
        const requests = Object.values(input.RequestItems as Record<string, { ConsistentRead?: boolean }>);
        expect(requests.map(({ ConsistentRead }) => ConsistentRead)).toEqual([true]);
      }
      const reads = fixture.sent.map(({ command }) => command).filter((command) => command !== 'UpdateItemCommand');
      expect(reads).toEqual(engine.hasWire ? ['GetItemCommand', 'BatchGetItemCommand'] : []);
    });

    test('split more keys than one call of DynamoDB accepts, and omit missing and duplicate items', async () => {
      const uids = Array.from({ length: 130 }, (_, index) => `order-${index}`);
      for (const merchantUid of uids.slice(0, 105)) await store.orders.register({ ...terms, merchantUid }, now);
      fixture.sent.length = 0;
      const { orders, unreadable } = await store.orders.readMany([...uids, 'order-1']);
      expect(orders.map(({ merchantUid }) => merchantUid).sort()).toEqual(uids.slice(0, 105).sort());
      expect(unreadable).toEqual([]);
      expect(fixture.sent).toHaveLength(engine.hasWire ? 2 : 0);
    });

    test('return the creation time of a table', async () => {
      const now = Date.now() / 1000;
      const madeAt = await fixture.tables.state.madeAt();
      expect(madeAt).toBeGreaterThan(now - 60);
      expect(madeAt).toBeLessThanOrEqual(now);
    });

    test('without keys send no command', async () => {
      expect(await store.orders.readMany([])).toEqual({ orders: [], unreadable: [] });
      expect(fixture.sent).toEqual([]);
    });
  });

  describe('the index by-order', () => {
    test('returns the reversals and refunds of one order, and of no other', async () => {
      await store.reversals.request(reversalRequest, now, 0);
      await store.reversals.request({ ...reversalRequest, impUid: 'imp_2' }, now, 0);
      await store.reversals.request({ ...reversalRequest, impUid: 'imp_3', merchantUid: 'order-2' }, now, 0);
      await store.refunds.request(refundRequest);
      await store.refunds.request({ ...refundRequest, key: 'unsent', state: 'unsent' });
      const { reversals, refunds } = await store.reversals.ofOrder('order-1');
      expect(reversals.map(({ impUid }) => impUid).sort()).toEqual(['imp_1', 'imp_2']);
      expect(refunds.map(({ key }) => key)).toEqual(['return-1']);
      expect(await store.reversals.ofOrder('order-3')).toEqual({ reversals: [], refunds: [], unreadable: [] });
    });

    test('is read to its end, over pages of one megabyte', async () => {
      const { reversals } = fixture.tables;
      const long = { S: 'x'.repeat(300_000) };
      const uids = ['imp_1', 'imp_2', 'imp_3', 'imp_4', 'imp_5', 'imp_6', 'imp_7'];
      for (const uid of uids) {
        const set = { merchant_uid: { S: 'order-1' }, message: long };
        await reversals.write({
          key: { imp_uid: { S: uid } },
          set,
          conditions: { isNew: 'attribute_not_exists(imp_uid)' },
        });
      }
      fixture.sent.length = 0;
      expect((await reversals.byOrder('order-1')).map(({ imp_uid }) => imp_uid?.S).sort()).toEqual(uids);
      if (engine.hasWire) expect(fixture.sent.length).toBeGreaterThan(1);
    });
  });

  describe('the index due', () => {
    /** Keys whose characters assign them to the four shards in turn. */
    const uids = ['order-0', 'order-1', 'order-2', 'order-3', 'order-4', 'order-5', 'order-6', 'order-7'];
    const dueIds = async (...parameters: Parameters<typeof store.orders.due>) =>
      (await store.orders.due(...parameters)).map(({ id }) => id);
    const expiring = async () => {
      for (const [index, merchantUid] of uids.entries())
        await store.orders.register({ ...terms, merchantUid, expiresAt: now - index }, now - 100);
    };

    test('returns the due items of every shard, and no item before its time', async () => {
      await expiring();
      await store.orders.register({ ...terms, merchantUid: 'later', expiresAt: now + 1 }, now);
      await store.orders.register({ ...terms, merchantUid: 'never' }, now);
      expect([...(await dueIds(now, 100))].sort()).toEqual(uids);
      expect(await dueIds(now - 8, 100)).toEqual([]);
      expect(await dueIds(now - 7, 100)).toEqual(['order-7']);
    });

    test('returns the longest overdue items of each shard first, up to the limit', async () => {
      await expiring();
      expect([...(await dueIds(now, 1))].sort()).toEqual(['order-4', 'order-5', 'order-6', 'order-7']);
    });

    test('drops an item that waits for nothing any more', async () => {
      const order = storedValue(await store.orders.register({ ...terms, expiresAt: now }, now - 100));
      expect(await dueIds(now, 100)).toEqual(['order-1']);
      if (order) await store.orders.change(order, { status: 'closed' }, now);
      expect(await dueIds(now, 100)).toEqual([]);
    });

    test('has keys only', async () => {
      await store.orders.register({ ...terms, expiresAt: now }, now - 100);
      const [item = {}] = await fixture.tables.orders.due(orderShards, now, 100);
      expect(Object.keys(item).sort()).toEqual(['due_at', 'due_shard', 'merchant_uid']);
    });
  });
});
