/** Bad input gets a clear 4xx at every door; nobody is asked for it, and nothing is written. */

import { describe, expect, test, vi } from 'vitest';
import { complete } from '../../functions/handlers/complete.ts';
import { mobileRedirect } from '../../functions/handlers/mobile-redirect.ts';
import { orders } from '../../functions/handlers/orders.ts';
import { webhook } from '../../functions/handlers/webhook.ts';
import type { Rooms } from '../../functions/runtime/dependencies.ts';
import { type Door, visit } from '../../functions/runtime/lambda-handler.ts';
import { eventOf, formBody, jsonBody, type Sent } from '../support/event.ts';

vi.spyOn(console, 'info').mockReturnValue();

/** Rooms that nobody may enter. */
const locked = (what: string) => new Proxy({}, { get: () => () => expect.unreachable(`bad input reached ${what}`) });
const rooms = {
  iamport: locked('Iamport'),
  orders: locked('the orders'),
  reversals: locked('the reversals'),
  clock: { now: () => 1_795_000_000_000, sleep: async () => undefined },
  count: () => undefined,
  policy: { acceptTestPayments: false, reversals: 'automatic' },
  config: { resultTargets: {}, shopName: '', resultPage: {}, webhookSenders: 'any' },
} as unknown as Rooms;

const sent = (door: Door, request: Sent, to = rooms) => visit(door, to, eventOf(request), 'request-1');
const json = (value: unknown): Sent => jsonBody(value);
const form = (text: string): Sent => formBody(text);
const deep = `${'['.repeat(60_000)}`;

