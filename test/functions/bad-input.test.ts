/** Every endpoint returns a clear 4xx for bad input, calls no upstream and writes no item. */

import { describe, expect, test, vi } from 'vitest';
import { complete } from '../../functions/handlers/complete.ts';
import { mobileRedirect } from '../../functions/handlers/mobile-redirect.ts';
import { orders } from '../../functions/handlers/orders.ts';
import { refunds } from '../../functions/handlers/refunds.ts';
import { webhook } from '../../functions/handlers/webhook.ts';
import type { HandlerDependencies } from '../../functions/runtime/dependencies.ts';
import type { HttpHandler } from '../../functions/runtime/http-handler.ts';
import { handleRequest } from '../../functions/runtime/lambda-handler.ts';
import { eventOf, formBody, jsonBody, type Sent } from '../support/event.ts';

vi.spyOn(console, 'info').mockReturnValue();

/** A port whose every call fails the test. */
const locked = (port: string) => new Proxy({}, { get: () => () => expect.unreachable(`bad input reached ${port}`) });
const deps = {
  iamport: locked('Iamport'),
  orders: locked('the orders'),
  reversals: locked('the reversals'),
  clock: { now: () => 1_795_000_000_000, sleep: async () => undefined },
  count: () => undefined,
  policy: { acceptTestPayments: false, reversals: 'automatic' },
  config: {
    iamportApiUrl: 'https://api.iamport.kr',
    ...{ resultTargets: {}, shopName: '', resultPage: {}, webhookSenders: 'any' },
  },
} as unknown as HandlerDependencies;

const sent = (handler: HttpHandler, request: Sent, to = deps) =>
  handleRequest(handler, to, eventOf(request), 'request-1');
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
  ['sixty thousand brackets [T17]', { headers: { 'content-type': 'application/json' }, body: deep }, 400],
  ['an imp_uid that is null, as after a window that never opened', json({ imp_uid: null }), 400],
  ['an imp_uid that is a list', json({ imp_uid: ['imp_1'] }), 400],
  ['an imp_uid that is an object', json({ imp_uid: { $gt: '' } }), 400],
  ['a path traversal', json({ imp_uid: '../users/getToken' }), 400],
  ['dots', json({ imp_uid: '..' }), 400],
  ['an encoded path traversal', json({ imp_uid: '%2e%2e/users/getToken' }), 400],
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
    'ids in __proto__',
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
  [
    'a compressed body',
    { headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' }, body: 'x' },
    415,
  ],
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
    'invalid base64 [T14]',
    { headers: { 'content-type': 'application/json' }, body: '{"imp_uid":"imp_1"}', isBase64Encoded: true },
    400,
  ],
  [
    'bytes that are not UTF-8 [T15]',
    {
      headers: { 'content-type': 'application/json' },
      body: Buffer.from([0xc3, 0x28]).toString('base64'),
      isBase64Encoded: true,
    },
    400,
  ],
];

/** Order numbers that no order of ours can have. The webhook handler ignores them: a webhook may name another shop's order. */
const foreignOrders: readonly [string, Sent, number][] = [
  ['a merchant_uid of dots', json({ imp_uid: 'imp_1', merchant_uid: '..' }), 400],
  ['a merchant_uid of 41 characters', json({ imp_uid: 'imp_1', merchant_uid: 'm'.repeat(41) }), 400],
  ['a merchant_uid with a line break', json({ imp_uid: 'imp_1', merchant_uid: 'a\nb' }), 400],
  [
    'a merchant_uid with a lone surrogate',
    { headers: { 'content-type': 'application/json' }, body: '{"imp_uid":"imp_1","merchant_uid":"\\ud800"}' },
    400,
  ],
  ['a merchant_uid with a character that reverses text', json({ imp_uid: 'imp_1', merchant_uid: 'a\u202eb' }), 400],
];

const endpoints: readonly [string, HttpHandler][] = [
  ['POST /payments/complete', complete],
  ['POST /payments/webhook', webhook],
];
const bodiesOf = (handler: HttpHandler) => (handler === complete ? [...wrongBodies, ...foreignOrders] : wrongBodies);

