/** Compares the OpenAPI document with the running system: each response is documented, and each documented response occurs. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { localShopKey } from '../../local/aws/secrets.ts';
import { openapi } from '../../scripts/openapi/document.ts';
import { HTTP_DOCS, OPENAPI_FILE, openapiText, withRoutes } from '../../scripts/openapi.ts';
import { type System, startSystem, type TestResponse } from '../support/system.ts';

interface Media {
  schema: object;
  example?: unknown;
  examples?: Record<string, { value?: unknown; $ref?: string }>;
}
type Response = { content?: Record<string, Media>; headers?: Record<string, unknown> };
interface Operation {
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, Response>;
  security: unknown[];
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; examples: Record<string, { value: { code: string } }> };
}

const root = join(import.meta.dirname, '../..');
// Forbids additional fields, so that an undocumented field fails the test.
const strict = openapi({ additional: false }) as unknown as Document;
const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addSchema({ ...strict, $id: 'openapi' } as object);

const operations = Object.entries(strict.paths).flatMap(([path, of]) =>
  Object.entries(of).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
);
const operationOf = Object.fromEntries(operations);

/** @returns the errors of a body by the schema at this place of the document */
function schemaErrors(place: readonly string[], body: unknown): unknown {
  const pointer = place.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
  const validate = ajv.getSchema(`openapi#/${pointer}`);
  if (!validate) throw new Error(`The document has no schema at ${pointer}`);
  return validate(body) ? [] : validate.errors;
}

const isOfGatewayAlone = (content: Record<string, Media>): boolean =>
  JSON.stringify(Object.values(content).map(({ schema }) => schema)) ===
  '[{"$ref":"#/components/schemas/GatewayMessage"}]';

const placeOf = (route: string, ...rest: string[]) => {
  const [method = '', path = ''] = route.split(' ');
  return ['paths', path, method.toLowerCase(), ...rest];
};

test('publishes the document of the code: npm run openapi writes it', () => {
  expect(readFileSync(OPENAPI_FILE, 'utf8')).toBe(openapiText());
});

test.each(['en', 'ko'] as const)('publishes the table of routes in %s of the code', (language) => {
  expect(readFileSync(join(root, HTTP_DOCS[language]), 'utf8')).toBe(withRoutes(language));
});

test('publishes valid OpenAPI 3.1', async () => {
  const validator = new Validator();
  expect(await validator.validate(OPENAPI_FILE)).toMatchObject({ valid: true });
  expect(validator.version).toBe('3.1');
});

test('has only examples that match their schema', () => {
  let checked = 0;
  for (const [route, { requestBody, responses }] of operations) {
    for (const [type, { example }] of Object.entries(requestBody?.content ?? {})) {
      if (example === undefined) continue;
      expect(schemaErrors(placeOf(route, 'requestBody', 'content', type, 'schema'), example), route).toEqual([]);
      checked += 1;
    }
    for (const [status, { content = {} }] of Object.entries(responses)) {
      for (const [type, { examples = {} }] of Object.entries(content)) {
        for (const [name, { value, $ref }] of Object.entries(examples)) {
          const shown = $ref ? strict.components.examples[name]?.value : value;
          const place = placeOf(route, 'responses', status, 'content', type, 'schema');
          expect(schemaErrors(place, shown), `${route} ${status} ${name}`).toEqual([]);
          checked += 1;
        }
      }
    }
  }
  expect(checked).toBeGreaterThan(60);
});

