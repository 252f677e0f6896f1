/**
 * What a shop's page gives to the checkout, and what it gets back. Types only. Names are Iamport's, where it has one; amounts are in
 * the currency's major units, times in Unix seconds.
 */

/** The parameters of `IMP.request_pay` that most shops use. Whatever else a PG wants is passed on as it is. */
export interface PaymentParam {
  /** The registered order. */
  readonly merchant_uid: string;
  /** As registered: with another amount the window does not open. */
  readonly amount: number;
  readonly name?: string;
  /** `html5_inicis`, perhaps with a merchant id behind a dot. */
  readonly pg?: string;
  readonly channelKey?: string;
  readonly pay_method?: 'card' | 'trans' | 'vbank' | 'phone' | (string & {});
  readonly currency?: string;
  /** Of the window, and of the messages to the buyer: Korean, and English for `en`. */
  readonly language?: string;
  readonly buyer_name?: string;
  readonly buyer_email?: string;
  /** KG Inicis does not open its window without one. */
  readonly buyer_tel?: string;
  readonly buyer_addr?: string;
  readonly buyer_postcode?: string;
  /** Asked just before an approval: `<api>/payments/confirm`. */
  readonly confirm_url?: string;
  /** The scheme of the app around a WebView, without `://`. */
  readonly app_scheme?: string;
  readonly [param: string]: unknown;
}

/** Whom to ask what became of a payment. */
export interface Backend {
  /** `<api>/payments/complete`. */
  readonly completeUrl: string;
  /** Of the messages to the buyer: `en`, otherwise Korean. */
  readonly language?: string;
  /** How long to go on asking when no answer comes. A minute unless told. */
  readonly patienceMs?: number;
}

export interface PayRequest extends PaymentParam, Backend {
  readonly language?: string;
  /** `<api>/payments/complete/mobile`, perhaps with `?to=<name of a result target>`. A phone comes back there. */
  readonly mobileRedirectUrl: string;
  /** Called when the window is over and the backend is being asked: the moment for a sign of work. */
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

/** What the payment window told the browser. For showing: it proves nothing about the money. */
export interface WindowWords {
  readonly error_code?: string;
  readonly error_msg?: string;
}

/** What the backend found out. `message` is for the buyer. */
export interface Outcome {
  readonly status: OutcomeStatus;
  readonly message: string;
  readonly imp_uid?: string;
  readonly merchant_uid?: string;
  readonly amount?: number;
  readonly currency?: string;
  /** Why it was rejected, or the PG's words for a failure. */
  readonly reason?: string;
  /** Where the money of a payment is that was not taken. */
  readonly reversal?: { readonly kind: string; readonly state: 'requested' | 'done' | 'manual' };
  readonly virtual_account?: VirtualAccount;
  readonly receipt_url?: string;
  readonly apply_num?: string;
  readonly window?: WindowWords;
}

/** There was no window, so there is no payment, and the buyer can simply try again. */
export interface Unopened {
  readonly status: 'unopened';
  readonly merchant_uid: string;
  readonly message: string;
  /**
   * `iamport_missing`: iamport.js is not on the page; `busy`: another order is being paid on this page just now; `declined`: Iamport
   * refused and said why in `window`; `window_failed`: `IMP.request_pay` threw, see `cause`.
   */
  readonly code: 'iamport_missing' | 'busy' | 'declined' | 'window_failed';
  readonly window?: WindowWords;
  readonly cause?: unknown;
}

/** The buyer went to a window that took the page away, and came back without a word from it. The shop's server knows the order. */
export interface Left {
  readonly status: 'left';
  readonly merchant_uid: string;
  readonly message: string;
}

/** No answer came in the time given. The payment may well be made: ask again, and call nothing failed. */
export interface Unconfirmed extends PaymentIds {
  readonly status: 'unconfirmed';
  readonly message: string;
  /** What the backend said last, where it said anything: `iamport_unavailable`, … */
  readonly code?: string;
  readonly window?: WindowWords;
}

/** The backend will not answer this question, however often it is asked. */
export interface Refused extends PaymentIds {
  readonly status: 'refused';
  readonly message: string;
  /** `order_not_found`, `payment_not_found`, `order_mismatch`, `invalid_request`, …; the HTTP status where there is none. */
  readonly code: string;
  readonly window?: WindowWords;
}

/** Tell them apart by `status`. */
export type Confirmation = Outcome | Unconfirmed | Refused;
export type PayResult = Confirmation | Unopened | Left;
