/** Reversals to their end: repeated, left to the operator, and found to be done. */

import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { NoTimeLeft, StoreUnavailable } from '../../functions/application/faults.ts';
import { reversalEvents } from '../../functions/payment/events.ts';
import { zero } from '../../functions/payment/money.ts';
import { reversalEventsAgain } from '../../functions/payment/republish.ts';
import { beginning, startFixture } from '../support/functions.ts';
import { startOwnedFixture } from '../support/owned-table.ts';
import '../support/silence-console.ts';

describe('reversals', () => {
  test('repeats a refused cancel at growing intervals, and leaves it to the operator after 12 attempts [T68]', async () => {
    const { order, paid, webhook, reconcile, pass, show, iamport } = await startFixture();
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

  test("cancels a payment of the order's amount with its tax parts, 0 included, and another amount without [T643]", async () => {
    const { order, paid, webhook, ledger } = await startFixture();
    await order('order-1', { tax_free: 5_000, vat_amount: 0 });
    await webhook(paid());
    await webhook(paid());
    await webhook(paid(100));
    const [duplicate, forged] = ledger.acceptedCancels;
    expect(duplicate).toMatchObject({ amount: 14_000, tax_free: 5_000, vat_amount: 0 });
    expect(forged).toMatchObject({ amount: 100 });
    expect(forged).not.toHaveProperty('tax_free', expect.anything());
    expect(forged).not.toHaveProperty('vat_amount', expect.anything());
  });

  test('finishes a manual reversal when the operator has cancelled in the console', async () => {
    const { order, account, paid, webhook, reconcile, pass, show, ledger } = await startFixture();
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

  test('updates the amount of a manual reversal after a partial cancel', async () => {
    const { order, account, paid, webhook, reconcile, pass, show, ledger } = await startFixture();
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

  test('finishes the revocation of an account in a test channel, since no real account exists', async () => {
    const { order, account, webhook, reconcile, pass, show, ledger, deps } = await startFixture();
    const tested: typeof deps = { ...deps, policy: { ...deps.policy, acceptTestPayments: true } };
    await order();
    const impUid = account();
    ledger.payment(impUid).sandbox = true;
    await webhook(impUid, tested);
    const revoke = { kind: 'revoke', reason: 'order_closed', amount: zero, currency: 'KRW' } as const;
    await deps.reversals.request({ ...revoke, impUid, merchantUid: 'order-1' }, beginning, 0);
    pass(300);
    await reconcile(tested);
    expect((await show()).reversals).toMatchObject([{ kind: 'revoke', state: 'done' }]);
  });

  test('finishes a revocation when the order was paid into the account and the bank took the deposit back', async () => {
    const { order, account, webhook, reconcile, pass, show, ledger, deps } = await startFixture();
    await order();
    const impUid = account();
    await webhook(impUid);
    const revoke = { kind: 'revoke', reason: 'account_superseded', amount: zero, currency: 'KRW' } as const;
    await deps.reversals.request({ ...revoke, impUid, merchantUid: 'order-1' }, beginning, 0);
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

  test('repeats a cancel that failed while Iamport was unavailable, and finishes it once', async () => {
    const { order, paid, webhook, reconcile, pass, show, ledger, iamport } = await startFixture();
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

test('updates a manual revocation with the amount of a later deposit', async () => {
  const { order, paid, account, webhook, reconcile, pass, show, ledger, deps } = await startFixture();
  const byHand: typeof deps = { ...deps, policy: { ...deps.policy, reversals: 'manual' } };
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

test('publishes what the operator returned altogether, in several parts, as one completed refund [T528]', async () => {
  const { order, paid, webhook, reconcile, pass, show, ledger, deps } = await startFixture();
  const byHand: typeof deps = { ...deps, policy: { ...deps.policy, reversals: 'manual' } };
  await order();
  await webhook(paid());
  const second = paid();
  await webhook(second, byHand);
  for (const [part, left] of [
    [4_000, 10_000],
    [3_000, 7_000],
  ] as const) {
    ledger.cancelInConsole(second, part);
    pass(3_600);
    await reconcile(byHand);
    expect((await show()).reversals).toMatchObject([{ kind: 'manual', state: 'manual', amount: left }]);
  }
  const before = await deps.reversals.read(second);
  ledger.cancelInConsole(second);
  pass(3_600);
  await reconcile(byHand);
  const after = await deps.reversals.read(second);
  expect(after && reversalEvents(before, after)).toMatchObject([{ name: 'Refund Completed', amount: 14_000 }]);
  expect(after && reversalEventsAgain(after)).toMatchObject([{ name: 'Refund Completed', amount: 14_000 }]);
});

test('does not take a payment that Iamport returns as unpaid for a refund [T532]', async () => {
  const { order, paid, webhook, reconcile, pass, show, ledger, iamport } = await startFixture();
  await order();
  const forged = paid(100);
  iamport.faults.add({ path: '/payments/cancel', status: 500 });
  await webhook(forged);
  const { status, paid_at } = ledger.payment(forged);
  Object.assign(ledger.payment(forged), { status: 'ready', paid_at: 0 });
  pass(300);
  const { faults } = await reconcile();
  expect(faults).toEqual([expect.stringContaining(`${forged}: Iamport returned it as unpaid`)]);
  const message = expect.stringMatching(/^Iamport returned it as unpaid/);
  expect((await show()).reversals).toMatchObject([{ kind: 'cancel', state: 'requested', attempts: 2, message }]);
  Object.assign(ledger.payment(forged), { status, paid_at });
  pass(600);
  await reconcile();
  expect((await show()).reversals).toMatchObject([{ kind: 'cancel', state: 'done', amount: 100 }]);
  expect(ledger.payment(forged).cancel_amount).toBe(100);
});

test('leaves a requested cancel to the operator once the shop configures manual reversals', async () => {
  const { order, paid, webhook, reconcile, pass, show, iamport, deps, ledger } = await startFixture();
  await order();
  const forged = paid(100);
  iamport.faults.add({ path: '/payments/cancel', status: 500 });
  await webhook(forged);
  expect((await show()).reversals).toMatchObject([{ kind: 'cancel', state: 'requested' }]);
  pass(300);
  await reconcile({ ...deps, policy: { ...deps.policy, reversals: 'manual' } });
  expect((await show()).reversals).toMatchObject([{ kind: 'manual', state: 'manual', amount: 100 }]);
  expect(ledger.payment(forged).cancel_amount).toBe(0);
});

test('keeps a failed revocation requested while its account is open', async () => {
  const { order, account, webhook, reconcile, pass, show, ledger, iamport } = await startFixture();
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
  const deposits = (fixture: Awaited<ReturnType<typeof startFixture>>, impUid: string, ...amounts: number[]) => {
    const sum = amounts.reduce((one, other) => one + other, 0);
    if (sum >= 14_000 && fixture.ledger.payment(impUid).status === 'ready') fixture.ledger.deposit(impUid);
    Object.assign(fixture.ledger.payment(impUid), { deposit_history: amounts.map((amount) => ({ amount })) });
    fixture.pass(600);
    return fixture.webhook(impUid);
  };

  test('leaves the excess to the operator, even if a larger amount was left to the operator before', async () => {
    const fixture = await startFixture();
    const { order, account, webhook, reconcile, show } = fixture;
    await order();
    const impUid = account();
    await webhook(impUid);
    await deposits(fixture, impUid, 6_000);
    expect((await show()).reversals).toMatchObject([{ state: 'manual', reason: 'deposit_mismatch', amount: 6_000 }]);
    await deposits(fixture, impUid, 6_000, 8_000);
    await reconcile();
    // The order is paid with this deposit, so no amount of it was given back.
    expect(await show()).toMatchObject({ status: 'paid', reversals: [{ state: 'done', amount: 0 }] });
    await deposits(fixture, impUid, 6_000, 8_000, 3_000);
    const excess = { state: 'manual', reason: 'deposit_excess', amount: 3_000 };
    expect(await show()).toMatchObject({ status: 'paid', reversals: [excess] });
  });

  test('is still to be refunded after a cancel of the payment, when the shop has deleted the order [T538]', async () => {
    const fixture = await startFixture();
    const { order, account, webhook, reconcile, pass, ledger, deps, client, names } = fixture;
    await order();
    const impUid = account();
    await webhook(impUid);
    await deposits(fixture, impUid, 14_000);
    await deposits(fixture, impUid, 14_000, 3_000);
    expect(await deps.reversals.read(impUid)).toMatchObject({
      reason: 'deposit_excess',
      state: 'manual',
      amount: 3_000,
    });
    await client.send(new DeleteItemCommand({ TableName: names.orders, Key: { merchant_uid: { S: 'order-1' } } }));
    ledger.cancelInConsole(impUid);
    pass(300);
    await reconcile();
    expect(await deps.reversals.read(impUid)).toMatchObject({
      reason: 'deposit_excess',
      state: 'manual',
      amount: 3_000,
    });
  });

  test('is not ended by a check that read the payment before a deposit [T591]', async () => {
    const fixture = await startFixture();
    const { order, account, webhook, reconcile, pass, deps, now } = fixture;
    await order();
    const impUid = account();
    await webhook(impUid);
    // The order waits for this account again, so the check ends its revocation.
    const revoke = { kind: 'revoke', reason: 'account_superseded', amount: zero, currency: 'KRW' } as const;
    await deps.reversals.request({ ...revoke, impUid, merchantUid: 'order-1' }, now(), 0);
    pass(60);
    const { reversals } = deps;
    let deposit = async () => {
      deposit = async () => undefined;
      await deposits(fixture, impUid, 6_000);
    };
    const finish: typeof reversals.finish = async (...call) => {
      await deposit();
      return reversals.finish(...call);
    };
    const move: typeof reversals.move = async (...call) => {
      await deposit();
      return reversals.move(...call);
    };
    await reconcile({ ...deps, reversals: { ...reversals, finish, move } });
    const required = { kind: 'manual', state: 'manual', reason: 'deposit_mismatch', amount: 6_000 };
    expect(await reversals.read(impUid)).toMatchObject(required);
  });

  test('is still to be refunded after a cancel of a part that its due check settles [T587]', async () => {
    const fixture = await startFixture();
    const { order, account, webhook, reconcile, pass, ledger, deps, show } = fixture;
    await order();
    const impUid = account();
    await webhook(impUid);
    await deposits(fixture, impUid, 14_000);
    await deposits(fixture, impUid, 14_000, 3_000);
    await reconcile();
    const excess = await deps.reversals.read(impUid);
    ledger.cancelInConsole(impUid, 4_000);
    pass(300);
    await reconcile();
    expect((await show()).status).toBe('partial_cancelled');
    // A new `createdAt` would be a second reversal, after an end of the first.
    const same = { reason: 'deposit_excess', state: 'manual', amount: 3_000, createdAt: excess?.createdAt };
    expect(await deps.reversals.read(impUid)).toMatchObject(same);
  });

  test('leaves to the operator what a cancel does not return of mismatched deposits [T577]', async () => {
    const fixture = await startFixture();
    const { order, account, webhook, reconcile, pass, ledger, show } = fixture;
    await order();
    const impUid = account();
    await webhook(impUid);
    await deposits(fixture, impUid, 17_000);
    expect((await show()).reversals).toMatchObject([{ state: 'manual', reason: 'deposit_mismatch', amount: 17_000 }]);
    ledger.cancelInConsole(impUid);
    for (let checks = 0; checks < 2; checks += 1) {
      await webhook(impUid);
      pass(86_400);
      await reconcile();
      expect((await show()).reversals).toMatchObject([{ state: 'manual', reason: 'deposit_mismatch', amount: 3_000 }]);
    }
  });

  test('leaves a deposit of a part to the operator when its account is revoked [T578]', async () => {
    const fixture = await startFixture();
    const { order, account, webhook, reconcile, pass, ledger, show } = fixture;
    await order();
    const impUid = account();
    await webhook(impUid);
    await deposits(fixture, impUid, 6_000);
    ledger.revokeAccount(impUid);
    for (let checks = 0; checks < 2; checks += 1) {
      await webhook(impUid);
      pass(86_400);
      await reconcile();
      expect((await show()).reversals).toMatchObject([{ state: 'manual', reason: 'deposit_mismatch', amount: 6_000 }]);
    }
  });

  test('asks again only for what the operator has not returned, when a further deposit arrives [T579]', async () => {
    const fixture = await startFixture();
    const { order, account, webhook, show, deps, now } = fixture;
    await order();
    const impUid = account();
    await webhook(impUid);
    await deposits(fixture, impUid, 14_000);
    await deposits(fixture, impUid, 14_000, 3_000);
    // `ops -- returned`.
    await deps.reversals.finish(impUid, now(), (await deps.reversals.read(impUid))?.amount);
    await deposits(fixture, impUid, 14_000, 3_000, 2_000);
    expect((await show()).reversals).toMatchObject([{ state: 'manual', reason: 'deposit_excess', amount: 2_000 }]);
    await deposits(fixture, impUid, 14_000, 3_000, 2_000, 1_000);
    expect((await show()).reversals).toMatchObject([{ state: 'manual', reason: 'deposit_excess', amount: 3_000 }]);
    // `Refund Completed` was published for the first 3,000 won.
    expect(await deps.reversals.finish(impUid, now())).toMatchObject({ state: 'done', amount: 3_000 });
    await deposits(fixture, impUid, 14_000, 3_000, 2_000, 1_000);
    expect((await show()).reversals).toMatchObject([{ state: 'done', amount: 3_000 }]);
  });

  test('ends with a cancel that returns what was deposited after an earlier refund [T590]', async () => {
    const fixture = await startFixture();
    const { order, account, webhook, reconcile, pass, ledger, show, deps, now } = fixture;
    await order();
    const impUid = account();
    await webhook(impUid);
    await deposits(fixture, impUid, 6_000);
    // `ops -- returned`.
    await deps.reversals.finish(impUid, now(), (await deps.reversals.read(impUid))?.amount);
    await deposits(fixture, impUid, 6_000, 14_000);
    expect((await show()).reversals).toMatchObject([{ state: 'manual', reason: 'deposit_mismatch', amount: 14_000 }]);
    ledger.cancelInConsole(impUid);
    pass(300);
    await reconcile();
    expect((await show()).reversals).toMatchObject([{ state: 'done', amount: 14_000 }]);
  });

  test('leaves an excess to the operator that arrives after a full refund of the order [T580]', async () => {
    const fixture = await startFixture();
    const { order, account, webhook, show, refund } = fixture;
    await order();
    const impUid = account();
    await webhook(impUid);
    await deposits(fixture, impUid, 14_000);
    const buyer = { holder: '홍길동', bank: '011', number: '352-0000-0000-00' };
    expect(await refund({ account: buyer })).toMatchObject({ status: 200 });
    await deposits(fixture, impUid, 14_000, 3_000);
    const excess = { state: 'manual', reason: 'deposit_excess', amount: 3_000 };
    expect(await show()).toMatchObject({ status: 'cancelled', reversals: [excess] });
  });

  test('leaves only the excess to the operator when the last deposit completes and exceeds the amount', async () => {
    const fixture = await startFixture();
    const { order, account, webhook, show } = fixture;
    await order();
    const impUid = account();
    await webhook(impUid);
    await deposits(fixture, impUid, 6_000);
    await deposits(fixture, impUid, 6_000, 8_000);
    await deposits(fixture, impUid, 6_000, 8_000, 3_000);
    const excess = { state: 'manual', reason: 'deposit_excess', amount: 3_000 };
    expect(await show()).toMatchObject({ status: 'paid', reversals: [excess] });
  });
});

test('keeps a payment that is right after the shop corrects its amount', async () => {
  const { order, paid, webhook, reconcile, pass, show, iamport, client, names } = await startFixture();
  await order();
  iamport.settings.pgRefusesCancels = true;
  await webhook(paid(15_000));
  expect((await show()).reversals).toMatchObject([{ state: 'requested', amount: 15_000 }]);
  // The shop corrects the amount in its own table.
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

test('cancels no payment of the real shop in a test deployment on its Iamport account', async () => {
  const { order, paid, reconcile, pass, show, ledger, deps } = await startFixture();
  const tested: typeof deps = { ...deps, policy: { ...deps.policy, acceptTestPayments: true } };
  await reconcile(tested);
  await order();
  const real = paid(100);
  pass(300);
  await reconcile(tested);
  expect((await show()).reversals).toMatchObject([{ kind: 'manual', state: 'manual', amount: 100 }]);
  expect(ledger.payment(real).cancel_amount).toBe(0);
});

describe('a cancel of a phone payment, which the PG may perform on a later day', () => {
  async function paidByPhone() {
    const fixture = await startFixture();
    await fixture.order();
    fixture.iamport.settings.pgDefersCancels = true;
    const { imp_uid: impUid } = fixture.ledger.open({ merchant_uid: 'order-1', amount: 14_000 });
    fixture.ledger.pay(impUid, { payMethod: 'phone', amount: 100 });
    return { ...fixture, impUid, recorded: () => fixture.deps.reversals.read(impUid) };
  }

  const unanswered = { kind: 'cancel', state: 'manual', message: expect.stringMatching(/^No response arrived/) };

  test('is not sent again after its response was lost: the operator takes over, and the checks end it [T515]', async () => {
    const { iamport, impUid, webhook, reconcile, pass, ledger, recorded } = await paidByPhone();
    iamport.faults.add({ path: '/payments/cancel', answer: 'reset', performed: true });
    await webhook(impUid);
    for (const wait of [300, 3_600, 86_400, 4 * 86_400]) {
      expect(await recorded()).toMatchObject(unanswered);
      pass(wait);
      await webhook(impUid);
      await reconcile();
    }
    expect(ledger.acceptedCancels).toHaveLength(1);
    ledger.cancelInConsole(impUid);
    pass(86_400);
    await reconcile();
    expect(await recorded()).toMatchObject({ state: 'done', amount: 100 });
  });

  test('is not sent again when the instance died before it recorded a result [T516]', async () => {
    const { deps, impUid, webhook, reconcile, pass, ledger, recorded } = await paidByPhone();
    const cancel: typeof deps.iamport.cancel = async (...parameters) => {
      await deps.iamport.cancel(...parameters);
      throw new Error('The instance died');
    };
    await webhook(impUid, { ...deps, iamport: { ...deps.iamport, cancel } });
    expect(await recorded()).toMatchObject({ state: 'requested', attempts: 1 });
    pass(300);
    await reconcile();
    expect(await recorded()).toMatchObject(unanswered);
    expect(ledger.acceptedCancels).toHaveLength(1);
  });

  test('is not sent again when the instance died at a second attempt, after a refusal of the first [T527]', async () => {
    const { deps, iamport, impUid, webhook, reconcile, pass, ledger, recorded } = await paidByPhone();
    iamport.faults.add({ path: '/payments/cancel', status: 400 });
    await webhook(impUid);
    pass(300);
    const cancel: typeof deps.iamport.cancel = async (...parameters) => {
      await deps.iamport.cancel(...parameters);
      throw new Error('The instance died');
    };
    await expect(reconcile({ ...deps, iamport: { ...deps.iamport, cancel } })).rejects.toThrow('The instance died');
    expect(await recorded()).toMatchObject({ state: 'requested', attempts: 2 });
    pass(3_600);
    await reconcile();
    expect(await recorded()).toMatchObject(unanswered);
    expect(ledger.acceptedCancels).toHaveLength(1);
  });

  test.each([
    ['was refused', { status: 400 }],
    ['got 429', { status: 429 }],
  ])('is sent again when it %s [T517]', async (_name, fault) => {
    const { iamport, impUid, webhook, reconcile, pass, ledger, recorded } = await paidByPhone();
    iamport.faults.add({ path: '/payments/cancel', ...fault });
    await webhook(impUid);
    expect(await recorded()).toMatchObject({ state: 'requested' });
    pass(300);
    await reconcile();
    expect(await recorded()).toMatchObject({ state: 'requested', acceptedAt: expect.any(Number) });
    expect(ledger.acceptedCancels).toHaveLength(1);
  });

  test.each(['webhook', 'reconciler'])(
    'is left to the operator as possibly accepted, after the instance died and a later %s finds manual reversals [T531]',
    async (first) => {
      const { deps, impUid, webhook, reconcile, pass, recorded } = await paidByPhone();
      const cancel: typeof deps.iamport.cancel = async (...parameters) => {
        await deps.iamport.cancel(...parameters);
        throw new Error('The instance died');
      };
      await webhook(impUid, { ...deps, iamport: { ...deps.iamport, cancel } });
      const byHand: typeof deps = { ...deps, policy: { ...deps.policy, reversals: 'manual' } };
      pass(300);
      if (first === 'webhook') await webhook(impUid, byHand);
      await reconcile(byHand);
      expect(await recorded()).toMatchObject({ ...unanswered, acceptedAt: expect.any(Number) });
    },
  );

  test('is sent by the reconciler when the order in the shop’s table could not be marked first [T535]', async () => {
    const { shop, webhook, reconcile, pass, ledger, iamport } = await startOwnedFixture();
    iamport.settings.pgDefersCancels = true;
    const { imp_uid: impUid } = ledger.open({ merchant_uid: 'order-1', amount: 14_000 });
    ledger.pay(impUid, { payMethod: 'phone', amount: 100 });
    const announceCancel: typeof shop.orders.announceCancel = async () => {
      throw new StoreUnavailable('DynamoDB returned no response');
    };
    await webhook(impUid, { ...shop, orders: { ...shop.orders, announceCancel } });
    expect(ledger.acceptedCancels).toHaveLength(0);
    pass(300);
    await reconcile(shop);
    expect(await shop.reversals.read(impUid)).toMatchObject({ state: 'requested', acceptedAt: expect.any(Number) });
    expect(ledger.acceptedCancels).toHaveLength(1);
  });

  test('is sent by the reconciler when there was no time to send it', async () => {
    const { deps, impUid, webhook, reconcile, pass, ledger, recorded } = await paidByPhone();
    const cancel: typeof deps.iamport.cancel = async () => {
      throw new NoTimeLeft('No time left');
    };
    await webhook(impUid, { ...deps, iamport: { ...deps.iamport, cancel } });
    pass(300);
    await reconcile();
    expect(await recorded()).toMatchObject({ state: 'requested', acceptedAt: expect.any(Number) });
    expect(ledger.acceptedCancels).toHaveLength(1);
  });
});
