/** Records that Iamport accepted a cancel or a revocation, also while DynamoDB is throttled or does not respond. */

import { AcceptanceNotRecorded, StoreUnavailable } from './faults.ts';
import type { Dependencies } from './ports.ts';

/** The waits between two tries: each is twice as long as the one before, up to the longest. Milliseconds. */
const firstWaitMs = 100;
const maxWaitMs = 1_000;

/**
 * Makes the write that records an acceptance, and repeats it until the deadline while DynamoDB does not respond. It is
 * for a cancel that the payment does not show yet: without the record, it could be sent again. The AWS SDK repeats a call
 * only once, within a second, so it does not outlast a throttle or an outage.
 *
 * The last try begins before the deadline. One call of DynamoDB then ends before Lambda ends the function.
 * @param request names the request for the operator, such as `the refund imp_1/key-1`
 * @param write one call; it may have taken effect without a response, so a repeat of it must be harmless
 * @throws AcceptanceNotRecorded when the deadline is over; every other fault of the write at once
 */
export async function recordAcceptance<Recorded>(
  { clock, deadline }: Pick<Dependencies, 'clock' | 'deadline'>,
  request: string,
  write: () => Promise<Recorded>,
): Promise<Recorded> {
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, maxWaitMs)) {
    try {
      return await write();
    } catch (cause) {
      if (!(cause instanceof StoreUnavailable)) throw cause;
      if (deadline.leftMs() <= waitMs) {
        const action = 'Check in the Iamport console that it was made only once';
        throw new AcceptanceNotRecorded(`Iamport accepted ${request}, and it could not be recorded. ${action}`, {
          cause,
        });
      }
    }
    await clock.sleep(waitMs);
  }
}
