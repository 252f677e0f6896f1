/** Changes through the fake Iamport's API: cancels, registered amounts, virtual accounts. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { awaited, type Caller, paid, start, startCaller } from './caller.ts';

let iamport: Caller;
beforeEach(async () => {
  iamport = await startCaller();
});
afterEach(() => iamport.close());

const cancel = (json: object) => iamport.call('POST', '/payments/cancel', { json });
/** HTTP 200, but not performed. */
const declined = { status: 200, code: 1, message: expect.any(String), response: null };
const refundAccount = { refund_holder: '홍길동', refund_bank: '004', refund_account: '123-456' };

test('ids of the PG have its prefix and 24 digits', () => {
  const payment = iamport.ledger.payment(paid(iamport));
  expect(payment.pg_tid).toMatch(/^StdpayCARD\d{24}$/);
  expect(iamport.ledger.payment(awaited(iamport)).pg_tid).toMatch(/^StdpayVBNK\d{24}$/);
});

describe('cancel', () => {
  test('of a part sets the status cancelled, and does not change the amount', async () => {
    const imp_uid = paid(iamport);
    iamport.at.seconds += 60;
    expect(await cancel({ imp_uid, amount: 4000, checksum: 14000, reason: '변심' })).toMatchObject({
      code: 0,
      response: {
        status: 'cancelled',
        amount: 14000,
        cancel_amount: 4000,
        paid_at: start,
        cancelled_at: start + 60,
        cancel_reason: '변심',
        cancel_history: [{ amount: 4000, reason: '변심', cancelled_at: start + 60 }],
      },
    });
    expect(await cancel({ imp_uid, amount: 10000, checksum: 10000 })).toMatchObject({
      response: { status: 'cancelled', amount: 14000, cancel_amount: 14000, cancel_history: [{}, {}] },
    });
  });

  test.each([{}, { amount: 0 }])('with an amount of %j cancels the rest', async (amount) => {
    const imp_uid = paid(iamport);
    await cancel({ imp_uid, amount: 4000 });
    expect(await cancel({ imp_uid, ...amount })).toMatchObject({ code: 0, response: { cancel_amount: 14000 } });
  });

  test('cents do not drift', async () => {
    const { imp_uid } = iamport.ledger.open({ merchant_uid: 'dollars', amount: 0.3, currency: 'USD' });
    iamport.ledger.pay(imp_uid);
    expect(await cancel({ imp_uid, amount: 0.1, checksum: 0.3 })).toMatchObject({ response: { cancel_amount: 0.1 } });
    expect(await cancel({ imp_uid, amount: 0.2, checksum: 0.2 })).toMatchObject({ response: { cancel_amount: 0.3 } });
    expect(await cancel({ imp_uid })).toEqual(declined);
  });

  test('accepts a form, where an empty checksum counts as left out', async () => {
    const form = { imp_uid: paid(iamport), amount: '4000', checksum: '' };
    expect(await iamport.call('POST', '/payments/cancel', { form })).toMatchObject({
      code: 0,
      response: { cancel_amount: 4000 },
    });
  });

  test('prefers imp_uid to merchant_uid, which alone selects the newest paid payment', async () => {
    const first = paid(iamport, 'order-1');
    const second = paid(iamport, 'order-1');
    iamport.ledger.open({ merchant_uid: 'order-1', amount: 14000 });
    const other = paid(iamport, 'order-2');
    expect(await cancel({ imp_uid: first, merchant_uid: 'order-2' })).toMatchObject({ response: { imp_uid: first } });
    expect(await cancel({ merchant_uid: 'order-1' })).toMatchObject({ response: { imp_uid: second } });
    expect(iamport.ledger.payment(other).cancel_amount).toBe(0);
  });

  test.each([
    ['a checksum other than the rest', { amount: 1000, checksum: 13999 }],
    ['a checksum of 0', { amount: 1000, checksum: 0 }],
    ['an amount over the rest', { amount: 14001 }],
    ['a negative amount', { amount: -1 }],
  ])('with %s is declined without a change', async (_case, request) => {
    const imp_uid = paid(iamport);
    expect(await cancel({ imp_uid, ...request })).toEqual(declined);
    expect(iamport.ledger.payment(imp_uid)).toMatchObject({ status: 'paid', cancel_amount: 0, cancel_history: [] });
  });

  test('of an unknown, unpaid or fully cancelled payment is declined', async () => {
    expect(await cancel({ imp_uid: 'imp_000000000000' })).toEqual(declined);
    expect(await cancel({})).toEqual(declined);
    const { imp_uid: left } = iamport.ledger.open({ merchant_uid: 'left', amount: 1000 });
    expect(await cancel({ imp_uid: left })).toEqual(declined);
    const imp_uid = paid(iamport);
    await cancel({ imp_uid });
    expect(await cancel({ imp_uid })).toEqual(declined);
  });

  test('is declined while the PG refuses cancels', async () => {
    const imp_uid = paid(iamport);
    iamport.settings.pgRefusesCancels = true;
    expect(await cancel({ imp_uid })).toEqual(declined);
    iamport.settings.pgRefusesCancels = false;
    expect(await cancel({ imp_uid })).toMatchObject({ code: 0, response: { cancel_amount: 14000 } });
  });

  test('of a deposit needs every field of the refund account', async () => {
    const imp_uid = awaited(iamport);
    iamport.ledger.deposit(imp_uid);
    expect(await cancel({ imp_uid })).toEqual(declined);
    expect(await cancel({ imp_uid, refund_holder: '홍길동', refund_bank: '004' })).toEqual(declined);
    expect(await cancel({ imp_uid, ...refundAccount })).toMatchObject({ code: 0, response: { cancel_amount: 14000 } });
  });
});

