/** Variants of the local system: without Java, with another Iamport, and with the shop's pages beside the routes. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeIamport, startIamport } from '../../local/iamport/server.ts';
import { type System, startSystem } from '../support/system.ts';

/** Pays 14,000 won at this Iamport. @returns the imp_uid */
function paid(iamport: FakeIamport, merchantUid: string): string {
  const { imp_uid } = iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000, pay_method: 'card' });
  return iamport.ledger.pay(imp_uid).imp_uid;
}

describe('on dynalite', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem({ dynamodb: 'dynalite' });
    system.iamport.settings.webhooks = 'never';
  });
  afterAll(() => system.close());

  it('an order is registered, paid and settled', async () => {
    const merchantUid = await system.order();
    const impUid = paid(system.iamport, merchantUid);
    expect(await system.complete({ imp_uid: impUid, merchant_uid: merchantUid })).toMatchObject({
      status: 200,
      json: { status: 'paid', imp_uid: impUid, amount: 14_000 },
    });
    expect((await system.shop('GET', merchantUid)).json).toMatchObject({
      status: 'paid',
      imp_uid: impUid,
      revision: 2,
    });
  });

  it('decides again after a lost race, though the failed condition does not return the order', async () => {
    const merchantUid = await system.order();
    const impUid = paid(system.iamport, merchantUid);
    const ids = { imp_uid: impUid, merchant_uid: merchantUid };
    const [first, second] = [{ imp_uid: 'imp_000000000000' }, { imp_uid: 'imp_000000000001' }];
    await Promise.all([system.complete(first), system.webhook(second)]);
    // Iamport responds late to both, so that both have read the order before either of them writes.
    system.iamport.faults.add({ path: `/payments/${impUid}`, delayMs: 500, times: 2 });
    const [completed, notified] = await Promise.all([system.complete(ids), system.webhook(ids)]);
    expect([completed.status, notified.status]).toEqual([200, 200]);
    expect(completed.json).toMatchObject({ status: 'paid' });
    expect((await system.shop('GET', merchantUid)).json).toMatchObject({ status: 'paid', revision: 2 });
    expect(system.faults).toEqual([]);
  });
});

it('does not report invocations that its shutdown interrupts', async () => {
  const system = await startSystem({ dynamodb: 'dynalite' });
  system.iamport.settings.webhooks = 'never';
  const merchantUid = await system.order();
  const path = `/payments/${paid(system.iamport, merchantUid)}`;
  system.iamport.faults.add({ path, delayMs: 5_000 });
  const interrupted = system.complete({ imp_uid: path.slice('/payments/'.length), merchant_uid: merchantUid });
  const ended = interrupted.then(
    ({ status }) => status,
    () => 'cut off',
  );
  await expect.poll(() => system.iamport.faults.calls).toContain(`GET ${path}`);
  await system.close();
  expect(await ended).not.toBe(200);
  expect(system.faults).toEqual([]);
});

describe('with another Iamport', () => {
  let other: FakeIamport;
  const keys = { impKey: 'shop-key', impSecret: 'shop-secret' };
  beforeAll(async () => {
    other = await startIamport({ port: 0, keys });
  });
  afterAll(() => other.close());

  it('calls it with its keys, and does not start the fake Iamport', async () => {
    const system = await startSystem({ iamportApiUrl: other.url, keys });
    const merchantUid = await system.order();
    const impUid = paid(other, merchantUid);
    const { json } = await system.complete({ imp_uid: impUid, merchant_uid: merchantUid });
    expect(json).toMatchObject({ status: 'paid', imp_uid: impUid });
    expect(other.faults.calls).toContain(`GET /payments/${impUid}`);
    expect(system.iamport).toBeUndefined();
    expect((await system.send('/__shop/config')).json).toEqual({});
    await system.close();
  });

  it('returns 502 and settles no payment when the keys are wrong', async () => {
    const system = await startSystem({ iamportApiUrl: other.url, keys: { impKey: 'shop-key', impSecret: 'guessed' } });
    const { status, json } = await system.complete({ imp_uid: paid(other, 'order-1') });
    expect([status, json]).toMatchObject([502, { code: 'iamport_error' }]);
    await system.close();
  });
});

describe('one origin', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterAll(() => system.close());

  it.each([
    ['an unknown path', 'GET', '/orders'],
    ['another method at a page', 'POST', '/'],
    ['another method at a file', 'DELETE', '/index.html'],
    ['a path outside the folder', 'GET', '/..%2Fproducts.json'],
    ['another method at a route', 'DELETE', '/payments/complete'],
  ])('the gateway returns 404 for %s: %s %s', async (_case, method, path) => {
    const response = await system.send(path, { method });
    expect([response.status, response.json]).toEqual([404, { message: 'Not Found' }]);
  });

  it.each(['/payments', '/payments/complete', '/payments/complete/mobile/', '/payments/index.html'])(
    'a buyer who opens %s without ids gets an HTML page',
    async (path) => {
      const { status, headers, text } = await system.send(path);
      expect([status, headers.get('content-type')]).toEqual([
        path.endsWith('mobile/') ? 400 : 404,
        'text/html; charset=utf-8',
      ]);
      expect(text).toContain('<!doctype html>');
    },
  );

  it('an unknown address in a browser leads to the shop, and stays a 404 of the gateway for other clients', async () => {
    const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
    const page = await fetch(`${system.url}/nothing`, { headers: { accept } });
    expect(page.status).toBe(404);
    const text = await page.text();
    expect(text).toContain('<a href="/">데모 상점으로</a>');
    // On `body` alone it would colour the links for a dark page, and leave the page white.
    expect(text).toContain('<html lang="ko" style="color-scheme: light dark">');
    expect(await system.send('/nothing')).toMatchObject({ status: 404, json: { message: 'Not Found' } });
  });

  it('settles with a trailing slash of the return address and of the webhook URL', async () => {
    for (const path of ['/payments/complete/mobile/', '/payments/webhook/']) {
      const merchant_uid = await system.order();
      const imp_uid = paid(system.iamport, merchant_uid);
      const isWebhook = path.includes('webhook');
      const sent = isWebhook
        ? { method: 'POST', body: new URLSearchParams({ imp_uid, merchant_uid }) }
        : { method: 'GET' };
      const query = isWebhook ? '' : `?${new URLSearchParams({ imp_uid, merchant_uid })}`;
      expect((await system.send(`${path}${query}`, sent)).status).toBe(200);
      expect((await system.shop('GET', merchant_uid)).json).toMatchObject({ status: 'paid', imp_uid });
    }
  });

  it('an order route needs a key; the demo shop sends its own', async () => {
    const merchantUid = await system.order({ name: '김치' });
    expect((await system.send(`/orders/${merchantUid}`)).status).toBe(401);
    expect(await system.send(`/__shop/orders/${merchantUid}`)).toMatchObject({
      status: 200,
      json: { status: 'ready' },
    });
    expect((await system.send('/__shop/orders/never-registered')).status).toBe(404);
  });

  it('the shop config has the URLs of the fake Iamport', async () => {
    const controlUrl = system.iamport.url;
    const { json } = await system.send('/__shop/config');
    expect(json).toEqual({ controlUrl, iamportJs: `${controlUrl}/js/iamport.payment-1.2.0.js` });
    expect((await fetch(`${controlUrl}/js/iamport.payment-1.2.0.js`)).status).toBe(200);
  });
});
