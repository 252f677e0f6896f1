/** The publisher: Lambda calls it with the records of the tables' streams. It publishes their events on the bus. */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { Context, DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { createOverwrittenItems } from '../adapters/dynamodb/overwritten.ts';
import { createReversals } from '../adapters/dynamodb/reversals.ts';
import { changeFrom, type ShopItems } from '../adapters/dynamodb/stream.ts';
import { table } from '../adapters/dynamodb/table.ts';
import { shopTable } from '../adapters/dynamodb/table-mapping.ts';
import { eventBridge } from '../adapters/eventbridge.ts';
import { messageQueue } from '../adapters/sqs.ts';
import type { Bus, EventPublisher } from '../application/ports.ts';
import { type PublishDependencies, publishEvents } from '../application/publish-events.ts';
import { eventJson, notificationJson } from '../events/event-json.ts';
import { eventSource } from '../events/event-source.ts';
import { systemClock } from '../runtime/clock.ts';
import { environmentOfLambda, type PublisherConfig, publisherConfigFrom } from '../runtime/config.ts';
import { writeCounts, writeLog } from '../runtime/log.ts';
import { embedded } from '../shared/metrics.ts';

export interface PublisherDependencies extends PublishDependencies {
  /** Set where the orders are in the shop's own table. */
  readonly shop?: ShopItems | undefined;
}

/**
 * Publishes the events of a batch of stream records.
 * @returns the first record that failed: Lambda retries from there, which keeps the events of an item in order
 * @throws Error when the first of several records failed, since Lambda bisects a batch only when all of it fails
 */
export async function publish(
  deps: PublisherDependencies,
  { Records }: DynamoDBStreamEvent,
): Promise<DynamoDBBatchResponse> {
  const changes = Records.map((record) => changeFrom(record, deps.shop));
  const failed = await publishEvents(deps, changes);
  if (failed && failed === changes[0] && changes.length > 1) {
    throw new Error(
      `Failed at the first of ${changes.length} records (${failed.sequenceNumber}); failing the whole batch so that Lambda bisects it`,
    );
  }
  return { batchItemFailures: failed ? [{ itemIdentifier: failed.sequenceNumber }] : [] };
}

/** Publishes events in their JSON form. */
export const eventPublisher = (bus: Bus): EventPublisher => ({
  async publish(event, at) {
    const detail = 'notification' in event ? notificationJson(event) : eventJson(event);
    const [isAccepted = false] = await bus.put([{ detailType: event.name, detail, time: at }]);
    return isAccepted;
  },
});

/** Two attempts each at the table, the bus and the queue end before the function's timeout of 30 s. Milliseconds. */
const upstream = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 4_000, throwOnRequestTimeout: true },
};

function createPublisherDependencies(variables: Parameters<typeof publisherConfigFrom>[0]): PublisherDependencies {
  const config = publisherConfigFrom(variables);
  const dynamodb = new DynamoDBClient(upstream);
  const events = new EventBridgeClient(upstream);
  const queue = messageQueue(events, config.unpublishedQueueUrl);
  return {
    events: eventPublisher(eventBridge(events, config.eventBus, eventSource)),
    reversals: createReversals(table(dynamodb, config.reversalsTable)),
    unreadable: { keep: (record) => queue.send(record) },
    clock: systemClock,
    count: (counts, by) => writeCounts(embedded(counts, by, config.deployment, systemClock.now())),
    log: (line, isFault) => writeLog({ route: 'publish', ...line }, isFault),
    shop: shopItemsOf(config, dynamodb),
  };
}

function shopItemsOf({ shopColumns, ordersTable }: PublisherConfig, client: DynamoDBClient): ShopItems | undefined {
  if (!shopColumns || !ordersTable) return undefined;
  const mapping = shopTable(shopColumns);
  return { mapping, overwritten: createOverwrittenItems(table(client, ordersTable, mapping.prefix), mapping) };
}

const environment = environmentOfLambda();
const deps = environment && createPublisherDependencies(environment);

export async function handler(event: DynamoDBStreamEvent, context: Context): Promise<DynamoDBBatchResponse> {
  if (!deps) throw new Error('Not in Lambda: call publish() itself');
  const begin = deps.clock.now();
  const response = await publish(deps, event);
  const [failed] = response.batchItemFailures;
  const line = { requestId: context.awsRequestId, route: 'publish', records: event.Records.length };
  writeLog({ ...line, stoppedAt: failed?.itemIdentifier, durationMs: deps.clock.now() - begin }, failed !== undefined);
  return response;
}
