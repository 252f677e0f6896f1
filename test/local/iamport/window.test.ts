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
  const levers = async (page: Page) => {
    await frame(page).getByTestId('levers').locator('summary').click();
    return frame(page);
  };

  test('the buyer pays in a window over the page, and the callback gets the result', async () => {
    const page = await openPage(pc);
    await requestPay(page, order);
    await expect.poll(() => frame(page).getByTestId('amount').textContent()).toBe('₩14,000');
    await frame(page).getByTestId('pay').click();
    expect(await callbackResult(page)).toMatchObject({ success: true, merchant_uid: 'order-1', paid_amount: 14000 });
    expect(await page.locator('#imp-iframe').count()).toBe(0);
    expect(iamport.ledger.entries()[0]?.payment).toMatchObject({ status: 'paid', channel: 'pc' });
  });

  test('the buyer gets a virtual account for an hour, and cannot pay at once', async () => {
    const page = await openPage(pc);
    await requestPay(page, { ...order, pay_method: 'vbank' });
    await (await levers(page)).getByTestId('deadline').selectOption('3600');
    expect(await frame(page).getByTestId('method').innerText()).toBe('가상계좌');
    expect(await frame(page).getByTestId('until').isVisible()).toBe(true);
    expect(await frame(page).getByTestId('pay').isVisible()).toBe(false);
    await frame(page).getByTestId('account').click();
    expect(await callbackResult(page)).toMatchObject({ success: true, status: 'ready', vbank_name: '농협은행' });
    const payment = iamport.ledger.entries()[0]?.payment;
    expect((payment?.vbank_date ?? 0) - (payment?.vbank_issued_at ?? 0)).toBe(3600);
  });

  test('a payment by card has no account and no deadline', async () => {
    const page = await openPage(pc);
    await requestPay(page, order);
    await levers(page);
    await frame(page).locator('[data-testid=pay]:enabled').waitFor();
    for (const part of ['account', 'deadline', 'until'])
      expect(await frame(page).getByTestId(part).isVisible(), part).toBe(false);
  });

  test('the reason of a failure can be chosen', async () => {
    const page = await openPage(pc);
    await requestPay(page, order);
    await frame(page).locator('[data-testid=pay]:enabled').waitFor();
    await (await levers(page)).getByTestId('fail-reason').fill('잔액부족');
    await frame(page).getByTestId('fail').click();
    expect(await callbackResult(page)).toMatchObject({ success: false, error_msg: '잔액부족' });
  });

  test.each([
    ['the window', (page: Page) => frame(page).getByTestId('pay').press('Escape')],
    [
      'the page behind it',
      (page: Page) => page.evaluate(`dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'}))`),
    ],
  ])('Escape in %s closes the window, as the buyer does', async (_where, press) => {
    const page = await openPage(pc);
    await requestPay(page, order);
    await frame(page).locator('[data-testid=pay]:enabled').waitFor();
    await press(page);
    expect(await callbackResult(page)).toMatchObject({
      success: false,
      error_code: 'F400',
      error_msg: '사용자가 결제를 취소하셨습니다.',
    });
    expect(iamport.ledger.entries()[0]?.payment.status).toBe('ready');
  });

  test('the window has the language of the shop, also in its result', async () => {
    const page = await openPage(pc);
    await requestPay(page, { ...order, language: 'en' });
    await expect.poll(() => frame(page).getByTestId('pay').innerText()).toBe('Pay');
    expect(await frame(page).locator('html').getAttribute('lang')).toBe('en');
    await frame(page).getByTestId('close').click();
    expect(await callbackResult(page)).toMatchObject({ error_msg: 'The buyer cancelled the payment.' });
  });

  test('the window opens in a browser that refuses it storage', async () => {
    const page = await openPage(pc);
    await context.addInitScript(`
      Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('refused', 'SecurityError'); } });
    `);
    await page.reload();
    await requestPay(page, { ...order, language: 'en' });
    await frame(page).getByRole('button', { name: 'Pay' }).click();
    expect(await callbackResult(page)).toMatchObject({ success: true });
  });

  test.each([
    ['fail', 'failed'],
    ['close', 'ready'],
  ])('%s leaves the payment %s', async (button, status) => {
    const page = await openPage(pc);
    await requestPay(page, order);
    await (await levers(page)).getByTestId(button).click();
    expect(await callbackResult(page)).toMatchObject({ success: false, error_code: 'F400' });
    expect(iamport.ledger.entries()[0]?.payment.status).toBe(status);
  });

  test('the window can change the amount and use a test channel', async () => {
    const page = await openPage(pc);
    await requestPay(page, order);
    await (await levers(page)).getByTestId('tampered-amount').fill('100');
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
});

