/** Keeps the time before which Iamport wants no call, after it answered 429. One for each client, so one for each instance. */

import { IamportBusy } from '../../application/faults.ts';
import { httpDate } from '../../runtime/clock.ts';
import type { Clock } from '../../shared/clock.ts';

/** Applies where a 429 comes without a `retry-after` that can be read. */
const usualWaitMs = 5_000;
/** A longer wait is cut: a wrong header must not stop an instance for hours. */
const maxWaitMs = 60_000;

export interface Busy {
  /** @throws IamportBusy while Iamport wants no call; nothing is sent then */
  check(call: string): void;
  /** Records a 429. @returns the error for the call that met it. The call was sent, so `notSent` is false */
  record(call: string, retryAfter: string | undefined): IamportBusy;
}

export function busyBy(clock: Clock): Busy {
  let until = 0;
  return {
    check(call) {
      const retryAfterMs = until - clock.now();
      if (retryAfterMs <= 0) return;
      throw new IamportBusy(`Iamport answered 429 a moment ago, so ${call} was not sent`, {
        retryAfterMs,
        notSent: true,
      });
    },
    record(call, retryAfter) {
      const now = clock.now();
      // Several calls may be in flight: the longest wait counts.
      until = Math.max(until, now + waitMs(retryAfter, now));
      return new IamportBusy(`Iamport answered 429 to ${call}`, { retryAfterMs: until - now });
    },
  };
}

/** @param retryAfter the header: seconds, or an HTTP date (RFC 9110) @returns milliseconds, at most 60,000 */
export function waitMs(retryAfter: string | undefined, now: number): number {
  const text = retryAfter?.trim() ?? '';
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : httpDate(text) - now;
  return wait > 0 ? Math.min(wait, maxWaitMs) : usualWaitMs;
}
