/** Counts and times the upstream calls of a request, for its log line. */

import type { Clock } from '../shared/clock.ts';

export type Upstream = 'iamport' | 'table';

/**
 * Number of calls and the sum of their milliseconds. Parallel calls each count in full. The retries of a call are part
 * of it.
 */
export interface Tally {
  iamportCalls: number;
  iamportMs: number;
  tableCalls: number;
  tableMs: number;
}

export interface Calls {
  /** Wraps a call to count it. The signature is that of a middleware of the AWS SDK. */
  around(
    upstream: Upstream,
  ): <Input, Output>(next: (input: Input) => Promise<Output>) => (input: Input) => Promise<Output>;
  /** @returns the calls since the last `take()`, and resets the count. An instance handles one request at a time. */
  take(): Tally;
}

export function callsTimedBy({ now }: Pick<Clock, 'now'>): Calls {
  let tally = none();
  return {
    around: (upstream) => (next) => async (input) => {
      const begin = now();
      // A call that ends after its request must not count for the next one.
      const ofRequest = tally;
      try {
        return await next(input);
      } finally {
        ofRequest[`${upstream}Calls`] += 1;
        ofRequest[`${upstream}Ms`] += now() - begin;
      }
    },
    take() {
      const taken = tally;
      tally = none();
      return taken;
    },
  };
}

const none = (): Tally => ({ iamportCalls: 0, iamportMs: 0, tableCalls: 0, tableMs: 0 });
