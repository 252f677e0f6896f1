/** The table of orders. Each decision is one conditional write of one item; nothing is locked. */

import { StoreUnexpected } from '../../application/faults.ts';
import type { Held, Orders } from '../../application/ports.ts';
import { nextLookAt } from '../../payment/next-check.ts';
import type { Order, OrderTerms } from '../../payment/order.ts';
import { defined } from '../../shared/defined.ts';
import { count, text } from './attributes.ts';
import { orderOf, stateAttributes, termsAttributes } from './order-item.ts';
import type { Item, Table, Write } from './table.ts';
import { type Guard, ownTable } from './table-mapping.ts';
import { orderShards } from './watched.ts';

/** @param layout of the table: one of ours, unless it is said to be the shop's */
export function ordersIn(table: Table, layout = ownTable): Orders {
  const keyOf = (merchantUid: string): Item => ({ [layout.key]: text(merchantUid) });
  const orderIn = (item: Item): Order => {
    const order = orderOf(layout.ours(item));
    return layout.isShops ? order : { ...order, registeredAt: order.createdAt };
  };
  const uidOf = (item: Item): string | undefined => layout.ours(item).merchant_uid?.S;
  const write = (order: Order, set: Write['set'], guard: Guard) => writeAs(order, layout.stored(set, order), guard);
  const writeAs = async (order: Order, set: Write['set'], guard: Guard): Promise<Held> => {
    const result = await table.write({ key: keyOf(order.merchantUid), set, ...guard });
    if (result.written) return { held: true, order };
    return { held: false, ...(result.item && { order: orderIn(result.item) }) };
  };
  const writeUnchanged = (read: Order, written: Order) =>
    write(written, stateAttributes(written), layout.isAsRead(read));

  return {
    async read(merchantUid) {
      const item = await table.read(keyOf(merchantUid));
      return item && orderIn(item);
    },

    async readMany(merchantUids) {
      const orders: Order[] = [];
      const unreadable: string[] = [];
      for (const item of await table.readMany([...new Set(merchantUids)].map(keyOf), layout.attributes)) {
        try {
          orders.push(orderIn(item));
        } catch (error) {
          if (!(error instanceof StoreUnexpected)) throw error;
          unreadable.push(uidOf(item) ?? '');
        }
      }
      return { orders, unreadable };
    },

    register(terms, now) {
      const state = { status: 'ready' } as const;
      const dueAt = nextLookAt({ state, ...terms, updatedAt: now }, now);
      const order = defined<Order>({
        ...withAll(terms),
        revision: 1,
        createdAt: now,
        updatedAt: now,
        state,
        isUnprepared: undefined,
        dueAt,
        registeredAt: layout.isShops ? undefined : now,
        cancels: undefined,
        preparedAmount: undefined,
      });
      const set = { ...termsAttributes(terms), created_at: count(now), ...stateAttributes(order) };
      return write(order, set, layout.isNew(terms));
    },

    change(order, next, now) {
      const { dueAt: _former, ...rest } = order;
      // The first that is known of an order in the shop's own table.
      const createdAt = order.revision === 0 ? now : order.createdAt;
      const changed: Order = { ...rest, state: next, revision: order.revision + 1, createdAt, updatedAt: now };
      const dueAt = nextLookAt(changed, now);
      return writeUnchanged(order, { ...changed, ...(dueAt !== undefined && { dueAt }) });
    },

    note(order, { isUnprepared, dueAt, preparedAmount = order.preparedAmount }) {
      const { isUnprepared: _was, dueAt: _former, ...rest } = order;
      const noted = {
        ...rest,
        ...(isUnprepared && { isUnprepared }),
        ...(dueAt !== undefined && { dueAt }),
        ...(preparedAmount !== undefined && { preparedAmount }),
      };
      return writeUnchanged(order, noted);
    },

    isShops: layout.isShops,

    announceCancel(order) {
      const cancels = (order.cancels ?? 0) + 1;
      return writeAs({ ...order, cancels }, { [`${layout.prefix}cancels`]: count(cancels) }, layout.isAsRead(order));
    },

    async due(now, most) {
      const items = await table.due(orderShards, now, most);
      return items.flatMap((item) => {
        const { merchant_uid, due_at } = layout.ours(item);
        return merchant_uid?.S === undefined ? [] : { id: merchant_uid.S, dueAt: Number(due_at?.N) };
      });
    },

    async postpone({ id, dueAt }, until) {
      await table.postpone(keyOf(id), dueAt, until);
    },
  };
}

/** Terms with every field named, so that `defined` can leave out what is absent. */
const withAll = ({ merchantUid, amount, currency, taxFree, vatAmount, name, expiresAt, tier }: OrderTerms) => ({
  merchantUid,
  amount,
  currency,
  taxFree,
  vatAmount,
  name,
  expiresAt,
  tier,
});
