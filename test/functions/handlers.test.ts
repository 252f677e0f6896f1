/** The doors as the world meets them: over HTTP, through the gateway, in the bundles that deploy, with a real database. */

import { hash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type System, startSystem } from '../support/system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.close());
beforeEach(() => {
  system.iamport.settings.webhooks = 'never';
  system.iamport.settings.pgRefusesCancels = false;
  system.iamport.faults.clear();
  system.iamport.faults.forgetCalls();
});

/** A payment of the sandbox, paid unless told otherwise. */
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
  test('a paid payment settles its order, once, however often it is told', async () => {
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
      receipt_url: expect.stringMatching(/^https:/),
      apply_num: expect.stringMatching(/^\d+$/),
      message: '결제가 완료되었습니다.',
    });
    const again = await system.complete({ imp_uid: impUid, merchant_uid: merchantUid });
    expect(again.json).toEqual(first.json);
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'paid', imp_uid: impUid, revision: 2 });
  });

  test('one call to Iamport is enough', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid);
    system.iamport.faults.forgetCalls();
    await system.complete({ imp_uid: impUid, merchant_uid: merchantUid });
    expect(system.iamport.faults.counts()).toEqual({ [`GET /payments/${impUid}`]: 1 });
  });

  test('an imp_uid alone is told no more than how it stands, and settles all the same', async () => {
    const merchantUid = await system.order();
    const { json } = await system.complete({ imp_uid: paid(merchantUid) }, { 'accept-language': 'en-US,en;q=0.9' });
    expect(json).toEqual({ status: 'paid', message: 'Your payment is complete.' });
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'paid' });
  });

  test('a form is as good as JSON, and what else is in it is not read', async () => {
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

  test('a payment of another order is not settled for this one, nor for its own', async () => {
    const [mine, other] = [await system.order(), await system.order()];
    const { status, json } = await system.complete({ imp_uid: paid(other), merchant_uid: mine });
    expect(status).toBe(409);
    expect(json).toMatchObject({ code: 'order_mismatch' });
    expect([await revisionOf(mine), await revisionOf(other)]).toEqual([1, 1]);
  });

  test('a payment that Iamport does not know, and an order that nobody registered, are not found', async () => {
    expect(await system.complete({ imp_uid: 'imp_000000000000' })).toMatchObject({
      status: 404,
      json: { code: 'payment_not_found' },
    });
    const impUid = paid('never-registered');
    const answer = await system.complete({ imp_uid: impUid, merchant_uid: 'never-registered' });
    expect(answer).toMatchObject({ status: 404, json: { code: 'order_not_found' } });
    expect(system.iamport.ledger.payment(impUid).cancel_amount).toBe(0);
  });

  test('a window that was left is no failure', async () => {
    const merchantUid = await system.order();
    const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
    const { json } = await system.complete({ imp_uid, merchant_uid: merchantUid });
    expect(json).toMatchObject({ status: 'ready' });
    expect(await revisionOf(merchantUid)).toBe(1);
  });

  test('a failure is told with the words of the PG, and the order can be paid after it', async () => {
    const merchantUid = await system.order();
    const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
    system.iamport.ledger.fail(imp_uid, '한도 초과');
    const { json } = await system.complete({ imp_uid, merchant_uid: merchantUid });
    expect(json).toMatchObject({ status: 'failed', reason: '한도 초과' });
    expect((await system.complete({ imp_uid: paid(merchantUid), merchant_uid: merchantUid })).json).toMatchObject({
      status: 'paid',
    });
  });

  test('a virtual account is told with all that the buyer needs, and its deposit settles the order', async () => {
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

describe('what a stranger learns', () => {
  test('of an order by its number alone: how it stands, and no account, amount or receipt', async () => {
    const merchantUid = await system.order();
    withAccount(merchantUid);
    const { text } = await system.mobile({ merchant_uid: merchantUid });
    expect(text).toContain('가상계좌가 발급되었습니다.');
    expect(text).not.toMatch(/790-|이니시스|14,000/);
  });

  test('by a window of their own for the order: nothing of the payment that settled it', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid);
    await system.complete({ imp_uid: impUid, merchant_uid: merchantUid });
    const { imp_uid: own } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
    const { json } = await system.complete({ imp_uid: own, merchant_uid: merchantUid });
    expect(json).toEqual({ status: 'paid', message: '결제가 완료되었습니다.' });
  });
});

describe('money that must go back', () => {
  test('a forged amount is cancelled with what was really paid, and the order stays payable', async () => {
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

  test('is sent back once, however many ask at the same time', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid, 100);
    const body = { imp_uid: impUid, merchant_uid: merchantUid };
    await Promise.all([...Array(6).keys()].map((turn) => (turn % 2 ? system.webhook(body) : system.complete(body))));
    expect(system.iamport.faults.counts()['POST /payments/cancel']).toBe(1);
    expect(system.iamport.ledger.payment(impUid).cancel_amount).toBe(100);
    expect((await system.complete(body)).json).toMatchObject({ status: 'rejected', reversal: { state: 'done' } });
  });

  test('a second payment of a paid order is cancelled, and the first one stands', async () => {
    const merchantUid = await system.order();
    const [first, second] = [paid(merchantUid), paid(merchantUid)];
    await system.complete({ imp_uid: first, merchant_uid: merchantUid });
    const { json } = await system.complete({ imp_uid: second, merchant_uid: merchantUid });
    expect(json).toMatchObject({ status: 'rejected', reason: 'duplicate_payment', reversal: { state: 'done' } });
    expect(system.iamport.ledger.payment(first)).toMatchObject({ status: 'paid', cancel_amount: 0 });
    expect(system.iamport.ledger.payment(second)).toMatchObject({ status: 'cancelled', cancel_amount: 14_000 });
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'paid', imp_uid: first });
  });

  test('a deposit of another amount waits for a person', async () => {
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

  test('an account for an order that is paid is revoked', async () => {
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

  test('a deposit into an account that was to be revoked is for a person', async () => {
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

  test('a test payment is not taken, and there is nothing to send back', async () => {
    const merchantUid = await system.order();
    const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
    system.iamport.ledger.pay(imp_uid, { sandbox: true });
    const { json } = await system.complete({ imp_uid, merchant_uid: merchantUid });
    expect(json).toMatchObject({ status: 'rejected', reason: 'test_payment' });
    expect(json).not.toHaveProperty('reversal');
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'ready', revision: 1, reversals: [] });
  });

  test('what the PG refuses stays requested, with its words', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid, 100);
    system.iamport.settings.pgRefusesCancels = true;
    const { json } = await system.complete({ imp_uid: impUid, merchant_uid: merchantUid });
    expect(json).toMatchObject({ status: 'rejected', reversal: { state: 'requested' }, message: /취소하고 있습니다/ });
    expect(await orderOf(merchantUid)).toMatchObject({
      reversals: [{ state: 'requested', attempts: 1, message: 'PG사에서 취소 요청을 거절하였습니다.' }],
    });
  });

  test('a cancel whose answer was lost is found to be done, and not repeated', async () => {
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

describe('what happens to a payment later', () => {
  test('a console cancel, in part and in full, is followed by its amounts', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid);
    await system.complete({ imp_uid: impUid });
    system.iamport.ledger.cancelInConsole(impUid, 4_000);
    await system.webhook({ imp_uid: impUid, status: 'cancelled' });
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'partial_cancelled', cancelled_amount: 4_000 });
    system.iamport.ledger.cancelInConsole(impUid);
    await system.webhook({ imp_uid: impUid, status: 'cancelled' });
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'cancelled', cancelled_amount: 14_000, revision: 4 });
  });

  test('a deposit that the bank takes back, and gives again', async () => {
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

  test('thirty calls at once through three doors settle it once', async () => {
    const merchantUid = await system.order();
    const body = { imp_uid: paid(merchantUid), merchant_uid: merchantUid };
    const calls = [...Array(30).keys()].map((turn) => {
      if (turn % 3 === 0) return system.complete(body);
      return turn % 3 === 1 ? system.webhook(body) : system.mobile(body);
    });
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(Array(30).fill(200));
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'paid', revision: 2 });
  });
});

