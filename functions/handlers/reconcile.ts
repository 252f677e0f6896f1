/**
 * The reconciler, every five minutes: compares Iamport's payment lists with our orders, and processes what is due. Every notification
 * may be lost, and the orders agree with Iamport within minutes all the same. Two runs at once and a run that is killed do no harm.
 */

import type { Context } from 'aws-lambda';
import { IamportRefused, isItemFault } from '../application/faults.ts';
import { oldestDue, type Processed, processDue } from '../application/reconcile/due.ts';
import { addFault, emptyReport, type Report } from '../application/reconcile/report.ts';
import { scanPayments, scanWindows } from '../application/reconcile/scan.ts';
import { configFrom, environmentOfLambda } from '../runtime/config.ts';
import { openRooms, type Rooms } from '../runtime/dependencies.ts';
import { causesOf, writeLog } from '../runtime/log.ts';
import { type Deadline, deadlineIn, unixSeconds } from '../shared/clock.ts';

export async function reconcile(rooms: Rooms, deadline: Deadline): Promise<Report> {
  const report = emptyReport();
  const processed: Processed = new Set();
  let keysRefused = 0;
  const attempt = async (step: () => Promise<boolean>) => {
    try {
      return await step();
    } catch (error) {
      if (!isItemFault(error)) throw error;
      if (error instanceof IamportRefused && error.status === 401) keysRefused = 1;
      // This step cannot go on now. The checkpoint has not moved past it, so the next run begins there.
      addFault(report, error.message);
      return false;
    }
  };
  // What is due takes half of the time at most, so that the lists are scanned whatever is due. A backlog has what they leave.
  const half = deadlineIn(rooms.clock, deadline.leftMs() / 2);
  let isProcessed = await attempt(() => processDue(rooms, processed, half, report));
  const isScanned = await attempt(() => scanAll(rooms, deadline, report, attempt));
  if (!isProcessed) isProcessed = await attempt(() => processDue(rooms, processed, deadline, report));
  if (!isProcessed) report.oldestDueSeconds = await oldestDue(rooms);
  report.finished = isScanned && isProcessed;
  rooms.count({
    SettledByReconciler: report.settled,
    UnreadablePayments: report.unreadable,
    MatchedPayments: report.matched,
    UnmatchedPayments: report.payments - report.unreadable - report.matched,
    SkippedItems: report.skipped,
    ReconcilerFaults: report.faultCount,
    KeysRefused: keysRefused,
    RefundsOverdue: report.overdue,
    OldestOverdueItem: report.oldestDueSeconds,
    LedgerLate: unixSeconds(rooms.clock) - report.scannedUntil,
  });
  return report;
}

/** One scan that cannot go on does not stop the others. */
async function scanAll(
  rooms: Rooms,
  deadline: Deadline,
  report: Report,
  attempt: (step: () => Promise<boolean>) => Promise<boolean>,
): Promise<boolean> {
  const progress = await rooms.checkpoints.read(scanWindows.map(({ name }) => name));
  const beginning = progress.beginning() ?? (await rooms.checkpoints.begin());
  let isWhole = true;
  for (const window of scanWindows) {
    const past = () => ({ beginning, checkpoint: progress.checkpoint(window.name) });
    isWhole = (await attempt(() => scanPayments(rooms, window, past(), deadline, report))) && isWhole;
  }
  return isWhole;
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
    writeLog(line, report.faultCount > 0 || report.unreadable > 0);
    return report;
  } catch (error) {
    writeLog({ requestId: context.awsRequestId, route: 'reconcile', causes: causesOf(error) }, true);
    throw error;
  }
}
