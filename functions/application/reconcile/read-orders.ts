/** Reads the orders of a page. DynamoDB may throttle the keys of some of them. */

import type { Order } from '../../payment/order.ts';
import { StoreThrottled } from '../faults.ts';
import type { Dependencies } from '../ports.ts';
import { concurrency } from './report.ts';

export interface OrdersOfPage {
  readonly orders: readonly Order[];
  /** The numbers of the orders that cannot be parsed. */
  readonly unreadable: readonly string[];
  /** The errors of the orders that DynamoDB throttled, by number. */
  readonly throttled: ReadonlyMap<string, StoreThrottled>;
}

/**
 * DynamoDB names no key when it throttles a batch, so the batch is divided until the throttled keys are alone.
 * @param merchantUids valid order numbers
 * @throws StoreThrottled when it throttles as many keys as there are concurrent calls: the table has no capacity
 */
export async function readOrders(
  { orders }: Pick<Dependencies, 'orders'>,
  merchantUids: readonly string[],
): Promise<OrdersOfPage> {
  const found: Order[] = [];
  const unreadable: string[] = [];
  const throttled = new Map<string, StoreThrottled>();
  const read = async (some: readonly string[]): Promise<void> => {
    try {
      const result = await orders.readMany(some);
      found.push(...result.orders);
      unreadable.push(...result.unreadable);
    } catch (error) {
      if (!(error instanceof StoreThrottled)) throw error;
      const [first, ...others] = some;
      if (first !== undefined && others.length === 0) throttled.set(first, error);
      if (throttled.size >= concurrency) throw error;
      if (others.length === 0) return;
      const half = Math.ceil(some.length / 2);
      await read(some.slice(0, half));
      await read(some.slice(half));
    }
  };
  await read([...new Set(merchantUids)]);
  return { orders: found, unreadable, throttled };
}
