/** A buyer in a real browser: iamport.js, the payment window and the control page. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { launchBrowser, pc, phone } from '../../support/browser.ts';
import { type Caller, startCaller } from './caller.ts';

let browser: Browser;
let context: BrowserContext;
let iamport: Caller;
let shop: Server;
let shopUrl: string;
/** Errors of the pages and requests to third parties; must stay empty. */
let faults: string[];

beforeAll(async () => {
  browser = await launchBrowser();
}, 120_000);
afterAll(() => browser?.close());

beforeEach(async () => {
  faults = [];
  iamport = await startCaller();
  // The minimal storefront; m_redirect_url points to /result.
  shop = createServer((request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    const isResult = request.url?.startsWith('/result');
    response.end(isResult ? '<h1>result</h1>' : `<script src="${iamport.url}/js/iamport.payment-1.2.0.js"></script>`);
  });
  await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve));
  shopUrl = `http://localhost:${(shop.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await context.close();
  await iamport.close();
  await new Promise((resolve) => {
    shop.close(resolve);
    shop.closeAllConnections();
  });
  expect(faults).toEqual([]);
});

const order = { pg: 'html5_inicis', pay_method: 'card', merchant_uid: 'order-1', name: '주문명', amount: 14000 };

async function openPage(profile: typeof pc, address = shopUrl): Promise<Page> {
  context = await profile(browser);
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => {
    const { origin } = new URL(request.url());
    if (origin !== shopUrl && origin !== iamport.url && !request.url().startsWith('data:')) {
      faults.push(`Request to a third party: ${origin}`);
    }
  });
  await page.goto(address);
  return page;
}

/** Calls IMP as a storefront does. On a PC the callback writes its argument into the page's title. */
const requestPay = (page: Page, param: object) =>
  page.evaluate(`
    IMP.init('imp00000000');
    void IMP.request_pay(${JSON.stringify(param)}, (rsp) => { document.title = JSON.stringify(rsp); });
  `);

async function callbackResult(page: Page): Promise<unknown> {
  await page.waitForFunction('document.title.startsWith("{")');
  return JSON.parse(await page.title());
}

describe('on a PC', () => {
  const frame = (page: Page) => page.frameLocator('#imp-iframe');

  test('the buyer pays in a window over the page, and the callback gets the result', async () => {
    const page = await openPage(pc);
    await requestPay(page, order);
    await expect.poll(() => frame(page).getByTestId('amount').textContent()).toBe('₩14,000');
    await frame(page).getByTestId('pay').click();
    expect(await callbackResult(page)).toMatchObject({ success: true, merchant_uid: 'order-1', paid_amount: 14000 });
    expect(await page.locator('#imp-iframe').count()).toBe(0);
    expect(iamport.ledger.entries()[0]?.payment).toMatchObject({ status: 'paid', channel: 'pc' });
  });

  test('the buyer gets a virtual account for an hour', async () => {
    const page = await openPage(pc);
    await requestPay(page, order);
    await frame(page).getByTestId('deadline').selectOption('3600');
    await frame(page).getByTestId('account').click();
    expect(await callbackResult(page)).toMatchObject({ success: true, status: 'ready', vbank_name: '농협은행' });
    const payment = iamport.ledger.entries()[0]?.payment;
    expect((payment?.vbank_date ?? 0) - (payment?.vbank_issued_at ?? 0)).toBe(3600);
  });

  test.each([
    ['fail', 'failed'],
    ['close', 'ready'],
  ])('%s leaves the payment %s', async (button, status) => {
    const page = await openPage(pc);
    await requestPay(page, order);
    await frame(page).getByTestId(button).click();
    expect(await callbackResult(page)).toMatchObject({ success: false, error_code: 'F400' });
    expect(iamport.ledger.entries()[0]?.payment.status).toBe(status);
  });

  test('the window can change the amount and use a test channel', async () => {
    const page = await openPage(pc);
    await requestPay(page, order);
    await frame(page).getByTestId('tampered-amount').fill('100');
    await frame(page).getByTestId('test-channel').check();
    await frame(page).getByTestId('pay').click();
    expect(await callbackResult(page)).toMatchObject({ paid_amount: 100 });
    expect(iamport.ledger.entries()[0]?.payment).toMatchObject({ status: 'paid', amount: 100, sandbox: true });
  });

  test('a window with an amount other than the registered one does not open', async () => {
    iamport.ledger.prepared.register({ merchant_uid: 'order-1', amount: 15000, currency: null });
    const page = await openPage(pc);
    await requestPay(page, order);
    expect(await callbackResult(page)).toMatchObject({ success: false, imp_uid: null, merchant_uid: 'order-1' });
    expect(await page.locator('#imp-iframe').count()).toBe(0);
  });
});

describe('on a phone', () => {
  test('the page navigates to the window, then to m_redirect_url, whose query is kept', async () => {
    const page = await openPage(phone);
    await requestPay(page, { ...order, m_redirect_url: '/result?to=web' });
    await page.getByTestId('pay').click();
    await page.waitForURL('**/result?**');
    const payment = iamport.ledger.entries()[0]?.payment;
    expect(payment).toMatchObject({ status: 'paid', channel: 'mobile' });
    expect(page.url()).toBe(
      `${shopUrl}/result?to=web&imp_uid=${payment?.imp_uid}&merchant_uid=order-1&imp_success=true`,
    );
  });

  test('a closed window redirects with an error', async () => {
    const page = await openPage(phone);
    await requestPay(page, { ...order, m_redirect_url: `${shopUrl}/result` });
    await page.getByTestId('close').click();
    await page.waitForURL('**/result?**');
    expect(new URL(page.url()).searchParams.get('imp_success')).toBe('false');
    expect(new URL(page.url()).searchParams.get('error_code')).toBe('F400');
  });

  test('without m_redirect_url it shows an alert and opens no payment', async () => {
    const page = await openPage(phone);
    const alerts: string[] = [];
    page.on('dialog', (dialog) => {
      alerts.push(dialog.message());
      return dialog.accept();
    });
    await requestPay(page, order);
    expect(alerts).toEqual([expect.stringContaining('m_redirect_url')]);
    expect(iamport.ledger.entries()).toEqual([]);
  });

  test.each(['/', '/window/imp_000000000000'])('%s fits a screen 320 px wide', async (path) => {
    const { imp_uid } = iamport.ledger.open({ merchant_uid: 'm'.repeat(40), amount: 12345678 });
    iamport.ledger.pay(imp_uid);
    const page = await openPage(phone, iamport.url + path.replace('imp_000000000000', imp_uid));
    await page.setViewportSize({ width: 320, height: 640 });
    if (path === '/') await page.getByTestId(`payment-${imp_uid}`).waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
  });
});

describe('on the control page', () => {
  test('a deposit and a partial cancel change the shown payment', async () => {
    const { imp_uid } = iamport.ledger.open({ merchant_uid: 'order-1', amount: 14000 });
    iamport.ledger.issueAccount(imp_uid);
    const page = await openPage(pc, iamport.url);
    const card = page.getByTestId(`payment-${imp_uid}`);
    await card.getByTestId('deposit').click();
    await expect.poll(() => card.getByTestId('status').textContent()).toBe('paid');
    await card.getByTestId('cancel-amount').fill('4000');
    await card.getByTestId('cancel').click();
    await expect.poll(() => card.getByTestId('status').textContent()).toBe('cancelled');
    expect(await card.getByTestId('details').textContent()).toContain('₩4,000');
    expect(iamport.ledger.payment(imp_uid)).toMatchObject({ cancel_amount: 4000 });
  });

  test('a charge by billing key is paid at once, without a window', async () => {
    const page = await openPage(pc, iamport.url);
    await page.getByTestId('charge-order').fill('order-1');
    await page.getByTestId('charge-amount').fill('14000');
    await page.getByTestId('charge').click();
    await expect.poll(() => page.getByTestId('status').textContent()).toBe('paid');
    const [entry] = iamport.ledger.entries();
    expect(entry?.payment).toMatchObject({ merchant_uid: 'order-1', amount: 14000, channel: 'api' });
    expect(entry?.payment.imp_uid).toMatch(/^imps_/);
  });

  test('a late approval and a changed setting take effect', async () => {
    const { imp_uid } = iamport.ledger.open({ merchant_uid: 'order-1', amount: 14000 });
    iamport.ledger.fail(imp_uid, '한도초과');
    const page = await openPage(pc, iamport.url);
    await page.getByTestId('format').selectOption('form');
    await page.getByTestId(`payment-${imp_uid}`).getByTestId('approve').click();
    await expect.poll(() => iamport.ledger.payment(imp_uid).status).toBe('paid');
    await expect.poll(() => iamport.settings.format).toBe('form');
  });
});
