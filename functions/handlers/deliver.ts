/**
 * Delivers events to the shop's server as signed webhooks: one message of the destination's own queue an invocation.
 * SQS repeats a message that is not deleted. This function only sets when, and moves a message that is not sent again
 * to the dead-letter queue.
 */

import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { type MessageQueue, messageHider, messageQueue } from '../adapters/sqs.ts';
import { webhookSender } from '../adapters/webhooks/receiver.ts';
import { createWebhookSecrets } from '../adapters/webhooks/secrets.ts';
import { webhookHeaders } from '../adapters/webhooks/signature.ts';
import { type Delivery, type DeliveryDependencies, deliver, lateSeconds } from '../application/deliver.ts';
import { webhookOf } from '../events/webhook-json.ts';
import { systemClock, systemRandom } from '../runtime/clock.ts';
import { environmentOfLambda } from '../runtime/config.ts';
import { deliverConfigFrom } from '../runtime/deliver-config.ts';
import { writeCounts, writeLog } from '../runtime/log.ts';
import { causesOf, type LogLine } from '../shared/log-line.ts';
import { type Counts, embedded } from '../shared/metrics.ts';

export interface DeliverDependencies extends DeliveryDependencies {
  /** Sets when SQS delivers the message again. @throws QueueUnavailable */
  readonly hide: (receipt: string, seconds: number) => Promise<void>;
  readonly deadLetters: Pick<MessageQueue, 'send'>;
  readonly count: (counts: Counts) => void;
  /** The host of the receiver, for the log. The path or query of a URL may contain a key. */
  readonly receiverHost: string;
}

/**
 * Makes one attempt for each message.
 * @returns the messages that SQS delivers again
 * @throws QueueUnavailable when SQS takes no message into the dead-letter queue; the message is then delivered again
 */
export async function deliverMessages(
  deps: DeliverDependencies,
  { Records }: SQSEvent,
  requestId: string,
): Promise<SQSBatchResponse> {
  const failed: string[] = [];
  // The template delivers one message at a time, so that a slow response delays no other webhook.
  for (const record of Records) {
    if (!(await isOver(deps, record, requestId))) failed.push(record.messageId);
  }
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}

/** @returns whether the message can be deleted */
async function isOver(deps: DeliverDependencies, record: SQSRecord, requestId: string): Promise<boolean> {
  const begin = deps.clock.now();
  const line: LogLine = { requestId, route: 'deliver', receiver: deps.receiverHost };
  const log = (facts: LogLine, isFault: boolean) =>
    writeLog({ ...line, ...facts, durationMs: deps.clock.now() - begin }, isFault);
  const webhook = webhookOf(record.body);
  if (!webhook) {
    await deps.deadLetters.send(record.body);
    log({ outcome: 'unreadable', messageId: record.messageId }, true);
    return true;
  }
  const queuedAt = Number(record.attributes.SentTimestamp);
  const delivery = await deliver({ ...webhook, queuedAt }, deps);
  const isLost = delivery.outcome === 'gone' || delivery.outcome === 'expired';
  const ageSeconds = Math.round((begin - queuedAt) / 1000);
  if (delivery.outcome !== 'delivered' && ageSeconds >= lateSeconds) deps.count({ WebhooksLate: 1 });
  log(
    { event: webhook.type, id: webhook.id, merchantUid: webhook.merchantUid, ...factsOf(delivery), ageSeconds },
    isLost,
  );
  if (isLost) await deps.deadLetters.send(record.body);
  if (delivery.outcome !== 'repeat') return true;
  // Without it, SQS delivers the message again after the visibility timeout of the queue.
  await deps.hide(record.receiptHandle, delivery.afterSeconds).catch((error: unknown) => {
    writeLog({ ...line, causes: causesOf(error) }, true);
  });
  return false;
}

const factsOf = (delivery: Delivery): LogLine => ({
  outcome: delivery.outcome,
  status: delivery.status,
  ...(delivery.fault !== undefined && { causes: causesOf(delivery.fault) }),
  ...(delivery.outcome === 'repeat' && { afterSeconds: delivery.afterSeconds }),
});

/** Two attempts each at the secret and at the queue end before the function's timeout. Milliseconds. */
const upstream = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true },
};

async function createDeliverDependencies(
  variables: Parameters<typeof deliverConfigFrom>[0],
): Promise<DeliverDependencies> {
  const config = deliverConfigFrom(variables);
  const client = new SecretsManagerClient(upstream);
  const secrets = createWebhookSecrets(client, config.secretArn, systemClock);
  const send = webhookSender(config);
  // The first delivery reads the secret if this does not.
  await secrets.read().catch(() => undefined);
  return {
    clock: systemClock,
    random: systemRandom,
    receiver: {
      async post({ id, body }, timestamp) {
        const { status, retryAfter } = await send(webhookHeaders(await secrets.read(), { id, timestamp, body }), body);
        // The response of a receiver that has a newer secret.
        if (status === 401 || status === 403) secrets.doubt();
        return { status, retryAfter };
      },
    },
    hide: messageHider(client, config.queueUrl),
    deadLetters: messageQueue(client, config.deadLettersUrl),
    count: (counts) => writeCounts(embedded(counts, {}, config.deployment, systemClock.now())),
    receiverHost: new URL(config.url).host,
  };
}

const environment = environmentOfLambda();
const deps = environment && (await createDeliverDependencies(environment));

export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  if (!deps) throw new Error('Not in Lambda: call deliverMessages() itself');
  return deliverMessages(deps, event, context.awsRequestId);
}
