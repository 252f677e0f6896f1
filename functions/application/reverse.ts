/** Undoes payments that were not accepted: records the reversal first, and then calls Iamport. */

import { type Amount, zero } from '../payment/money.ts';
import { isPayable, isSettled, type Order } from '../payment/order.ts';
import type { Payment } from '../payment/payment.ts';
import { isDeferred } from '../payment/refund.ts';
import {
  accepted,
  failed,
  hasNoResult,
  isReadAsUnpaid,
  isUndone,
  type Reversal,
  type ReversalReason,
  type ReversalRequest,
  unanswered,
} from '../payment/reversal.ts';
import { unixSeconds } from '../shared/clock.ts';
import { IamportAccepted, IamportBusy, IamportFault, IamportRefused, NoTimeLeft, OrderBusy } from './faults.ts';
import { storedValue } from './ports/stores.ts';
import type { Dependencies } from './ports.ts';
import { recordAcceptance } from './record-acceptance.ts';

/** The reasons of cancels, as Iamport's console and the buyer's bank show them. In Korean for these readers. */
const reasons: Record<ReversalReason, string> = {
  test_payment: '테스트 결제',
  payment_predates_order: '주문 등록보다 오래된 결제',
  currency_mismatch: '주문 통화와 결제 통화가 다름',
  amount_mismatch: '주문 금액과 결제 금액이 다름',
  deposit_mismatch: '입금액이 주문 금액과 다름',
  deposit_excess: '주문 금액보다 더 입금됨',
  duplicate_payment: '이미 결제된 주문의 중복 결제',
  order_closed: '종료된 주문의 결제',
  account_superseded: '새 가상계좌가 발급됨',
  order_expired: '결제 기한이 지난 주문',
  order_not_found: '주문을 찾을 수 없음',
};

/** For the operator, who takes over after the last attempt. */
export const readAsUnpaid =
  'Iamport returned it as unpaid, and it was paid before. Check in the console whether it was cancelled';

/** A lost race is a write of the order by another worker or the shop. Three in a row are rare. */
const maxAnnouncements = 3;

/**
 * Records a reversal and sends its first request.
 * @param payment just read from Iamport: its kept amount is both the amount to cancel and the checksum
 * @param order the order for which the payment was rejected
 * @returns the recorded reversal; after a fault it stays `requested`, and the reconciler tries again when it is due
 */
export async function reverse(
  deps: Dependencies,
  request: ReversalRequest,
  payment: Payment,
  order: Order,
): Promise<Reversal> {
  const now = unixSeconds(deps.clock);
  const result = await deps.reversals.request(request, now, 1);
  const reversal = storedValue(result);
  if (reversal.state !== 'requested') return reversal;
  if (result.written) return attempt(deps, reversal, payment, order);
  // Such as a cancel that an earlier deployment sent, and that this one leaves to the operator.
  if (reversal.kind !== request.kind) return reversal;
  return (await attemptNext(deps, reversal, payment, order)) ?? reversal;
}

/**
 * Claims the next request of a recorded reversal, and sends it to Iamport.
 * @param order undefined when its item is missing or unreadable: the decision is carried out all the same
 * @returns the reversal as it is recorded afterwards; undefined when no request may be sent now
 */
export async function attemptNext(
  deps: Dependencies,
  known: Reversal,
  payment: Payment,
  order: Order | undefined,
): Promise<Reversal | undefined> {
  const claimed = await deps.reversals.claim(known, unixSeconds(deps.clock));
  if (!claimed) return undefined;
  if (isDeferred(payment.record) && hasNoResult(known)) return leaveToOperator(deps, claimed);
  return attempt(deps, claimed, payment, order);
}

