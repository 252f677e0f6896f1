/** The cursor of a scan of Iamport's payment lists: the next page and its size. Pure. */

import type { UnixSeconds } from './payment.ts';

/** Iamport lists the payments of each status, ordered by the time that belongs to the status. */
export type ListStatus = 'paid' | 'cancelled' | 'ready' | 'failed';

/** The next page of an incomplete scan. */
export interface ScanCursor {
  /** The span of the scan; Unix seconds, both inclusive. */
  readonly from: UnixSeconds;
  readonly to: UnixSeconds;
  readonly status: ListStatus;
  /** The number of payments of the list before this page. */
  readonly offset: number;
  /** How many payments a page has: fewer where larger pages could not be read. */
  readonly size: number;
  /** How many runs have failed at this page. */
  readonly failures: number;
  /** How many payments the list had when its last page was read; absent before the first one. */
  readonly total?: number;
}

/** Lists with money first. */
export const listStatuses = ['paid', 'cancelled', 'ready', 'failed'] as const satisfies readonly ListStatus[];

/** Sizes of pages, in payments. Each size divides the larger ones, so that every offset is the start of a page. */
export type PageSizes = readonly number[];
/** Iamport's limit is 1,000. */
export const pageSizes: PageSizes = [1_000, 100, 10, 1];

/** The first page of a scan. @param from Unix seconds, as `to` */
export const firstPage = (from: number, to: number, sizes = pageSizes): ScanCursor => ({
  ...{ from, to, offset: 0, size: sizes[0] ?? 1, failures: 0 },
  status: listStatuses[0],
});

/** No page of the scan was read yet. */
export const isFirstPage = ({ status, offset, total, failures }: ScanCursor): boolean =>
  status === listStatuses[0] && offset === 0 && total === undefined && failures === 0;

/** From 1, as Iamport counts pages. */
export const pageNumber = ({ offset, size }: Pick<ScanCursor, 'offset' | 'size'>): number => offset / size + 1;

/** @returns undefined for a page of one payment */
export const smallerSize = (size: number, sizes: PageSizes = pageSizes): number | undefined =>
  sizes.find((smaller) => smaller < size);

/** @returns the largest size of a page that starts at an offset */
export const largestPageAt = (offset: number, sizes: PageSizes = pageSizes): number =>
  sizes.find((size) => offset % size === 0) ?? 1;

/** The facts about a list that each of its pages returns. */
export interface PageFacts {
  /** How many payments the list has. */
  readonly total: number;
  readonly isLast: boolean;
}

/**
 * The page after one that was read. Payments whose status changed meanwhile left the list, and the later ones moved up.
 * The scan then steps back by their number.
 * @param mayStepBack false after too many steps back
 * @returns undefined after the last page of the last list
 */
export function afterPage(
  cursor: ScanCursor,
  { total, isLast }: PageFacts,
  mayStepBack: boolean,
  sizes = pageSizes,
): ScanCursor | undefined {
  const left = cursor.total === undefined ? 0 : cursor.total - total;
  if (left > 0 && cursor.offset > 0 && mayStepBack) return { ...steppedBack(cursor, left), total };
  if (isLast) return nextList(cursor, sizes);
  return grown({ ...cursor, offset: cursor.offset + cursor.size, total, failures: 0 }, sizes);
}

/** @param by how many payments left the list */
function steppedBack(cursor: ScanCursor, by: number): ScanCursor {
  const offset = Math.max(0, cursor.offset - by);
  return { ...cursor, offset: offset - (offset % cursor.size), failures: 0 };
}

/**
 * The page no longer exists, since the list became shorter.
 * @param total how many payments the list has now
 * @returns undefined after the last list
 */
export function afterShrinking(cursor: ScanCursor, total: number, sizes = pageSizes): ScanCursor | undefined {
  const back = steppedBack(cursor, (cursor.total ?? cursor.offset) - total);
  return back.offset < total && back.offset < cursor.offset ? { ...back, total } : nextList(cursor, sizes);
}

/** @returns undefined after the last list */
export function nextList({ from, to, status }: ScanCursor, sizes = pageSizes): ScanCursor | undefined {
  const next = listStatuses[listStatuses.indexOf(status) + 1];
  return next && { ...firstPage(from, to, sizes), status: next };
}

/** The same offset with the next smaller page size. @returns undefined for a page of one payment */
export function smallerPage(cursor: ScanCursor, sizes = pageSizes): ScanCursor | undefined {
  const size = smallerSize(cursor.size, sizes);
  return size === undefined ? undefined : { ...cursor, size, failures: 0 };
}

/**
 * The same offset with a page that a run has time to settle.
 * @param atOnce how many payments are settled at the same time: a smaller page would take as long
 */
export function shorterPage(cursor: ScanCursor, atOnce: number, sizes = pageSizes): ScanCursor {
  const size = sizes.findLast((one) => one >= atOnce && one < cursor.size);
  return size === undefined ? (smallerPage(cursor, sizes) ?? cursor) : { ...cursor, size, failures: 0 };
}

/** Skips the payment of a page of one. @returns undefined after the last payment of the last list */
export function withoutOne(cursor: ScanCursor, sizes = pageSizes): ScanCursor | undefined {
  const offset = cursor.offset + cursor.size;
  if (cursor.total !== undefined && offset >= cursor.total) return nextList(cursor, sizes);
  return grown({ ...cursor, offset, failures: 0 }, sizes);
}

/** The same offset with the largest page size that starts there. */
const grown = (cursor: ScanCursor, sizes: PageSizes): ScanCursor => ({
  ...cursor,
  size: largestPageAt(cursor.offset, sizes),
});
