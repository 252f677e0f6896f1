/** What the use cases call, each behind an interface. The adapters implement them; a test passes its own. */

import type { Amount } from '../payment/money.ts';
import type { Notification } from '../payment/notification.ts';
import type { Order, OrderState, OrderTerms } from '../payment/order.ts';
import type { Payment, UnixSeconds } from '../payment/payment.ts';
import type { Refund, RefundAccount, RefundRequester } from '../payment/refund.ts';
import type { CheckClass, Reversal, ReversalRequest } from '../payment/reversal.ts';
import type { ScanCursor } from '../payment/scan-cursor.ts';
import type { Deadline } from '../shared/clock.ts';

export interface BusEntry {
  readonly detailType: string;
  readonly detail: object;
  /** Unix seconds. */
  readonly time: number;
}

export interface Bus {
  /**
   * @returns for each entry, in order, whether the bus took it
   * @throws BusUnavailable when the bus gives no answer
   * @throws EventRefused when the bus refuses an entry for its content, so that it would refuse it every time
   */
  put(entries: readonly BusEntry[]): Promise<readonly boolean[]>;
}

/** A record of a stream of which no event can be made. */
export interface UnreadableRecord {
  readonly table: string;
  /** The key of the item, without anything else of it. */
  readonly key: Readonly<Record<string, string>>;
  readonly sequenceNumber: string;
  /** When the item changed. Unix seconds. */
  readonly changedAt: number;
  readonly reason: string;
}

/** Keeps unreadable records for the operator, so that the records behind them are published. */
export interface UnreadableRecords {
  /** @throws QueueUnavailable when the record may not have been kept */
  keep(record: UnreadableRecord): Promise<void>;
}

/** Payments of a list. One that cannot be read does not hide the others: it is named. */
export interface PaymentList {
  readonly payments: readonly Payment[];
  /** The `imp_uid` of payments in a form that we do not know. */
  readonly unreadable: readonly string[];
}

/** A page of a list of payments. */
export interface PaymentPage extends PaymentList {
  /** How many there are on all pages together. */
  readonly total: number;
  readonly next: number;
}

export interface CancelRequest {
  readonly payment: Payment;
  /** How much to give back: everything that was kept when the payment was last read, or less. */
  readonly amount: Amount;
  /** What we believe is still kept. Iamport does nothing when its own figure differs: this is what makes a repeat safe. */
  readonly checksum: Amount;
  readonly reason: string;
  /** The part of `amount` that is free of tax; 0 is sent too. */
  readonly taxFree?: Amount;
  /** The VAT in `amount`; 0 is sent too. */
  readonly vatAmount?: Amount;
  /** Where a deposit goes back to. */
  readonly account?: RefundAccount;
  /** Who asks for the refund; Naver Pay requires it. */
  readonly requester?: RefundRequester;
}

/** A page of the payments that came to be in one status between two times. */
export interface ListQuery {
  readonly status: 'paid' | 'cancelled' | 'ready' | 'failed';
  /** Unix seconds, both inclusive, at most 90 days apart. They mean the time that belongs to the status. */
  readonly from: number;
  readonly to: number;
  /** From 1; the oldest payments come first. */
  readonly page: number;
  /** How many payments a page has, at most 1,000. */
  readonly limit: number;
}

/**
 * Every call throws IamportUnavailable (ask again later; IamportBusy after a 429), IamportRefused (it said no) or IamportUnexpected (unknown shape),
 * and ends within the deadline. `tier` is a sub-merchant's code, for Agency accounts.
 */
