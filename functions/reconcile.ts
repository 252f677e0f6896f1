/**
 * The reconciler, every five minutes: holds Iamport's ledger against our orders, and works off what is due. Every notification
 * may be lost and the books still agree within minutes. Safe to run twice at once, and to be killed anywhere.
 */

import type { Context } from 'aws-lambda';
import { isOfOneItem, workOffDue } from './due.ts';
import { type Deadline, deadlineIn, unixSeconds } from './edge/clock.ts';
import { configFrom, environmentOfLambda } from './edge/config.ts';
import { causesOf, writeLog } from './edge/log.ts';
import { IamportRefused } from './iamport/errors.ts';
import { walk, walkPlans } from './ledger.ts';
import { openRooms, type Rooms } from './rooms.ts';

/** What a run did. */
export interface Report {
  /** Payments of the ledger that were held against our orders. */
  payments: number;
  /** Payments that had to be settled. */
  settled: number;
  /** Payments with money and without an order, seen for the first time. */
  orphans: number;
  /** Payments in a form that we do not know. */
  unreadable: number;
  /** Orders, reversals and refunds that were due. */
  due: number;
  /** Refunds that were due and have waited for a person for more than a working day. */
  overdue: number;
  /** Until when the ledger is settled, but for what is in `faults`. Unix seconds; 0 when that cannot be read. */
  ledgerUntil: number;
  /** What could not be done in this run, by whose payment or order it was; the next run tries again. */
  faults: string[];
  /** False when time ran out: the next run goes on. */
  finished: boolean;
}

export async function reconcile(rooms: Rooms, deadline: Deadline): Promise<Report> {
  const report: Report = {
    ...{ payments: 0, settled: 0, orphans: 0, unreadable: 0, due: 0, overdue: 0, ledgerUntil: 0 },
    faults: [],
    finished: true,
  };
  let keysRefused = 0;
  const attempt = async (step: () => Promise<boolean>) => {
    try {
      report.finished = (await step()) && report.finished;
    } catch (error) {
      if (!isOfOneItem(error)) throw error;
      if (error instanceof IamportRefused && error.status === 401) keysRefused = 1;
      // The ledger cannot be read now. Nothing has moved, so the next run begins where this one did.
      report.faults.push(error.message);
      report.finished = false;
    }
  };
  // Half of the time at most: whatever is due, the ledger is walked too.
  await attempt(() => workOffDue(rooms, deadlineIn(rooms.clock, deadline.leftMs() / 2), report));
  await attempt(async () => {
    const progress = await rooms.walks.read(walkPlans.map(({ name }) => name));
    const beginning = progress.beginning() ?? (await rooms.walks.begin());
    for (const plan of walkPlans) {
      await attempt(() => walk(rooms, plan, { beginning, walk: progress.walk(plan.name) }, deadline, report));
    }
    return true;
  });
  rooms.count({
    SettledByReconciler: report.settled,
    UnreadablePayments: report.unreadable,
    ReconcilerFaults: report.faults.length,
    KeysRefused: keysRefused,
    RefundsOverdue: report.overdue,
    LedgerLate: unixSeconds(rooms.clock) - report.ledgerUntil,
  });
  return report;
}

/** What Lambda's own end of the time needs. Milliseconds. */
const marginMs = 5_000;

const environment = environmentOfLambda();
const rooms = environment && openRooms(configFrom(environment), { connections: 8 });

export async function handler(_event: unknown, context: Context): Promise<Report> {
  if (!rooms) throw new Error('This handler runs in Lambda; elsewhere call reconcile()');
  const begin = rooms.clock.now();
  rooms.calls.take();
  try {
    const deadline = deadlineIn(rooms.clock, context.getRemainingTimeInMillis() - marginMs);
    const report = await reconcile(rooms, deadline);
    const line = {
      requestId: context.awsRequestId,
      route: 'reconcile',
      ...report,
      durationMs: rooms.clock.now() - begin,
      ...rooms.calls.take(),
    };
    writeLog(line, report.faults.length > 0 || report.unreadable > 0);
    return report;
  } catch (error) {
    writeLog({ requestId: context.awsRequestId, route: 'reconcile', causes: causesOf(error) }, true);
    throw error;
  }
}
