/**
 * The parameters and the results of the checkout. Types only. Iamport's names where they exist; amounts in the
 * currency's major units, times in Unix seconds.
 */

/** The parameters of `IMP.request_pay` that most shops use. Other parameters of a PG are passed on unchanged. */
export interface PaymentParam {
  /** The registered order. */
  readonly merchant_uid: string;
  /** As registered: with another amount the window does not open. */
  readonly amount: number;
  readonly name?: string;
  /** `html5_inicis`, optionally with a merchant id after a dot. */
  readonly pg?: string;
  readonly channelKey?: string;
  readonly pay_method?: 'card' | 'trans' | 'vbank' | 'phone' | (string & {});
  readonly currency?: string;
  /** The language of the window and of the messages to the buyer: Korean, or English for `en`. */
  readonly language?: string;
  readonly buyer_name?: string;
  readonly buyer_email?: string;
  /** KG Inicis does not open its window without one. */
  readonly buyer_tel?: string;
  readonly buyer_addr?: string;
  readonly buyer_postcode?: string;
  /** Iamport calls it just before an approval: `<api>/payments/confirm`. */
  readonly confirm_url?: string;
  /** The scheme of the app around a WebView, without `://`. */
  readonly app_scheme?: string;
  readonly [param: string]: unknown;
}

/** The backend that returns the result of a payment. */
export interface Backend {
  /** `<api>/payments/complete`. */
  readonly completeUrl: string;
  /** The language of the messages to the buyer: `en`, otherwise Korean. */
  readonly language?: string;
  /** How long to retry without a response. Default: a minute. */
  readonly patienceMs?: number;
}

export interface PayRequest extends PaymentParam, Backend {
  readonly language?: string;
  /** `<api>/payments/complete/mobile`, optionally with `?to=<name of a result target>`. A phone returns to it. */
  readonly mobileRedirectUrl: string;
  /** Called after the window has closed, before the call of the backend: the time to show a progress indicator. */
  readonly onConfirming?: (payment: PaymentIds) => void;
}

/** A payment of an order. */
export interface PaymentIds {
  readonly imp_uid: string;
  readonly merchant_uid: string;
}

export type OutcomeStatus =
  | 'paid'
  | 'virtual_account_issued'
  | 'ready'
  | 'failed'
  | 'partial_cancelled'
  | 'cancelled'
  | 'expired'
  | 'deposit_reversed'
  | 'rejected';

export interface VirtualAccount {
  readonly bank?: string;
  readonly number: string;
  readonly holder?: string;
  /** The deadline of the deposit. */
  readonly due_at?: number;
  readonly issued_at?: number;
}

/** The error that the payment window returned to the browser. For display only: it proves nothing about the money. */
export interface WindowWords {
  readonly error_code?: string;
  readonly error_msg?: string;
}

/** The result from the backend. `message` is for the buyer. */
export interface Outcome {
  readonly status: OutcomeStatus;
  readonly message: string;
  readonly imp_uid?: string;
  readonly merchant_uid?: string;
  readonly amount?: number;
  readonly currency?: string;
  /** With `partial_cancelled` and `cancelled`: the part of `amount` that went back to the buyer. */
  readonly cancelled_amount?: number;
  /** The reason of a rejection, or the PG's error text of a failure. */
  readonly reason?: string;
  /** The progress of the refund or revocation of a rejected payment. */
  readonly reversal?: { readonly kind: string; readonly state: 'requested' | 'done' | 'manual' };
  readonly virtual_account?: VirtualAccount;
  readonly receipt_url?: string;
  readonly apply_num?: string;
  readonly window?: WindowWords;
}

/** The window did not open, so there is no payment, and the buyer can try again. */
export interface Unopened {
  readonly status: 'unopened';
  readonly merchant_uid: string;
  readonly message: string;
  /**
   * `iamport_missing`: iamport.js is not on the page; `busy`: another order is being paid on this page; `declined`:
   * Iamport refused, with the reason in `window`; `window_failed`: `IMP.request_pay` threw, see `cause`.
   */
  readonly code: 'iamport_missing' | 'busy' | 'declined' | 'window_failed';
  readonly window?: WindowWords;
  readonly cause?: unknown;
}

/**
 * The browser left the page for the window, and the buyer returned without a result. The shop's server has the order's
 * state.
 */
export interface Left {
  readonly status: 'left';
  readonly merchant_uid: string;
  readonly message: string;
}

/** No response within the time given. The payment may have succeeded: retry, and do not show a failure. */
export interface Unconfirmed extends PaymentIds {
  readonly status: 'unconfirmed';
  readonly message: string;
  /** The last error code of the backend, if any: `iamport_unavailable`, … */
  readonly code?: string;
  readonly window?: WindowWords;
}

/** The backend refuses the call, and a retry does not help. */
export interface Refused extends PaymentIds {
  readonly status: 'refused';
  readonly message: string;
  /** `order_not_found`, `payment_not_found`, `order_mismatch`, `invalid_request`, …; otherwise the HTTP status. */
  readonly code: string;
  readonly window?: WindowWords;
}

/** Discriminated by `status`. */
export type Confirmation = Outcome | Unconfirmed | Refused;
export type PayResult = Confirmation | Unopened | Left;
