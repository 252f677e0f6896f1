/** An order: the terms that the shop registered, and its state. Pure. */

import { type Amount, minus, zero } from './money.ts';
import type { Payment, PaymentRecord, UnixSeconds, VirtualAccount } from './payment.ts';

/** The payment that settled the order. Its `impUid` never changes. */
interface Settled {
  readonly impUid: string;
  readonly record: PaymentRecord;
}

/** A failed attempt to pay. */
export interface Failure {
  readonly impUid: string;
  readonly failedAt: UnixSeconds;
  /** The text that the PG returned. */
  readonly reason?: string;
}

/** The newest failure and account of a payable order, kept so that a stale payment is not taken for a newer one. */
interface Remembers {
  readonly failure?: Failure;
  readonly account?: VirtualAccount;
}

export type OrderState =
  /** A new order; or an order whose account was revoked and is remembered. */
  | ({ readonly status: 'ready' } & Remembers)
  | ({ readonly status: 'failed'; readonly failure: Failure } & Remembers)
  | ({ readonly status: 'expired' } & Remembers)
  | ({ readonly status: 'virtual_account_issued'; readonly account: VirtualAccount } & Remembers)
  | ({ readonly status: 'paid' } & Settled)
  | ({ readonly status: 'partial_cancelled' | 'cancelled'; readonly cancelledAmount: Amount } & Settled)
  | ({ readonly status: 'deposit_reversed' } & Settled)
  | { readonly status: 'closed' };

export type OrderStatus = OrderState['status'];

/** A sub-merchant's code of an Agency account, as an order and the configuration accept it. */
export const tierCode = /^[0-9A-Za-z_-]{1,40}$/;

/** The terms that the shop registered. Amount and currency never change: another price is another order. */
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
  /** When the order expires unless it is paid. */
  readonly expiresAt?: UnixSeconds;
  /** The sub-merchant's code of an Agency account, sent to Iamport as the header `Tier`. */
  readonly tier?: string;
}

export interface Order extends OrderTerms {
  /**
   * Counts the writes of this order. A write fails unless the revision is still the one read. 0: only the shop has
   * written it.
   */
  readonly revision: number;
  readonly createdAt: UnixSeconds;
  readonly updatedAt: UnixSeconds;
  readonly state: OrderState;
  /** The amount is not registered at Iamport yet, since a call failed. */
  readonly isUnprepared?: true;
  /** When the reconciler checks the order next, if its state does not change before. */
  readonly nextCheckAt?: UnixSeconds;
  /**
   * When the order was registered in our own table. Absent in a shop's own table, whose items may be older than the
   * deployment.
   */
  readonly registeredAt?: UnixSeconds;
  /** In a shop's own table: how many cancels of the order's payments were announced to its other writers. */
  readonly cancels?: number;
  /** In a shop's own table: the amount that we registered at Iamport. Only this amount may be replaced at Iamport. */
  readonly preparedAmount?: Amount;
}

/** A state that a payment has settled. */
export type SettledState = Extract<OrderState, { readonly record: PaymentRecord }>;

/** A payment has settled the order. Every other payment is a duplicate, even after a refund. */
export const isSettled = (state: OrderState): state is SettledState => 'record' in state;

/** The order can still be paid. `closed` never reopens. */
export const isPayable = (state: OrderState): boolean => !isSettled(state) && state.status !== 'closed';

/** The newest account of a payable order. */
export const accountOf = (state: OrderState): VirtualAccount | undefined =>
  'account' in state ? state.account : undefined;

/** The amount still kept of the payment that settled the order, as the order records it. */
export function keptBy(order: Order, state: SettledState): Amount {
  switch (state.status) {
    case 'paid':
      return order.amount;
    case 'partial_cancelled':
    case 'cancelled':
      return minus(order.amount, state.cancelledAmount);
    case 'deposit_reversed':
      return zero;
  }
}

/** The latest failed attempt of a payable order. */
export const failureOf = (state: OrderState): Failure | undefined => ('failure' in state ? state.failure : undefined);

/** The payment that set the status, where one did. */
export function statusSetBy(state: OrderState): string | undefined {
  if (isSettled(state)) return state.impUid;
  if (state.status === 'virtual_account_issued') return state.account.impUid;
  return state.status === 'failed' ? state.failure.impUid : undefined;
}

/** The payment is the one that settled the order. */
export const isSettledBy = (state: SettledState, payment: Payment): boolean => state.impUid === payment.impUid;

/**
 * An order number that may be registered: 1 to 40 visible characters (Iamport's limit), of any script. A payment with
 * any other order number belongs to another shop.
 */
export const isOrderNumber = (text: string): boolean => orderNumber.test(text);
export const orderNumber = /^(?!\.{1,2}$)(?!\s)[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]{1,40}(?<!\s)$/u;
