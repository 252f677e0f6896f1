/** One faulty item never stops the others: unreadable pages, payments, orders and records, refused writes, and backlogs. */

import {
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  TransactionConflictException,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { createOrders } from '../../functions/adapters/dynamodb/orders.ts';
import { table } from '../../functions/adapters/dynamodb/table.ts';
import { shopTable } from '../../functions/adapters/dynamodb/table-mapping.ts';
import { IamportRefused, IamportTooLarge, IamportUnavailable } from '../../functions/application/faults.ts';
import type { HandlerDependencies } from '../../functions/runtime/dependencies.ts';
import { beginning, type Fixture, startFixture } from '../support/functions.ts';
import { startOwnedFixture } from '../support/owned-table.ts';
import '../support/silence-console.ts';

type List = HandlerDependencies['iamport']['listPayments'];

/** The same deps with another list call. */
const listing = (deps: HandlerDependencies, listPayments: List): HandlerDependencies => ({
  ...deps,
  iamport: { ...deps.iamport, listPayments },
});

const numbered = (count: number) => Array.from({ length: count }, (_none, index) => `order-${index}`);

describe('a page of payments', () => {
  test('reads a page of more than 8 MB in smaller pages [T33]', async () => {
    const { order, paid, ledger, reconcile, show, pass } = await startFixture();
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

  test('skips one payment that is too large for any page, and reports its position [T34]', async () => {
    const { order, paid, reconcile, show, pass, deps, counted } = await startFixture();
    await reconcile();
    pass(60);
    for (const merchantUid of numbered(15)) {
      await order(merchantUid);
      paid(14_000, merchantUid);
      pass(1);
    }
    const { listPayments } = deps.iamport;
    // The twelfth payment is too large for any page.
    const broken: List = async (query, deadline) => {
      const [first, last] = [(query.page - 1) * query.limit, query.page * query.limit];
      if (query.status === 'paid' && first <= 11 && 11 < last) throw new IamportTooLarge('more than 8 MB');
      return listPayments(query, deadline);
    };
    pass(300);
    expect(await reconcile(listing(deps, broken))).toMatchObject({
      finished: true,
      settled: 14,
      skipped: 1,
      faults: [expect.stringContaining('payment 12 of the list paid')],
    });
    expect(counted.at(-1)).toMatchObject({ SkippedItems: 1 });
    expect((await show('order-14')).status).toBe('paid');
    expect((await show('order-11')).status).toBe('ready');
  });

  test('ends a list that names a next page for ever, and reads the other lists [T568]', async () => {
    const { order, paid, reconcile, show, pass, deps, ledger } = await startFixture();
    await order();
    const impUid = paid();
    await reconcile();
    ledger.cancelInConsole(impUid);
    const { listPayments } = deps.iamport;
    const endless: List = async (query, deadline) => {
      if (query.status !== 'paid') return listPayments(query, deadline);
      await deps.clock.sleep(500);
      return { payments: [], unreadable: [], total: 0, next: query.page + 1 };
    };
    pass(300);
    expect(await reconcile(listing(deps, endless))).toMatchObject({ finished: true, settled: 1 });
    expect((await show()).status).toBe('cancelled');
  });

  test('skips no payment of a list that is unavailable', async () => {
    const { order, paid, reconcile, show, pass, deps } = await startFixture();
    await reconcile();
    pass(60);
    for (const merchantUid of numbered(15)) {
      await order(merchantUid);
      paid(14_000, merchantUid);
    }
    const { listPayments } = deps.iamport;
    const broken: List = async (query, deadline) => {
      if (query.status === 'paid') throw new IamportUnavailable('Iamport returned 500');
      return listPayments(query, deadline);
    };
    pass(300);
    expect(await reconcile(listing(deps, broken))).toMatchObject({ finished: false });
    pass(3_600);
    expect(await reconcile()).toMatchObject({ finished: true, skipped: 0, settled: 15 });
    expect((await show('order-14')).status).toBe('paid');
  });

  test('reads a failed page in the next run, which continues to the present', async () => {
    const { order, paid, reconcile, show, pass, deps } = await startFixture();
    await reconcile();
    const { listPayments } = deps.iamport;
    const broken: List = async (query, deadline) => {
      if (query.status === 'cancelled') throw new IamportUnavailable('Iamport returned 500');
      return listPayments(query, deadline);
    };
    pass(300);
    expect(await reconcile(listing(deps, broken))).toMatchObject({ finished: false });
    pass(3_600);
    await order('new');
    paid(14_000, 'new');
    pass(60);
    expect(await reconcile()).toMatchObject({ finished: true, settled: 1 });
    expect((await show('new')).status).toBe('paid');
  });

  test('reads the other lists when one list fails for more than an hour', async () => {
    const { order, paid, reconcile, show, pass, deps, ledger } = await startFixture();
    await reconcile();
    pass(60);
    await order('cancelled');
    const impUid = paid(14_000, 'cancelled');
    await reconcile();
    ledger.cancelInConsole(impUid);
    const { listPayments } = deps.iamport;
    const broken: List = async (query, deadline) => {
      if (query.status === 'paid') throw new IamportUnavailable('Iamport returned 500');
      return listPayments(query, deadline);
    };
    for (let run = 1; run <= 12; run += 1) {
      pass(300);
      expect(await reconcile(listing(deps, broken))).toMatchObject({ finished: false });
    }
    pass(300);
    expect((await show('cancelled')).status).toBe('paid');
    expect(await reconcile(listing(deps, broken))).toMatchObject({ skipped: 1, settled: 1 });
    expect((await show('cancelled')).status).toBe('cancelled');
  });

  test('skips no payment of a list that only times out, and reads the other lists after an hour [T607]', async () => {
    const { order, paid, reconcile, show, pass, deps, ledger } = await startFixture();
    await reconcile();
    pass(60);
    await order('cancelled');
    const impUid = paid(14_000, 'cancelled');
    await reconcile();
    ledger.cancelInConsole(impUid);
    pass(60);
    for (const merchantUid of numbered(30)) {
      await order(merchantUid);
      paid(14_000, merchantUid);
    }
    const { listPayments } = deps.iamport;
    const slow: List = async (query, deadline) => {
      if (query.status !== 'paid') return listPayments(query, deadline);
      await deps.clock.sleep(8_000);
      throw new IamportUnavailable('No response from Iamport');
    };
    pass(300);
    // An outage of a quarter of an hour.
    for (let run = 0; run < 3; run += 1) {
      expect(await reconcile(listing(deps, slow))).toMatchObject({ finished: false, skipped: 0 });
      pass(300);
    }
    const cursor = (await deps.checkpoints.read(['recent'])).checkpoint('recent')?.cursor;
    expect(cursor).toMatchObject({ status: 'paid', offset: 0 });
    for (let run = 0; run < 12; run += 1) {
      await reconcile(listing(deps, slow));
      pass(300);
    }
    expect((await show('cancelled')).status).toBe('cancelled');
  });

  test('sends fewer than 60 calls for a page that Iamport always refuses, and reads the other lists', async () => {
    const { order, paid, ledger, reconcile, show, pass, deps, iamport } = await startFixture();
    await reconcile();
    pass(60);
    for (const merchantUid of numbered(3)) {
      await order(merchantUid);
      paid(14_000, merchantUid);
      pass(1);
    }
    await order('failing');
    ledger.fail(ledger.open({ merchant_uid: 'failing', amount: 14_000 }).imp_uid, '한도 초과');
    const { listPayments } = deps.iamport;
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
      await reconcile(listing(deps, refusing));
      pass(300);
    }
    expect(calls).toBeLessThan(60);
    expect([(await show('order-0')).status, (await show('failing')).status]).toEqual(['paid', 'failed']);
    expect(iamport.faults.calls.length).toBeLessThan(100);
  });
});

test('settles the payments of a page with an order number that is too long for a key of DynamoDB [T646]', async () => {
  const { order, paid, reconcile, show, pass, ledger } = await startFixture();
  await reconcile();
  await order();
  const foreign = paid();
  Object.assign(ledger.payment(foreign), { merchant_uid: 'x'.repeat(3_000) });
  paid();
  pass(300);
  const { settled, finished, faults } = await reconcile();
  expect({ settled, finished }).toEqual({ settled: 1, finished: true });
  expect(faults).toEqual([expect.stringContaining(foreign)]);
  expect((await show()).status).toBe('paid');
});

describe('an order that cannot be read', () => {
  const unreadable = async ({ client, names }: Fixture, merchantUid: string) =>
    client.send(
      new UpdateItemCommand({
        TableName: names.orders,
        Key: { merchant_uid: { S: merchantUid } },
        UpdateExpression: 'SET #s = :s',
        ExpressionAttributeNames: { '#s': 'status' },
        ExpressionAttributeValues: { ':s': { S: 'shipped' } },
      }),
    );

  test('records an unreadable order as unresolved once, even with 125 payments [T36]', async () => {
    const fixture = await startFixture();
    const { order, paid, ledger, reconcile, show, pass, deps } = fixture;
    await reconcile();
    await order('broken');
    await order('good');
    await unreadable(fixture, 'broken');
    pass(60);
    for (let window = 0; window < 120; window += 1) ledger.open({ merchant_uid: 'broken', amount: 14_000 });
    for (let payment = 0; payment < 5; payment += 1) paid(14_000, 'broken');
    paid(14_000, 'good');
    pass(300);
    expect(await reconcile()).toMatchObject({ settled: 1, finished: true });
    expect((await show('good')).status).toBe('paid');
    const checkpoint = (await deps.checkpoints.read(['recent'])).checkpoint('recent');
    expect(checkpoint?.unresolved).toHaveLength(1);
    expect(checkpoint?.completedUntil).toBe(fixture.now());
  });

  test('reverses a payment of an unreadable order', async () => {
    const fixture = await startFixture();
    const { order, paid, webhook, reconcile, pass, iamport, ledger, deps } = fixture;
    await order();
    const forged = paid(100);
    iamport.faults.add({ path: '/payments/cancel', status: 500 });
    await webhook(forged);
    await unreadable(fixture, 'order-1');
    pass(600);
    await reconcile();
    expect(ledger.payment(forged).cancel_amount).toBe(100);
    expect(await deps.reversals.read(forged)).toMatchObject({ state: 'done' });
  });

  test('reverses a payment of a deleted order', async () => {
    const { order, paid, webhook, reconcile, pass, iamport, ledger, deps, client, names } = await startFixture();
    await order();
    const forged = paid(100);
    iamport.faults.add({ path: '/payments/cancel', status: 500 });
    await webhook(forged);
    await client.send(new DeleteItemCommand({ TableName: names.orders, Key: { merchant_uid: { S: 'order-1' } } }));
    pass(600);
    await reconcile();
    expect(ledger.payment(forged).cancel_amount).toBe(100);
    expect(await deps.reversals.read(forged)).toMatchObject({ state: 'done', amount: 100 });
  });

  test('reports an unreadable due order, and checks it at growing intervals', async () => {
    const fixture = await startFixture();
    const { order, reconcile, pass } = fixture;
    await order('broken', { expires_at: beginning + 60 });
    await unreadable(fixture, 'broken');
    pass(120);
    expect(await reconcile()).toMatchObject({ due: 1, faults: [expect.stringContaining('order broken')] });
    pass(300);
    expect(await reconcile()).toMatchObject({ due: 0, faults: [] });
    pass(3_600);
    expect(await reconcile()).toMatchObject({ due: 1 });
  });
});

test('reports an item that DynamoDB refuses to write, and settles the others', async () => {
  const { order, paid, reconcile, pass, show, client, names, deps } = await startFixture();
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
  expect((await deps.checkpoints.read(['recent'])).checkpoint('recent')?.unresolved).toHaveLength(1);
});

describe('a backlog', () => {
  test('reverses a payment before a backlog of expiring orders [T37]', async () => {
    const { order, paid, webhook, reconcile, pass, iamport, ledger, deps } = await startFixture();
    await order('forged');
    const forged = paid(100, 'forged');
    iamport.faults.add({ path: '/payments/cancel', status: 500 });
    await webhook(forged);
    for (const merchantUid of numbered(60)) await order(merchantUid, { expires_at: beginning + 60 });
    const { payments } = deps.iamport;
    const slow: typeof payments = async (...parameters) => {
      pass(10);
      return payments(...parameters);
    };
    pass(600);
    const report = await reconcile({ ...deps, iamport: { ...deps.iamport, payments: slow } });
    expect(report.finished).toBe(false);
    expect(ledger.payment(forged).cancel_amount).toBe(100);
  });

  test('leaves an item that takes for ever after 12 seconds [T644]', async () => {
    const { order, paid, webhook, reconcile, pass, now, iamport, ledger, deps, show } = await startFixture();
    await reconcile();
    for (const merchantUid of ['endless', 'other']) await order(merchantUid, { expires_at: beginning + 60 });
    await order('forged');
    const forged = paid(100, 'forged');
    iamport.faults.add({ path: '/payments/cancel', status: 500 });
    await webhook(forged);
    const { payments } = deps.iamport;
    const others = Promise.withResolvers<void>();
    const endless: typeof payments = async (merchantUid, deadline, ...more) => {
      if (merchantUid !== 'endless') return payments(merchantUid, deadline, ...more).finally(others.resolve);
      await others.promise;
      pass(deadline.leftMs() / 1_000);
      throw new IamportUnavailable('No response from Iamport');
    };
    pass(600);
    const begun = now();
    await reconcile({ ...deps, iamport: { ...deps.iamport, payments: endless } });
    expect(now() - begun).toBeLessThan(13);
    expect([(await show('endless')).status, (await show('other')).status]).toEqual(['ready', 'expired']);
    expect(ledger.payment(forged).cancel_amount).toBe(100);
  });

  test('sends a cancel that becomes due during a backlog of orders after 100 of them at most [T645]', async () => {
    const { order, paid, webhook, reconcile, pass, iamport, ledger, deps } = await startFixture();
    for (const merchantUid of numbered(250)) await order(merchantUid, { expires_at: beginning + 60 });
    await order('forged');
    pass(600);
    const forged = paid(100, 'forged');
    iamport.faults.add({ path: '/payments/cancel', status: 500 });
    await webhook(forged);
    const { payments, cancel } = deps.iamport;
    let orders = 0;
    let ordersBefore: number | undefined;
    const slow: typeof payments = async (...parameters) => {
      orders += 1;
      pass(0.2);
      return payments(...parameters);
    };
    const watched: typeof cancel = async (...parameters) => {
      ordersBefore = orders;
      return cancel(...parameters);
    };
    // Due 5 s after the beginning of the run.
    pass(55);
    await reconcile({ ...deps, iamport: { ...deps.iamport, payments: slow, cancel: watched } });
    expect(ledger.payment(forged).cancel_amount).toBe(100);
    expect(ordersBefore).toBeGreaterThan(25);
    expect(ordersBefore).toBeLessThanOrEqual(100);
    expect(orders).toBe(250);
  });

  test('checks a reversal that waits for the operator before all but the first of a backlog of orders [T651]', async () => {
    const { order, account, paid, webhook, reconcile, pass, ledger, deps, show } = await startFixture();
    await order('deposited');
    await webhook(paid(14_000, 'deposited'));
    const second = account(86_400, 'deposited');
    ledger.deposit(second);
    await webhook(second);
    for (const merchantUid of numbered(60)) await order(merchantUid, { expires_at: beginning + 60 });
    ledger.cancelInConsole(second);
    const { payments, payment } = deps.iamport;
    let orders = 0;
    let ordersBefore: number | undefined;
    const counted: typeof payments = async (...parameters) => {
      orders += 1;
      return payments(...parameters);
    };
    const watched: typeof payment = async (impUid, ...parameters) => {
      if (impUid === second) ordersBefore = orders;
      return payment(impUid, ...parameters);
    };
    const listPayments = async () => ({ payments: [], unreadable: [], total: 0, next: 0 });
    pass(3_600);
    await reconcile({ ...deps, iamport: { ...deps.iamport, payments: counted, payment: watched, listPayments } });
    expect(ordersBefore).toBeLessThan(10);
    expect(orders).toBe(60);
    expect((await show('deposited')).reversals).toMatchObject([{ kind: 'manual', state: 'done' }]);
  });

  test('checks orders whose payments Iamport does not find at growing intervals', async () => {
    const { order, account, webhook, reconcile, pass, deps } = await startFixture();
    const accounts = new Set<string>();
    for (const merchantUid of numbered(20)) {
      await order(merchantUid);
      const impUid = account(60, merchantUid);
      accounts.add(impUid);
      await webhook(impUid);
    }
    const { payment } = deps.iamport;
    let calls = 0;
    const forgetting: typeof payment = async (impUid, ...parameters) => {
      if (!accounts.has(impUid)) return payment(impUid, ...parameters);
      calls += 1;
      return undefined;
    };
    const without: HandlerDependencies = { ...deps, iamport: { ...deps.iamport, payment: forgetting } };
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

  test('sends one list call for 300 attempts without money, and no call for each attempt [T35]', async () => {
    const { order, reconcile, pass, ledger, iamport, show } = await startFixture();
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
  test('expires and closes orders with an unreadable attempt', async () => {
    const { order, ledger, reconcile, pass, show, close } = await startFixture();
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

  test('expires and closes orders whose attempts together have more than 8 MB, and ends their account [T639]', async () => {
    const { order, account, webhook, ledger, reconcile, pass, show, close } = await startFixture();
    await reconcile();
    await order('expiring', { expires_at: beginning + 60 });
    await order('waiting', { expires_at: beginning + 600 });
    await order('closing');
    const accounts = [account(600, 'waiting'), account(86_400, 'closing')];
    for (const impUid of accounts) await webhook(impUid);
    for (const merchant_uid of ['expiring', 'waiting', 'closing']) {
      for (let window = 0; window < 130; window += 1) {
        const { imp_uid } = ledger.open({ merchant_uid, amount: 14_000 });
        Object.assign(ledger.payment(imp_uid), { custom_data: 'x'.repeat(64 * 1024) });
      }
    }
    expect(await close('closing')).toMatchObject({ status: 204 });
    expect(accounts.map((impUid) => ledger.payment(impUid).status)).toEqual(['ready', 'cancelled']);
    pass(7_200);
    await reconcile();
    expect([(await show('expiring')).status, (await show('waiting')).status]).toEqual(['expired', 'expired']);
  });
});

describe('an attempt whose reversal cannot be read', () => {
  test('reverses the other attempts of an order when one reversal is unreadable', async () => {
    const { order, paid, webhook, close, show, pass, reconcile, iamport, ledger, client, names } = await startFixture();
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

test('an order that a transaction of the shop locks does not stop the others, and is settled by a later run [T534]', async () => {
  const { client, shop, paid, reconcile, pass, status } = await startOwnedFixture();
  const item = { id: { S: 'order-2' }, total: { N: '14000' } };
  await client.send(new PutItemCommand({ TableName: 'shop', Item: item }));
  const locked = {
    send: async (command: UpdateItemCommand) => {
      if (command instanceof UpdateItemCommand && command.input.Key?.id?.S === 'order-1') {
        throw new TransactionConflictException({
          message: 'There is an ongoing transaction for the item',
          $metadata: {},
        });
      }
      return client.send(command);
    },
  } as unknown as DynamoDBClient;
  const mapping = shopTable({ key: 'id', amount: 'total' });
  const orders = createOrders(table(locked, 'shop', mapping.prefix), mapping);
  paid();
  paid(14_000, 'order-2');
  const { settled, faults, finished } = await reconcile({ ...shop, orders });
  expect({ settled, finished }).toEqual({ settled: 1, finished: true });
  expect(faults).toEqual([expect.stringContaining('Another transaction')]);
  expect((await shop.orders.read('order-2'))?.state.status).toBe('paid');
  pass(600);
  await reconcile(shop);
  expect(await status()).toBe('paid');
});

test('reports a listed payment that Iamport does not find, and settles it later from its order [T564]', async () => {
  const { order, paid, reconcile, pass, show, deps } = await startFixture();
  await reconcile();
  await order();
  const impUid = paid();
  pass(60);
  const unfound: HandlerDependencies = { ...deps, iamport: { ...deps.iamport, payment: async () => undefined } };
  expect(await reconcile(unfound)).toMatchObject({
    settled: 0,
    faults: [`${impUid}: Payment ${impUid} not found at Iamport`],
  });
  pass(600);
  expect(await reconcile(unfound)).toMatchObject({ settled: 1, faults: [] });
  expect((await show()).status).toBe('paid');
});

test('keeps a payment unresolved that its order’s pages did not reach, and settles it later [T660]', async () => {
  const { order, paid, reconcile, pass, show, deps } = await startFixture();
  await reconcile();
  await order();
  paid();
  pass(60);
  const unfound: HandlerDependencies = { ...deps, iamport: { ...deps.iamport, payment: async () => undefined } };
  await reconcile(unfound);
  const payments = async () => ({ payments: [], unreadable: ['(payments of the list from 31 on)'] });
  // The second run is beyond the overlap of the scans, so that only the record leads to the payment.
  for (let run = 0; run < 2; run += 1) {
    pass(3_600);
    await reconcile({ ...unfound, iamport: { ...unfound.iamport, payments } });
  }
  expect((await deps.checkpoints.read(['recent'])).checkpoint('recent')?.unresolved).toHaveLength(1);
  pass(6 * 3_600);
  await reconcile(unfound);
  expect((await show()).status).toBe('paid');
});
