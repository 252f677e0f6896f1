/**
 * Reads one page of a scan and settles its payments. A page that cannot be read is read again in smaller pages, and a
 * single payment that cannot be read is skipped.
 */

import { decide } from '../../payment/decide.ts';
import { isOrderNumber } from '../../payment/order.ts';
import { isGone, type Payment } from '../../payment/payment.ts';
import { checked, isUndone, leftOf, type Reversal, supersedes } from '../../payment/reversal.ts';
import {
  afterPage,
  afterShrinking,
  listStatuses,
  nextList,
  pageNumber,
  type ScanCursor,
  shorterPage,
  smallerPage,
  withoutOne,
} from '../../payment/scan-cursor.ts';
import { unixSeconds } from '../../shared/clock.ts';
import { IamportFault, IamportRefused, IamportTooLarge, IamportUnexpected, StoreThrottled } from '../faults.ts';
import { policyFor } from '../policy.ts';
import type { PaymentPage } from '../ports/iamport.ts';
import type { Unresolved } from '../ports/stores.ts';
import { settle } from '../settle.ts';
import { createHealth } from './health.ts';
import { readOrders } from './read-orders.ts';
import {
  addFault,
  addSkipped,
  concurrency,
  faultOf,
  forEachItem,
  maxTimePerItemMs,
  type Run,
  unknownForm,
} from './report.ts';
import { recordUnmatched } from './unmatched.ts';
import { withUnresolved } from './unresolved.ts';

/** The result of one page. */
type Step =
  | {
      readonly kind: 'continue';
      readonly next: ScanCursor | undefined;
      readonly unresolved: readonly Unresolved[];
      /** The page was read. */
      readonly isRead?: true;
      /** A payment was skipped that may be readable later. */
      readonly isSkipped?: true;
    }
  /** An outage, or no time left: the next run starts at the cursor. */
  | {
      readonly kind: 'stop';
      readonly cursor: ScanCursor;
      readonly unresolved: readonly Unresolved[];
      readonly isRead?: true;
    };

/**
 * Reads and settles the page at the cursor.
 * @param mayStepBack false after too many steps back
 * @returns the cursor of the next page, undefined after the last one, and the payments that are still unresolved
 * @throws IamportRefused when Iamport refuses the keys
 */
export async function scanPage(
  run: Run,
  { cursor, unresolved }: { readonly cursor: ScanCursor; readonly unresolved: readonly Unresolved[] },
  mayStepBack: boolean,
): Promise<Step> {
  const { pageSizes } = run.deps;
  const result = await readPage(run, cursor);
  if (result.kind === 'page') {
    const settled = await settlePage(run, result.page, unresolved);
    if (settled.end !== 'complete') {
      // Otherwise a page with more work than a run has time for, or more orders than the table has capacity for, would be
      // read again in every run. Fewer throttled orders than `concurrency` do not stop a page.
      const shorter = shorterPage(cursor, concurrency, pageSizes);
      const isTooLong = settled.end === 'no_time' || (settled.end === 'throttled' && shorter.size >= concurrency);
      const again = isTooLong ? shorter : cursor;
      return { kind: 'stop', cursor: again, unresolved: settled.unresolved, isRead: true };
    }
    const { payments, unreadable, total, next: nextPage } = result.page;
    // Past its end a list may name a next page for ever.
    const isPastEnd = payments.length + unreadable.length === 0 && total <= cursor.offset;
    const facts = { total, isLast: nextPage === 0 || isPastEnd };
    const next = afterPage(cursor, facts, mayStepBack, pageSizes);
    return { kind: 'continue', next, unresolved: settled.unresolved, isRead: true };
  }
  if (result.kind === 'outage') return { kind: 'stop', cursor, unresolved };
  if (result.kind === 'shrunk')
    return { kind: 'continue', next: afterShrinking(cursor, result.total, pageSizes), unresolved };
  const smaller = smallerPage(cursor, pageSizes);
  if (smaller) return { kind: 'continue', next: smaller, unresolved };
  const { error, isPermanent } = result;
  // Every payment of the list was skipped, and Iamport refuses a page past its end.
  const isPastEnd = error instanceof IamportRefused && cursor.total === undefined && cursor.offset > 0;
  if (isPastEnd) return { kind: 'continue', next: nextList(cursor, pageSizes), unresolved };
  const where = `payment ${cursor.offset + 1} of the list ${cursor.status}, ${cursor.from} to ${cursor.to}`;
  addSkipped(run.report, faultOf(run.tier, `${where}: ${error.message}`));
  return {
    kind: 'continue',
    next: withoutOne(cursor, pageSizes),
    unresolved,
    ...(!isPermanent && { isSkipped: true as const }),
  };
}

type PageResult =
  | { readonly kind: 'page'; readonly page: PaymentPage }
  | { readonly kind: 'outage' }
  /** The page no longer exists, since the list became shorter. */
  | { readonly kind: 'shrunk'; readonly total: number }
  /** Iamport returns other pages, but not this one. `isPermanent`: the same page will fail again. */
  | { readonly kind: 'unreadable'; readonly isPermanent: boolean; readonly error: Error };