describe.each(endpoints)('%s', (_route, handler) => {
  test.each(bodiesOf(handler))('%s', async (_name, request, status) => {
    const response = await sent(handler, request);
    const problem = JSON.parse(response.body ?? '');
    expect(response.statusCode).toBe(status);
    expect(response.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    const code = { 400: 'invalid_request', 413: 'payload_too_large', 415: 'unsupported_media_type' }[status];
    expect(problem).toMatchObject({ status, code });
    expect(problem.detail).toMatch(/\.$/);
    expect(problem.message).toBe('잘못된 요청입니다. 상점에 문의해 주세요.');
  });
});

test('reads a form with a parameter repeated 21,800 times within 5 seconds of CPU time', async () => {
  const before = process.threadCpuUsage();
  const response = await sent(complete, form(`imp_uid=../x${'&a=1&a'.repeat(10_900)}`));
  const { user, system } = process.threadCpuUsage(before);
  expect(user + system).toBeLessThan(5_000_000);
  expect(JSON.parse(response.body ?? '').detail).toBe('imp_uid must look like imp_123456789012.');
});

test.each([
  ['en', 'en'],
  ['ko-KR,ko;q=0.9,en;q=0.8', 'ko'],
  ['ko;q=0.5, en ; q=0.9', 'en'],
  ['ko;q=0, EN-us', 'en'],
  ['fr', 'ko'],
  ['*', 'ko'],
  [';;,,q=', 'ko'],
  ['__proto__', 'ko'],
])('answers a caller with accept-language "%s" in %s', async (header, language) => {
  const { headers } = json({});
  const response = await sent(complete, { headers: { ...headers, 'accept-language': header }, body: '{}' });
  expect(response.headers?.['content-language']).toBe(language);
});

test('returns every wrong field in one response', async () => {
  const response = await sent(complete, json({ imp_uid: 'x', merchant_uid: '..' }));
  expect(JSON.parse(response.body ?? '').detail).toBe(
    'imp_uid must look like imp_123456789012; merchant_uid must be 1 to 40 visible characters.',
  );
});

test('returns 403 to a sender other than Iamport when configured, whatever its headers contain', async () => {
  const strict = { ...deps, config: { ...deps.config, webhookSenders: 'iamport-only' as const } };
  const headers = { 'content-type': 'application/json', 'x-forwarded-for': '52.78.100.19' };
  const response = await sent(webhook, { headers, body: '{"imp_uid":"imp_1"}' }, strict);
  expect(response.statusCode).toBe(403);
  expect(JSON.parse(response.body ?? '').code).toBe('sender_refused');
});

describe('GET /payments/complete/mobile', () => {
  test.each([
    ['nothing', ''],
    ['a forged success', 'imp_success=true&success=true'],
    ['a broken id', 'imp_uid=../x&merchant_uid=order-1'],
    ['an id twice', 'imp_uid=imp_1&imp_uid=imp_2'],
    ['a header in the id', 'imp_uid=imp_1%0d%0aSet-Cookie:a=1'],
    ['a script for an id', 'imp_uid=%3Cscript%3Ealert(1)%3C/script%3E'],
  ])('%s: returns an error page in HTML', async (_name, query) => {
    const response = await sent(mobileRedirect, { method: 'GET', path: '/payments/complete/mobile', query });
    expect(response.statusCode).toBe(400);
    expect(response.headers?.['content-type']).toBe('text/html; charset=utf-8');
    expect(response.headers?.['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(response.body).toContain('잘못된 요청입니다.');
    // Apart from the page's own script at its end.
    expect(response.body?.replace(/<script>[^<]*<\/script>\s*<\/body>/, '')).not.toMatch(/script|alert|Set-Cookie/i);
  });
});

test.each([
  [{ reason: '환불 \ud83d' }, 'reason'],
  [{ reason: '환불', account: { holder: '홍\ud83d', bank: '004', number: '1' } }, 'account.holder'],
])('POST /orders/{merchant_uid}/refunds: refuses text that was cut within an emoji: %j', async (fields, path) => {
  const request = { pathParameters: { merchant_uid: 'order-1' }, ...jsonBody(fields) };
  const response = await sent(refunds, request);
  expect(response.statusCode).toBe(400);
  expect(JSON.parse(response.body ?? '').detail).toMatch(`${path} must have no unpaired surrogate`);
});

describe('PUT /orders/{merchant_uid}', () => {
  const put = (body: unknown, merchantUid = 'order-1') =>
    sent(orders, { method: 'PUT', pathParameters: { merchant_uid: merchantUid }, ...jsonBody(body) });

  test.each<[string, unknown, RegExp]>([
    ['no amount', {}, /amount/],
    ['an amount as text', { amount: '14000' }, /amount/],
    ['a zero amount', { amount: 0 }, /amount/],
    ['a negative amount', { amount: -1 }, /amount/],
    ['half a won', { amount: 14_000.5 }, /amount/],
    ['an amount above the exact integers', { amount: 1e21 }, /amount/],
    ['a tenth of a cent', { amount: 1.001, currency: 'USD' }, /amount/],
    ['a currency in small letters', { amount: 1, currency: 'krw' }, /currency/],
    ['a misspelt field', { ammount: 14_000, amount: 14_000 }, /^ammount is an unknown field\.$/],
    ['a deadline in milliseconds', { amount: 14_000, expires_at: 1_795_003_600_000 }, /not milliseconds/],
    ['a deadline as text', { amount: 14_000, expires_at: 'tomorrow' }, /expires_at/],
    ['a very long name', { amount: 14_000, name: '가'.repeat(201) }, /name/],
    [
      'a name that was cut within an emoji',
      { amount: 14_000, name: '꽃다발 \u{1f490}'.slice(0, 5) },
      /^name must have no/,
    ],
    ['a tier with a line break', { amount: 14_000, tier: 'a\r\nb' }, /tier/],
  ])('%s', async (_name, body, detail) => {
    const response = await put(body);
    expect(response.statusCode).toBe(400);
    expect(JSON.parse(response.body ?? '').detail).toMatch(detail);
  });

  test('an invalid order number', async () => {
    expect((await put({ amount: 14_000 }, '..')).statusCode).toBe(400);
    expect((await put({ amount: 14_000 }, 'm'.repeat(41))).statusCode).toBe(400);
  });

  test('a form', async () => {
    const response = await sent(orders, {
      method: 'PUT',
      pathParameters: { merchant_uid: 'order-1' },
      ...formBody('amount=14000'),
    });
    expect(response.statusCode).toBe(415);
  });
});
