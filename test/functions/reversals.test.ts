/** Payments that must go back, to the end: tried again, handed to a person, and found to be over. */

import { describe, expect, test, vi } from 'vitest';
import type { Amount } from '../../functions/payment/money.ts';
import { beginning, openRooms } from '../support/functions.ts';

vi.spyOn(console, 'info').mockReturnValue();
vi.spyOn(console, 'error').mockReturnValue();

const nothing = 0 as Amount;

describe('reversals', () => {
  test('that the PG refuses are tried again, later each time, and in the end are for a person', async () => {
    const { order, paid, webhook, reconcile, pass, show, iamport } = await openRooms();
    await order();
    iamport.settings.pgRefusesCancels = true;
    await webhook(paid(100));
    const tried: number[] = [];
    for (let run = 0; run < 100 && (await show()).reversals[0]?.state === 'requested'; run += 1) {
      pass(1_800);
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

  test('for a person say how much is left when a part has come back', async () => {
    const { order, account, paid, webhook, reconcile, pass, show, ledger } = await openRooms();
    await order();
    await webhook(paid());
    const second = account();
    ledger.deposit(second);
    await webhook(second);
    ledger.cancelInConsole(second, 4_000);
    pass(300);
    await reconcile();
    expect((await show()).reversals).toMatchObject([{ kind: 'manual', state: 'manual', amount: 10_000 }]);
  });

  test('of an account in a test channel are over, since there is none to revoke', async () => {
    const { order, account, webhook, reconcile, pass, show, ledger, rooms } = await openRooms();
    const tested: typeof rooms = { ...rooms, policy: { ...rooms.policy, acceptTestPayments: true } };
    await order();
    const impUid = account();
    ledger.payment(impUid).sandbox = true;
    await webhook(impUid, tested);
    const revoke = { kind: 'revoke', reason: 'order_closed', amount: nothing, currency: 'KRW' } as const;
    await rooms.reversals.request({ ...revoke, impUid, merchantUid: 'order-1' }, beginning, 0);
    pass(300);
    await reconcile(tested);
    expect((await show()).reversals).toMatchObject([{ kind: 'revoke', state: 'done' }]);
  });

  test('of an account are over when the order was paid into it after all, and the bank took that back', async () => {
    const { order, account, webhook, reconcile, pass, show, ledger, rooms } = await openRooms();
    await order();
    const impUid = account();
    await webhook(impUid);
    const revoke = { kind: 'revoke', reason: 'account_superseded', amount: nothing, currency: 'KRW' } as const;
    await rooms.reversals.request({ ...revoke, impUid, merchantUid: 'order-1' }, beginning, 0);
    ledger.deposit(impUid);
    await webhook(impUid);
    ledger.takeBackDeposit(impUid);
    pass(60);
    await webhook(impUid);
    pass(300);
    await reconcile();
    expect(await show()).toMatchObject({ status: 'deposit_reversed', reversals: [{ kind: 'revoke', state: 'done' }] });
    expect(ledger.payment(impUid).status).toBe('ready');
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

describe('several deposits into one account', () => {
  const deposits = (opened: Awaited<ReturnType<typeof openRooms>>, impUid: string, ...amounts: number[]) => {
    const sum = amounts.reduce((one, other) => one + other, 0);
    if (sum >= 14_000 && opened.ledger.payment(impUid).status === 'ready') opened.ledger.deposit(impUid);
    Object.assign(opened.ledger.payment(impUid), { deposit_history: amounts.map((amount) => ({ amount })) });
    opened.pass(600);
    return opened.webhook(impUid);
  };

  test('what is on top of the amount is for a person, though more than that had waited for one before', async () => {
    const opened = await openRooms();
    const { order, account, webhook, reconcile, show } = opened;
    await order();
    const impUid = account();
    await webhook(impUid);
    await deposits(opened, impUid, 6_000);
    expect((await show()).reversals).toMatchObject([{ state: 'manual', reason: 'deposit_mismatch', amount: 6_000 }]);
    await deposits(opened, impUid, 6_000, 8_000);
    await reconcile();
    // The order stands on it, so nothing of it went back.
    expect(await show()).toMatchObject({ status: 'paid', reversals: [{ state: 'done', amount: 0 }] });
    await deposits(opened, impUid, 6_000, 8_000, 3_000);
    const excess = { state: 'manual', reason: 'deposit_excess', amount: 3_000 };
    expect(await show()).toMatchObject({ status: 'paid', reversals: [excess] });
  });

  test('what was a part of the amount is not to be given back when the rest came with something on top', async () => {
    const opened = await openRooms();
    const { order, account, webhook, show } = opened;
    await order();
    const impUid = account();
    await webhook(impUid);
    await deposits(opened, impUid, 6_000);
    await deposits(opened, impUid, 6_000, 8_000);
    await deposits(opened, impUid, 6_000, 8_000, 3_000);
    const excess = { state: 'manual', reason: 'deposit_excess', amount: 3_000 };
    expect(await show()).toMatchObject({ status: 'paid', reversals: [excess] });
  });
});

test('a payment that turns out to be right was not given back', async () => {
  const { order, paid, webhook, reconcile, pass, show, iamport, client, names } = await openRooms();
  await order();
  iamport.settings.pgRefusesCancels = true;
  await webhook(paid(15_000));
  expect((await show()).reversals).toMatchObject([{ state: 'requested', amount: 15_000 }]);
  // The shop mends its price where it has its orders.
  const { UpdateItemCommand } = await import('@aws-sdk/client-dynamodb');
  await client.send(
    new UpdateItemCommand({
      TableName: names.orders,
      Key: { merchant_uid: { S: 'order-1' } },
      UpdateExpression: 'SET amount = :right',
      ExpressionAttributeValues: { ':right': { N: '15000' } },
    }),
  );
  pass(300);
  await reconcile();
  pass(300);
  await reconcile();
  expect(await show()).toMatchObject({ status: 'paid', reversals: [{ state: 'done', amount: 0 }] });
});

test('a test deployment on the account of the real shop sends none of its payments back', async () => {
  const { order, paid, reconcile, pass, show, ledger, rooms } = await openRooms();
  const tested: typeof rooms = { ...rooms, policy: { ...rooms.policy, acceptTestPayments: true } };
  await reconcile(tested);
  await order();
  const real = paid(100);
  pass(300);
  await reconcile(tested);
  expect((await show()).reversals).toMatchObject([{ kind: 'manual', state: 'manual', amount: 100 }]);
  expect(ledger.payment(real).cancel_amount).toBe(0);
});
