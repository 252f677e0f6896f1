/**
 * The ports: interfaces through which the use cases call Iamport, DynamoDB, EventBridge, SQS and the clock. The
 * adapters implement them, and tests pass their own implementations.
 */

import type { Policy } from '../payment/decide.ts';
import type { PaymentEvent } from '../payment/events.ts';
import type { Amount } from '../payment/money.ts';
import type { Notification, NotificationEvent } from '../payment/notification.ts';
import type { Order, OrderState, OrderTerms } from '../payment/order.ts';
import type { Schedule } from '../payment/order-steps.ts';
import type { Payment, UnixSeconds } from '../payment/payment.ts';
import type { Refund, RefundAccount, RefundRequester } from '../payment/refund.ts';
import type { CheckClass, Reversal, ReversalRequest } from '../payment/reversal.ts';
import type { PageSizes, ScanCursor } from '../payment/scan-cursor.ts';
import type { Clock, Deadline } from '../shared/clock.ts';
import type { Counts } from '../shared/metrics.ts';

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

/**
 * The result of a conditional write.
 * `written: false`: a condition failed, and nothing was written. `current` is then the stored value; absent when none
 * is stored.
 */
export type WriteResult<Value> =
  | { readonly written: true; readonly value: Value }
  | { readonly written: false; readonly current?: Value };

/** @returns the value that is stored after the call: the one just written, or the one that failed the condition */
export function storedValue<Value>(result: Required<WriteResult<Value>>): Value;
export function storedValue<Value>(result: WriteResult<Value>): Value | undefined;
export function storedValue<Value>(result: WriteResult<Value>): Value | undefined {
  return result.written ? result.value : result.current;
}

/** An item of the index `due`. */
export interface Due {
  readonly id: string;
  readonly dueAt: UnixSeconds;
}

/** Payments of a list. Those that cannot be parsed are listed by their ids. */
export interface PaymentList {
  readonly payments: readonly Payment[];
  /** The `imp_uid` of payments in an unknown form. */
  readonly unreadable: readonly string[];
}

/** A page of a list of payments. */
export interface PaymentPage extends PaymentList {
  /** The number of payments on all pages. */
  readonly total: number;
  /** The next page; 0 after the last one. */
  readonly next: number;
}

/** Selects one page of the payments that reached a status between two times. */
export interface ListQuery {
  readonly status: 'paid' | 'cancelled' | 'ready' | 'failed';
  /**
   * Unix seconds, both inclusive, at most 90 days apart. They are compared with the time that belongs to the status.
   */
  readonly from: number;
  readonly to: number;
  /** From 1. The oldest payments come first. */
  readonly page: number;
  /** How many payments a page has, at most 1,000. */
  readonly limit: number;
  /** Selects the list of a sub-merchant of an Agency account; the account's own list without it. */
  readonly tier?: string | undefined;
}

/** A cancel of all or a part of a payment. */
export interface CancelRequest {
  readonly payment: Payment;
  /** The amount to cancel: everything that was kept when the payment was last read, or less. */
  readonly amount: Amount;
  /** The amount that we expect to be kept. Iamport cancels nothing when its own amount differs, so a repeat is safe. */
  readonly checksum: Amount;
  readonly reason: string;
  /** The tax-free part of `amount`; 0 is sent as well. */
  readonly taxFree?: Amount;
  /** The VAT in `amount`; 0 is sent as well. */
  readonly vatAmount?: Amount;
  /** The buyer's account, to which a deposit is refunded. */
  readonly account?: RefundAccount;
  /** Who requests the refund. Naver Pay requires it. */
  readonly requester?: RefundRequester;
}

/** The data of an order that is registered at Iamport before its payment. */
export interface Prepared {
  readonly merchantUid: string;
  readonly amount: Amount;
  readonly currency: string;
  readonly tier?: string;
}

/**
 * Calls Iamport. Every call ends within its deadline. It throws IamportUnavailable (retry later; IamportBusy after a
 * 429), IamportRefused (a refusal) or IamportUnexpected (a response in an unknown form). `tier` is a sub-merchant's
 * code, for Agency accounts.
 */