async function readPage({ deps, report, tier }: Run, cursor: ScanCursor): Promise<PageResult> {
  const { from, to, status, size: limit } = cursor;
  const list = (of: typeof status, page: number, size: number) =>
    deps.iamport.listPayments({ status: of, from, to, page, limit: size, tier });
  try {
    return { kind: 'page', page: await list(status, pageNumber(cursor), limit) };
  } catch (error) {
    if (!(error instanceof IamportFault)) throw error;
    if (error instanceof IamportRefused && error.status === 401) throw error;
    if (error instanceof IamportTooLarge) return { kind: 'unreadable', isPermanent: true, error };
    // When Iamport returns another page, only this page is faulty.
    const first = cursor.offset > 0 ? await list(status, 1, 1).catch(unlessFault) : undefined;
    if (first && first.total <= cursor.offset) return { kind: 'shrunk', total: first.total };
    if (first) return { kind: 'unreadable', isPermanent: false, error };
    for (const other of listStatuses.filter((one) => one !== status)) {
      if (await list(other, 1, 1).catch(unlessFault)) return { kind: 'unreadable', isPermanent: false, error };
    }
    addFault(report, faultOf(tier, `List ${status}: ${error.message}`));
    return { kind: 'outage' };
  }
}

function unlessFault(error: unknown): undefined {
  if (!(error instanceof IamportFault)) throw error;
}

/** A payment to be settled. */
interface ToSettle {
  readonly payment: Payment;
  /** The sub-merchant's code with which it is read. */
  readonly tier: string | undefined;
}

/** The payments of a page, sorted by the work that they need. */
interface SortedPayments {
  readonly settle: ToSettle[];
  readonly unmatched: Payment[];
  /** Recorded unmatched payments whose kept amount has changed. */
  readonly changed: { readonly payment: Payment; readonly known: Reversal }[];
  /** Payments whose money went back. Their reversals may be over. */
  readonly returned: Payment[];
  /** Payments of orders that cannot be read, with the error where DynamoDB throttled the order. */
  readonly blocked: { readonly payment: Payment; readonly error?: Error }[];
}

/** @returns `end: 'complete'`, or the page has to be read again */
async function settlePage(
  run: Run,
  page: PaymentPage,
  before: readonly Unresolved[],
): Promise<{ end: End; unresolved: readonly Unresolved[] }> {
  const { deps, report } = run;
  report.payments += page.payments.length + page.unreadable.length;
  const { orderPrefix } = deps.config;
  // Without an order number it may be ours.
  const unreadable = page.unreadable.filter(({ merchantUid = orderPrefix }) => merchantUid.startsWith(orderPrefix));
  report.unreadable += unreadable.length;
  for (const { impUid } of unreadable) addFault(report, `${impUid}: ${unknownForm}`);
  const sorted = await sortPayments(run, page.payments).catch((error: unknown) => {
    if (!(error instanceof StoreThrottled)) throw error;
    addFault(report, faultOf(run.tier, error.message));
  });
  if (!sorted) return { end: 'throttled', unresolved: before };
  const { settle: unsettled, unmatched, changed, returned, blocked } = sorted;
  const unrecorded = [
    ...(await recordUnmatched(run, unmatched)),
    ...(await forEachItem(
      report,
      changed,
      ({ payment }) => payment.impUid,
      async ({ payment, known }) => {
        await deps.reversals.move(known, checked(known, leftOf(known, payment), unixSeconds(deps.clock)));
      },
    )),
    ...(await forEachItem(report, returned, idOf, async ({ impUid }) => {
      await deps.reversals.finish(impUid, unixSeconds(deps.clock));
    })),
  ];
  // Those that an earlier page or run recorded are settled on their own schedule.
  const recorded = new Set(before.map(({ impUid }) => impUid));
  const isRecorded = ({ payment }: ToSettle) => recorded.has(payment.impUid);
  const { failed, end: settledUntil } = await settleAll(
    run,
    unsettled.filter((one) => !isRecorded(one)),
  );
  const end = unrecorded.some(isThrottled) ? 'outage' : settledUntil;
  if (end !== 'complete') return { end, unresolved: before };
  for (const { payment, error } of blocked) {
    const reason = error ? `: ${error.message}` : '';
    addFault(report, `${payment.impUid}: order ${payment.merchantUid} cannot be read${reason}`);
  }
  const failures = [...blocked, ...unsettled.filter(isRecorded), ...failed];
  const { unresolved, isFull } = withUnresolved(run, before, page.payments, failures);
  return { end: isFull ? 'outage' : end, unresolved };
}

const idOf = ({ impUid }: Payment): string => impUid;

/** Only the page shows that the record of a payment is missing, so it is read again. */
const isThrottled = ({ error }: { readonly error: Error }): boolean => error instanceof StoreThrottled;

