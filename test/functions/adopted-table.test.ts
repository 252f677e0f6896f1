/** A shop's own table with orders of before the deployment: an earlier system was paid for them, and has delivered. */

import { describe, expect, test } from 'vitest';
import { createCheckpoints } from '../../functions/adapters/dynamodb/checkpoints.ts';
import { table } from '../../functions/adapters/dynamodb/table.ts';
import { mobileRedirect } from '../../functions/handlers/mobile-redirect.ts';
import { handleRequest } from '../../functions/runtime/lambda-handler.ts';
import { eventOf } from '../support/event.ts';
import { beginning } from '../support/functions.ts';
import { startOwnedFixture } from '../support/owned-table.ts';
import '../support/silence-console.ts';

const day = 86_400;

/** The order was paid two hours before the deployment, whose first run has scanned the lists. */
async function adopted() {
  const fixture = await startOwnedFixture(beginning + 7_200);
  const impUid = fixture.paid();
  fixture.pass(7_300);
  await fixture.reconcile(fixture.shop);
  return { ...fixture, impUid };
}
type Adopted = Awaited<ReturnType<typeof adopted>>;

/** Nothing was written or cancelled. */
async function expectUntouched({ shop, ledger, impUid, status }: Adopted, cancelled = 0) {
  expect(await status()).toBe('ready');
  expect(await shop.reversals.read(impUid)).toBeUndefined();
  expect(ledger.payment(impUid).cancel_amount).toBe(cancelled);
  expect(ledger.acceptedCancels).toEqual([]);
}

describe('a payment of before the deployment neither settles nor reverses an order of the shop’s table [T501]', () => {
  test('when a part of it is cancelled in the console', async () => {
    const fixture = await adopted();
    const { shop, ledger, impUid, pass, reconcile } = fixture;
    ledger.cancelInConsole(impUid, 1_000);
    pass(300);
    expect(await reconcile(shop)).toMatchObject({ payments: 1, matched: 1, settled: 0, orphans: 0, faultCount: 0 });
    await expectUntouched(fixture, 1_000);
  });

  test('when Iamport leaves out the time of the payment after a partial cancel [T533]', async () => {
    const fixture = await adopted();
    const { shop, ledger, impUid, pass, reconcile, webhook } = fixture;
    ledger.cancelInConsole(impUid, 1_000);
    Object.assign(ledger.payment(impUid), { paid_at: 0 });
    pass(300);
    await webhook(impUid, shop);
    await reconcile(shop);
    await expectUntouched(fixture, 1_000);
  });

  test('when the shop lowers the price as well', async () => {
    const fixture = await adopted();
    const { shop, ledger, impUid, price, pass, reconcile } = fixture;
    ledger.cancelInConsole(impUid, 1_000);
    await price(13_000);
    pass(300);
    await reconcile(shop);
    await expectUntouched(fixture, 1_000);
  });

  test('when the buyer reports it again, or Iamport does', async () => {
    const fixture = await adopted();
    const { shop, impUid, pass, complete, webhook } = fixture;
    pass(30 * day);
    expect(await complete(impUid, shop)).toMatchObject({ status: 404, json: { code: 'order_not_found' } });
    expect(await webhook(impUid, shop)).toEqual({ status: 200, json: { settled: false, code: 'order_not_found' } });
    const query = `imp_uid=${impUid}&merchant_uid=order-1`;
    const event = eventOf({ method: 'GET', path: '/payments/complete/mobile', query });
    expect((await handleRequest(mobileRedirect, shop, event, 'request-1')).statusCode).toBe(404);
    await expectUntouched(fixture);
  });

  test('when the due check of its order reads it', async () => {
    const fixture = await adopted();
    const { shop, pass, reconcile } = fixture;
    const order = await shop.orders.read('order-1');
    if (!order) throw new Error('order-1 is missing');
    await shop.orders.updateSchedule(order, { nextCheckAt: fixture.now() + 60 });
    pass(300);
    expect(await reconcile(shop)).toMatchObject({ due: 1, settled: 0, faultCount: 0 });
    await expectUntouched(fixture);
  });

  test('although a failed attempt of today has changed the order', async () => {
    const { shop, ledger, impUid, complete, status } = await adopted();
    const { imp_uid: failed } = ledger.open({ merchant_uid: 'order-1', amount: 14_000, pay_method: 'card' });
    ledger.fail(failed, '한도 초과');
    expect(await complete(failed, shop)).toMatchObject({ status: 200, json: { status: 'failed' } });
    expect(await complete(impUid, shop)).toMatchObject({ status: 404 });
    expect(await status()).toBe('failed');
  });

  test('although another payment has settled the order since', async () => {
    const fixture = await adopted();
    const { shop, ledger, impUid, paid, complete, webhook, status } = fixture;
    await complete(paid(), shop);
    await webhook(impUid, shop);
    expect(await status()).toBe('paid');
    expect(await shop.reversals.read(impUid)).toBeUndefined();
    expect(ledger.payment(impUid).cancel_amount).toBe(0);
  });
});

