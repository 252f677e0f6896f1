/** What the passing of time means for an order, and when it is looked at. The times are Unix seconds. */

import { describe, expect, test } from 'vitest';
import { refusalToConfirm } from '../../../functions/payment/confirm.ts';
import { decideDue } from '../../../functions/payment/due.ts';
import { nextLookAt } from '../../../functions/payment/next-check.ts';
import type { Order, OrderState } from '../../../functions/payment/order.ts';
import { orderIn, otherUid, states, thisAccount, won } from './cases.ts';

const now = 2_000_000;
const inState = (name: string): OrderState => states[name] ?? expect.unreachable(name);
const order = (state: string, times: Partial<Order> = {}): Order => ({ ...orderIn(inState(state)), ...times });

describe('when an order is looked at', () => {
  const over = { dueAt: now, expiresAt: now };

  test.each(['waits for this account', 'paid by this deposit', 'ready'])('%s: not before its time', (state) => {
    expect(decideDue(order(state, { dueAt: now + 1, expiresAt: now }), now)).toEqual({ kind: 'not_due' });
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
  ])('%s, and its time is over: it expires, and remembers what it went through', (state, next) => {
    expect(decideDue(order(state, over), now)).toStrictEqual({ kind: 'change', next });
    expect(decideDue(order(state, { dueAt: now - 1, expiresAt: now - 1 }), now)).toStrictEqual({
      kind: 'change',
      next,
    });
  });

  test('an account’s deadline is over though the order itself has none', () => {
    expect(decideDue(order('waits for this account', { dueAt: now }), now).kind).toBe('change');
  });

  test.each(['ready', 'failed by this'])('%s, due for its amount only: the order itself is not over', (state) => {
    expect(decideDue(order(state, { dueAt: now, expiresAt: now + 1 }), now)).toEqual({ kind: 'not_due' });
    expect(decideDue(order(state, { dueAt: now }), now)).toEqual({ kind: 'not_due' });
  });

  test('a deposit that still stands is seen; a card is never due', () => {
    expect(decideDue(order('paid by this deposit', over), now)).toEqual({ kind: 'seen' });
    expect(decideDue(order('paid by this card', over), now)).toEqual({ kind: 'not_due' });
  });

  test.each(['expired', 'cancelled, this', 'deposit reversed, this', 'closed'])('%s is past all times', (state) => {
    expect(decideDue(order(state, over), now)).toEqual({ kind: 'not_due' });
  });
});

describe('the next look', () => {
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
    expect(nextLookAt({ state: inState(state), updatedAt: now, ...terms }, now)).toBe(at);
  });

  test('an account without a deadline is looked at when the order expires', () => {
    const { dueAt: _none, ...account } = thisAccount;
    const state: OrderState = { status: 'virtual_account_issued', account };
    expect(nextLookAt({ state, updatedAt: now, expiresAt: 3_000_000 }, now)).toBe(3_000_000);
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

  test('of no order, or of no readable amount, does not go through', () => {
    expect(refusalToConfirm(undefined, won(14_000), now)).toBe('order_not_found');
    expect(refusalToConfirm(order('ready'), undefined, now)).toBe('amount_mismatch');
  });
});
