import { OrderBusy } from '../application/faults.ts';
import { settleEach } from '../application/settle.ts';
import { Problem, refusal } from '../http/problem.ts';
import { orderPath, parse } from '../http/request.ts';
import { nothing } from '../http/response.ts';
import { isSettled, type Order } from '../payment/order.ts';
import type { Rooms } from '../runtime/dependencies.ts';
import { type Door, serve, type Visit } from '../runtime/lambda-handler.ts';
import { unixSeconds } from '../shared/clock.ts';

/** Each lost race means that a payment has just been settled. */
const mostTries = 3;

export const closeOrder: Door = async ({ event, deadline, note }, rooms) => {
  const { merchant_uid } = parse(orderPath, event.pathParameters ?? {});
  note({ merchantUid: merchant_uid });
  let order = await rooms.orders.read(merchant_uid);
  if (!order) throw refusal('order_not_found');
  if (order.state.status === 'closed') return nothing();
  // Somebody may have paid a moment ago: that payment wins, rather than being sent back.
  order = await settled(rooms, order, deadline);
  for (let tries = 0; order && tries < mostTries; tries += 1) {
    // Asked twice at once, or our own write whose answer was lost.
    if (order.state.status === 'closed') return nothing();
    if (isSettled(order.state))
      throw new Problem('order_paid', 'The order is paid: give the money back with a refund instead.');
    const held = await rooms.orders.change(order, { status: 'closed' }, unixSeconds(rooms.clock));
    if (held.held) {
      // Now that the order is closed, the same path revokes what accounts there are.
      await settled(rooms, held.order, deadline);
      return nothing();
    }
    order = held.order;
  }
  throw new OrderBusy(`Order ${merchant_uid} changed each time it was to be closed`);
};

/** @returns the order after every payment of it was looked at */
async function settled(rooms: Rooms, order: Order, deadline: Visit['deadline']): Promise<Order | undefined> {
  // An attempt that cannot be read does not keep its order open. If it has money, the scan sends it back.
  const { payments } = await rooms.iamport.payments(order.merchantUid, deadline, order.tier);
  return settleEach(rooms, order.merchantUid, payments, deadline);
}

export const handler = await serve(closeOrder);
