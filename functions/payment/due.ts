/** What the passing of time means for an order that was looked at and has not changed. Pure: the time comes in. */

import { accountOf, failureOf, type Order, type OrderState } from './order.ts';
import { isDeposit, type UnixSeconds } from './payment.ts';

export type DueDecision =
  /** The time for the payment is over. Only ever decided after Iamport was asked. */
  | { readonly kind: 'change'; readonly next: OrderState }
  /** The money of a paid deposit is still there. */
  | { readonly kind: 'seen' }
  | { readonly kind: 'not_due' };

export function decideDue(order: Order, now: UnixSeconds): DueDecision {
  const { state, expiresAt, dueAt } = order;
  if (dueAt === undefined || dueAt > now) return { kind: 'not_due' };
  switch (state.status) {
    case 'virtual_account_issued':
      return { kind: 'change', next: { ...state, status: 'expired' } };
    case 'ready':
    case 'failed': {
      // What was due was only the amount's registration at Iamport, which is no matter of the order's own time.
      if (expiresAt === undefined || expiresAt > now) return { kind: 'not_due' };
      const [account, failure] = [accountOf(state), failureOf(state)];
      return { kind: 'change', next: { status: 'expired', ...(account && { account }), ...(failure && { failure }) } };
    }
    case 'paid':
      return isDeposit(state.record) ? { kind: 'seen' } : { kind: 'not_due' };
    case 'expired':
    case 'partial_cancelled':
    case 'cancelled':
    case 'deposit_reversed':
    case 'closed':
      return { kind: 'not_due' };
  }
}
