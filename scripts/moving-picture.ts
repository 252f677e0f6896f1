/**
 * `npm run moving-picture`: writes docs/images/payment.<language>.gif. Starts the local system, pays in the demo shop, forges an amount
 * in the payment window, and takes screenshots of the shop beside the live page. Everything on them happened; the rows of the live page,
 * which arrive within half a second, are shown one by one. The machine needs a Korean font.
 */

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Frame as BrowserFrame, Page } from 'playwright-core';
import type { Language } from '../functions/shared/language.ts';
import { cdkContext } from '../infra/context.ts';
import { localAssembly } from '../local/assembly.ts';
import { startLocal } from '../local/system.ts';
import { launchBrowser } from '../test/support/browser.ts';
import { type Frame, gifOf } from './gif.ts';

/** CSS pixels. The two pages are scaled, so that both keep a layout that can be read. */
const size = { width: 1080, height: 660 };
const captions = {
  ko: [
    '구매자가 14,000원짜리 주문을 결제합니다',
    '아임포트에 조회하고, 주문과 비교하고, 한 번만 기록합니다',
    '다음 구매자는 결제창에서 금액을 100원으로 변조합니다',
    '주문 금액과 다르므로 받지 않고, 결제를 바로 취소합니다',
  ],
  en: [
    'A buyer pays an order of 14,000 won',
    'The backend asks Iamport what was paid, and writes it once',
    'The next buyer forges the amount in the window: 100 won',
    'The backend rejects the wrong amount, and cancels the payment at once',
  ],
} as const satisfies Record<Language, readonly string[]>;

const stage = (language: Language) => `<!doctype html><html lang="${language}"><title>stage</title><style>
body{margin:0;width:${size.width}px;height:${size.height}px;overflow:hidden;background:#e9e6dc;font-family:sans-serif}
p{margin:0;height:44px;line-height:44px;padding:0 16px;font-size:19px;font-weight:700;color:#1f4d40}
iframe{position:absolute;top:44px;border:0;border-radius:10px;transform-origin:0 0;background:#fff}
#shop{left:12px;width:390px;height:800px;transform:scale(.755)}
#live{left:318px;width:1040px;height:838px;transform:scale(.72)}
</style><p></p><iframe id="shop" src="/"></iframe><iframe id="live" src="/live.html"></iframe></html>`;

/** Shortens the live page to its diagram, and hides the rows that are not shown yet. */
const liveStyle = (rows: number) =>
  `*{animation:none!important;transition:none!important}header,h1,.lead,.eyebrow,.orders,.footnote{display:none!important}main{padding-top:8px!important}#facts li:nth-child(n+${rows + 1}){visibility:hidden}`;

/** Runs in a page. Resolves when every animation that ends has ended. */
const finishedAnimations = `Promise.all(document.getAnimations({ subtree: true })
  .filter(({ effect }) => effect?.getTiming().iterations !== Infinity).map(({ finished }) => finished)).then(() => undefined)`;

