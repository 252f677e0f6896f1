/** Decides whether Iamport may approve a payment, just before the approval. Pure: only our own order counts. */

import type { Amount } from './money.ts';
import { isPayable, isSettled, type Order } from './order.ts';
import type { UnixSeconds } from './payment.ts';

/** Ordered by precedence. */
export type ConfirmRefusal = 'order_not_found' | 'already_paid' | 'order_closed' | 'order_expired' | 'amount_mismatch';

/** @returns why Iamport must not approve the payment; undefined when it may */
export function refusalToConfirm(
  order: Order | undefined,
  amount: Amount | undefined,
  now: UnixSeconds,
): ConfirmRefusal | undefined {
  if (!order) return 'order_not_found';
  if (isSettled(order.state)) return 'already_paid';
  if (!isPayable(order.state)) return 'order_closed';
  // A passed deadline of an account does not stop a card payment. The order's own deadline does.
  if (order.expiresAt !== undefined && order.expiresAt <= now) return 'order_expired';
  return order.amount === amount ? undefined : 'amount_mismatch';
}
