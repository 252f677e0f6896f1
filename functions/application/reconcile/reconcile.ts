/** One run of the reconciler: processes the items whose check is due, and scans Iamport's payment lists. */

import { type Deadline, unixSeconds } from '../../shared/clock.ts';
import { IamportRefused, isItemFault } from '../faults.ts';
import { inTime } from '../in-time.ts';
import type { Dependencies, Ports } from '../ports.ts';
import { oldestDue, type Processed, processDue } from './due.ts';
import { addFault, emptyReport, type ReconcileReport } from './report.ts';
import { scanPayments, scanWindows } from './scan.ts';

/** @returns the report of the run; faults of single items are in it */
export async function reconcile(ports: Ports, deadline: Deadline): Promise<ReconcileReport> {
  const deps = inTime(ports, deadline);
  const report = emptyReport();
  const processed: Processed = new Set();
  let keysRefused = 0;
  const attempt = async (step: () => Promise<boolean>) => {
    try {
      return await step();
    } catch (error) {
      if (!isItemFault(error)) throw error;
      if (error instanceof IamportRefused && error.status === 401) keysRefused = 1;
      // This step cannot continue now. The checkpoint has not moved past it, so the next run starts there.
      addFault(report, error.message);
      return false;
    }
  };
  // Due items get at most half of the time, so that the lists are always scanned. A backlog gets the time that is left.
  const half = deps.within(deadline.leftMs() / 2);
  let isProcessed = await attempt(() => processDue(half, processed, report));
  const isScanned = await attempt(() => scanAll(deps, report, attempt));
  if (!isProcessed) isProcessed = await attempt(() => processDue(deps, processed, report));
  if (!isProcessed) report.oldestDueSeconds = await oldestDue(deps);
  report.finished = isScanned && isProcessed;
  deps.count({
    SettledByReconciler: report.settled,
    UnreadablePayments: report.unreadable,
    MatchedPayments: report.matched,
    UnmatchedPayments: report.payments - report.unreadable - report.matched,
    SkippedItems: report.skipped,
    ReconcilerFaults: report.faultCount,
    KeysRefused: keysRefused,
    RefundsOverdue: report.overdue,
    OldestOverdueItem: report.oldestDueSeconds,
    ScanLag: unixSeconds(deps.clock) - report.scannedUntil,
  });
  return report;
}

/** Scans every window. A scan that cannot continue does not stop the others. */
async function scanAll(
  deps: Dependencies,
  report: ReconcileReport,
  attempt: (step: () => Promise<boolean>) => Promise<boolean>,
): Promise<boolean> {
  const progress = await deps.checkpoints.read(scanWindows.map(({ name }) => name));
  const beginning = progress.beginning() ?? (await deps.checkpoints.begin());
  let isComplete = true;
  for (const window of scanWindows) {
    const scan = () => scanPayments(deps, window, { beginning, checkpoint: progress.checkpoint(window.name) }, report);
    isComplete = (await attempt(scan)) && isComplete;
  }
  return isComplete;
}
