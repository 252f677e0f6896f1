/** The reconciler: every notification is lost in these tests, and orders and payments agree all the same. */

import { describe, expect, test } from 'vitest';
import { IamportTooLarge } from '../../functions/application/faults.ts';
import { inTime } from '../../functions/application/in-time.ts';
import { processDueOrder } from '../../functions/application/reconcile/due-items.ts';
import { emptyReport } from '../../functions/application/reconcile/report.ts';
import { orders } from '../../functions/handlers/orders.ts';
import type { Order } from '../../functions/payment/order.ts';
import { handleRequest } from '../../functions/runtime/lambda-handler.ts';
import { deadlineIn } from '../../functions/shared/clock.ts';
import { eventOf, jsonBody } from '../support/event.ts';
import { beginning, startFixture } from '../support/functions.ts';
import '../support/silence-console.ts';

describe('the scan of payments', () => {
  test('settles payments of every kind that no notification reported [T46]', async () => {
    const { order, paid, account, ledger, reconcile, show, pass } = await startFixture();
    await reconcile();
    pass(60);
    for (const name of ['paid', 'account', 'failed', 'cancelled', 'forged']) await order(name);
    paid(14_000, 'paid');
    account(3_600, 'account');
    ledger.fail(ledger.open({ merchant_uid: 'failed', amount: 14_000 }).imp_uid, '한도 초과');
    ledger.cancelInConsole(paid(14_000, 'cancelled'), 4_000);
    const forged = paid(100, 'forged');
    pass(300);
    // The forged payment is in the list of paid payments, and a moment later in the list of cancelled ones.
    expect(await reconcile()).toMatchObject({ payments: 6, settled: 5, faults: [], finished: true });
    const statuses = await Promise.all(['paid', 'account', 'failed', 'cancelled', 'forged'].map((name) => show(name)));
    expect(statuses.map(({ status }) => status)).toEqual([
      'paid',
      'virtual_account_issued',
      'failed',
      'partial_cancelled',
      'ready',
    ]);
    expect(ledger.payment(forged)).toMatchObject({ status: 'cancelled', cancel_amount: 100 });
  });

  test('reads lists with an overlap, since they lag, and sends no call for a settled payment', async () => {
    const { order, paid, complete, reconcile, pass, iamport } = await startFixture();
    await reconcile();
    await order();
    await complete(paid());
    pass(300);
    iamport.faults.forgetCalls();
    expect(await reconcile()).toMatchObject({ payments: 1, settled: 0 });
    pass(300);
    expect(await reconcile()).toMatchObject({ payments: 1, settled: 0 });
    pass(600);
    expect(await reconcile()).toMatchObject({ payments: 1, settled: 0 });
    pass(300);
    expect(await reconcile()).toMatchObject({ payments: 0 });
    expect(iamport.faults.calls.every((call) => call.startsWith('GET /payments/status/'))).toBe(true);
  });

  test('covers the time since the deployment, even if the first successful run is a week later', async () => {
    const { order, paid, reconcile, pass, show } = await startFixture(beginning - 60);
    await order();
    paid();
    pass(7 * 86_400);
    expect(await reconcile()).toMatchObject({ settled: 1 });
    expect((await show()).status).toBe('paid');
  });

  test('ignores payments made before the deployment', async () => {
    const { paid, reconcile, pass } = await startFixture(beginning + 60);
    paid(14_000, 'of-the-shop-before');
    pass(120);
    expect(await reconcile()).toMatchObject({ orphans: 0 });
    pass(8 * 86_400);
    expect(await reconcile()).toMatchObject({ orphans: 0 });
  });

  test('scans again after a day and after a week, and finds a payment that it missed', async () => {
    const { order, paid, reconcile, show, pass, iamport } = await startFixture();
    await reconcile();
    pass(60);
    await order();
    const impUid = paid();
    // The list lags for longer than the overlap: the payment is not in it yet.
    const hidden = iamport.ledger.payment(impUid).paid_at;
    iamport.ledger.payment(impUid).paid_at = hidden + 10 * 86_400;
    for (let run = 0; run < 8; run += 1) {
      pass(300);
      await reconcile();
    }
    expect((await show()).status).toBe('ready');
    iamport.ledger.payment(impUid).paid_at = hidden;
    pass(300);
    await reconcile();
    expect((await show()).status).toBe('ready');
    pass(86_400);
    await reconcile();
    expect((await show()).status).toBe('paid');
  });

  test('scans again for 20 weeks, in spans that Iamport accepts', async () => {
    const { reconcile, pass, deps } = await startFixture();
    for (let week = 0; week < 20; week += 1) {
      expect(await reconcile(), `after ${week} weeks`).toMatchObject({ faults: [], finished: true });
      pass(7 * 86_400 + 300);
    }
    const quarter = (await deps.checkpoints.read(['quarter'])).checkpoint('quarter');
    expect(quarter?.completedUntil).toBeGreaterThan(beginning + 18 * 7 * 86_400);
  });

  test('covers the whole time after a stop that is longer than a span', async () => {
    const { order, paid, reconcile, pass, show } = await startFixture();
    await reconcile();
    pass(60);
    await order();
    const impUid = paid();
    pass(86_400);
    await order('later');
    paid(14_000, 'later');
    pass(120 * 86_400);
    expect(impUid).toMatch(/^imp_/);
    for (let run = 0; run < 3; run += 1) expect(await reconcile()).toMatchObject({ faults: [], finished: true });
    expect([(await show()).status, (await show('later')).status]).toEqual(['paid', 'paid']);
  });

  test('reads every page of a list', async () => {
    const { order, paid, reconcile, show, pass, deps } = await startFixture();
    await reconcile();
    pass(60);
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      await order(name);
      paid(14_000, name);
      pass(1);
    }
    pass(60);
    const { listPayments } = deps.iamport;
    // A page of more than two payments has too many bytes.
    const paged: typeof listPayments = async (query, deadline) => {
      if (query.limit > 2) throw new IamportTooLarge('Iamport returned more than 8 MB');
      return listPayments(query, deadline);
    };
    expect(await reconcile({ ...deps, iamport: { ...deps.iamport, listPayments: paged } })).toMatchObject({
      settled: 5,
      skipped: 0,
      faults: [],
      finished: true,
    });
    expect((await show('e')).status).toBe('paid');
  });

  test('misses no payment when payments leave the list between two pages', async () => {
    const { order, paid, reconcile, pass, deps } = await startFixture();
    await reconcile();
    pass(60);
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
      await order(name);
      paid(14_000, name);
      pass(1);
    }
    pass(60);
    const { listPayments } = deps.iamport;
    const seen = new Set<string>();
    let gone = 0;
    const shrinking: typeof listPayments = async (query, deadline) => {
      if (query.limit > 1) throw new IamportTooLarge('Iamport returned more than 8 MB');
      const all = await listPayments({ ...query, page: 1, limit: 1000 }, deadline);
      const left = all.payments.slice(gone);
      if (query.status === 'paid' && query.page === 2) gone = 1;
      const payments = left.slice(query.page - 1, query.page);
      for (const { merchantUid } of payments) seen.add(merchantUid);
      return { ...all, payments, total: left.length, next: query.page < left.length ? query.page + 1 : 0 };
    };
    await reconcile({ ...deps, iamport: { ...deps.iamport, listPayments: shrinking } });
    expect([...seen].sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });
});

