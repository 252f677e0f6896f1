/** The body of a webhook, by the name of its event. Types only. */

import type { DetailOf, eventFields, notificationNames } from '../functions/events/event-schema.ts';

export type WebhookEventName = keyof typeof eventFields | (typeof notificationNames)[number];

/**
 * The union of all events, discriminated by `type`; or one event. A newer API may send a `type` that this version of the
 * client does not list: ignore it.
 */
export type WebhookEvent<Name extends WebhookEventName = WebhookEventName> = Name extends WebhookEventName
  ? {
      readonly type: Name;
      /** The time of the event, in ISO 8601. */
      readonly timestamp: string;
      /** Amounts in major units, times in Unix seconds. Detect repeated deliveries by `data.id`. */
      readonly data: DetailOf<Name>;
    }
  : never;
