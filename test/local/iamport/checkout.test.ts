/** The results of the payment window in the browser, and its effects on the payment. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { redirectTo } from '../../../local/iamport/checkout.ts';
import { type Caller, startCaller } from './caller.ts';
import { type Receiver, startReceiver } from './receiver.ts';

let iamport: Caller;
beforeEach(async () => {
  iamport = await startCaller();
});
afterEach(() => iamport.close());

const post = async (path: string, body: object = {}): Promise<Record<string, unknown>> =>
  (await fetch(iamport.url + path, { method: 'POST', body: JSON.stringify(body) })).json() as Promise<
    Record<string, unknown>
  >;

const order = {
  merchant_uid: 'order-1',
  amount: 14000,
  name: '주문명',
  buyer_name: '홍길동',
  custom_data: { color: 1 },
};

async function open(param: object = order, channel = 'pc'): Promise<string> {
  const { imp_uid } = await post('/checkout', { channel, param });
  return String(imp_uid);
}

describe('on a PC', () => {
  test('a paid window returns the fields that the guide shows to the buyer', async () => {
    const impUid = await open();
    expect(iamport.ledger.payment(impUid)).toMatchObject({
      status: 'ready',
      channel: 'pc',
      custom_data: '{"color":1}',
    });
    const { rsp } = await post(`/checkout/${impUid}/pay`);
    expect(rsp).toMatchObject({
      success: true,
      imp_uid: impUid,
      merchant_uid: 'order-1',
      paid_amount: 14000,
      apply_num: expect.stringMatching(/^\d{8}$/),
      status: 'paid',
      buyer_name: '홍길동',
    });
    expect(rsp).not.toHaveProperty('error_code');
  });

  test('a new SDK omits success', async () => {
    iamport.settings.sdkReturnsSuccess = false;
    const impUid = await open();
    const { rsp } = await post(`/checkout/${impUid}/pay`);
    expect(rsp).toMatchObject({ imp_uid: impUid });
    expect(rsp).not.toHaveProperty('success');
  });

  test('a failed payment returns its reason', async () => {
    const impUid = await open();
    const { rsp } = await post(`/checkout/${impUid}/fail`, { reason: '잔액부족' });
    expect(rsp).toMatchObject({ success: false, imp_uid: impUid, error_code: 'F400', error_msg: '잔액부족' });
    expect(iamport.ledger.payment(impUid)).toMatchObject({ status: 'failed', fail_reason: '잔액부족' });
  });

  test('a closed window returns an error, and the payment stays ready', async () => {
    const impUid = await open();
    const { rsp } = await post(`/checkout/${impUid}/close`);
    expect(rsp).toMatchObject({ success: false, imp_uid: impUid, error_code: 'F400' });
    expect(iamport.ledger.payment(impUid).status).toBe('ready');
  });

  test('a virtual account is a success with the status ready', async () => {
    const impUid = await open({ ...order, pay_method: 'vbank' });
    const { rsp } = await post(`/checkout/${impUid}/account`, { lasts_seconds: 60 });
    const { vbank_num, vbank_date, vbank_issued_at } = iamport.ledger.payment(impUid);
    expect(vbank_date - vbank_issued_at).toBe(60);
    expect(rsp).toMatchObject({ success: true, status: 'ready', vbank_num, vbank_date });
  });

  test('accepts another amount and a test channel, as for an attacker', async () => {
    const impUid = await open();
    await post(`/checkout/${impUid}/pay`, { amount: 100, test_channel: true });
    expect(iamport.ledger.payment(impUid)).toMatchObject({ status: 'paid', amount: 100, sandbox: true });
  });

  test('a window with an amount other than the registered one does not open, without an imp_uid', async () => {
    iamport.ledger.prepared.register({ merchant_uid: 'order-1', amount: 14000, currency: 'KRW' });
    const refused = await post('/checkout', { channel: 'pc', param: { ...order, amount: 100 } });
    expect(refused).toEqual({
      rsp: {
        success: false,
        imp_uid: null,
        merchant_uid: 'order-1',
        error_code: 'F0001',
        error_msg: expect.stringContaining('사전에 등록된'),
      },
    });
    expect(iamport.ledger.entries()).toEqual([]);
  });

  test('ignores m_redirect_url', async () => {
    const impUid = await open({ ...order, m_redirect_url: 'https://shop.example/payments/complete/mobile' });
    expect(await post(`/checkout/${impUid}/pay`)).not.toHaveProperty('redirect_url');
  });

  test('a paid payment cannot be paid again', async () => {
    const impUid = await open();
    await post(`/checkout/${impUid}/pay`);
    expect(await post(`/checkout/${impUid}/pay`)).toEqual({ error: '이미 처리된 결제입니다.' });
  });
});

describe('on a phone', () => {
  const m_redirect_url = 'https://shop.example/payments/complete/mobile?to=web';

  test('redirects to m_redirect_url with the result in its query', async () => {
    const impUid = await open({ ...order, m_redirect_url }, 'mobile');
    expect(await post(`/checkout/${impUid}/pay`)).toMatchObject({
      redirect_url: `${m_redirect_url}&imp_uid=${impUid}&merchant_uid=order-1&imp_success=true`,
    });
  });

  test('adds the error of a failure to the query', async () => {
    const impUid = await open({ ...order, m_redirect_url }, 'mobile');
    const { redirect_url } = await post(`/checkout/${impUid}/fail`, { reason: '잔액 부족&' });
    expect(Object.fromEntries(new URL(String(redirect_url)).searchParams)).toEqual({
      to: 'web',
      imp_uid: impUid,
      merchant_uid: 'order-1',
      imp_success: 'false',
      error_code: 'F400',
      error_msg: '잔액 부족&',
    });
  });
});

test.each([
  ['https://a.example/r', 'https://a.example/r?imp_uid=imp_1&merchant_uid=m'],
  ['https://a.example/r?', 'https://a.example/r?imp_uid=imp_1&merchant_uid=m'],
  ['https://a.example/r?a=%20+b&a=2', 'https://a.example/r?a=%20+b&a=2&imp_uid=imp_1&merchant_uid=m'],
  ['https://a.example/r?a=1#part', 'https://a.example/r?a=1&imp_uid=imp_1&merchant_uid=m#part'],
])('keeps the query of %s', (target, expected) => {
  expect(redirectTo(target, { imp_uid: 'imp_1', merchant_uid: 'm' })).toBe(expected);
});

describe('confirm_url', () => {
  let shop: Receiver;
  beforeEach(async () => {
    shop = await startReceiver();
  });
  afterEach(() => shop.close());

  const openConfirmed = () => open({ ...order, confirm_url: `${shop.url}/payments/confirm` });

  test('is called before the approval, with the amount to approve', async () => {
    const impUid = await openConfirmed();
    await post(`/checkout/${impUid}/pay`, { amount: 100 });
    expect(shop.received).toHaveLength(1);
    expect(shop.received[0]).toMatchObject({ path: '/payments/confirm', contentType: 'application/json' });
    expect(JSON.parse(shop.received[0]?.body ?? '')).toEqual({ imp_uid: impUid, merchant_uid: 'order-1', amount: 100 });
    expect(iamport.ledger.payment(impUid).status).toBe('paid');
  });

  test('stops the payment with its reason', async () => {
    shop.responses = [{ status: 409, body: { reason: '품절되었습니다' } }];
    const impUid = await openConfirmed();
    const { rsp } = await post(`/checkout/${impUid}/pay`);
    expect(rsp).toMatchObject({ success: false, error_msg: '품절되었습니다' });
    expect(iamport.ledger.payment(impUid)).toMatchObject({
      status: 'failed',
      fail_reason: '품절되었습니다',
      paid_at: 0,
    });
  });

  test('stops the payment when it cannot be reached', async () => {
    const impUid = await openConfirmed();
    await shop.close();
    await post(`/checkout/${impUid}/pay`);
    expect(iamport.ledger.payment(impUid).status).toBe('failed');
  });
});
