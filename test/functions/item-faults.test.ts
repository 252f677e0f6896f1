/** One item never stops the others: pages, payments, orders and records that cannot be read or written, and backlogs. */

import { DeleteItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test, vi } from 'vitest';
import { IamportRefused, IamportTooLarge, IamportUnavailable } from '../../functions/application/faults.ts';
import type { Rooms } from '../../functions/runtime/dependencies.ts';
import { beginning, type Opened, openRooms } from '../support/functions.ts';

vi.spyOn(console, 'info').mockReturnValue();
vi.spyOn(console, 'error').mockReturnValue();

type List = Rooms['iamport']['listPayments'];

/** The same rooms with another list call. */
const listing = (rooms: Rooms, listPayments: List): Rooms => ({
  ...rooms,
  iamport: { ...rooms.iamport, listPayments },
});

const numbered = (count: number) => Array.from({ length: count }, (_none, index) => `order-${index}`);

describe('a page of payments', () => {
  test('with more than 8 MB is read in smaller pages', async () => {
    const { order, paid, ledger, reconcile, show, pass } = await openRooms();
    await reconcile();
    pass(60);
    for (const merchantUid of numbered(3)) await order(merchantUid);
    // Windows that were opened with 64 KB of custom data: 130 of them are more than the client reads.
    for (let window = 0; window < 130; window += 1) {
      const merchant_uid = window < 3 ? `order-${window}` : `window-${window}`;
      const { imp_uid } = ledger.open({ merchant_uid, amount: 14_000 });
      Object.assign(ledger.payment(imp_uid), { custom_data: 'x'.repeat(64 * 1024) });
      if (window < 3) ledger.pay(imp_uid);
    }
    paid(14_000, 'order-0');
    pass(300);
    expect(await reconcile()).toMatchObject({ finished: true, skipped: 0, faults: [] });
    expect((await show('order-2')).status).toBe('paid');
  });

  test('that one payment breaks is read without it, and names its place', async () => {
    const { order, paid, reconcile, show, pass, rooms, counted } = await openRooms();
    await reconcile();
    pass(60);
    for (const merchantUid of numbered(15)) {
      await order(merchantUid);
      paid(14_000, merchantUid);
      pass(1);
    }
    const { listPayments } = rooms.iamport;
    // The twelfth payment is too large for any page.
    const broken: List = async (query, deadline) => {
      const [first, last] = [(query.page - 1) * query.limit, query.page * query.limit];
      if (query.status === 'paid' && first <= 11 && 11 < last) throw new IamportTooLarge('more than 8 MB');
      return listPayments(query, deadline);
    };
    pass(300);
    expect(await reconcile(listing(rooms, broken))).toMatchObject({
      finished: true,
      settled: 14,
      skipped: 1,
      faults: [expect.stringContaining('payment 12 of the list paid')],
    });
    expect(counted.at(-1)).toMatchObject({ SkippedItems: 1 });
    expect((await show('order-14')).status).toBe('paid');
    expect((await show('order-11')).status).toBe('ready');
  });

  test('of a list that Iamport refuses as a whole is not passed over payment by payment', async () => {
    const { order, paid, reconcile, show, pass, rooms } = await openRooms();
    await reconcile();
    pass(60);
    for (const merchantUid of numbered(15)) {
      await order(merchantUid);
      paid(14_000, merchantUid);
    }
    const { listPayments } = rooms.iamport;
    const broken: List = async (query, deadline) => {
      if (query.status === 'paid') throw new IamportUnavailable('Iamport answered 500');
      return listPayments(query, deadline);
    };
    pass(300);
    expect(await reconcile(listing(rooms, broken))).toMatchObject({ finished: false });
    pass(3_600);
    expect(await reconcile()).toMatchObject({ finished: true, skipped: 0, settled: 15 });
    expect((await show('order-14')).status).toBe('paid');
  });

  test('that failed is read by the next run, which goes on to the time since then', async () => {
    const { order, paid, reconcile, show, pass, rooms } = await openRooms();
    await reconcile();
    const { listPayments } = rooms.iamport;
    const broken: List = async (query, deadline) => {
      if (query.status === 'cancelled') throw new IamportUnavailable('Iamport answered 500');
      return listPayments(query, deadline);
    };
    pass(300);
    expect(await reconcile(listing(rooms, broken))).toMatchObject({ finished: false });
    pass(3_600);
    await order('new');
    paid(14_000, 'new');
    pass(60);
    expect(await reconcile()).toMatchObject({ finished: true, settled: 1 });
    expect((await show('new')).status).toBe('paid');
  });

  test('of a list that fails for an hour and longer does not keep the other lists from being read', async () => {
    const { order, paid, reconcile, show, pass, rooms, ledger } = await openRooms();
    await reconcile();
    pass(60);
    await order('cancelled');
    const impUid = paid(14_000, 'cancelled');
    await reconcile();
    ledger.cancelInConsole(impUid);
    const { listPayments } = rooms.iamport;
    const broken: List = async (query, deadline) => {
      if (query.status === 'paid') throw new IamportUnavailable('Iamport answered 500');
      return listPayments(query, deadline);
    };
    for (let run = 1; run <= 12; run += 1) {
      pass(300);
      expect(await reconcile(listing(rooms, broken))).toMatchObject({ finished: false });
    }
    pass(300);
    expect((await show('cancelled')).status).toBe('paid');
    expect(await reconcile(listing(rooms, broken))).toMatchObject({ skipped: 1, settled: 1 });
    expect((await show('cancelled')).status).toBe('cancelled');
  });

  test('that is refused for ever takes few calls, and does not stop the other lists', async () => {
    const { order, paid, ledger, reconcile, show, pass, rooms, iamport } = await openRooms();
    await reconcile();
    pass(60);
    for (const merchantUid of numbered(3)) {
      await order(merchantUid);
      paid(14_000, merchantUid);
      pass(1);
    }
    await order('failing');
    ledger.fail(ledger.open({ merchant_uid: 'failing', amount: 14_000 }).imp_uid, '한도 초과');
    const { listPayments } = rooms.iamport;
    let calls = 0;
    const refusing: List = async (query, deadline) => {
      calls += 1;
      if (query.status !== 'paid' || query.page === 1) {
        if (query.limit > 1 && query.status === 'paid') throw new IamportTooLarge('more than 8 MB');
        return listPayments(query, deadline);
      }
      throw new IamportRefused('존재하지 않는 page입니다.', { status: 400 });
    };
    pass(300);
    for (let run = 0; run < 4; run += 1) {
      await reconcile(listing(rooms, refusing));
      pass(300);
    }
    expect(calls).toBeLessThan(60);
    expect([(await show('order-0')).status, (await show('failing')).status]).toEqual(['paid', 'failed']);
    expect(iamport.faults.calls.length).toBeLessThan(100);
  });
});

