/** What banks and PGs change later: deposits taken back, requests that take days, prices that a shop changes meanwhile. */

import { CreateTableCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test, vi } from 'vitest';
import { ordersIn } from '../../functions/adapters/dynamodb/orders.ts';
import { table } from '../../functions/adapters/dynamodb/table.ts';
import { shopTable } from '../../functions/adapters/dynamodb/table-mapping.ts';
import { settlePayment } from '../../functions/application/settle.ts';
import type { Rooms } from '../../functions/runtime/dependencies.ts';
import { type Opened, openRooms } from '../support/functions.ts';

vi.spyOn(console, 'info').mockReturnValue();
vi.spyOn(console, 'error').mockReturnValue();

const day = 86_400;

describe('a paid deposit', () => {
  /** An order in a deployment that is two days old, so that no longer scan is due for the next day. */
  async function deposited() {
    const opened = await openRooms();
    const { order, account, webhook, ledger, reconcile, pass } = opened;
    await reconcile();
    pass(2 * day);
    await reconcile();
    await order();
    const impUid = account();
    await webhook(impUid);
    ledger.deposit(impUid);
    await webhook(impUid);
    return { ...opened, impUid };
  }

  test.each([
    ['11 minutes', 660, 3_600, 300],
    ['2 hours', 7_200, 21_600, 900],
    ['7 hours', 25_200, day, 3_600],
    ['2 days', 2 * day, 3 * day, 7_200],
  ])('that the bank takes back after %s is known at the next planned check', async (_when, after, known, step) => {
    const { ledger, reconcile, show, pass, impUid, now } = await deposited();
    const paidAt = now();
    let isBack = false;
    for (let at = 0; at <= known; at += step) {
      if (at >= after && !isBack) {
        ledger.takeBackDeposit(impUid);
        isBack = true;
      }
      if (at > 0) await reconcile();
      pass(step);
    }
    expect(now() - paidAt).toBe(known + step);
    expect((await show()).status).toBe('deposit_reversed');
  });

  test('is not checked any more after three days', async () => {
    const { rooms, reconcile, pass } = await deposited();
    for (const seconds of [600, 3_000, 18_000, day - 21_600, 2 * day]) {
      pass(seconds);
      await reconcile();
    }
    expect((await rooms.orders.read('order-1'))?.dueAt).toBeUndefined();
    expect(await rooms.orders.read('order-1')).toMatchObject({ state: { status: 'paid' }, revision: 3 });
  });

  test('that was rejected and is taken back is no refund for the operator any more, and its account is revoked', async () => {
    const { order, paid, account, webhook, ledger, reconcile, pass, show } = await openRooms();
    await order();
    await webhook(paid());
    const second = account(5 * day);
    ledger.deposit(second);
    await webhook(second);
    expect((await show()).reversals).toMatchObject([{ kind: 'manual', state: 'manual', amount: 14_000 }]);
    ledger.takeBackDeposit(second);
    pass(600);
    await reconcile();
    expect((await show()).reversals).toMatchObject([{ kind: 'revoke', state: 'done', amount: 0 }]);
    expect(ledger.payment(second).status).toBe('cancelled');
  });
});

