/** What is told of a payment by itself. */

import { expect, test } from 'vitest';
import { isGone, type PaymentState } from '../../../functions/payment/payment.ts';
import { allPayments } from './cases.ts';

test('nothing of it is left at Iamport unless it keeps money, or waits for a deposit', () => {
  const left = new Map<PaymentState['kind'], boolean>();
  for (const [, payment] of allPayments()) left.set(payment.state.kind, !isGone(payment));
  expect(Object.fromEntries(left)).toEqual({
    kept: true,
    awaiting_deposit: true,
    returned: false,
    failed: false,
    ready: false,
  });
});
