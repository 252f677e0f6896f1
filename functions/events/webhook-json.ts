/**
 * The body of a webhook, in the form that Standard Webhooks recommends: `type`, `timestamp` and `data`. `data` is the
 * `detail` of the event, unchanged.
 */

import * as z from 'zod/mini';
import { jsonIn } from '../shared/json-text.ts';
import { eventSource } from './event-schema.ts';

/** An event as EventBridge puts it into a queue, as far as a webhook needs it. */
const queuedEvent = z.object({
  source: z.literal(eventSource),
  'detail-type': z.string(),
  /** ISO 8601. */
  time: z.string(),
  detail: z.looseObject({ id: z.string(), merchant_uid: z.string() }),
});

export interface WebhookContent {
  /** `detail.id` of the event: the same in every delivery of it. */
  readonly id: string;
  /** The name of the event. */
  readonly type: string;
  readonly merchantUid: string;
  /** JSON. */
  readonly body: string;
}

/**
 * @param message the text of the queue's message
 * @returns undefined when the message is no event of ours
 */
export function webhookOf(message: string): WebhookContent | undefined {
  const event = jsonIn(message);
  const found = queuedEvent.safeParse(event);
  if (!found.success) return undefined;
  const { 'detail-type': type, time: timestamp, detail } = found.data;
  return {
    id: detail.id,
    type,
    merchantUid: detail.merchant_uid,
    // zod puts the fields that it knows first. The body has them in the sequence of the event.
    body: JSON.stringify({ type, timestamp, data: (event as { detail: object }).detail }),
  };
}