export interface Iamport {
  /** `GET /payments/{imp_uid}`. @returns undefined when Iamport knows no such payment */
  payment(impUid: string, deadline: Deadline, tier?: string): Promise<Payment | undefined>;
  /** `GET /payments/find/{merchant_uid}/{status?}`: the payment of the order that was started last, perhaps in one status. */
  newestPayment(merchantUid: string, deadline: Deadline, tier?: string, status?: 'paid'): Promise<Payment | undefined>;
  /** `GET /payments/findAll/{merchant_uid}`: every payment of the order. */
  payments(merchantUid: string, deadline: Deadline, tier?: string): Promise<PaymentList>;
  /** `GET /payments/status/{status}`. @throws IamportTooLarge when the page has more bytes than we read */
  listPayments(query: ListQuery, deadline: Deadline): Promise<PaymentPage>;
  /**
   * `POST /payments/cancel`.
   * @returns the payment as it is after the cancel; a PG that pays back later leaves it unchanged
   * @throws IamportAccepted when Iamport answered `code` 0 without a payment that can be read
   * @throws IamportFault with `notSent` when Iamport surely cancelled nothing
   */
  cancel(request: CancelRequest, deadline: Deadline, tier?: string): Promise<Payment>;
  /** `DELETE /vbanks/{imp_uid}`: takes back an account nobody has paid into. @returns the payment after it */
  revokeAccount(impUid: string, deadline: Deadline, tier?: string): Promise<Payment>;
  /**
   * `POST /payments/prepare`: a payment window with another amount does not open. Registering the same amount again is fine.
   * @param replaced the amount that we registered before, which may be replaced
   * @returns `conflict` when another amount is registered that is not ours: it stays
   */
  prepare(order: Prepared, deadline: Deadline, replaced?: Amount): Promise<'prepared' | 'conflict'>;
}

/** What Iamport is told of an order before its payment. */
export interface Prepared {
  readonly merchantUid: string;
  readonly amount: Amount;
  readonly currency: string;
  readonly tier?: string;
}

/** An item of the index `due`. */
export interface Due {
  readonly id: string;
  readonly dueAt: UnixSeconds;
}

/** `held: false` comes with the order as it is now, if there is one: somebody was faster. */
export type Held = { readonly held: true; readonly order: Order } | { readonly held: false; readonly order?: Order };

export interface Orders {
  read(merchantUid: string): Promise<Order | undefined>;
  /** Many at once, in no order. What is not there is left out; what cannot be read does not hide the others. */
  readMany(
    merchantUids: readonly string[],
  ): Promise<{ readonly orders: readonly Order[]; readonly unreadable: readonly string[] }>;
  /** Registers an order. Not held when one of that name exists, which comes back; or when the shop's own table has none. */
  register(terms: OrderTerms, now: UnixSeconds): Promise<Held>;
  /** Moves an order on, if its revision is still the one that was read. */
  change(order: Order, next: OrderState, now: UnixSeconds): Promise<Held>;
  /**
   * Notes when to look at the order again, and whether Iamport knows its amount: no step in the order's life, so its
   * revision stays.
   */
  note(order: Order, look: Pick<Order, 'isUnprepared' | 'dueAt' | 'preparedAmount'>): Promise<Held>;
  /**
   * Before a payment of an unpaid order is cancelled, where the shop may change what the order costs: a concurrent writer who read
   * the order before this write cannot write it any more, and one who reads it later finds the payment's reversal.
   */
  announceCancel(order: Order): Promise<Held>;
  /** Does the shop own the table, and so may change what an order costs? */
  readonly isShops: boolean;
  /** The orders whose check is due, the longest overdue first in each shard. @param most in each shard */
  due(now: UnixSeconds, most: number): Promise<readonly Due[]>;
  /** Moves the next check of an order that cannot be checked now, even of one that cannot be read. */
  postpone(due: Due, until: UnixSeconds): Promise<void>;
}

