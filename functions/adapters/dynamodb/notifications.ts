/**
 * Notifications whose content no API confirms, in the table of reversals. A payment has at most two items, so that a
 * sender cannot fill the table.
 */

import { OrderBusy } from '../../application/faults.ts';
import type { Notifications } from '../../application/ports/stores.ts';
import { escrowChanged, type Notification } from '../../payment/notification.ts';
import { count, ItemReader, text } from './attributes.ts';
import type { Item, Table } from './table.ts';

export const isNotificationItem = (item: Item): boolean => item.kind?.S === 'notification';

const maxTries = 3;

export function createNotifications(table: Table): Notifications {
  /** @param before the stored notification must be older. Unix seconds */
  const write = (
    { impUid, merchantUid, event, content }: Omit<Notification, 'updatedAt'>,
    at: number,
    before: number,
  ) =>
    table.write({
      // A refund's key has `/` here. The event comes from an unknown sender, so it must not select another item.
      key: { imp_uid: text(`${impUid}#${event === escrowChanged ? 'escrow' : 'other'}`) },
      set: {
        kind: text('notification'),
        merchant_uid: text(merchantUid),
        notified_of: text(impUid),
        event: text(event),
        content: { M: Object.fromEntries(Object.entries(content).map(([field, value]) => [field, text(value)])) },
        revision: count(at),
        updated_at: count(at),
      },
      conditions: {
        supersedes: 'attribute_not_exists(imp_uid) OR (#kind = :kind AND (#event <> :event OR #content <> :content))',
        lastIsOldEnough: 'attribute_not_exists(imp_uid) OR #updated_at < :before',
      },
      values: { ':before': count(before) },
    });

  return {
    async store(notification, now, interval = 0) {
      let at = now;
      for (let tries = 0; tries < maxTries; tries += 1) {
        const result = await write(notification, at, interval > 0 ? now - interval + 1 : at);
        if (result.written) return true;
        const storedAt = Number(result.current?.updated_at?.N ?? 0);
        if (interval > 0 || storedAt < at) return false;
        // Another one came in this second. The time is a part of the event's id, by which subscribers recognise repeats.
        at = storedAt + 1;
      }
      throw new OrderBusy(`Other notifications of ${notification.impUid} were written before each of our writes`);
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
