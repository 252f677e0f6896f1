/** Calls the HTTP handlers over HTTP: through the local gateway, in the bundles that deploy, with a real database. */

import { hash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type System, startSystem } from '../support/system.ts';

let system: System;
beforeAll(async () => {
  // Thirty calls at once start several processes: on a busy machine some need longer than the 12 s of the template.
  system = await startSystem({ timeoutSeconds: 60 });
});
afterAll(() => system.close());
beforeEach(() => {
  system.iamport.settings.webhooks = 'never';
  system.iamport.settings.pgRefusesCancels = false;
  system.iamport.faults.clear();
  system.iamport.faults.forgetCalls();
});

/** A paid payment at the fake Iamport. */
function paid(merchantUid: string, amount = 14_000, payMethod = 'card'): string {
  const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000, pay_method: payMethod });
  return system.iamport.ledger.pay(imp_uid, { amount, payMethod }).imp_uid;
}

/** A payment with a virtual account. */
function withAccount(merchantUid: string): string {
  const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000, pay_method: 'vbank' });
  return system.iamport.ledger.issueAccount(imp_uid).imp_uid;
}

const orderOf = async (merchantUid: string) => (await system.shop('GET', merchantUid)).json as Record<string, unknown>;
const revisionOf = async (merchantUid: string) => (await orderOf(merchantUid)).revision;

describe('POST /payments/complete', () => {
  test('settles the order of a paid payment once, however often the caller repeats the request [T54]', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid);
    const first = await system.complete({ imp_uid: impUid, merchant_uid: merchantUid });
    expect(first.status).toBe(200);
    expect(first.json).toEqual({
      status: 'paid',
      imp_uid: impUid,
      merchant_uid: merchantUid,
      amount: 14_000,
      currency: 'KRW',
      receipt_url: expect.stringMatching(/\/receipt\/imp_\d+$/),
      apply_num: expect.stringMatching(/^\d+$/),
      message: '결제가 완료되었습니다.',
    });
    const again = await system.complete({ imp_uid: impUid, merchant_uid: merchantUid });
    expect(again.json).toEqual(first.json);
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'paid', imp_uid: impUid, revision: 2 });
  });

  test('calls Iamport once', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid);
    system.iamport.faults.forgetCalls();
    await system.complete({ imp_uid: impUid, merchant_uid: merchantUid });
    expect(system.iamport.faults.counts()).toEqual({ [`GET /payments/${impUid}`]: 1 });
  });

  test('returns only the status for an imp_uid without merchant_uid, and settles the order', async () => {
    const merchantUid = await system.order();
    const { json } = await system.complete({ imp_uid: paid(merchantUid) }, { 'accept-language': 'en-US,en;q=0.9' });
    expect(json).toEqual({ status: 'paid', message: 'Your payment is complete.' });
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'paid' });
  });

  test('reads a form like JSON, and ignores all other fields', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid);
    const body = new URLSearchParams({
      imp_uid: impUid,
      merchant_uid: merchantUid,
      status: 'failed',
      paid_amount: '1',
    });
    const { status, json } = await system.send('/payments/complete', { method: 'POST', body });
    expect(status).toBe(200);
    expect(json).toMatchObject({ status: 'paid', amount: 14_000 });
  });

  test('returns 409 for a payment of another order, and settles neither order', async () => {
    const [mine, other] = [await system.order(), await system.order()];
    const { status, json } = await system.complete({ imp_uid: paid(other), merchant_uid: mine });
    expect(status).toBe(409);
    expect(json).toMatchObject({ code: 'order_mismatch' });
    expect([await revisionOf(mine), await revisionOf(other)]).toEqual([1, 1]);
  });

  test('returns 404 for a payment unknown to Iamport, and for an order that is not registered', async () => {
    expect(await system.complete({ imp_uid: 'imp_000000000000' })).toMatchObject({
      status: 404,
      json: { code: 'payment_not_found' },
    });
    const impUid = paid('never-registered');
    const response = await system.complete({ imp_uid: impUid, merchant_uid: 'never-registered' });
    expect(response).toMatchObject({ status: 404, json: { code: 'order_not_found' } });
    expect(system.iamport.ledger.payment(impUid).cancel_amount).toBe(0);
  });

  test('returns ready when the buyer left the payment window [T63]', async () => {
    const merchantUid = await system.order();
    const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
    const { json } = await system.complete({ imp_uid, merchant_uid: merchantUid });
    expect(json).toMatchObject({ status: 'ready' });
    expect(await revisionOf(merchantUid)).toBe(1);
  });

  test('returns the message of the PG for a failed payment, and the order stays payable [T64]', async () => {
    const merchantUid = await system.order();
    const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
    system.iamport.ledger.fail(imp_uid, '한도 초과');
    const { json } = await system.complete({ imp_uid, merchant_uid: merchantUid });
    expect(json).toMatchObject({ status: 'failed', reason: '한도 초과' });
    expect((await system.complete({ imp_uid: paid(merchantUid), merchant_uid: merchantUid })).json).toMatchObject({
      status: 'paid',
    });
  });

  test('returns bank, number, holder and deadline of a virtual account, and its deposit settles the order [T56]', async () => {
    const merchantUid = await system.order();
    const impUid = withAccount(merchantUid);
    const { json } = await system.complete({ imp_uid: impUid, merchant_uid: merchantUid });
    expect(json).toMatchObject({
      status: 'virtual_account_issued',
      virtual_account: {
        bank: '농협은행',
        number: expect.stringMatching(/^790-/),
        holder: '이니시스',
        due_at: expect.any(Number),
      },
    });
    system.iamport.ledger.deposit(impUid);
    expect((await system.webhook({ imp_uid: impUid, merchant_uid: merchantUid, status: 'paid' })).json).toEqual({
      settled: true,
    });
    expect(await orderOf(merchantUid)).toMatchObject({
      status: 'paid',
      imp_uid: impUid,
      payment: { pay_method: 'vbank' },
    });
  });
});

