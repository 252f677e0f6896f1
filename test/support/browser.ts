/**
 * Launches a real Chromium for tests, as a PC and as a phone. CHROME_PATH is the path of another one, for platforms without a binary in
 * the npm package.
 */

import { type Browser, type BrowserContext, chromium, devices } from 'playwright-core';

const browserArguments = [
  // Without a graphics card its process only emulates one, which takes two seconds of CPU for each browser.
  '--disable-gpu',
  // No page of ours needs the network, so the browser must not use it in the background.
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

let located: Promise<string> | undefined;

/**
 * @returns the path of Chromium. The first call unpacks it, which takes seconds and must not happen twice at once. A run with several
 *   browser tests therefore calls this before its workers start.
 */
export function locateBrowser(): Promise<string> {
  located ??= locate();
  return located;
}

async function locate(): Promise<string> {
  const { CHROME_PATH } = process.env;
  if (CHROME_PATH) return CHROME_PATH;
  // The package reads it on import, and then unpacks its own copies of the libraries that a slim machine lacks.
  process.env.AWS_EXECUTION_ENV ??= 'AWS_Lambda_nodejs24.x';
  const { default: packaged } = await import('@sparticuz/chromium');
  return packaged.executablePath();
}

/** @returns a browser that the test closes */
export async function launchBrowser(): Promise<Browser> {
  // The arguments of the package are for Lambda: they run one process, in which closing a page ends the browser.
  return chromium.launch({ executablePath: await locateBrowser(), args: browserArguments });
}

/** A new, empty profile. */
export function pc(browser: Browser): Promise<BrowserContext> {
  return browser.newContext({ locale: 'ko-KR', viewport: { width: 1280, height: 800 } });
}

/** A profile with touch, a small screen and the user agent of a phone. */
export function phone(browser: Browser): Promise<BrowserContext> {
  return browser.newContext({ ...devices['Pixel 7'], locale: 'ko-KR' });
}