export interface Iamport {
  /** `GET /payments/{imp_uid}`. @returns undefined when Iamport returns 404 */
  payment(impUid: string, deadline: Deadline, tier?: string): Promise<Payment | undefined>;
  /** `GET /payments/find/{merchant_uid}/{status?}`: the newest payment of the order, in any status or in one. */
  newestPayment(merchantUid: string, deadline: Deadline, tier?: string, status?: 'paid'): Promise<Payment | undefined>;
  /** `GET /payments/findAll/{merchant_uid}`: every payment of the order. */
  payments(merchantUid: string, deadline: Deadline, tier?: string): Promise<PaymentList>;
  /** `GET /payments/status/{status}`. @throws IamportTooLarge when the page has more bytes than we read */
  listPayments(query: ListQuery, deadline: Deadline): Promise<PaymentPage>;
  /**
   * `POST /payments/cancel`.
   * @returns the payment after the cancel; unchanged when the PG refunds later
   * @throws IamportAccepted when Iamport returned `code` 0 without a payment that can be parsed
   * @throws IamportFault with `notSent` when Iamport certainly cancelled nothing
   */
  cancel(request: CancelRequest, deadline: Deadline, tier?: string): Promise<Payment>;
  /** `DELETE /vbanks/{imp_uid}`: revokes an account without a deposit. @returns the payment after it */
  revokeAccount(impUid: string, deadline: Deadline, tier?: string): Promise<Payment>;
  /**
   * `POST /payments/prepare`: registers the amount, so that a payment window with another amount does not open. The
   * same amount may be registered again.
   * @param replaced the amount that we registered before, which may be replaced
   * @returns `conflict` when an amount is registered that we did not register: it stays
   */
  prepare(order: Prepared, deadline: Deadline, replaced?: Amount): Promise<'prepared' | 'conflict'>;
}

/** Reads and writes the orders in DynamoDB. */
export interface Orders {
  read(merchantUid: string): Promise<Order | undefined>;
  /** Reads many orders, unsorted. Missing ones are left out; those that cannot be parsed are in `unreadable`. */
  readMany(
    merchantUids: readonly string[],
  ): Promise<{ readonly orders: readonly Order[]; readonly unreadable: readonly string[] }>;
  /** Registers an order. Not written when the order exists already, or when the shop's own table has no such item. */
  register(terms: OrderTerms, now: UnixSeconds): Promise<WriteResult<Order>>;
  /** Writes the next state of an order, if its revision is still the one that was read. */
  change(order: Order, next: OrderState, now: UnixSeconds): Promise<WriteResult<Order>>;
  /**
   * Writes when to check the order next, and whether its amount is registered at Iamport. The state does not change, so
   * the revision stays.
   */
  updateSchedule(order: Order, schedule: Schedule): Promise<WriteResult<Order>>;
  /**
   * Marks an unpaid order before one of its payments is cancelled, since the shop may change the amount of the order. A
   * concurrent writer that read the order before this write fails, and one that reads it later finds the payment's
   * reversal.
   */
  announceCancel(order: Order): Promise<WriteResult<Order>>;
  /** True when the shop owns the table, and so may change the amount of an order. */
  readonly isShops: boolean;
  /**
   * The orders whose check is due, the longest overdue first in each shard.
   * @param limit how many at most; each shard returns its share
   */
  due(now: UnixSeconds, limit: number): Promise<readonly Due[]>;
  /** Moves the next check of an order that cannot be checked now, also when its item cannot be parsed. */
  postpone(due: Due, until: UnixSeconds): Promise<void>;
}