describe('a caller without both ids of the payment', () => {
  test('shows only the status for an order number, and no account, amount or receipt', async () => {
    const merchantUid = await system.order();
    withAccount(merchantUid);
    const { text } = await system.mobile({ merchant_uid: merchantUid });
    expect(text).toContain('가상계좌가 발급되었습니다.');
    expect(text).not.toMatch(/790-|이니시스|14,000/);
  });

  test('returns nothing of the payment that settled an order to a caller with another window', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid);
    await system.complete({ imp_uid: impUid, merchant_uid: merchantUid });
    const { imp_uid: own } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
    const { json } = await system.complete({ imp_uid: own, merchant_uid: merchantUid });
    expect(json).toEqual({ status: 'paid', message: '결제가 완료되었습니다.' });
  });
});

describe('reversals of payments', () => {
  test('cancels a payment of a forged amount with the amount paid, and the order stays payable [T52]', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid, 100);
    const { json } = await system.complete({ imp_uid: impUid, merchant_uid: merchantUid });
    expect(json).toMatchObject({
      status: 'rejected',
      reason: 'amount_mismatch',
      amount: 100,
      reversal: { kind: 'cancel', state: 'done' },
      message: '결제 금액이 주문 금액과 다릅니다. 결제를 취소했습니다.',
    });
    expect(system.iamport.ledger.payment(impUid)).toMatchObject({ status: 'cancelled', cancel_amount: 100 });
    expect(await orderOf(merchantUid)).toMatchObject({
      status: 'ready',
      revision: 1,
      reversals: [
        { imp_uid: impUid, kind: 'cancel', state: 'done', reason: 'amount_mismatch', amount: 100, attempts: 1 },
      ],
    });
    expect((await system.complete({ imp_uid: paid(merchantUid), merchant_uid: merchantUid })).json).toMatchObject({
      status: 'paid',
    });
  });

  test('cancels a payment once for six concurrent requests', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid, 100);
    const body = { imp_uid: impUid, merchant_uid: merchantUid };
    await Promise.all([...Array(6).keys()].map((index) => (index % 2 ? system.webhook(body) : system.complete(body))));
    expect(system.iamport.faults.counts()['POST /payments/cancel']).toBe(1);
    expect(system.iamport.ledger.payment(impUid).cancel_amount).toBe(100);
    expect((await system.complete(body)).json).toMatchObject({ status: 'rejected', reversal: { state: 'done' } });
  });

  test('cancels a second payment of a paid order, and keeps the first one [T6]', async () => {
    const merchantUid = await system.order();
    const [first, second] = [paid(merchantUid), paid(merchantUid)];
    await system.complete({ imp_uid: first, merchant_uid: merchantUid });
    const { json } = await system.complete({ imp_uid: second, merchant_uid: merchantUid });
    expect(json).toMatchObject({ status: 'rejected', reason: 'duplicate_payment', reversal: { state: 'done' } });
    expect(system.iamport.ledger.payment(first)).toMatchObject({ status: 'paid', cancel_amount: 0 });
    expect(system.iamport.ledger.payment(second)).toMatchObject({ status: 'cancelled', cancel_amount: 14_000 });
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'paid', imp_uid: first });
  });

  test('leaves a deposit of another amount to the operator', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid, 100, 'vbank');
    const { json } = await system.complete({ imp_uid: impUid, merchant_uid: merchantUid });
    expect(json).toMatchObject({
      status: 'rejected',
      reversal: { kind: 'manual', state: 'manual' },
      message: /상점에서 환불/,
    });
    expect(system.iamport.faults.counts()['POST /payments/cancel']).toBeUndefined();
  });

  test('revokes a virtual account of a paid order [T71]', async () => {
    const merchantUid = await system.order();
    await system.complete({ imp_uid: paid(merchantUid), merchant_uid: merchantUid });
    const impUid = withAccount(merchantUid);
    await system.webhook({ imp_uid: impUid, merchant_uid: merchantUid, status: 'ready' });
    expect(system.iamport.ledger.payment(impUid).status).toBe('cancelled');
    expect(await orderOf(merchantUid)).toMatchObject({
      status: 'paid',
      reversals: [{ imp_uid: impUid, kind: 'revoke', state: 'done' }],
    });
  });

  test('leaves a deposit into an account that could not be revoked to the operator', async () => {
    const merchantUid = await system.order();
    await system.complete({ imp_uid: paid(merchantUid), merchant_uid: merchantUid });
    const impUid = withAccount(merchantUid);
    system.iamport.faults.add({ path: '/vbanks', status: 500 });
    await system.webhook({ imp_uid: impUid });
    system.iamport.ledger.deposit(impUid);
    await system.webhook({ imp_uid: impUid });
    expect(await orderOf(merchantUid)).toMatchObject({
      status: 'paid',
      reversals: [{ imp_uid: impUid, kind: 'manual', state: 'manual', amount: 14_000, reason: 'duplicate_payment' }],
    });
  });

  test('rejects a test payment without a reversal [T61]', async () => {
    const merchantUid = await system.order();
    const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
    system.iamport.ledger.pay(imp_uid, { sandbox: true });
    const { json } = await system.complete({ imp_uid, merchant_uid: merchantUid });
    expect(json).toMatchObject({ status: 'rejected', reason: 'test_payment' });
    expect(json).not.toHaveProperty('reversal');
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'ready', revision: 1, reversals: [] });
  });

  test('leaves the order as it is when a test payment fails [T592]', async () => {
    const merchantUid = await system.order();
    const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
    system.iamport.ledger.fail(imp_uid, '한도 초과').sandbox = true;
    const { json } = await system.complete({ imp_uid, merchant_uid: merchantUid });
    expect(json).toMatchObject({ status: 'failed', reason: '한도 초과' });
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'ready', revision: 1 });
  });

  test('keeps a reversal that the PG refuses requested, with the message of the PG', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid, 100);
    system.iamport.settings.pgRefusesCancels = true;
    const { json } = await system.complete({ imp_uid: impUid, merchant_uid: merchantUid });
    expect(json).toMatchObject({ status: 'rejected', reversal: { state: 'requested' }, message: /취소하고 있습니다/ });
    expect(await orderOf(merchantUid)).toMatchObject({
      reversals: [{ state: 'requested', attempts: 1, message: 'PG사에서 취소 요청을 거절하였습니다.' }],
    });
  });

  test('finds a cancel whose response was lost, and does not repeat it', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid, 100);
    system.iamport.faults.add({ path: '/payments/cancel', answer: 'reset', performed: true });
    const first = await system.complete({ imp_uid: impUid, merchant_uid: merchantUid });
    expect(first.json).toMatchObject({ status: 'rejected', reversal: { state: 'requested' } });
    const again = await system.complete({ imp_uid: impUid, merchant_uid: merchantUid });
    expect(again.json).toMatchObject({ status: 'rejected', reason: 'amount_mismatch', reversal: { state: 'done' } });
    expect(system.iamport.faults.counts()['POST /payments/cancel']).toBe(1);
  });
});

