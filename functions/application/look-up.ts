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
export async function settleForBuyer(deps: Dependencies, { impUid, merchantUid }: Ids): Promise<Settlement> {
  if (merchantUid === undefined) return settleFound(deps, impUid === undefined ? undefined : await find(deps, impUid));
  const order = await deps.orders.read(merchantUid);
  if (!order) return { kind: 'order_not_found' };
  const known = knownOutcome(order, impUid);
  if (known) return { kind: 'settled', outcome: known };
  const payment = await (impUid === undefined ? decisivePayment(deps, order) : find(deps, impUid, order.tier));
  if (!payment) return { kind: 'payment_not_found' };
  if (payment.merchantUid !== merchantUid) return { kind: 'order_mismatch' };
  return settlePayment(deps, payment, order);
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
): Promise<Settlement> {
  if (impUid === undefined) return settleForBuyer(deps, { merchantUid });
  const [found, named] = await Promise.all([
    find(deps, impUid, undefined, isIamport),
    merchantUid === undefined ? undefined : deps.orders.read(merchantUid),
  ]);
  // Iamport returns a sub-merchant's payment only for the sub-merchant's code, which the order has.
  const payment = named?.tier === undefined ? found : await find(deps, impUid, named.tier, isIamport);
  if (payment && payment.merchantUid === merchantUid) return settlePayment(deps, payment, named);
  return settleFound(deps, found);
}

/** @param payment read without the code of a sub-merchant */
async function settleFound(deps: Dependencies, payment: Payment | undefined): Promise<Settlement> {
  if (!payment) return { kind: 'payment_not_found' };
  const order = await deps.orders.read(payment.merchantUid);
  if (order?.tier === undefined) return settlePayment(deps, payment, order);
  // Every later call for this order has its code. A payment without it could be neither refunded nor cancelled.
  const ofTier = await find(deps, payment.impUid, order.tier);
  return ofTier ? settlePayment(deps, ofTier, order) : { kind: 'payment_not_found' };
}

/** @param ignoresCache true: calls Iamport even after a 404 in the last 10 s */
async function find(
  { iamport, unknownPayments }: Dependencies,
  impUid: string,
  tier?: string,
  ignoresCache = false,
): Promise<Payment | undefined> {
  if (!ignoresCache && unknownPayments.has(impUid, tier)) return undefined;
  const payment = await iamport.payment(impUid, tier);
  if (!payment) unknownPayments.add(impUid, tier);
  return payment;
}

/**
 * The payment whose outcome a buyer gets for a request without an `imp_uid`: the one that settled the order, else a
 * paid one, else the newest. A newer payment that was only opened does not hide the payment that set the order's
 * status.
 */
async function decisivePayment(deps: Dependencies, order: Order): Promise<Payment | undefined> {
  const { state, merchantUid, tier } = order;
  if (isSettled(state)) return find(deps, state.impUid, tier);
  const paid = await deps.iamport.newestPayment(merchantUid, tier, 'paid');
  if (paid) return paid;
  const newest = await deps.iamport.newestPayment(merchantUid, tier);
  const known = statusSetBy(state);
  const isOnlyOpened = newest?.state.kind === 'ready' && known !== undefined && known !== newest.impUid;
  return isOnlyOpened ? ((await find(deps, known, tier)) ?? newest) : newest;
}