describe('a payment without an order', () => {
  test('records a payment without an order once, and never cancels or polls it', async () => {
    const { paid, reconcile, deps, pass, ledger, counted, iamport } = await startFixture();
    await reconcile();
    pass(60);
    const impUid = paid();
    pass(300);
    expect(await reconcile()).toMatchObject({ orphans: 1 });
    expect(counted.at(-1)).toMatchObject({ SettledByReconciler: 0, ReconcilerFaults: 0, ScanLag: 0 });
    iamport.faults.forgetCalls();
    pass(40 * 86_400);
    await reconcile();
    expect(iamport.faults.calls.filter((call) => call.includes(impUid))).toEqual([]);
    expect(await reconcile()).toMatchObject({ orphans: 0 });
    expect(await deps.reversals.read(impUid)).toMatchObject({ kind: 'orphan', state: 'manual', amount: 14_000 });
    expect(ledger.payment(impUid).cancel_amount).toBe(0);
  });

  test('settles an order that is registered within an hour after its payment', async () => {
    const { order, paid, reconcile, deps, pass, show } = await startFixture();
    await reconcile();
    pass(60);
    const impUid = paid();
    pass(3_600);
    expect(await reconcile()).toMatchObject({ orphans: 1 });
    await order();
    pass(120);
    await reconcile();
    expect((await show()).status).toBe('paid');
    expect(await deps.reversals.read(impUid)).toMatchObject({ kind: 'orphan', state: 'done' });
  });

  test('checks it once, an hour later, since the registration may not have found the record [T506]', async () => {
    const { put, paid, reconcile, deps, pass, show } = await startFixture();
    const impUid = paid();
    expect(await reconcile()).toMatchObject({ orphans: 1 });
    // The index `by-order` has not received the record yet.
    const ofOrder = async () => ({ reversals: [], refunds: [], unreadable: [] });
    const lagging = { ...deps, reversals: { ...deps.reversals, ofOrder } };
    expect(await put('order-1', {}, lagging)).toMatchObject({ status: 201 });
    pass(60);
    await reconcile();
    expect((await show()).status).toBe('paid');
    expect(await deps.reversals.read(impUid)).toMatchObject({ kind: 'orphan', state: 'manual' });
    pass(3_600);
    await reconcile();
    expect(await deps.reversals.read(impUid)).toMatchObject({ kind: 'orphan', state: 'done', amount: 0 });
  });

  test('ends when the bank took the deposit back before the order expired [T666]', async () => {
    const { put, account, ledger, reconcile, deps, pass, show, complete, now } = await startFixture();
    const impUid = account(600);
    ledger.deposit(impUid);
    expect(await reconcile()).toMatchObject({ orphans: 1 });
    expect(await put('order-1', { expires_at: now() + 120 })).toMatchObject({ status: 201 });
    ledger.takeBackDeposit(impUid);
    expect(await complete(impUid)).toMatchObject({ json: { status: 'virtual_account_issued' } });
    pass(60);
    const waiting = (await deps.orders.read('order-1')) as Order;
    await deps.orders.change(waiting, { ...waiting.state, status: 'expired' } as Order['state'], now());
    await reconcile();
    expect(await deps.reversals.read(impUid)).toMatchObject({ kind: 'orphan', state: 'done', amount: 0 });
    ledger.deposit(impUid);
    expect(await complete(impUid)).toMatchObject({ json: { status: 'paid' } });
    expect((await show()).status).toBe('paid');
  });

  test('leaves a payment to the operator that began more than an hour before its order was registered [T30]', async () => {
    const { order, paid, reconcile, pass, ledger, show } = await startFixture();
    await reconcile();
    pass(60);
    const impUid = paid();
    pass(3_601);
    expect(await reconcile()).toMatchObject({ orphans: 1 });
    await order();
    pass(120);
    await reconcile();
    const reversal = { kind: 'manual', state: 'manual', reason: 'payment_predates_order', amount: 14_000 };
    expect(await show()).toMatchObject({ status: 'ready', reversals: [reversal] });
    expect(ledger.payment(impUid).cancel_amount).toBe(0);
  });

  test('leaves a payment of another amount to the operator when it predates its order, since it may be another shop’s', async () => {
    const { order, paid, reconcile, pass, ledger, show } = await startFixture();
    await reconcile();
    pass(60);
    const impUid = paid(100);
    pass(300);
    await reconcile();
    await order();
    pass(900);
    await reconcile();
    expect((await show()).reversals).toMatchObject([{ kind: 'manual', state: 'manual', reason: 'amount_mismatch' }]);
    expect(ledger.payment(impUid).cancel_amount).toBe(0);
  });

  test('returns 400 for an order of another prefix, and registers one of the own prefix', async () => {
    const { deps } = await startFixture();
    const ours: typeof deps = { ...deps, config: { ...deps.config, orderPrefix: 'A-' } };
    const event = (merchant_uid: string) =>
      eventOf({ method: 'PUT', pathParameters: { merchant_uid }, ...jsonBody({ amount: 14_000 }) });
    expect((await handleRequest(orders, ours, event('B-1'), 'request')).statusCode).toBe(400);
    expect((await handleRequest(orders, ours, event('A-1'), 'request')).statusCode).toBe(201);
  });

  test('neither records nor reads a payment of another order prefix', async () => {
    const { order, paid, reconcile, deps, pass, show } = await startFixture();
    await reconcile();
    pass(60);
    await order('A-1');
    paid(14_000, 'A-1');
    const foreign = paid(14_000, 'B-1');
    pass(300);
    const ours: typeof deps = { ...deps, config: { ...deps.config, orderPrefix: 'A-' } };
    expect(await reconcile(ours)).toMatchObject({ orphans: 0, settled: 1, matched: 1 });
    expect((await show('A-1')).status).toBe('paid');
    expect(await deps.reversals.read(foreign)).toBeUndefined();
  });

  test('counts no unreadable payment of another order prefix, and one without an order number [T640]', async () => {
    const { paid, ledger, reconcile, deps, pass, counted } = await startFixture();
    const ours: typeof deps = { ...deps, config: { ...deps.config, orderPrefix: 'A-' } };
    await reconcile(ours);
    Object.assign(ledger.payment(paid(14_000, 'B-1')), { cancel_amount: 0.5 });
    pass(300);
    expect(await reconcile(ours)).toMatchObject({ payments: 1, unreadable: 0, faults: [] });
    expect(counted.at(-1)).toMatchObject({ UnreadablePayments: 0, ReconcilerFaults: 0, UnmatchedPayments: 1 });
    const own = paid(14_000, 'A-1');
    Object.assign(ledger.payment(own), { cancel_amount: 0.5 });
    const unnamed = paid(14_000, 'B-2');
    Object.assign(ledger.payment(unnamed), { cancel_amount: 0.5, merchant_uid: null });
    pass(300);
    const { unreadable, faults } = await reconcile(ours);
    expect(unreadable).toBe(2);
    expect(faults.map((fault) => fault.split(':')[0])).toEqual([own, unnamed]);
  });

  test('does not scan an order that was registered before orderPrefix was set, and settles it by its webhook [T507]', async () => {
    const { order, paid, reconcile, deps, pass, show, webhook } = await startFixture();
    await order('order-1');
    const impUid = paid();
    pass(300);
    const ours: typeof deps = { ...deps, config: { ...deps.config, orderPrefix: 'A-' } };
    expect(await reconcile(ours)).toMatchObject({ orphans: 0, settled: 0, matched: 0 });
    await webhook(impUid, ours);
    expect((await show()).status).toBe('paid');
  });
});

