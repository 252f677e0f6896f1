/** The ports from the streams of the tables to EventBridge, SQS and the shop's webhooks. */

import type { PaymentEvent } from '../../payment/events.ts';
import type { Notification, NotificationEvent } from '../../payment/notification.ts';
import type { Order } from '../../payment/order.ts';
import type { UnixSeconds } from '../../payment/payment.ts';
import type { Refund } from '../../payment/refund.ts';
import type { Reversal } from '../../payment/reversal.ts';
import type { Heartbeat } from './stores.ts';

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

/** The response of the shop's server to a webhook. */
export interface WebhookResponse {
  readonly status: number;
  /** The header `retry-after`, unparsed. */
  readonly retryAfter?: string | undefined;
}