test('an account of before the deployment settles its order by a deposit of today [T502]', async () => {
  const { shop, account, ledger, pass, reconcile, webhook, status } = await startOwnedFixture(beginning + 7_200);
  const impUid = account(10 * day);
  pass(7_300);
  await reconcile(shop);
  ledger.deposit(impUid);
  await webhook(impUid, shop);
  expect(await status()).toBe('paid');
});

describe('before the first run of the reconciler', () => {
  test('money of before the deployment settles no order, also of the last minutes [T503]', async () => {
    const { shop, paid, pass, complete, reconcile, status } = await startOwnedFixture(beginning + 60);
    const impUid = paid();
    pass(120);
    expect(await complete(impUid, shop)).toMatchObject({ status: 404, json: { code: 'order_not_found' } });
    await reconcile(shop);
    expect(await complete(impUid, shop)).toMatchObject({ status: 404 });
    expect(await status()).toBe('ready');
  });

  test('money of after it settles its order, however late [T529]', async () => {
    const { shop, paid, pass, complete } = await startOwnedFixture(beginning);
    const impUid = paid();
    pass(3_600);
    expect(await complete(impUid, shop)).toMatchObject({ status: 200, json: { status: 'paid' } });
  });
});

describe('a payment that was recorded before the shop wrote its item leaves the operator’s list [T505]', () => {
  async function unmatched() {
    const fixture = await startOwnedFixture(undefined, false);
    const { shop, paid, pass, reconcile, write } = fixture;
    const impUid = paid();
    await reconcile(shop);
    expect(await shop.reversals.read(impUid)).toMatchObject({ kind: 'orphan', state: 'manual' });
    // Its first check is over.
    pass(2 * 3_600);
    await reconcile(shop);
    expect(await shop.reversals.read(impUid)).not.toHaveProperty('checkAt');
    await write();
    return { ...fixture, impUid };
  }

  test('when a scan settles it', async () => {
    const { shop, impUid, status, pass, reconcile } = await unmatched();
    // The daily scan.
    pass(day);
    await reconcile(shop);
    expect(await status()).toBe('paid');
    await reconcile(shop);
    expect(await shop.reversals.read(impUid)).toMatchObject({ kind: 'orphan', state: 'done', amount: 0 });
  });

  test('when the buyer reports it', async () => {
    const { shop, impUid, complete, reconcile } = await unmatched();
    expect(await complete(impUid, shop)).toMatchObject({ status: 200, json: { status: 'paid' } });
    await reconcile(shop);
    expect(await shop.reversals.read(impUid)).toMatchObject({ kind: 'orphan', state: 'done', amount: 0 });
  });

  test('although the instance dies after the write of the order', async () => {
    const { shop, impUid, complete, reconcile, status } = await unmatched();
    const change: typeof shop.orders.change = async (...parameters) => {
      await shop.orders.change(...parameters);
      throw new Error('The instance died');
    };
    expect(await complete(impUid, { ...shop, orders: { ...shop.orders, change } })).toMatchObject({ status: 500 });
    expect(await status()).toBe('paid');
    await reconcile(shop);
    expect(await shop.reversals.read(impUid)).toMatchObject({ kind: 'orphan', state: 'done', amount: 0 });
  });
});

test('an instance reads the beginning of the deployment once, and only for money of the shop’s table [T504]', async () => {
  const { shop, deps, client, names, paid, account, reconcile, complete, order } = await startOwnedFixture();
  let reads = 0;
  const state = table(client, names.state);
  const read: typeof state.read = async (key) => {
    reads += 1;
    return state.read(key);
  };
  const observed = { checkpoints: createCheckpoints({ ...state, read }) };
  await reconcile(shop);
  await complete(account(), { ...shop, ...observed });
  await order('order-2');
  await complete(paid(14_000, 'order-2'), { ...deps, ...observed });
  expect(reads).toBe(0);
  const impUid = paid();
  await complete(impUid, { ...shop, ...observed });
  await complete(paid(), { ...shop, ...observed });
  expect(reads).toBe(1);
});
