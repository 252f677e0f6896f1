/**
 * One suite for the store, on every engine that it runs on. It shows that a result on one engine is valid on the others, and that a
 * result of the simulation is valid on DynamoDB. This file tests each named condition, and races.
 */

import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { heartbeatId } from '../../functions/adapters/dynamodb/heartbeats.ts';
import { copyItem, copyRules } from '../../functions/adapters/dynamodb/restore.ts';
import type { Item, Table } from '../../functions/adapters/dynamodb/table.ts';
import { ownTable } from '../../functions/adapters/dynamodb/table-mapping.ts';
import { storedValue } from '../../functions/application/ports/stores.ts';
import { won } from '../functions/payment/cases.ts';
import { portOf, SimulatedTable } from '../simulation/table.ts';
import { type Fixture, nextRecords, startEngines } from './engines.ts';
import { now, refundRequest, reversalRequest, storesIn, terms } from './stores.ts';
import { anyWrite, namedConditions } from './writes.ts';

const engines = await startEngines();
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

describe.each(engines)('on $name', (engine) => {
  /** The conditions that permitted a write, and those that refused one, by their names in the store. */
  const seen = { fulfilled: new Set<string>(), refused: new Set<string>() };
  const observed = (table: Table): Table => ({
    ...table,
    async write(write) {
      const result = await table.write(write);
      for (const name of Object.keys(write.conditions)) (result.written ? seen.fulfilled : seen.refused).add(name);
      return result;
    },
  });
  let fixture: Fixture;
  let store: ReturnType<typeof storesIn>;
  beforeEach(async () => {
    fixture = await engine.open();
    store = storesIn(fixture, observed);
    fixture.sent.length = 0;
  });
  const registered = async () => storedValue(await store.orders.register(terms, now)) ?? expect.unreachable();

  describe('a condition', () => {
    test('orderIsNew: registers an order once, and returns it to a second registration', async () => {
      const first = await registered();
      expect(await store.orders.register({ ...terms, amount: won(1) }, now + 1)).toEqual({
        written: false,
        current: first,
      });
      expect(await store.orders.read('order-1')).toEqual(first);
    });

    test('revisionIsUnchanged: writes an order, a reversal and a refund once from each read', async () => {
      const order = await registered();
      const closed = await store.orders.change(order, { status: 'closed' }, now);
      expect(closed).toMatchObject({ written: true, value: { revision: 2, state: { status: 'closed' } } });
      expect(await store.orders.change(order, { status: 'expired' }, now)).toEqual({
        written: false,
        current: storedValue(closed),
      });

      const reversal = storedValue(await store.reversals.request(reversalRequest, now, 0));
      expect(await store.reversals.claim(reversal, now)).toMatchObject({ attempts: 1, revision: 2 });
      expect(await store.reversals.claim(reversal, now)).toBeUndefined();

      const refund = storedValue(await store.refunds.request(refundRequest));
      const changed = { ...refundRequest, attempts: 2, revision: 2 };
      expect(await store.refunds.change(refund, { ...refund, attempts: 2 })).toEqual({ written: true, value: changed });
      expect(await store.refunds.change(refund, { ...refund, attempts: 3 })).toEqual({
        written: false,
        current: changed,
      });
    });

    test('isAsRead: restores an item only over the live item that was compared with it', async () => {
      const order = await registered();
      const read = await fixture.tables.orders.read({ merchant_uid: { S: 'order-1' } });
      await store.orders.change(order, { status: 'closed' }, now);
      const item = { ...read, revision: { N: '5' } };
      const { orders } = copyRules(ownTable, '1');
      expect(await copyItem(observed(fixture.tables.orders), orders, item, read)).toBe('copied');
      expect(await store.orders.read('order-1')).toMatchObject({ revision: 5, state: { status: 'ready' } });
      expect(await copyItem(observed(fixture.tables.orders), orders, item, item)).toBe('unchanged');
    });

    test('isNew: writes a reversal, a refund and the beginning once', async () => {
      expect(await store.reversals.request(reversalRequest, now, 1)).toMatchObject({ written: true });
      expect(await store.reversals.request(reversalRequest, now + 5, 1)).toMatchObject({
        written: false,
        current: { createdAt: now },
      });
      expect(await store.refunds.request(refundRequest)).toEqual({ written: true, value: refundRequest });
      expect(await store.refunds.request({ ...refundRequest, amount: won(1) })).toEqual({
        written: false,
        current: refundRequest,
      });
      expect((await store.checkpoints.read([])).beginning()).toBeUndefined();
      const [begunAt, again] = await Promise.all([store.checkpoints.begin(), store.checkpoints.begin()]);
      expect(again).toBe(begunAt);
      expect((await store.checkpoints.read([])).beginning()).toBe(begunAt);
    });

    test('listIsUnchanged: lets one of two keys announce a refund', async () => {
      const { refunds } = store;
      await refunds.request(refundRequest);
      const none = await refunds.ofPayment('imp_1');
      expect(none).toEqual({ impUid: 'imp_1', version: 0, refunds: [] });
      expect(await refunds.announce(none, 'return-1')).toBe(true);
      expect(await refunds.announce(none, 'return-2')).toBe(false);
      const first = await refunds.ofPayment('imp_1');
      expect(first).toEqual({ impUid: 'imp_1', version: 1, refunds: [refundRequest] });
      await refunds.request({ ...refundRequest, key: 'return-2', state: 'unsent' });
      expect(await refunds.announce(first, 'return-2')).toBe(true);
      // The AWS SDK repeats a call without a response.
      expect(await refunds.announce(first, 'return-2')).toBe(true);
      expect(await refunds.announce(first, 'return-3')).toBe(false);
      const second = await refunds.ofPayment('imp_1');
      expect(second.refunds.map(({ key }) => key).sort()).toEqual(['return-1', 'return-2']);
      expect(await refunds.announce(second, 'return-3')).toBe(true);
      expect((await refunds.ofPayment('imp_1')).refunds.map(({ key }) => key)).toEqual(['return-1']);
    });

    test('isNewOrUnchanged: lets one of two runs move the checkpoint', async () => {
      const unresolved = [{ impUid: 'imp_9', merchantUid: 'order-9', since: now - 60, nextAt: now + 300 }];
      const checkpoint = { completedUntil: now, unresolved, revision: 0 };
      const { checkpoints } = store;
      expect(await checkpoints.write('recent', checkpoint)).toMatchObject({ revision: 1 });
      expect(await checkpoints.write('recent', { ...checkpoint, completedUntil: now - 5 })).toBeUndefined();
      const read = (await checkpoints.read(['recent'])).checkpoint('recent') ?? expect.unreachable();
      expect(read).toEqual({ ...checkpoint, revision: 1 });
      const cursor = {
        from: now,
        to: now + 300,
        status: 'ready',
        offset: 100,
        size: 10,
        failures: 1,
        total: 120,
      } as const;
      expect(await checkpoints.write('recent', { ...read, cursor })).toMatchObject({ revision: 2 });
      expect((await checkpoints.read(['recent', 'week'])).checkpoint('recent')).toEqual({
        ...checkpoint,
        cursor,
        revision: 2,
      });
    });

    test('isBetter: keeps the token that expires last, unless it was refused', async () => {
      await store.token.write({ value: 'long', expiresAt: 2_000 });
      await store.token.write({ value: 'short', expiresAt: 1_000 });
      await store.token.write({ value: 'same', expiresAt: 2_000 });
      expect(await store.token.read()).toEqual({ token: { value: 'long', expiresAt: 2_000 } });
      await store.token.write({ value: 'short', expiresAt: 1_000 }, 'another');
      expect(await store.token.read()).toEqual({ token: { value: 'long', expiresAt: 2_000 } });
      await store.token.write({ value: 'short', expiresAt: 1_000 }, 'long');
      expect(await store.token.read()).toEqual({ token: { value: 'short', expiresAt: 1_000 } });
    });

    test('isUnclaimed, isAsSeen: lets one instance at a time request a new token, and only if it has read the current one', async () => {
      expect(await store.token.claim(undefined, 10_000)).toEqual({ claimed: true });
      expect(await store.token.read()).toEqual({ claimedUntil: 13_000 });
      expect(await store.token.claim(undefined, 10_001)).toEqual({ claimed: false });
      expect(await store.token.claim(undefined, 13_001)).toEqual({ claimed: true });
      const token = { value: 'first', expiresAt: 20_000 };
      await store.token.write(token);
      expect(await store.token.claim({ value: 'older', expiresAt: 15_000 }, 19_000)).toEqual({
        claimed: false,
        current: token,
      });
      expect(await store.token.claim(undefined, 19_000)).toEqual({ claimed: false, current: token });
      expect(await store.token.claim(token, 19_000)).toEqual({ claimed: true });
    });

    test(`supersedes: ${engine.comparesMaps ? 'does not write the same notification twice' : 'writes a notification each time it arrives'}, and never overwrites a reversal`, async () => {
      const escrow = {
        impUid: 'imp_1',
        merchantUid: 'order-1',
        event: 'Inicis.Escrow.Changed',
        content: { step: '배송' },
      };
      const changes = fixture.changesOf('reversals');
      await store.notifications.store(escrow, now);
      await store.notifications.store(escrow, now + 1);
      await store.notifications.store({ ...escrow, content: { step: '구매확정' } }, now + 2);
      await store.notifications.store({ ...escrow, content: { step: '구매확정', by: '구매자' } }, now + 3);
      await store.notifications.store({ ...escrow, event: 'Something.New' }, now + 4);
      await store.notifications.store({ ...escrow, event: 'Something.Else' }, now + 5);
      const times = (await nextRecords(changes, engine.comparesMaps ? 5 : 6)).map(
        ({ dynamodb }) => Number(dynamodb?.NewImage?.updated_at?.N) - now,
      );
      expect(times).toEqual(engine.comparesMaps ? [0, 2, 3, 4, 5] : [0, 1, 2, 3, 4, 5]);

      await store.reversals.request({ ...reversalRequest, impUid: 'imp_2#other' }, now, 0);
      await store.notifications.store({ ...escrow, impUid: 'imp_2', event: 'Something.New' }, now);
      expect(await store.reversals.read('imp_2#other')).toMatchObject({ kind: 'cancel', revision: 1 });
    });

    test('lastIsOldEnough: writes a notification once the interval since the last one is over', async () => {
      const escrow = { impUid: 'imp_1', merchantUid: 'order-1', event: 'Inicis.Escrow.Changed' };
      const written: boolean[] = [];
      for (const seconds of [0, 59, 60]) {
        written.push(await store.notifications.store({ ...escrow, content: { at: `${seconds}` } }, now + seconds, 60));
      }
      expect(written).toEqual([true, false, true]);
    });
  });

  describe('a condition on the shop’s own table', () => {
    const inShop = (set: Item) =>
      fixture.tables.shop.write({
        key: { order_no: { S: 'order-1' } },
        set,
        conditions: { isOurs: '#color = :color OR attribute_not_exists(#color)' },
        names: { '#color': 'color' },
        values: { ':color': { S: 'blue' } },
      });

    test('orderIsUntouched: registers an item of the shop once, and no order without an item', async () => {
      expect(await store.shopOrders.register(terms, now)).toEqual({ written: false });
      await inShop({ total: { N: '14000' }, money: { S: 'KRW' } });
      expect(await store.shopOrders.register(terms, now)).toMatchObject({ written: true, value: { revision: 1 } });
      expect(await store.shopOrders.register(terms, now)).toMatchObject({ written: false, current: { revision: 1 } });
    });

    test('amountIsUnchanged, currencyIsUnchanged: refuses a write after the shop changed the amount or the currency', async () => {
      await inShop({ total: { N: '14000' } });
      const registration = await store.shopOrders.register({ ...terms, expiresAt: now }, now - 100);
      const order = storedValue(registration) ?? expect.unreachable();
      expect(await store.shopOrders.due(now, 100)).toEqual([{ id: 'order-1', dueAt: now }]);
      await inShop({ total: { N: '15000' } });
      expect(await store.shopOrders.change(order, { status: 'expired' }, now)).toMatchObject({
        written: false,
        current: { amount: 15_000, revision: 1 },
      });
      await inShop({ total: { N: '14000' }, money: { S: 'USD' } });
      expect(await store.shopOrders.change(order, { status: 'expired' }, now)).toMatchObject({ written: false });
      await inShop({ money: { S: 'KRW' } });
      expect(await store.shopOrders.change(order, { status: 'expired' }, now)).toMatchObject({
        written: true,
        value: { revision: 2 },
      });
      expect(await store.shopOrders.due(now, 100)).toEqual([]);
    });
  });

  test('isLater: writes a heartbeat, unless the table has a later one', async () => {
    const key = { merchant_uid: { S: heartbeatId } };
    await store.heartbeats.send(now);
    await store.heartbeats.send(now - 300);
    expect(await fixture.tables.orders.read(key)).toEqual({ ...key, sent_at: { N: String(now) } });
  });

  describe('a lost race', () => {
    test('has one winner, and returns the order of the winner to every loser', async () => {
      const order = await registered();
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          store.orders.change(order, { status: 'paid', impUid: `imp_${index}`, record: {} }, now),
        ),
      );
      const winners = results.flatMap((result) => (result.written ? [result.value] : []));
      expect(winners).toHaveLength(1);
      for (const result of results) expect(storedValue(result)).toEqual(winners[0]);
    });

    test(`costs ${engine.returnsItem ? 'no read, because the refusal has the item' : 'one more read'}`, async () => {
      const order = await registered();
      fixture.sent.length = 0;
      await store.orders.register(terms, now);
      await store.orders.change({ ...order, revision: 9 }, { status: 'closed' }, now);
      const commands = fixture.sent.map(({ command }) => command);
      const once = engine.returnsItem ? ['UpdateItemCommand'] : ['UpdateItemCommand', 'GetItemCommand'];
      expect(commands).toEqual(engine.hasWire ? [...once, ...once] : []);
    });

    test('for a missing item returns and writes nothing', async () => {
      const order = await registered();
      expect(await store.orders.change({ ...order, merchantUid: 'order-2' }, { status: 'closed' }, now)).toEqual({
        written: false,
      });
      expect(await store.orders.read('order-2')).toBeUndefined();
    });
  });

  test('every named condition of the store has permitted a write, and has refused one', () => {
    const named = namedConditions();
    expect(named).toContain('revisionIsUnchanged');
    expect(named.filter((name) => !seen.fulfilled.has(name))).toEqual([]);
    expect(named.filter((name) => !seen.refused.has(name))).toEqual([]);
  });
});

test.each(engines.filter(({ hasWire }) => hasWire))(
  'random writes have the same results on $name as in the simulation',
  async (engine) => {
    const { tables } = await engine.open();
    const simulated = portOf(new SimulatedTable('id'));
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(anyWrite(engine.comparesMaps), { minLength: 1, maxLength: 12 }), async (writes) => {
        const key = { id: { S: `random-${runs++}` } };
        for (const write of writes) {
          expect(await tables.state.write({ ...write, key })).toEqual(await simulated.write({ ...write, key }));
        }
        expect(await tables.state.read(key)).toEqual(await simulated.read(key));
      }),
      { numRuns: 60 },
    );
  },
);
