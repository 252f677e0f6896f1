/** The ports to the tables in DynamoDB. */

import type { Amount } from '../../payment/money.ts';
import type { Notification } from '../../payment/notification.ts';
import type { Order, OrderState, OrderTerms } from '../../payment/order.ts';
import type { Schedule } from '../../payment/order-steps.ts';
import type { UnixSeconds } from '../../payment/payment.ts';
import type { Refund } from '../../payment/refund.ts';
import type { CheckClass, Reversal, ReversalRequest } from '../../payment/reversal.ts';
import type { ScanCursor } from '../../payment/scan-cursor.ts';

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
   * @param amount what went back since the last check, when it differs: 0 when the payment settled the order after all
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
   * Writes a new refund.
   * @returns `written: false` with the refund of that key
   * @throws StoreUnexpected when the refund was deleted during the write
   */
  request(refund: Refund): Promise<Required<WriteResult<Refund>>>;
  /**
   * Writes the next version, if the one that was read is still stored. The adapter counts the revision.
   * @returns `written: false` with the newer version
   * @throws StoreUnexpected when the refund was deleted during the write
   */
  change(read: Refund, next: Refund): Promise<Required<WriteResult<Refund>>>;
  /**
   * Reads every announced refund of a payment with strong consistency, the `unsent` ones included.
   * @throws StoreUnexpected when one of them cannot be parsed
   */
  ofPayment(impUid: string): Promise<RefundList>;
  /**
   * Adds a key to the payment's list, if it is as it was read. The list loses the refunds that were read as `unsent`.
   * @param key of a refund that is written
   * @returns false when a request with another key has announced a refund since; a repeat of this write is harmless
   */
  announce(list: RefundList, key: string): Promise<boolean>;
}

/** The announced refunds of a payment. */
export interface RefundList {
  readonly impUid: string;
  /** Counts the announcements. 0: none yet. */
  readonly version: number;
  readonly refunds: readonly Refund[];
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
  /** When this deployment began, in Unix seconds: the recorded time, or the one that `begin` will record. Cached. */
  beginning(): Promise<UnixSeconds>;
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
