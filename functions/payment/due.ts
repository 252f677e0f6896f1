/** Decides what the time changes in an order, when a check of its payments changed nothing. Pure. */

import { accountOf, failureOf, type Order, type OrderState } from './order.ts';
import { isDeposit, type UnixSeconds } from './payment.ts';

/** Later than every due time: a query until then lists items that are not due yet. Unix seconds. */
export const farFuture: UnixSeconds = 99_999_999_999;

export type DueDecision =
  /** The order expires. Only decided after its payments were read from Iamport. */
  | { readonly kind: 'change'; readonly next: OrderState }
  /** The deposit that paid the order was not taken back. */
  | { readonly kind: 'seen' }
  | { readonly kind: 'not_due' };

export function decideDue(order: Order, now: UnixSeconds): DueDecision {
  const { state, expiresAt, nextCheckAt } = order;
  if (nextCheckAt === undefined || nextCheckAt > now) return { kind: 'not_due' };
  switch (state.status) {
    case 'virtual_account_issued':
      return { kind: 'change', next: { ...state, status: 'expired' } };
    case 'ready':
    case 'failed': {
      // Only the registration of the amount at Iamport was due; the order itself has not expired.
      if (expiresAt === undefined || expiresAt > now) return { kind: 'not_due' };
      const [account, failure] = [accountOf(state), failureOf(state)];
      return { kind: 'change', next: { status: 'expired', ...(account && { account }), ...(failure && { failure }) } };
    }
    case 'paid':
    case 'partial_cancelled':
      return isDeposit(state.record) ? { kind: 'seen' } : { kind: 'not_due' };
    case 'expired':
    case 'cancelled':
    case 'deposit_reversed':
    case 'closed':
      return { kind: 'not_due' };
  }
}
