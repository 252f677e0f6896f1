/** Where a phone goes after the payment: to what the configuration names, and never to what the query says. */

import { describe, expect, test, vi } from 'vitest';
import { mobileRedirect } from '../../functions/handlers/mobile-redirect.ts';
import type { ShopFront } from '../../functions/http/result-page.ts';
import { visit } from '../../functions/runtime/lambda-handler.ts';
import { eventOf } from '../support/event.ts';
import { openRooms } from '../support/functions.ts';

vi.spyOn(console, 'info').mockReturnValue();

const resultTargets = { web: 'https://shop.example/orders/result?from=pay', app: 'shopapp://result' };

async function arrival(targets: Record<string, string> = resultTargets, resultPage: ShopFront = {}) {
  const opened = await openRooms();
  await opened.order();
  const rooms = { ...opened.rooms, config: { ...opened.rooms.config, resultTargets: targets, resultPage } };
  const arrive = async (query: Record<string, string>, agent?: string) => {
    const from = agent === undefined ? {} : { headers: { 'user-agent': agent } };
    const event = eventOf({ method: 'GET', query: `${new URLSearchParams(query)}`, ...from });
    const { statusCode, headers, body } = await visit(mobileRedirect, rooms, event, 'request-1');
    return { status: statusCode, location: headers?.location, headers, body };
  };
  return { ...opened, arrive };
}

test.each([
  [
    'the web target by itself',
    {},
    'https://shop.example/orders/result?from=pay&merchant_uid=order-1&imp_uid=UID&status=paid',
  ],
  ['the app by its name', { to: 'app' }, 'shopapp://result?merchant_uid=order-1&imp_uid=UID&status=paid'],
  [
    'the web target for a name that nobody configured',
    { to: 'https://evil.example' },
    'https://shop.example/orders/result?from=pay&merchant_uid=order-1&imp_uid=UID&status=paid',
  ],
  [
    'the web target for a name of every object',
    { to: '__proto__' },
    'https://shop.example/orders/result?from=pay&merchant_uid=order-1&imp_uid=UID&status=paid',
  ],
])('%s', async (_name, more, location) => {
  const { arrive, paid } = await arrival();
  const imp_uid = paid();
  const answer = await arrive({
    imp_uid,
    merchant_uid: 'order-1',
    imp_success: 'false',
    redirect: 'https://evil.example',
    ...more,
  });
  expect(answer.status).toBe(303);
  expect(answer.location).toBe(location.replace('UID', imp_uid));
  expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  expect(answer.body).toBeUndefined();
});

test('a rejected payment is told with its reason', async () => {
  const { arrive, paid } = await arrival();
  const { location } = await arrive({ imp_uid: paid(100), merchant_uid: 'order-1' });
  expect(new URL(location as string).searchParams.get('status')).toBe('rejected');
  expect(new URL(location as string).searchParams.get('reason')).toBe('amount_mismatch');
});

test('what cannot be confirmed now is told as such, and so is what belongs to another order', async () => {
  const { arrive, paid, iamport, order } = await arrival();
  const imp_uid = paid();
  iamport.faults.add({ path: '/payments', status: 500, times: 2 });
  const down = new URL((await arrive({ imp_uid, merchant_uid: 'order-1' })).location as string);
  expect([down.searchParams.get('status'), down.searchParams.get('reason')]).toEqual([
    'unconfirmed',
    'iamport_unavailable',
  ]);
  await order('order-2');
  const other = new URL((await arrive({ imp_uid, merchant_uid: 'order-2' })).location as string);
  expect([other.searchParams.get('status'), other.searchParams.get('reason')]).toEqual([
    'unconfirmed',
    'order_mismatch',
  ]);
});

test('a caller without the order number gets none', async () => {
  const { arrive, paid } = await arrival();
  expect((await arrive({ imp_uid: paid() })).location).not.toContain('order-1');
});

test('without a web target the built-in page is shown, and the app still by its name', async () => {
  const { arrive, paid } = await arrival({ app: 'shopapp://result' });
  const imp_uid = paid();
  expect(await arrive({ imp_uid, merchant_uid: 'order-1' })).toMatchObject({
    status: 200,
    body: expect.stringContaining('결제가 완료되었습니다.'),
  });
  expect((await arrive({ imp_uid, merchant_uid: 'order-1', to: 'app' })).location).toMatch(/^shopapp:\/\/result\?/);
});