const wrongBodies: readonly [string, Sent, number][] = [
  ['no body', { headers: { 'content-type': 'application/json' } }, 400],
  ['an empty object', json({}), 400],
  ['a list', json([]), 400],
  ['null', json(null), 400],
  ['a text', json('imp_1'), 400],
  ['a number', json(1), 400],
  ['not JSON', { headers: { 'content-type': 'application/json' }, body: '{imp_uid:' }, 400],
  ['sixty thousand brackets', { headers: { 'content-type': 'application/json' }, body: deep }, 400],
  ['an imp_uid that is null, as after a window that never opened', json({ imp_uid: null }), 400],
  ['an imp_uid that is a list', json({ imp_uid: ['imp_1'] }), 400],
  ['an imp_uid that is an object', json({ imp_uid: { $gt: '' } }), 400],
  ['a way out of the path', json({ imp_uid: '../users/getToken' }), 400],
  ['dots', json({ imp_uid: '..' }), 400],
  ['an encoded way out', json({ imp_uid: '%2e%2e/users/getToken' }), 400],
  ['another endpoint', json({ imp_uid: 'imp_1/balance' }), 400],
  ['a smuggled query', json({ imp_uid: 'imp_1?include_sandbox=true' }), 400],
  ['a smuggled fragment', json({ imp_uid: 'imp_1#' }), 400],
  ['a new line', json({ imp_uid: 'imp_1\r\nX: y' }), 400],
  ['a new line at the end', json({ imp_uid: 'imp_1\n' }), 400],
  ['a NUL', json({ imp_uid: 'imp_1\u0000' }), 400],
  ['a space at the end', json({ imp_uid: 'imp_1 ' }), 400],
  ['full-width letters', json({ imp_uid: 'ｉｍｐ_1' }), 400],
  ['a very long id', json({ imp_uid: `imp_${'1'.repeat(29)}` }), 400],
  ['an empty id', json({ imp_uid: 'imp_' }), 400],
  [
    'ids by way of the prototype',
    { headers: { 'content-type': 'application/json' }, body: '{"__proto__":{"imp_uid":"imp_1"}}' },
    400,
  ],
  ['a form with the id twice', form('imp_uid=imp_1&imp_uid=imp_2'), 400],
  ['a form with an empty id', form('imp_uid='), 400],
  ['plain text', { headers: { 'content-type': 'text/plain' }, body: 'imp_uid=imp_1' }, 415],
  ['multipart', { headers: { 'content-type': 'multipart/form-data; boundary=x' }, body: '--x--' }, 415],
  ['XML', { headers: { 'content-type': 'application/xml' }, body: '<imp_uid>imp_1</imp_uid>' }, 415],
  ['no type', { body: '{"imp_uid":"imp_1"}' }, 415],
  [
    'another charset',
    { headers: { 'content-type': 'application/json; charset=utf-16' }, body: '{"imp_uid":"imp_1"}' },
    415,
  ],
  ['a packed body', { headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' }, body: 'x' }, 415],
  ['64 KiB and a byte', json({ imp_uid: 'imp_1', more: 'x'.repeat(65_536) }), 413],
  [
    '64 KiB and a byte, as base64',
    {
      headers: { 'content-type': 'application/json' },
      body: Buffer.alloc(65_537, 32).toString('base64'),
      isBase64Encoded: true,
    },
    413,
  ],
  [
    'base64 that is none',
    { headers: { 'content-type': 'application/json' }, body: '{"imp_uid":"imp_1"}', isBase64Encoded: true },
    400,
  ],
  [
    'bytes that are not UTF-8',
    {
      headers: { 'content-type': 'application/json' },
      body: Buffer.from([0xc3, 0x28]).toString('base64'),
      isBase64Encoded: true,
    },
    400,
  ],
];

/** Order numbers that no order of ours can have. A webhook may be about another shop's order, and passes them over. */
const foreignOrders: readonly [string, Sent, number][] = [
  ['a merchant_uid of dots', json({ imp_uid: 'imp_1', merchant_uid: '..' }), 400],
  ['a merchant_uid of 41 characters', json({ imp_uid: 'imp_1', merchant_uid: 'm'.repeat(41) }), 400],
  ['a merchant_uid with a line break', json({ imp_uid: 'imp_1', merchant_uid: 'a\nb' }), 400],
  [
    'a merchant_uid with half a character',
    { headers: { 'content-type': 'application/json' }, body: '{"imp_uid":"imp_1","merchant_uid":"\\ud800"}' },
    400,
  ],
  ['a merchant_uid that turns text around', json({ imp_uid: 'imp_1', merchant_uid: 'a\u202eb' }), 400],
];

const doors: readonly [string, Door][] = [
  ['POST /payments/complete', complete],
  ['POST /payments/webhook', webhook],
];
const bodiesOf = (door: Door) => (door === complete ? [...wrongBodies, ...foreignOrders] : wrongBodies);

describe.each(doors)('%s', (_route, door) => {
  test.each(bodiesOf(door))('%s', async (_name, request, status) => {
    const answer = await sent(door, request);
    const problem = JSON.parse(answer.body ?? '');
    expect(answer.statusCode).toBe(status);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    const code = { 400: 'invalid_request', 413: 'payload_too_large', 415: 'unsupported_media_type' }[status];
    expect(problem).toMatchObject({ status, code });
    expect(problem.detail).toMatch(/\.$/);
    expect(problem.message).toBe('잘못된 요청입니다.');
  });
});

test('a name that comes thirty thousand times takes no longer than it has to', { timeout: 5_000 }, async () => {
  const answer = await sent(complete, form(`imp_uid=../x${'&a=1&a'.repeat(10_900)}`));
  expect(JSON.parse(answer.body ?? '').detail).toBe('imp_uid must look like imp_123456789012.');
});

test('every wrong field is named in one answer', async () => {
  const answer = await sent(complete, json({ imp_uid: 'x', merchant_uid: '..' }));
  expect(JSON.parse(answer.body ?? '').detail).toBe(
    'imp_uid must look like imp_123456789012; merchant_uid must be 1 to 40 visible characters.',
  );
});

test('a sender that is not Iamport is refused where the shop wants that, whatever its headers say', async () => {
  const strict = { ...rooms, config: { ...rooms.config, webhookSenders: 'iamport-only' as const } };
  const headers = { 'content-type': 'application/json', 'x-forwarded-for': '52.78.100.19' };
  const answer = await sent(webhook, { headers, body: '{"imp_uid":"imp_1"}' }, strict);
  expect(answer.statusCode).toBe(403);
  expect(JSON.parse(answer.body ?? '').code).toBe('sender_refused');
});

describe('GET /payments/complete/mobile', () => {
  test.each([
    ['nothing', ''],
    ['a forged success', 'imp_success=true&success=true'],
    ['a broken id', 'imp_uid=../x&merchant_uid=order-1'],
    ['an id twice', 'imp_uid=imp_1&imp_uid=imp_2'],
    ['a header in the id', 'imp_uid=imp_1%0d%0aSet-Cookie:a=1'],
    ['a script for an id', 'imp_uid=%3Cscript%3Ealert(1)%3C/script%3E'],
  ])('%s: a page for the buyer, and no JSON', async (_name, query) => {
    const answer = await sent(mobileRedirect, { method: 'GET', path: '/payments/complete/mobile', query });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers?.['content-type']).toBe('text/html; charset=utf-8');
    expect(answer.headers?.['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(answer.body).toContain('잘못된 요청입니다.');
    // Beside the page's own script, which stands at its end.
    expect(answer.body?.replace(/<script>[^<]*<\/script>\s*<\/body>/, '')).not.toMatch(/script|alert|Set-Cookie/i);
  });
});

describe('PUT /orders/{merchant_uid}', () => {
  const put = (body: unknown, merchantUid = 'order-1') =>
    sent(orders, { method: 'PUT', pathParameters: { merchant_uid: merchantUid }, ...jsonBody(body) });

  test.each<[string, unknown, RegExp]>([
    ['no amount', {}, /amount/],
    ['an amount as text', { amount: '14000' }, /amount/],
    ['no money', { amount: 0 }, /amount/],
    ['less than no money', { amount: -1 }, /amount/],
    ['half a won', { amount: 14_000.5 }, /amount/],
    ['more than exact', { amount: 1e21 }, /amount/],
    ['a tenth of a cent', { amount: 1.001, currency: 'USD' }, /amount/],
    ['a currency in small letters', { amount: 1, currency: 'krw' }, /currency/],
    ['a misspelt field', { ammount: 14_000, amount: 14_000 }, /^ammount is no field of it\.$/],
    ['a deadline that is over', { amount: 14_000, expires_at: 1_000_000 }, /expires_at/],
    ['a deadline in words', { amount: 14_000, expires_at: 'tomorrow' }, /expires_at/],
    ['a very long name', { amount: 14_000, name: '가'.repeat(201) }, /name/],
    ['a tier with a line break', { amount: 14_000, tier: 'a\r\nb' }, /tier/],
  ])('%s', async (_name, body, detail) => {
    const answer = await put(body);
    expect(answer.statusCode).toBe(400);
    expect(JSON.parse(answer.body ?? '').detail).toMatch(detail);
  });

  test('an order number that is none', async () => {
    expect((await put({ amount: 14_000 }, '..')).statusCode).toBe(400);
    expect((await put({ amount: 14_000 }, 'm'.repeat(41))).statusCode).toBe(400);
  });

  test('a form', async () => {
    const answer = await sent(orders, {
      method: 'PUT',
      pathParameters: { merchant_uid: 'order-1' },
      ...formBody('amount=14000'),
    });
    expect(answer.statusCode).toBe(415);
  });
});