describe('changes of a settled payment', () => {
  test('applies a partial and a full cancel in the console to the order [T65]', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid);
    await system.complete({ imp_uid: impUid });
    system.iamport.ledger.cancelInConsole(impUid, 4_000);
    await system.webhook({ imp_uid: impUid, status: 'cancelled' });
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'partial_cancelled', cancelled_amount: 4_000 });
    // The buyer's response has it too, and a further cancel without a webhook.
    const outcome = async () => (await system.complete({ imp_uid: impUid, merchant_uid: merchantUid })).json;
    expect(await outcome()).toMatchObject({ status: 'partial_cancelled', amount: 14_000, cancelled_amount: 4_000 });
    system.iamport.ledger.cancelInConsole(impUid, 1_000);
    expect(await outcome()).toMatchObject({ status: 'partial_cancelled', amount: 14_000, cancelled_amount: 5_000 });
    system.iamport.ledger.cancelInConsole(impUid);
    await system.webhook({ imp_uid: impUid, status: 'cancelled' });
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'cancelled', cancelled_amount: 14_000, revision: 5 });
    expect(await outcome()).toMatchObject({ status: 'cancelled', cancelled_amount: 14_000 });
  });

  test('applies a deposit that the bank takes back and gives again [T72]', async () => {
    const merchantUid = await system.order();
    const impUid = withAccount(merchantUid);
    system.iamport.ledger.deposit(impUid);
    await system.webhook({ imp_uid: impUid });
    system.iamport.ledger.takeBackDeposit(impUid);
    await system.webhook({ imp_uid: impUid });
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'deposit_reversed', imp_uid: impUid });
    system.iamport.ledger.deposit(impUid);
    await system.webhook({ imp_uid: impUid });
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'paid', imp_uid: impUid });
  });

  test('settles a payment once for thirty concurrent calls of three endpoints [T45]', async () => {
    const merchantUid = await system.order();
    const body = { imp_uid: paid(merchantUid), merchant_uid: merchantUid };
    const calls = [...Array(30).keys()].map((index) => {
      if (index % 3 === 0) return system.complete(body);
      return index % 3 === 1 ? system.webhook(body) : system.mobile(body);
    });
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(Array(30).fill(200));
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'paid', revision: 2 });
  });
});

