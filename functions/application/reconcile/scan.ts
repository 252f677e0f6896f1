/** Scans Iamport's payment lists: the windows, and the run over one window from its checkpoint. */

import { firstPage, isFirstPage, nextList, type ScanCursor } from '../../payment/scan-cursor.ts';
import { unixSeconds } from '../../shared/clock.ts';
import type { ScanCheckpoint } from '../ports/stores.ts';
import { addSkipped, faultOf, type Run } from './report.ts';
import { scanPage } from './scan-page.ts';
import { minTimePerPageMs, settleUnresolved } from './unresolved.ts';

/** A span of Iamport's lists that is scanned at an interval. */
export interface ScanWindow {
  readonly name: 'recent' | 'week' | 'quarter';
  /** A scan starts this long before the end of the previous one. */
  readonly overlapSeconds: number;
  /** A scan starts when the end of the previous one is this long ago. */
  readonly intervalSeconds: number;
}

const minute = 60;
const day = 86_400;

/** Iamport refuses a span of more than 90 days. */
const maxSpanSeconds = 89 * day;

/** Iamport's lists lag, so each scan overlaps the previous one. A missed payment is found within a day or a week. */
export const scanWindows: readonly ScanWindow[] = [
  { name: 'recent', overlapSeconds: 15 * minute, intervalSeconds: 0 },
  { name: 'week', overlapSeconds: 7 * day, intervalSeconds: day },
  { name: 'quarter', overlapSeconds: maxSpanSeconds - 7 * day, intervalSeconds: 7 * day },
];

/** One list may become shorter this often during a run. The longer scans find the payments that are missed then. */
const maxStepsBack = 20;

/** The arguments of the scan of one window. */
interface Scan extends Run {
  readonly window: ScanWindow;
}

/** The name of the checkpoint of a window: each sub-merchant has its own. A sub-merchant's code has no `/`. */
export const checkpointName = ({ name }: ScanWindow, tier: string | undefined): string =>
  tier === undefined ? name : `${name}/${tier}`;

/**
 * Scans one window from its checkpoint, after the payments that earlier runs could not settle.
 * @param progress when the deployment began, in Unix seconds, and the window's checkpoint, if it was scanned before
 * @returns false when time ran out, Iamport could not be reached, or another run has moved the checkpoint
 */
export async function scanPayments(
  run: Run,
  window: ScanWindow,
  progress: { readonly beginning: number; readonly checkpoint: ScanCheckpoint | undefined },
): Promise<boolean> {
  const { deps, report } = run;
  const scan: Scan = { ...run, window };
  const now = unixSeconds(deps.clock);
  const { beginning } = progress;
  const written: ScanCheckpoint = progress.checkpoint ?? { completedUntil: beginning, unresolved: [], revision: 0 };
  // An instance whose clock was ahead may have written a later time. Until then no payment would be scanned.
  const known = { ...written, completedUntil: Math.min(written.completedUntil, now) };
  if (window.name === 'recent') report.scannedUntil = known.completedUntil;
  const isDue = known.cursor !== undefined || known.completedUntil + window.intervalSeconds <= now;
  const unresolved = await settleUnresolved(scan, known.unresolved);
  if (!isDue) {
    if (unresolved === known.unresolved) return true;
    return (await deps.checkpoints.write(checkpointName(window, run.tier), { ...known, unresolved })) !== undefined;
  }
  const from = Math.max(beginning, known.completedUntil - window.overlapSeconds);
  // After a long outage the next run scans the rest.
  const cursor = known.cursor ?? firstPage(from, Math.min(now, from + maxSpanSeconds), deps.pageSizes);
  const completed = await scanFrom(scan, { ...known, unresolved, cursor });
  if (!completed) return false;
  // A cursor of an earlier run ends at the start of that run, so the time since then is scanned now.
  return known.cursor ? scanPayments(run, window, { beginning, checkpoint: completed }) : true;
}

/** A checkpoint during a scan. */
type ScanInProgress = ScanCheckpoint & { readonly cursor: ScanCursor };

/**
 * Reads page after page, and writes the checkpoint between the pages of a list.
 * @returns the checkpoint after the last page; undefined when the next run has to continue, or another run has moved
 * the checkpoint
 */
async function scanFrom(scan: Scan, start: ScanInProgress): Promise<ScanCheckpoint | undefined> {
  const { deps, window, report, tier } = scan;
  let current = start;
  let stepsBack = 0;
  /** Consecutive skipped payments. */
  let skipped: { readonly from: ScanCursor; readonly count: number } | undefined;
  const save = (next: ScanCheckpoint) => deps.checkpoints.write(checkpointName(window, tier), next);
  /** The payments that were skipped last may be an outage of their list: the next run reads them again. */
  const end = async (last: ScanCheckpoint): Promise<undefined> => {
    if (skipped) report.skipped -= skipped.count;
    await save(skipped ? { ...last, cursor: { ...skipped.from, failures: skipped.from.failures + 1 } } : last);
  };
  for (;;) {
    const { cursor } = current;
    if (!hasTime(deps)) return end(current);
    const step = await scanPage(scan, current, stepsBack < maxStepsBack);
    current = { ...current, unresolved: step.unresolved };
    if (step.isRead) skipped = undefined;
    if (step.kind === 'stop') {
      const { cursor: _unread, ...rest } = current;
      // If nothing was read, the next run starts a new span that ends at the start of that run.
      return end(isFirstPage(cursor) && step.cursor === cursor ? rest : { ...current, cursor: step.cursor });
    }
    if (step.isSkipped) skipped = { from: skipped?.from ?? cursor, count: (skipped?.count ?? 0) + 1 };
    let { next } = step;
    // So many in a row are an outage of this list, not payments that cannot be read. A slow one uses up the run before.
    if (skipped && (skipped.count > maxSkipped(skipped.from) || !hasTime(deps))) {
      if (skipped.from.failures < maxFailures) return end(current);
      report.skipped -= skipped.count;
      const { status, offset } = skipped.from;
      const fault = `The list ${status} cannot be read from payment ${offset + 1} on: the rest is skipped`;
      addSkipped(report, faultOf(tier, fault));
      skipped = undefined;
      next = nextList(cursor, deps.pageSizes);
    }
    if (!next) {
      const { cursor: _completed, ...rest } = current;
      const saved = await save({ ...rest, completedUntil: cursor.to });
      if (saved && window.name === 'recent') report.scannedUntil = cursor.to;
      return saved;
    }
    if (next.offset < cursor.offset && next.status === cursor.status) stepsBack += 1;
    current = { ...current, cursor: next };
    // A list of one page needs no write of its own.
    if (next.status !== cursor.status || next.offset === cursor.offset || step.isSkipped) continue;
    const saved = await save(current);
    if (!saved) return undefined;
    current = { ...current, revision: saved.revision };
  }
}

const hasTime = ({ deadline }: Run['deps']): boolean => deadline.leftMs() >= minTimePerPageMs;

/**
 * After this many runs (an hour) that failed at the same page, the rest of its list is skipped. Otherwise the other
 * lists would never be read. The longer scans read the rest again.
 */
const maxFailures = 12;
/** More payments may be skipped at a page where an earlier run failed. */
const maxSkipped = ({ failures }: ScanCursor): number => (failures === 0 ? 10 : 60);
