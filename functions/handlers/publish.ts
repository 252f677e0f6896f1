/**
 * The publisher: makes events of the changes in the tables' streams, and puts them onto the bus. At least once and in order for each
 * item; every event has an id by which subscribers recognise repeats. It also requests the revocation of accounts that an order has
 * left behind, and restores our attributes in items of the shop's own table.
 */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { Context, DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { isNotificationItem, notificationOf } from '../adapters/dynamodb/notifications.ts';
import { orderOf } from '../adapters/dynamodb/order-item.ts';
import {
  isOverwritten,
  isRestored,
  type OverwrittenItems,
  overwrittenItemsIn,
} from '../adapters/dynamodb/overwritten.ts';
import { isRefundItem, refundOf } from '../adapters/dynamodb/refunds.ts';
import { reversalOf, reversalsIn } from '../adapters/dynamodb/reversals.ts';
import { type Item, table } from '../adapters/dynamodb/table.ts';
import { type Layout, shopTable } from '../adapters/dynamodb/table-mapping.ts';
import { eventBridge } from '../adapters/eventbridge.ts';
import { messageQueue } from '../adapters/sqs.ts';
import { EventRefused, StoreRefused, StoreUnexpected } from '../application/faults.ts';
import type { Bus, BusEntry, Reversals, UnreadableRecords } from '../application/ports.ts';
import { eventJson, notificationJson } from '../events/event-json.ts';
import { orderEvents, type PaymentEvent, refundEvents, reversalEvents, staleAccount } from '../payment/events.ts';
import { majorUnits } from '../payment/money.ts';
import { notificationEvent } from '../payment/notification.ts';
import type { ReversalRequest } from '../payment/reversal.ts';
import { systemClock } from '../runtime/clock.ts';
import { environmentOfLambda, type PublisherConfig, publisherConfigFrom } from '../runtime/config.ts';
import { causesOf, writeCounts, writeLog } from '../runtime/log.ts';
import { type Counts, embedded, moneyEvents } from '../runtime/metrics.ts';
import { type Clock, unixSeconds } from '../shared/clock.ts';

export interface PublisherRooms {
  readonly bus: Bus;
  readonly reversals: Pick<Reversals, 'request'>;
  readonly clock: Clock;
  /** Adds to metrics. @param by the value of each dimension */
  readonly count: (counts: Counts, by: Readonly<Record<string, string>>) => void;
  readonly unreadable: UnreadableRecords;
  /** Set where the orders are in the shop's own table. */
  readonly shopTable?: { readonly layout: Layout; readonly overwritten: OverwrittenItems } | undefined;
}

interface TellableEvent {
  readonly name: string;
  readonly detail: object;
  /** In major units. */
  readonly money?: { readonly amount: number; readonly currency: string };
}

interface Told {
  readonly events: readonly TellableEvent[];
  readonly stale?: ReversalRequest | undefined;
}

/**
 * @returns the first record whose events could not be published: Lambda begins again there, so that the order of an item's events
 * stays
 * @throws Error when that is the first of several: Lambda bisects only a batch that fails whole
 */
export async function publish(rooms: PublisherRooms, { Records }: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  const taken: TellableEvent[] = [];
  const failed = await firstFailed(rooms, Records, taken);
  count(rooms, taken);
  if (failed && failed === Records[0] && Records.length > 1) {
    throw new Error(
      `Failed at the first of ${Records.length} records, so the batch is bisected: ${sequenceOf(failed)}`,
    );
  }
  return { batchItemFailures: failed ? [{ itemIdentifier: sequenceOf(failed) }] : [] };
}

/** @param taken gets what the bus took */
async function firstFailed(
  rooms: PublisherRooms,
  records: readonly DynamoDBRecord[],
  taken: TellableEvent[],
): Promise<DynamoDBRecord | undefined> {
  for (const record of records) {
    try {
      if (await isWorkedOff(rooms, record, taken)) continue;
      writeLog({ route: 'publish', record: sequenceOf(record), code: 'event_not_taken' }, true);
    } catch (error) {
      writeLog({ route: 'publish', record: sequenceOf(record), causes: causesOf(error) }, true);
    }
    return record;
  }
  return undefined;
}

/**
 * Publishes the events of one record. A record that is itself at fault goes to the operator's queue, and the records behind it are
 * published: no retry would make it readable. Everything else that throws is an outage, and Lambda retries the record.
 * @returns false when the bus did not take an event
 */
async function isWorkedOff(rooms: PublisherRooms, record: DynamoDBRecord, taken: TellableEvent[]): Promise<boolean> {
  try {
    if (await isRestorationOf(rooms, record)) return true;
    const { events, stale } = readOff(record, rooms.shopTable?.layout);
    if (stale) await requestRevocation(rooms, record, stale);
    // One by one: of several in one call the bus might take the second and not the first.
    for (const event of events) {
      const [isTaken] = await rooms.bus.put([entryOf(event, record)]);
      if (!isTaken) return false;
      taken.push(event);
    }
    return true;
  } catch (error) {
    if (!isFaultOfRecord(error)) throw error;
    await keepForOperator(rooms, record, error);
    return true;
  }
}

const isFaultOfRecord = (error: unknown): error is Error =>
  error instanceof StoreUnexpected || error instanceof StoreRefused || error instanceof EventRefused;

/** An unreadable reversal of the account is the operator's; the order's own events are published all the same. */
async function requestRevocation(rooms: PublisherRooms, record: DynamoDBRecord, stale: ReversalRequest): Promise<void> {
  try {
    await rooms.reversals.request(stale, unixSeconds(rooms.clock), 0);
  } catch (error) {
    if (!isFaultOfRecord(error)) throw error;
    await keepForOperator(rooms, record, error);
  }
}

/** @throws QueueUnavailable, so that the record counts as failed and is not lost */
async function keepForOperator(rooms: PublisherRooms, record: DynamoDBRecord, error: Error): Promise<void> {
  const { dynamodb, eventSourceARN = '' } = record;
  const key = Object.fromEntries(Object.entries(dynamodb?.Keys ?? {}).map(([name, { S = '' }]) => [name, S]));
  const causes = causesOf(error);
  writeLog(
    { route: 'publish', record: sequenceOf(record), code: 'unreadable_record', key: JSON.stringify(key), causes },
    true,
  );
  await rooms.unreadable.keep({
    // arn:aws:dynamodb:<region>:<account>:table/<name>/stream/<time>
    table: eventSourceARN.split('/')[1] ?? '',
    key,
    sequenceNumber: sequenceOf(record),
    changedAt: changedAt(record),
    reason: causes.join(': '),
  });
  rooms.count({ UnreadableRecords: 1 }, {});
}

/**
 * The shop may write an item of its own table back whole, without our attributes or with older ones. Then they are written again.
 * @returns true for a record that is such a write, or our own restoration: neither is a step of the order
 */
async function isRestorationOf(rooms: PublisherRooms, record: DynamoDBRecord): Promise<boolean> {
  const [before, after] = imagesOf(record);
  const { layout, overwritten } = rooms.shopTable ?? {};
  if (!layout || !overwritten || !before || !after || !record.dynamodb?.Keys?.[layout.key]) return false;
  const [old, now] = [layout.ours(before), layout.ours(after)];
  if (isRestored(old, now)) return true;
  if (!isOverwritten(old, now)) return false;
  const restoration = await overwritten.restore(before, after, sequenceOf(record));
  const line = { route: 'publish', record: sequenceOf(record), merchantUid: old.merchant_uid?.S };
  writeLog({ ...line, code: `overwritten_item_${restoration}` }, restoration === 'lost');
  rooms.count(
    { RestoredItems: Number(restoration === 'restored'), UnrestoredItems: Number(restoration === 'lost') },
    {},
  );
  return true;
}

const imagesOf = ({ dynamodb }: DynamoDBRecord) =>
  [dynamodb?.OldImage as Item | undefined, dynamodb?.NewImage as Item | undefined] as const;

const sequenceOf = ({ dynamodb }: DynamoDBRecord): string => dynamodb?.SequenceNumber ?? '';

/** Events by name, and the money in those that are about money. */
function count(rooms: PublisherRooms, taken: readonly TellableEvent[]): void {
  for (const [Event, events = []] of Object.entries(Object.groupBy(taken, ({ name }) => name))) {
    rooms.count({ Events: events.length }, { Event });
    if (!moneyEvents.includes(Event)) continue;
    const byCurrency = Object.groupBy(events, ({ money }) => money?.currency ?? '');
    for (const [Currency, those = []] of Object.entries(byCurrency)) {
      rooms.count({ Money: those.reduce((sum, { money }) => sum + (money?.amount ?? 0), 0) }, { Event, Currency });
    }
  }
}

function readOff(record: DynamoDBRecord, shop: Layout | undefined): Told {
  const [before, after] = imagesOf(record);
  if (shop && record.dynamodb?.Keys?.[shop.key]) return stepOf(before && shop.ours(before), after && shop.ours(after));
  // Items that somebody deleted by hand say nothing.
  if (!after?.revision) return { events: [] };
  if (isNotificationItem(after)) {
    const event = notificationEvent(notificationOf(after));
    return { events: [{ name: event.name, detail: notificationJson(event) }] };
  }
  if (isRefundItem(after)) return told(refundEvents(before && refundOf(before), refundOf(after)));
  if (after.kind) return told(reversalEvents(before && reversalOf(before), reversalOf(after)));
  return stepOf(before, after);
}

/** A write that takes the order no step further, or back by hand, is passed over before anything else of it is read. */
function stepOf(before: Item | undefined, after: Item | undefined): Told {
  if (!after || Number(after.revision?.N) <= Number(before?.revision?.N ?? 0)) return { events: [] };
  const old = before?.revision ? orderOf(before) : undefined;
  const now = orderOf(after);
  return { ...told(orderEvents(old, now)), stale: staleAccount(old, now) };
}

const told = (events: readonly PaymentEvent[]): Told => ({
  events: events.map((event) => ({
    name: event.name,
    detail: eventJson(event),
    money: { amount: majorUnits(event.amount, event.currency), currency: event.currency },
  })),
});

/** Unix seconds. */
const changedAt = ({ dynamodb }: DynamoDBRecord): number => Number(dynamodb?.ApproximateCreationDateTime ?? 0);

const entryOf = ({ name, detail }: TellableEvent, record: DynamoDBRecord): BusEntry => ({
  detailType: name,
  detail,
  time: changedAt(record),
});

/** Two attempts at the table, the bus and the queue end before the function does, after 30 s. Milliseconds. */
const upstream = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 4_000, throwOnRequestTimeout: true },
};

