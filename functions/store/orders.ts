/** The table of orders. Each decision is one conditional write of one item; nothing is locked. */

import type { Order, OrderState, OrderTerms } from '../payment/order.ts';
import type { UnixSeconds } from '../payment/payment.ts';
import { count, text } from './attributes.ts';
import { orderOf, stateAttributes, termsAttributes } from './order-item.ts';
import type { Item, Table, Write } from './table.ts';

/** `held: false` comes with the order as it is now, if there is one: somebody was faster. */
export type Held = { readonly held: true; readonly order: Order } | { readonly held: false; readonly order?: Order };

export interface Orders {
  read(merchantUid: string): Promise<Order | undefined>;
  /** Registers an order. Not held when one of that name exists, which comes back. */
  register(terms: OrderTerms, now: UnixSeconds): Promise<Held>;
  /** Moves an order on, if its revision is still the one that was read. */
  change(order: Order, next: OrderState, now: UnixSeconds): Promise<Held>;
}

export function ordersIn(table: Table): Orders {
  const write = async (
    order: Order,
    set: Write['set'],
    conditions: Write['conditions'],
    values?: Item,
  ): Promise<Held> => {
    const key = { merchant_uid: text(order.merchantUid) };
    const result = await table.write({ key, set, conditions, ...(values && { values }) });
    if (result.written) return { held: true, order };
    return { held: false, ...(result.item && { order: orderOf(result.item) }) };
  };

  return {
    async read(merchantUid) {
      const item = await table.read({ merchant_uid: text(merchantUid) });
      return item && orderOf(item);
    },

    register(terms, now) {
      const order: Order = { ...terms, revision: 1, createdAt: now, updatedAt: now, state: { status: 'ready' } };
      const set = { ...termsAttributes(terms), created_at: count(now), ...stateAttributes(order, now) };
      return write(order, set, { orderIsNew: 'attribute_not_exists(merchant_uid)' });
    },

    change(order, next, now) {
      const changed: Order = { ...order, state: next, revision: order.revision + 1, updatedAt: now };
      const conditions = { revisionIsUnchanged: '#revision = :read' };
      return write(changed, stateAttributes(changed, now), conditions, { ':read': count(order.revision) });
    },
  };
}
