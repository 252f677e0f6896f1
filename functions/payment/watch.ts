/** When an order has to be looked at again though nobody calls. Pure. */

import type { Order } from './order.ts';
import { isDeposit, type UnixSeconds } from './payment.ts';

/** A bank may take a deposit back, usually within minutes: a fresh one is looked at a second time. Seconds. */
const secondLookAfter = 600;

/**
 * When the reconciler looks at the order next, if nothing happens before.
 * @param now when the order takes this state
 */
export function nextLookAt(
  { state, expiresAt }: Pick<Order, 'state' | 'expiresAt'>,
  now: UnixSeconds,
): UnixSeconds | undefined {
  switch (state.status) {
    case 'virtual_account_issued':
      return state.account.dueAt ?? expiresAt;
    case 'paid':
      return isDeposit(state.record) ? now + secondLookAfter : undefined;
    case 'ready':
      return expiresAt;
    case 'failed':
      // It may have failed after it expired, and expires only once.
      return expiresAt !== undefined && expiresAt > now ? expiresAt : undefined;
    default:
      return undefined;
  }
}
