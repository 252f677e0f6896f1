import { orderShards } from '../../adapters/dynamodb/watched.ts';
import { decide } from '../../payment/decide.ts';
import { decideDue } from '../../payment/due.ts';
import type { Amount } from '../../payment/money.ts';
import { dueSince, nextLookAt } from '../../payment/next-check.ts';
import type { Order } from '../../payment/order.ts';
import { isGone, type Payment } from '../../payment/payment.ts';
import { isRefundId } from '../../payment/refund.ts';
import { isOverdue as isRefundOverdue, waiting } from '../../payment/refund-steps.ts';
import { postponed } from '../../payment/retry.ts';
import { checked, isOverdue, isTakenBack, leftOf, opened, type Reversal } from '../../payment/reversal.ts';
import type { Rooms } from '../../runtime/dependencies.ts';
import { type Deadline, deadlineIn, unixSeconds } from '../../shared/clock.ts';
import {
  IamportFault,
  IamportUnavailable,
  IamportUnexpected,
  isItemFault,
  StoreRefused,
  StoreUnexpected,
} from '../faults.ts';
import type { Due } from '../ports.ts';
import { attemptRefund } from '../refund.ts';
import { attempt } from '../reverse.ts';
import { type Settlement, settleEach, settlePayment } from '../settle.ts';
import { addFault, concurrency, forEachItem, type Report } from './report.ts';

const nothing = 0 as Amount;

/** How many of each class a round takes: a round is short, so that money which becomes due meanwhile does not wait for the others. */
const perRound = { money: 200, revoke: 50, order: 100, check: 50 } as const;
type DueClass = keyof typeof perRound;
const classes = ['money', 'revoke', 'order', 'check'] as const satisfies readonly DueClass[];

/** One item may take this long. Milliseconds. */
const maxTimePerItemMs = 12_000;
/** An item that this version cannot read is checked again after this. Seconds. */
const unreadableAgainAfter = 3_600;

interface Task {
  readonly of: DueClass;
  readonly due: Due;
  /** Since when the item waits for the check; known once it was read. */
  since?: number;
}

/** What a run has processed: an index lags, so an item may be listed again. */
export type Processed = Set<string>;

/**
 * Processes all that is due, round by round: money first in each, so that a refund which becomes due meanwhile does not wait for a
 * backlog of orders.
 * @returns false when time ran out or Iamport stopped answering
 */
export async function processDue(
  rooms: Rooms,
  processed: Processed,
  deadline: Deadline,
  report: Report,
): Promise<boolean> {
  const faults = { unanswered: 0, answered: false };
  for (;;) {
    const tasks = (await listDue(rooms)).filter(({ due }) => !processed.has(nameOf(due)));
    if (tasks.length === 0) return true;
    const isWhole = await processRound(rooms, tasks, processed, faults, deadline, report);
    if (!isWhole) return false;
  }
}

const idOf = ({ due }: Task): string => due.id;
const nameOf = ({ id, dueAt }: Due): string => `${id} ${dueAt}`;

/** @returns money first, then one of each other class in turn */
async function listDue(rooms: Rooms): Promise<Task[]> {
  const now = unixSeconds(rooms.clock);
  const listed = await Promise.all(
    classes.map(async (of) => {
      const due =
        of === 'order'
          ? await rooms.orders.due(now, perRound.order / orderShards.length)
          : await rooms.reversals.due(of, now, perRound[of]);
      return due.map((one): Task => ({ of, due: one }));
    }),
  );
  const [money = [], ...others] = listed;
  const longest = Math.max(0, ...others.map(({ length }) => length));
  const inTurn = Array.from({ length: longest }, (_none, at) => others.flatMap((tasks) => tasks[at] ?? []));
  return [...money, ...inTurn.flat()];
}

/** How Iamport answers in this run. */
interface Faults {
  /** Calls without an answer in a row. */
  unanswered: number;
  answered: boolean;
}

