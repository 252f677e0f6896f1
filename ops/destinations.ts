/** The URLs of a deployment that receive webhooks, with their queues. */

import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type MessageQueue, messageCount, messageQueue } from '../functions/adapters/sqs.ts';
import { webhookSecretIn } from '../functions/adapters/webhooks/secrets.ts';
import { confirmConfigFrom } from '../functions/runtime/confirm-config.ts';
import { deliverConfigFrom } from '../functions/runtime/deliver-config.ts';
import { type SecretStore, secretStore } from './secret-store.ts';

/** A URL of the shop's server that receives signed requests. */
export interface SignedUrl {
  readonly url: string;
  /** The texts that sign its requests, base64 with or without `whsec_`. */
  readonly secret: SecretStore;
  /** The host of the URL. The path or query may contain a key. */
  readonly receiver: string;
}

export interface WebhookDestination extends SignedUrl {
  /** Whether the URL receives events of this name. */
  receives(eventName: string): boolean;
  readonly queue: MessageQueue;
  readonly deadLetters: MessageQueue;
  /** @returns about how many webhooks are not sent again */
  undelivered(): Promise<number>;
}

const signedUrl = (url: string, secretArn: string): SignedUrl => ({
  url,
  secret: secretStore(secretArn, webhookSecretIn, {
    ko: '{"current": "24~64바이트의 base64", "previous": ""}를 넣으세요',
    en: 'Put {"current": "<base64 of 24 to 64 bytes>", "previous": ""} into it',
  }),
  receiver: new URL(url).host,
});

/**
 * @param variables the environment of the function `confirm`
 * @returns the URL that is asked before an approval; undefined when no URL is
 */
export function confirmUrl(variables: Readonly<Record<string, string>>): SignedUrl | undefined {
  const config = confirmConfigFrom(variables);
  return config?.asks === 'server' ? signedUrl(config.url, config.secretArn) : undefined;
}

/** @param variables the environment of the function `deliver` of this URL */
export function webhookDestination(variables: Readonly<Record<string, string>>): WebhookDestination {
  const config = deliverConfigFrom(variables);
  const { WEBHOOK_EVENTS: events } = variables;
  // Any client of the SDK: the calls to SQS use its credentials and region.
  const client = new SecretsManagerClient({});
  return {
    ...signedUrl(config.url, config.secretArn),
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
