/** Iamport's sorting, filtering and paging of payments. Pure. */

import type { Entry } from './ledger.ts';
import type { Payment, PaymentStatus } from './payment.ts';
import { Refused, unknownPayment } from './refused.ts';

export const statuses: readonly PaymentStatus[] = ['ready', 'paid', 'cancelled', 'failed'];

export interface PageOfPayments {
  total: number;
  /** The number of the previous page, 0 on the first one; `next` is 0 on the last one. */
  previous: number;
  next: number;
  list: Payment[];
}

/** @throws Refused `unknown` when the order has no payment of that status */
export function ofOrder(entries: readonly Entry[], merchantUid: string, status?: string): Entry[] {
  if (status !== undefined && !isStatus(status)) throw new Refused('invalid', '알 수 없는 결제상태입니다.');
  const found = entries.filter(
    ({ payment }) => payment.merchant_uid === merchantUid && (status === undefined || payment.status === status),
  );
  if (found.length === 0) throw unknownPayment();
  return found;
}

const maxSpanSeconds = 90 * 24 * 60 * 60;

const timeOf: Record<string, (entry: Entry) => number> = {
  started: (entry) => entry.payment.started_at,
  paid: (entry) => entry.payment.paid_at,
  updated: (entry) => entry.updatedAt,
};

/**
 * @param sorting `started`, `paid` or `updated`, with `-` in front for newest first.
 * @throws Refused for another one
 */
export function sorted(entries: readonly Entry[], sorting = '-started'): Payment[] {
  const descending = sorting.startsWith('-');
  const time = timeOf[descending ? sorting.slice(1) : sorting];
  if (!time) throw new Refused('invalid', '알 수 없는 정렬 기준(sorting)입니다.');
  const ascending = entries.toSorted((a, b) => time(a) - time(b) || a.position - b.position);
  return (descending ? ascending.reverse() : ascending).map((entry) => entry.payment);
}

/** @throws Refused for a page past the last one, or a limit outside 1 to 1000 */
export function pageOf(payments: readonly Payment[], page = 1, limit = 20): PageOfPayments {
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
    throw new Refused('invalid', 'limit은 1 이상 1000 이하의 정수여야 합니다.');
  }
  const pages = Math.max(1, Math.ceil(payments.length / limit));
  if (!Number.isInteger(page) || page < 1 || page > pages) {
    throw new Refused('invalid', '존재하지 않는 page입니다.');
  }
  return {
    total: payments.length,
    previous: page - 1,
    next: page < pages ? page + 1 : 0,
    list: payments.slice((page - 1) * limit, page * limit),
  };
}

/**
 * The payments of a status whose time of that status (started, paid, cancelled or failed) lies in the span.
 * @param from Unix seconds, inclusive; 90 days before `to` when left out. @param to Unix seconds, inclusive; now when
 * left out
 * @throws Refused for a status that does not exist, or a span of more than 90 days
 */
export function inSpan(
  entries: readonly Entry[],
  status: string,
  nowSeconds: number,
  to = nowSeconds,
  from = to - maxSpanSeconds,
): Entry[] {
  if (status !== 'all' && !isStatus(status)) throw new Refused('invalid', '알 수 없는 결제상태입니다.');
  if (from > to || to - from > maxSpanSeconds) {
    throw new Refused('invalid', '검색 기간은 최대 90일이며 from은 to보다 늦을 수 없습니다.');
  }
  return entries.filter(({ payment }) => {
    const at = timeOfStatus(payment);
    return (status === 'all' || payment.status === status) && at >= from && at <= to;
  });
}

const isStatus = (word: string): word is PaymentStatus => statuses.some((status) => status === word);

function timeOfStatus(payment: Payment): number {
  switch (payment.status) {
    case 'ready':
      return payment.started_at;
    case 'paid':
      return payment.paid_at;
    case 'cancelled':
      return payment.cancelled_at;
    case 'failed':
      return payment.failed_at;
  }
}
