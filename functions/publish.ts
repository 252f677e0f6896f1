/**
 * The publisher: reads what changed off the tables' streams, and tells the bus. At least once and in order for each item; every
 * event has an id by which repeats are told. It also asks for the revocation of accounts that an order has left behind.
 */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { Context, DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import type { Bus, BusEntry } from './bus/bus.ts';
import { eventBridge } from './bus/eventbridge.ts';
import { type Clock, systemClock, unixSeconds } from './edge/clock.ts';
import { environmentOfLambda, publisherConfigFrom } from './edge/config.ts';
import { eventJson, notificationJson } from './edge/event-json.ts';
import { causesOf, writeCounts, writeLog } from './edge/log.ts';
import { type Counts, embedded, moneyEvents } from './edge/metrics.ts';
import { orderEvents, type PaymentEvent, refundEvents, reversalEvents, staleAccount } from './payment/events.ts';
import { majorUnits } from './payment/money.ts';
import { notificationEvent } from './payment/notification.ts';
import type { ReversalRequest } from './payment/reversal.ts';
import { type Layout, shopTable } from './store/layout.ts';
import { isNotificationItem, notificationOf } from './store/notifications.ts';
import { orderOf } from './store/order-item.ts';
import { isRefundItem, refundOf } from './store/refunds.ts';
import { type Reversals, reversalOf, reversalsIn } from './store/reversals.ts';
import { type Item, table } from './store/table.ts';

export interface PublisherRooms {
  readonly bus: Bus;
  readonly reversals: Pick<Reversals, 'request'>;
  readonly clock: Clock;
  /** Adds to metrics. @param by the value of each dimension */
  readonly count: (counts: Counts, by: Readonly<Record<string, string>>) => void;
  /** How orders lie in the shop's own table, if they do. */
  readonly shopTable?: Layout | undefined;
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
 * @returns the first record that could not be told: Lambda begins again there, so that the order of an item's events stays
 * @throws Error when that is the first of several: Lambda halves only a batch that fails whole, until what cannot be told is alone
 * and is given up without the others
 */
export async function publish(rooms: PublisherRooms, { Records }: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  const taken: TellableEvent[] = [];
  const failed = await firstFailed(rooms, Records, taken);
  count(rooms, taken);
  if (failed && failed === Records[0] && Records.length > 1) {
    throw new Error(`Not even the first of ${Records.length} records could be told: ${sequenceOf(failed)}`);
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
      const { events, stale } = readOff(record, rooms.shopTable);
      if (stale) await rooms.reversals.request(stale, unixSeconds(rooms.clock), 0);
      const isTaken = await rooms.bus.put(events.map((event) => entryOf(event, record)));
      taken.push(...events.filter((_, index) => isTaken[index]));
      if (isTaken.every(Boolean)) continue;
      writeLog({ route: 'publish', record: sequenceOf(record), code: 'event_not_taken' }, true);
    } catch (error) {
      writeLog({ route: 'publish', record: sequenceOf(record), causes: causesOf(error) }, true);
    }
    return record;
  }
  return undefined;
}

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

function readOff({ dynamodb }: DynamoDBRecord, shop: Layout | undefined): Told {
  const [before, after] = [dynamodb?.OldImage as Item | undefined, dynamodb?.NewImage as Item | undefined];
  if (shop && dynamodb?.Keys?.[shop.key]) return stepOf(before && shop.ours(before), after && shop.ours(after));
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

/** Whoever writes into an item without taking the order a step further is passed over before anything of it is read. */
function stepOf(before: Item | undefined, after: Item | undefined): Told {
  if (!after || before?.revision?.N === after.revision?.N) return { events: [] };
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

const entryOf = ({ name, detail }: TellableEvent, { dynamodb }: DynamoDBRecord): BusEntry => ({
  detailType: name,
  detail,
  time: Number(dynamodb?.ApproximateCreationDateTime ?? 0),
});

function openPublisher(variables: Parameters<typeof publisherConfigFrom>[0]): PublisherRooms {
  const config = publisherConfigFrom(variables);
  return {
    bus: eventBridge(new EventBridgeClient({ maxAttempts: 3 }), config.eventBus),
    reversals: reversalsIn(table(new DynamoDBClient({ maxAttempts: 3 }), config.reversalsTable)),
    clock: systemClock,
    count: (counts, by) => writeCounts(embedded(counts, by, config.deployment, systemClock.now())),
    shopTable: config.shopColumns && shopTable(config.shopColumns),
  };
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
