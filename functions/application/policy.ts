/** The policy of a decision: the settings of the deployment, and its beginning where a decision depends on it. */

import type { Policy } from '../payment/decide.ts';
import type { Payment } from '../payment/payment.ts';
import { unixSeconds } from '../shared/clock.ts';
import type { Ports } from './ports.ts';

/**
 * The first run of the reconciler records the beginning of the deployment, within five minutes. Until then, older money
 * than this waits for the scan of that run. Seconds.
 */
const firstRunWithin = 600;

/**
 * Reads the beginning of the deployment for money of an order in a shop's own table: one GetItem in the life of an
 * instance.
 * @param payments the payments to decide on
 */
export async function policyFor(
  { orders, checkpoints, clock, policy }: Pick<Ports, 'orders' | 'checkpoints' | 'clock' | 'policy'>,
  payments: readonly Payment[],
): Promise<Policy> {
  if (!orders.isShops || !payments.some(({ state }) => state.kind === 'kept')) return policy;
  return { ...policy, begunAt: (await checkpoints.beginning()) ?? unixSeconds(clock) - firstRunWithin };
}
