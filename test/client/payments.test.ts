/** The client against a real HTTP server that answers as the order routes do. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPayments, PaymentsError } from '../../client/index.ts';
import { orderJson } from '../../functions/http/order-json.ts';
import { Problem, type ProblemCode } from '../../functions/http/problem.ts';
import { json, noContent, problem } from '../../functions/http/response.ts';
import type { Amount } from '../../functions/payment/money.ts';
import type { Order } from '../../functions/payment/order.ts';

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Milliseconds. */
  readonly at: number;
}

/** Answers one request. */
type Reply = (response: ServerResponse) => void;
type HandlerAnswer = ReturnType<typeof json>;

const key = 'sk_test_orders_0123456789abcdef';
const order: Order = {
  merchantUid: 'order-1',
  amount: 14_000 as Amount,
  currency: 'KRW',
  revision: 1,
  createdAt: 1,
  updatedAt: 1,
  state: { status: 'ready' },
};
let received: Received[];
let replies: Reply[];
let server: ReturnType<typeof createServer>;
let url: string;

beforeEach(async () => {
  received = [];
  replies = [];
  server = createServer(async (request, response) => {
    const { method, url: target, headers } = request;
    received.push({ method, url: target, headers, body: await text(request), at: performance.now() });
    const reply = replies.shift();
    if (reply) reply(response);
    else response.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  vi.restoreAllMocks();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** An answer as the handlers return it. */
const answer =
  ({ statusCode = 200, headers, body }: HandlerAnswer): Reply =>
  (response) =>
    void response.writeHead(statusCode, headers as Record<string, string>).end(body);
const refused = (code: ProblemCode, retryAfter?: number) =>
  answer(problem(new Problem(code, 'What to do.', retryAfter === undefined ? {} : { retryAfter }), 'ko'));
/** An answer of API Gateway itself. */
const gateway =
  (status: number, headers: Record<string, string> = {}): Reply =>
  (response) =>
    void response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end('{"message":"Service Unavailable"}');
const lost: Reply = (response) => void response.destroy();
const silent: Reply = () => undefined;
const ready = answer(json(200, { ...orderJson(order), reversals: [], refunds: [] }));

const payments = (options: { timeoutMs?: number } = {}) => createPayments({ url, key, ...options });
/** @returns the error of a call, which must be a PaymentsError */
async function errorOf(call: Promise<unknown>): Promise<PaymentsError> {
  const error: unknown = await call.then(
    () => 'no error',
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(PaymentsError);
  return error as PaymentsError;
}

test('registers an order with its terms and the key', async () => {
  replies = [answer(json(201, { ...orderJson(order), prepared: true }))];
  const registered = await payments().orders.register('주문 1', { amount: 14_000, name: '꽃' });
  expect(registered).toMatchObject({ merchant_uid: 'order-1', amount: 14_000, status: 'ready', prepared: true });
  expect(received).toMatchObject([
    {
      method: 'PUT',
      url: `/orders/${encodeURIComponent('주문 1')}`,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: '{"amount":14000,"name":"꽃"}',
    },
  ]);
});

test('reads an order', async () => {
  replies = [ready];
  expect(await payments().orders.get('order-1')).toMatchObject({ status: 'ready', reversals: [], refunds: [] });
  expect(received).toMatchObject([{ method: 'GET', url: '/orders/order-1', body: '' }]);
});

test('closes an order', async () => {
  replies = [answer(noContent())];
  expect(await payments().orders.close('order-1')).toBeUndefined();
  expect(received).toMatchObject([{ method: 'DELETE', url: '/orders/order-1' }]);
});

test('refunds with the idempotency key as a header, and not in the body', async () => {
  replies = [answer(json(202, { refund: { state: 'requested' }, order: orderJson(order) }))];
  const { refund } = await payments().refunds.create('order-1', {
    amount: 1_000,
    reason: 'Sold out',
    idempotencyKey: 'order-1-a',
  });
  expect(refund.state).toBe('requested');
  expect(received).toMatchObject([{ method: 'POST', url: '/orders/order-1/refunds' }]);
  expect(received[0]?.headers['idempotency-key']).toBe('order-1-a');
  expect(JSON.parse(received[0]?.body ?? '')).toEqual({ amount: 1_000, reason: 'Sold out' });
});

test('keeps the path and drops the last slash of the URL', async () => {
  replies = [ready];
  await createPayments({ url: `${url}/stage/`, key }).orders.get('order-1');
  expect(received[0]?.url).toBe('/stage/orders/order-1');
});

test.each<ProblemCode>(['order_exists', 'order_not_found', 'invalid_request', 'internal_error', 'iamport_error'])(
  'rejects with the code %s of the API, at the first attempt',
  async (code) => {
    replies = [refused(code)];
    const error = await errorOf(payments().orders.register('order-1', { amount: 14_000 }));
    const { status } = new Problem(code, '');
    expect(error).toMatchObject({ name: 'PaymentsError', code, status, detail: 'What to do.' });
    expect(error.message).toBe(`PUT /orders/order-1: ${status} ${code}: What to do.`);
    expect(received).toHaveLength(1);
  },
);

test('rejects an answer of the gateway without a code as http_error', async () => {
  replies = [gateway(403)];
  expect(await errorOf(payments().orders.get('order-1'))).toMatchObject({
    code: 'http_error',
    status: 403,
    detail: 'Service Unavailable',
  });
});

test('rejects a page as http_error, and a success that is not JSON as invalid_response', async () => {
  replies = [(response) => response.writeHead(502).end('<html>'), (response) => response.writeHead(200).end('<html>')];
  expect(await errorOf(payments().orders.get('order-1'))).toMatchObject({ code: 'http_error', status: 502 });
  expect(await errorOf(payments().orders.get('order-1'))).toMatchObject({ code: 'invalid_response', status: 200 });
});

test('follows no redirect, since the request contains the key', async () => {
  replies = [(response) => response.writeHead(307, { location: '/elsewhere' }).end(), ready];
  expect(await errorOf(payments().orders.get('order-1'))).toMatchObject({ code: 'http_error', status: 307 });
  expect(received).toHaveLength(1);
});

test.each<[string, Reply]>([
  ['a lost response', lost],
  ['a 503 of the API', refused('store_unavailable', 1)],
  ['a 503 of the gateway', gateway(503)],
  ['a 504 of the gateway', gateway(504)],
  ['a 429 of the gateway', gateway(429)],
])('repeats a read after %s', async (_kind, failure) => {
  replies = [failure, ready];
  expect(await payments().orders.get('order-1')).toMatchObject({ status: 'ready' });
  expect(received).toHaveLength(2);
});

test('repeats a registration, a close and a refund with a key, each with the same request', async () => {
  replies = [lost, ready, lost, answer(noContent()), lost, answer(json(200, { refund: {}, order: {} }))];
  await payments().orders.register('order-1', { amount: 14_000 });
  await payments().orders.close('order-1');
  await payments().refunds.create('order-1', { amount: 500, reason: 'Sold out', idempotencyKey: 'part-1' });
  const sent = received.map(({ method, url: target, body, headers }) => [
    method,
    target,
    body,
    headers['idempotency-key'],
  ]);
  expect(sent).toHaveLength(6);
  for (const index of [0, 2, 4]) expect(sent[index + 1]).toEqual(sent[index]);
});

test.each<[string, Reply, string]>([
  ['a lost response', lost, 'network_error'],
  ['a 503', refused('store_unavailable', 1), 'store_unavailable'],
  ['a 429', gateway(429), 'http_error'],
])('never repeats a refund without a key after %s', async (_kind, failure, code) => {
  replies = [failure, answer(json(200, { refund: {}, order: {} }))];
  const error = await errorOf(payments().refunds.create('order-1', { reason: 'Sold out' }));
  expect(error.code).toBe(code);
  expect(received).toHaveLength(1);
});

test('waits as long as retry-after asks for', async () => {
  replies = [refused('order_busy', 1), ready];
  await payments().orders.get('order-1');
  const [first, second] = received;
  // A timer of Node.js may fire up to a millisecond early.
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(990);
});

test('returns the fault at once when retry-after is longer than the time that is left', async () => {
  replies = [refused('not_settled', 3600), ready];
  const error = await errorOf(payments().orders.get('order-1'));
  expect(error).toMatchObject({ code: 'not_settled', status: 503, retryAfterSeconds: 3600 });
  expect(received).toHaveLength(1);
});

test('gives up after four attempts, with the last fault', async () => {
  const failure = gateway(503, { 'retry-after': '0' });
  replies = [failure, failure, failure, refused('order_busy', 0), ready];
  const error = await errorOf(payments().orders.get('order-1'));
  expect(error).toMatchObject({ code: 'order_busy', status: 503 });
  expect(received).toHaveLength(4);
});

test('rejects with network_error and its cause when no server listens', async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const nowhere = createPayments({ url: `http://127.0.0.1:${port}`, key });
  const error = await errorOf(nowhere.refunds.create('order-1', { reason: 'Sold out' }));
  expect(error).toMatchObject({ code: 'network_error', status: undefined });
  expect(error.cause).toBeInstanceOf(Error);
});

test('ends a call without a response after timeoutMs', async () => {
  replies = [silent, silent, silent, silent];
  const error = await errorOf(payments({ timeoutMs: 50 }).orders.get('order-1'));
  expect(error).toMatchObject({ code: 'timeout', status: undefined });
});

test('ends a call whose response stops half-way', async () => {
  replies = [(response) => void response.writeHead(200).write('{')];
  const error = await errorOf(payments({ timeoutMs: 200 }).orders.get('order-1'));
  expect(error.code).toBe('timeout');
});

/** A fetch whose first call gets no response, and every further call the order. */
function silentOnce() {
  return vi
    .fn(async () => new Response('{"status":"ready"}'))
    .mockImplementationOnce(
      (_url?: string, init?: RequestInit) =>
        new Promise((_resolve, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))),
    );
}

test('repeats a read after an attempt without a response', async () => {
  const fetch = silentOnce();
  const impatient = createPayments({ url, key, fetch, attemptTimeoutMs: 20 });
  expect(await impatient.orders.get('order-1')).toMatchObject({ status: 'ready' });
  expect(fetch).toHaveBeenCalledTimes(2);
});

test('never repeats a refund without a key after a time-out', async () => {
  const fetch = silentOnce();
  const impatient = createPayments({ url, key, fetch, attemptTimeoutMs: 20 });
  expect(await errorOf(impatient.refunds.create('order-1', { reason: 'Sold out' }))).toMatchObject({ code: 'timeout' });
  expect(fetch).toHaveBeenCalledTimes(1);
});

test('uses the fetch of the options', async () => {
  const fetch = vi.fn(async () => new Response('{"status":"ready"}'));
  const order = await createPayments({ url: 'https://pay.my-shop.kr', key, fetch }).orders.get('order-1');
  expect(order.status).toBe('ready');
  expect(fetch).toHaveBeenCalledWith(
    'https://pay.my-shop.kr/orders/order-1',
    expect.objectContaining({ method: 'GET' }),
  );
});

test.each([
  ['http to another machine', 'http://pay.my-shop.kr'],
  ['no address', 'pay.my-shop.kr'],
  ['a query', 'https://pay.my-shop.kr?stage=1'],
  ['a password', 'https://user:word@pay.my-shop.kr'],
])('refuses a URL with %s', (_kind, address) => {
  expect(() => createPayments({ url: address, key })).toThrow(TypeError);
});

test.each(['', 'sk_with space', 'sk_line\n', 'sk_키'])('refuses the key "%s", without repeating it', (wrong) => {
  let error: unknown;
  try {
    createPayments({ url, key: wrong });
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(TypeError);
  if (wrong) expect((error as Error).message).not.toContain(wrong);
});

test.each(['', '.', '..'])('refuses the order number "%s", which a URL drops', async (merchantUid) => {
  await expect(payments().orders.close(merchantUid)).rejects.toThrow(TypeError);
  expect(received).toEqual([]);
});

test('no error contains the key', async () => {
  replies = [refused('order_exists')];
  const error = await errorOf(payments().orders.register('order-1', { amount: 1 }));
  expect(`${error.stack}${JSON.stringify(error)}`).not.toContain(key);
});

test('a part without a key does not compile', () => {
  const { refunds } = createPayments({ url, key, fetch: async () => new Response('{}') });
  // @ts-expect-error: an amount needs an idempotencyKey.
  void refunds.create('order-1', { amount: 1, reason: 'Sold out' });
});

test.each([
  ['an amount that JSON has not', () => payments().orders.register('order-1', { amount: 1000n as never })],
  ['an idempotency key of other letters', () => giveBack('주문-1')],
  ['an idempotency key of 65 characters', () => giveBack('k'.repeat(65))],
  ['an empty idempotency key', () => giveBack('')],
  ['an order number with half a character', () => payments().orders.get('order-\ud83d')],
])('throws a TypeError before any request for %s [T546]', async (_case, call) => {
  const fetched = vi.spyOn(globalThis, 'fetch');
  await expect(call()).rejects.toThrow(TypeError);
  expect(fetched).not.toHaveBeenCalled();
  expect(received).toEqual([]);
});
const giveBack = (idempotencyKey: string) =>
  payments().refunds.create('order-1', { reason: 'Sold out', idempotencyKey });

test.each(['', 'null', '[]', '"ok"'])('an order is never "%s": the url is probably wrong', async (body) => {
  replies = [(response) => void response.writeHead(200).end(body)];
  expect(await errorOf(payments().orders.get('order-1'))).toMatchObject({ code: 'invalid_response', status: 200 });
});
