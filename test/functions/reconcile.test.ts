/** The net: every notification is lost in these tests, and the books agree all the same. */

import { describe, expect, test, vi } from 'vitest';
import { openRooms } from './rooms.ts';

vi.spyOn(console, 'info').mockReturnValue();
vi.spyOn(console, 'error').mockReturnValue();

describe('what the ledger says', () => {
  test('settles payments of every kind that nobody told us of', async () => {
    const { order, paid, account, ledger, reconcile, show, pass } = await openRooms();
    await reconcile();
    pass(60);
    for (const name of ['paid', 'account', 'failed', 'cancelled', 'forged']) await order(name);
    paid(14_000, 'paid');
    account(3_600, 'account');
    ledger.fail(ledger.open({ merchant_uid: 'failed', amount: 14_000 }).imp_uid, '한도 초과');
    ledger.cancelInConsole(paid(14_000, 'cancelled'), 4_000);
    const forged = paid(100, 'forged');
    pass(300);
    // The forged one is in the list of the paid ones, and a moment later in that of the cancelled ones.
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

  test('is read again with an overlap, since lists lag, and what is settled costs no call of its own', async () => {
    const { order, paid, complete, reconcile, pass, iamport } = await openRooms();
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

  test('of the minutes between a deployment and its first run is ours', async () => {
    const { order, paid, reconcile, pass, show } = await openRooms();
    await order();
    paid();
    pass(299);
    expect(await reconcile()).toMatchObject({ settled: 1 });
    expect((await show()).status).toBe('paid');
  });

  test('of before this deployment is no business of ours', async () => {
    const { paid, reconcile, pass } = await openRooms();
    paid(14_000, 'of-the-shop-before');
    pass(3_600);
    expect(await reconcile()).toMatchObject({ orphans: 0 });
    pass(8 * 86_400);
    expect(await reconcile()).toMatchObject({ orphans: 0 });
  });

  test('is gone through again after a day and after a week, so that what slipped through once is found', async () => {
    const { order, paid, reconcile, show, pass, iamport } = await openRooms();
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

  test('with more than a page is read whole', async () => {
    const { order, paid, reconcile, show, pass, rooms } = await openRooms();
    await reconcile();
    pass(60);
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      await order(name);
      paid(14_000, name);
      pass(1);
    }
    pass(60);
    const { ledger } = rooms.iamport;
    // Pages of two instead of a thousand.
    const paged: typeof ledger = async (query, deadline) => {
      const all = await ledger({ ...query, page: 1 }, deadline);
      const payments = all.payments.slice((query.page - 1) * 2, query.page * 2);
      return { ...all, payments, next: query.page * 2 < all.total ? query.page + 1 : 0 };
    };
    expect(await reconcile({ ...rooms, iamport: { ...rooms.iamport, ledger: paged } })).toMatchObject({ settled: 5 });
    expect((await show('e')).status).toBe('paid');
  });

  test('while payments leave the list between two pages loses none of them', async () => {
    const { order, paid, reconcile, pass, rooms } = await openRooms();
    await reconcile();
    pass(60);
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
      await order(name);
      paid(14_000, name);
      pass(1);
    }
    pass(60);
    const { ledger } = rooms.iamport;
    const seen = new Set<string>();
    let gone = 0;
    const shrinking: typeof ledger = async (query, deadline) => {
      const all = await ledger({ ...query, page: 1 }, deadline);
      const left = all.payments.slice(gone);
      if (query.status === 'paid' && query.page === 2) gone = 1;
      const payments = left.slice((query.page - 1) * 2, query.page * 2);
      for (const { merchantUid } of payments) seen.add(merchantUid);
      return { ...all, payments, total: left.length, next: query.page * 2 < left.length ? query.page + 1 : 0 };
    };
    await reconcile({ ...rooms, iamport: { ...rooms.iamport, ledger: shrinking } });
    expect([...seen].sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });
});

describe('money without an order', () => {
  test('is recorded once, told, and never sent back; and settles when its order turns up', async () => {
    const { order, paid, reconcile, rooms, pass, ledger, show, counted } = await openRooms();
    await reconcile();
    pass(60);
    const impUid = paid();
    pass(300);
    expect(await reconcile()).toMatchObject({ orphans: 1 });
    expect(counted.at(-1)).toMatchObject({ PaymentsWithoutOrder: 1, ReconcilerFaults: 0 });
    expect(await reconcile()).toMatchObject({ orphans: 0 });
    expect(await rooms.reversals.read(impUid)).toMatchObject({ kind: 'orphan', state: 'manual', amount: 14_000 });
    expect(ledger.payment(impUid).cancel_amount).toBe(0);
    await order();
    pass(900);
    await reconcile();
    expect((await show()).status).toBe('paid');
    expect(await rooms.reversals.read(impUid)).toMatchObject({ kind: 'orphan', state: 'done' });
  });

  test('becomes a rejected payment when its order has another amount', async () => {
    const { order, paid, reconcile, pass, ledger, show } = await openRooms();
    await reconcile();
    pass(60);
    const impUid = paid(100);
    pass(300);
    await reconcile();
    await order();
    pass(900);
    await reconcile();
    expect((await show()).reversals).toMatchObject([{ kind: 'cancel', state: 'done', reason: 'amount_mismatch' }]);
    expect(ledger.payment(impUid).cancel_amount).toBe(100);
  });
});

describe('when Iamport or time fails', () => {
  test('a run without Iamport moves nothing, and the next one begins where it did', async () => {
    const { order, paid, reconcile, pass, iamport, show } = await openRooms();
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

  test('a payment that cannot be settled is an open question, and does not hold up the others', async () => {
    const { order, paid, reconcile, pass, iamport, show, rooms } = await openRooms();
    await reconcile();
    pass(60);
    await order('bad');
    await order('good');
    const bad = paid(14_000, 'bad');
    paid(14_000, 'good');
    pass(300);
    iamport.faults.add({ path: `/payments/${bad}`, status: 500, times: 2 });
    expect(await reconcile()).toMatchObject({ settled: 1, faults: [expect.stringContaining(bad)] });
    expect((await rooms.walks.read('recent'))?.openQuestions).toEqual([bad]);
    pass(7_200);
    expect(await reconcile()).toMatchObject({ settled: 1, faults: [] });
    expect((await show('bad')).status).toBe('paid');
    expect((await rooms.walks.read('recent'))?.openQuestions).toEqual([]);
  });

  test('an order that nobody can read is reported, and does not hold up the others', async () => {
    const { order, paid, account, webhook, reconcile, pass, show, client, names } = await openRooms();
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

  test('a run without time goes on in the next one', async () => {
    const { order, paid, reconcile, pass, rooms, show } = await openRooms();
    await reconcile();
    pass(60);
    await order();
    paid();
    pass(300);
    const { ledger } = rooms.iamport;
    // Each page takes a minute.
    const slow: typeof ledger = async (query, deadline) => {
      const page = await ledger(query, deadline);
      pass(60);
      return page;
    };
    expect(await reconcile({ ...rooms, iamport: { ...rooms.iamport, ledger: slow } })).toMatchObject({
      finished: false,
      settled: 1,
    });
    expect((await rooms.walks.read('recent'))?.underWay).toMatchObject({ status: 2, page: 1 });
    expect(await reconcile()).toMatchObject({ finished: true });
    expect((await show()).status).toBe('paid');
  });

  test('two runs at once do no harm', async () => {
    const { order, paid, reconcile, pass, ledger, show } = await openRooms();
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

describe('virtual accounts', () => {
  test('expire only after Iamport was asked, and a deposit after that still settles', async () => {
    const { order, account, webhook, reconcile, pass, show, ledger } = await openRooms();
    await order();
    const impUid = account(3_600);
    await webhook(impUid);
    pass(3_500);
    await reconcile();
    expect((await show()).status).toBe('virtual_account_issued');
    pass(200);
    await reconcile();
    expect(await show()).toMatchObject({ status: 'expired', virtual_account: { imp_uid: impUid } });
    ledger.deposit(impUid);
    pass(300);
    await reconcile();
    expect((await show()).status).toBe('paid');
  });

  test('that were paid at the last moment are paid, and not expired', async () => {
    const { order, account, webhook, reconcile, pass, show, ledger } = await openRooms();
    await order();
    const impUid = account(3_600);
    await webhook(impUid);
    pass(3_599);
    ledger.deposit(impUid);
    pass(10);
    await reconcile();
    expect((await show()).status).toBe('paid');
  });

  test('do not expire while Iamport cannot be asked', async () => {
    const { order, account, webhook, reconcile, pass, show, iamport } = await openRooms();
    await order();
    await webhook(account(3_600));
    pass(4_000);
    iamport.faults.add({ path: '/payments', status: 500, times: 1_000 });
    await reconcile();
    expect((await show()).status).toBe('virtual_account_issued');
  });

  test('are looked at a second time after the deposit, and what the bank took back is told', async () => {
    const { order, account, webhook, reconcile, pass, show, ledger, rooms } = await openRooms();
    // Lists that lag for ever: only the second look can find it.
    const blind = { ...rooms.iamport, ledger: async () => ({ payments: [], unreadable: [], total: 0, next: 0 }) };
    const secondLook = () => reconcile({ ...rooms, iamport: blind });
    await order();
    const impUid = account();
    ledger.deposit(impUid);
    await webhook(impUid);
    expect((await rooms.orders.read('order-1'))?.dueAt).toBe(1_795_000_600);
    ledger.takeBackDeposit(impUid);
    pass(500);
    await secondLook();
    expect((await show()).status).toBe('paid');
    pass(120);
    await secondLook();
    expect((await show()).status).toBe('deposit_reversed');
    ledger.deposit(impUid);
    pass(300);
    await reconcile();
    expect((await show()).status).toBe('paid');
  });

  test('whose deposit stands are not looked at for ever', async () => {
    const { order, account, webhook, reconcile, pass, ledger, rooms, iamport } = await openRooms();
    await order();
    const impUid = account();
    ledger.deposit(impUid);
    await webhook(impUid);
    pass(700);
    await reconcile();
    expect((await rooms.orders.read('order-1'))?.dueAt).toBeUndefined();
    pass(7_200);
    iamport.faults.forgetCalls();
    await reconcile();
    expect(iamport.faults.counts()[`GET /payments/${impUid}`]).toBeUndefined();
  });

  test('whose deposit came and went free the order', async () => {
    const { order, account, webhook, reconcile, pass, show, ledger, paid } = await openRooms();
    await reconcile();
    await order();
    const impUid = account();
    await webhook(impUid);
    ledger.deposit(impUid);
    ledger.cancelInConsole(impUid);
    pass(300);
    await reconcile();
    expect((await show()).status).toBe('ready');
    await webhook(paid());
    expect((await show()).status).toBe('paid');
  });

  test('of which the later one counts: the older is revoked', async () => {
    const { order, account, webhook, pass, show, ledger } = await openRooms();
    await order();
    const older = account();
    pass(10);
    const newer = account();
    await webhook(newer);
    await webhook(older);
    expect(await show()).toMatchObject({ status: 'virtual_account_issued', virtual_account: { imp_uid: newer } });
    expect(ledger.payment(older).status).toBe('cancelled');
  });
});

describe('an order with a deadline of its own', () => {
  test('expires after Iamport was asked, and not when it was paid meanwhile', async () => {
    const { order, paid, reconcile, pass, show, now } = await openRooms();
    await order('left', { expires_at: now() + 600 });
    await order('paid', { expires_at: now() + 600 });
    pass(500);
    paid(14_000, 'paid');
    pass(200);
    await reconcile();
    expect([(await show('left')).status, (await show('paid')).status]).toEqual(['expired', 'paid']);
  });

  test('that failed stays failed once it has expired and failed again', async () => {
    const { order, reconcile, pass, show, now, ledger, webhook } = await openRooms();
    await order('order-1', { expires_at: now() + 600 });
    pass(700);
    await reconcile();
    const { imp_uid } = ledger.open({ merchant_uid: 'order-1', amount: 14_000 });
    ledger.fail(imp_uid, '한도 초과');
    await webhook(imp_uid);
    for (let run = 0; run < 4; run += 1) {
      pass(300);
      await reconcile();
    }
    expect(await show()).toMatchObject({ status: 'failed', revision: 3 });
  });
});

describe('reversals', () => {
  test('that the PG refuses are tried again, later each time, and in the end are for a person', async () => {
    const { order, paid, webhook, reconcile, pass, show, iamport } = await openRooms();
    await order();
    iamport.settings.pgRefusesCancels = true;
    await webhook(paid(100));
    const tried: number[] = [];
    for (let run = 0; run < 500 && (await show()).reversals[0]?.state === 'requested'; run += 1) {
      pass(300);
      await reconcile();
      tried.push(iamport.faults.counts()['POST /payments/cancel'] ?? 0);
    }
    expect((await show()).reversals).toMatchObject([
      { state: 'manual', attempts: 12, message: 'PG사에서 취소 요청을 거절하였습니다.' },
    ]);
    expect(tried.at(-1)).toBe(12);
    iamport.settings.pgRefusesCancels = false;
    pass(86_400);
    await reconcile();
    expect(iamport.faults.counts()['POST /payments/cancel']).toBe(12);
  });

  test('for a person are over when the person has cancelled in the console', async () => {
    const { order, account, paid, webhook, reconcile, pass, show, ledger } = await openRooms();
    await reconcile();
    await order();
    await webhook(paid());
    const second = account();
    ledger.deposit(second);
    await webhook(second);
    expect((await show()).reversals).toMatchObject([{ kind: 'manual', state: 'manual' }]);
    ledger.cancelInConsole(second);
    pass(300);
    await reconcile();
    expect((await show()).reversals).toMatchObject([{ kind: 'manual', state: 'done' }]);
  });

  test('that Iamport could not be asked for are finished, once', async () => {
    const { order, paid, webhook, reconcile, pass, show, ledger, iamport } = await openRooms();
    await order();
    const impUid = paid(100);
    iamport.faults.add({ path: '/payments/cancel', status: 500 });
    await webhook(impUid);
    expect((await show()).reversals).toMatchObject([{ state: 'requested', attempts: 1 }]);
    pass(300);
    await reconcile();
    expect((await show()).reversals).toMatchObject([{ state: 'done', attempts: 2 }]);
    expect(ledger.payment(impUid).cancel_history).toHaveLength(1);
  });
});

test('an order whose amount Iamport refuses to take expires all the same, and lets others be looked at', async () => {
  const { order, reconcile, pass, iamport, show, rooms } = await openRooms();
  iamport.faults.add({ path: '/payments/prepare', status: 400, times: 1_000 });
  await order('order-1', { expires_at: 1_795_001_000 });
  pass(120);
  await reconcile();
  expect((await rooms.orders.read('order-1'))?.dueAt).toBe(1_795_001_000);
  pass(1_000);
  await reconcile();
  expect((await show()).status).toBe('expired');
});

test('a deposit on an account that was to be revoked by hand is told again, with its money', async () => {
  const { order, paid, account, webhook, reconcile, pass, show, ledger, rooms } = await openRooms();
  const byHand: typeof rooms = { ...rooms, policy: { ...rooms.policy, reversals: 'manual' } };
  await reconcile(byHand);
  await order();
  await webhook(paid());
  const second = account();
  await webhook(second, byHand);
  expect((await show()).reversals).toMatchObject([{ kind: 'manual', amount: 0 }]);
  ledger.deposit(second);
  pass(300);
  await reconcile(byHand);
  expect((await show()).reversals).toMatchObject([{ kind: 'manual', state: 'manual', amount: 14_000 }]);
});

test('what was to be cancelled waits for a person once the shop has switched the doing off', async () => {
  const { order, paid, webhook, reconcile, pass, show, iamport, rooms, ledger } = await openRooms();
  await order();
  const forged = paid(100);
  iamport.faults.add({ path: '/payments/cancel', status: 500 });
  await webhook(forged);
  expect((await show()).reversals).toMatchObject([{ kind: 'cancel', state: 'requested' }]);
  pass(300);
  await reconcile({ ...rooms, policy: { ...rooms.policy, reversals: 'manual' } });
  expect((await show()).reversals).toMatchObject([{ kind: 'manual', state: 'manual', amount: 100 }]);
  expect(ledger.payment(forged).cancel_amount).toBe(0);
});

test('a revocation that failed is not taken for done while its account is open', async () => {
  const { order, account, webhook, reconcile, pass, show, ledger, iamport } = await openRooms();
  await order();
  const older = account();
  pass(10);
  const newer = account();
  await webhook(newer);
  iamport.faults.add({ path: '/vbanks', status: 500 });
  await webhook(older);
  Object.assign(ledger.payment(newer), { status: 'cancelled', cancelled_at: 1_795_000_020 });
  await webhook(newer);
  expect((await show()).status).toBe('ready');
  iamport.faults.add({ path: '/vbanks', status: 500 });
  pass(120);
  await reconcile();
  expect((await show()).reversals).toMatchObject([{ imp_uid: older, state: 'requested' }]);
  pass(600);
  await reconcile();
  expect((await show()).reversals).toMatchObject([{ imp_uid: older, state: 'done' }]);
  expect(ledger.payment(older).status).toBe('cancelled');
});

test('an amount that Iamport could not be told of is told again', async () => {
  const { order, reconcile, pass, ledger, iamport, rooms } = await openRooms();
  iamport.faults.add({ path: '/payments/prepare', status: 500 });
  await order();
  expect(() => ledger.prepared.of('order-1')).toThrow();
  pass(300);
  await reconcile();
  expect(ledger.prepared.of('order-1')).toMatchObject({ amount: 14_000 });
  expect(await rooms.orders.read('order-1')).toMatchObject({ revision: 1, state: { status: 'ready' } });
  expect((await rooms.orders.read('order-1'))?.isUnprepared).toBeUndefined();
});

describe('notifications that no API confirms', () => {
  test('are kept and passed on as they were told, once, and change nothing of ours', async () => {
    const { order, paid, webhook, notify, show, client, names, counted } = await openRooms();
    await order();
    const imp_uid = paid();
    await webhook(imp_uid);
    expect(counted).toEqual([{ WebhookFromStranger: 1 }]);
    const escrow = {
      event: 'Inicis.Escrow.Changed',
      imp_uid,
      merchant_uid: 'order-1',
      status: 'paid',
      extra: { escrow_status: 'confirmed', changed_at: 1_795_000_000 },
    };
    expect(await notify(escrow)).toEqual({ status: 200, json: { settled: true } });
    expect(await notify(escrow)).toMatchObject({ status: 200 });
    expect(await notify({ event: 'Something.New', imp_uid, merchant_uid: 'order-1' })).toMatchObject({ status: 200 });
    // What Iamport may write one day is no reason to miss a payment.
    for (const odd of [
      { event: 7 },
      { event: '' },
      { event: null, extra: 'text' },
      { status: 5, extra: [1] },
      { extra: null },
    ]) {
      expect(await notify({ imp_uid, merchant_uid: 'order-1', ...odd })).toEqual({
        status: 200,
        json: { settled: true },
      });
    }
    expect(await notify({ ...escrow, imp_uid: 'imp_000000000000' })).toMatchObject({ json: { settled: false } });
    const { ScanCommand } = await import('@aws-sdk/client-dynamodb');
    const { Items = [] } = await client.send(new ScanCommand({ TableName: names.reversals }));
    expect(Items.map(({ imp_uid: key }) => key?.S).sort()).toEqual([`${imp_uid}#escrow`, `${imp_uid}#other`]);
    expect(await show()).toMatchObject({ status: 'paid', revision: 2, reversals: [], refunds: [] });
  });

  test('about a payment of another order are kept for the order that it pays, and never fill the table', async () => {
    const { order, paid, webhook, notify, client, names } = await openRooms();
    await order();
    const imp_uid = paid();
    await webhook(imp_uid);
    for (let number = 0; number < 20; number += 1) {
      const told = { imp_uid, event: `event-${number}`, extra: { '': 'x', note: String(number) } };
      expect(await notify({ ...told, ...(number % 2 && { merchant_uid: 'somebody-elses' }) })).toMatchObject({
        status: 200,
      });
    }
    const unregistered = paid(14_000, 'unregistered');
    await notify({ imp_uid: unregistered, event: 'x' });
    const { ScanCommand } = await import('@aws-sdk/client-dynamodb');
    const { Items = [] } = await client.send(new ScanCommand({ TableName: names.reversals }));
    expect(Items.map(({ imp_uid: key, merchant_uid }) => [key?.S, merchant_uid?.S])).toEqual([
      [`${imp_uid}#other`, 'order-1'],
    ]);
  });

  test('cannot reach a refund, whatever name a stranger gives them', async () => {
    const { order, paid, webhook, notify, refund, show } = await openRooms();
    await order();
    const imp_uid = paid();
    await webhook(imp_uid);
    await refund({ amount: 4_000 }, 'key-1');
    const before = await show();
    for (const event of ['key-1', '/key-1', '#key-1'])
      await notify({ imp_uid, merchant_uid: 'order-1', event, status: 'x' });
    expect(await show()).toEqual(before);
    expect(before.refunds).toMatchObject([{ key: 'key-1', state: 'done' }]);
  });
});
