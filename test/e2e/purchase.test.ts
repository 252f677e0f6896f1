/**
 * Purchases in the demo shop, at a PC and with a phone: the buyer's result, the stored order, and the payment in the
 * fake Iamport.
 */

import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Buyer, type Profile, pollOptions, startEnvironment } from './buyer.ts';

let environment: Awaited<ReturnType<typeof startEnvironment>>;
beforeAll(async () => {
  environment = await startEnvironment();
});
afterEach(() => environment.reset());
afterAll(() => environment?.close());

/** Pays another amount than that of the order in the open window. */
async function payAnotherAmount(buyer: Buyer): Promise<void> {
  const window = await buyer.levers();
  await window.getByTestId('tampered-amount').fill('100');
  await window.getByTestId('pay').click();
}

describe.each<Profile>(['pc', 'phone'])('with a %s', (profile) => {
  /** A buyer in the shop with a selected product. */
  async function enterWith(product = 'notebook', method = 'card'): Promise<Buyer> {
    const buyer = await Buyer.with(profile, environment);
    await buyer.enterShop();
    await buyer.choose(product, method);
    return buyer;
  }

  test.each([
    ['card', 'notebook', 14_000],
    ['trans', 'letters', 8_900],
    ['phone', 'pencil', 1_000],
  ])('a payment by %s pays the order', async (method, product, amount) => {
    const buyer = await enterWith(product, method);
    await (await buyer.openWindow()).getByTestId('pay').click();
    const text = await buyer.outcomeText('paid');
    expect(text).toContain('결제가 완료되었습니다.');
    expect(text).toContain(`₩${amount.toLocaleString('en')}`);
    const { payment } = buyer;
    expect(payment).toMatchObject({ status: 'paid', amount, cancel_amount: 0, pay_method: method });
    expect(payment.channel).toBe(profile === 'pc' ? 'pc' : 'mobile');
    expect(await buyer.order()).toMatchObject({
      status: 'paid',
      revision: 2,
      imp_uid: payment.imp_uid,
      amount,
      payment: { pay_method: method, pg_tid: payment.pg_tid },
      reversals: [],
    });
  });

  test('a virtual account is shown, and its deposit pays the order', async () => {
    const buyer = await enterWith('pen', 'vbank');
    await (await buyer.openWindow()).getByTestId('account').click();
    const text = await buyer.outcomeText('virtual_account_issued');
    const { payment } = buyer;
    for (const expected of ['가상계좌가 발급되었습니다.', '₩32,000', '농협은행', payment.vbank_num, '이니시스']) {
      expect(text).toContain(expected);
    }
    expect(await buyer.order()).toMatchObject({
      status: 'virtual_account_issued',
      virtual_account: { imp_uid: payment.imp_uid, number: payment.vbank_num, due_at: payment.vbank_date },
    });
    await buyer.control(payment, 'deposit');
    await expect.poll(async () => (await buyer.order()).status, pollOptions).toBe('paid');
    const delivery = { notice: { imp_uid: payment.imp_uid, status: 'paid' }, status: 200 };
    await expect.poll(() => environment.system.iamport.webhooks.deliveries[0], pollOptions).toMatchObject(delivery);
    // The shop's page polls; the result page needs a reload.
    if (profile === 'phone') await buyer.page.reload();
    expect(await buyer.outcomeText('paid')).toContain('결제가 완료되었습니다.');
    expect(await buyer.order()).toMatchObject({ imp_uid: payment.imp_uid, payment: { pay_method: 'vbank' } });
  });

  test('a failure is shown with its reason, and the next try pays the same order', async () => {
    const buyer = await enterWith();
    await buyer.openWindow();
    await (await buyer.levers()).getByTestId('fail').click();
    const text = await buyer.outcomeText('failed');
    expect(text).toContain('결제에 실패했습니다. 다시 시도해 주세요.');
    // The PG and the window give the same reason, which is shown once.
    expect(text.split('한도초과')).toHaveLength(2);
    const failed = buyer.payment;
    expect(failed.status).toBe('failed');
    expect(await buyer.order()).toMatchObject({ status: 'failed', imp_uid: failed.imp_uid, reason: '한도초과' });

    if (profile === 'phone') await buyer.enterShop();
    await (await buyer.openWindow()).getByTestId('pay').click();
    expect(await buyer.outcomeText('paid')).toContain('결제가 완료되었습니다.');
    expect(buyer.payment).toMatchObject({ merchant_uid: failed.merchant_uid, status: 'paid' });
    expect(await buyer.order()).toMatchObject({ status: 'paid', imp_uid: buyer.payment.imp_uid, revision: 3 });
  });

  test('a closed window does not change the order', async () => {
    const buyer = await enterWith();
    await (await buyer.openWindow()).getByTestId('close').click();
    const text = await buyer.outcomeText('ready');
    const closed = '결제창을 닫으셨습니다. 청구된 금액은 없으며, 다시 결제하실 수 있습니다.';
    for (const expected of [closed, '사용자가 결제를 취소하셨습니다.']) expect(text).toContain(expected);
    const { merchant_uid } = buyer.payment;
    if (profile === 'pc') {
      // The shop requests the result again whenever its page is shown.
      await buyer.page.reload();
      expect(await buyer.outcomeText('ready')).toContain(closed);
    }
    if (profile === 'phone') {
      const again = new URL('/', environment.system.url);
      again.searchParams.set('merchant_uid', merchant_uid);
      expect(await buyer.page.getByRole('link', { name: '다시 결제하기' }).getAttribute('href')).toBe(again.href);
    }
    expect(buyer.payment.status).toBe('ready');
    expect(await buyer.order()).toMatchObject({ status: 'ready', revision: 1, reversals: [] });
  });

  test('a payment of another amount is rejected and refunded', async () => {
    const buyer = await enterWith();
    await buyer.openWindow();
    await payAnotherAmount(buyer);
    // The text depends on whether the webhook came first and has refunded it already.
    expect(await buyer.outcomeText('rejected')).toMatch(
      /결제 금액이 주문 금액과 다릅니다\. 결제를 취소(했|하고 있)습니다\./,
    );
    await buyer.untilReversed();
    const { payment } = buyer;
    expect(payment).toMatchObject({ status: 'cancelled', amount: 100, cancel_amount: 100 });
    expect(payment.cancel_history).toHaveLength(1);
    expect(await buyer.order()).toMatchObject({
      status: 'ready',
      revision: 1,
      reversals: [{ imp_uid: payment.imp_uid, kind: 'cancel', state: 'done', reason: 'amount_mismatch', amount: 100 }],
    });
    await buyer.page.reload();
    expect(await buyer.outcomeText('rejected')).toContain('결제를 취소했습니다.');
  });

  test('a cancel that takes longer is shown as done without a reload', async () => {
    const { iamport } = environment.system;
    iamport.settings.webhooks = 'never';
    const buyer = await enterWith();
    await buyer.openWindow();
    iamport.faults.add({ path: '/payments/cancel', answer: 'reset', performed: true });
    await payAnotherAmount(buyer);
    // The first response is always `requested`. On a slow machine the page may have checked again before this line.
    expect(await buyer.outcomeText('rejected')).toMatch(/결제를 취소(했|하고 있)습니다\./);
    await buyer.page.getByText('결제를 취소했습니다.').waitFor();
    await buyer.untilReversed();
  });

  test('a second payment of a paid order is rejected and refunded', async () => {
    const buyer = await enterWith();
    await (await buyer.openWindow()).getByTestId('pay').click();
    await buyer.outcomeText('paid');
    const first = buyer.payment;
    if (profile === 'phone') await buyer.enterShop();
    await (await buyer.openWindow('pay-again')).getByTestId('pay').click();
    expect(await buyer.outcomeText('rejected')).toMatch(/이미 결제된 주문입니다\. 결제를 취소(했|하고 있)습니다\./);
    await buyer.untilReversed();
    const second = buyer.payment;
    expect(second).toMatchObject({ merchant_uid: first.merchant_uid, status: 'cancelled', cancel_amount: 14_000 });
    expect(first).toMatchObject({ status: 'paid', cancel_amount: 0 });
    expect(await buyer.order()).toMatchObject({
      status: 'paid',
      imp_uid: first.imp_uid,
      reversals: [{ imp_uid: second.imp_uid, state: 'done', reason: 'duplicate_payment', amount: 14_000 }],
    });
  });

  test('a reload shows a later partial cancel, then a full one', async () => {
    const buyer = await enterWith();
    await (await buyer.openWindow()).getByTestId('pay').click();
    await buyer.outcomeText('paid');
    const { imp_uid } = buyer.payment;
    environment.system.iamport.ledger.cancelInConsole(imp_uid, 4_000);
    await expect.poll(async () => (await buyer.order()).status).toBe('partial_cancelled');
    await buyer.page.reload();
    const partly = await buyer.outcomeText('partial_cancelled');
    expect(partly.replace(/\s+/g, ' ')).toContain('결제 금액 ₩14,000 취소 금액 ₩4,000 남은 금액 ₩10,000');
    expect(partly).toContain('결제 금액의 일부가 취소되었습니다.');
    expect(await buyer.order()).toMatchObject({ status: 'partial_cancelled', cancelled_amount: 4_000 });
    environment.system.iamport.ledger.cancelInConsole(imp_uid);
    await expect.poll(async () => (await buyer.order()).status).toBe('cancelled');
    await buyer.page.reload();
    expect(await buyer.outcomeText('cancelled')).toContain('결제가 취소되었습니다.');
    expect(await buyer.order()).toMatchObject({ status: 'cancelled', cancelled_amount: 14_000 });
  });

  test('a reload shows a deposit that the bank has reversed', async () => {
    const buyer = await enterWith('pen', 'vbank');
    await (await buyer.openWindow()).getByTestId('account').click();
    await buyer.outcomeText('virtual_account_issued');
    const { imp_uid } = buyer.payment;
    environment.system.iamport.ledger.deposit(imp_uid);
    await buyer.page.reload();
    await buyer.outcomeText('paid');
    environment.system.iamport.ledger.takeBackDeposit(imp_uid);
    await buyer.page.reload();
    expect(await buyer.outcomeText('deposit_reversed')).toContain('은행에서 입금이 취소되었습니다.');
    expect(await buyer.order()).toMatchObject({ status: 'deposit_reversed', imp_uid });
  });

  test('a reload shows an expired account, and the order can be paid again', async () => {
    const buyer = await enterWith('pen', 'vbank');
    const window = await buyer.openWindow();
    const [frame] = buyer.page.frames().filter((one) => one.url().includes('/window/'));
    await frame?.evaluate(`document.querySelector('#deadline').append(new Option('1', '1', true, true))`);
    await window.getByTestId('account').click();
    await buyer.outcomeText('virtual_account_issued');
    const { merchant_uid } = buyer.payment;
    const statusAfterReconcile = async () => {
      await environment.system.reconcile();
      return (await buyer.order(merchant_uid)).status;
    };
    await expect.poll(statusAfterReconcile, pollOptions).toBe('expired');
    await buyer.page.reload();
    expect(await buyer.outcomeText('expired')).toContain('결제 기한이 지났습니다.');
    if (profile === 'phone') await buyer.enterShop();
    await buyer.choose('pen', 'card');
    await (await buyer.openWindow()).getByTestId('pay').click();
    await buyer.outcomeText('paid');
    expect(await buyer.order(merchant_uid)).toMatchObject({ status: 'paid' });
  });

  test('while Iamport is unavailable the page shows no failure, and retries by itself', async () => {
    const { iamport } = environment.system;
    iamport.settings.webhooks = 'never';
    const buyer = await enterWith();
    const window = await buyer.openWindow();
    iamport.faults.add({ path: '/payments/imp_', status: 500, times: 1000 });
    await window.getByTestId('pay').click();
    // On a PC the checkout module retries continuously; on a phone the page shows when it will retry.
    const text = profile === 'pc' ? '결제 결과를 확인하고 있습니다.' : '결제 결과를 아직 확인하지 못했습니다.';
    expect(await buyer.outcomeText('unconfirmed')).toContain(text);
    expect(await buyer.order()).toMatchObject({ status: 'ready', revision: 1 });
    iamport.faults.clear();
    await buyer.page.getByText('결제가 완료되었습니다.').waitFor();
    expect(await buyer.order()).toMatchObject({ status: 'paid', imp_uid: buyer.payment.imp_uid });
  });

  test('the shop restores the order after a reload and after the back button [T55]', async () => {
    const buyer = await enterWith();
    await (await buyer.openWindow()).getByTestId('pay').click();
    await buyer.outcomeText('paid');
    if (profile === 'pc') await buyer.page.reload();
    // Goes back past the window, which must not open again.
    else await buyer.page.evaluate('history.go(-2)');
    await buyer.page.locator('#outcome[data-status=paid]').waitFor();
    await buyer.page.locator('#order summary').click();
    const shown = await buyer.page.locator('#record').innerText();
    for (const field of [buyer.payment.merchant_uid, buyer.payment.imp_uid, 'paid']) expect(shown).toContain(field);
    expect(await buyer.order()).toMatchObject({ status: 'paid', revision: 2 });
  });

  test('a double click opens one window [T53]', async () => {
    const buyer = await enterWith();
    const before = environment.system.iamport.ledger.entries().length;
    await buyer.page.getByTestId('pay').dblclick();
    await buyer.window.getByTestId('order').waitFor();
    await buyer.window.getByTestId('pay').click();
    await buyer.outcomeText('paid');
    expect(environment.system.iamport.ledger.entries()).toHaveLength(before + 1);
  });
});

