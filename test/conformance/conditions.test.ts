/**
 * One suite for the store, on every engine that it runs on: what a test sees on one of them is true of the others, and what the
 * simulation finds is true of DynamoDB. Here: each condition by its name, and races.
 */

import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Item, Table } from '../../functions/adapters/dynamodb/table.ts';
import { won } from '../functions/payment/cases.ts';
import { portOf, SimulatedTable } from '../simulation/table.ts';
import { type Opened, startEngines, told } from './engines.ts';
import { asked, now, storesIn, terms, wrong } from './stores.ts';
import { anyWrite, namedConditions } from './writes.ts';

const engines = await startEngines();
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

describe.each(engines)('on $name', (engine) => {
  /** Which conditions were seen to hold and to refuse a write, by the names that the store gives them. */
  const seen = { held: new Set<string>(), refused: new Set<string>() };
  const observed = (table: Table): Table => ({
    ...table,
    async write(write) {
      const result = await table.write(write);
      for (const name of Object.keys(write.conditions)) (result.written ? seen.held : seen.refused).add(name);
      return result;
    },
  });
  let opened: Opened;
  let store: ReturnType<typeof storesIn>;
  beforeEach(async () => {
    opened = await engine.open();
    store = storesIn(opened, observed);
    opened.sent.length = 0;
  });
  const registered = async () => (await store.orders.register(terms, now)).order ?? expect.unreachable();

  describe('a condition', () => {
    test('orderIsNew: an order is registered once, and comes back to whoever registers it again', async () => {
      const first = await registered();
      expect(await store.orders.register({ ...terms, amount: won(1) }, now + 1)).toEqual({ held: false, order: first });
      expect(await store.orders.read('order-1')).toEqual(first);
    });

    test('revisionIsUnchanged: an order, a reversal and a refund each move on once from where they were read', async () => {
      const order = await registered();
      const closed = await store.orders.change(order, { status: 'closed' }, now);
      expect(closed).toMatchObject({ held: true, order: { revision: 2, state: { status: 'closed' } } });
      expect(await store.orders.change(order, { status: 'expired' }, now)).toEqual({
        held: false,
        order: closed.order,
      });

      const { reversal } = await store.reversals.request(wrong, now, 0);
      expect(await store.reversals.claim(reversal, now)).toMatchObject({ attempts: 1, revision: 2 });
      expect(await store.reversals.claim(reversal, now)).toBeUndefined();

      const { refund } = await store.refunds.request(asked);
      const changed = await store.refunds.change(refund, { ...refund, attempts: 2 });
      expect(changed).toEqual({ held: true, refund: { ...asked, attempts: 2, revision: 2 } });
      expect(await store.refunds.change(refund, { ...refund, attempts: 3 })).toEqual({ ...changed, held: false });
    });

    test('isNew: a reversal, a refund and the beginning are written down once', async () => {
      expect(await store.reversals.request(wrong, now, 1)).toMatchObject({ created: true });
      expect(await store.reversals.request(wrong, now + 5, 1)).toMatchObject({
        created: false,
        reversal: { createdAt: now },
      });
      expect(await store.refunds.request(asked)).toEqual({ held: true, refund: asked });
      expect(await store.refunds.request({ ...asked, amount: won(1) })).toEqual({ held: false, refund: asked });
      expect((await store.checkpoints.read([])).beginning()).toBeUndefined();
      const [begunAt, again] = await Promise.all([store.checkpoints.begin(), store.checkpoints.begin()]);
      expect(again).toBe(begunAt);
      expect((await store.checkpoints.read([])).beginning()).toBe(begunAt);
    });

    test('isNew: a refund that was not sent is written afresh by one of two requests', async () => {
      const unsent = { ...asked, state: 'unsent' } as const;
      await store.refunds.request(unsent);
      const afresh = { ...asked, amount: won(1), revision: 2 };
      expect(await store.refunds.request(afresh)).toEqual({ held: true, refund: afresh });
      expect(await store.refunds.request({ ...asked, revision: 2 })).toEqual({ held: false, refund: afresh });
    });

    test('isNewOrUnchanged: of two runs one moves the checkpoint', async () => {
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

    test('isBetter: the token that lives longest stays, unless it is the one that was refused', async () => {
      await store.token.write({ value: 'long', expiresAt: 2_000 });
      await store.token.write({ value: 'short', expiresAt: 1_000 });
      await store.token.write({ value: 'same', expiresAt: 2_000 });
      expect(await store.token.read()).toEqual({ value: 'long', expiresAt: 2_000 });
      await store.token.write({ value: 'short', expiresAt: 1_000 }, 'another');
      expect(await store.token.read()).toEqual({ value: 'long', expiresAt: 2_000 });
      await store.token.write({ value: 'short', expiresAt: 1_000 }, 'long');
      expect(await store.token.read()).toEqual({ value: 'short', expiresAt: 1_000 });
    });

    test('isUnclaimed, isAsSeen: one asks for a new token at a time, and only for one that is as it was seen', async () => {
      expect(await store.token.claim(undefined, 10_000)).toEqual({ claimed: true });
      expect(await store.token.read()).toBeUndefined();
      expect(await store.token.claim(undefined, 10_001)).toEqual({ claimed: false });
      expect(await store.token.claim(undefined, 13_001)).toEqual({ claimed: true });
      const token = { value: 'first', expiresAt: 20_000 };
      await store.token.write(token);
      expect(await store.token.claim({ value: 'older', expiresAt: 15_000 }, 19_000)).toEqual({
        claimed: false,
        now: token,
      });
      expect(await store.token.claim(undefined, 19_000)).toEqual({ claimed: false, now: token });
      expect(await store.token.claim(token, 19_000)).toEqual({ claimed: true });
    });

    test(`isNews: ${engine.comparesMaps ? 'the same notification again is written no second time' : 'a notification is written each time it comes'}, and never over a reversal`, async () => {
      const escrow = {
        impUid: 'imp_1',
        merchantUid: 'order-1',
        event: 'Inicis.Escrow.Changed',
        content: { step: '배송' },
      };
      const changes = opened.changesOf('reversals');
      await store.notifications.keep(escrow, now);
      await store.notifications.keep(escrow, now + 1);
      await store.notifications.keep({ ...escrow, content: { step: '구매확정' } }, now + 2);
      await store.notifications.keep({ ...escrow, content: { step: '구매확정', by: '구매자' } }, now + 3);
      await store.notifications.keep({ ...escrow, event: 'Something.New' }, now + 4);
      await store.notifications.keep({ ...escrow, event: 'Something.Else' }, now + 5);
      const times = (await told(changes, engine.comparesMaps ? 5 : 6)).map(
        ({ dynamodb }) => Number(dynamodb?.NewImage?.updated_at?.N) - now,
      );
      expect(times).toEqual(engine.comparesMaps ? [0, 2, 3, 4, 5] : [0, 1, 2, 3, 4, 5]);

      await store.reversals.request({ ...wrong, impUid: 'imp_2#other' }, now, 0);
      await store.notifications.keep({ ...escrow, impUid: 'imp_2', event: 'Something.New' }, now);
      expect(await store.reversals.read('imp_2#other')).toMatchObject({ kind: 'cancel', revision: 1 });
    });

    test('lastIsOldEnough: a notification is written when the interval since the last one is over', async () => {
      const escrow = { impUid: 'imp_1', merchantUid: 'order-1', event: 'Inicis.Escrow.Changed' };
      const written: boolean[] = [];
      for (const seconds of [0, 59, 60]) {
        written.push(await store.notifications.keep({ ...escrow, content: { at: `${seconds}` } }, now + seconds, 60));
      }
      expect(written).toEqual([true, false, true]);
    });
  });

  describe('a condition on the shop’s own table', () => {
    const inShop = (set: Item) =>
      opened.tables.shop.write({
        key: { order_no: { S: 'order-1' } },
        set,
        conditions: { isOurs: '#color = :color OR attribute_not_exists(#color)' },
        names: { '#color': 'color' },
        values: { ':color': { S: 'blue' } },
      });

    test('orderIsUntouched: an item that the shop made is an order once, and not where the shop has none', async () => {
      expect(await store.shopOrders.register(terms, now)).toEqual({ held: false });
      await inShop({ total: { N: '14000' }, money: { S: 'KRW' } });
      expect(await store.shopOrders.register(terms, now)).toMatchObject({ held: true, order: { revision: 1 } });
      expect(await store.shopOrders.register(terms, now)).toMatchObject({ held: false, order: { revision: 1 } });
    });

    test('amountIsUnchanged, currencyIsUnchanged: an open order costs what the shop’s item says', async () => {
      await inShop({ total: { N: '14000' } });
      const { order = expect.unreachable() } = await store.shopOrders.register({ ...terms, expiresAt: now }, now - 100);
      expect(await store.shopOrders.due(now, 100)).toEqual([{ id: 'order-1', dueAt: now }]);
      await inShop({ total: { N: '15000' } });
      expect(await store.shopOrders.change(order, { status: 'expired' }, now)).toMatchObject({
        held: false,
        order: { amount: 15_000, revision: 1 },
      });
      await inShop({ total: { N: '14000' }, money: { S: 'USD' } });
      expect(await store.shopOrders.change(order, { status: 'expired' }, now)).toMatchObject({ held: false });
      await inShop({ money: { S: 'KRW' } });
      expect(await store.shopOrders.change(order, { status: 'expired' }, now)).toMatchObject({
        held: true,
        order: { revision: 2 },
      });
      expect(await store.shopOrders.due(now, 100)).toEqual([]);
    });
  });

  describe('a lost race', () => {
    test('has one winner, and every loser has the order as the winner left it', async () => {
      const order = await registered();
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          store.orders.change(order, { status: 'paid', impUid: `imp_${index}`, record: {} }, now),
        ),
      );
      const winners = results.filter(({ held }) => held);
      expect(winners).toHaveLength(1);
      for (const result of results) expect(result.order).toEqual(winners[0]?.order);
    });

    test(`costs ${engine.handsBack ? 'no read: the item comes with the refusal' : 'one more read'}`, async () => {
      const order = await registered();
      opened.sent.length = 0;
      await store.orders.register(terms, now);
      await store.orders.change({ ...order, revision: 9 }, { status: 'closed' }, now);
      const commands = opened.sent.map(({ command }) => command);
      const once = engine.handsBack ? ['UpdateItemCommand'] : ['UpdateItemCommand', 'GetItemCommand'];
      expect(commands).toEqual(engine.hasWire ? [...once, ...once] : []);
    });

    test('for what is not there gives nothing back, and writes nothing', async () => {
      const order = await registered();
      expect(await store.orders.change({ ...order, merchantUid: 'order-2' }, { status: 'closed' }, now)).toEqual({
        held: false,
      });
      expect(await store.orders.read('order-2')).toBeUndefined();
    });
  });

  test('every condition that the store names was seen to hold and to refuse', () => {
    const named = namedConditions();
    expect(named).toContain('revisionIsUnchanged');
    expect(named.filter((name) => !seen.held.has(name))).toEqual([]);
    expect(named.filter((name) => !seen.refused.has(name))).toEqual([]);
  });
});

test.each(engines.filter(({ hasWire }) => hasWire))(
  'random writes are judged on $name as the simulation judges them',
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
