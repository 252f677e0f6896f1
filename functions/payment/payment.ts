/** One payment, as we read it from Iamport. Pure types; adapters/iamport/wire.ts parses the wire form. */

import type { Amount } from './money.ts';

/** Unix seconds, as Iamport writes times. */
export type UnixSeconds = number;

/** A virtual account that waits for the deposit of the buyer. */
export interface VirtualAccount {
  /** The payment that issued it. */
  readonly impUid: string;
  readonly bank?: string;
  readonly number: string;
  readonly holder?: string;
  /** The deadline of the deposit. */
  readonly depositDeadline?: UnixSeconds;
  readonly issuedAt: UnixSeconds;
}

/** The state of a payment, derived from its amounts and times: Iamport's `status` alone misleads. */
export type PaymentState =
  /** The buyer opened the payment window and has not paid. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'awaiting_deposit'; readonly account: VirtualAccount }
  /** The buyer paid, and not everything was cancelled: `0 < kept <= amount`. */
  | { readonly kind: 'kept'; readonly kept: Amount }
  /** Nothing is kept: the payment was cancelled in full, or its account was revoked. Final. */
  | { readonly kind: 'returned' }
  /** Not final: some PGs first report a payment as failed and approve it later. */
  | { readonly kind: 'failed'; readonly reason?: string; readonly failedAt: UnixSeconds };

/** The data of the payment that is stored with the order that it settled. It contains no personal data. */
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
  /** The order that the payment names. The buyer's browser chose it, as it chose the amount and the currency. */
  readonly merchantUid: string;
  readonly amount: Amount;
  readonly currency: string;
  /** Made through a test channel: no money moved. */
  readonly sandbox: boolean;
  readonly record: PaymentRecord;
  /** When the buyer opened the payment window. Absent where Iamport leaves it out. */
  readonly startedAt?: UnixSeconds;
  /** The sum of all deposits into a fixed virtual account. Absent for every other payment. */
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

/** The payment has neither kept money nor an open account. */
export const isGone = ({ state }: Payment): boolean => state.kind !== 'kept' && state.kind !== 'awaiting_deposit';

/** Paid by bank transfer into a virtual account. Such money cannot be refunded without the buyer's bank account. */
export const isDeposit = (record: PaymentRecord): boolean => record.payMethod === 'vbank';
