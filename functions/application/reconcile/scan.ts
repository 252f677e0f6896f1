import { decide } from '../../payment/decide.ts';
import { isOrderNumber } from '../../payment/order.ts';
import { isGone, type Payment } from '../../payment/payment.ts';
import { postponed } from '../../payment/retry.ts';
import { checked, expected, isNews, leftOf, type Reversal } from '../../payment/reversal.ts';
import {
  afterPage,
  afterShrinking,
  firstPage,
  isFirstPage,
  listStatuses,
  nextList,
  pageNumber,
  type ScanCursor,
  smallerPage,
  withoutOne,
} from '../../payment/scan-cursor.ts';
import type { Rooms } from '../../runtime/dependencies.ts';
import { type Deadline, deadlineIn, unixSeconds } from '../../shared/clock.ts';
import { IamportFault, IamportRefused, IamportTooLarge, IamportUnavailable, IamportUnexpected } from '../faults.ts';
import type { PaymentPage, ScanCheckpoint, Unresolved } from '../ports.ts';
import { settle, settleEach } from '../settle.ts';
import { addFault, addSkipped, concurrency, forEachItem, type Report } from './report.ts';

export interface ScanWindow {
  readonly name: 'recent' | 'week' | 'quarter';
  /** How far behind its last end a scan begins; seconds. */
  readonly lookBack: number;
  /** How long after its last end it is repeated; seconds. */
  readonly every: number;
}

const minute = 60;
const day = 86_400;

/** Iamport refuses a span of more than 90 days. Seconds. */
const maxSpan = 89 * day;

/** Lists lag, so each scan overlaps the one before; what one missed is found within a day, and within a week. */
export const scanWindows: readonly ScanWindow[] = [
  { name: 'recent', lookBack: 15 * minute, every: 0 },
  { name: 'week', lookBack: 7 * day, every: day },
  { name: 'quarter', lookBack: maxSpan - 7 * day, every: 7 * day },
];

/** A page is read only with this much time left. Milliseconds. */
const minTimePerPageMs = 20_000;
/** One payment may take this long. Milliseconds. */
const maxTimePerItemMs = 12_000;
/** One list may become shorter this often during a run; what is missed then is found by the longer scans. */
const maxStepsBack = 20;
/** More orders than this with a payment that cannot be settled: the rest is reported, and found by the longer scans. */
const maxUnresolved = 500;

/** What the scan of one window works with. */
interface Scan {
  readonly rooms: Rooms;
  readonly window: ScanWindow;
  readonly deadline: Deadline;
  readonly report: Report;
}

/**
 * Goes on where the last run stopped.
 * @param past when the deployment began, in Unix seconds, and the window's checkpoint, if it was ever scanned
 * @returns false when time ran out, Iamport could not be reached, or another run has moved the checkpoint
 */
export async function scanPayments(
  rooms: Rooms,
  window: ScanWindow,
  past: { readonly beginning: number; readonly checkpoint: ScanCheckpoint | undefined },
  deadline: Deadline,
  report: Report,
): Promise<boolean> {
  const scan: Scan = { rooms, window, deadline, report };
  const now = unixSeconds(rooms.clock);
  const { beginning } = past;
  const known: ScanCheckpoint = past.checkpoint ?? { completedUntil: beginning, unresolved: [], revision: 0 };
  if (window.name === 'recent') report.scannedUntil = known.completedUntil;
  const isDue = known.cursor !== undefined || known.completedUntil + window.every <= now;
  const unresolved = await settleUnresolved(scan, known.unresolved);
  if (!isDue) {
    if (unresolved === known.unresolved) return true;
    return (await rooms.checkpoints.write(window.name, { ...known, unresolved })) !== undefined;
  }
  const from = Math.max(beginning, known.completedUntil - window.lookBack);
  // After a long stop the rest is left to the next run.
  const cursor = known.cursor ?? firstPage(from, Math.min(now, from + maxSpan), rooms.pageSizes);
  const completed = await scanFrom(scan, { ...known, unresolved, cursor });
  if (!completed) return false;
  // The span that an earlier run began ends where that run began; the time since then is still to be read.
  return known.cursor ? scanPayments(rooms, window, { beginning, checkpoint: completed }, deadline, report) : true;
}

