/**
 * The publisher: reads what changed off the tables' streams, and tells the bus. At least once and in order for each item; every
 * event has an id by which repeats are told. It also asks for the revocation of accounts that an order has left behind.
 */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import type { Bus, BusEntry } from './bus/bus.ts';
import { eventBridge } from './bus/eventbridge.ts';
import { type Clock, systemClock, unixSeconds } from './edge/clock.ts';
import { environmentOfLambda, publisherConfigFrom } from './edge/config.ts';
import { eventJson, notificationJson } from './edge/event-json.ts';
import { causesOf, writeLog } from './edge/log.ts';
import { orderEvents, type PaymentEvent, refundEvents, reversalEvents, staleAccount } from './payment/events.ts';
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
  /** How orders lie in the shop's own table, if they do. */
  readonly shopTable?: Layout | undefined;
}

interface Told {
  readonly events: readonly { readonly name: string; readonly detail: object }[];
  readonly stale?: ReversalRequest | undefined;
}

/** @returns the first record that could not be told: Lambda begins again there, so that the order of an item's events stays */
export async function publish(rooms: PublisherRooms, { Records }: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  for (const record of Records) {
    const itemIdentifier = record.dynamodb?.SequenceNumber ?? '';
    try {
      const { events, stale } = readOff(record, rooms.shopTable);
      if (stale) await rooms.reversals.request(stale, unixSeconds(rooms.clock), 0);
      const taken = await rooms.bus.put(events.map((event) => entryOf(event, record)));
      if (taken.every(Boolean)) continue;
      writeLog({ route: 'publish', record: itemIdentifier, code: 'event_not_taken' }, true);
    } catch (error) {
      writeLog({ route: 'publish', record: itemIdentifier, causes: causesOf(error) }, true);
    }
    return { batchItemFailures: [{ itemIdentifier }] };
  }
  return { batchItemFailures: [] };
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
  events: events.map((event) => ({ name: event.name, detail: eventJson(event) })),
});

const entryOf = ({ name, detail }: Told['events'][number], { dynamodb }: DynamoDBRecord): BusEntry => ({
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
    shopTable: config.shopColumns && shopTable(config.shopColumns),
  };
}

const environment = environmentOfLambda();
const rooms = environment && openPublisher(environment);

export async function handler(event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  if (!rooms) throw new Error('This handler runs in Lambda; elsewhere call publish()');
  return publish(rooms, event);
}