describe('POST /payments/webhook', () => {
  test('returns 200 with settled: false for an unknown payment and an unknown order', async () => {
    expect(await system.webhook({ imp_uid: 'imp_000000000000' })).toMatchObject({
      status: 200,
      json: { settled: false, code: 'payment_not_found' },
    });
    const impUid = paid('never-registered-2');
    expect(await system.webhook({ imp_uid: impUid })).toMatchObject({
      status: 200,
      json: { settled: false, code: 'order_not_found' },
    });
  });

  test('settles the order that the payment names, whatever merchant_uid the notification has', async () => {
    const [mine, other] = [await system.order(), await system.order()];
    expect((await system.webhook({ imp_uid: paid(mine), merchant_uid: other, status: 'paid' })).json).toEqual({
      settled: true,
    });
    expect([await revisionOf(mine), await revisionOf(other)]).toEqual([2, 1]);
  });

  test('settles nothing for a forged success of an unpaid payment [T9]', async () => {
    const merchantUid = await system.order();
    const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
    await system.webhook({ imp_uid, merchant_uid: merchantUid, status: 'paid' });
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'ready', revision: 1 });
  });

  test.each(['json', 'form'] as const)(
    'settles the order of a notification that the fake Iamport sends as %s',
    async (format) => {
      const merchantUid = await system.order();
      Object.assign(system.iamport.settings, { webhooks: 'now', format });
      paid(merchantUid);
      await system.iamport.webhooks.idle();
      expect(await orderOf(merchantUid)).toMatchObject({ status: 'paid' });
    },
  );
});

