/**
 * The requests of `verify`, each with the response that docs/http.md describes. A request that has to be refused is harmless if a
 * faulty gateway lets it through: it names an order that does not exist, or its body is not valid.
 */

import { eventSource, readDetail } from '../functions/events/event-schema.ts';
import type { ProblemCode } from '../functions/http/problem.ts';
import type { Localized } from '../functions/shared/language.ts';

/** How a request is authorized. `public`: without a key. `unknown`: with a key or signature that is not valid. */
export type Sender = 'public' | 'unknown' | 'orders' | 'money';

export interface VerifyRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH' | 'OPTIONS';
  /** The path and the query. */
  readonly path: string;
  readonly as: Sender;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The parts of a response that the checks read. */
export interface Received {
  readonly status: number;
  /** The media type; empty when the response has none. */
  readonly type: string;
  /** `access-control-allow-origin`; undefined when the response has none. */
  readonly allowedOrigin?: string | undefined;
  readonly location?: string | undefined;
  /** The JSON of the body; an empty object for another body. */
  readonly json: Readonly<Record<string, unknown>>;
}

export interface Expected {
  /** In English and without ids, since it is part of the text to post. */
  readonly text: string;
  isMet(received: Received): boolean;
  /** Describes what is wrong with a response; by default by its status and problem code. */
  found?(received: Received): string;
}

export interface VerifyCheck {
  /** The route, as in docs/http.md. */
  readonly route: string;
  readonly case: Localized;
  readonly request: VerifyRequest;
  readonly expected: Expected;
}

/** The order numbers and the facts of the deployment that the checks depend on. */
export interface VerifySubject {
  /** A new order number. */
  readonly order: string;
  /** An order number that is never registered. */
  readonly missing: string;
  readonly auth: 'key' | 'iam';
  /** The orders are in the shop's own table, where only the shop creates items: then no order can be registered. */
  readonly isShopsTable: boolean;
  /** The expiry of the order, if `verify` ends before it has closed the order. Unix seconds. */
  readonly expiresAt: number;
}

/** In won. */
const amount = 1_000;
/** An id that no payment has. */
const impUid = 'imp_verify000000';
const foreignOrigin = 'https://foreign.example';
/** 64 KiB and some bytes. */
const padding = { padding: 'x'.repeat(65_536) };

const answers = (status: number, code?: ProblemCode): Expected => ({
  text: [status, code].filter(Boolean).join(' '),
  isMet: ({ status: received, json }) => received === status && (code === undefined || json.code === code),
});

const orderWith = (status: number, state: string): Expected => ({
  text: `${status} with an order that is ${state}`,
  isMet: ({ status: received, json }) => received === status && json.status === state,
});

const orderRoute = '/orders/{merchant_uid}';
const refundsRoute = `${orderRoute}/refunds`;
const pathOf = (order: string): string => `/orders/${encodeURIComponent(order)}`;
const routeOf = (method: string, path: string): string => `${method} ${path}`;

/** Requests that the API must refuse, whatever the state of its orders. */
export function refusedRequests({ missing, auth }: VerifySubject): readonly VerifyCheck[] {
  const path = pathOf(missing);
  const byKey = [
    { method: 'PUT', path, route: orderRoute, body: {} },
    { method: 'GET', path, route: orderRoute },
    { method: 'POST', path: `${path}/refunds`, route: refundsRoute, body: {} },
    { method: 'DELETE', path, route: orderRoute },
  ] as const;
  // API Gateway itself refuses an unsigned call, without a problem code.
  const unauthorised = auth === 'key' ? answers(401, 'unauthorised') : answers(403);
  return [
    ...byKey.flatMap(({ route, ...request }) => [
      check(routeOf(request.method, route), cases.withoutKey[auth], { ...request, as: 'public' }, unauthorised),
      check(routeOf(request.method, route), cases.withWrongKey[auth], { ...request, as: 'unknown' }, unauthorised),
    ]),
    ...(auth === 'key' ? byKey.slice(2) : []).map(({ route, ...request }) =>
      check(
        routeOf(request.method, route),
        cases.withKeyForOrders,
        { ...request, as: 'orders' },
        answers(403, 'forbidden'),
      ),
    ),
    ...otherMethods(path),
    ...tooLargeBodies(path),
  ];
}

/** API Gateway has no route of the method PATCH. */
function otherMethods(path: string): readonly VerifyCheck[] {
  const paths = {
    '/payments/complete': '/payments/complete',
    '/payments/complete/mobile': '/payments/complete/mobile',
    '/payments/webhook': '/payments/webhook',
    '/payments/confirm': '/payments/confirm',
    [orderRoute]: path,
    [refundsRoute]: `${path}/refunds`,
  };
  return Object.entries(paths).map(([route, sent]) =>
    check(routeOf('PATCH', route), cases.otherMethod, { method: 'PATCH', path: sent, as: 'money' }, answers(404)),
  );
}