async function processRound(
  rooms: Rooms,
  tasks: readonly Task[],
  processed: Processed,
  faults: Faults,
  deadline: Deadline,
  report: Report,
): Promise<boolean> {
  let isWhole = true;
  const process = (some: readonly Task[]) =>
    forEachItem(report, some, idOf, async (task) => {
      // As many faults in a row as there are calls at once: Iamport is down, and the next run begins here.
      if (faults.unanswered >= concurrency || deadline.leftMs() < maxTimePerItemMs) {
        isWhole = false;
        return;
      }
      processed.add(nameOf(task.due));
      report.due += 1;
      try {
        await processItem(rooms, task, deadlineIn(rooms.clock, maxTimePerItemMs), report);
        Object.assign(faults, { unanswered: 0, answered: true });
      } catch (error) {
        faults.unanswered = error instanceof IamportUnavailable ? faults.unanswered + 1 : 0;
        throw error;
      }
    });
  const isMoney = ({ of }: Task) => of === 'money';
  const failed = [
    ...(await process(tasks.filter(isMoney))),
    ...(await process(tasks.filter((task) => !isMoney(task)))),
  ];
  // An outage is no fault of the items, and they stay due.
  const theirs = failed.filter(({ error }) => faults.answered || !(error instanceof IamportUnavailable));
  await forEachItem(
    report,
    theirs,
    ({ item }) => item.due.id,
    async ({ item, error }) => {
      await postpone(rooms, item, error);
    },
  );
  return isWhole;
}

function processItem(rooms: Rooms, task: Task, deadline: Deadline, report: Report): Promise<void> {
  if (task.of === 'order') return processDueOrder(rooms, task, deadline, report);
  return (isRefundId(task.due.id) ? processDueRefund : processDueReversal)(rooms, task, deadline, report);
}

/** Without this an item that fails in every run would be listed first in every run. */
function postpone(rooms: Rooms, { of, due, since = due.dueAt }: Task, error: Error): Promise<void> {
  const now = unixSeconds(rooms.clock);
  const isUnreadable = error instanceof StoreUnexpected || error instanceof StoreRefused;
  const until = isUnreadable ? now + unreadableAgainAfter : postponed(since, now);
  return (of === 'order' ? rooms.orders : rooms.reversals).postpone(due, until);
}

/** @returns how long the oldest item that is still due has been due; seconds */
export async function oldestDue(rooms: Rooms): Promise<number> {
  const now = unixSeconds(rooms.clock);
  const oldest = await Promise.all([
    rooms.orders.due(now, 1),
    ...(['money', 'revoke', 'check'] as const).map((of) => rooms.reversals.due(of, now, 1)),
  ]);
  return now - Math.min(now, ...oldest.flat().map(({ dueAt }) => dueAt));
}

async function processDueOrder(rooms: Rooms, task: Task, deadline: Deadline, report: Report): Promise<void> {
  const order = await rooms.orders.read(task.due.id);
  const now = unixSeconds(rooms.clock);
  if (order?.dueAt === undefined || order.dueAt > now) return;
  task.since = dueSince(order);
  if (order.isUnprepared && order.state.status === 'ready' && (await prepareAgain(rooms, order, deadline))) return;
  // Iamport is asked before an order expires and before a deposit counts as still there.
  const { payments, unreadable } = await paymentsOf(rooms, order, deadline);
  for (const impUid of unreadable) addFault(report, `${impUid} of order ${order.merchantUid}: its form is unknown`);
  const after = await settleEach(rooms, order.merchantUid, payments, deadline);
  if (!after || after.revision !== order.revision) return;
  const decision = decideDue(after, now);
  if (decision.kind === 'change') await rooms.orders.change(after, decision.next, now);
  else await rooms.orders.note(after, plannedAt(after, now));
}

const plannedAt = (order: Order, now: number): Pick<Order, 'dueAt'> => {
  const dueAt = nextLookAt(order, now);
  // A time that has passed would make it due again at once.
  return dueAt === undefined || dueAt <= now ? {} : { dueAt };
};

/** How long an amount that Iamport refused to register is left alone. Seconds. */
const prepareAgainAfter = 3_600;

