/** Processes one due item: an order, a reversal or a refund whose next check is due. */

import { decide, isByShop } from '../../payment/decide.ts';
import { decideDue } from '../../payment/due.ts';
import { zero } from '../../payment/money.ts';
import { dueSince, planOrderCheck } from '../../payment/next-check.ts';
import type { Order } from '../../payment/order.ts';
import type { Payment } from '../../payment/payment.ts';
import { isDeferred } from '../../payment/refund.ts';
import { isOverdue as isRefundOverdue, waiting } from '../../payment/refund-steps.ts';
import {
  checked,
  finished,
  hasNoResult,
  isOverdue,
  isReadAsUnpaid,
  isTakenBack,
  isUndone,
  leftOf,
  opened,
  type Reversal,
} from '../../payment/reversal.ts';
import { unixSeconds } from '../../shared/clock.ts';
import {
  AcceptanceNotRecorded,
  IamportFault,
  IamportUnexpected,
  isItemFault,
  isUnanswered,
  StoreRefused,
  StoreUnexpected,
} from '../faults.ts';
import { policyFor } from '../policy.ts';
import type { Due } from '../ports/stores.ts';
import type { Dependencies } from '../ports.ts';
import { attemptRefund } from '../refund.ts';
import { attemptNext, readAsUnpaid } from '../reverse.ts';
import { type Settlement, settleEach, settlePayment } from '../settle.ts';
import { addFault, type ReconcileReport, unknownForm } from './report.ts';

/** An item of the index `due`. */
export interface DueItem {
  readonly due: Due;
  /** Since when the item waits for its check. Set once the item was read. */
  since?: number;
}

export async function processDueOrder(deps: Dependencies, item: DueItem, report: ReconcileReport): Promise<void> {
  const order = await deps.orders.read(item.due.id);
  const now = unixSeconds(deps.clock);
  if (order?.nextCheckAt === undefined || order.nextCheckAt > now) return;
  item.since = dueSince(order);
  if (order.isUnprepared && order.state.status === 'ready' && (await prepareAgain(deps, order))) return;
  // Payments are read from Iamport before an order expires, and before the check of a deposit counts.
  const { payments, unreadable } = await paymentsOf(deps, order);
  for (const impUid of unreadable) addFault(report, `${impUid} of order ${order.merchantUid}: ${unknownForm}`);
  const after = await settleEach(deps, order.merchantUid, payments);
  if (!after || after.revision !== order.revision) return;
  // Another run has planned the next check since: without this, an expired order would lose it and stay `ready`.
  if (after.nextCheckAt !== order.nextCheckAt) return;
  const decision = decideDue(after, now);
  if (decision.kind === 'change') await deps.orders.change(after, decision.next, now);
  else await deps.orders.updateSchedule(after, plannedAt(after, now));
}

const plannedAt = (order: Order, now: number): Pick<Order, 'nextCheckAt'> => {
  const nextCheckAt = planOrderCheck(order, now);
  // A time in the past would make the order due again at once.
  return nextCheckAt === undefined || nextCheckAt <= now ? {} : { nextCheckAt };
};

/** An amount that Iamport refused to register is registered again after this. */
const nextPrepareRetrySeconds = 3_600;

/** @returns false when the order has expired: no payment window has to open */
async function prepareAgain(deps: Dependencies, order: Order): Promise<boolean> {
  const now = unixSeconds(deps.clock);
  if (order.expiresAt !== undefined && order.expiresAt <= now) return false;
  const registration = await deps.iamport.prepare(order, order.preparedAmount).catch((error: unknown) => {
    if (error instanceof IamportFault) return undefined;
    throw error;
  });
  // A conflict is final too: another system's amount stays.
  if (registration !== undefined) {
    const { isUnprepared: _isUnprepared, ...prepared } = order;
    const preparedAmount = deps.orders.isShops && registration === 'prepared' ? { preparedAmount: order.amount } : {};
    await deps.orders.updateSchedule(order, { ...plannedAt(prepared, now), ...preparedAmount });
  } else {
    const later = Math.min(now + nextPrepareRetrySeconds, order.expiresAt ?? Number.POSITIVE_INFINITY);
    await deps.orders.updateSchedule(order, { isUnprepared: true, nextCheckAt: later });
  }
  return true;
}

/**
 * The payment that settled the order, or every attempt. An order that waits for a deposit may have been paid another
 * way, and then it does not expire. Its account is read by itself as well, since the list may lag.
 */
