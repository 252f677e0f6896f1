/** What is due though nobody called: orders whose time has come, payments to be undone, refunds without an answer. */

import { type Deadline, unixSeconds } from './edge/clock.ts';
import { IamportFault, IamportUnexpected } from './iamport/errors.ts';
import { workingDay, workingSeconds } from './payment/business-day.ts';
import { decideDue } from './payment/due.ts';
import type { Amount } from './payment/money.ts';
import type { Order } from './payment/order.ts';
import { isGone, type Payment } from './payment/payment.ts';
import { isOverdue, waiting } from './payment/refund-steps.ts';
import { leftOf, type Reversal } from './payment/reversal.ts';
import { nextLookAt } from './payment/watch.ts';
import type { Report } from './reconcile.ts';
import { attemptRefund } from './refund.ts';
import type { Rooms } from './rooms.ts';
import { type Settlement, settleEach, settlePayment } from './settle.ts';
import { OrderBusy, StoreUnexpected } from './store/errors.ts';
import { isRefundId } from './store/refunds.ts';

const nothing = 0 as Amount;

/** A run takes this many of each kind; the rest is still due at the next one. */
const mostAtOnce = 200;
/** One item takes less than this. Milliseconds. */
const roomForOne = 12_000;

export async function workOffDue(rooms: Rooms, deadline: Deadline, report: Report): Promise<boolean> {
  const now = unixSeconds(rooms.clock);
  const orders = await rooms.orders.due(now, mostAtOnce);
  const reversals = await rooms.reversals.due(now, mostAtOnce);
  const tasks = [
    ...orders.map((id) => ({ id, work: () => lookAtOrder(rooms, id, deadline) })),
    ...reversals.map((id) => ({
      id,
      work: () => (isRefundId(id) ? lookAtRefund : lookAtReversal)(rooms, id, deadline, report),
    })),
  ];
  for (const { id, work } of tasks) {
    if (deadline.leftMs() < roomForOne) return false;
    report.due += 1;
    try {
      await work();
    } catch (error) {
      if (!isOfOneItem(error)) throw error;
      // It stays due, and is looked at again in the next run.
      report.faults.push(`${id}: ${error.message}`);
    }
  }
  return tasks.length < mostAtOnce;
}

/** A fault that says nothing about other payments and orders: they are gone on with. Without DynamoDB nothing can be. */
export const isOfOneItem = (error: unknown): error is Error =>
  error instanceof IamportFault || error instanceof StoreUnexpected || error instanceof OrderBusy;

async function lookAtOrder(rooms: Rooms, merchantUid: string, deadline: Deadline): Promise<void> {
  const order = await rooms.orders.read(merchantUid);
  const now = unixSeconds(rooms.clock);
  if (order?.dueAt === undefined || order.dueAt > now) return;
  if (order.isUnprepared && order.state.status === 'ready') {
    const isPrepared = await prepareAgain(rooms, order, deadline);
    const later = Math.min(now + tryAgainAfter, order.expiresAt ?? Number.POSITIVE_INFINITY);
    const isOver = order.expiresAt !== undefined && order.expiresAt <= now;
    if (isPrepared) await rooms.orders.note(order, dueAtOf({ ...order, isUnprepared: undefined }, now));
    else if (!isOver) await rooms.orders.note(order, { isUnprepared: true, dueAt: later });
    if (isPrepared || !isOver) return;
  }
  // Nothing expires, and no deposit is taken to be safe, before Iamport was asked.
  const after = await settleEach(rooms, merchantUid, await paymentsOf(rooms, order, deadline), deadline);
  if (after?.revision !== order.revision) return;
  const decision = decideDue(after, now);
  if (decision.kind === 'change') await rooms.orders.change(after, decision.next, now);
  if (decision.kind === 'seen') await rooms.orders.note(after, {});
}

/** How long what Iamport refused is left alone, so that it does not stand in the way of what else is due. Seconds. */
const tryAgainAfter = 3_600;

async function prepareAgain({ iamport }: Rooms, order: Order, deadline: Deadline): Promise<boolean> {
  try {
    await iamport.prepare(order, deadline);
    return true;
  } catch (error) {
    if (error instanceof IamportFault) return false;
    throw error;
  }
}