/** @returns false when the order's time for payment is over: no window has to open any more */
async function prepareAgain(rooms: Rooms, order: Order, deadline: Deadline): Promise<boolean> {
  const now = unixSeconds(rooms.clock);
  if (order.expiresAt !== undefined && order.expiresAt <= now) return false;
  const isPrepared = await rooms.iamport.prepare(order, deadline, order.preparedAmount).catch((error: unknown) => {
    if (error instanceof IamportFault) return undefined;
    throw error;
  });
  if (isPrepared) {
    const { isUnprepared: _was, ...prepared } = order;
    const preparedAmount = rooms.orders.isShops && isPrepared === 'prepared' ? { preparedAmount: order.amount } : {};
    await rooms.orders.note(order, { ...plannedAt(prepared, now), ...preparedAmount });
  } else {
    const later = Math.min(now + prepareAgainAfter, order.expiresAt ?? Number.POSITIVE_INFINITY);
    await rooms.orders.note(order, { isUnprepared: true, dueAt: later });
  }
  return true;
}

/** The payment that the order waits for or was settled by; before there is one, every attempt. */
async function paymentsOf({ iamport }: Rooms, order: Order, deadline: Deadline) {
  const { state, merchantUid, tier } = order;
  const impUid =
    state.status === 'virtual_account_issued' ? state.account.impUid : 'record' in state ? state.impUid : undefined;
  if (impUid === undefined) return iamport.payments(merchantUid, deadline, tier);
  const payment = await iamport.payment(impUid, deadline, tier);
  if (!payment) throw new IamportUnexpected(`Payment ${impUid} not found at Iamport`);
  return { payments: [payment], unreadable: [] };
}

async function processDueReversal(rooms: Rooms, task: Task, deadline: Deadline, report: Report): Promise<void> {
  const reversal = await rooms.reversals.read(task.due.id);
  if (!reversal || reversal.state === 'done') return;
  task.since = reversal.createdAt;
  const { impUid } = reversal;
  const known = await readableOrder(rooms, reversal, report);
  const payment = await rooms.iamport.payment(impUid, deadline, known?.tier);
  if (!payment) throw new IamportUnexpected(`Payment ${impUid} not found at Iamport`);
  // Read after the payment, so that a write of it is never older than the payment.
  const order = known && (await rooms.orders.read(payment.merchantUid));
  const settlement =
    order && !stands(rooms, reversal, payment, order)
      ? await settlePayment(rooms, payment, order, deadline)
      : undefined;
  const now = unixSeconds(rooms.clock);
  if (isOver(reversal, payment, settlement, now)) {
    await rooms.reversals.finish(impUid, now, isGone(payment) ? undefined : nothing);
    return;
  }
  const current = settlement ? await rooms.reversals.read(impUid) : reversal;
  // Settling may have sent the next request already.
  if (current?.revision === reversal.revision) await carryOn(rooms, current, payment, order, deadline, report);
}

/** A cancel that was decided is carried out, though the shop may have changed the price of its order back since. */
function stands({ policy }: Rooms, { kind, state }: Reversal, payment: Payment, order: Order): boolean {
  return kind === 'cancel' && state === 'requested' && decide(order, payment, policy).kind === 'change';
}

/** A reversal does not wait for an order that is gone or cannot be read. */
async function readableOrder(
  rooms: Rooms,
  { impUid, merchantUid }: Pick<Reversal, 'impUid' | 'merchantUid'>,
  report: Report,
) {
  try {
    return await rooms.orders.read(merchantUid);
  } catch (error) {
    if (!(error instanceof StoreUnexpected || error instanceof StoreRefused)) throw error;
    addFault(report, `${impUid}: ${error.message}`);
    return undefined;
  }
}