describe('on the control page', () => {
  test('a deposit and a partial cancel change the shown payment', async () => {
    const { imp_uid } = iamport.ledger.open({ merchant_uid: 'order-1', amount: 14000 });
    iamport.ledger.issueAccount(imp_uid);
    const page = await openPage(pc, iamport.url);
    const row = page.getByTestId(`payment-${imp_uid}`);
    expect(await row.getByTestId('status').textContent()).toBe('입금 대기');
    await row.getByTestId('more').click();
    await row.getByTestId('deposit').click();
    await expect.poll(() => row.getByTestId('status').textContent()).toBe('결제 완료');
    await row.getByTestId('cancel-amount').fill('4000');
    await row.getByTestId('cancel').click();
    await expect.poll(() => row.getByTestId('status').textContent()).toBe('부분 취소');
    expect(await row.getByTestId('left').textContent()).toBe('남은 금액 ₩10,000');
    expect(await row.getByTestId('details').textContent()).toContain('₩4,000');
    await row.getByTestId('cancel').click();
    await expect.poll(() => row.getByTestId('status').textContent()).toBe('취소 완료');
    expect(await row.getByTestId('left').textContent()).toBe('');
    expect(iamport.ledger.payment(imp_uid)).toMatchObject({ cancel_amount: 14000 });
  });

  test('a charge by billing key is paid at once, without a window', async () => {
    const page = await openPage(pc, iamport.url);
    await page.getByTestId('charge-order').fill('order-1');
    await page.getByTestId('charge-amount').fill('14000');
    await page.getByTestId('charge').click();
    await expect.poll(() => page.getByTestId('status').textContent()).toBe('결제 완료');
    const [entry] = iamport.ledger.entries();
    expect(entry?.payment).toMatchObject({ merchant_uid: 'order-1', amount: 14000, channel: 'api' });
    expect(entry?.payment.imp_uid).toMatch(/^imps_/);
  });

  test('a late approval and a changed setting take effect', async () => {
    const { imp_uid } = iamport.ledger.open({ merchant_uid: 'order-1', amount: 14000 });
    iamport.ledger.fail(imp_uid, '한도초과');
    const page = await openPage(pc, iamport.url);
    await page.getByTestId('format').selectOption('form');
    await page.getByTestId(`payment-${imp_uid}`).getByTestId('more').click();
    await page.getByTestId(`payment-${imp_uid}`).getByTestId('approve').click();
    await expect.poll(() => iamport.ledger.payment(imp_uid).status).toBe('paid');
    await expect.poll(() => iamport.settings.format).toBe('form');
  });

  test('the payments that the address asks for come first, the newest of them open, and newer ones after them', async () => {
    const [first, second, other] = ['order-1', 'order-1', 'order-2'].map((merchant_uid) =>
      iamport.ledger.open({ merchant_uid, amount: 14000 }),
    );
    const page = await openPage(pc, `${iamport.url}/?merchant_uid=order-1`);
    await page.getByTestId('payments').waitFor();
    const shown = () =>
      page
        .getByTestId('payments')
        .locator('li')
        .evaluateAll((rows) => rows.map(({ dataset }) => dataset.impUid));
    expect(await shown()).toEqual([second, first, other].map((payment) => payment?.imp_uid));
    expect(await page.locator('[aria-expanded=true]').count()).toBe(1);
    expect(await page.getByTestId(`payment-${second?.imp_uid}`).getByTestId('webhook').isVisible()).toBe(true);
    const newest = iamport.ledger.open({ merchant_uid: 'order-3', amount: 14000 });
    await expect.poll(shown).toEqual([second, first, newest, other].map((payment) => payment?.imp_uid));
  });

  test('a half-typed amount stays while another payment changes', async () => {
    const { imp_uid } = iamport.ledger.open({ merchant_uid: 'order-1', amount: 14000 });
    iamport.ledger.pay(imp_uid);
    const page = await openPage(pc, `${iamport.url}/?imp_uid=${imp_uid}`);
    await page.getByTestId('cancel-amount').pressSequentially('40');
    iamport.ledger.open({ merchant_uid: 'order-2', amount: 14000 });
    await expect.poll(() => page.getByTestId('status').count()).toBe(2);
    await page.keyboard.type('00');
    expect(await page.getByTestId(`payment-${imp_uid}`).getByTestId('cancel-amount').inputValue()).toBe('4000');
  });
});

describe('the receipt', () => {
  test('shows amount, method, time and approval number, and each cancel with its own address', async () => {
    const { imp_uid } = iamport.ledger.open({ merchant_uid: 'order-1', amount: 14000, name: '주문명' });
    iamport.ledger.pay(imp_uid);
    const payment = iamport.ledger.cancelInConsole(imp_uid, 4000);
    const [cancel] = payment.cancel_history;
    expect(payment.receipt_url).toBe(`${iamport.url}/receipt/${imp_uid}`);
    expect(cancel?.receipt_url).toBe(`${iamport.url}/receipt/${imp_uid}#${cancel?.cancellation_id}`);
    const page = await openPage(pc, String(cancel?.receipt_url));
    const facts = page.getByTestId('facts');
    await facts.waitFor();
    for (const text of ['주문명', '신용카드', 'BC카드', String(payment.apply_num), '2027. 1. 15. 오후 5:00:00'])
      expect(await facts.innerText()).toContain(text);
    expect(await page.getByTestId('amount').innerText()).toBe('₩14,000');
    expect(await page.getByTestId('status').innerText()).toBe('부분 취소');
    expect(await page.locator(`#${cancel?.cancellation_id}`).innerText()).toContain('−₩4,000');
    expect(await page.getByTestId('cancels').innerText()).toContain('₩10,000');
  });

  test('an unpaid payment and an unknown one have none', async () => {
    const { imp_uid } = iamport.ledger.open({ merchant_uid: 'order-1', amount: 14000 });
    const page = await openPage(pc, `${iamport.url}/receipt/${imp_uid}`);
    await expect.poll(() => page.getByTestId('error').innerText()).toContain('아직 결제되지 않아');
    await page.goto(`${iamport.url}/receipt/imp_000000000000`);
    await expect.poll(() => page.getByTestId('error').innerText()).toContain('결제가 없습니다');
    expect(await page.getByTestId('receipt').isVisible()).toBe(false);
  });
});