test('the fields of the order are folded below its result until the visitor opens them', async () => {
  const buyer = await Buyer.with('pc', environment);
  await buyer.enterShop();
  await (await buyer.openWindow()).getByTestId('pay').click();
  await buyer.outcomeText('paid');
  const field = buyer.page.locator('#record [data-field=imp_uid]');
  const title = buyer.page.getByText('주문 테이블의 기록');
  await title.waitFor();
  expect(await field.isVisible()).toBe(false);
  await title.click();
  await field.waitFor({ state: 'visible' });
  // A new result must not close what the visitor opened.
  await buyer.page.getByTestId('refresh').click();
  await buyer.page.waitForLoadState('networkidle');
  expect(await field.isVisible()).toBe(true);
});

test("a window for an amount other than the order's does not open", async () => {
  const buyer = await Buyer.with('pc', environment);
  await buyer.enterShop();
  const before = environment.system.iamport.ledger.entries().length;
  await buyer.page.locator('#purchase summary').click();
  await buyer.page.getByTestId('forge').check();
  await buyer.page.getByTestId('pay').click();
  const text = await buyer.outcomeText('unopened');
  expect(text).toContain('결제창이 열리지 않음');
  // The message of the window is the message of the outcome, so it is shown once.
  expect(text.split('사전에 등록된')).toHaveLength(2);
  expect(environment.system.iamport.ledger.entries()).toHaveLength(before);
  const merchantUid = (await buyer.page.locator('#record [data-field=merchant_uid] dd').textContent()) ?? '';
  expect(await buyer.order(merchantUid)).toMatchObject({ status: 'ready', amount: 14_000 });
});