test('an id that is none goes nowhere', async () => {
  const { arrive } = await arrival();
  expect(await arrive({ imp_uid: 'imp_1\r\nSet-Cookie: a=1', to: 'app' })).toMatchObject({
    status: 400,
    location: undefined,
  });
});

const chrome =
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36';
const safari =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1';
const androidWebView =
  'Mozilla/5.0 (Linux; Android 16; Pixel 9 Build/BP2A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/142.0.0.0 Mobile Safari/537.36';
const iosWebView =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148';

test.each([
  ['Chrome', chrome],
  ['Safari', safari],
])('%s gets a page with a button to the app, since it may not open one for a redirect', async (_name, agent) => {
  const { arrive, paid } = await arrival();
  const imp_uid = paid();
  const { status, location, body, headers } = await arrive({ imp_uid, merchant_uid: 'order-1', to: 'app' }, agent);
  expect([status, location]).toEqual([200, undefined]);
  const link = `shopapp://result?merchant_uid=order-1&amp;imp_uid=${imp_uid}&amp;status=paid`;
  expect(body).toContain(`<a href="${link}">앱으로 돌아가기</a>`);
  expect(body).toContain(`data-goes="${link}" data-after="0"`);
  expect(headers?.['content-security-policy']).toMatch(
    /^default-src 'none'; style-src 'sha256-\S+'; script-src 'sha256-\S+';/,
  );
});

test.each([
  ['a WebView of Android', androidWebView],
  ['a WebView of iOS', iosWebView],
  ['an app without a browser', 'okhttp/5.1.0'],
])('%s is redirected to the app at once', async (_name, agent) => {
  const { arrive, paid } = await arrival();
  const answer = await arrive({ imp_uid: paid(), merchant_uid: 'order-1', to: 'app' }, agent);
  expect([answer.status, answer.location]).toEqual([303, expect.stringMatching(/^shopapp:\/\/result\?/)]);
});

test('a browser on its way to a web page is redirected', async () => {
  const { arrive, paid } = await arrival();
  expect(await arrive({ imp_uid: paid(), merchant_uid: 'order-1' }, chrome)).toMatchObject({ status: 303 });
});

describe('the ways on from the built-in page', () => {
  const resultPage = {
    shop: 'https://shop.example/',
    orders: 'https://shop.example/orders',
    checkout: 'https://shop.example/checkout?step=pay',
    support: 'tel:02-000-0000',
  };
  const linksOf = (body = '') => [...body.matchAll(/<a href="([^"]*)"(?! rel)/g)].map(([, href]) => href);

  test('paid: to the orders, and to the shop', async () => {
    const { arrive, paid } = await arrival({}, resultPage);
    const { body } = await arrive({ imp_uid: paid(), merchant_uid: 'order-1' });
    expect(linksOf(body)).toEqual([resultPage.orders, resultPage.shop]);
  });
  test('failed: to the payment of the same order', async () => {
    const { arrive, iamport } = await arrival({}, resultPage);
    const { imp_uid } = iamport.ledger.open({ merchant_uid: 'order-1', amount: 14_000, pay_method: 'card' });
    iamport.ledger.fail(imp_uid, '한도 초과');
    const { body } = await arrive({ imp_uid, merchant_uid: 'order-1' });
    expect(body).toContain('한도 초과');
    expect(linksOf(body)).toEqual(['https://shop.example/checkout?step=pay&amp;merchant_uid=order-1', resultPage.shop]);
  });
  test('rejected: to help, to the orders, and to the shop', async () => {
    const { arrive, paid } = await arrival({}, resultPage);
    const { body } = await arrive({ imp_uid: paid(100), merchant_uid: 'order-1' });
    expect(linksOf(body)).toEqual([resultPage.support, resultPage.orders, resultPage.shop]);
  });
  test('a shop that has said nothing has a page without any', async () => {
    const { arrive, paid } = await arrival({});
    expect(linksOf((await arrive({ imp_uid: paid(), merchant_uid: 'order-1' })).body)).toEqual([]);
  });
});