function tooLargeBodies(path: string): readonly VerifyCheck[] {
  const tooLarge = answers(413, 'payload_too_large');
  const post = (to: string, expected = tooLarge) =>
    check(
      `POST ${to}`,
      cases.tooLarge,
      { method: 'POST', path: to, as: 'public', body: { imp_uid: impUid, ...padding } },
      expected,
    );
  return [
    post('/payments/complete'),
    post('/payments/webhook', orRefusedSender(tooLarge)),
    post('/payments/confirm'),
    check(routeOf('PUT', orderRoute), cases.tooLarge, { method: 'PUT', path, as: 'money', body: padding }, tooLarge),
    check(
      routeOf('POST', refundsRoute),
      cases.tooLarge,
      { method: 'POST', path: `${path}/refunds`, as: 'money', body: padding },
      tooLarge,
    ),
  ];
}

/** With `webhookSenders: "iamport-only"` the webhook refuses every other sender, before it reads the body. */
const orRefusedSender = (expected: Expected): Expected => ({
  text: `${expected.text}, or 403 sender_refused`,
  isMet: (received) => expected.isMet(received) || answers(403, 'sender_refused').isMet(received),
});

/** @param origin of the storefront */
export function storefrontRequests(origin: string): readonly VerifyCheck[] {
  const allowed: Expected = {
    text: 'access-control-allow-origin with the origin of the storefront',
    isMet: ({ allowedOrigin }) => allowedOrigin === origin,
    found: ({ status, allowedOrigin }) =>
      `${status} with ${allowedOrigin === undefined ? 'no' : 'another'} access-control-allow-origin`,
  };
  const headers = { origin };
  const request = { method: 'POST', path: '/payments/complete', as: 'public', body: {}, headers } as const;
  return [
    preflight(cases.ownPreflight, origin, allowed),
    check('POST /payments/complete', cases.ownOrigin, request, {
      ...allowed,
      text: `400 invalid_request and ${allowed.text}`,
      isMet: (received) => answers(400, 'invalid_request').isMet(received) && allowed.isMet(received),
    }),
  ];
}

export const foreignRequest = (): VerifyCheck =>
  preflight(cases.foreignPreflight, foreignOrigin, {
    text: 'no access-control-allow-origin',
    isMet: ({ status, allowedOrigin }) => status < 500 && allowedOrigin === undefined,
    found: ({ status, allowedOrigin }) =>
      allowedOrigin === undefined ? String(status) : `${status} with an access-control-allow-origin`,
  });

function preflight(caseText: Localized, origin: string, expected: Expected): VerifyCheck {
  const headers = {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type',
  };
  const request = { method: 'OPTIONS', path: '/payments/complete', as: 'public', headers } as const;
  return check('OPTIONS /payments/complete', caseText, request, expected);
}

/** In a shop's own table no order can be registered, and each request returns that there is none. */
const ifRegistered = ({ isShopsTable }: VerifySubject, expected: Expected): Expected =>
  isShopsTable ? answers(404, 'order_not_found') : expected;

const readOrder = (subject: VerifySubject, state: string): VerifyCheck =>
  check(
    routeOf('GET', orderRoute),
    cases.read[subject.auth],
    { method: 'GET', path: pathOf(subject.order), as: 'orders' },
    ifRegistered(subject, orderWith(200, state)),
  );

