/** The JSON of an outcome for the storefront. Where Iamport has a name for a field, that name is used. */

import { majorUnits } from '../payment/money.ts';
import type { Outcome } from '../payment/outcome.ts';
import { accountJson } from '../shared/account-json.ts';
import type { Language } from '../shared/language.ts';
import { outcomeMessage } from './messages.ts';

/** The ids in the request. */
export interface RequestIds {
  readonly imp_uid?: string | undefined;
  readonly merchant_uid?: string | undefined;
}

/**
 * Whether the caller sent both ids of the outcome's payment. One id alone can be guessed, or seen by others. A caller who
 * opens a payment window for another buyer's order must not see the payment that settled it.
 */
export const knows = (outcome: Outcome, ids: RequestIds): boolean =>
  ids.imp_uid === outcome.impUid && ids.merchant_uid === outcome.merchantUid;

/**
 * @param ids without both ids of the outcome's payment, only the status and the message are returned
 * @returns amounts in major units, times in Unix seconds; fields without a value are left out
 */
export function outcomeJson(outcome: Outcome, ids: RequestIds, language: Language): object {
  const message = outcomeMessage(outcome, language);
  if (!knows(outcome, ids)) return { status: outcome.status, message };
  return {
    status: outcome.status,
    imp_uid: outcome.impUid,
    merchant_uid: outcome.merchantUid,
    amount: majorUnits(outcome.amount, outcome.currency),
    currency: outcome.currency,
    cancelled_amount: outcome.cancelledAmount && majorUnits(outcome.cancelledAmount, outcome.currency),
    reason: outcome.reason,
    reversal: outcome.reversal,
    virtual_account: outcome.account && accountJson(outcome.account),
    receipt_url: outcome.receiptUrl,
    apply_num: outcome.applyNum,
    message,
  };
}
