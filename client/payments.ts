/** The order routes as functions. */

import type { OrderDetails, OrderTerms, RefundRequest, RefundResult, RegisteredOrder } from './order-types.ts';
import { type PaymentsOptions, sender } from './send.ts';

/** Each function rejects with a PaymentsError when the API does not carry out the call. */
export interface Payments {
  readonly orders: {
    /** Registers an order before its payment window opens. The same terms again return the order as it is. */
    register(merchantUid: string, terms: OrderTerms): Promise<RegisteredOrder>;
    get(merchantUid: string): Promise<OrderDetails>;
    /** Permanently closes an unpaid order. */
    close(merchantUid: string): Promise<void>;
  };
  readonly refunds: {
    /**
     * Refunds a part of a payment, or all that is left. The same `idempotencyKey` refunds once, however often it is sent.
     * The refund is under way while its `state` is `requested`.
     */
    create(merchantUid: string, request: RefundRequest): Promise<RefundResult>;
  };
}

/** @throws TypeError for a URL or a key that cannot be used */
export function createPayments(options: PaymentsOptions): Payments {
  const send = sender(options);
  return {
    orders: {
      register: async (merchantUid, terms) =>
        (await send({
          method: 'PUT',
          path: orderPath(merchantUid),
          fields: terms,
          isRepeatable: true,
        })) as RegisteredOrder,
      get: async (merchantUid) =>
        (await send({ method: 'GET', path: orderPath(merchantUid), isRepeatable: true })) as OrderDetails,
      close: async (merchantUid) => {
        await send({ method: 'DELETE', path: orderPath(merchantUid), isRepeatable: true });
      },
    },
    refunds: {
      create: async (merchantUid, { idempotencyKey, ...fields }) =>
        (await send({
          method: 'POST',
          path: `${orderPath(merchantUid)}/refunds`,
          fields,
          headers: idempotencyKey === undefined ? {} : { 'idempotency-key': checkedKey(idempotencyKey) },
          isRepeatable: idempotencyKey !== undefined,
        })) as RefundResult,
    },
  };
}

/** @throws TypeError for a text that would lead to another route: URLs drop the segments `.` and `..` */
function orderPath(merchantUid: string): string {
  // encodeURIComponent refuses half of a surrogate pair, with an error of another class.
  if (typeof merchantUid !== 'string' || /^\.{0,2}$/.test(merchantUid) || /\p{Cs}/u.test(merchantUid)) {
    throw new TypeError('merchantUid must be an order number of 1 to 40 characters.');
  }
  return `/orders/${encodeURIComponent(merchantUid)}`;
}

/** @throws TypeError for a text that the API refuses, or that fetch cannot send */
function checkedKey(idempotencyKey: string): string {
  if (typeof idempotencyKey === 'string' && /^[0-9A-Za-z_-]{1,64}$/.test(idempotencyKey)) return idempotencyKey;
  throw new TypeError('idempotencyKey must be 1 to 64 letters, digits, - and _.');
}
