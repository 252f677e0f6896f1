/** Reproduces faults that users of other Iamport backends reported. */

import { describe, expect, test, vi } from 'vitest';
import { complete as completeHandler } from '../../functions/handlers/complete.ts';
import { mobileRedirect } from '../../functions/handlers/mobile-redirect.ts';
import { orders } from '../../functions/handlers/orders.ts';
import { webhook } from '../../functions/handlers/webhook.ts';
import type { HttpHandler } from '../../functions/runtime/http-handler.ts';
import { handleRequest } from '../../functions/runtime/lambda-handler.ts';
import { eventOf, formBody, jsonBody, type Sent } from '../support/event.ts';
import { type Fixture, startFixture } from '../support/functions.ts';

vi.spyOn(console, 'info').mockReturnValue();

async function call({ deps }: Fixture, handler: HttpHandler, sent: Sent, resultTargets = {}) {
  const to = { ...deps, config: { ...deps.config, resultTargets } };
  const { statusCode, headers, body = '' } = await handleRequest(handler, to, eventOf(sent), 'request-1');
  return { status: statusCode, location: headers?.location, body };
}
const redirect = (fixture: Fixture, query: string, targets?: Record<string, string>) =>
  call(fixture, mobileRedirect, { method: 'GET', path: '/payments/complete/mobile', query }, targets);
const put = (fixture: Fixture, merchant_uid: string, terms: object) =>
  call(fixture, orders, { method: 'PUT', pathParameters: { merchant_uid }, ...jsonBody(terms) });
const paidPage = '결제가 완료되었습니다.';

describe('the query of mobile-redirect', () => {
  test.each([
    ['a second question mark', 'to=app?imp_uid=UID&merchant_uid=order-1'],
    ['an ampersand as HTML writes it', 'to=app&amp;imp_uid=UID&amp;merchant_uid=order-1'],
  ])('reads the ids and the target after %s', async (_name, query) => {
    const fixture = await startFixture();
    await fixture.order();
    const imp_uid = fixture.paid();
    const { location } = await redirect(fixture, query.replace('UID', imp_uid), { app: 'shopapp://' });
    expect(location).toBe(`shopapp://?merchant_uid=order-1&imp_uid=${imp_uid}&status=paid`);
  });

  test.each(['null', 'undefined', 'NaN', ''])(
    'settles the payment of the merchant_uid when imp_uid=%s',
    async (text) => {
      const fixture = await startFixture();
      await fixture.order();
      fixture.paid();
      expect((await redirect(fixture, `imp_uid=${text}&merchant_uid=order-1`)).body).toContain(paidPage);
      expect((await fixture.show()).status).toBe('paid');
    },
  );

  test('settles the payment of the imp_uid when merchant_uid is a placeholder', async () => {
    const fixture = await startFixture();
    await fixture.order();
    expect((await redirect(fixture, `imp_uid=${fixture.paid()}&merchant_uid=undefined`)).body).toContain(paidPage);
  });

  test('shows the paid attempt of a merchant_uid alone, even if a newer window was opened', async () => {
    const fixture = await startFixture();
    await fixture.order();
    const imp_uid = fixture.paid();
    fixture.pass(60);
    fixture.ledger.open({ merchant_uid: 'order-1', amount: 14_000, pay_method: 'card' });
    expect((await redirect(fixture, 'merchant_uid=order-1')).body).toContain(paidPage);
    expect(await fixture.show()).toMatchObject({ status: 'paid', imp_uid });
  });

  test('shows the virtual account of a merchant_uid alone, even if a newer window was opened', async () => {
    const fixture = await startFixture();
    await fixture.order();
    await fixture.webhook(fixture.account());
    fixture.pass(60);
    fixture.ledger.open({ merchant_uid: 'order-1', amount: 14_000, pay_method: 'card' });
    expect((await redirect(fixture, 'merchant_uid=order-1')).body).toContain('가상계좌가 발급되었습니다.');
  });

  test('returns a page when the path is truncated, and settles the payment when the ids are complete', async () => {
    const fixture = await startFixture();
    await fixture.order();
    const at = (path: string, query = '') => call(fixture, mobileRedirect, { method: 'GET', path, query });
    expect(await at('/payments/complete/mobi')).toMatchObject({
      status: 404,
      body: expect.stringContaining('주소가 올바르지 않습니다.'),
    });
    const query = `imp_uid=${fixture.paid()}&merchant_uid=order-1`;
    expect((await at('/payments/complete', query)).body).toContain(paidPage);
  });
});