type Running = ScanCheckpoint & { readonly cursor: ScanCursor };

/**
 * Reads page after page, and saves the checkpoint between the pages of a list.
 * @returns the checkpoint after the last page; undefined when the next run has to go on, or another run has moved the checkpoint
 */
async function scanFrom(scan: Scan, begun: Running): Promise<ScanCheckpoint | undefined> {
  const { rooms, window, deadline, report } = scan;
  let running = begun;
  let stepsBack = 0;
  /** Where payments were passed over, one after the other. */
  let passed: { readonly from: ScanCursor; readonly count: number } | undefined;
  const save = (next: ScanCheckpoint) => rooms.checkpoints.write(window.name, next);
  for (;;) {
    const { cursor } = running;
    if (deadline.leftMs() < minTimePerPageMs) {
      await save(running);
      return undefined;
    }
    const step = await scanPage(scan, running, stepsBack < maxStepsBack);
    running = { ...running, unresolved: step.unresolved };
    if (step.kind === 'stop') {
      const { cursor: _first, ...rest } = running;
      // Where nothing was read, the next run begins with a span that ends when it begins.
      await save(isFirstPage(cursor) ? rest : running);
      return undefined;
    }
    if (step.isRead) passed = undefined;
    if (step.isPassedOver) passed = { from: passed?.from ?? cursor, count: (passed?.count ?? 0) + 1 };
    let { next } = step;
    if (passed && passed.count > maxPassedOver(passed.from)) {
      // So many in a row are an outage of this list rather than payments that cannot be read.
      report.skipped -= passed.count;
      if (passed.from.failures < maxFailures) {
        await save({ ...running, cursor: { ...passed.from, failures: passed.from.failures + 1 } });
        return undefined;
      }
      const { status, offset } = passed.from;
      addSkipped(report, `The list ${status} cannot be read from payment ${offset + 1} on: its rest is passed over`);
      passed = undefined;
      next = nextList(cursor, rooms.pageSizes);
    }
    if (!next) {
      const { cursor: _over, ...rest } = running;
      const saved = await save({ ...rest, completedUntil: cursor.to });
      if (saved && window.name === 'recent') report.scannedUntil = cursor.to;
      return saved;
    }
    if (next.offset < cursor.offset && next.status === cursor.status) stepsBack += 1;
    running = { ...running, cursor: next };
    // A list of one page costs no write of its own.
    if (next.status !== cursor.status || next.offset === cursor.offset || step.isPassedOver) continue;
    const saved = await save(running);
    if (!saved) return undefined;
    running = { ...running, revision: saved.revision };
  }
}

/**
 * After so many runs, an hour of them, that failed at one place the rest of its list is passed over: the other lists must not wait
 * for it for good, and the longer scans read it again.
 */
const maxFailures = 12;
/** Where a run has failed already, more payments may be passed over. */
const maxPassedOver = ({ failures }: ScanCursor): number => (failures === 0 ? 10 : 60);

type Step =
  | {
      readonly kind: 'go on';
      readonly next: ScanCursor | undefined;
      readonly unresolved: readonly Unresolved[];
      /** The page was read. */
      readonly isRead?: true;
      /** A payment was passed over that may be readable later. */
      readonly isPassedOver?: true;
    }
  /** An outage, or no time left: the next run begins at this page. */
  | { readonly kind: 'stop'; readonly unresolved: readonly Unresolved[] };

