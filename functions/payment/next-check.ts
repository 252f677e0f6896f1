/** When the reconciler checks an order again, without being called. Pure. */

import type { Order } from './order.ts';
import { isDeposit, type UnixSeconds } from './payment.ts';

/**
 * A bank may take a deposit back: usually within minutes, sometimes days later. A paid deposit is checked at these times after it
 * settled its order. Later ones are found by the daily scan for 7 days and by the weekly one for 89. Seconds.
 */
export const depositChecks: readonly UnixSeconds[] = [600, 3_600, 21_600, 86_400, 259_200];
/** How soon an amount is registered with Iamport again, after Iamport could not be reached. Seconds. */
const prepareAgainAfter = 60;

/**
 * When the reconciler checks the order next, if nothing happens before.
 * @param now when the order takes this state, or was checked
 */
export function nextLookAt(
  { state, expiresAt, isUnprepared, updatedAt }: Pick<Order, 'state' | 'expiresAt' | 'isUnprepared' | 'updatedAt'>,
  now: UnixSeconds,
): UnixSeconds | undefined {
  switch (state.status) {
    case 'virtual_account_issued':
      return earlier(state.account.dueAt, expiresAt);
    case 'paid':
      return isDeposit(state.record)
        ? depositChecks.map((seconds) => updatedAt + seconds).find((at) => at > now)
        : undefined;
    case 'ready':
      return isUnprepared ? earlier(now + prepareAgainAfter, expiresAt) : expiresAt;
    case 'failed':
      // An attempt may have failed after the order expired, and an order expires only once.
      return expiresAt !== undefined && expiresAt > now ? expiresAt : undefined;
    case 'expired':
    case 'partial_cancelled':
    case 'cancelled':
    case 'deposit_reversed':
    case 'closed':
      return undefined;
  }
}

/** Since when an order waits for its check: the older, the longer a check that failed may wait. */
export function dueSince(order: Order): UnixSeconds {
  const { state, expiresAt, updatedAt } = order;
  if (state.status === 'virtual_account_issued') return earlier(state.account.dueAt, expiresAt) ?? updatedAt;
  return state.status === 'paid' ? updatedAt : (expiresAt ?? updatedAt);
}

const earlier = (one: UnixSeconds | undefined, other: UnixSeconds | undefined): UnixSeconds | undefined =>
  one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