async function paymentsOf({ iamport }: Dependencies, order: Order) {
  const { state, merchantUid, tier } = order;
  const impUid =
    state.status === 'virtual_account_issued' ? state.account.impUid : 'record' in state ? state.impUid : undefined;
  const [listed, payment] = await Promise.all([
    'record' in state ? undefined : iamport.payments(merchantUid, tier),
    impUid === undefined ? undefined : iamport.payment(impUid, tier),
  ]);
  if (impUid !== undefined && !payment) throw new IamportUnexpected(`Payment ${impUid} not found at Iamport`);
  const others = listed?.payments.filter((other) => other.impUid !== impUid) ?? [];
  const unreadable = listed?.unreadable.filter((other) => other !== impUid) ?? [];
  return { payments: [...(payment ? [payment] : []), ...others], unreadable };
}

export async function processDueReversal(deps: Dependencies, item: DueItem, report: ReconcileReport): Promise<void> {
  const reversal = await deps.reversals.read(item.due.id);
  if (!reversal || reversal.state === 'done') return;
  item.since = reversal.createdAt;
  const { impUid } = reversal;
  const known = await readableOrder(deps, reversal, report);
  const isUnmatched = reversal.kind === 'orphan';
  const payment = isUnmatched && !known ? undefined : await deps.iamport.payment(impUid, (known ?? reversal).tier);
  if (!payment && isUnmatched) {
    // It still has no order, or its order names another sub-merchant. The scans record its refunds.
    await deps.reversals.move(reversal, checked(reversal, reversal.amount, unixSeconds(deps.clock)));
    return;
  }
  if (!payment) throw new IamportUnexpected(`Payment ${impUid} not found at Iamport`);
  // Read after the payment, so that the order is never older than the payment.
  const order = known && (await deps.orders.read(payment.merchantUid));
  const settlement =
    order && !(await cancelApplies(deps, reversal, payment, order))
      ? await settlePayment(deps, payment, order)
      : undefined;
  const now = unixSeconds(deps.clock);
  if (isOver(reversal, payment, settlement, now)) {
    // Only as it was read before the payment: a later deposit may have made another reversal of it meanwhile.
    await deps.reversals.move(reversal, finished(reversal, isUndone(reversal, payment) ? undefined : zero, now));
    return;
  }
  const current = settlement ? await deps.reversals.read(impUid) : reversal;
  // The settlement may have sent the next request already.
  if (current?.revision === reversal.revision) await proceed(deps, current, payment, order, report);
}

/** A decided cancel is carried out, although the shop may have changed the amount of the order back since. */
async function cancelApplies(
  deps: Dependencies,
  { kind, state }: Reversal,
  payment: Payment,
  order: Order,
): Promise<boolean> {
  if (kind !== 'cancel' || state !== 'requested') return false;
  return decide(order, payment, await policyFor(deps, [payment])).kind === 'change';
}

/** @returns undefined for an order that is missing or cannot be parsed: the reversal does not wait for it */
async function readableOrder(
  deps: Dependencies,
  { impUid, merchantUid }: Pick<Reversal, 'impUid' | 'merchantUid'>,
  report: ReconcileReport,
) {
  try {
    return await deps.orders.read(merchantUid);
  } catch (error) {
    if (!(error instanceof StoreUnexpected || error instanceof StoreRefused)) throw error;
    addFault(report, `${impUid}: ${error.message}`);
    return undefined;
  }
}

/** Something is left to undo: sends the next request, or plans the next check. */
async function proceed(
  deps: Dependencies,
  reversal: Reversal,
  payment: Payment,
  order: Order | undefined,
  report: ReconcileReport,
): Promise<void> {
  const now = unixSeconds(deps.clock);
  const next = replaced(deps, reversal, payment, order, now);
  const current = next ? await deps.reversals.move(reversal, next) : reversal;
  const isUnpaid = isReadAsUnpaid(current, payment);
  if (isUnpaid) addFault(report, `${current.impUid}: ${readAsUnpaid}`);
  const fits = isUnpaid || payment.state.kind === (current.kind === 'revoke' ? 'awaiting_deposit' : 'kept');
  if (fits && (await attemptNext(deps, current, payment, order))) return;
  if (isOverdue(current, now)) report.overdue += 1;
  if (current.state !== 'manual' && current.acceptedAt === undefined && current.kind !== 'orphan') return;
  await deps.reversals.move(current, checked(current, leftOf(current, payment), now));
}

/**
 * The new reversal when the bank took the deposit back, the buyer paid into an account that had to be revoked, or this
 * deployment leaves reversals to the operator.
 */
