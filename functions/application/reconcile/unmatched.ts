/** Records the payments with money that have no order. */

import { isOrderNumber, type Order } from '../../payment/order.ts';
import type { Payment } from '../../payment/payment.ts';
import { recheckPlanned } from '../../payment/reversal.ts';
import { unixSeconds } from '../../shared/clock.ts';
import { forEachItem, type Run } from './report.ts';

/**
 * Records unmatched payments with money. The Iamport account may serve other shops, so they are published and never
 * cancelled.
 * @returns the payments that could not be recorded, with their errors
 */
export function recordUnmatched({ deps, report, tier }: Run, payments: readonly Payment[]) {
  return forEachItem(report, payments, idOf, async ({ impUid, merchantUid, currency, state, sandbox }) => {
    if (state.kind !== 'kept' || sandbox) return;
    const now = unixSeconds(deps.clock);
    const kind = { kind: 'orphan', reason: 'order_not_found' } as const;
    const request = { impUid, merchantUid, ...kind, amount: state.kept, currency };
    const result = await deps.reversals.request(request, now, 0);
    if (!result.written) return;
    report.orphans += 1;
    // A concurrent request may have registered the order without finding this record.
    const order = isOrderNumber(merchantUid) ? await deps.orders.read(merchantUid) : undefined;
    if (order && canRead(order, tier)) await deps.reversals.move(result.value, recheckPlanned(result.value, now, now));
  });
}

const idOf = ({ impUid }: Payment): string => impUid;

/** @returns false when the order has another sub-merchant's code than the list: its payments are read with that code */
const canRead = (order: Order, tier: string | undefined): boolean => order.tier === tier;