async function record(language: Language, browser: Browser, url: string): Promise<Frame[]> {
  const locale = language === 'ko' ? 'ko-KR' : 'en-GB';
  const page = await browser.newPage({ viewport: size, locale, colorScheme: 'light' });
  await page.route('**/__stage', (route) => route.fulfill({ contentType: 'text/html', body: stage(language) }));
  await page.goto(`${url}/__stage`);
  const [shop, live] = [await frameIn(page, '#shop'), await frameIn(page, '#live')];
  const payment = page.frameLocator('#shop').frameLocator('#imp-iframe');
  const arrival = (kind: string, text: string) =>
    live.locator(`#facts li[data-kind=${kind}]`, { hasText: text }).first().waitFor({ state: 'attached' });
  const frames: Frame[] = [];
  let rows = 0;

  const shoot = async (ms: number) => {
    await live.evaluate(
      `(() => { let style = document.querySelector('#shown'); if (!style) { style = document.createElement('style'); style.id = 'shown'; document.head.append(style); }
        style.textContent = ${JSON.stringify(liveStyle(rows))};
        const last = document.querySelectorAll('#facts li')[${rows - 1}]; scrollTo(0, last ? last.offsetTop + last.offsetHeight + 60 - innerHeight : 0); })()`,
    );
    frames.push({ png: await page.screenshot(), ms });
  };
  /** Shows the rows that have arrived, one by one. */
  const reveal = async (ms: number) => {
    const arrived = await live.locator('#facts li').count();
    while (rows < arrived) {
      rows += 1;
      await shoot(ms);
    }
  };
  const caption = (text: string) => page.evaluate(`document.querySelector('p').textContent = ${JSON.stringify(text)}`);

  /** One purchase, from the shop to the last row on the live page. */
  const buy = async (first: string, second: string, end: () => Promise<unknown>, forged?: string) => {
    await shop.locator('[data-testid=pay]:enabled').waitFor();
    await shop.evaluate('scrollTo(0, 0)');
    await caption(first);
    rows = 0;
    await shop.getByTestId('pay').click();
    await payment.getByTestId('pay').waitFor();
    await arrival('window', 'POST /checkout');
    // The first frame is the picture of a viewer that plays none, so the window has to be in its place.
    await payment.locator('body').evaluate(finishedAnimations);
    if (forged) {
      const amount = payment.getByTestId('tampered-amount');
      await amount.evaluate((input) => input.closest('details')?.setAttribute('open', ''));
      await amount.fill(forged);
      await amount.scrollIntoViewIfNeeded();
    }
    await reveal(160);
    await shoot(900);
    await payment.getByTestId('pay').click();
    await end();
    await caption(second);
    await shop.evaluate(`document.querySelector('#outcome').scrollIntoView({ block: 'center', behavior: 'instant' })`);
    await reveal(230);
    await shoot(forged ? 2_400 : 1_600);
  };
  const [paying, paid, forging, rejected] = captions[language];
  await live.locator('#pulse[data-connection=connected]').waitFor();
  await buy(paying, paid, async () => {
    await shop.locator('#outcome[data-status=paid]').waitFor();
    await arrival('event', 'Payment Paid');
    await arrival('decision', 'complete');
  });
  await shop.evaluate('sessionStorage.clear()');
  await shop.goto(url);
  await buy(
    forging,
    rejected,
    async () => {
      await arrival('call', 'POST /payments/cancel');
      await arrival('event', 'Payment Rejected');
      await arrival('event', 'Refund Completed');
      await shop.locator('#outcome[data-status=rejected] [data-field=reversal]').waitFor();
      await shop
        .getByText(/결제를 취소했습니다|has been cancelled/)
        .first()
        .waitFor();
    },
    '100',
  );
  await page.close();
  return frames;
}

async function frameIn(page: Page, selector: string): Promise<BrowserFrame> {
  const frame = await (await page.waitForSelector(selector)).contentFrame();
  if (!frame) throw new Error(`${selector} is no frame`);
  return frame;
}

const system = await startLocal({
  assembly: localAssembly(cdkContext()),
  port: 0,
  databaseKey: `picture${randomBytes(8).toString('hex')}`,
  schedules: false,
});
// The packaged Chromium has fonts of its own, without Korean, unless this names the machine's.
process.env.FONTCONFIG_PATH ??= '/etc/fonts';
const browser = await launchBrowser();
try {
  for (const language of ['ko', 'en'] satisfies Language[]) {
    const frames = await record(language, browser, system.url);
    const path = join(import.meta.dirname, `../docs/images/payment.${language}.gif`);
    const file = await gifOf(frames, await browser.newPage());
    await writeFile(path, file);
    const seconds = frames.reduce((sum, { ms }) => sum + ms, 0) / 1000;
    console.log(`${path}: ${frames.length} frames, ${seconds.toFixed(1)} s, ${Math.round(file.length / 1000)} kB`);
  }
} finally {
  await browser.close();
  await system.close();
}
