/**
 * A walk through Iamport's ledger: everything that was paid, cancelled, started or failed in a span of time is held against our
 * orders, and what does not agree is settled by the one path. The net under every notification that may be lost.
 */

import { isOfOneItem } from './due.ts';
import { type Deadline, unixSeconds } from './edge/clock.ts';
import type { LedgerQuery } from './iamport/client.ts';
import { IamportRefused } from './iamport/errors.ts';
import type { LedgerPage } from './iamport/wire.ts';
import { decide } from './payment/decide.ts';
import type { Order } from './payment/order.ts';
import type { Payment } from './payment/payment.ts';
import { isNews } from './payment/reversal.ts';
import type { Report } from './reconcile.ts';
import type { Rooms } from './rooms.ts';
import { settle } from './settle.ts';
import type { Walk } from './store/state.ts';

export interface WalkPlan {
  readonly name: 'recent' | 'week' | 'quarter';
  /** How far behind its last end a walk begins again; seconds. */
  readonly lookBack: number;
  /** How long after its last end it is walked again; seconds. */
  readonly every: number;
}

const minute = 60;
const day = 86_400;

/** Iamport refuses a span of more than 90 days. */
const longestSpan = 89 * day;

/** Lists lag, so each walk overlaps the one before; what slipped through once is found within a day, and within a week. */
export const walkPlans: readonly WalkPlan[] = [
  { name: 'recent', lookBack: 15 * minute, every: 0 },
  { name: 'week', lookBack: 7 * day, every: day },
  { name: 'quarter', lookBack: longestSpan - 7 * day, every: 7 * day },
];

/** Money first. Iamport keeps a list of each, by the time that belongs to it. */
const statuses = ['paid', 'cancelled', 'ready', 'failed'] as const;

/** A page and its payments take less than this, and what is begun should end. Milliseconds. */
const roomForAPage = 20_000;
/** More unsettled payments than this at once are no exceptions: then Iamport or the table is ill, and the walk waits. */
const mostOpenQuestions = 100;
/** How many unsettled payments are settled at the same time. */
const together = 8;

/**
 * Goes on where the last run stopped. The checkpoint moves only past what is settled, or is kept as an open question.
 * @param past when the deployment began, in Unix seconds, and how far this walk has come, if it was ever walked
 * @returns false when time ran out first, or another run is at it
 */
export async function walk(
  rooms: Rooms,
  plan: WalkPlan,
  past: { readonly beginning: number; readonly walk: Walk | undefined },
  deadline: Deadline,
  report: Report,
): Promise<boolean> {
  const now = unixSeconds(rooms.clock);
  const { beginning } = past;
  let state: Walk = past.walk ?? { doneUntil: beginning, openQuestions: [], revision: 0 };
  if (plan.name === 'recent') report.ledgerUntil = state.doneUntil;
  if (!state.underWay && state.doneUntil + plan.every > now) return true;
  state = { ...state, openQuestions: await askAgain(rooms, state.openQuestions, deadline, report) };
  const begin = Math.max(beginning, state.doneUntil - plan.lookBack);
  // After a long stop the rest is left to the next run.
  let cursor = state.underWay ?? { from: begin, to: Math.min(now, begin + longestSpan), status: 0, page: 1 };
  const save = async (next: Pick<Walk, 'doneUntil'> & Partial<Walk>) =>
    rooms.walks.write(plan.name, { openQuestions: state.openQuestions, revision: state.revision, ...next });

  let total: number | undefined;
  for (;;) {
    const status = statuses[cursor.status];
    if (!status) {
      const isSaved = await save({ doneUntil: cursor.to });
      if (isSaved && plan.name === 'recent') report.ledgerUntil = cursor.to;
      return isSaved;
    }
    const isPossible = deadline.leftMs() > roomForAPage && state.openQuestions.length < mostOpenQuestions;
    if (!isPossible) {
      await save({ doneUntil: state.doneUntil, underWay: cursor });
      return false;
    }
    const { from, to, page } = cursor;
    const found = await pageOf(rooms, { status, from, to, page }, deadline);
    if (!found) {
      cursor = { ...cursor, page: page - 1 };
      continue;
    }
    const open = await settlePage(rooms, found, deadline, report);
    state = { ...state, openQuestions: [...new Set([...state.openQuestions, ...open])] };
    // What moved on meanwhile left the list, and others moved up into the page before: that one is read again.
    const shrank = page > 1 && total !== undefined && found.total < total;
    total = found.total;
    if (shrank) cursor = { ...cursor, page: page - 1 };
    else if (found.next > 0) cursor = { ...cursor, page: found.next };
    else {
      cursor = { ...cursor, status: cursor.status + 1, page: 1 };
      total = undefined;
    }
  }
}