describe('a request that Iamport accepted', () => {
  /** Iamport answers `code: 0` to a cancel, and the payment shows it later. */
  const accepting = ({ rooms, ledger }: Opened, forged: string) => {
    let calls = 0;
    const cancel: Rooms['iamport']['cancel'] = async ({ payment }) => {
      calls += 1;
      return payment;
    };
    return {
      rooms: { ...rooms, iamport: { ...rooms.iamport, cancel } },
      calls: () => calls,
      finish: () => ledger.cancelInConsole(forged),
    };
  };

  test('is never sent again, and is done when the payment shows it', async () => {
    const opened = await openRooms();
    const { order, paid, webhook, reconcile, pass, show } = opened;
    await order();
    const forged = paid(100);
    const slow = accepting(opened, forged);
    await webhook(forged, slow.rooms);
    expect((await show()).reversals).toMatchObject([{ state: 'requested' }]);
    for (let hour = 0; hour < 36; hour += 1) {
      pass(3_600);
      await reconcile(slow.rooms);
      await webhook(forged, slow.rooms);
    }
    expect(slow.calls()).toBe(1);
    slow.finish();
    pass(day);
    await reconcile(slow.rooms);
    expect((await show()).reversals).toMatchObject([{ state: 'done', amount: 100 }]);
  });

  test('is for the operator when the payment does not show it after three working days', async () => {
    const opened = await openRooms();
    const { order, paid, webhook, reconcile, pass, show } = opened;
    await order();
    const forged = paid(100);
    const slow = accepting(opened, forged);
    await webhook(forged, slow.rooms);
    for (let at = 0; at < 7; at += 1) {
      pass(day);
      await reconcile(slow.rooms);
    }
    expect((await show()).reversals).toMatchObject([{ state: 'manual', amount: 100 }]);
    expect(slow.calls()).toBe(1);
  });
});

describe('an account that could not be revoked', () => {
  async function unrevokable(lastsSeconds: number) {
    const opened = await openRooms();
    const { order, account, webhook, iamport, ledger, pass } = opened;
    await order();
    const older = account(lastsSeconds);
    pass(10);
    await webhook(account(20 * day));
    iamport.faults.add({ path: '/vbanks', status: 400, times: 10_000 });
    await webhook(older);
    return { ...opened, older, revocations: () => iamport.faults.counts()[`DELETE /vbanks/${older}`] ?? 0, ledger };
  }

  test('is over when its deadline is, and never counts as an overdue refund', async () => {
    const { reconcile, pass, show } = await unrevokable(4 * day);
    for (let hour = 0; hour < 100; hour += 1) {
      pass(3_600);
      expect((await reconcile()).overdue).toBe(0);
    }
    expect((await show()).reversals).toMatchObject([{ kind: 'revoke', state: 'done', amount: 0 }]);
  });

  test('is tried on, so that a key that was missing works once it is there', async () => {
    const { reconcile, pass, show, iamport, ledger, older } = await unrevokable(10 * day);
    for (let hour = 0; hour < 48; hour += 1) {
      pass(3_600);
      await reconcile();
    }
    expect((await show()).reversals).toMatchObject([{ kind: 'revoke', state: 'manual' }]);
    iamport.faults.clear();
    pass(6 * 3_600);
    await reconcile();
    expect((await show()).reversals).toMatchObject([{ state: 'done' }]);
    expect(ledger.payment(older).status).toBe('cancelled');
  });
});

test('an order expires at its own time, though its account has a later deadline', async () => {
  const { order, account, webhook, reconcile, pass, show, now } = await openRooms();
  await order('order-1', { expires_at: now() + 600 });
  await webhook(account(5 * day));
  pass(900);
  await reconcile();
  expect((await show()).status).toBe('expired');
});

test('an amount that another shop registered with Iamport stays', async () => {
  const { ledger, rooms, order, show, reconcile, pass, now } = await openRooms();
  ledger.prepared.register({ merchant_uid: 'order-1', amount: 9_000, currency: null });
  await order('order-1', { expires_at: now() + day });
  expect(ledger.prepared.of('order-1')).toMatchObject({ amount: 9_000 });
  pass(3_700);
  await reconcile();
  expect(ledger.prepared.of('order-1')).toMatchObject({ amount: 9_000 });
  expect((await show()).status).toBe('ready');
  expect((await rooms.orders.read('order-1'))?.isUnprepared).toBeUndefined();
});

