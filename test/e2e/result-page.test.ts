/**
 * The built-in result page in a real browser, with its content security policy, in every state, both languages and both
 * color schemes.
 */

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { htmlPage } from '../../functions/http/response.ts';
import type { ResultPageBranding } from '../../functions/http/result-page.ts';
import { launchBrowser } from '../support/browser.ts';
import { branding, pageOf, type State, states } from '../support/result-pages.ts';

let browser: Browser;
let url: string;
let axe: string;
let logoRequests = 0;
const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://page');
  if (pathname === '/logo.svg') {
    logoRequests += 1;
    response.setHeader('content-type', 'image/svg+xml');
    response.end('<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"><rect width="90" height="30"/></svg>');
    return;
  }
  // By its own address, so that the browser compiles it once and not for every page.
  if (pathname === '/axe.js') {
    response.writeHead(200, { 'content-type': 'text/javascript', 'cache-control': 'max-age=600' });
    response.end(axe);
    return;
  }
  const language = searchParams.get('lang') === 'en' ? 'en' : 'ko';
  const of: ResultPageBranding = searchParams.has('logo') ? { ...branding, logo: `${url}/logo.svg` } : branding;
  const { text, policy } = pageOf((searchParams.get('state') ?? 'paid') as State, language, of);
  const { statusCode, headers, body } = htmlPage(200, text, policy);
  response.writeHead(statusCode ?? 200, headers as Record<string, string>);
  response.end(body);
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  axe = await readFile(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  server.close();
});
let faults: string[] = [];
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  const found = faults;
  faults = [];
  expect(found).toEqual([]);
});

type Options = Parameters<Browser['newContext']>[0];

/** Opens a page. An error on it, or a request to a third party, fails the test. */
async function openPage(options: Options = {}): Promise<Page> {
  const context: BrowserContext = await browser.newContext({ viewport: { width: 390, height: 844 }, ...options });
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('request', (request) => {
    if (/^https?:/.test(request.url()) && !request.url().startsWith(url)) faults.push(`request: ${request.url()}`);
  });
  return page;
}

/** Some pages check again after seconds. That navigation must not interrupt those of a test on a slow machine. */
const withoutChecks = `{
  const later = window.setTimeout;
  window.setTimeout = (work, ms, ...rest) => (ms >= 1000 ? 0 : later(work, ms, ...rest));
}`;

const all = (Object.keys(states) as State[]).flatMap((state) => (['ko', 'en'] as const).map((lang) => [state, lang]));

const english = all.filter(([, lang]) => lang === 'en');

test.each([
  ['light in Korean and English', 'light', {}, all],
  // The color scheme changes colors alone, and axe measures the contrast of Latin letters and digits only.
  ['dark', 'dark', { runOnly: 'color-contrast' }, english],
] as const)(
  'axe finds no violation in any state, %s',
  { timeout: 120_000 },
  async (_name, colorScheme, rules, pages) => {
    // axe's script needs to bypass the content security policy. The other tests keep the policy.
    const page = await openPage({ colorScheme, bypassCSP: true });
    await page.addInitScript(withoutChecks);
    const run = `axe.run(${JSON.stringify({ ...rules, resultTypes: ['violations'] } satisfies RunOptions)})`;
    for (const [state, lang] of pages) {
      await page.goto(`${url}/?state=${state}&lang=${lang}&logo`, { waitUntil: 'commit' });
      await page.locator('main').waitFor();
      await page.addScriptTag({ url: `${url}/axe.js` });
      const { violations, passes } = (await page.evaluate(run)) as AxeResults;
      expect(violations.map(({ id, nodes }) => `${state} ${lang}: ${id} ${nodes[0]?.html}`)).toEqual([]);
      if (lang === 'en')
        expect(
          passes.map(({ id }) => id),
          state,
        ).toContain('color-contrast');
    }
  },
);

