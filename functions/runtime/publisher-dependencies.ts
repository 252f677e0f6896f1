/**
 * The composition root of the publisher. Apart from dependencies.ts, so that the bundle of the publisher contains no
 * client of Iamport. It opens no connection: publisher-instance.ts passes the clients of Lambda, the tests and the
 * simulation pass fakes.
 */

import { createHeartbeats } from '../adapters/dynamodb/heartbeats.ts';
import { createOverwrittenItems } from '../adapters/dynamodb/overwritten.ts';
import { createReversals } from '../adapters/dynamodb/reversals.ts';
import type { ShopItems } from '../adapters/dynamodb/stream.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import type { TableMapping } from '../adapters/dynamodb/table-mapping.ts';
import type { Bus, EventPublisher } from '../application/ports/delivery.ts';
import type { PublishDependencies } from '../application/publish-events.ts';
import { eventJson, notificationJson } from '../events/event-json.ts';

/** The parts that the caller passes to the composition. */
export interface PublisherParts extends Omit<PublishDependencies, 'events' | 'reversals' | 'heartbeats'> {
  readonly bus: Bus;
  readonly reversals: Table;
  /** The shop's own table of orders, where there is one. */
  readonly shop?: { readonly orders: Table; readonly mapping: TableMapping } | undefined;
}

/** The ports of the publisher, and how it reads its records. It calls no Iamport API. */
export interface PublisherDependencies extends PublishDependencies {
  /** Set where the orders are in the shop's own table. */
  readonly shop?: ShopItems | undefined;
}

/** Creates the adapters of the publisher's ports. */
export const publisherDependenciesFrom = ({
  bus,
  reversals,
  shop,
  ...parts
}: PublisherParts): PublisherDependencies => ({
  ...parts,
  events: eventPublisher(bus),
  reversals: createReversals(reversals),
  heartbeats: createHeartbeats({ reversals }),
  shop: shop && { mapping: shop.mapping, overwritten: createOverwrittenItems(shop.orders, shop.mapping) },
});

/** Publishes events in their JSON form. */
const eventPublisher = (bus: Bus): EventPublisher => ({
  async publish(event, at) {
    const detail = 'notification' in event ? notificationJson(event) : eventJson(event);
    const [isAccepted = false] = await bus.put([{ detailType: event.name, detail, time: at }]);
    return isAccepted;
  },
});
