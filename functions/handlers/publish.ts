/** The publisher: Lambda calls it with the records of the tables' streams. It publishes their events on the bus. */

import type { Context, DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { changeFrom } from '../adapters/dynamodb/stream.ts';
import { publishEvents } from '../application/publish-events.ts';
import { environmentOfLambda, publisherConfigFrom } from '../runtime/config.ts';
import { writeLog } from '../runtime/log.ts';
import type { PublisherDependencies } from '../runtime/publisher-dependencies.ts';
import { createPublisherDependencies } from '../runtime/publisher-instance.ts';

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

const environment = environmentOfLambda();
const deps = environment && createPublisherDependencies(publisherConfigFrom(environment));

export async function handler(event: DynamoDBStreamEvent, context: Context): Promise<DynamoDBBatchResponse> {
  if (!deps) throw new Error('Not in Lambda: call publish() itself');
  const begin = deps.clock.now();
  const response = await publish(deps, event);
  const [failed] = response.batchItemFailures;
  const line = { requestId: context.awsRequestId, route: 'publish', records: event.Records.length };
  writeLog({ ...line, stoppedAt: failed?.itemIdentifier, durationMs: deps.clock.now() - begin }, failed !== undefined);
  return response;
}
