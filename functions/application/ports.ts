/**
 * The ports together: interfaces through which the use cases call Iamport, DynamoDB, EventBridge, SQS and the clock. The
 * adapters implement them, and tests pass their own implementations.
 */

import type { Policy } from '../payment/decide.ts';
import type { PageSizes } from '../payment/scan-cursor.ts';
import type { Clock, Deadline } from '../shared/clock.ts';
import type { Counts } from '../shared/metrics.ts';
import type { Iamport, UnknownPayments } from './ports/iamport.ts';
import type { Checkpoints, Notifications, Orders, Refunds, Reversals } from './ports/stores.ts';

/** The ports and settings of one Lambda instance. */
export interface Ports {
  readonly iamport: Iamport;
  readonly orders: Orders;
  readonly reversals: Reversals;
  readonly refunds: Refunds;
  readonly notifications: Notifications;
  readonly checkpoints: Checkpoints;
  readonly unknownPayments: UnknownPayments;
  readonly clock: Clock;
  /** Adds to metrics, by their names. */
  readonly count: (counts: Counts) => void;
  readonly policy: Policy;
  /** The page sizes for Iamport's lists, the largest first. */
  readonly pageSizes: PageSizes;
  /**
   * `orderPrefix`: the start of every order number of this shop; empty when the Iamport account serves only this shop.
   * `tiers`: the sub-merchants' codes whose payment lists are scanned beside the account's own list.
   */
  readonly config: { readonly orderPrefix: string; readonly tiers: readonly string[] };
}

/** A call of Iamport whose deadline is that of the request. */
type CallInTime<Call> = Call extends (subject: infer Subject, deadline: Deadline, ...rest: infer Rest) => infer Result
  ? (subject: Subject, ...rest: Rest) => Result
  : never;

/** The ports within one request, as `inTime` makes them: every call to Iamport ends within the deadline. */
export type InTime<Deps extends Ports> = Omit<Deps, 'iamport'> & {
  readonly iamport: { readonly [Name in keyof Iamport]: CallInTime<Iamport[Name]> };
  readonly deadline: Deadline;
  /** The same ports for a part of the request. @param ms its deadline, from now on */
  within(ms: number): InTime<Deps>;
};

/** The ports and settings that every use case gets as `deps`. */
export type Dependencies = InTime<Ports>;
