/** The port to Iamport's API, and the forms of its requests and responses. */

import type { Amount } from '../../payment/money.ts';
import type { Payment } from '../../payment/payment.ts';
import type { RefundAccount, RefundRequester } from '../../payment/refund.ts';
import type { Deadline } from '../../shared/clock.ts';

/** The payments of one order. */
export interface PaymentList {
  readonly payments: readonly Payment[];
  /** The `imp_uid` of payments in an unknown form; the position of those that are too large to read. */
  readonly unreadable: readonly string[];
}

/** A payment in an unknown form. `merchantUid` only where it is a text. */
export interface UnreadablePayment {
  readonly impUid: string;
  readonly merchantUid?: string;
}

/** A page of a list of payments. */
export interface PaymentPage {
  readonly payments: readonly Payment[];
  readonly unreadable: readonly UnreadablePayment[];
  /** The number of payments on all pages. */
  readonly total: number;
  /** The next page; 0 after the last one. */
  readonly next: number;
}

/** Selects one page of the payments that reached a status between two times. */
export interface ListQuery {
  readonly status: 'paid' | 'cancelled' | 'ready' | 'failed';
  /**
   * Unix seconds, both inclusive, at most 90 days apart. They are compared with the time that belongs to the status.
   */
  readonly from: number;
  readonly to: number;
  /** From 1. The oldest payments come first. */
  readonly page: number;
  /** How many payments a page has, at most 1,000. */
  readonly limit: number;
  /** Selects the list of a sub-merchant of an Agency account; the account's own list without it. */
  readonly tier?: string | undefined;
}

/** A cancel of all or a part of a payment. */
export interface CancelRequest {
  readonly payment: Payment;
  /** The amount to cancel: everything that was kept when the payment was last read, or less. */
  readonly amount: Amount;
  /** The amount that we expect to be kept. Iamport cancels nothing when its own amount differs, so a repeat is safe. */
  readonly checksum: Amount;
  readonly reason: string;
  /** The tax-free part of `amount`; 0 is sent as well. */
  readonly taxFree?: Amount;
  /** The VAT in `amount`; 0 is sent as well. */
  readonly vatAmount?: Amount;
  /** The buyer's account, to which a deposit is refunded. */
  readonly account?: RefundAccount;
  /** Who requests the refund. Naver Pay requires it. */
  readonly requester?: RefundRequester;
}

/** The data of an order that is registered at Iamport before its payment. */
export interface Prepared {
  readonly merchantUid: string;
  readonly amount: Amount;
  readonly currency: string;
  readonly tier?: string;
}

/**
 * Calls Iamport. Every call ends within its deadline. It throws IamportUnavailable (retry later; IamportBusy after a
 * 429), IamportRefused (a refusal) or IamportUnexpected (a response in an unknown form). `tier` is a sub-merchant's
 * code, for Agency accounts.
 */
export interface Iamport {
  /** `GET /payments/{imp_uid}`. @returns undefined when Iamport returns 404 */
  payment(impUid: string, deadline: Deadline, tier?: string): Promise<Payment | undefined>;
  /** `GET /payments/find/{merchant_uid}/{status?}`: the newest payment of the order, in any status or in one. */
  newestPayment(merchantUid: string, deadline: Deadline, tier?: string, status?: 'paid'): Promise<Payment | undefined>;
  /** `GET /payments/findAll/{merchant_uid}`: every payment of the order, the newest first. */
  payments(merchantUid: string, deadline: Deadline, tier?: string): Promise<PaymentList>;
  /** `GET /payments/status/{status}`. @throws IamportTooLarge when the page has more bytes than we read */
  listPayments(query: ListQuery, deadline: Deadline): Promise<PaymentPage>;
  /**
   * `POST /payments/cancel`.
   * @returns the payment after the cancel; unchanged when the PG refunds later
   * @throws IamportAccepted when Iamport returned `code` 0 without a payment that can be parsed
   * @throws IamportFault with `notSent` when Iamport certainly cancelled nothing
   */
  cancel(request: CancelRequest, deadline: Deadline, tier?: string): Promise<Payment>;
  /** `DELETE /vbanks/{imp_uid}`: revokes an account without a deposit. @returns the payment after it */
  revokeAccount(impUid: string, deadline: Deadline, tier?: string): Promise<Payment>;
  /**
   * `POST /payments/prepare`: registers the amount, so that a payment window with another amount does not open. The
   * same amount may be registered again.
   * @param replaced the amount that we registered before, which may be replaced
   * @returns `conflict` when an amount is registered that we did not register: it stays
   */
  prepare(order: Prepared, deadline: Deadline, replaced?: Amount): Promise<'prepared' | 'conflict'>;
}

/** A cache of 404s, in the memory of a Lambda instance. */
export interface UnknownPayments {
  /** @returns whether Iamport returned 404 for this id within the last 10 s */
  has(impUid: string, tier: string | undefined): boolean;
  add(impUid: string, tier: string | undefined): void;
}
