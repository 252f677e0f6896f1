/** The next version of an order: each function returns what is written. Pure. */

import { planOrderCheck } from './next-check.ts';
import type { Order, OrderState, OrderTerms } from './order.ts';
import type { UnixSeconds } from './payment.ts';

/** A new order. */
export const registered = (terms: OrderTerms, now: UnixSeconds): Order =>
  planned({ ...terms, revision: 1, createdAt: now, updatedAt: now, state: { status: 'ready' } }, now);

/** The order in its next state, with its next check. */
export function changed({ nextCheckAt: _former, ...order }: Order, state: OrderState, now: UnixSeconds): Order {
  // Revision 0: the shop wrote the item, and this is our first write.
  const createdAt = order.revision === 0 ? now : order.createdAt;
  return planned({ ...order, state, revision: order.revision + 1, createdAt, updatedAt: now }, now);
}

function planned(order: Omit<Order, 'nextCheckAt'>, now: UnixSeconds): Order {
  const nextCheckAt = planOrderCheck(order, now);
  return { ...order, ...(nextCheckAt !== undefined && { nextCheckAt }) };
}

/** When to check an order next, and whether its amount is registered at Iamport. */
export type Schedule = Pick<Order, 'isUnprepared' | 'nextCheckAt' | 'preparedAmount'>;

/**
 * The order with another schedule. An absent field of the schedule is removed, except `preparedAmount`. The state does
 * not change, so the revision stays.
 */
export function scheduled(
  { isUnprepared: _isUnprepared, nextCheckAt: _nextCheckAt, ...order }: Order,
  schedule: Schedule,
): Order {
  return { ...order, ...schedule };
}

/** The order before one of its payments is cancelled. */
export const cancelAnnounced = (order: Order): Order => ({ ...order, cancels: (order.cancels ?? 0) + 1 });
