/** The dependencies of an instance of the publisher: creates the clients that open connections. */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { table } from '../adapters/dynamodb/table.ts';
import { shopTable } from '../adapters/dynamodb/table-mapping.ts';
import { eventBridge } from '../adapters/eventbridge.ts';
import { messageQueue } from '../adapters/sqs.ts';
import { eventSource } from '../events/event-source.ts';
import { embedded } from '../shared/metrics.ts';
import { systemClock } from './clock.ts';
import type { PublisherConfig } from './config.ts';
import { writeCounts, writeLog } from './log.ts';
import {
  type PublisherDependencies,
  type PublisherParts,
  publisherDependenciesFrom,
} from './publisher-dependencies.ts';

/** Two attempts each at the table, the bus and the queue end before the function's timeout of 30 s. Milliseconds. */
const upstream = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 4_000, throwOnRequestTimeout: true },
};

export function createPublisherDependencies(config: PublisherConfig): PublisherDependencies {
  const dynamodb = new DynamoDBClient(upstream);
  const events = new EventBridgeClient(upstream);
  const queue = messageQueue(events, config.unpublishedQueueUrl);
  return publisherDependenciesFrom({
    bus: eventBridge(events, config.eventBus, eventSource),
    reversals: table(dynamodb, config.reversalsTable),
    unreadable: { send: (record) => queue.send(record) },
    clock: systemClock,
    count: (counts, by) => writeCounts(embedded(counts, by, config.deployment, systemClock.now())),
    log: (line, isFault) => writeLog({ route: 'publish', ...line }, isFault),
    shop: shopOf(config, dynamodb),
  });
}

function shopOf({ shopColumns, ordersTable }: PublisherConfig, client: DynamoDBClient): PublisherParts['shop'] {
  if (!shopColumns || !ordersTable) return undefined;
  const mapping = shopTable(shopColumns);
  return { orders: table(client, ordersTable, mapping.prefix), mapping };
}