describe('a notification', () => {
  test('accepts a trailing slash in the path of the webhook, and returns route_not_found for another path', async () => {
    const fixture = await startFixture();
    await fixture.order();
    const sent = (path: string) => call(fixture, webhook, { path, ...jsonBody({ imp_uid: fixture.paid() }) });
    expect(await sent('/payments/webhook/')).toMatchObject({ status: 200, body: '{"settled":true}' });
    expect(JSON.parse((await sent('/payments/confirm/')).body)).toMatchObject({ code: 'route_not_found' });
  });

  test.each([
    ['of 41 characters', 'm'.repeat(41)],
    ['of dots', '..'],
    ['with a line break', 'a\nb'],
  ])("returns 200 for another shop's order number %s, and settles our own payment", async (_name, merchant_uid) => {
    const fixture = await startFixture();
    await fixture.order();
    const foreign = fixture.paid(14_000, 'foreign');
    Object.assign(fixture.ledger.payment(foreign), { merchant_uid });
    const notified = async (imp_uid: string, body = jsonBody({ imp_uid, merchant_uid })) =>
      (await call(fixture, webhook, body)).body;
    expect(JSON.parse(await notified(foreign))).toEqual({ settled: false, code: 'order_not_found' });
    const form = formBody(`${new URLSearchParams({ imp_uid: foreign, merchant_uid })}`);
    expect(JSON.parse(await notified(foreign, form))).toEqual({ settled: false, code: 'order_not_found' });
    expect(JSON.parse(await notified(fixture.paid()))).toEqual({ settled: true });
  });

  test('settles the payment of the merchant_uid without an imp_uid, and returns 400 without both', async () => {
    const fixture = await startFixture();
    await fixture.order();
    fixture.paid();
    const fields = { imp_uid: 'null', merchant_uid: 'order-1' };
    expect(await call(fixture, webhook, jsonBody(fields))).toMatchObject({ status: 200, body: '{"settled":true}' });
    expect(await call(fixture, webhook, jsonBody({ imp_uid: 'null' }))).toMatchObject({ status: 400 });
  });
});

test("returns that merchant_uid is missing for a sub-merchant's payment by imp_uid alone", async () => {
  const fixture = await startFixture();
  const detail = async (fields: object) =>
    JSON.parse((await call(fixture, completeHandler, jsonBody({ imp_uid: 'imp_1', ...fields }))).body).detail;
  expect(await detail({})).toContain('Send merchant_uid too');
  await fixture.order();
  expect(await detail({ merchant_uid: 'order-1' })).not.toContain('merchant_uid');
});