/** Reads and writes the reversals in DynamoDB. */
export interface Reversals {
  read(impUid: string): Promise<Reversal | undefined>;
  /** The reversals of many payments, by `imp_uid`. Those that cannot be parsed are in `unreadable`. */
  readMany(
    impUids: readonly string[],
  ): Promise<{ readonly reversals: ReadonlyMap<string, Reversal>; readonly unreadable: readonly string[] }>;
  /**
   * Records that a payment must be undone.
   * @param attempts 1 when the caller sends the first request to Iamport at once; 0 leaves it to the reconciler
   * @returns `written: false` with the reversal that is recorded already
   */
  request(request: ReversalRequest, now: UnixSeconds, attempts: 0 | 1): Promise<Required<WriteResult<Reversal>>>;
  /**
   * Claims the next request to Iamport.
   * @returns undefined when none may be sent now, or another worker has claimed it
   */
  claim(reversal: Reversal, now: UnixSeconds): Promise<Reversal | undefined>;
  /**
   * Writes the next state of a reversal, if its revision is still the one that was read.
   * @param next one of the transitions of payment/reversal.ts
   * @returns the stored reversal: the next state, or the one that another worker wrote
   */
  move(read: Reversal, next: Omit<Reversal, 'revision'>): Promise<Reversal>;
  /**
   * Ends a reversal: nothing is left to undo.
   * @param amount the amount that went back, when it differs: 0 when the payment settled the order after all
   * @returns the reversal, which is `done`; undefined when the payment has none
   */
  finish(impUid: string, now: UnixSeconds, amount?: Amount): Promise<Reversal | undefined>;
  /** Every reversal and refund of an order. Those that cannot be parsed are in `unreadable`. */
  ofOrder(merchantUid: string): Promise<{
    readonly reversals: readonly Reversal[];
    readonly refunds: readonly Refund[];
    readonly unreadable: readonly string[];
  }>;
  /**
   * Reversals (`imp_uid`) and refunds (`<imp_uid>/<key>`) of one class whose check is due, the longest overdue first.
   * @param limit how many at most
   */
  due(of: CheckClass, now: UnixSeconds, limit: number): Promise<readonly Due[]>;
  /** Moves the next check of an item that cannot be checked now, also when it cannot be parsed. */
  postpone(due: Due, until: UnixSeconds): Promise<void>;
}

/** Reads and writes the refunds in DynamoDB. */
export interface Refunds {
  /** @param id as `refundId` writes it, or the refund itself */
  read(id: string | Pick<Refund, 'impUid' | 'key'>): Promise<Refund | undefined>;
  /**
   * Writes a new refund, before the cancel is sent.
   * @returns `written: false` with the refund of that key, when its cancel was or may have been sent
   * @throws StoreUnexpected when the refund was deleted during the write
   */
  request(refund: Refund): Promise<Required<WriteResult<Refund>>>;
  /**
   * Writes the next version, if the one that was read is still stored. The adapter counts the revision.
   * @returns `written: false` with the newer version
   * @throws StoreUnexpected when the refund was deleted during the write
   */
  change(read: Refund, next: Refund): Promise<Required<WriteResult<Refund>>>;
}

/** Stores the notifications of Iamport that only its webhook sends. */
export interface Notifications {
  /**
   * Stores the newest notification about escrow, and the newest of all others.
   * @param interval seconds that must have passed since the last write of the same kind; 0 by default
   * @returns false when the same notification is stored already, or the last write was too recent
   */
  store(notification: Omit<Notification, 'updatedAt'>, now: UnixSeconds, interval?: number): Promise<boolean>;
}

/** A payment with money or an account that a scan read and could not settle. */
export interface Unresolved {
  readonly impUid: string;
  readonly merchantUid: string;
  readonly since: UnixSeconds;
  /** When it is settled again. */
  readonly nextAt: UnixSeconds;
}

/** How far the scan of a window has come. */
export interface ScanCheckpoint {
  /** Every payment before this time was read, and is settled or in `unresolved`. */
  readonly completedUntil: UnixSeconds;
  /** Absent between two scans. */
  readonly cursor?: ScanCursor;
  /** At most one payment of each order. */
  readonly unresolved: readonly Unresolved[];
  /** Counts the writes, so that only one of two concurrent runs moves the checkpoint. */
  readonly revision: number;
}

/** The checkpoints that earlier runs wrote. */
export interface Progress {
  /** When this deployment began, in Unix seconds; `undefined` before the first run. @throws StoreUnexpected */
  beginning(): UnixSeconds | undefined;
  /** @throws StoreUnexpected when this checkpoint cannot be parsed; others may be readable */
  checkpoint(name: string): ScanCheckpoint | undefined;
}

/** Reads and writes the checkpoints of the scans in DynamoDB. */
export interface Checkpoints {
  /**
   * Reads the named checkpoints and the beginning of the deployment at once. `write` fails when another run has written
   * since.
   */
  read(names: readonly string[]): Promise<Progress>;
  /**
   * Records when this deployment began: the creation of the table. Payments made before it are not settled. The table
   * may be restored later, so the time is recorded once.
   * @returns the recorded time, in Unix seconds
   */
  begin(): Promise<UnixSeconds>;
  /** @returns the written checkpoint; undefined when another run has moved it */
  write(name: string, checkpoint: ScanCheckpoint): Promise<ScanCheckpoint | undefined>;
}

