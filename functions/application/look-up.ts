/**
 * How `complete`, `mobile-redirect` and `webhook` find the payment of a request. Anybody can call them, so they spend Iamport's calls
 * sparingly; what is found is settled by the one path, `settlePayment`.
 *
 * Freshness: an order that is `paid` or `cancelled` by another method than a deposit answers a buyer from the table, without a call.
 * A cancel that was made at Iamport seconds ago is then missed; its webhook or the reconciler brings it. A webhook always asks.
 */

import { isSettled, type Order, statusSetBy } from '../payment/order.ts';
import { knownOutcome } from '../payment/outcome.ts';
import type { Payment } from '../payment/payment.ts';
import type { Rooms } from '../runtime/dependencies.ts';
import type { Deadline } from '../shared/clock.ts';
import { type Settlement, settlePayment } from './settle.ts';

/** At least one of the two ids. */
export interface Ids {
  readonly impUid?: string | undefined;
  readonly merchantUid?: string | undefined;
}

/**
 * For `complete` and `mobile-redirect`. An order that is named must be registered, and the payment must be one of that order.
 * @throws as `settle` does
 */
export async function settleForBuyer(
  rooms: Rooms,
  { impUid, merchantUid }: Ids,
  deadline: Deadline,
): Promise<Settlement> {
  if (merchantUid === undefined) return settleFound(rooms, impUid && (await find(rooms, impUid, deadline)), deadline);
  const order = await rooms.orders.read(merchantUid);
  if (!order) return { kind: 'order_not_found' };
  const known = knownOutcome(order, impUid);
  if (known) return { kind: 'settled', outcome: known };
  const payment = await (impUid === undefined
    ? decisivePayment(rooms, order, deadline)
    : find(rooms, impUid, deadline, order.tier));
  if (!payment) return { kind: 'payment_not_found' };
  if (payment.merchantUid !== merchantUid) return { kind: 'order_mismatch' };
  return settlePayment(rooms, payment, order, deadline);
}

/**
 * For `webhook`: settles the order that the payment names, whatever order the caller named.
 * @param isIamport the sender is one of Iamport's addresses, so that even an id that was unknown a moment ago is asked about
 * @throws as `settle` does
 */
export async function settleNotified(
  rooms: Rooms,
  { impUid, merchantUid }: Ids,
  isIamport: boolean,
  deadline: Deadline,
): Promise<Settlement> {
  if (impUid === undefined) return settleForBuyer(rooms, { merchantUid }, deadline);
  const [found, named] = await Promise.all([
    find(rooms, impUid, deadline, undefined, isIamport),
    merchantUid === undefined ? undefined : rooms.orders.read(merchantUid),
  ]);
  // Iamport finds a sub-merchant's payment only by the sub-merchant's code, which the order has.
  const payment = found ?? (named?.tier && (await find(rooms, impUid, deadline, named.tier, isIamport)));
  if (payment && payment.merchantUid === merchantUid) return settlePayment(rooms, payment, named, deadline);
  return settleFound(rooms, payment, deadline);
}

async function settleFound(rooms: Rooms, payment: Payment | '' | undefined, deadline: Deadline): Promise<Settlement> {
  if (!payment) return { kind: 'payment_not_found' };
  return settlePayment(rooms, payment, await rooms.orders.read(payment.merchantUid), deadline);
}

/** @param isAlwaysAsked true: a 404 of the last 10 s does not count */
async function find(
  { iamport, unknownPayments }: Rooms,
  impUid: string,
  deadline: Deadline,
  tier?: string,
  isAlwaysAsked = false,
): Promise<Payment | undefined> {
  if (!isAlwaysAsked && unknownPayments.has(impUid, tier)) return undefined;
  const payment = await iamport.payment(impUid, deadline, tier);
  if (!payment) unknownPayments.add(impUid, tier);
  return payment;
}

/**
 * The payment that decides what a buyer is shown of an order without an `imp_uid`: the one that settled the order, else a paid one,
 * else the newest. A newer window that was only opened does not hide the payment that set the order's status.
 */
async function decisivePayment(rooms: Rooms, order: Order, deadline: Deadline): Promise<Payment | undefined> {
  const { state, merchantUid, tier } = order;
  if (isSettled(state)) return find(rooms, state.impUid, deadline, tier);
  const paid = await rooms.iamport.newestPayment(merchantUid, deadline, tier, 'paid');
  if (paid) return paid;
  const newest = await rooms.iamport.newestPayment(merchantUid, deadline, tier);
  const known = statusSetBy(state);
  const isOnlyOpened = newest?.state.kind === 'ready' && known !== undefined && known !== newest.impUid;
  return isOnlyOpened ? ((await find(rooms, known, deadline, tier)) ?? newest) : newest;
}