async function scanPage(scan: Scan, { cursor, unresolved }: Running, mayStepBack: boolean): Promise<Step> {
  const { pageSizes } = scan.rooms;
  const found = await readPage(scan, cursor);
  if (found.kind === 'page') {
    const settled = await settlePage(scan, found.page, unresolved);
    if (!settled.isWhole) return { kind: 'stop', unresolved: settled.unresolved };
    const facts = { total: found.page.total, isLast: found.page.next === 0 };
    const next = afterPage(cursor, facts, mayStepBack, pageSizes);
    return { kind: 'go on', next, unresolved: settled.unresolved, isRead: true };
  }
  if (found.kind === 'outage') return { kind: 'stop', unresolved };
  if (found.kind === 'shrunk')
    return { kind: 'go on', next: afterShrinking(cursor, found.total, pageSizes), unresolved };
  const smaller = smallerPage(cursor, pageSizes);
  if (smaller) return { kind: 'go on', next: smaller, unresolved };
  const { error, isForGood } = found;
  // Every payment of the list was passed over, and Iamport refuses a page past its end.
  const isPastEnd = error instanceof IamportRefused && cursor.total === undefined && cursor.offset > 0;
  if (isPastEnd) return { kind: 'go on', next: nextList(cursor, pageSizes), unresolved };
  const where = `payment ${cursor.offset + 1} of the list ${cursor.status}, ${cursor.from} to ${cursor.to}`;
  addSkipped(scan.report, `${where}: ${error.message}`);
  return {
    kind: 'go on',
    next: withoutOne(cursor, pageSizes),
    unresolved,
    ...(!isForGood && { isPassedOver: true as const }),
  };
}

type Found =
  | { readonly kind: 'page'; readonly page: PaymentPage }
  | { readonly kind: 'outage' }
  /** There is no such page any more. */
  | { readonly kind: 'shrunk'; readonly total: number }
  /** Iamport answers, but not with this page. `isForGood`: the same page will fail again. */
  | { readonly kind: 'unreadable'; readonly isForGood: boolean; readonly error: Error };

async function readPage({ rooms, deadline, report }: Scan, cursor: ScanCursor): Promise<Found> {
  const { from, to, status, size: limit } = cursor;
  const list = (of: typeof status, page: number, size: number) =>
    rooms.iamport.listPayments({ status: of, from, to, page, limit: size }, deadline);
  try {
    return { kind: 'page', page: await list(status, pageNumber(cursor), limit) };
  } catch (error) {
    if (!(error instanceof IamportFault)) throw error;
    if (error instanceof IamportRefused && error.status === 401) throw error;
    if (error instanceof IamportTooLarge) return { kind: 'unreadable', isForGood: true, error };
    // Does Iamport answer for another page? Then this page is the fault.
    const first = cursor.offset > 0 ? await list(status, 1, 1).catch(unlessFault) : undefined;
    if (first && first.total <= cursor.offset) return { kind: 'shrunk', total: first.total };
    if (first) return { kind: 'unreadable', isForGood: false, error };
    for (const other of listStatuses.filter((one) => one !== status)) {
      if (await list(other, 1, 1).catch(unlessFault)) return { kind: 'unreadable', isForGood: false, error };
    }
    addFault(report, `List ${status}: ${error.message}`);
    return { kind: 'outage' };
  }
}

function unlessFault(error: unknown): undefined {
  if (!(error instanceof IamportFault)) throw error;
}

/** The payments of a page sorted by what they need. */
interface Sorted {
  readonly settle: Payment[];
  readonly unmatched: Payment[];
  /** Unmatched payments that are recorded already, with another amount than is left now. */
  readonly changed: { readonly payment: Payment; readonly known: Reversal }[];
  /** The money went back; their reversals may be over. */
  readonly returned: Payment[];
  /** Payments of orders that cannot be read. */
  readonly blocked: Payment[];
}

