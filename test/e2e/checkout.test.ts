/** The results of the checkout module in a real browser, loaded by a plain script tag in a plain page. */

import type { Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Buyer, type Profile, startEnvironment } from './buyer.ts';

let environment: Awaited<ReturnType<typeof startEnvironment>>;
beforeAll(async () => {
  environment = await startEnvironment({ environment: { RESULT_TARGETS: '{"app":"iamporttest://result"}' } });
});
afterEach(() => environment.reset());
afterAll(() => environment?.close());

/** The plain page, and an order of 14,000 won to pay on it. `go()` pays, and `results` collects the results. */
async function openPage(profile: Profile = 'pc') {
  const buyer = await Buyer.with(profile, environment);
  const { page } = buyer;
  const merchantUid = await environment.system.order();
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
  await page.goto(`${environment.system.url}/plain.html`);
  await page.locator('#pay:enabled').waitFor();
  return { buyer, page, merchantUid };
}

const resultOf = async (page: Page) => (await page.waitForFunction('results[0]')).jsonValue() as Promise<object>;

/** The result on the plain page: of `resume`, or of its own button. */
async function shown(page: Page): Promise<unknown> {
  await page.locator('#result:not(:empty)').waitFor();
  return JSON.parse(await page.locator('#result').innerText());
}

/** Intercepts the first calls of the backend. @returns the times of all calls */
async function intercept(page: Page, times: number, handler: (route: Route) => Promise<void>) {
  const calls: number[] = [];
  await page.route('**/payments/complete', async (route) => {
    calls.push(Date.now());
    return calls.length <= times ? handler(route) : route.continue();
  });
  return calls;
}

