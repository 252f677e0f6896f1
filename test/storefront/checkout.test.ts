/** The checkout of a shop's page: what it opens, asks, remembers and answers, whatever the window and the network do. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { OutcomeStatus as BackendStatus } from '../../functions/payment/outcome.ts';
import { bundleCheckout } from '../../storefront/build.ts';
import { checkoutIn } from '../../storefront/checkout/checkout.ts';
import type { OutcomeStatus, PayResult, Unopened } from '../../storefront/checkout/types.ts';
import { answer, paid, request, TestWorld } from './browser-environment.ts';

const backend = { completeUrl: request.completeUrl };
const down = answer(503, { code: 'iamport_unavailable', message: 'Soon.' }, { 'retry-after': '5' });
const inMemory = (world: TestWorld) => world.kept.get('iamport-checkout');

// Neither side may know a status that the other does not: this line does not compile then.
const sameStatuses: [OutcomeStatus, BackendStatus] extends [BackendStatus, OutcomeStatus] ? true : false = true;

test('its statuses are those of the backend', () => {
  expect(sameStatuses).toBe(true);
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
  test('gets the parameters of Iamport, and none of ours', async () => {
    const world = new TestWorld(answer(200, paid));
    void checkoutIn(world).pay({ ...request, language: 'en', patienceMs: 1000, card_quota: [2, 3] });
    const { completeUrl: _complete, mobileRedirectUrl: m_redirect_url, ...param } = request;
    expect(world.opened).toEqual([{ ...param, m_redirect_url, language: 'en', card_quota: [2, 3] }]);
  });

  test('gets a whole address to bring a phone back to', () => {
    const world = new TestWorld();
    void checkoutIn(world).pay({ ...request, mobileRedirectUrl: '/payments/complete/mobile' });
    expect(world.opened[0]?.m_redirect_url).toBe('https://shop.example/payments/complete/mobile');
  });

  test('calls back, and the backend is asked with both ids, as a form', async () => {
    const world = new TestWorld(answer(200, paid));
    const result = checkoutIn(world).pay({ ...request, language: 'en' });
    world.callBack({ success: true, imp_uid: 'imp_1', merchant_uid: 'order-1', paid_amount: 14_000 });
    expect(await result).toEqual(paid);
    expect(world.asked).toEqual([
      {
        url: 'https://api.example/payments/complete',
        form: 'imp_uid=imp_1&merchant_uid=order-1',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'accept-language': 'en' },
      },
    ]);
    expect(inMemory(world)).toBeUndefined();
  });

  test.each([
    ['success is missing', { imp_uid: 'imp_1' }],
    ['success is false', { success: false, imp_uid: 'imp_1' }],
    ['success is a string', { success: 'false', imp_uid: 'imp_1' }],
  ])('the backend is asked when %s', async (_case, rsp) => {
    const world = new TestWorld(answer(200, paid));
    const result = checkoutIn(world).pay(request);
    world.callBack(rsp);
    expect(await result).toEqual(paid);
  });

  test('its error code is handed on beside the outcome, and decides nothing', async () => {
    const world = new TestWorld(answer(200, { status: 'failed', reason: '한도초과', message: 'Failed.' }));
    const result = checkoutIn(world).pay(request);
    world.callBack({ imp_uid: 'imp_1', error_code: 'F400', error_msg: '한도초과' });
    expect(await result).toEqual({
      status: 'failed',
      reason: '한도초과',
      message: 'Failed.',
      window: { error_code: 'F400', error_msg: '한도초과' },
    });
  });

  test.each([
    [{ imp_uid: null, error_code: 'F0001', error_msg: '금액이 다릅니다.' }, '금액이 다릅니다.'],
    [{ imp_uid: '' }, '결제창이 열리지 않았습니다. 다시 시도해 주세요.'],
    [{ imp_uid: 'undefined' }, '결제창이 열리지 않았습니다. 다시 시도해 주세요.'],
    [undefined, '결제창이 열리지 않았습니다. 다시 시도해 주세요.'],
    ['closed', '결제창이 열리지 않았습니다. 다시 시도해 주세요.'],
  ])('without an imp_uid there is no payment, and nobody is asked: %o', async (rsp, message) => {
    const world = new TestWorld(answer(200, paid));
    const result = checkoutIn(world).pay(request);
    world.callBack(rsp);
    expect(await result).toMatchObject({ status: 'unopened', code: 'declined', merchant_uid: 'order-1', message });
    expect(world.asked).toEqual([]);
    expect(inMemory(world)).toBeUndefined();
  });

  test('without iamport.js says so', async () => {
    const world = new TestWorld();
    world.sdk = undefined;
    expect(await checkoutIn(world).pay(request)).toMatchObject({ status: 'unopened', code: 'iamport_missing' });
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
  ])('that %s is a result too', async (_how, request_pay) => {
    const world = new TestWorld();
    world.sdk = { request_pay };
    expect(await checkoutIn(world).pay({ ...request, language: 'en' })).toMatchObject({
      status: 'unopened',
      code: 'window_failed',
      message: 'The payment window could not be opened. Please try again.',
      cause: new Error('IMP.init first'),
    });
  });

  test('an address to come back to that is none is a result too', async () => {
    const world = new TestWorld();
    const result = await checkoutIn(world).pay({ ...request, mobileRedirectUrl: 'https://' });
    expect(result).toMatchObject({ status: 'unopened', code: 'window_failed' });
    expect(world.opened).toEqual([]);
  });
});

test('the page is told when the window is over, and may fail at that', async () => {
  const world = new TestWorld(answer(200, paid));
  const told: unknown[] = [];
  const onConfirming = (ids: unknown) => {
    told.push(ids, world.asked.length);
    throw new Error('the page fails');
  };
  const complaint = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  onTestFinished(() => complaint.mockRestore());
  const result = checkoutIn(world).pay({ ...request, onConfirming });
  expect(world.opened[0]).not.toHaveProperty('onConfirming');
  world.callBack({ imp_uid: 'imp_1' });
  expect(await result).toEqual(paid);
  expect(told).toEqual([{ imp_uid: 'imp_1', merchant_uid: 'order-1' }, 0]);
  expect(complaint).toHaveBeenCalledOnce();
});

describe('a second click', () => {
  test('gets the result of the first', async () => {
    const world = new TestWorld(answer(200, paid));
    const { pay } = checkoutIn(world);
    const first = pay(request);
    expect(pay(request)).toBe(first);
    world.callBack({ imp_uid: 'imp_1' });
    expect(pay(request)).toBe(first);
    await first;
    expect(world.opened).toHaveLength(1);
    expect(world.asked).toHaveLength(1);
  });

  test('for another order opens no second window', async () => {
    const world = new TestWorld();
    const { pay } = checkoutIn(world);
    void pay(request);
    expect(await pay({ ...request, merchant_uid: 'order-2' })).toMatchObject({
      status: 'unopened',
      code: 'busy',
      merchant_uid: 'order-2',
    });
    expect(world.opened).toHaveLength(1);
  });

  test('long after the first opens the window again, since a popup may have vanished without a word', async () => {
    const world = new TestWorld(answer(200, paid));
    const { pay } = checkoutIn(world);
    void pay(request);
    world.clock += 10_000;
    const second = pay(request);
    expect(world.opened).toHaveLength(2);
    world.callBack({ imp_uid: 'imp_1' }, 1);
    expect(await second).toEqual(paid);
  });

  test('after the result is a new try', async () => {
    const world = new TestWorld(answer(200, { status: 'failed', message: 'Failed.' }), answer(200, paid));
    const { pay } = checkoutIn(world);
    const first = pay(request);
    world.callBack({ imp_uid: 'imp_0' });
    await first;
    const second = pay(request);
    world.callBack({ imp_uid: 'imp_1' }, 1);
    expect(await second).toEqual(paid);
  });
});

describe('an answer that does not come', () => {
  const ids = { imp_uid: 'imp_1', merchant_uid: 'order-1' };

  test('is asked for again, less and less often, until it comes', async () => {
    const world = new TestWorld('lost', 'lost', answer(500, {}), answer(429, {}), answer(200, paid));
    expect(await checkoutIn(world).confirm({ ...ids, ...backend })).toEqual(paid);
    expect(world.waits).toEqual([500, 1000, 2000, 4000]);
    expect(new Set(world.asked.map(({ form }) => form))).toEqual(new Set(['imp_uid=imp_1&merchant_uid=order-1']));
  });

  test('is waited for as long as retry-after says', async () => {
    const world = new TestWorld(down, answer(200, paid));
    expect(await checkoutIn(world).confirm({ ...ids, ...backend })).toEqual(paid);
    expect(world.waits).toEqual([5000]);
  });

  test.each(['', 'Wed, 21 Oct 2026 07:28:00 GMT', '-3'])('a retry-after of "%s" changes nothing', async (value) => {
    const world = new TestWorld(answer(503, {}, { 'retry-after': value }), answer(200, paid));
    await checkoutIn(world).confirm({ ...ids, ...backend });
    expect(world.waits).toEqual([500]);
  });

  test('ends after a minute as unconfirmed, and never as failed', async () => {
    const world = new TestWorld(down);
    const begin = world.clock;
    expect(await checkoutIn(world).confirm({ ...ids, ...backend, language: 'en-GB' })).toEqual({
      status: 'unconfirmed',
      ...ids,
      code: 'iamport_unavailable',
      message: 'The payment is not confirmed yet. Do not pay again; look again in a moment.',
    });
    expect(world.clock - begin).toBeLessThanOrEqual(60_000);
    expect(world.clock - begin).toBeGreaterThan(45_000);
  });

  test('ends when the shop wants it to', async () => {
    const world = new TestWorld('lost');
    expect(await checkoutIn(world).confirm({ ...ids, ...backend, patienceMs: 0 })).toMatchObject({
      status: 'unconfirmed',
    });
    expect(world.asked).toHaveLength(1);
  });

  test('a page of somebody in between is no answer', async () => {
    const broken = { ...answer(200, undefined), json: () => Promise.reject(new SyntaxError('<')) };
    const world = new TestWorld(broken, answer(200, ['paid']), answer(200, paid));
    expect(await checkoutIn(world).confirm({ ...ids, ...backend })).toEqual(paid);
  });

  test.each([
    [404, { code: 'order_not_found', message: 'Unknown.' }, { code: 'order_not_found', message: 'Unknown.' }],
    [403, 'Forbidden', { code: '403', message: '결제를 확인할 수 없습니다. 상점에 문의해 주세요.' }],
  ])('a %s is not asked again', async (status, body, told) => {
    const world = new TestWorld(answer(status, body));
    expect(await checkoutIn(world).confirm({ ...ids, ...backend })).toEqual({ status: 'refused', ...ids, ...told });
    expect(world.asked).toHaveLength(1);
  });
});

describe('a page that loads again', () => {
  test('asks about the payment whose answer it did not get', async () => {
    const before = new TestWorld('lost');
    const result = checkoutIn(before).pay({ ...request, patienceMs: 0 });
    before.callBack({ imp_uid: 'imp_1' });
    expect(await result).toMatchObject({ status: 'unconfirmed', imp_uid: 'imp_1' });

    const world = new TestWorld(answer(200, paid));
    for (const [key, text] of before.kept) world.kept.set(key, text);
    expect(await checkoutIn(world).resume(backend)).toEqual(paid);
    expect(world.asked[0]?.form).toBe('imp_uid=imp_1&merchant_uid=order-1');
    expect(await checkoutIn(world).resume(backend)).toBeUndefined();
  });

  test('says once that the buyer left for a window, and asks nobody', async () => {
    const before = new TestWorld();
    void checkoutIn(before).pay(request);
    const world = new TestWorld(answer(200, paid));
    for (const [key, text] of before.kept) world.kept.set(key, text);
    expect(await checkoutIn(world).resume(backend)).toMatchObject({ status: 'left', merchant_uid: 'order-1' });
    expect(await checkoutIn(world).resume(backend)).toBeUndefined();
    expect(world.asked).toEqual([]);
  });

  test('asks about the payment that its address names, as on the result target of a phone', async () => {
    const world = new TestWorld(answer(200, paid));
    world.kept.set('iamport-checkout', '{"merchant_uid":"order-1"}');
    world.page = 'https://shop.example/result?merchant_uid=order-1&imp_uid=imp_1&status=unconfirmed';
    expect(await checkoutIn(world).resume(backend)).toEqual(paid);
    expect(inMemory(world)).toBeUndefined();
  });

  test('has nothing to say where nothing was begun', async () => {
    for (const text of ['nonsense', '{}', '[]', 'null', '{"merchant_uid":7}']) {
      const world = new TestWorld();
      world.kept.set('iamport-checkout', text);
      expect(await checkoutIn(world).resume(backend), text).toBeUndefined();
    }
  });

  test('shown as it was left, it has its button back', async () => {
    const world = new TestWorld();
    const { pay } = checkoutIn(world);
    const result = pay(request);
    world.comeBack();
    expect(await result).toMatchObject({ status: 'left', merchant_uid: 'order-1' });
    void pay(request);
    expect(world.opened).toHaveLength(2);
  });

  test('while a payment is under way, resume waits for that one', async () => {
    const world = new TestWorld(answer(200, paid));
    const { pay, resume } = checkoutIn(world);
    const result = pay(request);
    const resumed = resume(backend);
    world.callBack({ imp_uid: 'imp_1' });
    expect(await resumed).toEqual(await result);
  });
});

test('a browser that keeps nothing pays as well', async () => {
  const world = new TestWorld(answer(200, paid));
  world.storage = () => {
    throw new Error('SecurityError');
  };
  const { pay, resume } = checkoutIn(world);
  const result = pay(request);
  world.callBack({ imp_uid: 'imp_1' });
  expect(await result).toEqual(paid);
  expect(await resume(backend)).toBeUndefined();
});
