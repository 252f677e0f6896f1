/** Faults that users of other Iamport backends reported, each on this one. */

import { describe, expect, test, vi } from 'vitest';
import { complete as completeDoor } from '../../functions/handlers/complete.ts';
import { mobileRedirect } from '../../functions/handlers/mobile-redirect.ts';
import { orders } from '../../functions/handlers/orders.ts';
import { webhook } from '../../functions/handlers/webhook.ts';
import { type Door, visit } from '../../functions/runtime/lambda-handler.ts';
import { eventOf, formBody, jsonBody, type Sent } from '../support/event.ts';
import { type Opened, openRooms } from '../support/functions.ts';

vi.spyOn(console, 'info').mockReturnValue();

async function visited({ rooms }: Opened, door: Door, sent: Sent, resultTargets = {}) {
  const to = { ...rooms, config: { ...rooms.config, resultTargets } };
  const { statusCode, headers, body = '' } = await visit(door, to, eventOf(sent), 'request-1');
  return { status: statusCode, location: headers?.location, body };
}
const arrive = (opened: Opened, query: string, targets?: Record<string, string>) =>
  visited(opened, mobileRedirect, { method: 'GET', path: '/payments/complete/mobile', query }, targets);
const put = (opened: Opened, merchant_uid: string, terms: object) =>
  visited(opened, orders, { method: 'PUT', pathParameters: { merchant_uid }, ...jsonBody(terms) });
const paidPage = '결제가 완료되었습니다.';

describe('the return address of a phone', () => {
  test.each([
    ['a second question mark', 'to=app?imp_uid=UID&merchant_uid=order-1'],
    ['an ampersand as HTML writes it', 'to=app&amp;imp_uid=UID&amp;merchant_uid=order-1'],
  ])('with %s: the ids and the target are read', async (_name, query) => {
    const opened = await openRooms();
    await opened.order();
    const imp_uid = opened.paid();
    const { location } = await arrive(opened, query.replace('UID', imp_uid), { app: 'shopapp://' });
    expect(location).toBe(`shopapp://?merchant_uid=order-1&imp_uid=${imp_uid}&status=paid`);
  });

  test.each(['null', 'undefined', 'NaN', ''])('with imp_uid=%s is settled by its merchant_uid', async (text) => {
    const opened = await openRooms();
    await opened.order();
    opened.paid();
    expect((await arrive(opened, `imp_uid=${text}&merchant_uid=order-1`)).body).toContain(paidPage);
    expect((await opened.show()).status).toBe('paid');
  });

  test('with a placeholder for merchant_uid is settled by its imp_uid', async () => {
    const opened = await openRooms();
    await opened.order();
    expect((await arrive(opened, `imp_uid=${opened.paid()}&merchant_uid=undefined`)).body).toContain(paidPage);
  });

  test('with merchant_uid alone shows the paid attempt, though a newer window was opened', async () => {
    const opened = await openRooms();
    await opened.order();
    const imp_uid = opened.paid();
    opened.pass(60);
    opened.ledger.open({ merchant_uid: 'order-1', amount: 14_000, pay_method: 'card' });
    expect((await arrive(opened, 'merchant_uid=order-1')).body).toContain(paidPage);
    expect(await opened.show()).toMatchObject({ status: 'paid', imp_uid });
  });

  test('with merchant_uid alone shows the account, though a newer window was opened', async () => {
    const opened = await openRooms();
    await opened.order();
    await opened.webhook(opened.account());
    opened.pass(60);
    opened.ledger.open({ merchant_uid: 'order-1', amount: 14_000, pay_method: 'card' });
    expect((await arrive(opened, 'merchant_uid=order-1')).body).toContain('가상계좌가 발급되었습니다.');
  });

  test('that was cut leads to a page, and settles where the ids are left', async () => {
    const opened = await openRooms();
    await opened.order();
    const at = (path: string, query = '') => visited(opened, mobileRedirect, { method: 'GET', path, query });
    expect(await at('/payments/complete/mobi')).toMatchObject({
      status: 404,
      body: expect.stringContaining('주소가 올바르지 않습니다.'),
    });
    const query = `imp_uid=${opened.paid()}&merchant_uid=order-1`;
    expect((await at('/payments/complete', query)).body).toContain(paidPage);
  });
});

