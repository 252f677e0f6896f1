/** The look of the fake Iamport's pages: no violation by axe and no sideways scrolling, on two widths, light and dark, in both languages. */

import { readFile } from 'node:fs/promises';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../../support/browser.ts';
import { type Caller, startCaller } from './caller.ts';

let browser: Browser;
let iamport: Caller;
let axe: string;
/** The payments of the pages, by what is shown of them. */
const payments = { card: '', vbank: '', paid: '' };

beforeAll(async () => {
  iamport = await startCaller({ shopUrl: 'http://127.0.0.1:1' });
  const { ledger } = iamport;
  const merchant_uid = 'm'.repeat(40);
  const opened = (pay_method: string) =>
    ledger.open({ merchant_uid, amount: 12_345_678, name: '무지 노트', pay_method }).imp_uid;
  payments.card = opened('card');
  payments.vbank = opened('vbank');
  payments.paid = opened('card');
  ledger.pay(payments.paid);
  ledger.cancelInConsole(payments.paid, 4_000);
  ledger.fail(opened('trans'), '한도초과');
  ledger.issueAccount(opened('vbank'));
  ledger.cancelInConsole(ledger.pay(opened('phone')).imp_uid);
  axe = await readFile(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
  browser = await launchBrowser();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
});
afterAll(async () => {
  await browser?.close();
  await iamport?.close();
});

/** Opens each page with everything on it shown. */
const pages: Readonly<Record<string, (page: Page, query: string) => Promise<void>>> = {
  'the window of a card': (page, query) => openWindow(page, payments.card, query),
  'the window of a virtual account': (page, query) => openWindow(page, payments.vbank, query),
  async 'the console'(page, query) {
    await page.goto(`${iamport.url}/${query}`);
    await page.getByTestId('payments').waitFor();
    for (const more of await page.getByTestId('more').all()) await more.click();
    await page.getByTestId('repeats').check();
    await page.getByTestId('webhooks').selectOption('late');
    await page.getByTestId('late-seconds').waitFor();
  },
  async 'the receipt'(page, query) {
    await page.goto(`${iamport.url}/receipt/${payments.paid}${query}`);
    await page.getByTestId('receipt').waitFor();
  },
  async 'the page for an unknown address'(page, query) {
    await page.goto(`${iamport.url}/orders${query}`);
  },
};

async function openWindow(page: Page, impUid: string, query: string): Promise<void> {
  await page.goto(`${iamport.url}/window/${impUid}${query}`);
  await page.locator('.main:enabled:not([hidden])').waitFor();
  await page.locator('summary').click();
}

/** The rules of axe in each color scheme. The scheme changes colors alone. */
const rulesOf = { light: {}, dark: { runOnly: 'color-contrast' } } satisfies Record<string, RunOptions>;

/** @returns the rules that the page breaks, each with the first element, and those that it keeps */
async function checked(page: Page, rules: RunOptions): Promise<{ broken: string[]; kept: string[] }> {
  const options = JSON.stringify({ ...rules, resultTypes: ['violations'] } satisfies RunOptions);
  const { violations, passes } = (await page.evaluate(`axe.run(${options})`)) as AxeResults;
  return { broken: violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`), kept: passes.map(({ id }) => id) };
}

test.each(Object.keys(pages))('axe finds no violation in %s, and nothing is wider than the screen', async (name) => {
  for (const locale of ['ko-KR', 'en-US']) {
    const context = await browser.newContext({ locale, viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    await pages[name]?.(page, '');
    expect(await page.locator('html').getAttribute('lang')).toBe(locale.slice(0, 2));
    await page.evaluate(axe);
    for (const width of [1280, 320]) {
      await page.setViewportSize({ width, height: 800 });
      for (const [colorScheme, rules] of Object.entries(rulesOf) as [keyof typeof rulesOf, RunOptions][]) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        const { broken, kept } = await checked(page, rules);
        expect(broken, `${locale} ${width} ${colorScheme}`).toEqual([]);
        expect(kept).toContain('color-contrast');
      }
      expect(await page.evaluate('document.documentElement.scrollWidth'), `${locale} ${width}`).toBe(width);
    }
    await context.close();
  }
});

test.each(['DejaVu Sans', 'monospace'])(
  'at 320 px nothing is wider than the screen in a wide font: %s',
  async (font) => {
    const page = await browser.newPage({ locale: 'en-US', viewport: { width: 320, height: 640 } });
    for (const [name, open] of Object.entries(pages)) {
      await open(page, '');
      await page.addStyleTag({ content: `* { font-family: ${font} !important }` });
      expect(await page.evaluate('document.documentElement.scrollWidth'), name).toBe(320);
    }
  },
);

test('an unknown address shows a browser what there is, in its language, and is JSON for other clients', async () => {
  for (const [locale, heading] of [
    ['ko-KR', '이 주소에는 아무것도 없습니다'],
    ['en-US', 'Nothing is at this address'],
  ] as const) {
    const page = await browser.newPage({ locale });
    expect((await page.goto(`${iamport.url}/orders/order-1`))?.status()).toBe(404);
    await page.getByRole('heading', { name: heading }).waitFor();
    await page.getByRole('article').getByRole('link').click();
    await page.getByTestId('payments').waitFor();
  }
  const response = await fetch(`${iamport.url}/orders/order-1`);
  expect([response.status, await response.json()]).toEqual([
    404,
    { code: -1, message: '존재하지 않는 주소입니다.', response: null },
  ]);
});

test('the pages have the stylesheet of the demo shop, not a copy', async () => {
  const shops = await readFile(new URL('../../../local/shop/pages/style.css', import.meta.url), 'utf8');
  expect(await (await fetch(`${iamport.url}/pages/style.css`)).text()).toBe(shops);
});

test('a link chooses the language, and a later choice on the page survives a reload', async () => {
  const page = await browser.newPage({ locale: 'ko-KR' });
  await page.goto(`${iamport.url}/?lang=en`);
  await page.getByRole('heading', { name: 'Payments' }).waitFor();
  await page.getByRole('button', { name: '한국어' }).click();
  await page.reload();
  expect(await page.locator('h1').innerText()).toBe('결제 내역');
});