function replaced(
  deps: Dependencies,
  reversal: Reversal,
  payment: Payment,
  order: Order | undefined,
  now: number,
): Omit<Reversal, 'revision'> | undefined {
  const { impUid, merchantUid, reason, currency, tier } = reversal;
  const of = { impUid, merchantUid, ...(tier !== undefined && { tier }) };
  const manual = { ...of, reason, currency, kind: 'manual' } as const;
  if (reversal.kind === 'revoke' && payment.state.kind === 'kept' && !order) {
    return opened({ ...manual, amount: payment.state.kept }, 0, now);
  }
  // Recorded without the policy (publish-events.ts), or by an earlier deployment with another one.
  // The cancel of a phone bill may have been accepted: `attemptNext` leaves it to the operator with that message.
  const mayBeAccepted = reversal.acceptedAt !== undefined || (isDeferred(payment.record) && hasNoResult(reversal));
  // A failed revocation is sent again, even after its last attempt (`claimed`).
  const isSentAgain = reversal.state === 'requested' || reversal.kind === 'revoke';
  if (isSentAgain && !mayBeAccepted && isByShop(payment, deps.policy)) {
    return opened({ ...manual, amount: reversal.amount }, 0, now);
  }
  if (!isTakenBack(reversal, payment)) return undefined;
  const decision = decide(order, payment, deps.policy);
  const decided = decision.kind === 'reject' ? decision.reversal : undefined;
  return opened(decided ?? { ...manual, amount: zero }, 0, now);
}

/** An account accepts no deposit this long after its deadline. Seconds. */
const afterDeadline = 3_600;

/** Nothing is left to undo: the money is back, the account has ended, or the payment settled the order after all. */
function isOver(reversal: Reversal, payment: Payment, settlement: Settlement | undefined, now: number): boolean {
  // A test channel moves no money and issues no account.
  if (payment.sandbox) return true;
  if (isUndone(reversal, payment)) return true;
  const { state } = payment;
  const isUnpaidAccount = state.kind === 'awaiting_deposit' && reversal.amount === 0;
  if (isUnpaidAccount && (state.account.depositDeadline ?? now) + afterDeadline < now) return true;
  // The bank took the deposit back. A further deposit settles the order, which is registered by now, or is rejected.
  if (reversal.kind === 'orphan' && settlement && state.kind === 'awaiting_deposit') return true;
  if (settlement?.kind !== 'settled') return false;
  const { outcome } = settlement;
  // An account stays open only if the order waits for its deposit, or for a deposit that the bank took back.
  if (state.kind === 'awaiting_deposit') {
    const isWaitedFor = outcome.status === 'virtual_account_issued' || outcome.status === 'deposit_reversed';
    return isWaitedFor && outcome.impUid === reversal.impUid;
  }
  const isSettledBy = outcome.status !== 'rejected' && outcome.impUid === reversal.impUid;
  return state.kind === 'kept' && isSettledBy && !hasExcess(payment);
}

/** The payment settled its order, whatever was cancelled of it since, and the excess deposit was not a part of it. */
const hasExcess = ({ amount, deposited = amount }: Payment): boolean => deposited > amount;

export async function processDueRefund(deps: Dependencies, item: DueItem, report: ReconcileReport): Promise<void> {
  const refund = await deps.refunds.read(item.due.id);
  const now = unixSeconds(deps.clock);
  if (refund?.nextCheckAt === undefined || refund.nextCheckAt > now) return;
  item.since = refund.createdAt;
  const { tier } = (await readableOrder(deps, refund, report)) ?? refund;
  try {
    const payment = await deps.iamport.payment(refund.impUid, tier);
    if (!payment) throw new IamportUnexpected(`Payment ${refund.impUid} not found at Iamport`);
    const { refunds: others } = await deps.reversals.ofOrder(refund.merchantUid);
    const after = await attemptRefund(deps, refund, payment, { tier, others });
    if (isRefundOverdue(after, now)) report.overdue += 1;
  } catch (error) {
    // DynamoDB does not respond to a write of this refund. Its claim has planned the next check.
    if (!isItemFault(error) || error instanceof AcceptanceNotRecorded) throw error;
    if (isRefundOverdue(refund, now)) report.overdue += 1;
    // Without a response it stays due, or is postponed like any item. Its own schedule would wait for up to a day.
    if (!isUnanswered(error)) await deps.refunds.change(refund, waiting(refund, refund.needs, now));
    throw error;
  }
}
