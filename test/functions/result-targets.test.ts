/** Redirects after a mobile payment: to a configured target, and never to an address in the query. */

import { describe, expect, test, vi } from 'vitest';
import { mobileRedirect } from '../../functions/handlers/mobile-redirect.ts';
import type { ResultPageBranding } from '../../functions/http/result-page.ts';
import { handleRequest } from '../../functions/runtime/lambda-handler.ts';
import { eventOf } from '../support/event.ts';
import { startFixture } from '../support/functions.ts';

vi.spyOn(console, 'info').mockReturnValue();

const resultTargets = { web: 'https://shop.example/orders/result?from=pay', app: 'shopapp://result' };

async function startRedirects(targets: Record<string, string> = resultTargets, resultPage: ResultPageBranding = {}) {
  const fixture = await startFixture();
  await fixture.order();
  const deps = { ...fixture.deps, config: { ...fixture.deps.config, resultTargets: targets, resultPage } };
  const redirect = async (query: Record<string, string>, agent?: string) => {
    const from = agent === undefined ? {} : { headers: { 'user-agent': agent } };
    const event = eventOf({ method: 'GET', query: `${new URLSearchParams(query)}`, ...from });
    const { statusCode, headers, body } = await handleRequest(mobileRedirect, deps, event, 'request-1');
    return { status: statusCode, location: headers?.location, headers, body };
  };
  return { ...fixture, redirect };
}