/** One order: registered, and then every route of an unpaid order, in this order. `closingRequests` close it. */
export function orderRequests(subject: VerifySubject): readonly VerifyCheck[] {
  const { order, expiresAt, auth } = subject;
  const path = pathOf(order);
  const registered = (expected: Expected) => ifRegistered(subject, expected);
  const ids = { imp_uid: impUid, merchant_uid: order };
  return [
    check(
      routeOf('PUT', orderRoute),
      cases.register[auth],
      { method: 'PUT', path, as: 'orders', body: { amount, expires_at: expiresAt } },
      registered(orderWith(201, 'ready')),
    ),
    readOrder(subject, 'ready'),
    check(
      'POST /payments/complete',
      cases.unknownPayment,
      { method: 'POST', path: '/payments/complete', as: 'public', body: ids },
      registered(answers(404, 'payment_not_found')),
    ),
    check(
      'GET /payments/complete/mobile',
      cases.unknownPayment,
      { method: 'GET', path: `/payments/complete/mobile?${new URLSearchParams(ids)}`, as: 'public' },
      resultOfUnknown,
    ),
    check(
      'POST /payments/webhook',
      cases.unknownPayment,
      { method: 'POST', path: '/payments/webhook', as: 'public', body: { ...ids, status: 'paid' } },
      orRefusedSender({
        text: '200 settled: false',
        isMet: ({ status, json }) => status === 200 && json.settled === false,
      }),
    ),
    check(
      'POST /payments/confirm',
      cases.otherAmount,
      { method: 'POST', path: '/payments/confirm', as: 'public', body: { ...ids, amount: amount + 1 } },
      { text: '409 with a reason', isMet: ({ status, json }) => status === 409 && typeof json.reason === 'string' },
    ),
    check(
      routeOf('POST', refundsRoute),
      cases.refund[auth],
      { method: 'POST', path: `${path}/refunds`, as: 'money', body: { reason: 'verify' } },
      registered(answers(409, 'not_paid')),
    ),
  ];
}

/** Closes the order of `orderRequests`, and reads it. */
export const closingRequests = (subject: VerifySubject): readonly VerifyCheck[] => [
  check(
    routeOf('DELETE', orderRoute),
    cases.close[subject.auth],
    { method: 'DELETE', path: pathOf(subject.order), as: 'money' },
    ifRegistered(subject, answers(204)),
  ),
  readOrder(subject, 'closed'),
];

/**
 * @param event from the bus
 * @returns whether it is the event of the end of the order as it is published; undefined for any other event
 */
export function isClosingEvent(event: unknown, { order }: VerifySubject): boolean | undefined {
  const { source, 'detail-type': name, detail } = Object(event) as Readonly<Record<string, unknown>>;
  if (name !== 'Order Closed' || Object(detail).merchant_uid !== order) return undefined;
  try {
    const { id, status, amount: published } = readDetail(name, detail);
    return source === eventSource && id.startsWith(`${order}:`) && status === 'closed' && published === amount;
  } catch {
    return false;
  }
}

/** The result page of the shop, or ours: never JSON, and never a payment that is confirmed. */
const resultOfUnknown: Expected = {
  text: '303 with status=unconfirmed, or 404 with a page',
  isMet: ({ status, location, type }) =>
    status === 303
      ? location !== undefined && URL.parse(location)?.searchParams.get('status') === 'unconfirmed'
      : (status === 404 || status === 200) && type === 'text/html',
};

const check = (route: string, caseText: Localized, request: VerifyRequest, expected: Expected): VerifyCheck => ({
  route,
  case: caseText,
  request,
  expected,
});

export const cases = {
  withoutKey: {
    key: { ko: '키 없이', en: 'without a key' },
    iam: { ko: '서명 없이', en: 'without a signature' },
  },
  withWrongKey: {
    key: { ko: '잘못된 키로', en: 'with a wrong key' },
    iam: { ko: '잘못된 서명으로', en: 'with a wrong signature' },
  },
  withKeyForOrders: { ko: '주문용 키로', en: 'with the key for orders' },
  otherMethod: { ko: '없는 메서드', en: 'a method without a route' },
  tooLarge: { ko: '64 KiB를 넘는 본문', en: 'a body over 64 KiB' },
  ownPreflight: { ko: '쇼핑몰 페이지의 프리플라이트', en: 'preflight of the storefront' },
  foreignPreflight: { ko: '다른 사이트의 프리플라이트', en: 'preflight of a foreign site' },
  ownOrigin: { ko: '쇼핑몰 페이지의 요청', en: 'request of the storefront' },
  register: {
    key: { ko: '주문용 키로 등록', en: 'registers with the key for orders' },
    iam: { ko: '서명해서 등록', en: 'registers with a signature' },
  },
  read: {
    key: { ko: '주문용 키로 조회', en: 'reads with the key for orders' },
    iam: { ko: '서명해서 조회', en: 'reads with a signature' },
  },
  unknownPayment: { ko: '아임포트에 없는 결제', en: 'a payment that Iamport does not know' },
  otherAmount: { ko: '주문과 다른 금액', en: 'another amount than the order' },
  refund: {
    key: { ko: '환불용 키로, 결제되지 않은 주문', en: 'with the key for money, of an unpaid order' },
    iam: { ko: '서명해서, 결제되지 않은 주문', en: 'with a signature, of an unpaid order' },
  },
  close: {
    key: { ko: '환불용 키로 종료', en: 'closes with the key for money' },
    iam: { ko: '서명해서 종료', en: 'closes with a signature' },
  },
} as const;