/** Sends one claimed request to Iamport. @returns the reversal as it is recorded afterwards */
async function attempt(
  deps: Dependencies,
  reversal: Reversal,
  payment: Payment,
  order: Order | undefined,
): Promise<Reversal> {
  if (isReadAsUnpaid(reversal, payment))
    return deps.reversals.move(reversal, failed(reversal, readAsUnpaid, unixSeconds(deps.clock)));
  const isDeferredCancel = reversal.kind === 'cancel' && isDeferred(payment.record);
  const isToBeSent = mayCancel(deps, order, reversal).catch(async (error: Error) => {
    // Nothing was sent. Without this message the next attempt would leave the cancel of a phone bill to the operator.
    if (isDeferredCancel) await deps.reversals.move(reversal, failed(reversal, error.message, unixSeconds(deps.clock)));
    throw error;
  });
  if (!(await isToBeSent)) {
    return (await deps.reversals.finish(reversal.impUid, unixSeconds(deps.clock), zero)) ?? reversal;
  }
  /** Undefined when Iamport accepted the request without returning the payment. */
  let after: Payment | undefined;
  try {
    after = await undo(deps, reversal, payment, order);
  } catch (error) {
    // Nothing was sent. The attempt stays claimed, and the reconciler sends the next one when it is due.
    if (error instanceof NoTimeLeft && !isDeferredCancel) return reversal;
    if (!(error instanceof IamportFault)) throw error;
    const isAnswered = error.notSent || error instanceof IamportRefused || error instanceof IamportBusy;
    // Without a response the money may have moved. The next attempt reads the kept amount before it cancels.
    if (!(error instanceof IamportAccepted)) {
      if (isDeferredCancel && !isAnswered) return leaveToOperator(deps, reversal);
      return deps.reversals.move(reversal, failed(reversal, error.message, unixSeconds(deps.clock)));
    }
  }
  const now = unixSeconds(deps.clock);
  if (after && isUndone(reversal, after)) return (await deps.reversals.finish(reversal.impUid, now)) ?? reversal;
  return recordAcceptance(deps, `the ${reversal.kind} of ${reversal.impUid}`, () =>
    recordOnNewest(deps, reversal, (newest) => accepted(newest, now)),
  );
}

/** The PG may perform the request on a later day, and the payment does not show it until then. */
const leaveToOperator = (deps: Dependencies, reversal: Reversal): Promise<Reversal> =>
  recordOnNewest(deps, reversal, (newest) => unanswered(newest, unixSeconds(deps.clock)));

/**
 * Writes the acceptance, or the lost response, to the newest version of the reversal. Another worker may have written
 * it during the call to Iamport: an instance of an earlier version turns a `cancel` into a `manual` one, and the operator
 * must not refund what the PG refunds as well.
 */
async function recordOnNewest(
  deps: Dependencies,
  sent: Reversal,
  step: (newest: Reversal) => Omit<Reversal, 'revision'>,
): Promise<Reversal> {
  for (let known = sent; ; ) {
    const stored = await deps.reversals.move(known, step(known));
    const isSame = stored.kind === sent.kind || (sent.kind === 'cancel' && stored.kind === 'manual');
    const isOver = stored.acceptedAt !== undefined || stored.state === 'done' || !isSame;
    // An equal revision is that of an item that was deleted meanwhile.
    if (isOver || stored.revision === known.revision) return stored;
    known = stored;
  }
}

/**
 * Marks the order before a cancel. A shop that owns its table may change the amount back during the cancel. A
 * concurrent `settle` that read the order before the mark cannot write it. One that reads it after the mark finds the
 * reversal.
 * @returns false when this payment settled the order before the mark
 */
async function mayCancel(
  { orders }: Dependencies,
  first: Order | undefined,
  { kind, impUid }: Reversal,
): Promise<boolean> {
  if (kind !== 'cancel') return true;
  let order = first;
  for (let tries = 0; order && tries < maxAnnouncements; tries += 1) {
    if (isSettled(order.state)) return order.state.impUid !== impUid;
    if (!orders.isShops || !isPayable(order.state)) return true;
    const result = await orders.announceCancel(order);
    if (result.written) return true;
    order = result.current;
  }
  if (!order) return true;
  throw new OrderBusy(`Order ${order.merchantUid} changed each time a cancel of ${impUid} was announced`);
}

function undo(
  { iamport }: Dependencies,
  reversal: Reversal,
  payment: Payment,
  order: Order | undefined,
): Promise<Payment> {
  const { tier } = order ?? reversal;
  if (payment.state.kind !== 'kept') return iamport.revokeAccount(payment.impUid, tier);
  const { kept } = payment.state;
  const money = { amount: kept, checksum: kept, ...taxPartsOf(payment, kept, order), requester: 'admin' } as const;
  return iamport.cancel({ payment, ...money, reason: reasons[reversal.reason] }, tier);
}

/** The order's tax parts, for a cancel of its whole amount. Those of another amount are unknown. */
function taxPartsOf(payment: Payment, kept: Amount, order: Order | undefined): Pick<Order, 'taxFree' | 'vatAmount'> {
  if (!order || kept !== order.amount || payment.amount !== kept || payment.currency !== order.currency) return {};
  const { taxFree, vatAmount } = order;
  return { ...(taxFree !== undefined && { taxFree }), ...(vatAmount !== undefined && { vatAmount }) };
}
