import { type Decision, decide } from '../payment/decide.ts';
import { isSettled, type Order, type OrderState } from '../payment/order.ts';
import { type Outcome, outcomeOf, rejected } from '../payment/outcome.ts';
import type { Payment } from '../payment/payment.ts';
import type { Reversal } from '../payment/reversal.ts';
import type { Rooms } from '../runtime/dependencies.ts';
import { type Deadline, unixSeconds } from '../shared/clock.ts';
import { IamportUnavailable, isItemFault, NoTimeLeft, OrderBusy } from './faults.ts';
import { reverse } from './reverse.ts';

/** Refusals are answers. Faults are thrown: IamportUnavailable, IamportRefused, IamportUnexpected, StoreUnavailable, OrderBusy. */
export type Settlement =
  | { readonly kind: 'settled'; readonly outcome: Outcome }
  | { readonly kind: 'payment_not_found' | 'order_not_found' | 'order_mismatch' };

/** Each lost race means that somebody else has just settled something, so three in a row are all but impossible. */
const mostLostRaces = 3;

/** Settles a payment by its id, always by asking Iamport. How requests look one up is in look-up.ts. */
export async function settle(rooms: Rooms, impUid: string, deadline: Deadline): Promise<Settlement> {
  const payment = await rooms.iamport.payment(impUid, deadline);
  if (!payment) return { kind: 'payment_not_found' };
  return settlePayment(rooms, payment, await rooms.orders.read(payment.merchantUid), deadline);
}

/**
 * The rest of the line, for who has the payment from Iamport already.
 * @param firstOrder read after the payment was asked for, or with it
 */
export async function settlePayment(
  rooms: Rooms,
  firstPayment: Payment,
  firstOrder: Order | undefined,
  deadline: Deadline,
): Promise<Settlement> {
  let payment = firstPayment;
  let order = firstOrder;
  let asksAfterRead = false;
  for (let lostRaces = 0; lostRaces <= mostLostRaces; ) {
    const decision = decide(order, payment, rooms.policy);
    if (!order || decision.kind === 'order_not_found') return { kind: 'order_not_found' };
    if (decision.kind !== 'change') {
      const reversal = await undo(rooms, decision, payment, order, deadline);
      return { kind: 'settled', outcome: outcomeOf(order, payment, decision, reversal) };
    }
    const cancelled = await cancelOf(rooms, payment, order, decision.next);
    if (cancelled) return { kind: 'settled', outcome: rejected(payment, cancelled) };
    if (decision.onFreshNewsOnly && !asksAfterRead) {
      const news = await rooms.iamport.payment(payment.impUid, deadline, order.tier);
      if (!news) return { kind: 'payment_not_found' };
      payment = news;
      asksAfterRead = true;
      continue;
    }
    const held = await rooms.orders.change(order, decision.next, unixSeconds(rooms.clock));
    if (held.held) return { kind: 'settled', outcome: outcomeOf(held.order, payment, decision) };
    order = held.order;
    asksAfterRead = false;
    lostRaces += 1;
  }
  throw new OrderBusy(`Order ${payment.merchantUid} changed ${mostLostRaces + 1} times while it was being settled`);
}

/**
 * The cancel that was decided for a payment which has become right since, because the shop changed the price back. It stands: the
 * payment may have been read before the money went back.
 */
async function cancelOf(rooms: Rooms, payment: Payment, order: Order, next: OrderState): Promise<Reversal | undefined> {
  if (!rooms.orders.isShops || isSettled(order.state) || !isSettled(next)) return undefined;
  const known = await rooms.reversals.read(payment.impUid);
  // The operator has a cancel that the PG refused. One that it accepted may still be made, however late.
  const stands = known?.kind === 'cancel' && (known.state !== 'manual' || known.acceptedAt !== undefined);
  return stands ? known : undefined;
}

/**
 * Settles every attempt of an order, one after the other. Anybody can open payment windows for an order by the hundred, so an
 * attempt that changes nothing costs neither a read nor a write of its own. A fault of one attempt, such as a reversal that cannot be
 * read, does not stop the others; an outage does.
 * @returns the order after them
 * @throws the first fault of an attempt, after all of them; its message names every attempt that failed
 */
export async function settleEach(
  rooms: Rooms,
  merchantUid: string,
  payments: readonly Payment[],
  deadline: Deadline,
): Promise<Order | undefined> {
  let order = await rooms.orders.read(merchantUid);
  const returned = payments.filter((payment) => decide(order, payment, rooms.policy).kind === 'money_returned');
  const { reversals } = await rooms.reversals.readMany(returned.map(({ impUid }) => impUid));
  const failed: { impUid: string; error: Error }[] = [];
  for (const payment of payments) {
    const { impUid } = payment;
    const { kind } = decide(order, payment, rooms.policy);
    if (kind === 'keep') continue;
    if (kind === 'money_returned' && (reversals.get(impUid)?.state ?? 'done') === 'done') continue;
    if (deadline.leftMs() <= 0) throw new NoTimeLeft(`No time left to settle the attempts of order ${merchantUid}`);
    try {
      await settlePayment(rooms, payment, order, deadline);
    } catch (error) {
      if (!isItemFault(error) || error instanceof IamportUnavailable) throw error;
      failed.push({ impUid, error });
    }
    order = await rooms.orders.read(merchantUid);
  }
  const [first] = failed;
  if (!first) return order;
  first.error.message = failed.map(({ impUid, error }) => `${impUid}: ${error.message}`).join('; ');
  throw first.error;
}

/** Carries out a decision that leaves the order as it is. @returns the payment's reversal, where there is one */
async function undo(
  rooms: Rooms,
  decision: Decision,
  payment: Payment,
  order: Order,
  deadline: Deadline,
): Promise<Reversal | undefined> {
  if (decision.kind === 'reject' && decision.reversal)
    return reverse(rooms, decision.reversal, payment, order, deadline);
  if (decision.kind === 'money_returned') return rooms.reversals.finish(payment.impUid, unixSeconds(rooms.clock));
  return undefined;
}
