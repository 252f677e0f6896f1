/** The live page during a purchase in the shop: each step, in both languages, on a wide screen and a narrow one. */

import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ShopServer, startShopServer, webhooksAssembly } from '../support/shop-server.ts';
import { Buyer, type Profile, startEnvironment } from './buyer.ts';

let environment: Awaited<ReturnType<typeof startEnvironment>>;
beforeAll(async () => {
  environment = await startEnvironment();
});
afterEach(() => environment.reset());
afterAll(() => environment?.close());

/** Buys while the live page is open in another tab. */
async function buyWithLivePage(profile: Profile = 'pc', approved?: string, system = environment) {
  const buyer = await Buyer.with(profile, system);
  await buyer.enterShop();
  const [live] = await Promise.all([buyer.page.context().waitForEvent('page'), buyer.page.getByTestId('live').click()]);
  live.on('pageerror', (error) => system.system.faults.push(error.message));
  await live.locator('#pulse[data-connection=connected]').waitFor();
  const window = await buyer.openWindow();
  if (approved) await (await buyer.levers()).getByTestId('tampered-amount').fill(approved);
  await window.getByTestId('pay').click();
  await buyer.outcomeText(approved ? 'rejected' : 'paid');
  return { buyer, live };
}

const line = (live: Page, kind: string, title: string) =>
  live.locator(`#facts li[data-kind=${kind}]`, { hasText: title }).first();

test('each step of a payment is drawn as it happens', async () => {
  const { buyer, live } = await buyWithLivePage();
  const { imp_uid, merchant_uid } = buyer.payment;
  await line(live, 'request', `PUT /orders/${merchant_uid}`).waitFor();
  await line(live, 'window', `POST /checkout/${imp_uid}/pay`).waitFor();
  await line(live, 'request', 'POST /payments/complete').waitFor();
  await line(live, 'request', 'POST /payments/webhook').waitFor();
  await line(live, 'call', `GET /payments/${imp_uid}`).waitFor();
  await line(live, 'decision', 'paid').waitFor();
  await line(live, 'write', 'ready → paid').waitFor();
  await line(live, 'event', 'Payment Paid').waitFor();
  // One write and one event, whichever call settled first.
  expect(await live.locator('#facts li[data-kind=write]', { hasText: '→ paid' }).count()).toBe(1);
  expect(await live.locator('#facts li[data-kind=event]').count()).toBe(1);
  expect(await live.locator('#places strong').allInnerTexts()).toEqual([
    '쇼핑몰 서버',
    '구매자',
    'Lambda 함수',
    '아임포트',
    '주문 테이블',
    '이벤트 버스',
  ]);
});

test('a forged amount is drawn as rejected, with the cancel; in English too', async () => {
  const { live } = await buyWithLivePage('pc', '100');
  await line(live, 'call', 'POST /payments/cancel').waitFor();
  await line(live, 'event', 'Payment Rejected').waitFor();
  expect(await line(live, 'decision', 'rejected').innerText()).toContain('amount_mismatch');
  expect(await line(live, 'decision', 'rejected').getAttribute('data-tone')).toBe('bad');
  await live.getByRole('button', { name: 'English' }).click();
  expect(await live.locator('h1').innerText()).toBe('What happens in one payment');
  expect(await live.locator('#places strong').first().innerText()).toBe('Shop server');
  expect(await live.locator('html').getAttribute('lang')).toBe('en');
});

test('an earlier order can be selected, and all orders at once', async () => {
  const { buyer, live } = await buyWithLivePage();
  const first = buyer.payment.merchant_uid;
  await line(live, 'event', 'Payment Paid').waitFor();
  const second = await environment.system.order();
  await line(live, 'request', `PUT /orders/${second}`).waitFor();
  expect(await live.locator('#facts li', { hasText: first }).count()).toBe(0);
  await live.locator('#orders button', { hasText: first }).click();
  await line(live, 'request', `PUT /orders/${first}`).waitFor();
  await live.getByRole('button', { name: '모두' }).click();
  await line(live, 'request', `PUT /orders/${second}`).waitFor();
  await line(live, 'request', `PUT /orders/${first}`).waitFor();
});

const orderButtons = (live: Page) => live.locator('#orders button').allInnerTexts();

test('the page follows the newest order until the viewer chooses one, and only registered orders are choices', async () => {
  const { buyer, live } = await buyWithLivePage();
  const first = buyer.payment.merchant_uid;
  await environment.system.complete({ imp_uid: 'imp_000000000000', merchant_uid: 'mistyped' });
  const second = await environment.system.order();
  await line(live, 'request', `PUT /orders/${second}`).waitFor();
  // The viewer chooses the order that the page shows already: it must stay at the next one.
  await live.locator('#orders button', { hasText: second }).click();
  const third = await environment.system.order();
  await live.locator('#orders button', { hasText: third }).waitFor();
  expect(await live.locator('#facts li', { hasText: third }).count()).toBe(0);
  await line(live, 'request', `PUT /orders/${second}`).waitFor();
  const buttons = (await orderButtons(live)).join();
  expect(buttons).toContain(first);
  expect(buttons).not.toContain('mistyped');
  await live.getByRole('button', { name: '최신 주문 따라가기' }).click();
  await line(live, 'request', `PUT /orders/${third}`).waitFor();
});