export interface Reversals {
  read(impUid: string): Promise<Reversal | undefined>;
  /** The reversals of many payments, by their `imp_uid`. What cannot be read is left out of the map and named. */
  readMany(
    impUids: readonly string[],
  ): Promise<{ readonly reversals: ReadonlyMap<string, Reversal>; readonly unreadable: readonly string[] }>;
  /**
   * Records that a payment must be undone.
   * @param attempts 1 when the caller sends the first request to Iamport itself, and at once; 0 leaves it to the reconciler
   * @returns `created: false` with what is recorded already
   */
  request(
    request: ReversalRequest,
    now: UnixSeconds,
    attempts: 0 | 1,
  ): Promise<{ created: boolean; reversal: Reversal }>;
  /** Claims the next request to Iamport. @returns undefined when none may be sent now, or another worker has claimed it */
  claim(reversal: Reversal, now: UnixSeconds): Promise<Reversal | undefined>;
  /**
   * Writes the next state of a reversal, if its revision is still the one that was read.
   * @param next one of the transitions of payment/reversal.ts
   * @returns what is recorded then: the next state, or the one that another worker wrote
   */
  move(read: Reversal, next: Omit<Reversal, 'revision'>): Promise<Reversal>;
  /**
   * Nothing is left to undo.
   * @param amount what went back, when it is not what had to: 0 where the order was settled by the payment after all
   * @returns the reversal, which is over, or undefined when the payment has none
   */
  finish(impUid: string, now: UnixSeconds, amount?: Amount): Promise<Reversal | undefined>;
  /** Every reversal and refund of an order. What cannot be read is left out and named. */
  ofOrder(merchantUid: string): Promise<{
    readonly reversals: readonly Reversal[];
    readonly refunds: readonly Refund[];
    readonly unreadable: readonly string[];
  }>;
  /**
   * Reversals (`imp_uid`) and refunds (`<imp_uid>/<key>`) of one class whose check is due, the longest overdue first.
   * @param most how many at the most
   */
  due(of: CheckClass, now: UnixSeconds, most: number): Promise<readonly Due[]>;
  /** Moves the next check of an item that cannot be checked now, even of one that cannot be read. */
  postpone(due: Due, until: UnixSeconds): Promise<void>;
}

export interface Refunds {
  /** @param id as `refundId` writes it, or the refund itself */
  read(id: string | Pick<Refund, 'impUid' | 'key'>): Promise<Refund | undefined>;
  /**
   * Writes a new refund, before anything is sent.
   * @returns `held: false` with the refund of that key, if there is one that was or may have been sent
   */
  request(refund: Refund): Promise<{ held: boolean; refund: Refund }>;
  /**
   * Writes the next version, if the one that was read is still there. The revision is counted here.
   * @returns `held: false` with the newer version
   */
  change(read: Refund, next: Refund): Promise<{ held: boolean; refund: Refund }>;
}

export interface Notifications {
  /**
   * Keeps the newest about escrow, and the newest of all others.
   * @param interval seconds that must have passed since the last write of the same kind; 0 by default
   * @returns false when the same is stored already, or the last write was too recent
   */
  keep(notification: Omit<Notification, 'updatedAt'>, now: UnixSeconds, interval?: number): Promise<boolean>;
}

/** A payment with money or an account that was read and could not be settled. */
export interface Unresolved {
  readonly impUid: string;
  readonly merchantUid: string;
  readonly since: UnixSeconds;
  /** When it is settled again. */
  readonly nextAt: UnixSeconds;
}

export interface ScanCheckpoint {
  /** Every payment before this time was read, and is settled or in `unresolved`. */
  readonly completedUntil: UnixSeconds;
  /** Absent between two scans. */
  readonly cursor?: ScanCursor;
  /** One payment an order. */
  readonly unresolved: readonly Unresolved[];
  /** Counts the writes, so that of two runs at once only one moves the checkpoint. */
  readonly revision: number;
}

/** What the runs before have left. */
export interface Progress {
  /** When this deployment began, in Unix seconds; `undefined` before the first run. @throws StoreUnexpected */
  beginning(): UnixSeconds | undefined;
  /** @throws StoreUnexpected when this checkpoint cannot be read, which says nothing about the others */
  checkpoint(name: string): ScanCheckpoint | undefined;
}

export interface Checkpoints {
  /** The named checkpoints and the beginning of the deployment, in one read. A later `write` fails where another run was faster. */
  read(names: readonly string[]): Promise<Progress>;
  /**
   * Records when this deployment began, and returns it, in Unix seconds. Payments made before it are not ours to settle. The table
   * was made with the deployment, and may be restored later, so the time is recorded once.
   */
  begin(): Promise<UnixSeconds>;
  /** @returns the checkpoint as it was written, or undefined when another run has moved it */
  write(name: string, checkpoint: ScanCheckpoint): Promise<ScanCheckpoint | undefined>;
}

export interface UnknownPayments {
  /** @returns whether Iamport answered 404 for this id within the last 10 s */
  has(impUid: string, tier: string | undefined): boolean;
  add(impUid: string, tier: string | undefined): void;
}