async function sortPayments({ deps, report }: Run, payments: readonly Payment[]): Promise<SortedPayments> {
  const { orderPrefix } = deps.config;
  const ours = payments.filter(({ merchantUid }) => merchantUid.startsWith(orderPrefix));
  const numbers = ours.map(({ merchantUid }) => merchantUid).filter(isOrderNumber);
  const { orders, unreadable, throttled } = await readOrders(deps, numbers);
  const isUnread = new Set([...unreadable, ...throttled.keys()]);
  const orderOf = new Map(orders.map((order) => [order.merchantUid, order]));
  report.matched += ours.filter(({ merchantUid }) => orderOf.has(merchantUid)).length;
  const policy = await policyFor(deps, ours);
  const decided = ours
    .filter(({ merchantUid }) => !isUnread.has(merchantUid))
    .map((payment) => ({ payment, decision: decide(orderOf.get(payment.merchantUid), payment, policy) }));
  // A decision that does not change the order is recorded in the payment's reversal.
  const known = await deps.reversals.readMany(
    decided
      .filter(({ payment, decision }) => needsReversal(decision.kind, payment))
      .map(({ payment }) => payment.impUid),
  );
  for (const impUid of known.unreadable) addSkipped(report, `${impUid}: its reversal cannot be read`);
  const reversalOf = (payment: Payment): Reversal | undefined => known.reversals.get(payment.impUid);
  const readable = decided.filter(({ payment }) => !known.unreadable.includes(payment.impUid));
  const of = (is: (one: (typeof decided)[number]) => boolean) => readable.filter(is).map(({ payment }) => payment);
  return {
    settle: of(({ payment, decision }) => {
      if (decision.kind === 'change') return true;
      if (decision.kind !== 'reject' || !decision.reversal) return false;
      // A recorded reversal is processed from the index `due`.
      const reversal = reversalOf(payment);
      return reversal === undefined || supersedes(decision.reversal, reversal);
    }).map((payment) => ({ payment, tier: orderOf.get(payment.merchantUid)?.tier })),
    unmatched: of(
      ({ payment, decision }) => decision.kind === 'order_not_found' && !isGone(payment) && !reversalOf(payment),
    ),
    changed: readable.flatMap(({ payment, decision }) => {
      const known = decision.kind === 'order_not_found' && !isGone(payment) && reversalOf(payment);
      return known && known.state !== 'done' && leftOf(known, payment) !== known.amount ? [{ payment, known }] : [];
    }),
    returned: of(({ payment, decision }) => {
      const known = reversalOf(payment);
      const mayBeOver = decision.kind === 'money_returned' || decision.kind === 'order_not_found';
      return mayBeOver && known !== undefined && known.state !== 'done' && isUndone(known, payment);
    }),
    blocked: ours.flatMap((payment) => {
      const error = throttled.get(payment.merchantUid);
      return isUnread.has(payment.merchantUid) ? [{ payment, ...(error && { error }) }] : [];
    }),
  };
}

function needsReversal(kind: ReturnType<typeof decide>['kind'], payment: Payment): boolean {
  const hadMoney = payment.state.kind === 'kept' || payment.state.kind === 'returned';
  return kind === 'reject' || kind === 'money_returned' || (kind === 'order_not_found' && hadMoney);
}

/**
 * How the settlement of a page ended. `no_time`: the page has more work than a run has time. `throttled`: DynamoDB has no
 * capacity for its orders and reversals.
 */
type End = 'complete' | 'outage' | 'no_time' | 'throttled';

interface Unsettled {
  readonly payment: Payment;
  readonly error: Error;
}

/** @returns the payments that could not be settled */
async function settleAll(run: Run, payments: readonly ToSettle[]): Promise<{ failed: Unsettled[]; end: End }> {
  const { deps, report } = run;
  const health = createHealth<ToSettle>(run, ({ payment }) => payment.merchantUid);
  let end: End = 'complete';
  const idOfPayment = ({ payment }: ToSettle) => payment.impUid;
  const failed = await forEachItem(report, payments, idOfPayment, async (item) => {
    if (end !== 'complete') return;
    // The next run reads the page again.
    if (await health.isOutage()) end = 'outage';
    else if (deps.deadline.leftMs() < maxTimePerItemMs) end = 'no_time';
    if (end !== 'complete') return;
    const { payment, tier } = item;
    try {
      const settlement = await settle(deps.within(maxTimePerItemMs), payment.impUid, tier);
      if (settlement.kind === 'settled') report.settled += 1;
      // The payment is in the list of another sub-merchant than its order names, or of the account itself.
      if (settlement.kind === 'payment_not_found') {
        if (tier === run.tier) throw new IamportUnexpected(`Payment ${payment.impUid} not found at Iamport`);
        if ((await recordUnmatched(run, [payment])).some(isThrottled)) end = 'outage';
      }
      health.succeeded();
    } catch (error) {
      health.failed(item, error);
      throw error;
    }
  });
  return { failed: failed.map(({ item, error }) => ({ payment: item.payment, error })), end };
}
