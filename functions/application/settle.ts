/** Settles payments: applies a payment of Iamport to its order, and writes what `decide` returns. */

import { type Decision, decide } from '../payment/decide.ts';
import { isSettled, type Order, type OrderState } from '../payment/order.ts';
import { type Outcome, outcomeOf, rejected } from '../payment/outcome.ts';
import type { Payment } from '../payment/payment.ts';
import { isUndone, type Reversal, recheckPlanned } from '../payment/reversal.ts';
import { unixSeconds } from '../shared/clock.ts';
import { IamportUnavailable, isItemFault, NoTimeLeft, OrderBusy } from './faults.ts';
import { policyFor } from './policy.ts';
import type { Dependencies } from './ports.ts';
import { reverse } from './reverse.ts';

/**
 * The result of a settlement. Faults are thrown: IamportUnavailable, IamportRefused, IamportUnexpected,
 * StoreUnavailable, AcceptanceNotRecorded, OrderBusy.
 */
export type Settlement =
  | { readonly kind: 'settled'; readonly outcome: Outcome }
  | { readonly kind: 'payment_not_found' | 'order_not_found' | 'order_mismatch' };

/** Each lost race means that another writer has just changed the order, so three in a row are very unlikely. */
const maxLostRaces = 3;

/**
 * Reads a payment from Iamport and settles it. look-up.ts finds the payment of a request.
 * @param tier the sub-merchant's code, if the payment is read with one
 */
export async function settle(deps: Dependencies, impUid: string, tier?: string): Promise<Settlement> {
  const payment = await deps.iamport.payment(impUid, tier);
  if (!payment) return { kind: 'payment_not_found' };
  return settlePayment(deps, payment, await deps.orders.read(payment.merchantUid));
}

/**
 * Settles a payment that the caller has read from Iamport.
 * @param firstOrder read after the request for the payment, or at the same time
 */
export async function settlePayment(
  deps: Dependencies,
  firstPayment: Payment,
  firstOrder: Order | undefined,
): Promise<Settlement> {
  let payment = firstPayment;
  let order = firstOrder;
  /** The payment was read after the order. */
  let isFresh = false;
  for (let lostRaces = 0; lostRaces <= maxLostRaces; ) {
    const decision = decide(order, payment, await policyFor(deps, [payment]));
    // For the caller, an order whose payment an earlier system has settled is not ours.
    const isNotOurs = decision.kind === 'order_not_found' || decision.kind === 'predates_deployment';
    if (!order || isNotOurs) return { kind: 'order_not_found' };
    if (decision.kind !== 'change') {
      const reversal = await carryOut(deps, decision, payment, order);
      return { kind: 'settled', outcome: outcomeOf(order, payment, decision, reversal) };
    }
    const known = await recordedReversal(deps, payment, order, decision.next);
    if (known && isDecidedCancel(known)) return { kind: 'settled', outcome: rejected(payment, known) };
    if (known?.kind === 'orphan' && known.state === 'manual') await planCheck(deps, known);
    if (decision.requiresFreshRead && !isFresh) {
      const fresh = await deps.iamport.payment(payment.impUid, order.tier);
      if (!fresh) return { kind: 'payment_not_found' };
      payment = fresh;
      isFresh = true;
      continue;
    }
    const result = await deps.orders.change(order, decision.next, unixSeconds(deps.clock));
    if (result.written) return { kind: 'settled', outcome: outcomeOf(result.value, payment, decision) };
    order = result.current;
    isFresh = false;
    lostRaces += 1;
  }
  throw new OrderBusy(`Order ${payment.merchantUid} changed ${maxLostRaces + 1} times while it was being settled`);
}

/**
 * In a shop's own table: the reversal of a payment that is about to settle its order. The shop may have changed the
 * amount of the order since, or written the item after a scan recorded the payment as unmatched.
 */
async function recordedReversal(
  deps: Dependencies,
  payment: Payment,
  order: Order,
  next: OrderState,
): Promise<Reversal | undefined> {
  if (!deps.orders.isShops || isSettled(order.state) || !isSettled(next)) return undefined;
  return deps.reversals.read(payment.impUid);
}

/**
 * A cancel was decided for a payment that fits its order again, because the shop changed the amount back. It still
 * applies: the payment may have been read before the money went back.
 */
function isDecidedCancel({ kind, state, acceptedAt }: Reversal): boolean {
  if (kind === 'revoke') return false;
  // The operator has taken over a cancel that the PG refused. A cancel that Iamport accepted may still be made later.
  const isOpen = kind === 'cancel' && state !== 'manual';
  return isOpen || acceptedAt !== undefined;
}

/** Plans the check that ends an unmatched payment. It is written before the order: the instance may die in between. */
async function planCheck({ reversals, clock }: Dependencies, unmatched: Reversal): Promise<void> {
  const now = unixSeconds(clock);
  if (unmatched.checkAt === undefined || unmatched.checkAt > now)
    await reversals.move(unmatched, recheckPlanned(unmatched, now, now));
}

/**
 * Settles every attempt of an order, one after the other. Anyone can open hundreds of payment windows for an order. So
 * an attempt that changes nothing costs neither a read nor a write. A fault of one attempt, such as a reversal that
 * cannot be parsed, does not stop the others; an outage does.
 * @returns the order after them
 * @throws the first fault, after all attempts; its message contains every attempt that failed
 */
export async function settleEach(
  deps: Dependencies,
  merchantUid: string,
  payments: readonly Payment[],
): Promise<Order | undefined> {
  let order = await deps.orders.read(merchantUid);
  const policy = await policyFor(deps, payments);
  const returned = payments.filter((payment) => decide(order, payment, policy).kind === 'money_returned');
  const { reversals } = await deps.reversals.readMany(returned.map(({ impUid }) => impUid));
  const failed: { impUid: string; error: Error }[] = [];
  for (const payment of payments) {
    const { impUid } = payment;
    const { kind } = decide(order, payment, policy);
    if (kind === 'keep' || kind === 'predates_deployment') continue;
    if (kind === 'money_returned' && (reversals.get(impUid)?.state ?? 'done') === 'done') continue;
    if (deps.deadline.leftMs() <= 0)
      throw new NoTimeLeft(`No time left to settle the attempts of order ${merchantUid}`);
    try {
      await settlePayment(deps, payment, order);
    } catch (error) {
      if (!isItemFault(error) || error instanceof IamportUnavailable) throw error;
      failed.push({ impUid, error });
    }
    order = await deps.orders.read(merchantUid);
  }
  const [first] = failed;
  if (!first) return order;
  first.error.message = failed.map(({ impUid, error }) => `${impUid}: ${error.message}`).join('; ');
  throw first.error;
}

/** Carries out a decision that leaves the order as it is. @returns the payment's reversal, if it has one */
async function carryOut(
  deps: Dependencies,
  decision: Decision,
  payment: Payment,
  order: Order,
): Promise<Reversal | undefined> {
  if (decision.kind === 'reject' && decision.reversal) return reverse(deps, decision.reversal, payment, order);
  if (decision.kind !== 'money_returned') return undefined;
  const known = await deps.reversals.read(payment.impUid);
  if (!known || known.state === 'done' || !isUndone(known, payment)) return known;
  return deps.reversals.finish(payment.impUid, unixSeconds(deps.clock));
}
