/**
 * Finds the payment of a request for `complete`, `mobile-redirect` and `webhook`, and settles it with `settlePayment`.
 * Anyone can call these endpoints, so they call Iamport sparingly.
 *
 * Freshness: a buyer gets the outcome of a `paid` or `cancelled` order from the table, without a call to Iamport. It
 * misses a cancel of the last seconds, which its webhook or the reconciler settles. Deposits are always read from
 * Iamport. A webhook always calls Iamport.
 */

import { isSettled, type Order, statusSetBy } from '../payment/order.ts';
import { knownOutcome } from '../payment/outcome.ts';
import type { Payment } from '../payment/payment.ts';
import type { Deadline } from '../shared/clock.ts';
import type { Dependencies } from './ports.ts';
import { type Settlement, settlePayment } from './settle.ts';

/** At least one of the two ids. */
export interface Ids {
  readonly impUid?: string | undefined;
  readonly merchantUid?: string | undefined;
}

/**
 * For `complete` and `mobile-redirect`. An order in the request must be registered, and the payment must belong to it.
 * @throws as `settle` does
 */
export async function settleForBuyer(
  deps: Dependencies,
  { impUid, merchantUid }: Ids,
  deadline: Deadline,
): Promise<Settlement> {
  if (merchantUid === undefined) return settleFound(deps, impUid && (await find(deps, impUid, deadline)), deadline);
  const order = await deps.orders.read(merchantUid);
  if (!order) return { kind: 'order_not_found' };
  const known = knownOutcome(order, impUid);
  if (known) return { kind: 'settled', outcome: known };
  const payment = await (impUid === undefined
    ? decisivePayment(deps, order, deadline)
    : find(deps, impUid, deadline, order.tier));
  if (!payment) return { kind: 'payment_not_found' };
  if (payment.merchantUid !== merchantUid) return { kind: 'order_mismatch' };
  return settlePayment(deps, payment, order, deadline);
}

/**
 * For `webhook`: settles the order that the payment names. The order in the request is not trusted.
 * @param isIamport the sender has one of Iamport's addresses, so a cached 404 of the id is ignored
 * @throws as `settle` does
 */
export async function settleNotified(
  deps: Dependencies,
  { impUid, merchantUid }: Ids,
  isIamport: boolean,
  deadline: Deadline,
): Promise<Settlement> {
  if (impUid === undefined) return settleForBuyer(deps, { merchantUid }, deadline);
  const [found, named] = await Promise.all([
    find(deps, impUid, deadline, undefined, isIamport),
    merchantUid === undefined ? undefined : deps.orders.read(merchantUid),
  ]);
  // Iamport returns a sub-merchant's payment only for the sub-merchant's code, which the order has.
  const payment = found ?? (named?.tier && (await find(deps, impUid, deadline, named.tier, isIamport)));
  if (payment && payment.merchantUid === merchantUid) return settlePayment(deps, payment, named, deadline);
  return settleFound(deps, payment, deadline);
}

async function settleFound(
  deps: Dependencies,
  payment: Payment | '' | undefined,
  deadline: Deadline,
): Promise<Settlement> {
  if (!payment) return { kind: 'payment_not_found' };
  return settlePayment(deps, payment, await deps.orders.read(payment.merchantUid), deadline);
}

/** @param ignoresCache true: calls Iamport even after a 404 in the last 10 s */
async function find(
  { iamport, unknownPayments }: Dependencies,
  impUid: string,
  deadline: Deadline,
  tier?: string,
  ignoresCache = false,
): Promise<Payment | undefined> {
  if (!ignoresCache && unknownPayments.has(impUid, tier)) return undefined;
  const payment = await iamport.payment(impUid, deadline, tier);
  if (!payment) unknownPayments.add(impUid, tier);
  return payment;
}

/**
 * The payment whose outcome a buyer gets for a request without an `imp_uid`: the one that settled the order, else a
 * paid one, else the newest. A newer payment that was only opened does not hide the payment that set the order's
 * status.
 */
async function decisivePayment(deps: Dependencies, order: Order, deadline: Deadline): Promise<Payment | undefined> {
  const { state, merchantUid, tier } = order;
  if (isSettled(state)) return find(deps, state.impUid, deadline, tier);
  const paid = await deps.iamport.newestPayment(merchantUid, deadline, tier, 'paid');
  if (paid) return paid;
  const newest = await deps.iamport.newestPayment(merchantUid, deadline, tier);
  const known = statusSetBy(state);
  const isOnlyOpened = newest?.state.kind === 'ready' && known !== undefined && known !== newest.impUid;
  return isOnlyOpened ? ((await find(deps, known, deadline, tier)) ?? newest) : newest;
}
