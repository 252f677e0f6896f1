/** `POST /payments/confirm` in a deployment that asks the shop: the response, the log line and the metric. */

import { describe, expect, test, vi } from 'vitest';
import type { ConfirmingShop, ConfirmQuestion } from '../../functions/application/confirm.ts';
import { confirmWith } from '../../functions/handlers/confirm.ts';
import type { Amount } from '../../functions/payment/money.ts';
import type { Order } from '../../functions/payment/order.ts';
import type { HandlerDependencies } from '../../functions/runtime/dependencies.ts';
import { handleRequest } from '../../functions/runtime/lambda-handler.ts';
import { eventOf, jsonBody } from '../support/event.ts';

const order: Order = {
  merchantUid: 'order-1',
  amount: 1_999 as Amount,
  currency: 'USD',
  name: '홍길동의 선물',
  revision: 1,
  createdAt: 1,
  updatedAt: 1,
  state: { status: 'ready' },
};
const request = { imp_uid: 'imp_1', merchant_uid: 'order-1', amount: 19.99 };
const portOne = '52.78.100.19';
const other = '203.0.113.9';

/** Sends one request to the handler. @param ask the shop's answer, or its exception */
async function confirmed(
  ask: ConfirmingShop['ask'],
  {
    fields = {},
    found = order as Order | null,
    otherwise = 'approve' as ConfirmingShop['otherwise'],
    from = portOne,
  } = {},
) {
  const asked: ConfirmQuestion[] = [];
  const counted: object[] = [];
  const logged: object[] = [];
  for (const method of ['info', 'error'] as const)
    vi.spyOn(console, method).mockImplementation((line) => logged.push(line));
  const deps = {
    clock: { now: () => 1_795_000_000_000, sleep: () => new Promise(() => undefined) },
    orders: { read: async () => found ?? undefined },
    iamport: {},
    count: (counts: object) => counted.push(counts),
  } as unknown as HandlerDependencies;
  const shop: ConfirmingShop = {
    otherwise,
    ask(question) {
      asked.push(question);
      return ask(question);
    },
  };
  const event = eventOf({ path: '/payments/confirm', ...jsonBody({ ...request, ...fields }), sourceIp: from });
  const { statusCode, body = '' } = await handleRequest(confirmWith(shop), deps, event, 'request-1');
  return { response: [statusCode, JSON.parse(body)], asked, counted, logged };
}

const refuses = (reason?: unknown) => async () => ({ ok: false, reason });
const fails = () => Promise.reject(new Error('No answer'));

describe('the answer of the shop', () => {
  test('approves the payment', async () => {
    const { response, asked, counted, logged } = await confirmed(async () => ({ ok: true }));
    expect(response).toEqual([200, {}]);
    expect(asked).toMatchObject([{ impUid: 'imp_1', merchantUid: 'order-1', amount: 1_999, currency: 'USD' }]);
    expect(counted).toEqual([]);
    expect(logged).toMatchObject([{ outcome: 'confirmed', shop: 'approved', shopMs: 0, status: 200 }]);
  });

  test.each([portOne, other])('refuses it with its reason, to the sender %s', async (from) => {
    const { response, counted, logged } = await confirmed(refuses('품절된 상품이 있습니다.'), { from });
    expect(response).toEqual([409, { reason: '품절된 상품이 있습니다.' }]);
    expect(counted).toEqual([]);
    expect(logged).toMatchObject([{ outcome: 'refused_by_shop', shop: 'refused', status: 409 }]);
    expect(JSON.stringify(logged)).not.toContain('품절');
  });

  test.each([
    ['<script>alert(1)</script>', 'scriptalert(1)/script'],
    ['품절\u0000\r\n\u202e입니다', '품절 입니다'],
    ['가'.repeat(10_000), '가'.repeat(100)],
    [undefined, '쇼핑몰에서 이 주문의 결제를 받을 수 없습니다.'],
    [{ a: 1 }, '쇼핑몰에서 이 주문의 결제를 받을 수 없습니다.'],
    ['<<>>', '쇼핑몰에서 이 주문의 결제를 받을 수 없습니다.'],
  ])('shows the reason as plain text, or a text of our own [T301] (%#)', async (reason, shown) => {
    expect((await confirmed(refuses(reason))).response).toEqual([409, { reason: shown }]);
  });
});

describe('no answer of the shop', () => {
  test.each([fails, async () => undefined, async () => ({ ok: 'yes' })])(
    'approves the payment by default, logs and counts it',
    async (ask) => {
      const { response, counted, logged } = await confirmed(ask);
      expect(response).toEqual([200, {}]);
      expect(counted).toEqual([{ ConfirmsUnanswered: 1 }]);
      expect(logged).toMatchObject([{ outcome: 'confirmed', shop: 'unanswered', causes: [expect.any(String)] }]);
    },
  );

  test('refuses the payment with otherwise: refuse, logs and counts it', async () => {
    const { response, counted, logged } = await confirmed(fails, { otherwise: 'refuse' });
    expect(response).toEqual([
      409,
      { reason: '쇼핑몰의 확인을 받지 못해 결제를 진행하지 않았습니다. 잠시 후 다시 시도해 주세요.' },
    ]);
    expect(counted).toEqual([{ ConfirmsUnanswered: 1 }]);
    expect(logged).toMatchObject([{ outcome: 'shop_unanswered', shop: 'unanswered', causes: ['Error: No answer'] }]);
  });
});

test.each<[string, Parameters<typeof confirmed>[1], string]>([
  ['an unknown order', { found: null }, 'order_not_found'],
  ['a closed order', { found: { ...order, state: { status: 'closed' } } }, 'order_closed'],
  ['an expired order', { found: { ...order, expiresAt: 1_794_999_999 } }, 'order_expired'],
  ['a forged amount', { fields: { amount: 1 } }, 'amount_mismatch'],
])('does not ask the shop about %s [T304]', async (_case, options, outcome) => {
  const { response, asked, logged } = await confirmed(async () => ({ ok: true }), options);
  expect(response[0]).toBe(409);
  expect(asked).toEqual([]);
  expect(logged).toMatchObject([{ outcome }]);
  expect(logged[0]).not.toHaveProperty('shop');
});
