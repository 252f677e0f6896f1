/** Delays between attempts and between checks. Pure: times are arguments, in Unix seconds. */

import type { UnixSeconds } from './payment.ts';

const minute = 60;
const hour = 3_600;

/** Seconds to wait after an attempt: 0 before the first one, then 1, 2, 4, … minutes, at most 6 hours. */
export const retryAfter = (attempts: number): number =>
  attempts === 0 ? 0 : Math.min(minute * 2 ** (attempts - 1), 6 * hour);

/**
 * The next check of an item whose check failed, or whose payment has not changed after an accepted request.
 * The delay is a quarter of the age, 5 minutes to 6 hours, so that no counter has to be stored.
 * @param since when the item was first due
 */
export const postponed = (since: UnixSeconds, now: UnixSeconds): UnixSeconds =>
  now + Math.min(Math.max(Math.floor((now - since) / 4), 5 * minute), 6 * hour);
