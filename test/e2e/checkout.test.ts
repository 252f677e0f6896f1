/** The checkout module in a real browser, by a plain script tag in a plain page: what a shop gets back, and when. */

import type { Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Buyer, openMarket, type Profile } from './buyer.ts';

let market: Awaited<ReturnType<typeof openMarket>>;
beforeAll(async () => {
  market = await openMarket({ environment: { RESULT_TARGETS: '{"app":"iamporttest://result"}' } });
});
afterEach(() => market.tidy());
afterAll(() => market?.close());

/** The plain page, and an order of 14,000 won to pay on it. `go()` pays, and `results` holds what comes of it. */
async function visit(profile: Profile = 'pc') {
  const buyer = await Buyer.with(profile, market);
  const { page } = buyer;
  const merchantUid = await market.system.order();
  const request = {
    ...{ completeUrl: '/payments/complete', language: 'en', mobileRedirectUrl: '/payments/complete/mobile' },
    ...{ pg: 'html5_inicis', pay_method: 'card', merchant_uid: merchantUid, amount: 14_000 },
  };
  await page.addInitScript(`
    globalThis.results = [];
    globalThis.go = (more) => {
      IMP.init('imp00000000');
      IamportCheckout.pay({ ...${JSON.stringify(request)}, ...more }).then((result) => results.push(result));
    };`);
  await page.goto(`${market.system.url}/plain.html`);
  await page.locator('#pay:enabled').waitFor();
  return { buyer, page, merchantUid };
}

const resultOf = async (page: Page) => (await page.waitForFunction('results[0]')).jsonValue() as Promise<object>;

/** What the plain page shows: the result of `resume`, or of its own button. */
async function shown(page: Page): Promise<unknown> {
  await page.locator('#result:not(:empty)').waitFor();
  return JSON.parse(await page.locator('#result').innerText());
}

/** What happens to the first questions to the backend. */
async function first(page: Page, times: number, spoil: (route: Route) => Promise<void>) {
  const asked: number[] = [];
  await page.route('**/payments/complete', async (route) => {
    asked.push(Date.now());
    return asked.length <= times ? spoil(route) : route.continue();
  });
  return asked;
}

describe('on a PC', () => {
  test('the page of a few lines sells', async () => {
    const { buyer, page } = await visit();
    await page.locator('#pay').click();
    await buyer.window.getByTestId('pay').click();
    expect(await shown(page)).toMatchObject({ status: 'paid', amount: 1000, imp_uid: buyer.payment.imp_uid });
    await page.locator('#pay:disabled').waitFor();
  });

  test('a payment resolves with its outcome', async () => {
    const { buyer, page, merchantUid } = await visit();
    await page.evaluate('go()');
    await buyer.window.getByTestId('pay').click();
    expect(await resultOf(page)).toMatchObject({
      status: 'paid',
      imp_uid: buyer.payment.imp_uid,
      merchant_uid: merchantUid,
      amount: 14_000,
      message: 'Your payment is complete.',
    });
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
  });

  test('it does the same where the SDK does not say success', async () => {
    market.system.iamport.settings.sdkTellsSuccess = false;
    const { buyer, page } = await visit();
    await page.evaluate('go()');
    await buyer.window.getByTestId('pay').click();
    expect(await resultOf(page)).toMatchObject({ status: 'paid' });
  });

  test('a closed window is an order that is not paid, and why', async () => {
    const { buyer, page } = await visit();
    await page.evaluate('go()');
    await buyer.window.getByTestId('close').click();
    expect(await resultOf(page)).toMatchObject({
      status: 'ready',
      window: { error_code: 'F400', error_msg: '사용자가 결제를 취소하셨습니다.' },
    });
  });

  test('a window for another amount does not open, and nobody is asked', async () => {
    const { page } = await visit();
    const asked = await first(page, 0, async () => undefined);
    await page.evaluate('go({ amount: 100 })');
    expect(await resultOf(page)).toMatchObject({ status: 'unopened', code: 'declined' });
    expect(asked).toEqual([]);
  });

  test('three calls are one window, one question and one result', async () => {
    const { buyer, page } = await visit();
    const asked = await first(page, 0, async () => undefined);
    const before = market.system.iamport.ledger.entries().length;
    await page.evaluate('go(); go(); go()');
    await buyer.window.getByTestId('pay').click();
    await page.waitForFunction('results.length === 3');
    expect(await page.evaluate('new Set(results).size')).toBe(1);
    expect(market.system.iamport.ledger.entries()).toHaveLength(before + 1);
    expect(asked).toHaveLength(1);
  });

  test('an answer that is lost is asked for again', async () => {
    const { buyer, page } = await visit();
    // The backend settles, and nobody hears of it.
    const asked = await first(page, 2, async (route) => {
      await route.fetch();
      await route.abort('connectionreset');
    });
    await page.evaluate('go()');
    await buyer.window.getByTestId('pay').click();
    expect(await resultOf(page)).toMatchObject({ status: 'paid' });
    expect(asked).toHaveLength(3);
    expect(await buyer.order()).toMatchObject({ status: 'paid', revision: 2 });
  });

  test('a 503 is waited for as long as it says', async () => {
    const { buyer, page } = await visit();
    const asked = await first(page, 1, (route) =>
      route.fulfill({ status: 503, headers: { 'retry-after': '2' }, json: { code: 'iamport_unavailable' } }),
    );
    await page.evaluate('go()');
    await buyer.window.getByTestId('pay').click();
    expect(await resultOf(page)).toMatchObject({ status: 'paid' });
    const [one = 0, two = 0] = asked;
    expect(two - one).toBeGreaterThanOrEqual(1_900);
  });

  test('a page that is reloaded before the answer finds it', async () => {
    const { buyer, page } = await visit();
    await first(page, 1, (route) => route.abort());
    await page.evaluate('go({ patienceMs: 0 })');
    await buyer.window.getByTestId('pay').click();
    expect(await resultOf(page)).toMatchObject({ status: 'unconfirmed', imp_uid: buyer.payment.imp_uid });
    await page.reload();
    expect(await shown(page)).toMatchObject({ status: 'paid', imp_uid: buyer.payment.imp_uid });
    await page.reload();
    await page.locator('#pay:enabled').waitFor();
    expect(await page.locator('#result').innerText()).toBe('');
  });

  test('a page that is reloaded under its window says that the buyer left it', async () => {
    const { buyer, page, merchantUid } = await visit();
    await page.evaluate('go()');
    await buyer.window.getByTestId('order').waitFor();
    await page.reload();
    expect(await shown(page)).toMatchObject({ status: 'left', merchant_uid: merchantUid });
  });
});

