/** Working time in Korea: the seconds between two times without Saturdays and Sundays. Pure. */

import type { UnixSeconds } from './payment.ts';

const day = 86_400;
/** Korea has been nine hours ahead of UTC, without summer time, since 1988. */
const aheadOfUtc = 9 * 3_600;
/** 1 January 1970 was a Thursday. */
const fromMondayToThursday = 3 * day;

/** A refund that waits for the operator is overdue after this. Seconds of working time. */
export const workingDay = day;

/** Seconds between two times without Saturdays and Sundays in Korea. Public holidays count as days. */
export const workingSeconds = (from: UnixSeconds, to: UnixSeconds): number => workedUntil(to) - workedUntil(from);

function workedUntil(time: UnixSeconds): number {
  const sinceMonday = time + aheadOfUtc + fromMondayToThursday;
  const weeks = Math.floor(sinceMonday / (7 * day));
  return weeks * 5 * day + Math.min(sinceMonday - weeks * 7 * day, 5 * day);
}