describe('GET /payments/complete/mobile', () => {
  test('returns a page in Korean for a paid payment, which runs no script but its own [T48]', async () => {
    const merchantUid = await system.order({ name: '아메리카노' });
    const response = await system.mobile({
      imp_uid: paid(merchantUid),
      merchant_uid: merchantUid,
      imp_success: 'false',
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('x-frame-options')).toBe('DENY');
    expect(response.text).toContain('결제가 완료되었습니다.');
    expect(response.text).toContain('₩14,000');
    expect(response.text).toContain(merchantUid);
    const scripts = [...response.text.matchAll(/<script[^>]*>([^<]*)/g)].map(([, code = '']) => code);
    const allowed = response.headers.get('content-security-policy')?.match(/script-src [^;]*/)?.[0];
    expect([allowed]).toEqual(scripts.map((code) => `script-src 'sha256-${hash('sha256', code, 'base64')}'`));
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'paid' });
  });

  test('shows a virtual account', async () => {
    const merchantUid = await system.order();
    const response = await system.mobile({ imp_uid: withAccount(merchantUid), merchant_uid: merchantUid });
    expect(response.text).toMatch(/농협은행.*790-\d{4}-\d{6}.*이니시스/s);
  });

  test('shows neither amount nor order for an imp_uid without merchant_uid', async () => {
    const merchantUid = await system.order();
    const response = await system.mobile({ imp_uid: paid(merchantUid) }, { 'accept-language': 'en' });
    expect(response.text).toContain('Your payment is complete.');
    expect(response.text).not.toContain(merchantUid);
    expect(response.text).not.toContain('14,000');
  });

  test('accepts a repeated field with one value, and repeated unknown fields', async () => {
    const merchantUid = await system.order();
    const ids = `imp_uid=${paid(merchantUid)}&merchant_uid=${merchantUid}`;
    const response = await system.send(`/payments/complete/mobile?merchant_uid=${merchantUid}&utm=a&utm=b&${ids}`);
    expect(response.status).toBe(200);
    expect(response.text).toContain('결제가 완료되었습니다.');
    expect((await system.send(`/payments/complete/mobile?merchant_uid=other&${ids}`)).status).toBe(400);
  });

  test('shows the newest payment of a merchant_uid without imp_uid', async () => {
    const merchantUid = await system.order();
    paid(merchantUid);
    expect((await system.mobile({ merchant_uid: merchantUid })).text).toContain('결제가 완료되었습니다.');
  });

  test('returns 200 with a page that reloads while Iamport is unavailable', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid);
    system.iamport.faults.add({ path: '/payments', status: 500, times: 2 });
    const response = await system.mobile({ imp_uid: impUid, merchant_uid: merchantUid });
    expect(response.status).toBe(200);
    expect(response.text).toContain('아직 확인하지 못했습니다');
    const next = /http-equiv="refresh" content="3;url=\?([^"]+)"/.exec(response.text)?.[1]?.replaceAll('&amp;', '&');
    expect((await system.send(`/payments/complete/mobile?${next}`)).text).toContain('결제가 완료되었습니다.');
  });

  test('stops reloading after 20 tries, and refers the buyer to the order history', async () => {
    const merchantUid = await system.order();
    system.iamport.faults.add({ path: '/payments', status: 500, times: 2 });
    const response = await system.mobile({ imp_uid: paid(merchantUid), merchant_uid: merchantUid, again: '20' });
    expect(response.text).not.toContain('http-equiv');
    expect(response.text).toContain('주문 내역에서 확인');
  });

  test.each([
    ['is unknown', { imp_uid: 'imp_000000000000' }, 404],
    ['belongs to another order', {}, 409],
  ])('returns a page without details for a payment that %s', async (_name, query, status) => {
    const ids = status === 409 ? { imp_uid: paid(await system.order()), merchant_uid: await system.order() } : query;
    const response = await system.mobile({ ...ids, error_msg: '<script>alert(1)</script>' } as Record<string, string>);
    expect(response.status).toBe(status);
    expect(response.text).toContain('결제 정보를 찾을 수 없습니다.');
    expect(response.text).not.toContain('alert');
  });
});