describe('a notification', () => {
  test('with a slash at the end of its address settles the payment; another address is named', async () => {
    const opened = await openRooms();
    await opened.order();
    const sent = (path: string) => visited(opened, webhook, { path, ...jsonBody({ imp_uid: opened.paid() }) });
    expect(await sent('/payments/webhook/')).toMatchObject({ status: 200, body: '{"settled":true}' });
    expect(JSON.parse((await sent('/payments/confirm/')).body)).toMatchObject({ code: 'route_not_found' });
  });

  test.each([
    ['of 41 characters', 'm'.repeat(41)],
    ['of dots', '..'],
    ['with a line break', 'a\nb'],
  ])("with another shop's order number %s is answered, and what is ours is settled", async (_name, merchant_uid) => {
    const opened = await openRooms();
    await opened.order();
    const foreign = opened.paid(14_000, 'foreign');
    Object.assign(opened.ledger.payment(foreign), { merchant_uid });
    const notified = async (imp_uid: string, body = jsonBody({ imp_uid, merchant_uid })) =>
      (await visited(opened, webhook, body)).body;
    expect(JSON.parse(await notified(foreign))).toEqual({ settled: false, code: 'order_not_found' });
    const form = formBody(`${new URLSearchParams({ imp_uid: foreign, merchant_uid })}`);
    expect(JSON.parse(await notified(foreign, form))).toEqual({ settled: false, code: 'order_not_found' });
    expect(JSON.parse(await notified(opened.paid()))).toEqual({ settled: true });
  });

  test('without an imp_uid is settled by its merchant_uid, and with neither is refused', async () => {
    const opened = await openRooms();
    await opened.order();
    opened.paid();
    const fields = { imp_uid: 'null', merchant_uid: 'order-1' };
    expect(await visited(opened, webhook, jsonBody(fields))).toMatchObject({ status: 200, body: '{"settled":true}' });
    expect(await visited(opened, webhook, jsonBody({ imp_uid: 'null' }))).toMatchObject({ status: 400 });
  });
});

test("a sub-merchant's payment by imp_uid alone: the answer says that merchant_uid is missing", async () => {
  const opened = await openRooms();
  const detail = async (fields: object) =>
    JSON.parse((await visited(opened, completeDoor, jsonBody({ imp_uid: 'imp_1', ...fields }))).body).detail;
  expect(await detail({})).toContain('Send merchant_uid too');
  await opened.order();
  expect(await detail({ merchant_uid: 'order-1' })).not.toContain('merchant_uid');
});

describe('the words of the payment window', () => {
  const words = '<b>네이버페이</b> 사용자 취소 110-123-456789';
  const error_msg = encodeURIComponent(words);

  test('stand on the page and at the target of a payment that failed, masked and escaped', async () => {
    const opened = await openRooms();
    await opened.order();
    const { imp_uid } = opened.ledger.open({ merchant_uid: 'order-1', amount: 14_000, pay_method: 'card' });
    const query = `imp_uid=${imp_uid}&merchant_uid=order-1&imp_success=false&error_msg=${error_msg}`;
    const { body } = await arrive(opened, query);
    expect(body).toContain('결제창 안내: “&lt;b&gt;네이버페이&lt;/b&gt; 사용자 취소 ***”');
    const { location = '' } = await arrive(opened, query, { web: 'https://shop.example/result' });
    expect(new URL(String(location)).searchParams.get('error_msg')).toBe('<b>네이버페이</b> 사용자 취소 ***');
  });

  test('are left out where the payment is paid, or the words come twice', async () => {
    const opened = await openRooms();
    await opened.order();
    const { imp_uid } = opened.ledger.open({ merchant_uid: 'order-1', amount: 14_000, pay_method: 'card' });
    const query = `imp_uid=${imp_uid}&merchant_uid=order-1&error_msg=${error_msg}`;
    expect((await arrive(opened, `${query}&error_msg=other`)).body).not.toContain('결제창 안내');
    opened.ledger.pay(imp_uid, { amount: 14_000 });
    const paid = await arrive(opened, query);
    expect(paid.body).toContain(paidPage);
    expect(paid.body).not.toContain('네이버페이');
  });
});

describe('PUT /orders/{merchant_uid}', () => {
  test('with other terms names each field that differs, and changes none', async () => {
    const opened = await openRooms();
    const terms = { amount: 14_000, name: '꽃', expires_at: opened.now() + 600, tier: 'T1' };
    expect((await put(opened, 'order-1', terms)).status).toBe(201);
    expect((await put(opened, 'order-1', terms)).status).toBe(200);
    const differs = async (changed: object) => JSON.parse((await put(opened, 'order-1', changed)).body);
    expect(await differs({ ...terms, expires_at: opened.now() + 601 })).toMatchObject({
      code: 'order_exists',
      detail: expect.stringContaining('another expires_at.'),
    });
    expect((await differs({ amount: 1, currency: 'USD' })).detail).toContain(
      'another amount, currency, name, expires_at, tier.',
    );
    expect(await opened.show()).toMatchObject({ ...terms, revision: 1 });
  });

  test.each(['a&b', 'a+b', 'a=b', 'null', 'undefined', 'NaN'])('refuses the order number %s', async (merchantUid) => {
    const opened = await openRooms();
    expect(await put(opened, merchantUid, { amount: 14_000 })).toMatchObject({ status: 400 });
  });

  test.each(['주문 1-2 (선물)', "A-Z_a.z~0!*'();:@,$[]", 'nullable'])(
    'takes %s, which survives',
    async (merchantUid) => {
      const opened = await openRooms();
      expect((await put(opened, merchantUid, { amount: 14_000 })).status).toBe(201);
      const imp_uid = opened.paid(14_000, merchantUid);
      const ids = `${new URLSearchParams({ imp_uid, merchant_uid: merchantUid })}`;
      expect(JSON.parse((await visited(opened, completeDoor, formBody(ids))).body)).toMatchObject({
        status: 'paid',
        merchant_uid: merchantUid,
      });
      const { location = '' } = await arrive(opened, ids, { web: 'https://shop.example/result' });
      expect(new URL(String(location)).searchParams.get('merchant_uid')).toBe(merchantUid);
    },
  );
});
