/**
 * What a shop's own functions import, as `iamport-serverless/events`: the names of the events, their types, and a check of what
 * arrived. Nothing of the CDK is in it.
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

/** An event as EventBridge hands it to a subscribed function. Amounts in major units, times in Unix seconds. */
export interface PaymentsEvent<Name extends EventName | NotificationEventName = EventName> {
  /** EventBridge's own id, another one in each delivery: tell repeats by `detail.id`. */
  readonly id: string;
  readonly source: typeof eventSource;
  readonly 'detail-type': Name;
  readonly detail: DetailOf<Name>;
  /** When it happened, in ISO 8601. */
  readonly time: string;
  readonly account: string;
  readonly region: string;
}

/**
 * Checks an event that a function was invoked with.
 * @param name of the event that the function is subscribed to
 * @returns its `detail`
 * @throws Error when it is another event, or not one of version 1
 */
export function readEvent<Name extends EventName | NotificationEventName>(name: Name, event: unknown): DetailOf<Name> {
  const { source, 'detail-type': type, detail } = (event ?? {}) as Partial<PaymentsEvent>;
  if (source !== eventSource || type !== name) {
    throw new Error(`Expected "${name}" of ${eventSource}, and got "${type}" of ${source}`);
  }
  return readDetail(name, detail);
}