describe('an order that cannot be read', () => {
  const unreadable = async ({ client, names }: Opened, merchantUid: string) =>
    client.send(
      new UpdateItemCommand({
        TableName: names.orders,
        Key: { merchant_uid: { S: merchantUid } },
        UpdateExpression: 'SET #s = :s',
        ExpressionAttributeNames: { '#s': 'status' },
        ExpressionAttributeValues: { ':s': { S: 'shipped' } },
      }),
    );

  test('counts once, however many windows are opened for it', async () => {
    const opened = await openRooms();
    const { order, paid, ledger, reconcile, show, pass, rooms } = opened;
    await reconcile();
    await order('broken');
    await order('good');
    await unreadable(opened, 'broken');
    pass(60);
    for (let window = 0; window < 120; window += 1) ledger.open({ merchant_uid: 'broken', amount: 14_000 });
    for (let payment = 0; payment < 5; payment += 1) paid(14_000, 'broken');
    paid(14_000, 'good');
    pass(300);
    expect(await reconcile()).toMatchObject({ settled: 1, finished: true });
    expect((await show('good')).status).toBe('paid');
    const checkpoint = (await rooms.checkpoints.read(['recent'])).checkpoint('recent');
    expect(checkpoint?.unresolved).toHaveLength(1);
    expect(checkpoint?.completedUntil).toBe(opened.now());
  });

  test('does not keep a payment from going back', async () => {
    const opened = await openRooms();
    const { order, paid, webhook, reconcile, pass, iamport, ledger, rooms } = opened;
    await order();
    const forged = paid(100);
    iamport.faults.add({ path: '/payments/cancel', status: 500 });
    await webhook(forged);
    await unreadable(opened, 'order-1');
    pass(600);
    await reconcile();
    expect(ledger.payment(forged).cancel_amount).toBe(100);
    expect(await rooms.reversals.read(forged)).toMatchObject({ state: 'done' });
  });

  test('does not keep a payment from going back when its item is gone', async () => {
    const { order, paid, webhook, reconcile, pass, iamport, ledger, rooms, client, names } = await openRooms();
    await order();
    const forged = paid(100);
    iamport.faults.add({ path: '/payments/cancel', status: 500 });
    await webhook(forged);
    await client.send(new DeleteItemCommand({ TableName: names.orders, Key: { merchant_uid: { S: 'order-1' } } }));
    pass(600);
    await reconcile();
    expect(ledger.payment(forged).cancel_amount).toBe(100);
    expect(await rooms.reversals.read(forged)).toMatchObject({ state: 'done', amount: 100 });
  });

  test('is checked later when it is due, and reported', async () => {
    const opened = await openRooms();
    const { order, reconcile, pass } = opened;
    await order('broken', { expires_at: beginning + 60 });
    await unreadable(opened, 'broken');
    pass(120);
    expect(await reconcile()).toMatchObject({ due: 1, faults: [expect.stringContaining('order broken')] });
    pass(300);
    expect(await reconcile()).toMatchObject({ due: 0, faults: [] });
    pass(3_600);
    expect(await reconcile()).toMatchObject({ due: 1 });
  });
});