/** @returns undefined for a page that is no more, since what was on it moved up or left the list; Iamport refuses to show one */
async function pageOf(rooms: Rooms, query: LedgerQuery, deadline: Deadline): Promise<LedgerPage | undefined> {
  try {
    return await rooms.iamport.ledger(query, deadline);
  } catch (error) {
    if (error instanceof IamportRefused && query.page > 1) return undefined;
    throw error;
  }
}

/** @returns the payments that could not be settled */
async function settlePage(rooms: Rooms, page: LedgerPage, deadline: Deadline, report: Report): Promise<string[]> {
  const { orders, unreadable } = await rooms.orders.readMany(page.payments.map(({ merchantUid }) => merchantUid));
  const isUnreadable = new Set(unreadable);
  const orderOf = new Map(orders.map((order) => [order.merchantUid, order]));
  report.payments += page.payments.length + page.unreadable.length;
  report.unreadable += page.unreadable.length;
  const unsettled: Payment[] = [];
  const open: string[] = [];
  for (const payment of page.payments) {
    if (isUnreadable.has(payment.merchantUid)) {
      report.faults.push(`${payment.impUid}: order ${payment.merchantUid} cannot be read`);
      open.push(payment.impUid);
    } else if (await needsSettling(rooms, payment, orderOf.get(payment.merchantUid), report)) unsettled.push(payment);
  }
  for (let from = 0; from < unsettled.length; from += together) {
    const asked = unsettled
      .slice(from, from + together)
      .map(({ impUid }) => settleOne(rooms, impUid, deadline, report));
    for (const question of await Promise.all(asked)) if (question) open.push(question);
  }
  return open;
}

/** Does the order not yet say what its payment says? Whatever can be told without asking Iamport again is told here. */
async function needsSettling(
  rooms: Rooms,
  payment: Payment,
  order: Order | undefined,
  report: Report,
): Promise<boolean> {
  const decision = decide(order, payment, rooms.policy);
  switch (decision.kind) {
    case 'keep':
      return false;
    case 'order_not_found':
      await noteOrphan(rooms, payment, report);
      return false;
    case 'money_returned':
      await rooms.reversals.finish(payment.impUid, unixSeconds(rooms.clock));
      return false;
    case 'change':
      return true;
    case 'reject': {
      if (!decision.reversal) return false;
      // A reversal that is known is in the index of what is due, and looked after there.
      const known = await rooms.reversals.read(payment.impUid);
      return known === undefined || isNews(decision.reversal, known);
    }
  }
}

/** Money that names no order of ours. The account may serve other shops, so it is told to a person and never sent back. */
async function noteOrphan(rooms: Rooms, payment: Payment, report: Report): Promise<void> {
  if (payment.state.kind !== 'kept' || payment.sandbox) return;
  const { impUid, merchantUid, currency, state } = payment;
  const request = {
    impUid,
    merchantUid,
    kind: 'orphan',
    reason: 'order_not_found',
    amount: state.kept,
    currency,
  } as const;
  const { created } = await rooms.reversals.request(request, unixSeconds(rooms.clock), 0);
  if (created) report.orphans += 1;
}

async function askAgain(
  rooms: Rooms,
  questions: readonly string[],
  deadline: Deadline,
  report: Report,
): Promise<string[]> {
  const open: string[] = [];
  for (const impUid of questions) {
    const question = deadline.leftMs() > roomForAPage ? await settleOne(rooms, impUid, deadline, report) : impUid;
    if (question) open.push(question);
  }
  return open;
}

/** @returns the payment's own id when it could not be settled */
async function settleOne(
  rooms: Rooms,
  impUid: string,
  deadline: Deadline,
  report: Report,
): Promise<string | undefined> {
  try {
    const settlement = await settle(rooms, impUid, deadline);
    if (settlement.kind === 'settled') report.settled += 1;
    return undefined;
  } catch (error) {
    if (!isOfOneItem(error)) throw error;
    report.faults.push(`${impUid}: ${error.message}`);
    return impUid;
  }
}
