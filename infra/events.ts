/**
 * The module `iamport-serverless/events` for a shop's own functions: the names of the events, their types, and a check of a
 * received event. It imports nothing of the CDK.
 */
import { type DetailOf, eventSource, readDetail } from '../functions/events/event-schema.ts';
import type { EventName } from '../functions/payment/events.ts';
import type { NotificationEventName } from '../functions/payment/notification.ts';

export {
  type DetailOf,
  type EventDetail,
  eventNames,
  eventSource,
  type NotificationDetail,
  notificationNames,
} from '../functions/events/event-schema.ts';
export type { EventName, NotificationEventName };

/** An event as a subscribed function receives it from EventBridge. Amounts in major units, times in Unix seconds. */
export interface PaymentsEvent<Name extends EventName | NotificationEventName = EventName> {
  /** EventBridge's own id, which is different in each delivery: detect repeats by `detail.id`. */
  readonly id: string;
  readonly source: typeof eventSource;
  readonly 'detail-type': Name;
  readonly detail: DetailOf<Name>;
  /** The time of the event, in ISO 8601. */
  readonly time: string;
  readonly account: string;
  readonly region: string;
}

/**
 * Checks the event of an invocation.
 * @param name of the event that the function is subscribed to
 * @returns its `detail`
 * @throws Error for another event, or another version than 1
 */
export function readEvent<Name extends EventName | NotificationEventName>(name: Name, event: unknown): DetailOf<Name> {
  const { source, 'detail-type': type, detail } = (event ?? {}) as Partial<PaymentsEvent>;
  if (source !== eventSource || type !== name) {
    throw new Error(`Expected "${name}" of ${eventSource}, and got "${type}" of ${source}`);
  }
  return readDetail(name, detail);
}
