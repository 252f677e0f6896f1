/** An order: what the shop asked for, and what became of it. Pure. */

import { type Amount, minus } from './money.ts';
import type { Payment, PaymentRecord, UnixSeconds, VirtualAccount } from './payment.ts';

/** What is true of an order once a payment has settled it. The settling `impUid` never changes. */
interface Settled {
  readonly impUid: string;
  readonly record: PaymentRecord;
}

/** An attempt to pay that came to nothing. */
export interface Failure {
  readonly impUid: string;
  readonly failedAt: UnixSeconds;
  /** The PG's words. */
  readonly reason?: string;
}

/** What a payable order has been through, remembered so that old news about it is not taken for new. */
interface Remembers {
  readonly failure?: Failure;
  readonly account?: VirtualAccount;
}

export type OrderState =
  /** A fresh order; or one whose account is gone, which it remembers. */
  | ({ readonly status: 'ready' } & Remembers)
  | ({ readonly status: 'failed'; readonly failure: Failure } & Remembers)
  | ({ readonly status: 'expired' } & Remembers)
  | ({ readonly status: 'virtual_account_issued'; readonly account: VirtualAccount } & Remembers)
  | ({ readonly status: 'paid' } & Settled)
  | ({ readonly status: 'partial_cancelled' | 'cancelled'; readonly cancelledAmount: Amount } & Settled)
  | ({ readonly status: 'deposit_reversed' } & Settled)
  | { readonly status: 'closed' };

export type OrderStatus = OrderState['status'];

/** What the shop registered. Amount and currency never change: another price is another order. */
export interface OrderTerms {
  readonly merchantUid: string;
  readonly amount: Amount;
  /** ISO 4217, as Iamport writes it: `KRW`, `USD`, … */
  readonly currency: string;
  /** The part of `amount` that is free of tax, as the shop sends it to the payment window. */
  readonly taxFree?: Amount;
  /** The VAT in `amount`, likewise. */
  readonly vatAmount?: Amount;
  readonly name?: string;
  /** Until when the shop waits for the payment. */
  readonly expiresAt?: UnixSeconds;
  /** The sub-merchant's code of an Agency account, sent to Iamport as the header `Tier`. */
  readonly tier?: string;
}

export interface Order extends OrderTerms {
  /** Counts the writes of this order; a write holds only against the revision that was read. 0: only the shop has written it. */
  readonly revision: number;
  readonly createdAt: UnixSeconds;
  readonly updatedAt: UnixSeconds;
  readonly state: OrderState;
  /** Iamport could not be told the amount yet. */
  readonly isUnprepared?: true;
  /** When the reconciler checks the order, if nothing happens before. */
  readonly dueAt?: UnixSeconds;
  /** When our own table got the order. Absent in a shop's own table, whose items may be older than anything that we know. */
  readonly registeredAt?: UnixSeconds;
  /** In a shop's own table: how many cancels of the order's payments were announced to its other writers. */
  readonly cancels?: number;
  /** In a shop's own table: the amount that we have registered with Iamport. Only that one may be replaced there. */
  readonly preparedAmount?: Amount;
}

type SettledState = Extract<OrderState, { readonly record: PaymentRecord }>;

/** A payment has settled the order: any other payment is a second one, even after a refund. */
export const isSettled = (state: OrderState): state is SettledState => 'record' in state;

/** The order can still be paid. `closed` never reopens. */
export const isPayable = (state: OrderState): boolean => !isSettled(state) && state.status !== 'closed';

/** The newest account that the order knows of, while it can be paid. */
export const accountOf = (state: OrderState): VirtualAccount | undefined =>
  'account' in state ? state.account : undefined;

/** What the order believes is kept of the payment that settled it. */
export function keptBy(order: Order, state: SettledState): Amount {
  switch (state.status) {
    case 'paid':
      return order.amount;
    case 'partial_cancelled':
    case 'cancelled':
      return minus(order.amount, state.cancelledAmount);
    case 'deposit_reversed':
      return minus(order.amount, order.amount);
  }
}

/** The latest failed attempt that the order knows of, while it can be paid. */
export const failureOf = (state: OrderState): Failure | undefined => ('failure' in state ? state.failure : undefined);

/** The payment that set the status, where one did. */
export function statusSetBy(state: OrderState): string | undefined {
  if (isSettled(state)) return state.impUid;
  if (state.status === 'virtual_account_issued') return state.account.impUid;
  return state.status === 'failed' ? state.failure.impUid : undefined;
}

/** Is this the payment that settled the order? */
export const isSettledBy = (state: SettledState, payment: Payment): boolean => state.impUid === payment.impUid;

/**
 * An order number that may be registered: 1 to 40 visible characters (Iamport's limit), of any script. A payment with another one
 * is never ours.
 */
export const isOrderNumber = (text: string): boolean => orderNumber.test(text);
export const orderNumber = /^(?!\.{1,2}$)(?!\s)[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]{1,40}(?<!\s)$/u;