/** The tables whose streams the publisher reads. */
export type StreamedTable = 'orders' | 'reversals';

/** A write whose only purpose is to reach the publisher through the stream of its table. */
export interface Heartbeat {
  readonly table: StreamedTable;
  readonly sentAt: UnixSeconds;
}

/** Writes and reads the heartbeats in DynamoDB. */
export interface Heartbeats {
  /**
   * Writes a heartbeat into each table of ours that has a stream.
   * @returns how far the publisher is behind the heartbeats that were sent before; seconds. 0 when it has received all
   */
  send(now: UnixSeconds): Promise<number>;
  /** Records that the publisher has received a heartbeat. An earlier one changes nothing. */
  received(heartbeat: Heartbeat): Promise<void>;
}

/** A cache of 404s, in the memory of a Lambda instance. */
export interface UnknownPayments {
  /** @returns whether Iamport returned 404 for this id within the last 10 s */
  has(impUid: string, tier: string | undefined): boolean;
  add(impUid: string, tier: string | undefined): void;
}

/** An event in the form of EventBridge. */
export interface BusEntry {
  readonly detailType: string;
  readonly detail: object;
  /** Unix seconds. */
  readonly time: number;
}

/** Publishes events to EventBridge. */
export interface Bus {
  /**
   * @returns for each entry, in order, whether EventBridge accepted it
   * @throws BusUnavailable when EventBridge returns no response
   * @throws EventRefused when EventBridge refuses an entry for its content, and a repeat would be refused as well
   */
  put(entries: readonly BusEntry[]): Promise<readonly boolean[]>;
}

/** Publishes the events of the use cases. */
export interface EventPublisher {
  /**
   * @param at when the item changed
   * @returns whether the bus accepted the event
   * @throws BusUnavailable when the bus returns no response
   * @throws EventRefused when the bus refuses the event for its content, and a repeat would be refused as well
   */
  publish(event: PaymentEvent | NotificationEvent, at: UnixSeconds): Promise<boolean>;
}

/** A record of a table's stream: one write of one item. */
export interface StreamRecord {
  readonly table: string;
  /** The key of the item, without its other attributes. */
  readonly key: Readonly<Record<string, string>>;
  readonly sequenceNumber: string;
  /** When the item changed. */
  readonly changedAt: UnixSeconds;
}

/** An item before and after a write. `before` is absent for a new item. */
export type Versions =
  | { readonly kind: 'order'; readonly before?: Order | undefined; readonly after: Order }
  | { readonly kind: 'reversal'; readonly before?: Reversal | undefined; readonly after: Reversal }
  | { readonly kind: 'refund'; readonly before?: Refund | undefined; readonly after: Refund }
  | { readonly kind: 'notification'; readonly after: Notification }
  | { readonly kind: 'heartbeat'; readonly heartbeat: Heartbeat };

/**
 * The result of the restoration of an item.
 * `restored_before`: this restoration, or a later one, is written already.
 * `lost`: another settlement has begun in the item. The operator must compare the two.
 * `is_restoration`: the write itself is one of our restorations. Its events were published after the first write.
 */
export type Restoration = 'restored' | 'restored_before' | 'deleted' | 'lost' | 'is_restoration';

/** The change of an item by one write. */
export interface ItemChange extends StreamRecord {
  /**
   * @returns undefined for a deletion, and for a write that did not raise the revision, such as an operator's correction
   * @throws StoreUnexpected for an item that this version cannot parse
   */
  versions(): Versions | undefined;
  /**
   * Writes our attributes again where the shop has overwritten a whole item of its own table.
   * @returns `is_restoration` for that write, and for one of the operator's `restore`; undefined for any other write
   */
  restoreIfOverwritten(): Promise<Restoration | undefined>;
}

/** A stream record from which no event can be computed. */
export interface UnreadableRecord extends StreamRecord {
  readonly reason: string;
}

/** Sends unreadable stream records to an SQS queue for the operator, so that the later records are published. */
export interface UnreadableRecords {
  /** @throws QueueUnavailable when the record may not be in the queue */
  send(record: UnreadableRecord): Promise<void>;
}

/** The response of the shop's server to a webhook. */
export interface WebhookResponse {
  readonly status: number;
  /** The header `retry-after`, unparsed. */
  readonly retryAfter?: string | undefined;
}
