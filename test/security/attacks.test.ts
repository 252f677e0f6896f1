/** The known attacks, by name, over HTTP on the local system. docs/threats.md describes each attack and its defence. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type System, startSystem } from '../support/system.ts';

const resultTargets = { web: 'https://shop.example/result', app: 'shopapp://result' };
const logged: string[] = [];
let system: System;
/** A system with result targets, whose webhook accepts only Iamport's addresses. */
let strict: System;

beforeAll(async () => {
  system = await startSystem({ throttles: false, log: (text) => logged.push(text) });
  const environment = { RESULT_TARGETS: JSON.stringify(resultTargets), WEBHOOK_SENDERS: 'iamport-only' };
  strict = await startSystem({ throttles: false, environment, log: (text) => logged.push(text) });
  for (const { iamport } of [system, strict]) iamport.settings.webhooks = 'never';
});
afterAll(async () => {
  await system.close();
  await strict.close();
});
beforeEach(() => system.iamport.faults.forgetCalls());

function paid(
  merchantUid: string,
  change: Parameters<System['iamport']['ledger']['pay']>[1] = {},
  of = system,
): string {
  const { ledger } = of.iamport;
  return ledger.pay(ledger.open({ merchant_uid: merchantUid, amount: 14_000, pay_method: 'card' }).imp_uid, change)
    .imp_uid;
}
const raw = (path: string, body: string, type = 'application/json') =>
  system.send(path, { method: 'POST', headers: { 'content-type': type }, body });
const iamportCalls = () => system.iamport.faults.calls.filter((call) => !call.endsWith('/users/getToken'));
const order = async (merchantUid: string, of = system) =>
  (await of.shop('GET', merchantUid)).json as {
    status: string;
    revision: number;
    reversals: { reason: string; state: string }[];
  };

describe('calls to Iamport', () => {
  test.each([
    '../users/getToken',
    '..',
    '%2e%2e/users/getToken',
    '..\\users\\getToken',
    'imp_1/../../users',
    'imp_1/balance',
    'imp_1?include_sandbox=true',
    'imp_1#',
    'imp_1;x',
    'imp_1\r\nauthorization: x',
    'imp_1\n',
    'imp_1\u0000',
    '\timp_1',
    'ｉｍｐ_1',
  ])('traversal and CRLF in imp_uid: %j is refused without a call to Iamport [T1]', async (imp_uid) => {
    for (const response of [
      await system.complete({ imp_uid }),
      await system.webhook({ imp_uid }),
      await system.mobile({ imp_uid }),
    ]) {
      expect(response.status).toBe(400);
    }
    expect(iamportCalls()).toEqual([]);
  });

  test('a redirect of Iamport is not followed, and gets no token [T2]', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid);
    system.iamport.faults.forgetCalls();
    system.iamport.faults.add({ path: `/payments/${impUid}`, status: 302, times: 2 });
    expect((await system.complete({ imp_uid: impUid, merchant_uid: merchantUid })).status).toBe(503);
    expect(new Set(iamportCalls())).toEqual(new Set([`GET /payments/${impUid}`]));
    expect(await order(merchantUid)).toMatchObject({ status: 'ready', revision: 1 });
  });
});

describe('another buyer’s order', () => {
  test('replay on another order: a paid imp_uid settles the order that it paid, and no other [T4]', async () => {
    const [mine, victims] = [await system.order(), await system.order()];
    const impUid = paid(mine);
    const responses = await Promise.all(
      Array.from({ length: 50 }, () => system.complete({ imp_uid: impUid, merchant_uid: victims })),
    );
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([409]));
    expect(await order(victims)).toMatchObject({ status: 'ready', revision: 1, reversals: [] });
    expect(system.iamport.ledger.payment(impUid).cancel_amount).toBe(0);
  });

  test('a cheap payment that names an expensive order is cancelled, and the order can still be paid [T5]', async () => {
    const victims = await system.order();
    const cheap = paid(victims, { amount: 100 });
    expect((await system.complete({ imp_uid: cheap, merchant_uid: victims })).json).toMatchObject({
      status: 'rejected',
    });
    expect(system.iamport.ledger.payment(cheap).cancel_amount).toBe(100);
    const good = paid(victims);
    expect((await system.complete({ imp_uid: good, merchant_uid: victims })).json).toMatchObject({ status: 'paid' });
  });

  test('enumeration: without both ids a response has only the status, and never an amount [T7]', async () => {
    const merchantUid = await system.order();
    const impUid = paid(merchantUid);
    await system.complete({ imp_uid: impUid, merchant_uid: merchantUid });
    const alone = await system.complete({ imp_uid: impUid });
    expect(Object.keys(alone.json as object).sort()).toEqual(['message', 'status']);
    const guessed = await system.complete({ imp_uid: 'imp_000000000001', merchant_uid: merchantUid });
    expect(guessed).toMatchObject({ status: 404, json: { code: 'payment_not_found' } });
    const page = await system.mobile({ merchant_uid: merchantUid });
    for (const { text } of [alone, guessed, page]) {
      expect(text).not.toMatch(/14,?000/);
      expect(text).not.toContain(impUid);
    }
    expect((await system.send(`/orders/${merchantUid}`)).status).toBe(401);
  });
});