describe('registered amounts', () => {
  const prepare = (method: string, json: object) => iamport.call(method, '/payments/prepare', { json });

  test('are registered once, changed by PUT and returned by GET', async () => {
    const registered = { merchant_uid: 'order-1', amount: 14000, currency: 'KRW' };
    expect(await prepare('POST', registered)).toMatchObject({ code: 0, response: registered });
    expect(await prepare('POST', registered)).toEqual(declined);
    expect(await prepare('PUT', { merchant_uid: 'order-1', amount: 15000 })).toMatchObject({ code: 0 });
    const shown = await iamport.call('GET', '/payments/prepare/order-1');
    expect(shown).toMatchObject({ response: { ...registered, amount: 15000 } });
  });

  test('that are not registered get a 404', async () => {
    expect(await prepare('PUT', { merchant_uid: 'order-1', amount: 1 })).toMatchObject({ status: 404, code: -1 });
    expect(await iamport.call('GET', '/payments/prepare/order-1')).toMatchObject({ status: 404, code: -1 });
  });

  test('need a merchant_uid of at most 40 characters', async () => {
    expect(await prepare('POST', { merchant_uid: 'm'.repeat(40), amount: 1 })).toMatchObject({ code: 0 });
    expect(await prepare('POST', { merchant_uid: 'm'.repeat(41), amount: 1 })).toMatchObject({ status: 400 });
    expect(await prepare('POST', { amount: 1 })).toMatchObject({ status: 400 });
  });

  test('refuse a window with another amount or currency', async () => {
    await prepare('POST', { merchant_uid: 'order-1', amount: 14000, currency: 'KRW' });
    await prepare('POST', { merchant_uid: 'any-currency', amount: 10 });
    expect(() => iamport.ledger.open({ merchant_uid: 'order-1', amount: 100 })).toThrow('사전에 등록된');
    expect(() => iamport.ledger.open({ merchant_uid: 'order-1', amount: 14000, currency: 'USD' })).toThrow('사전에');
    expect(iamport.ledger.open({ merchant_uid: 'order-1', amount: 14000 }).status).toBe('ready');
    expect(iamport.ledger.open({ merchant_uid: 'any-currency', amount: 10, currency: 'USD' }).currency).toBe('USD');
  });
});

