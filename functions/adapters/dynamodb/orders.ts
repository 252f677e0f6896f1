/** The table of orders. Each decision is one conditional write of one item; there are no locks. */

import type { Orders } from '../../application/ports/stores.ts';
import type { Order } from '../../payment/order.ts';
import { cancelAnnounced, changed, registered, scheduled } from '../../payment/order-steps.ts';
import { count, optional } from './attributes.ts';
import { orderShards } from './due-index.ts';
import { orderFromItem, stateAttributes, termsAttributes } from './order-item.ts';
import type { Table } from './table.ts';
import { ownTable } from './table-mapping.ts';
import { versionedItems } from './versioned.ts';

/** @param mapping of the table; a table of our own by default */
export function createOrders(table: Table, mapping = ownTable): Orders {
  const { key, prefix, isShops } = mapping;
  const withRegistration = (order: Order): Order => (isShops ? order : { ...order, registeredAt: order.createdAt });
  const items = versionedItems<Order>(table, {
    key,
    prefix,
    idOf: ({ merchantUid }) => merchantUid,
    fromItem: (item) => withRegistration(orderFromItem(mapping.ours(item))),
  });
  /** Writes the next version if the order is still as it was read. */
  const writeNext = (read: Order, next: Order) =>
    items.write(next, mapping.stored(stateAttributes(next), next), mapping.isAsRead(read));

  return {
    isShops,
    read: items.read,
    async readMany(merchantUids) {
      const { found, unreadable } = await items.readMany(merchantUids, mapping.attributes);
      return { orders: found, unreadable };
    },
    register(terms, now) {
      const order = withRegistration(registered(terms, now));
      const set = { ...termsAttributes(terms), created_at: count(now), ...stateAttributes(order) };
      return items.write(order, mapping.stored(set, order), mapping.isNew(terms));
    },
    change: (order, next, now) => writeNext(order, changed(order, next, now)),
    updateSchedule: (order, schedule) => writeNext(order, scheduled(order, schedule)),
    announceCancel(order) {
      const next = cancelAnnounced(order);
      return items.write(next, { [`${prefix}cancels`]: optional(count, next.cancels) }, mapping.isAsRead(order));
    },
    due: (now, limit) => items.due(orderShards, now, Math.ceil(limit / orderShards.length)),
    postpone: items.postpone,
  };
}
