/** Notifications that no API confirms, beside the reversals in their table: two items a payment at the most, so that nobody can fill it. */

import type { Notifications } from '../../application/ports.ts';
import { escrowChanged, type Notification } from '../../payment/notification.ts';
import { count, Reader, text } from './attributes.ts';
import type { Item, Table } from './table.ts';
export const isNotificationItem = (item: Item): boolean => item.kind?.S === 'notification';

export function notificationsIn(table: Table): Notifications {
  return {
    async keep({ impUid, merchantUid, event, content }, now, interval = 0) {
      const { written } = await table.write({
        // Another sign than in a refund's key: the event is a stranger's word, and must not reach anything of ours.
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
          isNews: 'attribute_not_exists(imp_uid) OR (#kind = :kind AND (#event <> :event OR #content <> :content))',
          lastIsOldEnough: 'attribute_not_exists(imp_uid) OR #updated_at < :next',
        },
        values: { ':next': count(now - interval + 1) },
      });
      return written;
    },
  };
}

export function notificationOf(item: Item): Notification {
  const read = new Reader(item, `notification ${item.imp_uid?.S}`);
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