describe('POST /payments/webhook', () => {
  test('nothing to settle is said, and is no error', async () => {
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

  test('a wrong merchant_uid in it changes nothing: the payment says which order it pays', async () => {
    const [mine, other] = [await system.order(), await system.order()];
    expect((await system.webhook({ imp_uid: paid(mine), merchant_uid: other, status: 'paid' })).json).toEqual({
      settled: true,
    });
    expect([await revisionOf(mine), await revisionOf(other)]).toEqual([2, 1]);
  });

  test('a forged success of an unpaid payment settles nothing', async () => {
    const merchantUid = await system.order();
    const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
    await system.webhook({ imp_uid, merchant_uid: merchantUid, status: 'paid' });
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'ready', revision: 1 });
  });

  test.each(['json', 'form'] as const)('what Iamport itself sends as %s settles the order', async (format) => {
    const merchantUid = await system.order();
    Object.assign(system.iamport.settings, { webhooks: 'now', format });
    paid(merchantUid);
    await system.iamport.webhooks.idle();
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'paid' });
  });
});

describe('GET /payments/complete/mobile', () => {
  test('a paid payment shows a page in Korean, with no JSON and nothing that could run but its own script', async () => {
    const merchantUid = await system.order({ name: '아메리카노' });
    const answer = await system.mobile({ imp_uid: paid(merchantUid), merchant_uid: merchantUid, imp_success: 'false' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('x-frame-options')).toBe('DENY');
    expect(answer.text).toContain('결제가 완료되었습니다.');
    expect(answer.text).toContain('₩14,000');
    expect(answer.text).toContain(merchantUid);
    const scripts = [...answer.text.matchAll(/<script[^>]*>([^<]*)/g)].map(([, code = '']) => code);
    const allowed = answer.headers.get('content-security-policy')?.match(/script-src [^;]*/)?.[0];
    expect([allowed]).toEqual(scripts.map((code) => `script-src 'sha256-${hash('sha256', code, 'base64')}'`));
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'paid' });
  });

  test('an account to pay into is shown', async () => {
    const merchantUid = await system.order();
    const answer = await system.mobile({ imp_uid: withAccount(merchantUid), merchant_uid: merchantUid });
    expect(answer.text).toMatch(/농협은행.*790-\d{4}-\d{6}.*이니시스/s);
  });

  test('an imp_uid alone shows no amount and no order', async () => {
    const merchantUid = await system.order();
    const answer = await system.mobile({ imp_uid: paid(merchantUid) }, { 'accept-language': 'en' });
    expect(answer.text).toContain('Your payment is complete.');
    expect(answer.text).not.toContain(merchantUid);
    expect(answer.text).not.toContain('14,000');
  });

  test('a field that comes twice with one value, or that nobody reads, is no reason to turn a buyer away', async () => {
    const merchantUid = await system.order();
    const ids = `imp_uid=${paid(merchantUid)}&merchant_uid=${merchantUid}`;
    const answer = await system.send(`/payments/complete/mobile?merchant_uid=${merchantUid}&utm=a&utm=b&${ids}`);
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('결제가 완료되었습니다.');
    expect((await system.send(`/payments/complete/mobile?merchant_uid=other&${ids}`)).status).toBe(400);
  });

  test('a merchant_uid alone shows its newest payment', async () => {
    const merchantUid = await system.order();
    paid(merchantUid);
    expect((await system.mobile({ merchant_uid: merchantUid })).text).toContain('결제가 완료되었습니다.');
  });

  test('when Iamport cannot be asked the page asks again, and is no error', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid);
    system.iamport.faults.add({ path: '/payments', status: 500, times: 2 });
    const answer = await system.mobile({ imp_uid: impUid, merchant_uid: merchantUid });
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('아직 확인하지 못했습니다');
    const next = /http-equiv="refresh" content="3;url=\?([^"]+)"/.exec(answer.text)?.[1]?.replaceAll('&amp;', '&');
    expect((await system.send(`/payments/complete/mobile?${next}`)).text).toContain('결제가 완료되었습니다.');
  });

  test('a page that has asked often enough stops, with a clear sentence', async () => {
    const merchantUid = await system.order();
    system.iamport.faults.add({ path: '/payments', status: 500, times: 2 });
    const answer = await system.mobile({ imp_uid: paid(merchantUid), merchant_uid: merchantUid, again: '20' });
    expect(answer.text).not.toContain('http-equiv');
    expect(answer.text).toContain('주문 내역에서 확인');
  });

  test.each([
    ['nobody knows', { imp_uid: 'imp_000000000000' }, 404],
    ['belongs to another order', {}, 409],
  ])('a payment that %s gets a page that says so', async (_name, query, status) => {
    const ids = status === 409 ? { imp_uid: paid(await system.order()), merchant_uid: await system.order() } : query;
    const answer = await system.mobile({ ...ids, error_msg: '<script>alert(1)</script>' } as Record<string, string>);
    expect(answer.status).toBe(status);
    expect(answer.text).toContain('결제 정보를 찾을 수 없습니다.');
    expect(answer.text).not.toContain('alert');
  });
});