describe('the running system', () => {
  let system: System;
  /** With result targets, and with webhooks of Iamport's addresses only. */
  let other: System;
  /** The responses that occurred: `POST /payments/complete 404 order_not_found`. */
  const seen = new Set<string>();

  beforeAll(async () => {
    const targets = JSON.stringify({ web: 'https://shop.example/result' });
    const environment = { WEBHOOK_SENDERS: 'iamport-only', RESULT_TARGETS: targets };
    [system, other] = await Promise.all([startSystem(), startSystem({ environment })]);
  });
  afterAll(() => Promise.all([system.close(), other.close()]));
  beforeEach(() => {
    system.iamport.settings.webhooks = 'never';
    system.iamport.settings.pgRefusesCancels = false;
    system.iamport.faults.clear();
  });

  /** Compares the response with the document, then records it in `seen`. */
  function documented(route: string, { status, headers, text, json }: TestResponse) {
    const type = (headers.get('content-type') ?? '').split(';')[0] ?? '';
    const response = operationOf[route]?.responses[status];
    expect(response, `${route} ${status}: ${text}`).toBeDefined();
    if (text === '') expect(response?.content, `${route} ${status} without a body`).toBeUndefined();
    else {
      expect(Object.keys(response?.content ?? {}), `${route} ${status}`).toContain(type);
      const place = placeOf(route, 'responses', String(status), 'content', type, 'schema');
      expect(schemaErrors(place, json ?? text), `${route} ${status}: ${text.slice(0, 500)}`).toEqual([]);
    }
    if (headers.get('retry-after')) expect(response?.headers, route).toHaveProperty('Retry-After');
    const code = type === 'application/problem+json' ? (json as { code: string }).code : '';
    seen.add(`${route} ${status} ${code}`.trim());
    return json as Record<string, unknown>;
  }

  const post = (path: string, body: unknown, more: RequestInit = {}, at: System = system) =>
    at.send(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      ...more,
    });
  const keyForOrders = { authorization: 'Bearer sk_orders_local' };
  const tooLong = { imp_uid: 'a'.repeat(70_000) };
  const asText = { headers: { 'content-type': 'text/plain' } };

  function paid(merchantUid: string, amount = 14_000) {
    const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000, pay_method: 'card' });
    return system.iamport.ledger.pay(imp_uid, { amount }).imp_uid;
  }
  async function paidOrder() {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid);
    await system.complete({ imp_uid: impUid });
    return { merchantUid, impUid };
  }

  test('POST /payments/complete', async () => {
    const route = 'POST /payments/complete';
    const complete = async (body: object) => documented(route, await system.complete(body));
    const merchant_uid = await system.order();
    const imp_uid = paid(merchant_uid);
    expect(await complete({ imp_uid, merchant_uid })).toMatchObject({ status: 'paid' });
    expect(await complete({ imp_uid })).toEqual({ status: 'paid', message: expect.any(String) });
    expect(await complete({ imp_uid: paid(merchant_uid), merchant_uid })).toMatchObject({
      reason: 'duplicate_payment',
    });
    const short = await system.order();
    expect(await complete({ imp_uid: paid(short, 100), merchant_uid: short })).toMatchObject({ status: 'rejected' });
    const awaited = await system.order();
    const account = system.iamport.ledger.open({ merchant_uid: awaited, amount: 14_000, pay_method: 'vbank' });
    system.iamport.ledger.issueAccount(account.imp_uid);
    expect(await complete({ imp_uid: account.imp_uid, merchant_uid: awaited })).toHaveProperty('virtual_account');
    const tried = await system.order();
    const attempt = system.iamport.ledger.open({ merchant_uid: tried, amount: 14_000, pay_method: 'card' });
    system.iamport.ledger.fail(attempt.imp_uid, '한도초과');
    expect(await complete({ imp_uid: attempt.imp_uid, merchant_uid: tried })).toMatchObject({ reason: '한도초과' });

    await complete({ imp_uid: '../x' });
    await complete({ imp_uid: 'imp_000000000000' });
    await complete({ imp_uid: paid('never-registered') });
    await complete({ imp_uid, merchant_uid: short });
    await complete(tooLong);
    documented(route, await post('/payments/complete', {}, asText));
    system.iamport.faults.add({ path: '/payments/imp_', status: 503, times: 9 });
    await complete({ imp_uid });
    system.iamport.faults.clear();
    system.iamport.faults.add({ path: '/payments/imp_', answer: 'garbage', times: 9 });
    await complete({ imp_uid });
  });

  test('GET /payments/complete/mobile', async () => {
    const route = 'GET /payments/complete/mobile';
    const { merchantUid: merchant_uid, impUid: imp_uid } = await paidOrder();
    for (const query of [
      { imp_uid, merchant_uid },
      {},
      { imp_uid: 'imp_000000000000' },
      { imp_uid, merchant_uid: 'x' },
      { imp_uid, merchant_uid: await system.order() },
    ])
      documented(route, await system.mobile(query as Record<string, string>));
    const away = await other.mobile({ imp_uid: 'imp_000000000000' });
    documented(route, away);
    expect(away.headers.get('location')).toMatch(/^https:\/\/shop\.example\/result\?/);
  });

  test('POST /payments/webhook', async () => {
    const route = 'POST /payments/webhook';
    const notify = async (body: object) => documented(route, await system.webhook(body));
    const merchant_uid = await system.order();
    const imp_uid = paid(merchant_uid);
    expect(await notify({ imp_uid, merchant_uid, status: 'paid' })).toEqual({ settled: true });
    expect(await notify({ imp_uid: 'imp_000000000000' })).toEqual({ settled: false, code: 'payment_not_found' });
    expect(await notify({ imp_uid: paid('unregistered') })).toEqual({ settled: false, code: 'order_not_found' });
    await notify({});
    await notify(tooLong);
    documented(route, await post('/payments/webhook', {}, asText));
    documented(route, await post('/payments/webhook/x', { imp_uid }));
    documented(route, await other.webhook({ imp_uid }));
    system.iamport.faults.add({ path: '/payments/imp_', status: 503, times: 9 });
    await notify({ imp_uid });
    system.iamport.faults.clear();
    system.iamport.faults.add({ path: '/payments/imp_', answer: 'garbage', times: 9 });
    await notify({ imp_uid });
  });

  test('POST /payments/confirm', async () => {
    const route = 'POST /payments/confirm';
    const confirm = async (body: object) => documented(route, await post('/payments/confirm', body));
    const ids = { imp_uid: 'imp_1', merchant_uid: await system.order() };
    expect(await confirm({ ...ids, amount: 14_000 })).toEqual({});
    expect(await confirm({ ...ids, amount: 100 })).toHaveProperty('reason');
    await confirm(ids);
    await confirm(tooLong);
    documented(route, await post('/payments/confirm', {}, asText));
  });

  test('the routes of orders', async () => {
    const [put, get, del] = ['PUT', 'GET', 'DELETE'].map((method) => `${method} /orders/{merchant_uid}`) as [
      string,
      string,
      string,
    ];
    const fresh = await system.shop('PUT', 'described-1', {
      amount: 14_000,
      name: '꽃다발',
      expires_at: 4_000_000_000,
    });
    expect(documented(put, fresh)).toMatchObject({ status: 'ready', prepared: true });
    documented(
      put,
      await system.shop('PUT', 'described-1', { amount: 14_000, name: '꽃다발', expires_at: 4_000_000_000 }),
    );
    documented(put, await system.shop('PUT', 'described-1', { amount: 15_000 }));
    documented(put, await system.shop('PUT', 'described-1', { amount: 0 }));
    documented(put, await system.shop('PUT', 'described-1', { amount: 1, name: 'a'.repeat(70_000) }));
    documented(put, await formTo('PUT', '/orders/described-1'));
    documented(get, await system.shop('GET', 'described-1'));
    documented(get, await system.shop('GET', 'not-registered'));
    documented(get, await system.shop('GET', 'a'.repeat(41)));
    documented(del, await system.shop('DELETE', 'described-1'));
    documented(del, await system.shop('DELETE', 'not-registered'));
    documented(del, await system.shop('DELETE', 'a'.repeat(41)));
    const { merchantUid } = await paidOrder();
    documented(del, await system.shop('DELETE', merchantUid));
    const open = await system.order();
    system.iamport.faults.add({ path: '/payments', status: 503, times: 9 });
    documented(del, await system.shop('DELETE', open));
    system.iamport.faults.clear();
    system.iamport.faults.add({ path: '/payments', answer: 'garbage', times: 9 });
    documented(del, await system.shop('DELETE', open));
    for (const route of [put, get, del]) {
      const [method = ''] = route.split(' ');
      documented(route, await system.send('/orders/described-1', { method }));
    }
    documented(del, await system.send('/orders/described-1', { method: 'DELETE', headers: keyForOrders }));
  });

  test('POST /orders/{merchant_uid}/refunds', async () => {
    const route = 'POST /orders/{merchant_uid}/refunds';
    const { merchantUid, impUid } = await paidOrder();
    let confirm = 0;
    const refund = async (body: object, of = merchantUid) => {
      confirm += 1;
      return documented(route, await system.shop('POST', `${of}/refunds`, body, `confirm-${confirm}`));
    };
    expect(await refund({ amount: 4_000, reason: '파손' })).toMatchObject({ refund: { state: 'done' } });
    await refund({ amount: 14_000, reason: '파손' });
    await refund({ amount: 1_000 });
    await refund({ reason: 'a'.repeat(70_000) });
    await refund({ reason: '변심' }, 'not-registered');
    await refund({ reason: '변심' }, await system.order());
    documented(route, await system.send(`/orders/${merchantUid}/refunds`, { method: 'POST' }));
    documented(route, await system.send(`/orders/${merchantUid}/refunds`, { method: 'POST', headers: keyForOrders }));
    documented(route, await formTo('POST', `/orders/${merchantUid}/refunds`));
    const keyed = (body: object) => system.shop('POST', `${merchantUid}/refunds`, body, 'once');
    documented(route, await keyed({ amount: 1_000, reason: '파손' }));
    documented(route, await keyed({ amount: 2_000, reason: '파손' }));
    system.iamport.faults.add({ path: '/payments/cancel', answer: 'reset', performed: true });
    expect(await refund({ amount: 1_000, reason: '파손' })).toMatchObject({ refund: { state: 'requested' } });
    for (const fault of [{ status: 503 }, { answer: 'garbage' as const }, { status: 404 }]) {
      system.iamport.faults.clear();
      system.iamport.faults.add({ path: `/payments/${impUid}`, times: 9, ...fault });
      await refund({ amount: 1_000, reason: '변심' });
    }
    system.iamport.faults.clear();
    // The last one: no other refund is sent until this refusal is confirmed.
    system.iamport.settings.pgRefusesCancels = true;
    await refund({ amount: 1_000, reason: '변심' });
    system.iamport.settings.pgRefusesCancels = false;
    const shown = documented('GET /orders/{merchant_uid}', await system.shop('GET', merchantUid));
    expect(shown.refunds).toHaveLength(4);

    const deposited = await system.order();
    const { imp_uid } = system.iamport.ledger.open({ merchant_uid: deposited, amount: 14_000, pay_method: 'vbank' });
    system.iamport.ledger.issueAccount(imp_uid);
    system.iamport.ledger.deposit(imp_uid);
    await system.complete({ imp_uid });
    await refund({ reason: '변심' }, deposited);
  });

  test('returns every documented response, apart from those that no request causes', () => {
    const promised = operations.flatMap(([route, { responses }]) =>
      Object.entries(responses).flatMap(([status, { content = {} }]) => {
        const problems = Object.keys(content['application/problem+json']?.examples ?? {});
        if (problems.length > 0) return problems.map((code) => `${route} ${status} ${code}`);
        return isOfGatewayAlone(content) ? [] : [`${route} ${status}`];
      }),
    );
    const unreachable = new Set([
      // Faults of our code or the database: test/functions/crash.test.ts causes them.
      ...promised.filter((one) => /internal_error|store_unavailable|order_busy/.test(one)),
      // Occurs only with a shop's own table of orders: test/infra/shop-table.test.ts.
      'PUT /orders/{merchant_uid} 404 order_not_found',
    ]);
    expect(promised.filter((one) => !seen.has(one) && !unreachable.has(one))).toEqual([]);
    expect(promised.length).toBeGreaterThan(70);
  });

  test.each<[string, unknown, boolean]>([
    ['POST /payments/complete', { imp_uid: 'imp_1', status: 'paid' }, true],
    ['POST /payments/complete', { imp_uid: 'imp_1/../2' }, false],
    ['POST /payments/complete', { imp_uid: 'imp_1', merchant_uid: '..' }, false],
    ['POST /payments/webhook', { imp_uid: 'imp_1', status: 7, extra: null }, true],
    ['POST /payments/webhook', { merchant_uid: 'order-1' }, true],
    ['POST /payments/confirm', { imp_uid: 'imp_1', merchant_uid: 'order-1', amount: '14000' }, true],
    ['POST /payments/confirm', { imp_uid: 'imp_1', merchant_uid: 'order-1', amount: 'all' }, false],
    ['PUT /orders/{merchant_uid}', { amount: 14_000 }, true],
    ['PUT /orders/{merchant_uid}', { amount: '14000' }, false],
    ['PUT /orders/{merchant_uid}', { amount: 14_000, currency: 'won' }, false],
    ['PUT /orders/{merchant_uid}', { amount: 14_000, expires: 4_000_000_000 }, false],
    [
      'POST /orders/{merchant_uid}/refunds',
      { reason: '변심', account: { holder: '홍', bank: '004', number: '1' } },
      true,
    ],
    ['POST /orders/{merchant_uid}/refunds', { reason: '변심', account: { holder: '홍' } }, false],
    ['POST /orders/{merchant_uid}/refunds', { amount: 1_000 }, false],
  ])('%s with %j: document and endpoint agree on the body', async (route, body, isValid) => {
    const [method = '', path = ''] = route.split(' ');
    const place = placeOf(route, 'requestBody', 'content', 'application/json', 'schema');
    expect((schemaErrors(place, body) as unknown[]).length === 0).toBe(isValid);
    const order = path.replace('/orders/', '').replace('{merchant_uid}', 'order-of-a-body');
    const { status } = path.startsWith('/orders/')
      ? await system.shop(method as 'PUT' | 'POST', order, body as object)
      : await post(path, body);
    expect(status === 400, `${status}`).toBe(!isValid);
  });

  test('demands a key of a route if and only if it returns 401 to a call without one', () => {
    const marked = operations.filter(([, { security }]) => security.length > 0).map(([route]) => route);
    expect(marked).toEqual(operations.map(([route]) => route).filter((route) => seen.has(`${route} 401 unauthorised`)));
  });

  /** Sends a form with a key to a route that reads only JSON. */
  async function formTo(method: string, path: string): Promise<TestResponse> {
    const authorization = `Bearer ${localShopKey}`;
    const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
    return system.send(path, { method, headers, body: 'amount=1' });
  }
});
