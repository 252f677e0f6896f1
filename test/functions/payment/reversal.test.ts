/** How much of what waits for a person is still there. */

import { expect, test } from 'vitest';
import type { Payment, PaymentState } from '../../../functions/payment/payment.ts';
import { leftOf, type Reversal, type ReversalReason } from '../../../functions/payment/reversal.ts';
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
