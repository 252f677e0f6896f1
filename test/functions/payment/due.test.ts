/** The effect of time on an order, and the time of its next check, in Unix seconds. */

import { describe, expect, test } from 'vitest';
import { refusalToConfirm } from '../../../functions/payment/confirm.ts';
import { decideDue } from '../../../functions/payment/due.ts';
import { planOrderCheck } from '../../../functions/payment/next-check.ts';
import type { Order, OrderState } from '../../../functions/payment/order.ts';
import { orderIn, otherUid, states, thisAccount, won } from './cases.ts';

const now = 2_000_000;
const inState = (name: string): OrderState => states[name] ?? expect.unreachable(name);
const order = (state: string, times: Partial<Order> = {}): Order => ({ ...orderIn(inState(state)), ...times });

describe('the check of a due order', () => {
  const over = { nextCheckAt: now, expiresAt: now };

  test.each(['waits for this account', 'paid by this deposit', 'ready'])('%s is not due before its time', (state) => {
    expect(decideDue(order(state, { nextCheckAt: now + 1, expiresAt: now }), now)).toEqual({ kind: 'not_due' });
    expect(decideDue(order(state, { expiresAt: now }), now)).toEqual({ kind: 'not_due' });
  });

  test.each([
    ['ready', { status: 'expired' }],
    ['failed by another earlier', { status: 'expired', failure: { impUid: otherUid, failedAt: 1_000_400 } }],
    [
      'failed by another, knows this account',
      { status: 'expired', failure: { impUid: otherUid, failedAt: 1_000_400 }, account: thisAccount },
    ],
    ['waits for this account', { status: 'expired', account: thisAccount }],
  ])('%s expires at its time, and keeps its failure and account', (state, next) => {
    expect(decideDue(order(state, over), now)).toStrictEqual({ kind: 'change', next });
    expect(decideDue(order(state, { nextCheckAt: now - 1, expiresAt: now - 1 }), now)).toStrictEqual({
      kind: 'change',
      next,
    });
  });

  test('expires at the deadline of its account when the order has none', () => {
    expect(decideDue(order('waits for this account', { nextCheckAt: now }), now).kind).toBe('change');
  });

  test.each(['ready', 'failed by this'])('%s does not expire when it is due only for its amount', (state) => {
    expect(decideDue(order(state, { nextCheckAt: now, expiresAt: now + 1 }), now)).toEqual({ kind: 'not_due' });
    expect(decideDue(order(state, { nextCheckAt: now }), now)).toEqual({ kind: 'not_due' });
  });

  test('records the check of a deposit, and is never due when paid by card', () => {
    expect(decideDue(order('paid by this deposit', over), now)).toEqual({ kind: 'seen' });
    expect(decideDue(order('paid by this card', over), now)).toEqual({ kind: 'not_due' });
  });

  test.each(['expired', 'cancelled, this', 'deposit reversed, this', 'closed'])('%s is never due', (state) => {
    expect(decideDue(order(state, over), now)).toEqual({ kind: 'not_due' });
  });
});

describe('the next check', () => {
  test.each<[string, Partial<Order>, number | undefined]>([
    ['waits for this account', { expiresAt: 3_000_000 }, 2_000_000],
    ['ready', {}, undefined],
    ['ready', { expiresAt: 3_000_000 }, 3_000_000],
    ['ready', { isUnprepared: true }, 2_000_060],
    ['ready', { isUnprepared: true, expiresAt: 3_000_000 }, 2_000_060],
    ['ready', { isUnprepared: true, expiresAt: 2_000_010 }, 2_000_010],
    ['failed by this', { expiresAt: 2_000_001 }, 2_000_001],
    ['failed by this', { expiresAt: 2_000_000 }, undefined],
    ['failed by this', {}, undefined],
    ['paid by this deposit', { expiresAt: 3_000_000 }, 2_000_600],
    ['paid by this deposit', { updatedAt: now - 599 }, 2_000_001],
    ['paid by this deposit', { updatedAt: now - 600 }, 2_003_000],
    ['paid by this deposit', { updatedAt: now - 3_600 }, 2_018_000],
    ['paid by this deposit', { updatedAt: now - 21_600 }, 2_064_800],
    ['paid by this deposit', { updatedAt: now - 86_400 }, 2_172_800],
    ['paid by this deposit', { updatedAt: now - 259_199 }, 2_000_001],
    ['paid by this deposit', { updatedAt: now - 259_200 }, undefined],
    ['waits for this account', { expiresAt: 1_999_999 }, 1_999_999],
    ['deposit reversed, this', { expiresAt: 3_000_000 }, undefined],
    ['paid by this card', { expiresAt: 3_000_000 }, undefined],
    ['expired', { expiresAt: 3_000_000 }, undefined],
    ['cancelled, this', { expiresAt: 3_000_000 }, undefined],
    ['closed', { expiresAt: 3_000_000 }, undefined],
  ])('%s %j: %s', (state, terms, at) => {
    expect(planOrderCheck({ state: inState(state), updatedAt: now, ...terms }, now)).toBe(at);
  });

  test('plans the check of an account without a deadline at the expiry of its order', () => {
    const { depositDeadline: _none, ...account } = thisAccount;
    const state: OrderState = { status: 'virtual_account_issued', account };
    expect(planOrderCheck({ state, updatedAt: now, expiresAt: 3_000_000 }, now)).toBe(3_000_000);
  });
});

describe('a payment that Iamport is about to approve', () => {
  test.each<[string, Partial<Order>, number, string | undefined]>([
    ['ready', {}, 14_000, undefined],
    ['ready', { expiresAt: now + 1 }, 14_000, undefined],
    ['expired', {}, 14_000, undefined],
    ['ready', { expiresAt: now }, 14_000, 'order_expired'],
    ['ready', {}, 13_999, 'amount_mismatch'],
    ['ready', { expiresAt: now }, 13_999, 'order_expired'],
    ['closed', { expiresAt: now }, 14_000, 'order_closed'],
    ['paid by another', { expiresAt: now }, 14_000, 'already_paid'],
    ['cancelled, another', {}, 14_000, 'already_paid'],
  ])('%s %j, for %s won: %s', (state, terms, amount, refusal) => {
    expect(refusalToConfirm(order(state, terms), won(amount), now)).toBe(refusal);
  });

  test('refuses a payment without an order or a readable amount', () => {
    expect(refusalToConfirm(undefined, won(14_000), now)).toBe('order_not_found');
    expect(refusalToConfirm(order('ready'), undefined, now)).toBe('amount_mismatch');
  });
});