describe('with a phone', () => {
  test('the page moves to the window, and on to the result', async () => {
    const { buyer, page } = await visit('phone');
    await page.evaluate('go()');
    await buyer.window.getByTestId('pay').click();
    expect(await buyer.toldOf('paid')).toContain('결제가 완료되었습니다.');
  });

  test('whoever comes back without paying can pay', async () => {
    const { buyer, page, merchantUid } = await visit('phone');
    await page.evaluate('go()');
    await buyer.window.getByTestId('order').waitFor();
    await page.goBack();
    // The browser shows the page as it was left, or loads it anew.
    const told = await page.waitForFunction(
      'results[0] ?? JSON.parse(document.querySelector("#result").textContent || "null")',
    );
    expect(await told.jsonValue()).toMatchObject({ status: 'left', merchant_uid: merchantUid });
    await page.evaluate('go()');
    await buyer.window.getByTestId('pay').click();
    expect(await buyer.toldOf('paid')).toContain('결제가 완료되었습니다.');
  });

  test('the result goes to an app that the configuration names', async () => {
    const { buyer, page, merchantUid } = await visit('phone');
    await page.evaluate(`go({ mobileRedirectUrl: '/payments/complete/mobile?to=app', app_scheme: 'iamporttest' })`);
    await buyer.window.getByTestId('order').waitFor();
    const [answer] = await Promise.all([
      page.waitForResponse('**/payments/complete/mobile?**'),
      buyer.window.getByTestId('pay').click(),
    ]);
    const said = answer.headers().location ?? (await answer.text()).replaceAll('&amp;', '&');
    const { imp_uid } = buyer.payment;
    expect(said).toContain(`iamporttest://result?merchant_uid=${merchantUid}&imp_uid=${imp_uid}&status=paid`);
  });

  test('the page that a result target leads to says what became of the payment', async () => {
    const { buyer, page, merchantUid } = await visit('phone');
    await page.evaluate('go()');
    await buyer.window.getByTestId('pay').click();
    await buyer.toldOf('paid');
    const { imp_uid } = buyer.payment;
    const query = new URLSearchParams({ merchant_uid: merchantUid, imp_uid, status: 'unconfirmed' });
    await page.goto(`${market.system.url}/plain.html?${query}`);
    expect(await shown(page)).toMatchObject({ status: 'paid', imp_uid, amount: 14_000 });
  });
});
