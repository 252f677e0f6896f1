/** The report of a run of the reconciler, and the processing of items whose faults it records. */

import { isItemFault } from '../faults.ts';
import { inPool } from '../pool.ts';
import type { Dependencies } from '../ports.ts';

/** The arguments that every part of a run gets. */
export interface Run {
  readonly deps: Dependencies;
  readonly report: ReconcileReport;
  /** The sub-merchant whose lists are scanned; absent for the account's own lists. */
  readonly tier?: string | undefined;
}

/** @returns the beginning of a fault: the sub-merchant whose lists are scanned, if any */
export const faultOf = (tier: string | undefined, fault: string): string =>
  tier === undefined ? fault : `Sub-merchant ${tier}: ${fault}`;

/** The fault of a payment of which no field is guessed. The operator reads it in the log. */
export const unknownForm = 'Iamport returned a payment that cannot be read. See payment-unreadable in docs/runbook.md';

/** The result of a run, as it is logged and counted. */
export interface ReconcileReport {
  /** Payments of Iamport's lists that were compared with our orders. */
  payments: number;
  /** The payments of them that belong to an order of ours. */
  matched: number;
  /** Payments that were settled. */
  settled: number;
  /** Unmatched payments with money that were recorded for the first time. */
  orphans: number;
  /** Payments in an unknown form. */
  unreadable: number;
  /** Pages, payments and reversals that were skipped, since they could not be read. */
  skipped: number;
  /** Orders, reversals and refunds that were due and were checked. */
  due: number;
  /** Refunds that are overdue: those that wait for the operator, for more than a working day. */
  overdue: number;
  /** How long the oldest item that is still due after the run is overdue; seconds. */
  oldestDueSeconds: number;
  /**
   * The payment lists were scanned until this time; Unix seconds. With sub-merchants, the earliest time of the lists of
   * this run. 0 when a checkpoint cannot be parsed.
   */
  scannedUntil: number;
  /** The faults of this run, with the payment or order; at most 50. A later run tries again. */
  faults: string[];
  /** The number of all faults. */
  faultCount: number;
  /** False when time ran out or Iamport could not be reached: the next run continues. */
  finished: boolean;
}

/** A log line contains at most this many. */
const maxFaults = 50;

export const emptyReport = (): ReconcileReport => ({
  ...{ payments: 0, matched: 0, settled: 0, orphans: 0, unreadable: 0, skipped: 0, due: 0, overdue: 0 },
  ...{ oldestDueSeconds: 0, scannedUntil: 0, faultCount: 0 },
  faults: [],
  finished: true,
});

export function addFault(report: ReconcileReport, fault: string): void {
  report.faultCount += 1;
  if (report.faults.length < maxFaults) report.faults.push(fault);
}

/** Reports an item that this run skips. */
export function addSkipped(report: ReconcileReport, fault: string): void {
  report.skipped += 1;
  addFault(report, fault);
}

/** How many items are processed at the same time: as many as there are connections to Iamport. */
export const concurrency = 8;
/** The deadline of one item. Milliseconds. */
export const maxTimePerItemMs = 12_000;

/**
 * Processes items, several at a time. The fault of one item is reported with its id, and the others continue.
 * @returns the items that failed, with their errors
 */
export async function forEachItem<Item>(
  report: ReconcileReport,
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