describe('the message of the payment window', () => {
  const message = '<b>네이버페이</b> 사용자 취소 110-123-456789';
  const error_msg = encodeURIComponent(message);

  test('masks and escapes the message, on the page and at the target of a failed payment', async () => {
    const fixture = await startFixture();
    await fixture.order();
    const { imp_uid } = fixture.ledger.open({ merchant_uid: 'order-1', amount: 14_000, pay_method: 'card' });
    const query = `imp_uid=${imp_uid}&merchant_uid=order-1&imp_success=false&error_msg=${error_msg}`;
    const { body } = await redirect(fixture, query);
    expect(body).toContain('결제창 안내: “&lt;b&gt;네이버페이&lt;/b&gt; 사용자 취소 ***”');
    const { location = '' } = await redirect(fixture, query, { web: 'https://shop.example/result' });
    expect(new URL(String(location)).searchParams.get('error_msg')).toBe('<b>네이버페이</b> 사용자 취소 ***');
  });

  test('cuts a long message to 100 characters, without control and invisible characters [T544]', async () => {
    const fixture = await startFixture();
    await fixture.order();
    const { imp_uid } = fixture.ledger.open({ merchant_uid: 'order-1', amount: 14_000, pay_method: 'card' });
    const shownFor = async (text: string, target?: string) => {
      const query = `imp_uid=${imp_uid}&merchant_uid=order-1&error_msg=${encodeURIComponent(text)}`;
      const { body = '', location } = await redirect(fixture, query, target ? { web: target } : {});
      if (location) return new URL(String(location)).searchParams.get('error_msg');
      return /결제창 안내: “(.*?)”/s.exec(body)?.[1];
    };
    expect(await shownFor('가'.repeat(10_000))).toBe('가'.repeat(100));
    const hidden = '\u202e취\u0000소\r\nset-cookie: a=b\u200b 110\u200b-123\u200b-456789';
    expect(await shownFor(hidden)).toBe('취 소 set-cookie: a=b ***');
    expect(await shownFor(hidden, 'https://shop.example/result')).toBe('취 소 set-cookie: a=b ***');
    expect(await shownFor('\u202e\u0000')).toBeUndefined();
    const script = '</p><script>alert(1)</script><img src=x onerror=alert(1)>';
    expect(await shownFor(script)).toBe(
      '&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;',
    );
  });

  test('shows why Iamport refused to open the window of an order without a payment', async () => {
    const fixture = await startFixture();
    await fixture.order();
    const query = `merchant_uid=order-1&error_code=F0001&error_msg=${encodeURIComponent('금액이 <다릅니다>')}`;
    const page = await redirect(fixture, query);
    expect(page.status).toBe(200);
    for (const text of ['결제창이 열리지 않았습니다', 'order-1', '결제창 안내: “금액이 &lt;다릅니다&gt;”'])
      expect(page.body).toContain(text);
    const { location = '' } = await redirect(fixture, query, { web: 'https://shop.example/result' });
    expect(Object.fromEntries(new URL(String(location)).searchParams)).toEqual({
      ...{ merchant_uid: 'order-1', status: 'unconfirmed', reason: 'payment_not_found' },
      error_msg: '금액이 <다릅니다>',
    });
    expect((await redirect(fixture, 'merchant_uid=order-1')).status).toBe(404);
    expect((await redirect(fixture, query.replace('order-1', 'order-2'))).body).not.toContain('다릅니다');
  });

  test('omits the message when the payment is paid, or when the parameter is repeated', async () => {
    const fixture = await startFixture();
    await fixture.order();
    const { imp_uid } = fixture.ledger.open({ merchant_uid: 'order-1', amount: 14_000, pay_method: 'card' });
    const query = `imp_uid=${imp_uid}&merchant_uid=order-1&error_msg=${error_msg}`;
    expect((await redirect(fixture, `${query}&error_msg=other`)).body).not.toContain('결제창 안내');
    fixture.ledger.pay(imp_uid, { amount: 14_000 });
    const paid = await redirect(fixture, query);
    expect(paid.body).toContain(paidPage);
    expect(paid.body).not.toContain('네이버페이');
  });
});

describe('PUT /orders/{merchant_uid}', () => {
  test('returns each field that differs from the registered terms, and changes none', async () => {
    const fixture = await startFixture();
    const terms = { amount: 14_000, name: '꽃', expires_at: fixture.now() + 600, tier: 'T1' };
    expect((await put(fixture, 'order-1', terms)).status).toBe(201);
    expect((await put(fixture, 'order-1', terms)).status).toBe(200);
    const differs = async (changed: object) => JSON.parse((await put(fixture, 'order-1', changed)).body);
    expect(await differs({ ...terms, expires_at: fixture.now() + 601 })).toMatchObject({
      code: 'order_exists',
      detail: expect.stringContaining('another expires_at.'),
    });
    expect((await differs({ amount: 1, currency: 'USD' })).detail).toContain(
      'another amount, currency, name, expires_at, tier.',
    );
    expect(await fixture.show()).toMatchObject({ ...terms, revision: 1 });
  });

  test.each(['a&b', 'a+b', 'a=b', 'null', 'undefined', 'NaN'])('refuses the order number %s', async (merchantUid) => {
    const fixture = await startFixture();
    expect(await put(fixture, merchantUid, { amount: 14_000 })).toMatchObject({ status: 400 });
  });

  test.each(['주문 1-2 (선물)', "A-Z_a.z~0!*'();:@,$[]", 'nullable'])(
    'accepts the order number %s, and returns it unchanged',
    async (merchantUid) => {
      const fixture = await startFixture();
      expect((await put(fixture, merchantUid, { amount: 14_000 })).status).toBe(201);
      const imp_uid = fixture.paid(14_000, merchantUid);
      const ids = `${new URLSearchParams({ imp_uid, merchant_uid: merchantUid })}`;
      expect(JSON.parse((await call(fixture, completeHandler, formBody(ids))).body)).toMatchObject({
        status: 'paid',
        merchant_uid: merchantUid,
      });
      const { location = '' } = await redirect(fixture, ids, { web: 'https://shop.example/result' });
      expect(new URL(String(location)).searchParams.get('merchant_uid')).toBe(merchantUid);
    },
  );
});