describe('PUT and GET /orders/{merchant_uid}', () => {
  test('registers an order once, and its amount at Iamport', async () => {
    const merchantUid = await system.order();
    expect(await system.shop('PUT', merchantUid, { amount: 14_000 })).toMatchObject({
      status: 200,
      json: {
        merchant_uid: merchantUid,
        amount: 14_000,
        currency: 'KRW',
        status: 'ready',
        revision: 1,
        prepared: true,
      },
    });
    expect(system.iamport.ledger.prepared.of(merchantUid)).toMatchObject({ amount: 14_000 });
  });

  test('returns 409 for another amount or currency, and changes nothing', async () => {
    const merchantUid = await system.order();
    const response = await system.shop('PUT', merchantUid, { amount: 1 });
    expect(response).toMatchObject({ status: 409, json: { code: 'order_exists' } });
    expect(await system.shop('PUT', merchantUid, { amount: 14_000, currency: 'JPY' })).toMatchObject({ status: 409 });
    expect(await orderOf(merchantUid)).toMatchObject({ amount: 14_000, currency: 'KRW' });
  });

  test('registers an order with prepared: false when Iamport is unavailable', async () => {
    system.iamport.faults.add({ path: '/payments/prepare', status: 500 });
    const response = await system.shop('PUT', 'order-unprepared', { amount: 14_000 });
    expect(response).toMatchObject({ status: 201, json: { prepared: false } });
    expect(await system.shop('PUT', 'order-unprepared', { amount: 14_000 })).toMatchObject({
      status: 200,
      json: { prepared: true },
    });
  });

  test('accepts an order number with Korean and spaces', async () => {
    const merchantUid = '주문 1-2 (선물)';
    expect(await system.shop('PUT', merchantUid, { amount: 14_000 })).toMatchObject({ status: 201 });
    await system.complete({ imp_uid: paid(merchantUid), merchant_uid: merchantUid });
    expect(await orderOf(merchantUid)).toMatchObject({ merchant_uid: merchantUid, status: 'paid' });
  });

  test('returns 400 for an order number with a separator of paths', async () => {
    for (const merchantUid of ['a?b', 'a#b', 'a%b', 'a\\b']) {
      expect(await system.shop('PUT', merchantUid, { amount: 14_000 }), merchantUid).toMatchObject({
        status: 400,
        json: {
          code: 'invalid_request',
          detail: 'merchant_uid must have none of / \\ ? # %, which do not survive in a path.',
        },
      });
    }
    // API Gateway reads an encoded slash as a slash, so no route matches.
    expect(await system.send('/orders/a%2Fb', { method: 'PUT' })).toMatchObject({
      status: 404,
      json: { message: 'Not Found' },
    });
  });

  test('returns 401 for a call of PUT /orders without a key', async () => {
    const response = await system.send('/orders/order-1', { method: 'PUT', body: '{"amount":1}' });
    expect(response).toMatchObject({ status: 401, json: { code: 'unauthorised' } });
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
  });

  test('returns 404 for an order that is not registered', async () => {
    expect(await system.shop('GET', 'no-such-order')).toMatchObject({ status: 404, json: { code: 'order_not_found' } });
  });
});