test('every state fits 320 px', async () => {
  const page = await openPage({ viewport: { width: 320, height: 568 } });
  await page.addInitScript(withoutChecks);
  for (const [state, lang] of all) {
    await page.goto(`${url}/?state=${state}&lang=${lang}&logo`, { waitUntil: 'commit' });
    await page.locator('main').waitFor();
    const width = await page.evaluate('document.documentElement.scrollWidth');
    expect(width, `${state} ${lang}`).toBeLessThanOrEqual(320);
  }
});

test('the button copies the account number by touch and keyboard, and confirms it', async () => {
  const page = await openPage({ permissions: ['clipboard-read', 'clipboard-write'] });
  await page.goto(`${url}/?state=virtual-account`);
  const copy = page.getByRole('button', { name: '계좌번호 복사' });
  await copy.click();
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe('79600190123456');
  expect(await page.getByRole('status').innerText()).toBe('계좌번호를 복사했습니다.');
  await page.evaluate('navigator.clipboard.writeText("")');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.evaluate('navigator.clipboard.readText()')).toBe('79600190123456');
});

test('the button copies the account number without the Clipboard API', async () => {
  const page = await openPage({ permissions: ['clipboard-read'] });
  await page.addInitScript('Object.defineProperty(navigator, "clipboard", { value: undefined })');
  await page.goto(`${url}/?state=virtual-account`);
  await page.getByRole('button').click();
  expect(await page.getByRole('status').innerText()).toBe('계좌번호를 복사했습니다.');
});

test('without scripts there is no button, and the account number is selectable text', async () => {
  const page = await openPage({ javaScriptEnabled: false });
  await page.goto(`${url}/?state=virtual-account`);
  expect(await page.getByRole('button').count()).toBe(0);
  expect(await page.locator('dl').innerText()).toContain('79600190123456');
});

test.each([true, false])(
  'an unconfirmed result page retries by itself, with scripts: %s',
  async (javaScriptEnabled) => {
    const page = await openPage({ javaScriptEnabled });
    await page.goto(`${url}/?state=unconfirmed`);
    expect(await page.getByRole('status').innerText()).toBe('결제 결과를 다시 확인하고 있습니다…');
    await page.waitForURL((to) => to.searchParams.get('again') === '1');
  },
);

test('after its last retry the page retries only on a click', async () => {
  const page = await openPage();
  await page.goto(`${url}/?state=given-up`);
  expect(await page.getByRole('status').innerText()).toContain('결제하셨다면 결제는 안전하게 처리됩니다');
  expect(await page.locator('[data-goes]').count()).toBe(0);
  const again = await page.getByRole('link', { name: '다시 확인하기' }).getAttribute('href');
  expect(again).toBe('?imp_uid=imp_347242536261&merchant_uid=ORD20261123-0001');
});

test('the page loads only the logo', async () => {
  const page = await openPage();
  logoRequests = 0;
  await page.goto(`${url}/?state=paid&logo`);
  await expect.poll(() => page.evaluate('document.querySelector("img").naturalWidth')).toBe(90);
  expect(logoRequests).toBe(1);
});

test('the content security policy blocks an injected script', async () => {
  const page = await openPage();
  await page.goto(`${url}/?state=paid`);
  await page.evaluate(
    `const script = document.createElement('script'); script.textContent = 'window.ran = true'; document.body.append(script)`,
  );
  expect(await page.evaluate('window.ran')).toBeUndefined();
  expect(faults.splice(0).join()).toMatch(/Content Security Policy/);
});

test('the page opens the app at once, and its link is first in the tab order', async () => {
  const page = await openPage();
  const navigation = page.waitForEvent('request', (request) => request.url() === 'shopapp://result?status=paid');
  await page.goto(`${url}/?state=to-the-app`, { waitUntil: 'commit' });
  await navigation;
  await page.keyboard.press('Tab');
  expect(await page.evaluate('document.activeElement.href')).toBe('shopapp://result?status=paid');
  expect(await page.getByRole('heading').innerText()).toBe('결제가 완료되었습니다.');
});