describe('faults during a run', () => {
  test('leaves the checkpoint of a run without Iamport, where the next run begins', async () => {
    const { order, paid, reconcile, pass, iamport, show } = await startFixture();
    await reconcile();
    pass(60);
    await order();
    paid();
    pass(300);
    iamport.faults.add({ path: '/payments', status: 500, times: 1_000 });
    expect(await reconcile()).toMatchObject({ finished: false, faults: [expect.stringContaining('500')] });
    iamport.faults.clear();
    pass(3 * 3_600);
    expect(await reconcile()).toMatchObject({ settled: 1, finished: true });
    expect((await show()).status).toBe('paid');
  });

  test('records a payment that cannot be settled as unresolved, and settles the others', async () => {
    const { order, paid, reconcile, pass, iamport, show, deps } = await startFixture();
    await reconcile();
    pass(60);
    await order('bad');
    await order('good');
    const bad = paid(14_000, 'bad');
    paid(14_000, 'good');
    pass(300);
    iamport.faults.add({ path: `/payments/${bad}`, status: 500, times: 2 });
    expect(await reconcile()).toMatchObject({ settled: 1, faults: [expect.stringContaining(bad)] });
    const unresolved = async () => (await deps.checkpoints.read(['recent'])).checkpoint('recent')?.unresolved;
    expect(await unresolved()).toMatchObject([{ impUid: bad, merchantUid: 'bad' }]);
    pass(7_200);
    expect(await reconcile()).toMatchObject({ settled: 1, faults: [] });
    expect((await show('bad')).status).toBe('paid');
    expect(await unresolved()).toEqual([]);
  });

  test('reports an unreadable order, and settles the others', async () => {
    const { order, paid, account, webhook, reconcile, pass, show, client, names } = await startFixture();
    await order('broken', { expires_at: 1_795_000_100 });
    await order('good');
    await order('due');
    await webhook(account(60, 'due'));
    const { UpdateItemCommand } = await import('@aws-sdk/client-dynamodb');
    const Key = { merchant_uid: { S: 'broken' } };
    const set = {
      UpdateExpression: 'SET #s = :s',
      ExpressionAttributeNames: { '#s': 'status' },
      ExpressionAttributeValues: { ':s': { S: 'shipped' } },
    };
    await client.send(new UpdateItemCommand({ TableName: names.orders, Key, ...set }));
    paid(14_000, 'broken');
    paid(14_000, 'good');
    pass(300);
    expect(await reconcile()).toMatchObject({
      finished: true,
      faults: [expect.stringContaining('order broken'), expect.stringContaining('order broken cannot be read')],
    });
    expect([(await show('good')).status, (await show('due')).status]).toEqual(['paid', 'expired']);
  });

  test('reports a scan with an unreadable checkpoint, and runs the other scans', async () => {
    const { order, paid, reconcile, pass, show, client, names, counted } = await startFixture();
    await reconcile();
    const { UpdateItemCommand } = await import('@aws-sdk/client-dynamodb');
    const broken = {
      UpdateExpression: 'SET completed_until = :nonsense',
      ExpressionAttributeValues: { ':nonsense': { S: 'yesterday' } },
    };
    await client.send(new UpdateItemCommand({ TableName: names.state, Key: { id: { S: 'scan-recent' } }, ...broken }));
    await order();
    paid();
    // The scan of the last week is due.
    pass(86_400 + 300);
    counted.length = 0;
    expect(await reconcile()).toMatchObject({
      finished: false,
      settled: 1,
      scannedUntil: 0,
      faults: [expect.stringContaining('recent scan')],
    });
    expect((await show()).status).toBe('paid');
    expect(counted).toContainEqual(expect.objectContaining({ SettledByReconciler: 1, ReconcilerFaults: 1 }));
  });

  test('continues a run that ran out of time in the next run', async () => {
    const { order, paid, reconcile, pass, deps, show } = await startFixture();
    await reconcile();
    pass(60);
    await order();
    paid();
    pass(300);
    const { listPayments } = deps.iamport;
    // Each page takes a minute.
    const slow: typeof listPayments = async (query, deadline) => {
      const page = await listPayments(query, deadline);
      pass(60);
      return page;
    };
    expect(await reconcile({ ...deps, iamport: { ...deps.iamport, listPayments: slow } })).toMatchObject({
      finished: false,
      settled: 1,
    });
    const { cursor } = (await deps.checkpoints.read(['recent'])).checkpoint('recent') ?? expect.unreachable();
    expect(cursor).toMatchObject({ status: 'ready', offset: 0 });
    expect(await reconcile()).toMatchObject({ finished: true });
    expect((await show()).status).toBe('paid');
  });

  test('leaves time for the scan beside due orders, and continues with them later', async () => {
    const { order, paid, reconcile, pass, deps, show } = await startFixture();
    await reconcile();
    for (let name = 1; name <= 40; name += 1) await order(`order-${name}`, { expires_at: beginning + 60 });
    await order('bought');
    paid(14_000, 'bought');
    pass(300);
    const { payments } = deps.iamport;
    // Each call to Iamport takes 5 seconds.
    const slow: typeof payments = async (...parameters) => {
      const found = await payments(...parameters);
      pass(5);
      return found;
    };
    const report = await reconcile({ ...deps, iamport: { ...deps.iamport, payments: slow } });
    expect(report).toMatchObject({ settled: 1, finished: false });
    expect(report.due).toBeGreaterThan(10);
    expect(report.due).toBeLessThan(40);
    expect(report.oldestDueSeconds).toBeGreaterThan(240);
    expect((await show('bought')).status).toBe('paid');
  });

  test('counts a payment without an order number as unreadable, and settles the others', async () => {
    const { order, paid, reconcile, pass, show, ledger } = await startFixture();
    await reconcile();
    await order();
    const nameless = paid(14_000, 'nameless');
    ledger.payment(nameless).merchant_uid = '';
    paid();
    pass(300);
    const fault = `${nameless}: Iamport returned a payment that cannot be read. See payment-unreadable in docs/runbook.md`;
    expect(await reconcile()).toMatchObject({ settled: 1, unreadable: 1, faults: [fault], finished: true });
    expect((await show()).status).toBe('paid');
  });

  test('settles each payment once in three concurrent runs', async () => {
    const { order, paid, reconcile, pass, ledger, show } = await startFixture();
    await reconcile();
    pass(60);
    await order('a');
    await order('b');
    paid(14_000, 'a');
    const forged = paid(100, 'b');
    pass(300);
    await Promise.all([reconcile(), reconcile(), reconcile()]);
    expect(await show('a')).toMatchObject({ status: 'paid', revision: 2 });
    expect(ledger.payment(forged).cancel_history).toHaveLength(1);
  });
});

