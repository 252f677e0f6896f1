/** Predicates on a payment. */

import { expect, test } from 'vitest';
import { isGone, type PaymentState } from '../../../functions/payment/payment.ts';
import { allPayments } from './cases.ts';

test('isGone is false only for a payment that keeps money or awaits a deposit', () => {
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