test('an item that DynamoDB refuses to write is reported, and the others are settled', async () => {
  const { order, paid, reconcile, pass, show, client, names, rooms } = await openRooms();
  await order('large');
  await order('good');
  const filler = {
    UpdateExpression: 'SET filler = :filler',
    ExpressionAttributeValues: { ':filler': { S: 'x'.repeat(409_350) } },
  };
  await client.send(
    new UpdateItemCommand({ TableName: names.orders, Key: { merchant_uid: { S: 'large' } }, ...filler }),
  );
  paid(14_000, 'large');
  paid(14_000, 'good');
  pass(300);
  expect(await reconcile()).toMatchObject({
    settled: 1,
    finished: true,
    faults: [expect.stringContaining('DynamoDB refused the item')],
  });
  expect((await show('good')).status).toBe('paid');
  expect((await rooms.checkpoints.read(['recent'])).checkpoint('recent')?.unresolved).toHaveLength(1);
});

describe('a backlog', () => {
  test('of expiring orders does not keep a payment from going back', async () => {
    const { order, paid, webhook, reconcile, pass, iamport, ledger, rooms } = await openRooms();
    await order('forged');
    const forged = paid(100, 'forged');
    iamport.faults.add({ path: '/payments/cancel', status: 500 });
    await webhook(forged);
    for (const merchantUid of numbered(60)) await order(merchantUid, { expires_at: beginning + 60 });
    const { payments } = rooms.iamport;
    const slow: typeof payments = async (...asked) => {
      pass(10);
      return payments(...asked);
    };
    pass(600);
    const report = await reconcile({ ...rooms, iamport: { ...rooms.iamport, payments: slow } });
    expect(report.finished).toBe(false);
    expect(ledger.payment(forged).cancel_amount).toBe(100);
  });

  test('of orders whose payments Iamport does not find is checked more and more rarely', async () => {
    const { order, account, webhook, reconcile, pass, rooms } = await openRooms();
    const accounts = new Set<string>();
    for (const merchantUid of numbered(20)) {
      await order(merchantUid);
      const impUid = account(60, merchantUid);
      accounts.add(impUid);
      await webhook(impUid);
    }
    const { payment } = rooms.iamport;
    let calls = 0;
    const forgetting: typeof payment = async (impUid, ...asked) => {
      if (!accounts.has(impUid)) return payment(impUid, ...asked);
      calls += 1;
      return undefined;
    };
    const without: Rooms = { ...rooms, iamport: { ...rooms.iamport, payment: forgetting } };
    const perHour: number[] = [];
    for (let hour = 0; hour < 6; hour += 1) {
      for (let run = 0; run < 12; run += 1) {
        pass(300);
        await reconcile(without);
      }
      perHour.push(calls);
      calls = 0;
    }
    expect(perHour[0]).toBeLessThanOrEqual(20 * 8);
    expect(perHour.at(-1)).toBeLessThanOrEqual(20 * 2);
  });

  test('of attempts that came to nothing costs one list call and no call for each', async () => {
    const { order, reconcile, pass, ledger, iamport, show } = await openRooms();
    await reconcile();
    await order('order-1', { expires_at: beginning + 60 });
    for (let attempt = 0; attempt < 300; attempt += 1) {
      const { imp_uid } = ledger.open({ merchant_uid: 'order-1', amount: 14_000 });
      Object.assign(ledger.payment(imp_uid), { status: 'cancelled', cancelled_at: beginning });
    }
    pass(900 + 120);
    iamport.faults.forgetCalls();
    await reconcile();
    expect((await show()).status).toBe('expired');
    expect(iamport.faults.calls.filter((call) => !call.includes('/status/'))).toEqual([
      'GET /payments/findAll/order-1',
    ]);
  });
});