test.each([
  [
    'the web target without a name',
    {},
    'https://shop.example/orders/result?from=pay&merchant_uid=order-1&imp_uid=UID&status=paid',
  ],
  ['the app by its name', { to: 'app' }, 'shopapp://result?merchant_uid=order-1&imp_uid=UID&status=paid'],
  [
    'the web target for an unknown name',
    { to: 'https://evil.example' },
    'https://shop.example/orders/result?from=pay&merchant_uid=order-1&imp_uid=UID&status=paid',
  ],
  [
    'the web target for the name of an inherited property',
    { to: '__proto__' },
    'https://shop.example/orders/result?from=pay&merchant_uid=order-1&imp_uid=UID&status=paid',
  ],
])('redirects to %s', async (_name, more, location) => {
  const { redirect, paid } = await startRedirects();
  const imp_uid = paid();
  const response = await redirect({
    imp_uid,
    merchant_uid: 'order-1',
    imp_success: 'false',
    redirect: 'https://evil.example',
    ...more,
  });
  expect(response.status).toBe(303);
  expect(response.location).toBe(location.replace('UID', imp_uid));
  expect(response.headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  expect(response.body).toBeUndefined();
});

test('redirects a rejected payment with its reason', async () => {
  const { redirect, paid } = await startRedirects();
  const { location } = await redirect({ imp_uid: paid(100), merchant_uid: 'order-1' });
  expect(new URL(location as string).searchParams.get('status')).toBe('rejected');
  expect(new URL(location as string).searchParams.get('reason')).toBe('amount_mismatch');
});

test('redirects with status unconfirmed while Iamport is unavailable, and for a payment of another order', async () => {
  const { redirect, paid, iamport, order } = await startRedirects();
  const imp_uid = paid();
  iamport.faults.add({ path: '/payments', status: 500, times: 2 });
  const down = new URL((await redirect({ imp_uid, merchant_uid: 'order-1' })).location as string);
  expect([down.searchParams.get('status'), down.searchParams.get('reason')]).toEqual([
    'unconfirmed',
    'iamport_unavailable',
  ]);
  await order('order-2');
  const other = new URL((await redirect({ imp_uid, merchant_uid: 'order-2' })).location as string);
  expect([other.searchParams.get('status'), other.searchParams.get('reason')]).toEqual([
    'unconfirmed',
    'order_mismatch',
  ]);
});

test('redirects a caller without the order number to an address without it', async () => {
  const { redirect, paid } = await startRedirects();
  expect((await redirect({ imp_uid: paid() })).location).not.toContain('order-1');
});

test('shows the built-in page without a web target, and still redirects to a named app', async () => {
  const { redirect, paid } = await startRedirects({ app: 'shopapp://result' });
  const imp_uid = paid();
  expect(await redirect({ imp_uid, merchant_uid: 'order-1' })).toMatchObject({
    status: 200,
    body: expect.stringContaining('결제가 완료되었습니다.'),
  });
  expect((await redirect({ imp_uid, merchant_uid: 'order-1', to: 'app' })).location).toMatch(/^shopapp:\/\/result\?/);
});

test.each([
  ['web', 'https://shop.example/orders/result?from=pay'],
  ['app', 'shopapp://result'],
])('writes a blank for the target "%s" as every decoder reads it [T547]', async (to, target) => {
  const { redirect, order, ledger } = await startRedirects();
  const { imp_uid } = ledger.open({ merchant_uid: await order('주문 1'), amount: 14_000, pay_method: 'card' });
  const query = { imp_uid, merchant_uid: '주문 1', error_msg: '1+1 결제를 취소하셨습니다', to };
  const location = String((await redirect(query)).location);
  expect(location.startsWith(target)).toBe(true);
  const sent = Object.fromEntries(
    location
      .slice(location.indexOf('?') + 1)
      .split('&')
      .map((pair) => pair.split('=').map(decodeURIComponent)),
  );
  expect(sent).toMatchObject({ merchant_uid: '주문 1', status: 'ready', error_msg: '1+1 결제를 취소하셨습니다' });
});

test('returns 400 and no redirect for an invalid id', async () => {
  const { redirect } = await startRedirects();
  expect(await redirect({ imp_uid: 'imp_1\r\nSet-Cookie: a=1', to: 'app' })).toMatchObject({
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
])('returns a page with a button to the app to %s, which may not open apps on a redirect', async (_name, agent) => {
  const { redirect, paid } = await startRedirects();
  const imp_uid = paid();
  const { status, location, body, headers } = await redirect({ imp_uid, merchant_uid: 'order-1', to: 'app' }, agent);
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
])('redirects %s to the app at once', async (_name, agent) => {
  const { redirect, paid } = await startRedirects();
  const response = await redirect({ imp_uid: paid(), merchant_uid: 'order-1', to: 'app' }, agent);
  expect([response.status, response.location]).toEqual([303, expect.stringMatching(/^shopapp:\/\/result\?/)]);
});

test('redirects a browser to a web target', async () => {
  const { redirect, paid } = await startRedirects();
  expect(await redirect({ imp_uid: paid(), merchant_uid: 'order-1' }, chrome)).toMatchObject({ status: 303 });
});

describe('the links of the built-in page', () => {
  const resultPage = {
    shop: 'https://shop.example/',
    orders: 'https://shop.example/orders',
    checkout: 'https://shop.example/checkout?step=pay',
    support: 'tel:02-000-0000',
  };
  const linksOf = (body = '') => [...body.matchAll(/<a href="([^"]*)"(?! rel)/g)].map(([, href]) => href);

  test('link to the orders and the shop after a paid payment', async () => {
    const { redirect, paid } = await startRedirects({}, resultPage);
    const { body } = await redirect({ imp_uid: paid(), merchant_uid: 'order-1' });
    expect(linksOf(body)).toEqual([resultPage.orders, resultPage.shop]);
  });
  test('link to the checkout of the same order after a failed payment', async () => {
    const { redirect, iamport } = await startRedirects({}, resultPage);
    const { imp_uid } = iamport.ledger.open({ merchant_uid: 'order-1', amount: 14_000, pay_method: 'card' });
    iamport.ledger.fail(imp_uid, '한도 초과');
    const { body } = await redirect({ imp_uid, merchant_uid: 'order-1' });
    expect(body).toContain('한도 초과');
    expect(linksOf(body)).toEqual(['https://shop.example/checkout?step=pay&amp;merchant_uid=order-1', resultPage.shop]);
  });
  test('link to support, the orders and the shop after a rejected payment', async () => {
    const { redirect, paid } = await startRedirects({}, resultPage);
    const { body } = await redirect({ imp_uid: paid(100), merchant_uid: 'order-1' });
    expect(linksOf(body)).toEqual([resultPage.support, resultPage.orders, resultPage.shop]);
  });
  test('are absent when the shop configures none', async () => {
    const { redirect, paid } = await startRedirects({});
    expect(linksOf((await redirect({ imp_uid: paid(), merchant_uid: 'order-1' })).body)).toEqual([]);
  });
});