test('a forged amount on a phone shows the reason, the order and a link to pay again', async () => {
  const buyer = await Buyer.with('phone', environment);
  await buyer.enterShop();
  await buyer.page.locator('#purchase summary').click();
  await buyer.page.getByTestId('forge').check();
  await buyer.page.getByTestId('pay').click();
  const text = await buyer.outcomeText('unopened');
  const merchantUid = new URL(buyer.page.url()).searchParams.get('merchant_uid') ?? '';
  expect(text).toContain('결제창이 열리지 않았습니다.');
  expect(text).toContain(merchantUid);
  expect(text).toMatch(/결제창 안내: “사전에 등록된 /);
  await buyer.page.getByRole('link', { name: '다시 결제하기' }).click();
  await buyer.page.waitForURL(({ pathname }) => pathname === '/');
  expect(await buyer.order(merchantUid)).toMatchObject({ status: 'ready', amount: 14_000 });
});

test('the phone option of the shop pays through the phone flow on a PC', async () => {
  const buyer = await Buyer.with('pc', environment);
  await buyer.enterShop();
  await buyer.page.locator('#purchase summary').click();
  await buyer.page.getByTestId('as-phone').check();
  await buyer.page.getByTestId('pay').click();
  await buyer.page.waitForURL(`${environment.system.iamport.url}/window/**`);
  await buyer.page.getByTestId('pay').click();
  await buyer.page.waitForURL('**/payments/complete/mobile?**');
  expect(await buyer.page.locator('h1').innerText()).toBe('결제가 완료되었습니다.');
  expect(await buyer.order()).toMatchObject({ status: 'paid' });
});