test('repeated calls take two lines', async () => {
  const { buyer, live } = await buyWithLivePage();
  for (let time = 0; time < 5; time += 1) await environment.system.shop('GET', buyer.payment.merchant_uid);
  await live.locator('#facts b', { hasText: '×6' }).waitFor();
  const calls = live.locator('#facts li[data-kind=request]', { hasText: `GET /orders/${buyer.payment.merchant_uid}` });
  expect(await calls.count()).toBe(2);
});

test('a long name may break after an underline or a slash, and not inside a word', async () => {
  const { live } = await buyWithLivePage();
  const title = line(live, 'request', 'POST /payments/complete').locator('b');
  await title.waitFor();
  expect(await title.innerHTML()).toMatch(/^POST \/<wbr>payments\/<wbr>complete(?: ×\d+)?$/);
});

test('on a phone the page is a list that fits 320 px', async () => {
  const { live } = await buyWithLivePage('phone');
  await live.setViewportSize({ width: 320, height: 640 });
  await line(live, 'event', 'Payment Paid').waitFor();
  expect(await live.evaluate('document.documentElement.scrollWidth')).toBe(320);
  expect(await live.locator('#orders').isVisible()).toBe(false);
  await live.getByTestId('order-list').selectOption('*');
  await live.locator('#orders [aria-pressed=true]', { hasText: '모두' }).waitFor({ state: 'attached' });
  expect(await line(live, 'event', 'Payment Paid').innerText()).toContain('주문 테이블 → 이벤트 버스');
});

describe('with a receiver of webhooks', () => {
  let shop: ShopServer;
  let withWebhooks: typeof environment;
  beforeAll(async () => {
    shop = await startShopServer();
    const webhooks = { url: `${shop.url}?key=in-the-query`, secret: shop.secret };
    withWebhooks = await startEnvironment({ assembly: await webhooksAssembly(), webhooks });
  }, 300_000);
  afterEach(() => withWebhooks.reset());
  afterAll(async () => {
    await withWebhooks?.close();
    await shop?.close();
  });

  /** The rows of the queue and the webhook: places, texts and tones, as a list on a narrow screen has them. */
  const rows = (live: Page) =>
    live
      .locator('#facts li')
      .evaluateAll((all) =>
        all
          .filter(({ dataset: { kind } }) => kind === 'queue' || kind === 'webhook')
          .map((row) => [
            row.querySelector('.who')?.textContent,
            row.querySelector('b')?.textContent,
            row.querySelector('.detail')?.textContent?.replace(/\d+ ms/, 'n ms'),
            row.dataset.tone,
          ]),
      );

  test('each attempt of a webhook is drawn, with its status and the time to the next one; in English too', async () => {
    shop.answers.push((response) => response.writeHead(503).end());
    const { live } = await buyWithLivePage('pc', undefined, withWebhooks);
    const receiver = `POST ${new URL(shop.url).host}`;
    const attempts = [
      ['이벤트 버스 → 웹훅 큐', 'Payment Paid', '', 'plain'],
      ['웹훅 큐 → Lambda 함수', 'deliver', 'Payment Paid · 1번째 시도', 'plain'],
      ['Lambda 함수 → 쇼핑몰 서버', receiver, '503 · n ms', 'bad'],
      ['Lambda 함수 → 웹훅 큐', expect.stringMatching(/^\d+초 뒤에 다시 시도$/), '', 'wait'],
      ['웹훅 큐 → Lambda 함수', 'deliver', 'Payment Paid · 2번째 시도', 'plain'],
      ['Lambda 함수 → 쇼핑몰 서버', receiver, '204 · n ms', 'good'],
    ];
    await expect.poll(() => rows(live), { timeout: 40_000 }).toEqual(attempts);
    expect(await live.locator('#places strong').last().innerText()).toBe('웹훅 큐');
    expect(await live.locator('#places strong').count()).toBe(7);
    expect(await live.locator('#facts').innerText()).not.toContain('in-the-query');
    await live.getByRole('button', { name: 'English' }).click();
    await expect
      .poll(() => rows(live))
      .toContainEqual([
        'Lambda functions → Webhook queue',
        expect.stringMatching(/^next attempt in \d+ s$/),
        '',
        'wait',
      ]);
    expect((await rows(live)).at(-2)).toEqual([
      'Webhook queue → Lambda functions',
      'deliver',
      'Payment Paid · attempt 2',
      'plain',
    ]);
  });

  test('a webhook that is not sent again is drawn on its way to the dead-letter queue', async () => {
    shop.answers.push((response) => response.writeHead(410).end());
    const { live } = await buyWithLivePage('pc', undefined, withWebhooks);
    const end = ['Lambda 함수 → 웹훅 큐', '데드레터 큐로 이동', 'gone', 'bad'];
    await expect.poll(async () => (await rows(live)).at(-1), { timeout: 40_000 }).toEqual(end);
    expect((await rows(live)).at(-2)?.slice(2)).toEqual(['410 · n ms', 'bad']);
  });
});
