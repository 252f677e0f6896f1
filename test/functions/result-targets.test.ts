/** Where a phone goes after the payment: to what the configuration names, and never to what the query says. */

import { expect, test, vi } from 'vitest';
import { mobileRedirect } from '../../functions/mobile-redirect.ts';
import { visit } from '../../functions/serve.ts';
import { eventOf } from './event.ts';
import { openRooms } from './rooms.ts';

vi.spyOn(console, 'info').mockReturnValue();

const resultTargets = { web: 'https://shop.example/orders/result?from=pay', app: 'shopapp://result' };

async function arrival(targets: Record<string, string> = resultTargets) {
  const opened = await openRooms();
  await opened.order();
  const rooms = { ...opened.rooms, config: { ...opened.rooms.config, resultTargets: targets } };
  const arrive = async (query: Record<string, string>) => {
    const event = eventOf({ method: 'GET', query: `${new URLSearchParams(query)}` });
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