describe('on a PC', () => {
  test('the minimal page completes a payment', async () => {
    const { buyer, page } = await openPage();
    await page.locator('#pay').click();
    await buyer.window.getByTestId('pay').click();
    expect(await shown(page)).toMatchObject({ status: 'paid', amount: 1000, imp_uid: buyer.payment.imp_uid });
    await page.locator('#pay:disabled').waitFor();
  });

  test('a payment resolves with its outcome', async () => {
    const { buyer, page, merchantUid } = await openPage();
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

  test('a payment resolves with its outcome when the SDK omits success [T50]', async () => {
    environment.system.iamport.settings.sdkReturnsSuccess = false;
    const { buyer, page } = await openPage();
    await page.evaluate('go()');
    await buyer.window.getByTestId('pay').click();
    expect(await resultOf(page)).toMatchObject({ status: 'paid' });
  });

  test('a closed window resolves with the unpaid order and the error of the window', async () => {
    const { buyer, page } = await openPage();
    await page.evaluate('go()');
    await buyer.window.getByTestId('close').click();
    expect(await resultOf(page)).toMatchObject({
      status: 'ready',
      message: 'You closed the payment window. Nothing was charged, and you can pay again.',
      window: { error_code: 'F400', error_msg: 'The buyer cancelled the payment.' },
    });
  });

  test('a window for another amount does not open, and the backend is not called [T51]', async () => {
    const { page } = await openPage();
    const calls = await intercept(page, 0, async () => undefined);
    await page.evaluate('go({ amount: 100 })');
    expect(await resultOf(page)).toMatchObject({ status: 'unopened', code: 'declined' });
    expect(calls).toEqual([]);
  });

  test('three concurrent calls open one window, call the backend once and share the result', async () => {
    const { buyer, page } = await openPage();
    const calls = await intercept(page, 0, async () => undefined);
    const before = environment.system.iamport.ledger.entries().length;
    await page.evaluate('go(); go(); go()');
    await buyer.window.getByTestId('pay').click();
    await page.waitForFunction('results.length === 3');
    expect(await page.evaluate('new Set(results).size')).toBe(1);
    expect(environment.system.iamport.ledger.entries()).toHaveLength(before + 1);
    expect(calls).toHaveLength(1);
  });

  test('retries after a lost response', async () => {
    const { buyer, page } = await openPage();
    // The backend settles, but its response is lost.
    const calls = await intercept(page, 2, async (route) => {
      await route.fetch();
      await route.abort('connectionreset');
    });
    await page.evaluate('go()');
    await buyer.window.getByTestId('pay').click();
    expect(await resultOf(page)).toMatchObject({ status: 'paid' });
    expect(calls).toHaveLength(3);
    expect(await buyer.order()).toMatchObject({ status: 'paid', revision: 2 });
  });

  test('waits for the retry-after of a 503', async () => {
    const { buyer, page } = await openPage();
    const calls = await intercept(page, 1, (route) =>
      route.fulfill({ status: 503, headers: { 'retry-after': '2' }, json: { code: 'iamport_unavailable' } }),
    );
    await page.evaluate('go()');
    await buyer.window.getByTestId('pay').click();
    expect(await resultOf(page)).toMatchObject({ status: 'paid' });
    const [one = 0, two = 0] = calls;
    expect(two - one).toBeGreaterThanOrEqual(1_900);
  });

  test('a page that is reloaded before the response gets the result [T47]', async () => {
    const { buyer, page } = await openPage();
    await intercept(page, 1, (route) => route.abort());
    await page.evaluate('go({ patienceMs: 0 })');
    await buyer.window.getByTestId('pay').click();
    expect(await resultOf(page)).toMatchObject({ status: 'unconfirmed', imp_uid: buyer.payment.imp_uid });
    await page.reload();
    expect(await shown(page)).toMatchObject({ status: 'paid', imp_uid: buyer.payment.imp_uid });
    await page.reload();
    await page.locator('#pay:enabled').waitFor();
    expect(await page.locator('#result').innerText()).toBe('');
  });

  test('a page that is reloaded while its window is open resumes with status left', async () => {
    const { buyer, page, merchantUid } = await openPage();
    await page.evaluate('go()');
    await buyer.window.getByTestId('order').waitFor();
    await page.reload();
    expect(await shown(page)).toMatchObject({ status: 'left', merchant_uid: merchantUid });
  });
});

describe('with a phone', () => {
  test('the page moves to the window, and on to the result [T49]', async () => {
    const { buyer, page } = await openPage('phone');
    await page.evaluate('go()');
    await buyer.window.getByTestId('pay').click();
    expect(await buyer.outcomeText('paid')).toContain('결제가 완료되었습니다.');
  });

  test('a buyer who returns without paying can pay', async () => {
    const { buyer, page, merchantUid } = await openPage('phone');
    await page.evaluate('go()');
    await buyer.window.getByTestId('order').waitFor();
    await page.goBack();
    // The browser restores the page from its cache, or loads it again.
    const result = await page.waitForFunction(
      'results[0] ?? JSON.parse(document.querySelector("#result").textContent || "null")',
    );
    expect(await result.jsonValue()).toMatchObject({ status: 'left', merchant_uid: merchantUid });
    await page.evaluate('go()');
    await buyer.window.getByTestId('pay').click();
    expect(await buyer.outcomeText('paid')).toContain('결제가 완료되었습니다.');
  });

  test('a result target of the configuration sends the result to the app', async () => {
    const { buyer, page, merchantUid } = await openPage('phone');
    await page.evaluate(`go({ mobileRedirectUrl: '/payments/complete/mobile?to=app', app_scheme: 'iamporttest' })`);
    await buyer.window.getByTestId('order').waitFor();
    const [response] = await Promise.all([
      page.waitForResponse('**/payments/complete/mobile?**'),
      buyer.window.getByTestId('pay').click(),
    ]);
    const location = response.headers().location ?? (await response.text()).replaceAll('&amp;', '&');
    const { imp_uid } = buyer.payment;
    expect(location).toContain(`iamporttest://result?merchant_uid=${merchantUid}&imp_uid=${imp_uid}&status=paid`);
  });

  test('the page of a result target resumes with the outcome of the payment', async () => {
    const { buyer, page, merchantUid } = await openPage('phone');
    await page.evaluate('go()');
    await buyer.window.getByTestId('pay').click();
    await buyer.outcomeText('paid');
    const { imp_uid } = buyer.payment;
    const query = new URLSearchParams({ merchant_uid: merchantUid, imp_uid, status: 'unconfirmed' });
    await page.goto(`${environment.system.url}/plain.html?${query}`);
    expect(await shown(page)).toMatchObject({ status: 'paid', imp_uid, amount: 14_000 });
  });
});