/** Something is left to undo: sends the next request, or plans the next check. */
async function carryOn(
  rooms: Rooms,
  reversal: Reversal,
  payment: Payment,
  order: Order | undefined,
  deadline: Deadline,
  report: Report,
): Promise<void> {
  const now = unixSeconds(rooms.clock);
  const next = replaced(rooms, reversal, payment, order, now);
  const current = next ? await rooms.reversals.move(reversal, next) : reversal;
  const fits = payment.state.kind === (current.kind === 'revoke' ? 'awaiting_deposit' : 'kept');
  const claimed = fits ? await rooms.reversals.claim(current, now) : undefined;
  if (claimed) {
    await attempt(rooms, claimed, payment, order, deadline);
    return;
  }
  if (isOverdue(current, now)) report.overdue += 1;
  if (current.state !== 'manual' && current.acceptedAt === undefined && current.kind !== 'orphan') return;
  await rooms.reversals.move(current, checked(current, leftOf(current, payment), now));
}

/** A reversal becomes another one when the bank took the deposit back, or somebody paid into an account that was to be revoked. */
function replaced(
  rooms: Rooms,
  reversal: Reversal,
  payment: Payment,
  order: Order | undefined,
  now: number,
): Omit<Reversal, 'revision'> | undefined {
  const { impUid, merchantUid, reason, currency } = reversal;
  const manual = { impUid, merchantUid, reason, currency, kind: 'manual' } as const;
  if (reversal.kind === 'revoke' && payment.state.kind === 'kept' && !order) {
    return opened({ ...manual, amount: payment.state.kept }, 0, now);
  }
  if (!isTakenBack(reversal, payment)) return undefined;
  const decision = decide(order, payment, rooms.policy);
  const decided = decision.kind === 'reject' ? decision.reversal : undefined;
  return opened(decided ?? { ...manual, amount: nothing }, 0, now);
}

/** An account cannot be paid into any more this long after its deadline. Seconds. */
const afterDeadline = 3_600;

/** Nothing is left to undo: the money is back, the account is gone, or the order was settled by this payment after all. */
function isOver(reversal: Reversal, payment: Payment, settlement: Settlement | undefined, now: number): boolean {
  // In a test channel no money moves, and no account is one.
  if (payment.sandbox) return true;
  // An excess deposit is no part of the payment, and not back because the payment is: the operator records when it is.
  if (isGone(payment)) return reversal.reason !== 'deposit_excess';
  const { state } = payment;
  const isUnpaidAccount = state.kind === 'awaiting_deposit' && reversal.amount === 0;
  if (isUnpaidAccount && (state.account.dueAt ?? now) + afterDeadline < now) return true;
  if (settlement?.kind !== 'settled') return false;
  const { outcome } = settlement;
  // An open account stays only where the order waits for it, or had its money and may have it again.
  if (state.kind === 'awaiting_deposit') {
    const isWaitedFor = outcome.status === 'virtual_account_issued' || outcome.status === 'deposit_reversed';
    return isWaitedFor && outcome.impUid === reversal.impUid;
  }
  return outcome.status !== 'rejected' && outcome.impUid === reversal.impUid && !outcome.reversal;
}

async function processDueRefund(rooms: Rooms, task: Task, deadline: Deadline, report: Report): Promise<void> {
  const refund = await rooms.refunds.read(task.due.id);
  const now = unixSeconds(rooms.clock);
  if (refund?.dueAt === undefined || refund.dueAt > now) return;
  task.since = refund.createdAt;
  const order = await readableOrder(rooms, refund, report);
  const tier = order?.tier;
  try {
    const payment = await rooms.iamport.payment(refund.impUid, deadline, tier);
    if (!payment) throw new IamportUnexpected(`Payment ${refund.impUid} not found at Iamport`);
    const { refunds: others } = await rooms.reversals.ofOrder(refund.merchantUid);
    const after = await attemptRefund(rooms, refund, payment, deadline, { tier, others });
    if (isRefundOverdue(after, now)) report.overdue += 1;
  } catch (error) {
    if (!isItemFault(error)) throw error;
    await rooms.refunds.change(refund, waiting(refund, refund.needs, now));
    if (isRefundOverdue(refund, now)) report.overdue += 1;
    throw error;
  }
}
