import type { Clock } from '../shared/clock.ts';

export type Upstream = 'iamport' | 'table';

/** Calls, and the sum of their milliseconds: of two at the same time both are counted whole. A call's own retries are part of it. */
export interface Tally {
  iamportCalls: number;
  iamportMs: number;
  tableCalls: number;
  tableMs: number;
}

export interface Calls {
  /** The same call, counted; in the form that the middleware of the AWS SDK has. */
  around(
    upstream: Upstream,
  ): <Asked, Answer>(next: (asked: Asked) => Promise<Answer>) => (asked: Asked) => Promise<Answer>;
  /** What was counted since the last time, and begins again. An instance serves one request after the other. */
  take(): Tally;
}

export function callsTimedBy({ now }: Pick<Clock, 'now'>): Calls {
  let tally = none();
  return {
    around: (upstream) => (next) => async (asked) => {
      const begin = now();
      // What outlives its request is not the next one's.
      const its = tally;
      try {
        return await next(asked);
      } finally {
        its[`${upstream}Calls`] += 1;
        its[`${upstream}Ms`] += now() - begin;
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
