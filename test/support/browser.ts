/**
 * A real Chromium for tests, as a PC and as a phone. CHROME_PATH names another one, for platforms that the npm package is not made for.
 * Launches and nothing else: what is done in it is a test's business.
 */

import { type Browser, type BrowserContext, chromium, devices } from 'playwright-core';

/** No page of ours needs the network, so nothing in the browser may use it behind our back. */
const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];

let located: Promise<string> | undefined;

/**
 * Where Chromium is. Unpacking it takes seconds the first time and must not happen twice at once,
 * so a run with several browser tests calls this before its workers start.
 */
export function locateBrowser(): Promise<string> {
  located ??= locate();
  return located;
}

async function locate(): Promise<string> {
  const { CHROME_PATH } = process.env;
  if (CHROME_PATH) return CHROME_PATH;
  // Read while the package is imported: makes it bring its own copies of the libraries that a slim machine lacks.
  process.env.AWS_EXECUTION_ENV ??= 'AWS_Lambda_nodejs24.x';
  const { default: packaged } = await import('@sparticuz/chromium');
  return packaged.executablePath();
}

/** @returns a browser that the test closes */
export async function launchBrowser(): Promise<Browser> {
  // The package's own arguments are for Lambda: with one process for all, closing a page ends the browser.
  return chromium.launch({ executablePath: await locateBrowser(), args: quiet });
}

/** A fresh profile with nothing in it. */
export function pc(browser: Browser): Promise<BrowserContext> {
  return browser.newContext({ locale: 'ko-KR', viewport: { width: 1280, height: 800 } });
}

/** Touch, a small screen and a phone's user agent. */
export function phone(browser: Browser): Promise<BrowserContext> {
  return browser.newContext({ ...devices['Pixel 7'], locale: 'ko-KR' });
}