describe('parsing of a request', () => {
  test('prototype pollution: ids in __proto__ are ignored, and pollute no object [T11]', async () => {
    const impUid = paid(await system.order());
    for (const body of [
      `{"__proto__":{"imp_uid":"${impUid}"}}`,
      `{"constructor":{"prototype":{"imp_uid":"${impUid}"}}}`,
      `{"__proto__":null,"imp_uid":null}`,
    ]) {
      expect((await raw('/payments/complete', body)).status).toBe(400);
    }
    expect((await raw('/payments/complete', '{}')).status).toBe(400);
    expect(
      (await raw('/payments/complete', `__proto__[imp_uid]=${impUid}`, 'application/x-www-form-urlencoded')).status,
    ).toBe(400);
  });

  test('duplicate parameters: two values for one name are refused, in a form and in a query [T12]', async () => {
    const [one, other] = [paid(await system.order()), paid(await system.order())];
    system.iamport.faults.forgetCalls();
    const twice = `imp_uid=${one}&imp_uid=${other}`;
    expect((await raw('/payments/complete', twice, 'application/x-www-form-urlencoded')).status).toBe(400);
    expect((await raw('/payments/webhook', twice, 'application/x-www-form-urlencoded')).status).toBe(400);
    expect((await system.send(`/payments/complete/mobile?${twice}`)).status).toBe(400);
    expect(iamportCalls()).toEqual([]);
  });

  test.each([
    'text/plain',
    'application/xml',
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-16',
    'text/json',
  ])('content-type confusion: %s is not read [T13]', async (type) => {
    const body = JSON.stringify({ imp_uid: paid(await system.order()) });
    system.iamport.faults.forgetCalls();
    expect((await raw('/payments/complete', body, type)).status).toBe(415);
    expect((await raw('/payments/webhook', body, type)).status).toBe(415);
    expect(iamportCalls()).toEqual([]);
  });

  test('oversize: more than 64 KiB is refused before it is parsed [T16]', async () => {
    const body = JSON.stringify({ imp_uid: paid(await system.order()), more: 'x'.repeat(70_000) });
    system.iamport.faults.forgetCalls();
    expect((await raw('/payments/complete', body)).status).toBe(413);
    expect((await raw('/payments/webhook', body)).status).toBe(413);
    expect(iamportCalls()).toEqual([]);
  });

  test('status, amount and success of a caller are not read [T8]', async () => {
    const merchantUid = await system.order();
    const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000, pay_method: 'card' });
    const claims = {
      imp_uid,
      merchant_uid: merchantUid,
      status: 'paid',
      amount: 14_000,
      paid_amount: 14_000,
      success: true,
    };
    expect((await system.complete(claims)).json).toMatchObject({ status: 'ready' });
    await system.webhook(claims);
    expect(await order(merchantUid)).toMatchObject({ status: 'ready', revision: 1 });
  });

  test('X-Forwarded-For: the sender is the connected address, regardless of headers [T10]', async () => {
    const imp_uid = paid(await strict.order(), {}, strict);
    const headers = {
      'content-type': 'application/json',
      'x-forwarded-for': '52.78.100.19',
      forwarded: 'for=52.78.100.19',
    };
    const response = await strict.send('/payments/webhook', {
      method: 'POST',
      headers,
      body: JSON.stringify({ imp_uid }),
    });
    expect(response).toMatchObject({ status: 403, json: { code: 'sender_refused' } });
  });
});

