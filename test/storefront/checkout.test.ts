/**
 * The checkout of a shop's page: its windows, calls, storage and results, for every behavior of the window and the
 * network.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { windowEndMessage } from '../../functions/http/messages.ts';
import type { OutcomeStatus as BackendStatus } from '../../functions/payment/outcome.ts';
import { bundleCheckout } from '../../storefront/build.ts';
import { checkoutIn } from '../../storefront/checkout/checkout.ts';
import type { OutcomeStatus, PayResult, Unopened } from '../../storefront/checkout/types.ts';
import { paid, request, response, TestBrowser } from './browser-environment.ts';

const backend = { completeUrl: request.completeUrl };
const down = response(503, { code: 'iamport_unavailable', message: 'Soon.' }, { 'retry-after': '5' });
const inMemory = (browser: TestBrowser) => browser.stored.get('iamport-checkout');

// Both sides must have the same statuses; otherwise this line does not compile.
const sameStatuses: [OutcomeStatus, BackendStatus] extends [BackendStatus, OutcomeStatus] ? true : false = true;

test('the statuses are those of the backend', () => {
  expect(sameStatuses).toBe(true);
});

test('the page and the result page of a phone recognise a cancel by the same words', async () => {
  // The page's module is a build of its own, so neither can import the other.
  const patternIn = async (file: string) =>
    /namesCancel = (.+);/.exec(await readFile(join(import.meta.dirname, '../..', file), 'utf8'))?.[1];
  const ofPage = await patternIn('storefront/checkout/checkout.ts');
  expect(ofPage).toContain('취소');
  expect(await patternIn('functions/http/result-view.ts')).toBe(ofPage);
});

test.each(['docs/storefront.md', 'docs/storefront.ko.md'])('%s names every result', async (file) => {
  const known = {
    ...{ paid: 0, virtual_account_issued: 0, ready: 0, failed: 0, partial_cancelled: 0, cancelled: 0, expired: 0 },
    ...{ deposit_reversed: 0, rejected: 0, unopened: 0, left: 0, unconfirmed: 0, refused: 0 },
    ...{ declined: 0, iamport_missing: 0, busy: 0, window_failed: 0 },
  } satisfies Record<PayResult['status'] | Unopened['code'], 0>;
  const text = await readFile(join(import.meta.dirname, '../..', file), 'utf8');
  expect(Object.keys(known).filter((word) => !text.includes(`\`${word}\``))).toEqual([]);
});

test.each(Object.entries(bundleCheckout()))('%s is at most 3 KB compressed', (_name, code) => {
  expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(3 * 1024);
  expect(code).not.toMatch(/\bimport\b|\beval\b|https?:/);
});

describe('the window', () => {
  test("gets the parameters of Iamport without the checkout's own", async () => {
    const browser = new TestBrowser(response(200, paid));
    void checkoutIn(browser).pay({ ...request, language: 'en', patienceMs: 1000, card_quota: [2, 3] });
    const { completeUrl: _complete, mobileRedirectUrl: m_redirect_url, ...param } = request;
    expect(browser.opened).toEqual([{ ...param, m_redirect_url, language: 'en', card_quota: [2, 3] }]);
  });

  test('gets an absolute m_redirect_url', () => {
    const browser = new TestBrowser();
    void checkoutIn(browser).pay({ ...request, mobileRedirectUrl: '/payments/complete/mobile' });
    expect(browser.opened[0]?.m_redirect_url).toBe('https://shop.example/payments/complete/mobile');
  });

  test('calls back, and the backend gets both ids as a form', async () => {
    const browser = new TestBrowser(response(200, paid));
    const result = checkoutIn(browser).pay({ ...request, language: 'en' });
    browser.callBack({ success: true, imp_uid: 'imp_1', merchant_uid: 'order-1', paid_amount: 14_000 });
    expect(await result).toEqual(paid);
    expect(browser.calls).toEqual([
      {
        url: 'https://api.example/payments/complete',
        form: 'imp_uid=imp_1&merchant_uid=order-1',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'accept-language': 'en' },
      },
    ]);
    expect(inMemory(browser)).toBeUndefined();
  });

  test.each([
    ['success is missing', { imp_uid: 'imp_1' }],
    ['success is false', { success: false, imp_uid: 'imp_1' }],
    ['success is a string', { success: 'false', imp_uid: 'imp_1' }],
  ])('calls back, and the backend is called when %s', async (_case, rsp) => {
    const browser = new TestBrowser(response(200, paid));
    const result = checkoutIn(browser).pay(request);
    browser.callBack(rsp);
    expect(await result).toEqual(paid);
  });

  test('returns an error code, which is added to the outcome without changing it', async () => {
    const browser = new TestBrowser(response(200, { status: 'failed', reason: '한도초과', message: 'Failed.' }));
    const result = checkoutIn(browser).pay(request);
    browser.callBack({ imp_uid: 'imp_1', error_code: 'F400', error_msg: '한도초과' });
    expect(await result).toEqual({
      status: 'failed',
      reason: '한도초과',
      message: 'Failed.',
      window: { error_code: 'F400', error_msg: '한도초과' },
    });
  });

  test.each([
    ['사용자가 결제를 취소하셨습니다.', 'ko', 'closed'],
    ['[결제포기] 사용자가 결제를 취소하셨습니다', undefined, 'closed'],
    ['PAY_PROCESS_CANCELED', 'en-GB', 'closed'],
    ['한도초과', 'ko', 'failed'],
    ['Insufficient funds', 'en', 'failed'],
  ] as const)(
    'returns "%s" of an unpaid payment: the result has the message of a phone [T480]',
    async (error_msg, language, end) => {
      const browser = new TestBrowser(response(200, { status: 'ready', message: 'Nothing has been paid yet.' }));
      const result = checkoutIn(browser).pay({ ...request, ...(language && { language }) });
      browser.callBack({ imp_uid: 'imp_1', error_code: 'F400', error_msg });
      expect(await result).toEqual({
        status: 'ready',
        message: windowEndMessage(end, language?.startsWith('en') ? 'en' : 'ko'),
        window: { error_code: 'F400', error_msg },
      });
    },
  );

  test.each([
    [
      { status: 'ready', message: 'Nothing has been paid yet.' },
      { imp_uid: 'imp_1', error_code: 'F400' },
    ],
    [paid, { imp_uid: 'imp_1', error_msg: '사용자가 결제를 취소하셨습니다.' }],
    [
      { status: 'failed', message: 'Failed.' },
      { imp_uid: 'imp_1', error_msg: '결제 취소' },
    ],
  ])('the message stays that of the backend for %o after %o', async (outcome, rsp) => {
    const browser = new TestBrowser(response(200, outcome));
    const result = checkoutIn(browser).pay(request);
    browser.callBack(rsp);
    expect((await result).message).toBe(outcome.message);
  });

  test('reports a cancel of a payment that cannot be read: nothing is claimed about the money', async () => {
    const browser = new TestBrowser(down);
    const result = checkoutIn(browser).pay({ ...request, patienceMs: 0 });
    browser.callBack({ imp_uid: 'imp_1', error_msg: '사용자가 결제를 취소하셨습니다.' });
    expect(await result).toMatchObject({
      status: 'unconfirmed',
      message: '결제 결과를 아직 확인하지 못했습니다. 다시 결제하지 말고 잠시 후 확인해 주세요.',
    });
  });

  test.each([
    [{ imp_uid: null, error_code: 'F0001', error_msg: '금액이 다릅니다.' }, '금액이 다릅니다.'],
    [{ imp_uid: '' }, '결제창이 열리지 않았습니다. 다시 시도해 주세요.'],
    [{ imp_uid: 'undefined' }, '결제창이 열리지 않았습니다. 다시 시도해 주세요.'],
    [undefined, '결제창이 열리지 않았습니다. 다시 시도해 주세요.'],
    ['closed', '결제창이 열리지 않았습니다. 다시 시도해 주세요.'],
  ])('returns no imp_uid: there is no payment, and no call of the backend: %o', async (rsp, message) => {
    const browser = new TestBrowser(response(200, paid));
    const result = checkoutIn(browser).pay(request);
    browser.callBack(rsp);
    expect(await result).toMatchObject({ status: 'unopened', code: 'declined', merchant_uid: 'order-1', message });
    expect(browser.calls).toEqual([]);
    expect(inMemory(browser)).toBeUndefined();
  });

  test('does not open without iamport.js', async () => {
    const browser = new TestBrowser();
    browser.sdk = undefined;
    expect(await checkoutIn(browser).pay(request)).toMatchObject({ status: 'unopened', code: 'iamport_missing' });
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('IMP.init first');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('IMP.init first');
      },
    ],
  ])('that %s is a result too', async (_case, request_pay) => {
    const browser = new TestBrowser();
    browser.sdk = { request_pay };
    expect(await checkoutIn(browser).pay({ ...request, language: 'en' })).toMatchObject({
      status: 'unopened',
      code: 'window_failed',
      message: 'The payment window could not be opened. Please try again.',
      cause: new Error('IMP.init first'),
    });
  });

  test('with an invalid mobileRedirectUrl is a result too', async () => {
    const browser = new TestBrowser();
    const result = await checkoutIn(browser).pay({ ...request, mobileRedirectUrl: 'https://' });
    expect(result).toMatchObject({ status: 'unopened', code: 'window_failed' });
    expect(browser.opened).toEqual([]);
  });
});

test('calls onConfirming after the window, and survives its error', async () => {
  const browser = new TestBrowser(response(200, paid));
  const confirming: unknown[] = [];
  const onConfirming = (ids: unknown) => {
    confirming.push(ids, browser.calls.length);
    throw new Error('the page fails');
  };
  const consoleError = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  onTestFinished(() => consoleError.mockRestore());
  const result = checkoutIn(browser).pay({ ...request, onConfirming });
  expect(browser.opened[0]).not.toHaveProperty('onConfirming');
  browser.callBack({ imp_uid: 'imp_1' });
  expect(await result).toEqual(paid);
  expect(confirming).toEqual([{ imp_uid: 'imp_1', merchant_uid: 'order-1' }, 0]);
  expect(consoleError).toHaveBeenCalledOnce();
});

describe('a second click', () => {
  test('gets the result of the first', async () => {
    const browser = new TestBrowser(response(200, paid));
    const { pay } = checkoutIn(browser);
    const first = pay(request);
    expect(pay(request)).toBe(first);
    browser.callBack({ imp_uid: 'imp_1' });
    expect(pay(request)).toBe(first);
    await first;
    expect(browser.opened).toHaveLength(1);
    expect(browser.calls).toHaveLength(1);
  });

  test('for another order opens no second window', async () => {
    const browser = new TestBrowser();
    const { pay } = checkoutIn(browser);
    void pay(request);
    expect(await pay({ ...request, merchant_uid: 'order-2' })).toMatchObject({
      status: 'unopened',
      code: 'busy',
      merchant_uid: 'order-2',
    });
    expect(browser.opened).toHaveLength(1);
  });

  test('long after the first opens the window again, since a popup may have closed without a callback', async () => {
    const browser = new TestBrowser(response(200, paid));
    const { pay } = checkoutIn(browser);
    void pay(request);
    browser.clock += 10_000;
    const second = pay(request);
    expect(browser.opened).toHaveLength(2);
    browser.callBack({ imp_uid: 'imp_1' }, 1);
    expect(await second).toEqual(paid);
  });

  test.each([
    ['is refused', (browser: TestBrowser) => browser.callBack({ imp_uid: null, error_msg: '창을 닫았습니다.' })],
    ['is left', (browser: TestBrowser) => browser.restorePage()],
  ])('keeps its payment for a reload when the first window %s late', async (_case, end) => {
    const browser = new TestBrowser('lost');
    const { pay } = checkoutIn(browser);
    const first = pay(request);
    browser.clock += 10_000;
    const second = pay({ ...request, patienceMs: 0 });
    browser.callBack({ imp_uid: 'imp_1' }, 1);
    expect(await second).toMatchObject({ status: 'unconfirmed', imp_uid: 'imp_1' });
    end(browser);
    await first;
    expect(inMemory(browser)).toBe('{"imp_uid":"imp_1","merchant_uid":"order-1"}');
  });

  test('after the result is a new try', async () => {
    const browser = new TestBrowser(response(200, { status: 'failed', message: 'Failed.' }), response(200, paid));
    const { pay } = checkoutIn(browser);
    const first = pay(request);
    browser.callBack({ imp_uid: 'imp_0' });
    await first;
    const second = pay(request);
    browser.callBack({ imp_uid: 'imp_1' }, 1);
    expect(await second).toEqual(paid);
  });
});

describe('a missing response', () => {
  const ids = { imp_uid: 'imp_1', merchant_uid: 'order-1' };

  test('is retried with growing pauses', async () => {
    const browser = new TestBrowser('lost', 'lost', response(500, {}), response(429, {}), response(200, paid));
    expect(await checkoutIn(browser).confirm({ ...ids, ...backend })).toEqual(paid);
    expect(browser.waits).toEqual([500, 1000, 2000, 4000]);
    expect(new Set(browser.calls.map(({ form }) => form))).toEqual(new Set(['imp_uid=imp_1&merchant_uid=order-1']));
  });

  test('is retried after retry-after', async () => {
    const browser = new TestBrowser(down, response(200, paid));
    expect(await checkoutIn(browser).confirm({ ...ids, ...backend })).toEqual(paid);
    expect(browser.waits).toEqual([5000]);
  });

  test.each(['', 'Wed, 21 Oct 2026 07:28:00 GMT', '-3'])(
    'is retried after the default pause with a retry-after of "%s"',
    async (value) => {
      const browser = new TestBrowser(response(503, {}, { 'retry-after': value }), response(200, paid));
      await checkoutIn(browser).confirm({ ...ids, ...backend });
      expect(browser.waits).toEqual([500]);
    },
  );

  // A browser sends a preflight for `ko_KR`, which API Gateway refuses, and never sends Korean letters in a header.
  test.each([
    ['ko', 'ko'],
    ['ko_KR', 'ko'],
    ['한국어', 'ko'],
    [undefined, 'ko'],
    ['en', 'en'],
    ['en_US', 'en'],
    ['EN', 'en'],
  ])('is not caused by the language of the window, such as %s [T545]', async (language, sent) => {
    const browser = new TestBrowser(response(200, paid));
    await checkoutIn(browser).confirm({ ...ids, ...backend, ...(language && { language }) });
    expect(browser.calls[0]?.headers['accept-language']).toBe(sent);
  });

  test('ends after a minute as unconfirmed, not as failed', async () => {
    const browser = new TestBrowser(down);
    const begin = browser.clock;
    expect(await checkoutIn(browser).confirm({ ...ids, ...backend, language: 'en-GB' })).toEqual({
      status: 'unconfirmed',
      ...ids,
      code: 'iamport_unavailable',
      message: 'The payment is not confirmed yet. Do not pay again; look again in a moment.',
    });
    expect(browser.clock - begin).toBeLessThanOrEqual(60_000);
    expect(browser.clock - begin).toBeGreaterThan(45_000);
  });

  test('ends after the patienceMs of the shop', async () => {
    const browser = new TestBrowser('lost');
    expect(await checkoutIn(browser).confirm({ ...ids, ...backend, patienceMs: 0 })).toMatchObject({
      status: 'unconfirmed',
    });
    expect(browser.calls).toHaveLength(1);
  });

  test('ends after the first call where patienceMs is no number', async () => {
    const browser = new TestBrowser('lost', response(200, paid));
    expect(await checkoutIn(browser).confirm({ ...ids, ...backend, patienceMs: Number.NaN })).toMatchObject({
      status: 'unconfirmed',
    });
  });

  test('includes a page of a proxy in between', async () => {
    const broken = { ...response(200, undefined), json: () => Promise.reject(new SyntaxError('<')) };
    const browser = new TestBrowser(broken, response(200, ['paid']), response(200, paid));
    expect(await checkoutIn(browser).confirm({ ...ids, ...backend })).toEqual(paid);
  });

  test.each([
    [404, { code: 'order_not_found', message: 'Unknown.' }, { code: 'order_not_found', message: 'Unknown.' }],
    [403, 'Forbidden', { code: '403', message: '결제를 확인할 수 없습니다. 상점에 문의해 주세요.' }],
    // API Gateway, for a wrong completeUrl.
    [404, { message: 'Not Found' }, { code: '404', message: '결제를 확인할 수 없습니다. 상점에 문의해 주세요.' }],
  ])('does not include a %s, which is not retried', async (status, body, expected) => {
    const browser = new TestBrowser(response(status, body));
    expect(await checkoutIn(browser).confirm({ ...ids, ...backend })).toEqual({
      status: 'refused',
      ...ids,
      ...expected,
    });
    expect(browser.calls).toHaveLength(1);
  });
});

describe('a page that loads again', () => {
  test('calls the backend for the payment without a response', async () => {
    const before = new TestBrowser('lost');
    const result = checkoutIn(before).pay({ ...request, patienceMs: 0 });
    before.callBack({ imp_uid: 'imp_1' });
    expect(await result).toMatchObject({ status: 'unconfirmed', imp_uid: 'imp_1' });

    const browser = new TestBrowser(response(200, paid));
    for (const [key, text] of before.stored) browser.stored.set(key, text);
    expect(await checkoutIn(browser).resume(backend)).toEqual(paid);
    expect(browser.calls[0]?.form).toBe('imp_uid=imp_1&merchant_uid=order-1');
    expect(await checkoutIn(browser).resume(backend)).toBeUndefined();
  });

  test('returns once that the buyer left for a window, without a call', async () => {
    const before = new TestBrowser();
    void checkoutIn(before).pay(request);
    const browser = new TestBrowser(response(200, paid));
    for (const [key, text] of before.stored) browser.stored.set(key, text);
    expect(await checkoutIn(browser).resume(backend)).toMatchObject({ status: 'left', merchant_uid: 'order-1' });
    expect(await checkoutIn(browser).resume(backend)).toBeUndefined();
    expect(browser.calls).toEqual([]);
  });

  test('calls the backend for the payment in its address, as on the result target of a phone', async () => {
    const browser = new TestBrowser(response(200, paid));
    browser.stored.set('iamport-checkout', '{"merchant_uid":"order-1"}');
    browser.page = 'https://shop.example/result?merchant_uid=order-1&imp_uid=imp_1&status=unconfirmed';
    expect(await checkoutIn(browser).resume(backend)).toEqual(paid);
    expect(inMemory(browser)).toBeUndefined();
  });

  test.each([
    ['결제를 취소하셨습니다', 'ready', windowEndMessage('closed', 'ko')],
    ['한도초과', 'ready', windowEndMessage('failed', 'ko')],
    ['', 'ready', 'Of the backend.'],
    ['결제를 취소하셨습니다', 'paid', 'Of the backend.'],
  ])('takes the message for the error "%s" in its address, and status %s [T550]', async (text, status, message) => {
    const browser = new TestBrowser(response(200, { status, message: 'Of the backend.' }));
    const query = new URLSearchParams({ merchant_uid: 'order-1', imp_uid: 'imp_1', status, error_msg: text });
    browser.page = `https://shop.example/result?${query}`;
    expect(await checkoutIn(browser).resume(backend)).toEqual({ status, message });
  });

  test('returns undefined without a stored payment', async () => {
    for (const text of ['nonsense', '{}', '[]', 'null', '{"merchant_uid":7}']) {
      const browser = new TestBrowser();
      browser.stored.set('iamport-checkout', text);
      expect(await checkoutIn(browser).resume(backend), text).toBeUndefined();
    }
  });

  test('from the back/forward cache can pay again', async () => {
    const browser = new TestBrowser();
    const { pay } = checkoutIn(browser);
    const result = pay(request);
    browser.restorePage();
    expect(await result).toMatchObject({ status: 'left', merchant_uid: 'order-1' });
    void pay(request);
    expect(browser.opened).toHaveLength(2);
  });

  test('waits in resume for a pending payment', async () => {
    const browser = new TestBrowser(response(200, paid));
    const { pay, resume } = checkoutIn(browser);
    const result = pay(request);
    const resumed = resume(backend);
    browser.callBack({ imp_uid: 'imp_1' });
    expect(await resumed).toEqual(await result);
  });
});

test('a browser without storage can pay', async () => {
  const browser = new TestBrowser(response(200, paid));
  browser.storage = () => {
    throw new Error('SecurityError');
  };
  const { pay, resume } = checkoutIn(browser);
  const result = pay(request);
  browser.callBack({ imp_uid: 'imp_1' });
  expect(await result).toEqual(paid);
  expect(await resume(backend)).toBeUndefined();
});
