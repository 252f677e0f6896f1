/** When an order has to be looked at again though nobody calls. Pure. */

import type { Order } from './order.ts';
import { isDeposit, type UnixSeconds } from './payment.ts';

/** A bank may take a deposit back, usually within minutes: a fresh one is looked at a second time. Seconds. */
const secondLookAfter = 600;
/** How soon an amount that Iamport could not be told of is told again. Seconds. */
const prepareAgainAfter = 60;

/**
 * When the reconciler looks at the order next, if nothing happens before.
 * @param now when the order takes this state
 */
export function nextLookAt(
  { state, expiresAt, isUnprepared }: Pick<Order, 'state' | 'expiresAt' | 'isUnprepared'>,
  now: UnixSeconds,
): UnixSeconds | undefined {
  switch (state.status) {
    case 'virtual_account_issued':
      return state.account.dueAt ?? expiresAt;
    case 'paid':
      return isDeposit(state.record) ? now + secondLookAfter : undefined;
    case 'ready':
      return isUnprepared ? Math.min(now + prepareAgainAfter, expiresAt ?? Number.POSITIVE_INFINITY) : expiresAt;
    case 'failed':
      // It may have failed after it expired, and expires only once.
      return expiresAt !== undefined && expiresAt > now ? expiresAt : undefined;
    default:
      return undefined;
  }
}
