/** The live page during a purchase in the shop: each step, in both languages, on a wide screen and a narrow one. */

import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Buyer, type Profile, startEnvironment } from './buyer.ts';

let environment: Awaited<ReturnType<typeof startEnvironment>>;
beforeAll(async () => {
  environment = await startEnvironment();
});
afterEach(() => environment.reset());
afterAll(() => environment?.close());

/** Buys while the live page is open in another tab. */
async function buyWithLivePage(profile: Profile = 'pc', approved?: string) {
  const buyer = await Buyer.with(profile, environment);
  await buyer.enterShop();
  const [live] = await Promise.all([buyer.page.context().waitForEvent('page'), buyer.page.getByTestId('live').click()]);
  live.on('pageerror', (error) => environment.system.faults.push(error.message));
  await live.locator('#pulse[data-connection=connected]').waitFor();
  const window = await buyer.openWindow();
  if (approved) await window.getByTestId('tampered-amount').fill(approved);
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
    '상점 서버',
    '구매자',
    'Lambda 함수',
    'Iamport',
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

test('repeated calls take two lines', async () => {
  const { buyer, live } = await buyWithLivePage();
  for (let time = 0; time < 5; time += 1) await environment.system.shop('GET', buyer.payment.merchant_uid);
  await live.locator('#facts b', { hasText: '×6' }).waitFor();
  const calls = live.locator('#facts li[data-kind=request]', { hasText: `GET /orders/${buyer.payment.merchant_uid}` });
  expect(await calls.count()).toBe(2);
});

test('on a phone the page is a list that fits 320 px', async () => {
  const { live } = await buyWithLivePage('phone');
  await live.setViewportSize({ width: 320, height: 640 });
  await line(live, 'event', 'Payment Paid').waitFor();
  expect(await live.evaluate('document.documentElement.scrollWidth')).toBe(320);
  expect(await line(live, 'event', 'Payment Paid').innerText()).toContain('주문 테이블 → 이벤트 버스');
});
