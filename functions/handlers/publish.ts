/**
 * The publisher turns the changes in the tables' streams into events and publishes them to the bus. Events are published
 * at least once, and in order for each item. Subscribers recognise repeats by the event's id.
 *
 * The publisher also requests the revocation of virtual accounts that an order no longer uses. In the shop's own table it
 * restores our attributes.
 */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { Context, DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { isNotificationItem, notificationFromItem } from '../adapters/dynamodb/notifications.ts';
import { orderFromItem } from '../adapters/dynamodb/order-item.ts';
import {
  createOverwrittenItems,
  isOverwritten,
  isRestored,
  type OverwrittenItems,
} from '../adapters/dynamodb/overwritten.ts';
import { isRefundItem, refundFromItem } from '../adapters/dynamodb/refunds.ts';
import { createReversals, reversalFromItem } from '../adapters/dynamodb/reversals.ts';
import { type Item, table } from '../adapters/dynamodb/table.ts';
import { shopTable, type TableMapping } from '../adapters/dynamodb/table-mapping.ts';
import { eventBridge } from '../adapters/eventbridge.ts';
import { messageQueue } from '../adapters/sqs.ts';
import { EventRefused, StoreRefused, StoreUnexpected } from '../application/faults.ts';
import type { Bus, BusEntry, Reversals, UnreadableRecords } from '../application/ports.ts';
import { eventJson, notificationJson } from '../events/event-json.ts';
import { eventSource } from '../events/event-schema.ts';
import { orderEvents, type PaymentEvent, refundEvents, reversalEvents, staleAccount } from '../payment/events.ts';
import { majorUnits } from '../payment/money.ts';
import { notificationEvent } from '../payment/notification.ts';
import type { ReversalRequest } from '../payment/reversal.ts';
import { systemClock } from '../runtime/clock.ts';
import { environmentOfLambda, type PublisherConfig, publisherConfigFrom } from '../runtime/config.ts';
import { causesOf, writeCounts, writeLog } from '../runtime/log.ts';
import { type Clock, unixSeconds } from '../shared/clock.ts';
import { type Counts, embedded, moneyEvents } from '../shared/metrics.ts';

export interface PublisherDependencies {
  readonly bus: Bus;
  readonly reversals: Pick<Reversals, 'request'>;
  readonly clock: Clock;
  /** Adds to metrics. @param by the value of each dimension */
  readonly count: (counts: Counts, by: Readonly<Record<string, string>>) => void;
  readonly unreadable: UnreadableRecords;
  /** Set where the orders are in the shop's own table. */
  readonly shopTable?: { readonly mapping: TableMapping; readonly overwritten: OverwrittenItems } | undefined;
}

interface PublishableEvent {
  readonly name: string;
  readonly detail: object;
  /** The amount for the metrics, in major units. */
  readonly money?: { readonly amount: number; readonly currency: string };
}

interface RecordEvents {
  readonly events: readonly PublishableEvent[];
  /** The revocation of an account that the order no longer uses. */
  readonly stale?: ReversalRequest | undefined;
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
  const published: PublishableEvent[] = [];
  const failed = await firstFailed(deps, Records, published);
  count(deps, published);
  if (failed && failed === Records[0] && Records.length > 1) {
    throw new Error(
      `Failed at the first of ${Records.length} records (${sequenceOf(failed)}); failing the whole batch so that Lambda bisects it`,
    );
  }
  return { batchItemFailures: failed ? [{ itemIdentifier: sequenceOf(failed) }] : [] };
}

/** @param published the events that the bus accepted are added to it */
async function firstFailed(
  deps: PublisherDependencies,
  records: readonly DynamoDBRecord[],
  published: PublishableEvent[],
): Promise<DynamoDBRecord | undefined> {
  for (const record of records) {
    try {
      if (await publishRecord(deps, record, published)) continue;
      writeLog({ route: 'publish', record: sequenceOf(record), code: 'event_not_taken' }, true);
    } catch (error) {
      writeLog({ route: 'publish', record: sequenceOf(record), causes: causesOf(error) }, true);
    }
    return record;
  }
  return undefined;
}

/**
 * Publishes the events of one record. A record that is itself at fault goes to the operator's queue, since no retry
 * would make it readable; the records behind it are published. Every other error is an outage, and Lambda retries the
 * record.
 * @returns false when the bus did not accept an event
 */
async function publishRecord(
  deps: PublisherDependencies,
  record: DynamoDBRecord,
  published: PublishableEvent[],
): Promise<boolean> {
  try {
    if (await restoreIfOverwritten(deps, record)) return true;
    const { events, stale } = eventsOfRecord(record, deps.shopTable?.mapping);
    if (stale) await requestRevocation(deps, record, stale);
    // One call for each event: from a call with several, the bus might accept the second and not the first.
    for (const event of events) {
      const [isAccepted] = await deps.bus.put([entryOf(event, record)]);
      if (!isAccepted) return false;
      published.push(event);
    }
    return true;
  } catch (error) {
    if (!isFaultOfRecord(error)) throw error;
    await keepForOperator(deps, record, error);
    return true;
  }
}

const isFaultOfRecord = (error: unknown): error is Error =>
  error instanceof StoreUnexpected || error instanceof StoreRefused || error instanceof EventRefused;

/**
 * An unreadable reversal of the account goes to the operator's queue; the events of the order are published all the
 * same.
 */
async function requestRevocation(
  deps: PublisherDependencies,
  record: DynamoDBRecord,
  stale: ReversalRequest,
): Promise<void> {
  try {
    await deps.reversals.request(stale, unixSeconds(deps.clock), 0);
  } catch (error) {
    if (!isFaultOfRecord(error)) throw error;
    await keepForOperator(deps, record, error);
  }
}

/** @throws QueueUnavailable, so that the record counts as failed and is not lost */
async function keepForOperator(deps: PublisherDependencies, record: DynamoDBRecord, error: Error): Promise<void> {
  const { dynamodb, eventSourceARN = '' } = record;
  const key = Object.fromEntries(Object.entries(dynamodb?.Keys ?? {}).map(([name, { S = '' }]) => [name, S]));
  const causes = causesOf(error);
  writeLog(
    { route: 'publish', record: sequenceOf(record), code: 'unreadable_record', key: JSON.stringify(key), causes },
    true,
  );
  await deps.unreadable.keep({
    // arn:aws:dynamodb:<region>:<account>:table/<name>/stream/<time>
    table: eventSourceARN.split('/')[1] ?? '',
    key,
    sequenceNumber: sequenceOf(record),
    changedAt: changedAt(record),
    reason: causes.join(': '),
  });
  deps.count({ UnreadableRecords: 1 }, {});
}

/**
 * The shop may overwrite a whole item of its own table, without our attributes or with older ones. Then we write them
 * again.
 * @returns true for such a write of the shop, and for our own restoration: neither changes the order's state
 */
async function restoreIfOverwritten(deps: PublisherDependencies, record: DynamoDBRecord): Promise<boolean> {
  const [before, after] = imagesOf(record);
  const { mapping, overwritten } = deps.shopTable ?? {};
  if (!mapping || !overwritten || !before || !after || !record.dynamodb?.Keys?.[mapping.key]) return false;
  const [old, now] = [mapping.ours(before), mapping.ours(after)];
  if (isRestored(old, now)) return true;
  if (!isOverwritten(old, now)) return false;
  const restoration = await overwritten.restore(before, after, sequenceOf(record));
  const line = { route: 'publish', record: sequenceOf(record), merchantUid: old.merchant_uid?.S };
  writeLog({ ...line, code: `overwritten_item_${restoration}` }, restoration === 'lost');
  deps.count(
    { RestoredItems: Number(restoration === 'restored'), UnrestoredItems: Number(restoration === 'lost') },
    {},
  );
  return true;
}

const imagesOf = ({ dynamodb }: DynamoDBRecord) =>
  [dynamodb?.OldImage as Item | undefined, dynamodb?.NewImage as Item | undefined] as const;

const sequenceOf = ({ dynamodb }: DynamoDBRecord): string => dynamodb?.SequenceNumber ?? '';

/** Counts events by name, and adds up the amounts of events about money. */
function count(deps: PublisherDependencies, published: readonly PublishableEvent[]): void {
  for (const [Event, events = []] of Object.entries(Object.groupBy(published, ({ name }) => name))) {
    deps.count({ Events: events.length }, { Event });
    if (!moneyEvents.includes(Event)) continue;
    const byCurrency = Object.groupBy(events, ({ money }) => money?.currency ?? '');
    for (const [Currency, inCurrency = []] of Object.entries(byCurrency)) {
      deps.count({ Money: inCurrency.reduce((sum, { money }) => sum + (money?.amount ?? 0), 0) }, { Event, Currency });
    }
  }
}

function eventsOfRecord(record: DynamoDBRecord, shop: TableMapping | undefined): RecordEvents {
  const [before, after] = imagesOf(record);
  if (shop && record.dynamodb?.Keys?.[shop.key])
    return eventsOfOrder(before && shop.ours(before), after && shop.ours(after));
  // A deleted item has no events: only an operator deletes items.
  if (!after?.revision) return { events: [] };
  if (isNotificationItem(after)) {
    const event = notificationEvent(notificationFromItem(after));
    return { events: [{ name: event.name, detail: notificationJson(event) }] };
  }
  if (isRefundItem(after)) return toPublish(refundEvents(before && refundFromItem(before), refundFromItem(after)));
  if (after.kind) return toPublish(reversalEvents(before && reversalFromItem(before), reversalFromItem(after)));
  return eventsOfOrder(before, after);
}

/** A write without a higher revision, such as an operator's correction, has no events. Nothing else of it is read. */
function eventsOfOrder(before: Item | undefined, after: Item | undefined): RecordEvents {
  if (!after || Number(after.revision?.N) <= Number(before?.revision?.N ?? 0)) return { events: [] };
  const old = before?.revision ? orderFromItem(before) : undefined;
  const now = orderFromItem(after);
  return { ...toPublish(orderEvents(old, now)), stale: staleAccount(old, now) };
}

const toPublish = (events: readonly PaymentEvent[]): RecordEvents => ({
  events: events.map((event) => ({
    name: event.name,
    detail: eventJson(event),
    money: { amount: majorUnits(event.amount, event.currency), currency: event.currency },
  })),
});

/** Unix seconds. */
const changedAt = ({ dynamodb }: DynamoDBRecord): number => Number(dynamodb?.ApproximateCreationDateTime ?? 0);

const entryOf = ({ name, detail }: PublishableEvent, record: DynamoDBRecord): BusEntry => ({
  detailType: name,
  detail,
  time: changedAt(record),
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
    bus: eventBridge(events, config.eventBus, eventSource),
    reversals: createReversals(table(dynamodb, config.reversalsTable)),
    clock: systemClock,
    count: (counts, by) => writeCounts(embedded(counts, by, config.deployment, systemClock.now())),
    unreadable: { keep: (record) => queue.send(record) },
    shopTable: shopTableOf(config, dynamodb),
  };
}

function shopTableOf({ shopColumns, ordersTable }: PublisherConfig, client: DynamoDBClient) {
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