test('expires an order whose amount Iamport refuses', async () => {
  const { order, reconcile, pass, iamport, show, deps } = await startFixture();
  iamport.faults.add({ path: '/payments/prepare', status: 400, times: 1_000 });
  await order('order-1', { expires_at: 1_795_001_000 });
  pass(120);
  await reconcile();
  expect((await deps.orders.read('order-1'))?.nextCheckAt).toBe(1_795_001_000);
  pass(1_000);
  await reconcile();
  expect((await show()).status).toBe('expired');
});

test('keeps the check of an expired order that an overlapping run has postponed', async () => {
  const { order, reconcile, pass, show, deps } = await startFixture();
  const timed = inTime(deps, deadlineIn(deps.clock, 60_000));
  await order('order-1', { expires_at: beginning + 60 });
  pass(120);
  const [due] = await deps.orders.due(beginning + 120, 10);
  if (!due) throw new Error('the order is not due');
  const payments = async () => {
    await deps.orders.postpone(due, beginning + 600);
    return { payments: [], unreadable: [] };
  };
  await processDueOrder({ ...timed, iamport: { ...timed.iamport, payments } }, { due }, emptyReport());
  expect((await deps.orders.read('order-1'))?.nextCheckAt).toBe(beginning + 600);
  pass(600);
  await reconcile();
  expect((await show()).status).toBe('expired');
});

test('registers an amount with Iamport again after a failed call', async () => {
  const { order, reconcile, pass, ledger, iamport, deps } = await startFixture();
  iamport.faults.add({ path: '/payments/prepare', status: 500 });
  await order();
  expect(() => ledger.prepared.of('order-1')).toThrow();
  pass(300);
  await reconcile();
  expect(ledger.prepared.of('order-1')).toMatchObject({ amount: 14_000 });
  expect(await deps.orders.read('order-1')).toMatchObject({ revision: 1, state: { status: 'ready' } });
  expect((await deps.orders.read('order-1'))?.isUnprepared).toBeUndefined();
});

test('scans the present although an instance whose clock was a day ahead has scanned before [T566]', async () => {
  const { order, paid, reconcile, pass, show, now } = await startFixture();
  await reconcile();
  pass(86_400);
  await reconcile();
  pass(300 - 86_400);
  await order();
  paid();
  pass(300);
  expect(await reconcile()).toMatchObject({ settled: 1, scannedUntil: now() });
  expect((await show()).status).toBe('paid');
});
