/**
 * Reads every payment of an order in pages. Anyone can open hundreds of payment windows for an order, with a long
 * `custom_data` each. A page that is too large is read again in smaller ones.
 */

import { IamportRefused, IamportTooLarge } from '../../application/faults.ts';
import type { PaymentList, PaymentPage } from '../../application/ports/iamport.ts';
import type { Payment } from '../../payment/payment.ts';
import { largestPageAt, pageNumber, smallerSize } from '../../payment/scan-cursor.ts';
import type { Deadline } from '../../shared/clock.ts';

/** Reads one page of a list of the order's payments. @returns undefined when Iamport returns 404 */
type ReadPage = (list: 'all' | 'paid', page: number, limit: number) => Promise<PaymentPage | undefined>;

/** The calls for one list. */
const maxPages = 30;

/**
 * Lists a payment that is too large alone as unreadable. So are the payments that `maxPages`, or half of the time, do
 * not reach: otherwise an unknown sender could keep the order from closing and from expiring.
 * @throws IamportTooLarge when the paid payments alone need more pages
 */
export async function paymentsOfOrder(read: ReadPage, deadline: Deadline): Promise<PaymentList> {
  const all = await readPages((page, limit) => read('all', page, limit), deadline);
  if (all.isComplete) return all;
  // The money is among these, and an unknown sender cannot add to them without paying.
  const paid = await readPages((page, limit) => read('paid', page, limit), deadline);
  if (!paid.isComplete) throw new IamportTooLarge('The paid payments of one order at Iamport need too many calls');
  const byId = new Map([...all.payments, ...paid.payments].map((payment) => [payment.impUid, payment]));
  return { payments: [...byId.values()], unreadable: [...new Set([...all.unreadable, ...paid.unreadable])] };
}

/** @returns `isComplete: false` when calls or time do not suffice for the whole list */
async function readPages(
  read: (page: number, limit: number) => Promise<PaymentPage | undefined>,
  deadline: Deadline,
): Promise<PaymentList & { readonly isComplete: boolean }> {
  const payments: Payment[] = [];
  const unreadable: string[] = [];
  const complete = { payments, unreadable, isComplete: true };
  const startingAt = (offset: number) => ({ offset, size: largestPageAt(offset) });
  let at = startingAt(0);
  let total: number | undefined;
  const reservedMs = deadline.leftMs() / 2;
  for (let calls = 0; calls === 0 || (calls < maxPages && deadline.leftMs() > reservedMs); calls += 1) {
    const page = await read(pageNumber(at), at.size).catch((error: unknown) => {
      if (error instanceof IamportTooLarge) return error;
      // Every payment was too large, and Iamport refuses a page past the end.
      const isPastEnd = error instanceof IamportRefused && error.status !== 401 && total === undefined && at.offset > 0;
      if (isPastEnd) return undefined;
      throw error;
    });
    if (page === undefined) return complete;
    if (page instanceof IamportTooLarge) {
      const size = smallerSize(at.size);
      if (size === undefined) unreadable.push(`(payment ${at.offset + 1} of the list)`);
      at = size === undefined ? startingAt(at.offset + 1) : { ...at, size };
      if (at.offset === total) return complete;
      continue;
    }
    payments.push(...page.payments);
    unreadable.push(...page.unreadable.map(({ impUid }) => impUid));
    total = page.total;
    // Past its end a list may name a next page for ever.
    const isPastEnd = page.payments.length + page.unreadable.length === 0 && total <= at.offset;
    if (page.next === 0 || isPastEnd) return complete;
    at = startingAt(at.offset + at.size);
  }
  unreadable.push(`(payments of the list from ${at.offset + 1} on)`);
  return { payments, unreadable, isComplete: false };
}