describe('PUT and GET /orders/{merchant_uid}', () => {
  test('an order is registered once, here and at Iamport', async () => {
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

  test('another price is another order', async () => {
    const merchantUid = await system.order();
    const answer = await system.shop('PUT', merchantUid, { amount: 1 });
    expect(answer).toMatchObject({ status: 409, json: { code: 'order_exists' } });
    expect(await system.shop('PUT', merchantUid, { amount: 14_000, currency: 'JPY' })).toMatchObject({ status: 409 });
    expect(await orderOf(merchantUid)).toMatchObject({ amount: 14_000, currency: 'KRW' });
  });

  test('an order that Iamport could not be told of is registered all the same', async () => {
    system.iamport.faults.add({ path: '/payments/prepare', status: 500 });
    const answer = await system.shop('PUT', 'order-unprepared', { amount: 14_000 });
    expect(answer).toMatchObject({ status: 201, json: { prepared: false } });
    expect(await system.shop('PUT', 'order-unprepared', { amount: 14_000 })).toMatchObject({
      status: 200,
      json: { prepared: true },
    });
  });

  test('Korean and spaces in an order number are one order number', async () => {
    const merchantUid = '주문 1-2 (선물)';
    expect(await system.shop('PUT', merchantUid, { amount: 14_000 })).toMatchObject({ status: 201 });
    await system.complete({ imp_uid: paid(merchantUid), merchant_uid: merchantUid });
    expect(await orderOf(merchantUid)).toMatchObject({ merchant_uid: merchantUid, status: 'paid' });
  });

  test('what separates the parts of an address is refused in an order number', async () => {
    for (const merchantUid of ['a?b', 'a#b', 'a%b', 'a\\b']) {
      expect(await system.shop('PUT', merchantUid, { amount: 14_000 }), merchantUid).toMatchObject({
        status: 400,
        json: {
          code: 'invalid_request',
          detail: 'merchant_uid must have none of / \\ ? # %, which do not survive in a path.',
        },
      });
    }
    // A slash is one to API Gateway too, however it is encoded, and then there is no such route.
    expect(await system.send('/orders/a%2Fb', { method: 'PUT' })).toMatchObject({
      status: 404,
      json: { message: 'Not Found' },
    });
  });

  test('nobody else may', async () => {
    const answer = await system.send('/orders/order-1', { method: 'PUT', body: '{"amount":1}' });
    expect(answer).toMatchObject({ status: 403, json: { message: 'Forbidden' } });
  });

  test('an order that nobody registered is not found', async () => {
    expect(await system.shop('GET', 'no-such-order')).toMatchObject({ status: 404, json: { code: 'order_not_found' } });
  });
});

describe('refunds, closing and confirm', () => {
  test('a refund goes back, and the order follows', async () => {
    const merchantUid = await system.order();
    await system.complete({ imp_uid: paid(merchantUid) });
    const answer = await system.shop('POST', `${merchantUid}/refunds`, { amount: 4_000, reason: '단순 변심' }, 'part');
    expect(answer).toMatchObject({
      status: 200,
      json: { refund: { state: 'done' }, order: { status: 'partial_cancelled' } },
    });
    expect(await system.send(`/orders/${merchantUid}/refunds`, { method: 'POST', body: '{}' })).toMatchObject({
      status: 403,
    });
  });

  test('an order is closed, and Iamport is told no to its payments from then on', async () => {
    const merchantUid = await system.order();
    const asked = {
      method: 'POST',
      body: new URLSearchParams({ imp_uid: 'imp_1', merchant_uid: merchantUid, amount: '14000' }),
    };
    expect(await system.send('/payments/confirm', asked)).toMatchObject({ status: 200, json: {} });
    expect((await system.shop('DELETE', merchantUid)).status).toBe(204);
    expect(await system.send('/payments/confirm', asked)).toMatchObject({
      status: 409,
      json: { reason: '주문 상태나 금액이 결제 요청과 달라 결제를 진행할 수 없습니다.' },
    });
    expect(await system.send(`/orders/${merchantUid}`, { method: 'DELETE' })).toMatchObject({ status: 403 });
  });

  test('Iamport asks before it approves, and a forged amount does not go through', async () => {
    const merchantUid = await system.order();
    const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
    const asked = (amount: number) =>
      system.send('/payments/confirm', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ imp_uid, merchant_uid: merchantUid, amount }),
      });
    expect((await asked(14_000)).status).toBe(200);
    expect((await asked(100)).status).toBe(409);
  });
});