describe('responses to the buyer’s browser', () => {
  test.each([
    ['a web address', 'https://evil.example'],
    ['an address without its scheme', '//evil.example'],
    ['a scheme', 'evilapp://x'],
    ['a script', 'javascript:alert(1)'],
    ['a name of every object', '__proto__'],
  ])('open redirect through to: %s is not a target [T18]', async (_name, to) => {
    const merchantUid = await strict.order();
    const imp_uid = paid(merchantUid, {}, strict);
    const query = { imp_uid, merchant_uid: merchantUid, to, redirect: to, next: to, app_scheme: to };
    const { status, headers, text } = await strict.mobile(query, { 'x-forwarded-host': 'evil.example' });
    const location = headers.get('location') ?? '';
    expect(status).toBe(303);
    expect(location).toBe(`https://shop.example/result?merchant_uid=${merchantUid}&imp_uid=${imp_uid}&status=paid`);
    expect(text).not.toContain('evil');
  });

  test('header injection: a line break in a query adds no header [T19]', async () => {
    for (const deployment of [system, strict]) {
      const path =
        '/payments/complete/mobile?imp_uid=imp_1&merchant_uid=a%0d%0aset-cookie:%20a=b&to=app%0d%0ax-injected:%201';
      const { status, headers } = await deployment.send(path);
      expect(status).toBeLessThan(500);
      expect(headers.get('set-cookie')).toBeNull();
      expect(headers.get('x-injected')).toBeNull();
    }
  });

  test('script in the page: text of an unknown sender is escaped or omitted, and the CSP blocks scripts [T20]', async () => {
    const script = '"><script>alert(1)</script><img src=x onerror=alert(1)>';
    const merchantUid = await system.order({ name: script });
    const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000, pay_method: 'card' });
    system.iamport.ledger.fail(imp_uid, script);
    const page = await system.mobile({ imp_uid, merchant_uid: merchantUid, error_msg: script, imp_success: 'false' });
    expect(page.text).not.toMatch(/<script>alert|<img src=x/);
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'/);
    expect(page.headers.get('content-security-policy')).not.toMatch(/unsafe-inline|unsafe-eval/);
    expect((await system.mobile({ imp_uid: script, merchant_uid: script })).text).not.toMatch(
      /<script>alert|<img src=x/,
    );
  });

  test('a forged failure of a paid order shows that it is paid [T21]', async () => {
    const merchantUid = await system.order();
    const imp_uid = paid(merchantUid);
    const page = await system.mobile({ imp_uid, merchant_uid: merchantUid, imp_success: 'false', error_msg: '실패' });
    expect(page.text).toContain('결제가 완료되었습니다');
  });

  test('every response, including errors, forbids caching, MIME sniffing and referrers [T23]', async () => {
    const responses = [
      await system.complete({ imp_uid: 'imp_000000000001' }),
      await system.complete({}),
      await raw('/payments/complete', '{', 'text/plain'),
      await system.webhook({ imp_uid: 'imp_000000000001' }),
      await system.mobile({}),
      await system.mobile({ imp_uid: 'imp_000000000001' }),
    ];
    for (const { headers } of responses) {
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('strict-transport-security')).toMatch(/max-age=\d{8}/);
    }
  });

  test('a page of another site can neither read a response nor get one by GET [T22]', async () => {
    const body = JSON.stringify({ imp_uid: 'imp_000000000001' });
    const headers = { 'content-type': 'application/json', origin: 'https://evil.example' };
    const response = await system.send('/payments/complete', { method: 'POST', headers, body });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    expect((await system.send('/payments/complete')).status).toBe(404);
  });
});

describe('invalid money', () => {
  test('test channel: a test payment settles nothing, and no reversal is recorded [T24]', async () => {
    const merchantUid = await system.order();
    const imp_uid = paid(merchantUid, { sandbox: true });
    expect((await system.complete({ imp_uid, merchant_uid: merchantUid })).json).toMatchObject({
      status: 'rejected',
      reason: 'test_payment',
    });
    expect(await order(merchantUid)).toMatchObject({ status: 'ready', revision: 1, reversals: [] });
  });

  test('currency: 14,000 in another currency is not 14,000 won [T25]', async () => {
    const merchantUid = await system.order();
    const imp_uid = paid(merchantUid);
    system.iamport.ledger.payment(imp_uid).currency = 'JPY';
    expect((await system.complete({ imp_uid, merchant_uid: merchantUid })).json).toMatchObject({
      status: 'rejected',
      reason: 'currency_mismatch',
    });
  });

  test.each([
    ['a text', '14000'],
    ['half a won', 14_000.5],
    ['a very large number', 1e21],
    ['more than can be counted', 2 ** 53],
    ['less than nothing', -14_000],
    ['nothing at all', null],
    ['a list', [14_000]],
  ])('float tricks: %s as an amount is invalid, and decides nothing [T26]', async (_name, amount) => {
    const merchantUid = await system.order();
    const imp_uid = paid(merchantUid);
    Object.assign(system.iamport.ledger.payment(imp_uid), { amount });
    expect((await system.complete({ imp_uid, merchant_uid: merchantUid })).status).toBe(502);
    expect(await order(merchantUid)).toMatchObject({ status: 'ready', revision: 1, reversals: [] });
  });

  test('an order without an amount, or with half a won, is not registered [T62]', async () => {
    for (const amount of [0, -1, 0.5, 14_000.5, 1e21, '14000', null]) {
      expect((await system.shop('PUT', 'order-of-tricks', { amount })).status).toBe(400);
    }
    expect((await system.shop('GET', 'order-of-tricks')).status).toBe(404);
  });
});

test('secrets in logs: no key and no token was logged by these tests [T28]', () => {
  const text = logged.join('');
  expect(text).toContain('imp_000000000001');
  // The text that says how to send a key names the header.
  expect(text).not.toMatch(/imp_secret|sk_(?:orders|money)_\w|authorization(?!: Bearer sk_…)/i);
  for (const { iamport } of [system, strict]) expect(text).not.toContain(iamport.tokens.issue().access_token);
});