describe('refunds, closing and confirm', () => {
  test('cancels the amount of a refund, and applies it to the order', async () => {
    const merchantUid = await system.order();
    await system.complete({ imp_uid: paid(merchantUid) });
    const response = await system.shop(
      'POST',
      `${merchantUid}/refunds`,
      { amount: 4_000, reason: '단순 변심' },
      'part',
    );
    expect(response).toMatchObject({
      status: 200,
      json: { refund: { state: 'done' }, order: { status: 'partial_cancelled' } },
    });
    expect(await system.send(`/orders/${merchantUid}/refunds`, { method: 'POST', body: '{}' })).toMatchObject({
      status: 401,
    });
  });

  test('closes an order, and returns 409 to confirm requests for it', async () => {
    const merchantUid = await system.order();
    const request = {
      method: 'POST',
      body: new URLSearchParams({ imp_uid: 'imp_1', merchant_uid: merchantUid, amount: '14000' }),
    };
    expect(await system.send('/payments/confirm', request)).toMatchObject({ status: 200, json: {} });
    expect((await system.shop('DELETE', merchantUid)).status).toBe(204);
    expect(await system.send('/payments/confirm', request)).toMatchObject({
      status: 409,
      json: { reason: '주문 상태나 금액이 결제 요청과 달라 결제를 진행할 수 없습니다.' },
    });
    expect(await system.send(`/orders/${merchantUid}`, { method: 'DELETE' })).toMatchObject({ status: 401 });
  });

  test('returns 200 to a confirm request with the right amount, and 409 to one with a forged amount [T66]', async () => {
    const merchantUid = await system.order();
    const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
    const request = (amount: number) =>
      system.send('/payments/confirm', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ imp_uid, merchant_uid: merchantUid, amount }),
      });
    expect((await request(14_000)).status).toBe(200);
    expect((await request(100)).status).toBe(409);
  });
});

describe('faults of Iamport', () => {
  test('returns 503 with retry-after while Iamport is unavailable, and leaves the order unchanged [T67]', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid);
    system.iamport.faults.add({ path: '/payments', status: 500, times: 4 });
    for (const response of [
      await system.complete({ imp_uid: impUid, merchant_uid: merchantUid }),
      await system.webhook({ imp_uid: impUid }),
    ]) {
      expect(response).toMatchObject({ status: 503, json: { code: 'iamport_unavailable' } });
      expect(response.headers.get('retry-after')).toBe('5');
    }
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'ready', revision: 1 });
  });

  test('returns 502 for an unreadable response of Iamport, and 503 to a webhook so that Iamport repeats it [T58]', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid);
    system.iamport.faults.add({ path: '/payments', answer: 'garbage', times: 2 });
    expect(await system.complete({ imp_uid: impUid })).toMatchObject({ status: 502, json: { code: 'iamport_error' } });
    expect(await system.webhook({ imp_uid: impUid })).toMatchObject({ status: 503, json: { code: 'not_settled' } });
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'ready', revision: 1 });
  });

  test('refreshes an expired token once, and settles the payment', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid);
    system.iamport.tokens.forget();
    expect((await system.complete({ imp_uid: impUid, merchant_uid: merchantUid })).json).toMatchObject({
      status: 'paid',
    });
    expect(system.iamport.faults.counts()).toMatchObject({ [`GET /payments/${impUid}`]: 2, 'POST /users/getToken': 1 });
  });
});

test('reports no failed function in the tests of this file', () => {
  expect(system.faults).toEqual([]);
});
