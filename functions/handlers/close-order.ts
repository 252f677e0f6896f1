/**
 * `DELETE /orders/{merchant_uid}`: the shop's own server closes an order, after which it cannot be paid.
 * Authorized by a key of the shop's server, or with shopAuth "iam" by AWS Signature Version 4.
 */

import { OrderBusy } from '../application/faults.ts';
import { settleEach } from '../application/settle.ts';
import { Problem, refusal } from '../http/problem.ts';
import { orderPath, parse } from '../http/request.ts';
import { noContent } from '../http/response.ts';
import { isSettled, type Order } from '../payment/order.ts';
import type { HttpHandler, RequestDependencies } from '../runtime/http-handler.ts';
import { lambdaHandler } from '../runtime/lambda-handler.ts';
import { unixSeconds } from '../shared/clock.ts';

/** An attempt fails only when another writer was faster: usually a payment was settled. */
const maxTries = 3;

/** The `detail` of the refusal of a settled order. */
export const paidDetail = 'A payment settled the order, so it cannot be closed. Refund what is left of it.';

export const closeOrder: HttpHandler = async ({ event, log }, deps) => {
  const { merchant_uid } = parse(orderPath, event.pathParameters ?? {});
  log({ merchantUid: merchant_uid });
  let order = await deps.orders.read(merchant_uid);
  if (!order) throw refusal('order_not_found');
  if (order.state.status === 'closed') return noContent();
  // A payment of the last moment is settled instead of being cancelled.
  order = await settleAll(deps, order);
  for (let tries = 0; order && tries < maxTries; tries += 1) {
    // By a concurrent request, or by our own write whose response was lost.
    if (order.state.status === 'closed') return noContent();
    if (isSettled(order.state)) throw new Problem('order_paid', paidDetail);
    const result = await deps.orders.change(order, { status: 'closed' }, unixSeconds(deps.clock));
    if (result.written) {
      // Of a closed order this revokes the virtual accounts.
      await settleAll(deps, result.value);
      return noContent();
    }
    order = result.current;
  }
  throw new OrderBusy(`Order ${merchant_uid} changed during each of ${maxTries} attempts to close it`);
};

/** Settles every payment of the order. @returns the order afterwards */
async function settleAll(deps: RequestDependencies, order: Order): Promise<Order | undefined> {
  // An unreadable payment does not keep its order open. If it has money, the scan cancels it.
  const { payments } = await deps.iamport.payments(order.merchantUid, order.tier);
  return settleEach(deps, order.merchantUid, payments);
}

export const handler = await lambdaHandler(closeOrder, { right: 'money' });