function openPublisher(variables: Parameters<typeof publisherConfigFrom>[0]): PublisherRooms {
  const config = publisherConfigFrom(variables);
  const dynamodb = new DynamoDBClient(upstream);
  const events = new EventBridgeClient(upstream);
  const queue = messageQueue(events, config.unpublishedQueueUrl);
  return {
    bus: eventBridge(events, config.eventBus),
    reversals: reversalsIn(table(dynamodb, config.reversalsTable)),
    clock: systemClock,
    count: (counts, by) => writeCounts(embedded(counts, by, config.deployment, systemClock.now())),
    unreadable: { keep: (record) => queue.send(record) },
    shopTable: shopTableOf(config, dynamodb),
  };
}

function shopTableOf({ shopColumns, ordersTable }: PublisherConfig, client: DynamoDBClient) {
  if (!shopColumns || !ordersTable) return undefined;
  const layout = shopTable(shopColumns);
  return { layout, overwritten: overwrittenItemsIn(table(client, ordersTable, layout.prefix), layout) };
}

const environment = environmentOfLambda();
const rooms = environment && openPublisher(environment);

export async function handler(event: DynamoDBStreamEvent, context: Context): Promise<DynamoDBBatchResponse> {
  if (!rooms) throw new Error('This handler runs in Lambda; elsewhere call publish()');
  const begin = rooms.clock.now();
  const answer = await publish(rooms, event);
  const [failed] = answer.batchItemFailures;
  const line = { requestId: context.awsRequestId, route: 'publish', records: event.Records.length };
  writeLog({ ...line, stoppedAt: failed?.itemIdentifier, durationMs: rooms.clock.now() - begin }, failed !== undefined);
  return answer;
}
