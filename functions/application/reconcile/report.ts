import { isItemFault } from '../faults.ts';
import { inPool } from '../pool.ts';

export interface Report {
  /** Payments of Iamport's lists that were compared with our orders. */
  payments: number;
  /** Those of them that name an order of ours. */
  matched: number;
  /** Payments that had to be settled. */
  settled: number;
  /** Payments with money and without an order, recorded for the first time. */
  orphans: number;
  /** Payments in a form that we do not know. */
  unreadable: number;
  /** Pages, payments and reversals that were passed over, since they could not be read. */
  skipped: number;
  /** Orders, reversals and refunds that were due and were checked. */
  due: number;
  /** Refunds that have waited for the operator for more than a working day. */
  overdue: number;
  /** How long the oldest item that is due after the run has been due; seconds. */
  oldestDueSeconds: number;
  /** Until when the payment lists were scanned; Unix seconds. 0 when the checkpoint cannot be read. */
  scannedUntil: number;
  /** What could not be done in this run, with the payment or order; at most 50. A later run tries again. */
  faults: string[];
  /** How many faults there were in all. */
  faultCount: number;
  /** False when time ran out or Iamport could not be reached: the next run goes on. */
  finished: boolean;
}

/** A log line holds this many. */
const maxFaults = 50;

export const emptyReport = (): Report => ({
  ...{ payments: 0, matched: 0, settled: 0, orphans: 0, unreadable: 0, skipped: 0, due: 0, overdue: 0 },
  ...{ oldestDueSeconds: 0, scannedUntil: 0, faultCount: 0 },
  faults: [],
  finished: true,
});

export function addFault(report: Report, fault: string): void {
  report.faultCount += 1;
  if (report.faults.length < maxFaults) report.faults.push(fault);
}

/** Something was passed over for good, as far as this run is concerned. */
export function addSkipped(report: Report, fault: string): void {
  report.skipped += 1;
  addFault(report, fault);
}

/** How many items are worked off at the same time: as many as there are connections to Iamport. */
export const concurrency = 8;

/**
 * Works off items, several at a time. The fault of one item is reported with its id, and the others go on.
 * @returns the items that failed, with their errors
 */
export async function forEachItem<Item>(
  report: Report,
  items: readonly Item[],
  idOf: (item: Item) => string,
  work: (item: Item) => Promise<void>,
): Promise<{ item: Item; error: Error }[]> {
  const failed: { item: Item; error: Error }[] = [];
  await inPool(concurrency, items, async (item) => {
    try {
      await work(item);
    } catch (error) {
      if (!isItemFault(error)) throw error;
      addFault(report, `${idOf(item)}: ${error.message}`);
      failed.push({ item, error });
    }
  });
  return failed;
}
