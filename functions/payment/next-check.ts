/** Plans when the reconciler checks an order next. Pure. */

import type { Order } from './order.ts';
import { isDeposit, type UnixSeconds } from './payment.ts';

/**
 * A bank may take a deposit back: usually within minutes, sometimes days later. A paid deposit is checked at these
 * times after it settled its order. The daily scan finds later cases for 7 days, the weekly scan for 89 days.
 * Seconds.
 */
const depositChecks: readonly UnixSeconds[] = [600, 3_600, 21_600, 86_400, 259_200];
/** The amount is registered with Iamport again after this, when the first call failed. */
const firstPrepareRetrySeconds = 60;

/**
 * @param now when the order took this state, or was checked
 * @returns when the reconciler checks the order next, if its state does not change before; undefined for no check
 */
export function planOrderCheck(
  { state, expiresAt, isUnprepared, updatedAt }: Pick<Order, 'state' | 'expiresAt' | 'isUnprepared' | 'updatedAt'>,
  now: UnixSeconds,
): UnixSeconds | undefined {
  switch (state.status) {
    case 'virtual_account_issued':
      return earlier(state.account.depositDeadline, expiresAt);
    case 'paid':
    case 'partial_cancelled':
      return isDeposit(state.record)
        ? depositChecks.map((seconds) => updatedAt + seconds).find((at) => at > now)
        : undefined;
    case 'ready':
      return isUnprepared ? earlier(now + firstPrepareRetrySeconds, expiresAt) : expiresAt;
    case 'failed':
      // An attempt may fail after the order expired, and an order expires only once.
      return expiresAt !== undefined && expiresAt > now ? expiresAt : undefined;
    case 'expired':
    case 'cancelled':
    case 'deposit_reversed':
    case 'closed':
      return undefined;
  }
}

/** Since when an order waits for its check. A check that failed waits longer for an older order. */
export function dueSince(order: Order): UnixSeconds {
  const { state, expiresAt, updatedAt } = order;
  if (state.status === 'virtual_account_issued') return earlier(state.account.depositDeadline, expiresAt) ?? updatedAt;
  const isPaid = state.status === 'paid' || state.status === 'partial_cancelled';
  return isPaid ? updatedAt : (expiresAt ?? updatedAt);
}

const earlier = (one: UnixSeconds | undefined, other: UnixSeconds | undefined): UnixSeconds | undefined =>
  one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
