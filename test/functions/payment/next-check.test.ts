/** When an order is checked next, and since when it has waited for that. */

import { describe, expect, test } from 'vitest';
import { dueSince, planOrderCheck } from '../../../functions/payment/next-check.ts';
import type { Order } from '../../../functions/payment/order.ts';
import { orderIn, states } from './cases.ts';

const inState = (name: string, fields: Partial<Order> = {}): Order => ({
  ...orderIn(states[name] ?? expect.unreachable(name)),
  ...fields,
});
/** The account of `states` can be paid into until then. */
const deadline = 2_000_000;

describe('the next check', () => {
  test.each(['expired', 'cancelled, this', 'deposit reversed, this', 'closed'])('%s: none', (name) => {
    expect(planOrderCheck(inState(name, { expiresAt: deadline }), 1_000_000)).toBeUndefined();
  });

  test.each(['paid by this deposit', 'partly cancelled, this deposit'])('%s: ten minutes later', (name) => {
    expect(planOrderCheck(inState(name), 1_000_000)).toBe(1_000_600);
  });

  test.each(['paid by this card', 'partly cancelled, this'])('%s: none', (name) => {
    expect(planOrderCheck(inState(name), 1_000_000)).toBeUndefined();
  });

  test('a failed order is checked when it expires, once', () => {
    const failed = inState('failed by this', { expiresAt: 1_000_700 });
    expect(planOrderCheck(failed, 1_000_699)).toBe(1_000_700);
    expect(planOrderCheck(failed, 1_000_700)).toBeUndefined();
    expect(planOrderCheck(inState('failed by this'), 1_000_000)).toBeUndefined();
  });
});

test.each<[string, Partial<Order>, number]>([
  ['waits for this account', {}, deadline],
  ['waits for this account', { expiresAt: deadline - 1 }, deadline - 1],
  ['waits for this account', { expiresAt: deadline + 1 }, deadline],
  ['paid by this card', { expiresAt: deadline }, 1_000_000],
  ['partly cancelled, this', { expiresAt: deadline }, 1_000_000],
  ['ready', { expiresAt: deadline }, deadline],
  ['ready', {}, 1_000_000],
  ['failed by this', { expiresAt: deadline }, deadline],
])('an order that is %s, with %o, waits since %i', (name, fields, since) => {
  expect(dueSince(inState(name, fields))).toBe(since);
});

test('an order with an account without a deadline waits since its last write', () => {
  const { status, account } = { status: 'virtual_account_issued', account: { impUid: 'imp_500' } } as const;
  const order = orderIn({ status, account: { ...account, bank: '신한은행', number: '110', issuedAt: 1_000_500 } });
  expect(dueSince(order)).toBe(1_000_000);
});
