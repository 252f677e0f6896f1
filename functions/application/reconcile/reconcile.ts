/** One run of the reconciler: processes the items whose check is due, and scans Iamport's payment lists. */

import { type Deadline, unixSeconds } from '../../shared/clock.ts';
import { IamportRefused, isItemFault } from '../faults.ts';
import { inTime } from '../in-time.ts';
import type { Dependencies, Ports } from '../ports.ts';
import { oldestDue, type Processed, processDue } from './due.ts';
import { addFault, emptyReport, faultOf, type ReconcileReport } from './report.ts';
import { checkpointName, scanPayments, scanWindows } from './scan.ts';
import { minTimePerPageMs } from './unresolved.ts';

/**
 * @param report receives the counts and the faults of single items, so that the caller has them after an error, too
 * @returns the report of the run
 */
export async function reconcile(ports: Ports, deadline: Deadline, report = emptyReport()): Promise<ReconcileReport> {
  const deps = inTime(ports, deadline);
  const processed: Processed = new Set();
  let keysRefused = 0;
  const attempt: Attempt = async (step, tier) => {
    try {
      return await step();
    } catch (error) {
      if (!isItemFault(error)) throw error;
      if (error instanceof IamportRefused && error.status === 401 && tier === undefined) keysRefused = 1;
      // This step cannot continue now. The checkpoint has not moved past it, so the next run starts there.
      addFault(report, faultOf(tier, error.message));
      return false;
    }
  };
  // Due items get at most half of the time, so that the lists are always scanned. A backlog gets the time that is left.
  const half = deps.within(deadline.leftMs() / 2);
  let isProcessed = await attempt(() => processDue(half, processed, report));
  const isScanned = await attempt(() => scanAll(deps, report, attempt));
  if (!isProcessed) isProcessed = await attempt(() => processDue(deps, processed, report));
  // An item that a 429 stopped is a fault, and stays due although every item was processed.
  if (!isProcessed || report.faultCount > 0) report.oldestDueSeconds = await oldestDue(deps);
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

/**
 * Runs a step of a run. A fault of the step is reported, and the run continues with the next one.
 * @param tier the sub-merchant whose lists the step scans
 * @returns false when the step has to be continued by the next run
 */
type Attempt = (step: () => Promise<boolean>, tier?: string) => Promise<boolean>;

/** A list gets at least this much time, so that many sub-merchants do not leave each with too little. Milliseconds. */
const minTimePerListMs = minTimePerPageMs + 10_000;
/** The reconciler runs at this interval. Seconds. */
const runIntervalSeconds = 300;

/**
 * Scans the account's own list, then the list of each sub-merchant. A scan that cannot continue does not stop the
 * others. Each list gets an equal share of the time that is left. A list that used up its share continues after the
 * others.
 * @returns false when a list has to be scanned further by the next run
 */
async function scanAll(deps: Dependencies, report: ReconcileReport, attempt: Attempt): Promise<boolean> {
  const scannedUntil = new Map<string | undefined, number>();
  let isComplete = true;
  let waiting = listsInTurn(deps.config.tiers, unixSeconds(deps.clock));
  while (waiting.length > 0) {
    const unfinished: typeof waiting = [];
    for (const [at, tier] of waiting.entries()) {
      const leftMs = deps.deadline.leftMs();
      if (leftMs < minTimePerPageMs && scannedUntil.size > 0) return false;
      report.scannedUntil = 0;
      const share = deps.within(Math.min(leftMs, Math.max(leftMs / (waiting.length - at), minTimePerListMs)));
      const isScanned = await attempt(() => scanList(share, tier, report, attempt), tier);
      scannedUntil.set(tier, report.scannedUntil);
      report.scannedUntil = Math.min(...scannedUntil.values());
      if (isScanned) continue;
      if (share.deadline.leftMs() < minTimePerPageMs) unfinished.push(tier);
      else isComplete = false;
    }
    waiting = unfinished;
  }
  return isComplete;
}

/**
 * @returns the account's own list first (undefined), then the sub-merchants. Each run begins with another one of them,
 * so that one which uses up its time does not always delay the same ones.
 */
function listsInTurn(tiers: readonly string[], now: number): (string | undefined)[] {
  const first = Math.floor(now / runIntervalSeconds) % Math.max(1, tiers.length);
  return [undefined, ...tiers.slice(first), ...tiers.slice(0, first)];
}

/** Scans every window of one list. A window that cannot continue does not stop the others. */
async function scanList(
  deps: Dependencies,
  tier: string | undefined,
  report: ReconcileReport,
  attempt: Attempt,
): Promise<boolean> {
  const progress = await deps.checkpoints.read(scanWindows.map((window) => checkpointName(window, tier)));
  const beginning = progress.beginning() ?? (await deps.checkpoints.begin());
  const run = { deps, report, tier };
  let isComplete = true;
  for (const window of scanWindows) {
    const scan = () =>
      scanPayments(run, window, { beginning, checkpoint: progress.checkpoint(checkpointName(window, tier)) });
    isComplete = (await attempt(scan, tier)) && isComplete;
  }
  return isComplete;
}
