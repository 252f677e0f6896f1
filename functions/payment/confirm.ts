/** May this payment go through? Asked by Iamport just before it is approved. Pure: our own order is all that counts. */

import type { Amount } from './money.ts';
import { isPayable, isSettled, type Order } from './order.ts';
import type { UnixSeconds } from './payment.ts';

/** Ordered by precedence. */
export type ConfirmRefusal = 'order_not_found' | 'already_paid' | 'order_closed' | 'order_expired' | 'amount_mismatch';

/** @returns why the payment must not go through, or undefined when it may */
export function refusalToConfirm(
  order: Order | undefined,
  amount: Amount | undefined,
  now: UnixSeconds,
): ConfirmRefusal | undefined {
  if (!order) return 'order_not_found';
  if (isSettled(order.state)) return 'already_paid';
  if (!isPayable(order.state)) return 'order_closed';
  // An account whose deadline is over does not keep the buyer from paying by card; the order's own deadline does.
  if (order.expiresAt !== undefined && order.expiresAt <= now) return 'order_expired';
  return order.amount === amount ? undefined : 'amount_mismatch';
}