/** @returns `isWhole: false` when time ran out or Iamport stopped answering: the page has to be read again */
async function settlePage(
  scan: Scan,
  page: PaymentPage,
  before: readonly Unresolved[],
): Promise<{ isWhole: boolean; unresolved: readonly Unresolved[] }> {
  const { rooms, report } = scan;
  report.payments += page.payments.length + page.unreadable.length;
  report.unreadable += page.unreadable.length;
  for (const impUid of page.unreadable) addFault(report, `${impUid}: its form is unknown`);
  const { settle: unsettled, unmatched, changed, returned, blocked } = await sorted(scan, page.payments);
  await recordUnmatched(scan, unmatched);
  await forEachItem(
    report,
    changed,
    ({ payment }) => payment.impUid,
    async ({ payment, known }) => {
      await rooms.reversals.move(known, checked(known, leftOf(known, payment), unixSeconds(rooms.clock)));
    },
  );
  await forEachItem(report, returned, idOf, async ({ impUid }) => {
    await rooms.reversals.finish(impUid, unixSeconds(rooms.clock));
  });
  const { failed, isWhole } = await settleAll(scan, unsettled);
  if (!isWhole) return { isWhole, unresolved: before };
  for (const { impUid, merchantUid } of blocked) addFault(report, `${impUid}: order ${merchantUid} cannot be read`);
  return { isWhole, unresolved: withUnresolved(scan, before, page.payments, [...blocked, ...failed]) };
}

const idOf = ({ impUid }: Payment): string => impUid;

async function sorted({ rooms, report }: Scan, payments: readonly Payment[]): Promise<Sorted> {
  const { orderPrefix } = rooms.config;
  const ours = payments.filter(({ merchantUid }) => merchantUid.startsWith(orderPrefix));
  const numbers = ours.map(({ merchantUid }) => merchantUid).filter(isOrderNumber);
  const { orders, unreadable } = await rooms.orders.readMany(numbers);
  const isUnreadable = new Set(unreadable);
  const orderOf = new Map(orders.map((order) => [order.merchantUid, order]));
  report.matched += ours.filter(({ merchantUid }) => orderOf.has(merchantUid)).length;
  const decided = ours
    .filter(({ merchantUid }) => !isUnreadable.has(merchantUid))
    .map((payment) => ({ payment, decision: decide(orderOf.get(payment.merchantUid), payment, rooms.policy) }));
  // What is decided about a payment that the order does not follow is recorded in its reversal.
  const known = await rooms.reversals.readMany(
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
      // A reversal that is recorded is in the index of what is due.
      const reversal = reversalOf(payment);
      return reversal === undefined || isNews(decision.reversal, reversal);
    }),
    unmatched: of(
      ({ payment, decision }) => decision.kind === 'order_not_found' && !isGone(payment) && !reversalOf(payment),
    ),
    changed: readable.flatMap(({ payment, decision }) => {
      const known = decision.kind === 'order_not_found' && !isGone(payment) && reversalOf(payment);
      return known && known.state !== 'done' && leftOf(known, payment) !== known.amount ? [{ payment, known }] : [];
    }),
    returned: of(
      ({ payment, decision }) =>
        (decision.kind === 'money_returned' || (decision.kind === 'order_not_found' && isGone(payment))) &&
        (reversalOf(payment)?.state ?? 'done') !== 'done',
    ),
    blocked: ours.filter(({ merchantUid }) => isUnreadable.has(merchantUid)),
  };
}

function needsReversal(kind: ReturnType<typeof decide>['kind'], payment: Payment): boolean {
  const hadMoney = payment.state.kind === 'kept' || payment.state.kind === 'returned';
  return kind === 'reject' || kind === 'money_returned' || (kind === 'order_not_found' && hadMoney);
}

/** Money without an order of ours. The account may serve other shops, so it is announced and never sent back. */
async function recordUnmatched({ rooms, report }: Scan, payments: readonly Payment[]): Promise<void> {
  await forEachItem(report, payments, idOf, async ({ impUid, merchantUid, currency, state, sandbox }) => {
    if (state.kind !== 'kept' || sandbox) return;
    const now = unixSeconds(rooms.clock);
    const kind = { kind: 'orphan', reason: 'order_not_found' } as const;
    const request = { impUid, merchantUid, ...kind, amount: state.kept, currency };
    const { created, reversal } = await rooms.reversals.request(request, now, 0);
    if (!created) return;
    report.orphans += 1;
    // Its order may have been registered a moment ago, by a request that did not find this record yet.
    const order = isOrderNumber(merchantUid) ? await rooms.orders.read(merchantUid) : undefined;
    if (order) await rooms.reversals.move(reversal, expected(reversal, now, now));
  });
}

