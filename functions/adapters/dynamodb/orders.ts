/** The table of orders. Each decision is one conditional write of one item; there are no locks. */

import { StoreUnexpected } from '../../application/faults.ts';
import type { Orders, WriteResult } from '../../application/ports.ts';
import { planOrderCheck } from '../../payment/next-check.ts';
import type { Order, OrderTerms } from '../../payment/order.ts';
import { defined } from '../../shared/defined.ts';
import { count, text } from './attributes.ts';
import { orderShards } from './due-index.ts';
import { orderFromItem, stateAttributes, termsAttributes } from './order-item.ts';
import type { Item, Table, Write } from './table.ts';
import { type Guard, ownTable } from './table-mapping.ts';

/** @param mapping of the table; a table of our own by default */
export function createOrders(table: Table, mapping = ownTable): Orders {
  const keyOf = (merchantUid: string): Item => ({ [mapping.key]: text(merchantUid) });
  const orderFrom = (item: Item): Order => {
    const order = orderFromItem(mapping.ours(item));
    return mapping.isShops ? order : { ...order, registeredAt: order.createdAt };
  };
  const uidOf = (item: Item): string | undefined => mapping.ours(item).merchant_uid?.S;
  const write = (order: Order, set: Write['set'], guard: Guard) => writeAs(order, mapping.stored(set, order), guard);
  const writeAs = async (order: Order, set: Write['set'], guard: Guard): Promise<WriteResult<Order>> => {
    const result = await table.write({ key: keyOf(order.merchantUid), set, ...guard });
    if (result.written) return { written: true, value: order };
    return { written: false, ...(result.current && { current: orderFrom(result.current) }) };
  };
  /** Writes the next version if the order is still as it was read. */
  const writeNext = (read: Order, next: Order) => write(next, stateAttributes(next), mapping.isAsRead(read));

  return {
    async read(merchantUid) {
      const item = await table.read(keyOf(merchantUid));
      return item && orderFrom(item);
    },

    async readMany(merchantUids) {
      const orders: Order[] = [];
      const unreadable: string[] = [];
      for (const item of await table.readMany([...new Set(merchantUids)].map(keyOf), mapping.attributes)) {
        try {
          orders.push(orderFrom(item));
        } catch (error) {
          if (!(error instanceof StoreUnexpected)) throw error;
          unreadable.push(uidOf(item) ?? '');
        }
      }
      return { orders, unreadable };
    },

    register(terms, now) {
      const state = { status: 'ready' } as const;
      const nextCheckAt = planOrderCheck({ state, ...terms, updatedAt: now }, now);
      const order = defined<Order>({
        ...allTerms(terms),
        revision: 1,
        createdAt: now,
        updatedAt: now,
        state,
        isUnprepared: undefined,
        nextCheckAt,
        registeredAt: mapping.isShops ? undefined : now,
        cancels: undefined,
        preparedAmount: undefined,
      });
      const set = { ...termsAttributes(terms), created_at: count(now), ...stateAttributes(order) };
      return write(order, set, mapping.isNew(terms));
    },

    change(order, next, now) {
      const { nextCheckAt: _former, ...rest } = order;
      // Revision 0: the shop wrote the item, and this is our first write.
      const createdAt = order.revision === 0 ? now : order.createdAt;
      const changed: Order = { ...rest, state: next, revision: order.revision + 1, createdAt, updatedAt: now };
      const nextCheckAt = planOrderCheck(changed, now);
      return writeNext(order, { ...changed, ...(nextCheckAt !== undefined && { nextCheckAt }) });
    },

    updateSchedule(order, { isUnprepared, nextCheckAt, preparedAmount = order.preparedAmount }) {
      const { isUnprepared: _formerFlag, nextCheckAt: _formerCheckAt, ...rest } = order;
      const scheduled = {
        ...rest,
        ...(isUnprepared && { isUnprepared }),
        ...(nextCheckAt !== undefined && { nextCheckAt }),
        ...(preparedAmount !== undefined && { preparedAmount }),
      };
      return writeNext(order, scheduled);
    },

    isShops: mapping.isShops,

    announceCancel(order) {
      const cancels = (order.cancels ?? 0) + 1;
      return writeAs({ ...order, cancels }, { [`${mapping.prefix}cancels`]: count(cancels) }, mapping.isAsRead(order));
    },

    async due(now, limit) {
      const items = await table.due(orderShards, now, Math.ceil(limit / orderShards.length));
      return items.flatMap((item) => {
        const { merchant_uid, due_at } = mapping.ours(item);
        return merchant_uid?.S === undefined ? [] : { id: merchant_uid.S, dueAt: Number(due_at?.N) };
      });
    },

    async postpone({ id, dueAt }, until) {
      await table.postpone(keyOf(id), dueAt, until);
    },
  };
}

/** Copies every field of the terms. `defined` then drops the undefined ones. */
const allTerms = ({ merchantUid, amount, currency, taxFree, vatAmount, name, expiresAt, tier }: OrderTerms) => ({
  merchantUid,
  amount,
  currency,
  taxFree,
  vatAmount,
  name,
  expiresAt,
  tier,
});
