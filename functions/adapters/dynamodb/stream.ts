/** Reads the records of the tables' streams. */

import type { DynamoDBRecord } from 'aws-lambda';
import type { ItemChange, Versions } from '../../application/ports/delivery.ts';
import { heartbeatFrom, isHeartbeatItem } from './heartbeats.ts';
import { isNotificationItem, notificationFromItem } from './notifications.ts';
import { orderFromItem } from './order-item.ts';
import { isRestoration, type OverwrittenItems } from './overwritten.ts';
import { isRefundItem, refundFromItem } from './refunds.ts';
import { reversalFromItem } from './reversals.ts';
import type { Item } from './table.ts';
import type { TableMapping } from './table-mapping.ts';

/** The shop's own table of orders. */
export interface ShopItems {
  readonly mapping: TableMapping;
  readonly overwritten: OverwrittenItems;
}

/** @param shop set where the orders are in the shop's own table */
export function changeFrom({ dynamodb = {}, eventSourceARN = '' }: DynamoDBRecord, shop?: ShopItems): ItemChange {
  const { Keys = {}, SequenceNumber: sequenceNumber = '', ApproximateCreationDateTime: changedAt = 0 } = dynamodb;
  const before = dynamodb.OldImage as Item | undefined;
  const after = dynamodb.NewImage as Item | undefined;
  const ofShop = shop && Keys[shop.mapping.key] ? shop : undefined;
  return {
    // arn:aws:dynamodb:<region>:<account>:table/<name>/stream/<time>
    table: eventSourceARN.split('/')[1] ?? '',
    key: Object.fromEntries(Object.entries(Keys).map(([name, { S = '' }]) => [name, S])),
    sequenceNumber,
    changedAt,
    versions: () =>
      ofShop
        ? orderVersions(before && ofShop.mapping.ours(before), after && ofShop.mapping.ours(after))
        : versionsOf(before, after),
    async restoreIfOverwritten() {
      if (ofShop) return before && after ? ofShop.overwritten.restore(before, after, sequenceNumber) : undefined;
      return after && isRestoration(before, after) ? 'is_restoration' : undefined;
    },
  };
}

function versionsOf(before: Item | undefined, after: Item | undefined): Versions | undefined {
  if (after && isHeartbeatItem(after)) {
    const heartbeat = heartbeatFrom(before, after);
    return heartbeat && { kind: 'heartbeat', heartbeat };
  }
  // Only an operator deletes items.
  if (!after?.revision) return undefined;
  if (isNotificationItem(after)) return { kind: 'notification', after: notificationFromItem(after) };
  if (isRefundItem(after))
    return { kind: 'refund', before: before && refundFromItem(before), after: refundFromItem(after) };
  if (after.kind)
    return { kind: 'reversal', before: before && reversalFromItem(before), after: reversalFromItem(after) };
  return orderVersions(before, after);
}

/** Nothing else of a write without a higher revision is read. */
function orderVersions(before: Item | undefined, after: Item | undefined): Versions | undefined {
  if (!after || Number(after.revision?.N) <= Number(before?.revision?.N ?? 0)) return undefined;
  return { kind: 'order', before: before?.revision ? orderFromItem(before) : undefined, after: orderFromItem(after) };
}