describe('an attempt that cannot be read', () => {
  test('does not keep its order from expiring or closing', async () => {
    const { order, ledger, reconcile, pass, show, close } = await openRooms();
    await reconcile();
    for (const merchantUid of ['expiring', 'closing']) {
      await order(merchantUid, { expires_at: beginning + 60 });
      const { imp_uid } = ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
      Object.assign(ledger.payment(imp_uid), { cancel_amount: 'none' });
    }
    expect(await close('closing')).toMatchObject({ status: 204 });
    pass(120);
    await reconcile();
    expect([(await show('expiring')).status, (await show('closing')).status]).toEqual(['expired', 'closed']);
  });
});

describe('an attempt whose reversal cannot be read', () => {
  test('does not keep the other attempts of its order from going back', async () => {
    const { order, paid, webhook, close, show, pass, reconcile, iamport, ledger, client, names } = await openRooms();
    await order();
    // Iamport lists the newest attempt first, so the one with the broken reversal is settled first.
    const [whole, broken] = [paid(100), paid(200)];
    iamport.faults.add({ path: '/payments/cancel', status: 500, times: 2 });
    for (const impUid of [whole, broken]) await webhook(impUid);
    await client.send(
      new UpdateItemCommand({
        TableName: names.reversals,
        Key: { imp_uid: { S: broken } },
        UpdateExpression: 'SET created_at = :text',
        ExpressionAttributeValues: { ':text': { S: 'yesterday' } },
      }),
    );
    iamport.faults.clear();
    pass(600);
    expect((await close()).status).toBe(500);
    expect([whole, broken].map((impUid) => ledger.payment(impUid).status)).toEqual(['cancelled', 'paid']);
    expect((await show()).status).toBe('ready');
    const { faults } = await reconcile();
    expect(faults).toContainEqual(expect.stringContaining(broken));
  });
});