describe('when somebody cannot be reached', () => {
  test('Iamport: 503 with retry-after, and the order is as it was', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid);
    system.iamport.faults.add({ path: '/payments', status: 500, times: 4 });
    for (const answer of [
      await system.complete({ imp_uid: impUid, merchant_uid: merchantUid }),
      await system.webhook({ imp_uid: impUid }),
    ]) {
      expect(answer).toMatchObject({ status: 503, json: { code: 'iamport_unavailable' } });
      expect(answer.headers.get('retry-after')).toBe('5');
    }
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'ready', revision: 1 });
  });

  test('an answer of Iamport that nobody understands: 502, or 503 to a webhook so that it comes again', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid);
    system.iamport.faults.add({ path: '/payments', answer: 'garbage', times: 2 });
    expect(await system.complete({ imp_uid: impUid })).toMatchObject({ status: 502, json: { code: 'iamport_error' } });
    expect(await system.webhook({ imp_uid: impUid })).toMatchObject({ status: 503, json: { code: 'not_settled' } });
    expect(await orderOf(merchantUid)).toMatchObject({ status: 'ready', revision: 1 });
  });

  test('a token that has ended costs one refresh and no payment', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid);
    system.iamport.tokens.forget();
    expect((await system.complete({ imp_uid: impUid, merchant_uid: merchantUid })).json).toMatchObject({
      status: 'paid',
    });
    expect(system.iamport.faults.counts()).toMatchObject({ [`GET /payments/${impUid}`]: 2, 'POST /users/getToken': 1 });
  });
});

test('in all of this no function has failed', () => {
  expect(system.faults).toEqual([]);
});
