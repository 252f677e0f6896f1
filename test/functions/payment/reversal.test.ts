/** What is known of a payment that must be undone: how much of it is still there, and what is news about it. */

import { expect, test } from 'vitest';
import type { Payment, PaymentState } from '../../../functions/payment/payment.ts';
import { isNews, leftOf, type Reversal, type ReversalReason } from '../../../functions/payment/reversal.ts';
import { thisUid, won } from './cases.ts';

const reversal = (reason: ReversalReason): Reversal => ({
  impUid: thisUid,
  merchantUid: 'order-1',
  kind: 'manual',
  reason,
  amount: won(14_000),
  currency: 'KRW',
  state: 'manual',
  revision: 1,
  attempts: 0,
  createdAt: 1_000_000,
  updatedAt: 1_000_000,
});

const payment = (state: PaymentState): Payment => ({
  impUid: thisUid,
  merchantUid: 'order-1',
  amount: won(20_000),
  currency: 'KRW',
  sandbox: false,
  record: { payMethod: 'vbank' },
  state,
});

const kept = (amount: number): PaymentState => ({ kind: 'kept', kept: won(amount) });

test.each<[string, ReversalReason, PaymentState, number]>([
  ['all of it, when nothing has come back', 'duplicate_payment', kept(14_000), 14_000],
  ['less, when a part has come back', 'duplicate_payment', kept(10_000), 10_000],
  ['no more than was recorded', 'duplicate_payment', kept(20_000), 14_000],
  ['as recorded, of a deposit of another sum', 'deposit_mismatch', kept(10_000), 14_000],
  ['as recorded, of a deposit on top', 'deposit_excess', kept(10_000), 14_000],
  ['as recorded, when the payment keeps nothing', 'duplicate_payment', { kind: 'returned' }, 14_000],
])('%s', (_name, reason, state, left) => {
  expect(leftOf(reversal(reason), payment(state))).toBe(left);
});

const known = reversal('deposit_mismatch');
const done = { ...known, state: 'done' } as const;
const cancel = { ...known, kind: 'cancel', state: 'requested' } as const;
const revoke = { ...cancel, kind: 'revoke', amount: won(0) } as const;
const orphan = { ...known, kind: 'orphan', reason: 'order_not_found' } as const;

test.each<[string, Partial<Reversal>, Reversal, boolean]>([
  ['the same again', {}, known, false],
  ['the same again, when it is over', {}, done, false],
  ['less', { amount: won(10_000) }, known, false],
  ['more', { amount: won(14_001) }, known, true],
  ['more, when it is over', { amount: won(14_001) }, done, true],
  ['less, for another reason', { amount: won(3_000), reason: 'deposit_excess' }, known, true],
  ['less, for another reason, when the other is over', { amount: won(3_000), reason: 'deposit_excess' }, done, true],
  ['a person is to do what we were to', {}, cancel, true],
  ['we are to do what a person was to', { kind: 'cancel' }, known, false],
  ['we are to do it still', { kind: 'cancel' }, cancel, false],
  ['an account without a deposit has one', { kind: 'cancel' }, revoke, true],
  ['an account is to be revoked still', { kind: 'revoke', amount: won(0) }, revoke, false],
  ['an orphan has an order', { kind: 'cancel' }, orphan, true],
  ['an orphan is one still', { kind: 'orphan', reason: 'order_not_found' }, orphan, false],
])('is news, or not: %s', (_name, decided, before, is) => {
  expect(isNews({ ...known, ...decided }, before)).toBe(is);
});