const dueAtOf = (
  { state, expiresAt }: Pick<Order, 'state' | 'expiresAt'> & { isUnprepared: undefined },
  now: number,
) => {
  const dueAt = nextLookAt({ state, ...(expiresAt !== undefined && { expiresAt }) }, now);
  return dueAt === undefined ? {} : { dueAt };
};

/** The payment that the order waits for or stands on; before there is one, every attempt. */
async function paymentsOf({ iamport }: Rooms, order: Order, deadline: Deadline): Promise<readonly Payment[]> {
  const { state, merchantUid, tier } = order;
  const impUid =
    state.status === 'virtual_account_issued' ? state.account.impUid : 'record' in state ? state.impUid : undefined;
  if (impUid === undefined) return iamport.payments(merchantUid, deadline, tier);
  const payment = await iamport.payment(impUid, deadline, tier);
  if (!payment) throw new IamportUnexpected(`Iamport knows ${impUid} no more`);
  return [payment];
}

async function lookAtReversal(rooms: Rooms, impUid: string, deadline: Deadline, report: Report): Promise<void> {
  const reversal = await rooms.reversals.read(impUid);
  if (!reversal || reversal.state === 'done') return;
  const order = await rooms.orders.read(reversal.merchantUid);
  const payment = await rooms.iamport.payment(impUid, deadline, order?.tier);
  if (!payment) throw new IamportUnexpected(`Iamport knows ${impUid} no more`);
  const settlement = await settlePayment(rooms, payment, await rooms.orders.read(payment.merchantUid), deadline);
  const now = unixSeconds(rooms.clock);
  if (isOver(reversal, payment, settlement)) {
    await rooms.reversals.finish(impUid, now, isGone(payment) ? undefined : nothing);
  }
  // Still for a person: looked at again later, and later each time.
  else if (reversal.state === 'manual') {
    if (reversal.kind !== 'orphan' && workingSeconds(reversal.createdAt, now) > workingDay) report.overdue += 1;
    await rooms.reversals.seen(reversal, leftOf(reversal, payment), now);
  }
}

/** Nothing is left to undo: the money is back, the account is gone, or the order turned out to stand on this payment. */
function isOver(reversal: Reversal, payment: Payment, settlement: Settlement): boolean {
  // In a test channel no money moved, and no account is one.
  if (payment.sandbox) return true;
  // What came on top of the amount is no part of the payment, and not back because the payment is: the operator says when.
  if (isGone(payment)) return reversal.reason !== 'deposit_excess';
  if (settlement.kind !== 'settled') return false;
  const { outcome } = settlement;
  // An open account is left alone only where the order waits for this very one, or had its money and may have it again.
  if (payment.state.kind === 'awaiting_deposit') {
    const isWaitedFor = outcome.status === 'virtual_account_issued' || outcome.status === 'deposit_reversed';
    return isWaitedFor && outcome.impUid === reversal.impUid;
  }
  return outcome.status !== 'rejected' && outcome.impUid === reversal.impUid && !outcome.reversal;
}

async function lookAtRefund(rooms: Rooms, id: string, deadline: Deadline, report: Report): Promise<void> {
  const refund = await rooms.refunds.read(id);
  const now = unixSeconds(rooms.clock);
  if (refund?.dueAt === undefined || refund.dueAt > now) return;
  const order = await rooms.orders.read(refund.merchantUid);
  const tier = order?.tier;
  try {
    const payment = await rooms.iamport.payment(refund.impUid, deadline, tier);
    if (!payment) throw new IamportUnexpected(`Iamport knows ${refund.impUid} no more`);
    const { refunds: others } = await rooms.reversals.ofOrder(refund.merchantUid);
    const after = await attemptRefund(rooms, refund, payment, deadline, { tier, others });
    if (isOverdue(after, now)) report.overdue += 1;
  } catch (error) {
    if (!isOfOneItem(error)) throw error;
    // Its next look comes later, so that a refund that cannot be read does not take the time of the others.
    await rooms.refunds.change(refund, waiting(refund, refund.needs, now));
    if (isOverdue(refund, now)) report.overdue += 1;
    throw error;
  }
}
