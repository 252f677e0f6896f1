/**
 * `npm run pictures`: writes docs/images/result.<language>.png, screenshots of the built-in result page in the most frequent states. The
 * machine needs a Korean font.
 */

import { join } from 'node:path';
import type { Language } from '../functions/shared/language.ts';
import { launchBrowser } from '../test/support/browser.ts';
import { pageOf, type State } from '../test/support/result-pages.ts';

const shown: readonly (readonly [State, 'light' | 'dark'])[] = [
  ['paid', 'light'],
  ['virtual-account', 'light'],
  ['partly-cancelled', 'light'],
  ['failed', 'light'],
  ['closed', 'light'],
  ['unopened', 'light'],
  ['refunding', 'light'],
  ['unconfirmed', 'light'],
  ['to-the-app', 'light'],
  ['virtual-account', 'dark'],
  ['closed', 'dark'],
  ['given-up', 'dark'],
];
const [width, height] = [340, 640];

// The packaged Chromium has fonts of its own, without Korean, unless this names the machine's.
process.env.FONTCONFIG_PATH ??= '/etc/fonts';
const browser = await launchBrowser();
try {
  for (const language of ['ko', 'en'] satisfies Language[]) {
    const pictures: string[] = [];
    for (const [state, colorScheme] of shown) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme, javaScriptEnabled: false });
      const page = await context.newPage();
      // Without its <noscript>, the page does not redirect before the screenshot. The copy button is shown, as a script would do.
      const text = pageOf(state, language).text.replace(/<noscript>.*?<\/noscript>/, '');
      await page.setContent(text.replace(' hidden data-copy', ' data-copy'));
      pictures.push((await page.screenshot()).toString('base64'));
      await context.close();
    }
    const board = await browser.newPage({ viewport: { width: width * 4 + 60, height: height * 3 + 48 } });
    const images = pictures.map((picture) => `<img width="${width}" src="data:image/png;base64,${picture}">`);
    await board.setContent(
      `<style>body{margin:12px;display:grid;grid-template-columns:repeat(4,1fr);gap:12px;background:#c9ced4}img{border-radius:12px}</style>${images.join('')}`,
    );
    const path = join(import.meta.dirname, `../docs/images/result.${language}.png`);
    await board.screenshot({ path });
    console.log(path);
  }
} finally {
  await browser.close();
}