describe('a shop that owns its table', () => {
  async function owned() {
    const opened = await openRooms();
    const { client, rooms } = opened;
    const layout = shopTable({ key: 'id', amount: 'total' });
    const name = (attribute: string) => ({ AttributeName: attribute, KeyType: 'HASH' as const });
    await client.send(
      new CreateTableCommand({
        TableName: 'shop',
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [name('id')],
        AttributeDefinitions: [
          { AttributeName: 'id', AttributeType: 'S' },
          { AttributeName: 'iamport_watch', AttributeType: 'S' },
          { AttributeName: 'iamport_due_at', AttributeType: 'N' },
        ],
        GlobalSecondaryIndexes: [
          {
            IndexName: 'iamport_due',
            KeySchema: [name('iamport_watch'), { AttributeName: 'iamport_due_at', KeyType: 'RANGE' }],
            Projection: { ProjectionType: 'KEYS_ONLY' },
          },
        ],
      }),
    );
    await client.send(new PutItemCommand({ TableName: 'shop', Item: { id: { S: 'order-1' }, total: { N: '14000' } } }));
    const price = (total: number) =>
      client.send(
        new UpdateItemCommand({
          TableName: 'shop',
          Key: { id: { S: 'order-1' } },
          UpdateExpression: 'SET #total = :total',
          ExpressionAttributeNames: { '#total': 'total' },
          ExpressionAttributeValues: { ':total': { N: String(total) } },
        }),
      );
    const shop: Rooms = { ...rooms, orders: ordersIn(table(client, 'shop', layout.prefix), layout) };
    const stand = async () => (await shop.orders.read('order-1'))?.state.status;
    return { ...opened, shop, price, stand };
  }
  const deadline = { leftMs: () => 10_000 };

  test('cannot have an order written paid by a payment that is on its way back', async () => {
    const { shop, price, stand, paid, ledger, webhook } = await owned();
    const impUid = paid(14_000);
    const early = await shop.iamport.payment(impUid, deadline);
    // A coupon: the payment is wrong, and its cancel is sent. The price changes back while Iamport works on it.
    await price(13_000);
    let interrupted: unknown;
    const cancel: Rooms['iamport']['cancel'] = async (...asked) => {
      await price(14_000);
      const order = await shop.orders.read('order-1');
      if (early) interrupted = await settlePayment(shop, early, order, deadline);
      return shop.iamport.cancel(...asked);
    };
    await webhook(impUid, { ...shop, iamport: { ...shop.iamport, cancel } });
    expect(interrupted).toMatchObject({ kind: 'settled', outcome: { status: 'rejected', reason: 'amount_mismatch' } });
    expect(ledger.payment(impUid).cancel_amount).toBe(14_000);
    expect(await stand()).toBe('ready');
  });

  test('cannot have an order written paid that was read before the cancel was announced', async () => {
    const { shop, price, stand, paid, ledger, webhook } = await owned();
    const impUid = paid(14_000);
    const early = await shop.iamport.payment(impUid, deadline);
    const before = await shop.orders.read('order-1');
    await price(13_000);
    await webhook(impUid, shop);
    await price(14_000);
    if (early) await settlePayment(shop, early, before, deadline);
    expect(ledger.payment(impUid).cancel_amount).toBe(14_000);
    expect(await stand()).toBe('ready');
  });

  test('keeps a payment that settled the order before its cancel was announced', async () => {
    const { shop, price, stand, paid, ledger, webhook, rooms } = await owned();
    const impUid = paid(14_000);
    await price(13_000);
    const { announceCancel } = shop.orders;
    const orders: Rooms['orders'] = {
      ...shop.orders,
      async announceCancel(order) {
        await price(14_000);
        // Another request settles the order, since its reversal was not there yet when that was read.
        const payment = await shop.iamport.payment(impUid, deadline);
        const none: Rooms = { ...shop, reversals: { ...shop.reversals, read: async () => undefined } };
        if (payment) await settlePayment(none, payment, await shop.orders.read('order-1'), deadline);
        return announceCancel(order);
      },
    };
    await webhook(impUid, { ...shop, orders });
    expect(ledger.payment(impUid).cancel_amount).toBe(0);
    expect(await stand()).toBe('paid');
    expect(await rooms.reversals.read(impUid)).toMatchObject({ state: 'done', amount: 0 });
  });
});
