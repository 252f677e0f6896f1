/** The URLs of a deployment that receive webhooks, with their queues. */

import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type MessageQueue, messageCount, messageQueue } from '../functions/adapters/sqs.ts';
import { deliverConfigFrom } from '../functions/runtime/deliver-config.ts';

export interface WebhookDestination {
  /** The host of the URL. The path or query may contain a key. */
  readonly receiver: string;
  /** Whether the URL receives events of this name. */
  receives(eventName: string): boolean;
  readonly queue: MessageQueue;
  readonly deadLetters: MessageQueue;
  /** @returns about how many webhooks are not sent again */
  undelivered(): Promise<number>;
}

/** @param variables the environment of the function `deliver` of this URL */
export function webhookDestination(variables: Readonly<Record<string, string>>): WebhookDestination {
  const config = deliverConfigFrom(variables);
  const { WEBHOOK_EVENTS: events } = variables;
  // Any client of the SDK: the calls to SQS use its credentials and region.
  const client = new SecretsManagerClient({});
  return {
    receiver: new URL(config.url).host,
    receives: (eventName) => events?.split(',').includes(eventName) ?? true,
    queue: messageQueue(client, config.queueUrl),
    deadLetters: messageQueue(client, config.deadLettersUrl),
    undelivered: () => messageCount(client, config.deadLettersUrl),
  };
}

/** The URLs with webhooks that are not sent again. */
export async function undeliveredWebhooks(
  destinations: readonly WebhookDestination[],
): Promise<readonly { receiver: string; count: number }[]> {
  const counts = await Promise.all(
    destinations.map(async ({ receiver, undelivered }) => ({ receiver, count: await undelivered() })),
  );
  return counts.filter(({ count }) => count > 0);
}
