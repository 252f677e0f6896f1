/**
 * Notifications whose content no API confirms, in the table of reversals. A payment has at most two items, so that a
 * sender cannot fill the table.
 */

import type { Notifications } from '../../application/ports/stores.ts';
import { escrowChanged, type Notification } from '../../payment/notification.ts';
import { count, ItemReader, text } from './attributes.ts';
import type { Item, Table } from './table.ts';

export const isNotificationItem = (item: Item): boolean => item.kind?.S === 'notification';

export function createNotifications(table: Table): Notifications {
  return {
    async store({ impUid, merchantUid, event, content }, now, interval = 0) {
      const { written } = await table.write({
        // A refund's key has `/` here. The event comes from an unknown sender, so it must not select another item.
        key: { imp_uid: text(`${impUid}#${event === escrowChanged ? 'escrow' : 'other'}`) },
        set: {
          kind: text('notification'),
          merchant_uid: text(merchantUid),
          notified_of: text(impUid),
          event: text(event),
          content: { M: Object.fromEntries(Object.entries(content).map(([field, value]) => [field, text(value)])) },
          revision: count(now),
          updated_at: count(now),
        },
        conditions: {
          supersedes: 'attribute_not_exists(imp_uid) OR (#kind = :kind AND (#event <> :event OR #content <> :content))',
          lastIsOldEnough: 'attribute_not_exists(imp_uid) OR #updated_at < :next',
        },
        values: { ':next': count(now - interval + 1) },
      });
      return written;
    },
  };
}

export function notificationFromItem(item: Item): Notification {
  const read = new ItemReader(item, `notification ${item.imp_uid?.S}`);
  const content = Object.entries(item.content?.M ?? {}).flatMap(([field, value]) =>
    value.S === undefined ? [] : [[field, value.S]],
  );
  return {
    impUid: read.text('notified_of'),
    merchantUid: read.text('merchant_uid'),
    event: read.text('event'),
    content: Object.fromEntries(content),
    updatedAt: read.count('updated_at'),
  };
}