test('the popup of the size of a phone pays through the phone flow', async () => {
  const buyer = await Buyer.with('pc', environment);
  await buyer.enterShop();
  const [view] = await Promise.all([buyer.page.waitForEvent('popup'), buyer.page.locator('#as-phone').click()]);
  await view.locator('[data-testid=pay]:enabled').click();
  await view.waitForURL(`${environment.system.iamport.url}/window/**`);
  await view.getByTestId('pay').click();
  await view.waitForURL('**/payments/complete/mobile?**');
  expect(buyer.payment).toMatchObject({ status: 'paid', channel: 'mobile' });
});

test('the shop keeps the chosen English after a reload', async () => {
  const buyer = await Buyer.with('pc', environment);
  await buyer.enterShop();
  await buyer.page.getByRole('button', { name: 'English' }).click();
  expect(await buyer.page.locator('h1').innerText()).toBe('Small things for a desk');
  await (await buyer.openWindow()).getByTestId('pay').click();
  expect(await buyer.outcomeText('paid')).toContain('Your payment is complete.');
  await buyer.page.reload();
  expect(await buyer.outcomeText('paid')).toContain('Your payment is complete.');
  expect(await buyer.page.getByTestId('pay').innerText()).toBe('Pay');
});

test('a browser in another language than Korean gets English, also on its order', async () => {
  const context = await environment.browser.newContext({ locale: 'de-DE', viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  await page.goto(environment.system.url);
  await page.getByTestId('pay').click();
  await page.frameLocator('#imp-iframe').getByTestId('pay').click();
  await page.getByText('Your payment is complete.').waitFor();
  expect(await page.locator('html').getAttribute('lang')).toBe('en');
  expect(await page.locator('#as-phone').isVisible()).toBe(false);
  expect(environment.system.iamport.ledger.entries().at(-1)?.payment.name).toBe('Plain notebook');
});

test('the shop leads to the console, which shows the payments of the order first, and to the receipt', async () => {
  const buyer = await Buyer.with('pc', environment);
  await buyer.enterShop();
  await buyer.page.getByRole('button', { name: 'English' }).click();
  await (await buyer.openWindow()).getByTestId('pay').click();
  await buyer.outcomeText('paid');
  const { imp_uid, merchant_uid, apply_num } = buyer.payment;
  environment.system.iamport.ledger.open({ merchant_uid: 'newer', amount: 1_000 });
  const follow = async (link: ReturnType<Page['locator']>) => {
    const [page] = await Promise.all([buyer.page.context().waitForEvent('page'), link.click()]);
    return page;
  };
  const receipt = await follow(buyer.page.locator('[data-field=receipt] a'));
  expect(receipt.url()).toBe(`${environment.system.iamport.url}/receipt/${imp_uid}`);
  await receipt.getByTestId('receipt').waitFor();
  for (const text of ['Receipt', '₩14,000', 'Plain notebook', merchant_uid, String(apply_num)])
    expect(await receipt.getByTestId('receipt').innerText()).toContain(text);
  const console = await follow(buyer.page.getByTestId('control'));
  await console.getByTestId('payments').waitFor();
  const first = console.getByTestId('payments').locator('li').first();
  expect(await first.innerText()).toContain('Plain notebook');
  expect(await first.getByTestId('cancel').isVisible()).toBe(true);
  expect(await console.locator('html').getAttribute('lang')).toBe('en');
  expect(await console.getByTestId('to-shop').getAttribute('href')).toBe(`${environment.system.url}/?lang=en`);
  expect(await console.getByTestId('to-live').getAttribute('href')).toBe(`${environment.system.url}/live.html?lang=en`);
});

test('the result page of a phone leads to the receipt', async () => {
  const buyer = await Buyer.with('phone', environment);
  await buyer.enterShop();
  await (await buyer.openWindow()).getByTestId('pay').click();
  await buyer.outcomeText('paid');
  await buyer.page.getByRole('link', { name: '영수증 보기' }).click();
  await buyer.page.getByTestId('receipt').waitFor();
  expect(buyer.page.url()).toBe(`${environment.system.iamport.url}/receipt/${buyer.payment.imp_uid}`);
  expect(await buyer.page.getByTestId('receipt').innerText()).toContain(buyer.payment.merchant_uid);
});

test('the shop and the result page fit a screen 320 px wide', async () => {
  const buyer = await Buyer.with('phone', environment);
  await buyer.page.setViewportSize({ width: 320, height: 640 });
  await buyer.enterShop();
  await buyer.choose('notebook', 'vbank');
  await (await buyer.openWindow()).getByTestId('account').click();
  await buyer.outcomeText('virtual_account_issued');
  expect(await buyer.page.evaluate('document.documentElement.scrollWidth')).toBe(320);
  await buyer.enterShop();
  await buyer.page.locator('#order:not([hidden])').waitFor();
  expect(await buyer.page.evaluate('document.documentElement.scrollWidth')).toBe(320);
});
