/**
 * The JSON of the order routes. Types only. Amounts in major units (14000 won, 10.5 dollars), times in Unix seconds. A
 * field without a value is left out. A newer API may return more fields.
 */

export type OrderStatus =
  | 'ready'
  | 'failed'
  | 'expired'
  | 'virtual_account_issued'
  | 'paid'
  | 'partial_cancelled'
  | 'cancelled'
  | 'deposit_reversed'
  | 'closed';

/** The terms of an order that the shop registers. They never change. */
export interface OrderTerms {
  readonly amount: number;
  /** ISO 4217. Default: KRW. */
  readonly currency?: string | undefined;
  /** The part of the amount that is free of tax. 0 is sent too. */
  readonly tax_free?: number | undefined;
  /** The VAT in the amount. 0 is sent too. */
  readonly vat_amount?: number | undefined;
  /** The name of the goods, without personal data. */
  readonly name?: string | undefined;
  /** When the order expires unless it is paid. */
  readonly expires_at?: number | undefined;
  /** The sub-merchant's code of an Agency account. */
  readonly tier?: string | undefined;
}

export interface PaymentRecord {
  readonly pay_method?: string;
  readonly pg_provider?: string;
  readonly pg_tid?: string;
  readonly apply_num?: string;
  readonly receipt_url?: string;
  readonly paid_at?: number;
}

export interface VirtualAccount {
  readonly imp_uid: string;
  readonly bank?: string;
  readonly number: string;
  readonly holder?: string;
  /** The deadline of the deposit. */
  readonly due_at?: number;
  readonly issued_at: number;
}

export interface Order {
  readonly merchant_uid: string;
  readonly amount: number;
  readonly currency: string;
  readonly tax_free?: number;
  readonly vat_amount?: number;
  readonly name?: string;
  readonly expires_at?: number;
  readonly tier?: string;
  readonly status: OrderStatus;
  /** Grows with every change of the order. */
  readonly revision: number;
  /** The payment that set the status. */
  readonly imp_uid?: string;
  readonly payment?: PaymentRecord;
  readonly cancelled_amount?: number;
  readonly virtual_account?: VirtualAccount;
  /** The PG's error text of a failed attempt. */
  readonly reason?: string;
  readonly created_at?: number;
  readonly updated_at?: number;
}

export interface RegisteredOrder extends Order {
  /** The amount is registered with Iamport too. False: it is not yet, and the payment works all the same. */
  readonly prepared?: boolean;
}

/** The undoing of a payment that was rejected. */
export interface Reversal {
  readonly imp_uid: string;
  readonly kind: 'cancel' | 'revoke' | 'manual' | 'orphan';
  readonly state: 'requested' | 'done' | 'manual';
  readonly reason: string;
  readonly amount: number;
  readonly currency: string;
  readonly attempts: number;
  readonly message?: string;
  readonly created_at: number;
  readonly updated_at: number;
}

export interface Refund {
  readonly imp_uid: string;
  /** The idempotency key. */
  readonly key: string;
  /** `requested`: under way; `Refund Completed` or `Refund Refused` follows, unless it waits for its `needs`. */
  readonly state: 'requested' | 'done' | 'refused';
  readonly amount: number;
  readonly currency: string;
  readonly tax_free?: number;
  readonly vat_amount?: number;
  readonly reason: string;
  readonly requester?: 'customer' | 'admin';
  readonly attempts: number;
  readonly accepted_at?: number;
  /** `account`: repeat the call with `account`; `repeat`: repeat the call; `operator`: see the runbook, and send no other key. */
  readonly needs?: 'account' | 'repeat' | 'operator';
  readonly refusal?: 'refused_by_pg';
  readonly message?: string;
  readonly created_at: number;
  readonly updated_at: number;
}

/** An order with every reversal and refund of its payments. */
export interface OrderDetails extends Order {
  readonly reversals: readonly Reversal[];
  readonly refunds: readonly Refund[];
}

/** The buyer's account, for a payment into a virtual account. Sent to Iamport, never stored. */
export interface RefundAccount {
  readonly holder: string;
  /** Iamport's code of the bank, not its name. */
  readonly bank: string;
  readonly number: string;
  readonly tel?: string | undefined;
}

interface RefundFields {
  /** Sent to the console and the buyer's bank. */
  readonly reason: string;
  readonly tax_free?: number | undefined;
  readonly vat_amount?: number | undefined;
  readonly account?: RefundAccount | undefined;
  /** Naver Pay needs it. */
  readonly requester?: 'customer' | 'admin' | undefined;
}

/** A part needs a key. Without an amount everything that is left is refunded; without a key the call is not repeated. */
export type RefundRequest = RefundFields &
  (
    | { readonly amount: number; readonly idempotencyKey: string }
    | { readonly amount?: undefined; readonly idempotencyKey?: string | undefined }
  );

export interface RefundResult {
  readonly refund: Refund;
  readonly order: Order;
}
