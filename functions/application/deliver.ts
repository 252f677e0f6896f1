/**
 * Delivers one event to the shop's server. Keeps no state: the age of the queue's message decides when the next attempt
 * is, and when there is none.
 */

import { type Clock, type Random, retryAfterMs, unixSeconds } from '../shared/clock.ts';
import type { WebhookResponse } from './ports/delivery.ts';

export interface Webhook {
  /** `detail.id` of the event. */
  readonly id: string;
  readonly body: string;
  /** When the event came into the queue. Milliseconds since 1970. */
  readonly queuedAt: number;
}

export interface DeliveryDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly receiver: WebhookReceiver;
}

/** The shop's server. */
export interface WebhookReceiver {
  /**
   * Signs the webhook and sends it.
   * @param timestamp Unix seconds
   * @throws WebhookNoResponse when no connection was allowed, or no response came in time
   * @throws StoreUnavailable when the secret could not be read
   */
  post(webhook: Pick<Webhook, 'id' | 'body'>, timestamp: number): Promise<WebhookResponse>;
}

/** `status`: of the response. `fault`: why there was none. */
export interface Attempt {
  readonly status?: number;
  readonly fault?: unknown;
}

export type Delivery = Attempt &
  (
    | { readonly outcome: 'delivered' }
    /** The next attempt is after so many seconds. */
    | { readonly outcome: 'repeat'; readonly afterSeconds: number }
    /** The receiver returned 410, so this webhook is not sent again. */
    | { readonly outcome: 'gone' }
    /** No attempt succeeded for three days. */
    | { readonly outcome: 'expired' }
  );

/**
 * @returns the result of one attempt; never rejects. An attempt without a response is repeated, also where our own secret cannot
 * be read.
 */
export async function deliver(webhook: Webhook, { clock, random, receiver }: DeliveryDependencies): Promise<Delivery> {
  const { retryAfter, ...attempt } = await attempted(receiver.post(webhook, unixSeconds(clock)));
  const { status = 0 } = attempt;
  if (status >= 200 && status < 300) return { ...attempt, outcome: 'delivered' };
  if (status === 410) return { ...attempt, outcome: 'gone' };
  const ageSeconds = (clock.now() - webhook.queuedAt) / 1000;
  if (ageSeconds >= maxAgeSeconds) return { ...attempt, outcome: 'expired' };
  const askedSeconds = status === 429 || status === 503 ? retryAfterMs(retryAfter, clock.now()) / 1000 : 0;
  return { ...attempt, outcome: 'repeat', afterSeconds: secondsToNext(ageSeconds, random(), askedSeconds) };
}

async function attempted(response: Promise<WebhookResponse>): Promise<Attempt & Partial<WebhookResponse>> {
  try {
    return await response;
  } catch (fault) {
    return { fault };
  }
}

/** Three days: a shop that fails on Friday evening has until Monday evening. */
const maxAgeSeconds = 3 * 86_400;
const minDelaySeconds = 5;
/** SQS hides a message for 12 hours at most. The alarm `webhook-late` needs an attempt in every eight. */
const maxDelaySeconds = 6 * 3_600;

/**
 * Waits as long again as the event has waited already: 5, 10, 20, 40 s … 6 h, then every 6 hours.
 * @param jitter in [0, 1): up to a tenth more, so that many webhooks do not come back at the same moment
 * @param askedSeconds by the receiver. A later attempt is granted, up to 6 h; an earlier one is not, since SQS moves a message
 * to the dead-letter queue after 1,000 attempts. NaN or 0 when it asked for nothing.
 */
export function secondsToNext(ageSeconds: number, jitter: number, askedSeconds = 0): number {
  const delay = Math.min(Math.max(ageSeconds, minDelaySeconds, askedSeconds || 0), maxDelaySeconds);
  return Math.round(delay * (1 + jitter / 10));
}

/** An undelivered event of this age is counted for the alarm. Seconds. */
export const lateSeconds = 3_600;
