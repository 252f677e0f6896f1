/**
 * The question whether a payment may be approved, as the shop's server or function receives it: in the form of a
 * webhook, and with a `type` that no event has. No personal data.
 */

import { type Amount, majorUnits } from '../payment/money.ts';

export const confirmType = 'payment.confirm';

/** The body of the request to the shop's server, and the event of the shop's function. */
export interface ConfirmRequest {
  readonly type: typeof confirmType;
  /** The time of the question, in ISO 8601. */
  readonly timestamp: string;
  readonly data: {
    readonly version: 1;
    readonly merchant_uid: string;
    /** As the window named it. The payment was not read from Iamport. */
    readonly imp_uid: string;
    /** The amount of the order, which is the amount to be approved. Major units. */
    readonly amount: number;
    /** ISO 4217. */
    readonly currency: string;
  };
}

/** The answer of the shop. `reason` is shown to the buyer: Korean, one line of at most 100 characters. */
export type ConfirmResponse = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** A payment that Iamport is about to approve. */
interface Confirmed {
  readonly impUid: string;
  readonly merchantUid: string;
  readonly amount: Amount;
  readonly currency: string;
}

/** @returns the id of the message, the same each time for one payment of one order, and its body as JSON */
export function confirmMessage({ impUid, merchantUid, amount, currency }: Confirmed, timestamp: string) {
  const data = {
    version: 1,
    merchant_uid: merchantUid,
    imp_uid: impUid,
    amount: majorUnits(amount, currency),
    currency,
  } as const;
  const request: ConfirmRequest = { type: confirmType, timestamp, data };
  return { id: `confirm:${merchantUid}:${impUid}`, body: JSON.stringify(request) };
}
