/** What Iamport says about one payment, in our words. Pure types; the wire form is read in iamport/wire.ts. */

import type { Amount } from './money.ts';

/** Unix seconds, as Iamport writes times. */
export type UnixSeconds = number;

/** An account into which the buyer has yet to pay. */
export interface VirtualAccount {
  /** The payment that issued it. */
  readonly impUid: string;
  readonly bank?: string;
  readonly number: string;
  readonly holder?: string;
  /** The deadline of the deposit. */
  readonly dueAt?: UnixSeconds;
  readonly issuedAt: UnixSeconds;
}

/** How far a payment has come, judged by its amounts and times: the word in Iamport's `status` alone misleads. */
export type PaymentState =
  /** A window that was opened, or left; nothing has happened yet. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'awaiting_deposit'; readonly account: VirtualAccount }
  /** Money moved and some of it stayed: `0 < kept <= amount`. */
  | { readonly kind: 'kept'; readonly kept: Amount }
  /** Nothing is kept any more: cancelled in full, or an account that was revoked. Final. */
  | { readonly kind: 'returned' }
  /** Never final: some PGs approve a payment later that they first reported failed. */
  | { readonly kind: 'failed'; readonly reason?: string; readonly failedAt: UnixSeconds };

/** What the shop's books keep of the payment that settled an order. Holds nothing personal. */
export interface PaymentRecord {
  /** card, trans, vbank, phone, …: Iamport's `pay_method`. */
  readonly payMethod?: string;
  readonly pgProvider?: string;
  readonly pgTid?: string;
  readonly applyNum?: string;
  readonly receiptUrl?: string;
  readonly paidAt?: UnixSeconds;
}

export interface Payment {
  readonly impUid: string;
  /** The order that the payment names. Chosen in the buyer's browser, like the amount and the currency. */
  readonly merchantUid: string;
  readonly amount: Amount;
  readonly currency: string;
  /** Made through a test channel: no money moved. */
  readonly sandbox: boolean;
  readonly record: PaymentRecord;
  /** When the buyer opened the payment window. Absent where Iamport leaves it out. */
  readonly startedAt?: UnixSeconds;
  /** What really arrived on a fixed virtual account, all deposits together; absent for every other payment. */
  readonly deposited?: Amount;
  readonly state: PaymentState;
  /** The cancels of the payment, the oldest first. Absent when there is none. */
  readonly cancels?: readonly Cancel[];
}

/** One entry of a payment's cancel history, made by this API, in the console or by the PG. */
export interface Cancel {
  readonly amount?: Amount;
  /** As the history returns it: a PG may have cut or re-encoded what was sent. */
  readonly reason?: string;
}

/** Nothing of it is left at Iamport: neither money nor an account that somebody could pay into. */
export const isGone = ({ state }: Payment): boolean => state.kind !== 'kept' && state.kind !== 'awaiting_deposit';

/** Paid by bank transfer into a virtual account. Such money cannot be sent back without the buyer's account. */
export const isDeposit = (record: PaymentRecord): boolean => record.payMethod === 'vbank';