describe('virtual accounts', () => {
  const revoke = (imp_uid: string, query = '?pg_api_key=local') => iamport.call('DELETE', `/vbanks/${imp_uid}${query}`);

  test('are issued as ready with number, bank, deadline and issue time', async () => {
    const { imp_uid } = iamport.ledger.open({ merchant_uid: 'order-1', amount: 14000 });
    iamport.ledger.issueAccount(imp_uid, { lastsSeconds: 3600 });
    expect(await iamport.call('GET', `/payments/${imp_uid}`)).toMatchObject({
      response: {
        status: 'ready',
        pay_method: 'vbank',
        vbank_num: expect.stringMatching(/^[\d-]+$/),
        vbank_name: '농협은행',
        vbank_date: start + 3600,
        vbank_issued_at: start,
        paid_at: 0,
      },
    });
  });

  test('are paid by a deposit, also after the bank has reversed an earlier one', async () => {
    const imp_uid = awaited(iamport);
    iamport.at.seconds += 100;
    expect(iamport.ledger.deposit(imp_uid)).toMatchObject({ status: 'paid', paid_at: start + 100 });
    expect(() => iamport.ledger.deposit(imp_uid)).toThrow();
    expect(iamport.ledger.takeBackDeposit(imp_uid)).toMatchObject({ status: 'ready', paid_at: 0 });
    iamport.at.seconds += 100;
    expect(iamport.ledger.deposit(imp_uid)).toMatchObject({ status: 'paid', paid_at: start + 200 });
  });

  test('are revoked only with the key of KG Inicis, and then refuse deposits', async () => {
    const imp_uid = awaited(iamport);
    expect(await revoke(imp_uid, '')).toEqual(declined);
    expect(await revoke(imp_uid, '?pg_api_key=wrong')).toEqual(declined);
    expect(await revoke(imp_uid)).toMatchObject({ code: 0, response: { status: 'cancelled', cancel_amount: 0 } });
    expect(() => iamport.ledger.deposit(imp_uid)).toThrow();
    expect(await revoke(imp_uid)).toMatchObject({ status: 400, code: -1 });
  });

  test('of another PG are revoked without a key', async () => {
    const { imp_uid } = iamport.ledger.open({ merchant_uid: 'order-1', amount: 14000, pg: 'kcp.T0000' });
    iamport.ledger.issueAccount(imp_uid);
    expect(await revoke(imp_uid, '')).toMatchObject({ code: 0, response: { status: 'cancelled' } });
  });

  test('that do not exist, were never issued or are paid cannot be revoked', async () => {
    expect(await revoke('imp_000000000000')).toMatchObject({ status: 404, code: -1 });
    expect(await revoke(paid(iamport))).toMatchObject({ status: 400, code: -1 });
    const imp_uid = awaited(iamport);
    iamport.ledger.deposit(imp_uid);
    expect(await revoke(imp_uid)).toMatchObject({ status: 400, code: -1 });
  });
});

test('a payment first reported as failed may be approved later', async () => {
  const { imp_uid } = iamport.ledger.open({ merchant_uid: 'order-1', amount: 14000 });
  expect(iamport.ledger.fail(imp_uid, '한도초과')).toMatchObject({ status: 'failed', failed_at: start, paid_at: 0 });
  iamport.at.seconds += 60;
  expect(iamport.ledger.pay(imp_uid)).toMatchObject({ status: 'paid', paid_at: start + 60, failed_at: 0 });
  expect(() => iamport.ledger.fail(imp_uid, '한도초과')).toThrow();
});

test.each(['{', '"text"', '[1]'])('a body of %s gets a 400', async (body) => {
  const { access_token: authorization } = await iamport.token();
  const response = await fetch(`${iamport.url}/payments/prepare`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body,
  });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ code: -1, response: null });
});