/** @returns the payments that could not be settled; `isWhole: false` when time ran out or Iamport stopped answering */
async function settleAll(
  { rooms, deadline, report }: Scan,
  payments: readonly Payment[],
): Promise<{ failed: Payment[]; isWhole: boolean }> {
  let unanswered = 0;
  let isWhole = true;
  const failed = await forEachItem(report, payments, idOf, async ({ impUid }) => {
    // As many faults in a row as there are calls at once: Iamport is down, and the next run reads the page again.
    if (unanswered >= concurrency || deadline.leftMs() < maxTimePerItemMs) {
      isWhole = false;
      return;
    }
    try {
      const settlement = await settle(rooms, impUid, deadlineIn(rooms.clock, maxTimePerItemMs));
      if (settlement.kind === 'settled') report.settled += 1;
      unanswered = 0;
    } catch (error) {
      unanswered = error instanceof IamportUnavailable ? unanswered + 1 : 0;
      throw error;
    }
  });
  return { failed: failed.map(({ item }) => item), isWhole };
}

/**
 * Money and accounts count, and their cancels, one payment an order: a window that was opened costs nothing.
 * @param before what earlier pages and runs left; a payment of this page that did not fail is resolved
 */
function withUnresolved(
  { rooms, report }: Scan,
  before: readonly Unresolved[],
  page: readonly Payment[],
  failed: readonly Payment[],
): readonly Unresolved[] {
  const since = unixSeconds(rooms.clock);
  const resolved = new Set(page.map(({ impUid }) => impUid));
  for (const { impUid } of failed) resolved.delete(impUid);
  const left = before.filter(({ impUid }) => !resolved.has(impUid));
  const all = new Map(left.map((one) => [one.merchantUid, one]));
  for (const payment of failed) {
    const { impUid, merchantUid, state } = payment;
    // A cancelled payment counts: its order may still be paid by it.
    if (state.kind === 'ready' || state.kind === 'failed' || all.has(merchantUid)) continue;
    if (all.size >= maxUnresolved) addSkipped(report, `${impUid}: too many payments cannot be settled`);
    else all.set(merchantUid, { impUid, merchantUid, since, nextAt: postponed(since, since) });
  }
  return [...all.values()];
}

/** Settles what earlier runs could not, once its time has come. @returns what is still unresolved */
async function settleUnresolved(
  { rooms, deadline, report }: Scan,
  unresolved: readonly Unresolved[],
): Promise<readonly Unresolved[]> {
  const now = unixSeconds(rooms.clock);
  const due = unresolved.filter(({ nextAt }) => nextAt <= now);
  if (due.length === 0) return unresolved;
  const left = new Map(unresolved.map((one) => [one.merchantUid, one]));
  await forEachItem(
    report,
    due,
    ({ impUid }) => impUid,
    async (one) => {
      if (deadline.leftMs() < minTimePerPageMs) return;
      left.set(one.merchantUid, { ...one, nextAt: postponed(one.since, now) });
      const mine = deadlineIn(rooms.clock, maxTimePerItemMs);
      const order = await rooms.orders.read(one.merchantUid);
      // Of several payments of one order that failed only one is recorded, so all of them are settled.
      const { payments, unreadable } = await rooms.iamport.payments(one.merchantUid, mine, order?.tier);
      await settleEach(rooms, one.merchantUid, payments, mine);
      for (const impUid of unreadable) addFault(report, `${impUid}: its form is unknown`);
      // A stranger may add an unreadable attempt to the order at any time, so only the recorded payment counts.
      if (unreadable.includes(one.impUid)) throw new IamportUnexpected('its form is unknown');
      report.settled += 1;
      left.delete(one.merchantUid);
    },
  );
  return [...left.values()];
}
