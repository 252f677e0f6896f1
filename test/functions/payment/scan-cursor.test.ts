/** The page and the list that a scan reads next. */

import { describe, expect, test } from 'vitest';
import {
  afterPage,
  afterShrinking,
  firstPage,
  isFirstPage,
  nextList,
  pageNumber,
  type ScanCursor,
  shorterPage,
  smallerPage,
  withoutOne,
} from '../../../functions/payment/scan-cursor.ts';

const first = firstPage(100, 200);
const at = (offset: number, size: number, more: Partial<ScanCursor> = {}): ScanCursor => ({
  ...first,
  offset,
  size,
  ...more,
});

test('begins with the largest page of the paid payments', () => {
  expect(first).toEqual({ from: 100, to: 200, status: 'paid', offset: 0, size: 1000, failures: 0 });
});

test.each([
  [0, 1000, 1],
  [3000, 1000, 4],
  [300, 100, 4],
  [7, 1, 8],
])('offset %i in pages of %i is page %i', (offset, size, page) => {
  expect(pageNumber(at(offset, size))).toBe(page);
});

test('is at the first page only before the first read', () => {
  expect(isFirstPage(first)).toBe(true);
  for (const more of [{ offset: 1 }, { status: 'ready' as const }, { total: 0 }, { failures: 1 }])
    expect(isFirstPage({ ...first, ...more })).toBe(false);
});

describe('after a page', () => {
  test('reads the next page, of the largest size that begins there', () => {
    expect(afterPage(at(0, 100), { total: 5000, isLast: false }, true)).toMatchObject({ offset: 100, size: 100 });
    expect(afterPage(at(900, 100), { total: 5000, isLast: false }, true)).toMatchObject({ offset: 1000, size: 1000 });
    expect(afterPage(at(99, 1), { total: 5000, isLast: false }, true)).toMatchObject({ offset: 100, size: 100 });
  });

  test('reads the next list after the last page, and ends after the last list', () => {
    const order: string[] = [];
    for (let cursor: ScanCursor | undefined = first; cursor; cursor = nextList(cursor)) order.push(cursor.status);
    expect(order).toEqual(['paid', 'cancelled', 'ready', 'failed']);
    expect(afterPage(at(5, 1), { total: 6, isLast: true }, true)).toEqual({ ...first, status: 'cancelled' });
    expect(afterPage(at(0, 1000, { status: 'failed' }), { total: 6, isLast: true }, true)).toBeUndefined();
  });

  test('steps back by as many payments as left the list, to the beginning of a page', () => {
    const cursor = at(3000, 1000, { total: 4500 });
    expect(afterPage(cursor, { total: 4499, isLast: false }, true)).toMatchObject({ offset: 2000, total: 4499 });
    expect(afterPage(cursor, { total: 1000, isLast: true }, true)).toMatchObject({ offset: 0, size: 1000 });
    expect(afterPage(at(7, 1, { total: 9 }), { total: 8, isLast: false }, true)).toMatchObject({ offset: 6, size: 1 });
  });

  test('steps back neither twice, from the first page, nor in a list that grew', () => {
    const cursor = at(3000, 1000, { total: 4500 });
    expect(afterPage(cursor, { total: 4000, isLast: false }, false)).toMatchObject({ offset: 4000 });
    expect(afterPage(at(0, 1000, { total: 9 }), { total: 8, isLast: true }, true)?.status).toBe('cancelled');
    expect(afterPage(cursor, { total: 4501, isLast: false }, true)).toMatchObject({ offset: 4000, total: 4501 });
  });
});

describe('a page beyond the end of a list that shrank', () => {
  test('reads the page that has the payments now', () => {
    expect(afterShrinking(at(2000, 1000, { total: 2100 }), 1900)).toMatchObject({ offset: 1000, total: 1900 });
  });

  test('reads the next list when every remaining payment was read', () => {
    expect(afterShrinking(at(2000, 1000, { total: 2001 }), 2000)?.status).toBe('paid');
    expect(afterShrinking(at(2000, 1000, { total: 2000 }), 2000)?.status).toBe('cancelled');
    expect(afterShrinking(at(2000, 1000), 0)?.status).toBe('cancelled');
    expect(afterShrinking(at(2000, 1000, { total: 2100 }), 2100)?.status).toBe('cancelled');
  });
});

describe('a page that cannot be read', () => {
  test('reads an unreadable page in smaller and smaller sizes, at the same offset', () => {
    const sizes: number[] = [];
    for (let cursor: ScanCursor | undefined = at(0, 1000); cursor; cursor = smallerPage(cursor))
      sizes.push(cursor.size);
    expect(sizes).toEqual([1000, 100, 10, 1]);
    expect(smallerPage(at(20, 10, { failures: 1 }))).toMatchObject({ offset: 20, size: 1, failures: 0 });
  });

  test('skips an unreadable page of one payment', () => {
    expect(withoutOne(at(9, 1, { failures: 1 }))).toMatchObject({ offset: 10, size: 10, failures: 0 });
    expect(withoutOne(at(0, 1))).toMatchObject({ offset: 1, size: 1 });
    expect(withoutOne(at(9, 1, { total: 10 }))).toMatchObject({ status: 'cancelled', offset: 0 });
    expect(withoutOne(at(8, 1, { total: 10 }))).toMatchObject({ status: 'paid', offset: 9 });
  });
});

test('shortens a page that a run has no time for, down to one that is settled at once, and then to one payment', () => {
  expect(shorterPage(at(0, 1000), 8)).toMatchObject({ offset: 0, size: 10 });
  expect(shorterPage(at(20, 10, { failures: 1 }), 8)).toMatchObject({ offset: 20, size: 1, failures: 0 });
  expect(shorterPage(at(7, 1), 8)).toMatchObject({ offset: 7, size: 1 });
});
