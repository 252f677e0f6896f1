/** The policy of a decision: the settings of the deployment, and its beginning where a decision depends on it. */

import type { Policy } from '../payment/decide.ts';
import type { Payment } from '../payment/payment.ts';
import type { Ports } from './ports.ts';

/**
 * Reads the beginning of the deployment for money of an order in a shop's own table: one GetItem in the life of an
 * instance, and one DescribeTable before the first run of the reconciler.
 * @param payments the payments to decide on
 */
export async function policyFor(
  { orders, checkpoints, policy }: Pick<Ports, 'orders' | 'checkpoints' | 'policy'>,
  payments: readonly Payment[],
): Promise<Policy> {
  if (!orders.isShops || !payments.some(({ state }) => state.kind === 'kept')) return policy;
  return { ...policy, begunAt: await checkpoints.beginning() };
}
