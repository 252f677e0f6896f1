/** Waits after a 429 of Iamport. The state belongs to one client, so to one Lambda instance. */

import { IamportBusy } from '../../application/faults.ts';
import { type Clock, retryAfterMs } from '../../shared/clock.ts';

/** The wait after a 429 without a readable `retry-after`. */
const defaultWaitMs = 5_000;
/** The longest wait. A wrong header must not stop settlement for hours, and one call a minute does not add to the load. */
const maxWaitMs = 60_000;

export interface Backoff {
  /** @throws IamportBusy before the end of the wait; the call must not be sent then */
  check(call: string): void;
  /** Records a 429. @returns the error of this call. The call was sent, so `notSent` is false */
  record(call: string, retryAfter: string | undefined): IamportBusy;
}

export function createBackoff(clock: Clock): Backoff {
  let until = 0;
  return {
    check(call) {
      const waitMs = until - clock.now();
      if (waitMs <= 0) return;
      throw new IamportBusy(`Iamport returned 429 recently, so ${call} was not sent`, {
        retryAfterMs: waitMs,
        notSent: true,
      });
    },
    record(call, retryAfter) {
      const now = clock.now();
      // Several calls may be in flight. The longest wait counts.
      until = Math.max(until, now + waitMs(retryAfter, now));
      return new IamportBusy(`Iamport returned 429 to ${call}`, { retryAfterMs: until - now });
    },
  };
}

/** @returns milliseconds, at most 60,000 */
function waitMs(retryAfter: string | undefined, now: number): number {
  const wait = retryAfterMs(retryAfter, now);
  return wait > 0 ? Math.min(wait, maxWaitMs) : defaultWaitMs;
}
