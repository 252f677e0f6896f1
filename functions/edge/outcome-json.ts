/** The outcome as the storefront reads it. The names are Iamport's, where it has one. */

import { majorUnits } from '../payment/money.ts';
import type { Outcome } from '../payment/outcome.ts';
import type { VirtualAccount } from '../payment/payment.ts';
import type { Language } from './request.ts';
import { outcomeMessage } from './words.ts';

/**
 * @param namedTheOrder the caller knew both ids of the payment. An `imp_uid` alone can be guessed, so without the order's
 *   own number only the status is told
 * @returns amounts in major units, times in Unix seconds; what there is not is left out
 */
export function outcomeJson(outcome: Outcome, namedTheOrder: boolean, language: Language): object {
  const message = outcomeMessage(outcome, language);
  if (!namedTheOrder) return { status: outcome.status, message };
  return {
    status: outcome.status,
    imp_uid: outcome.impUid,
    merchant_uid: outcome.merchantUid,
    amount: majorUnits(outcome.amount, outcome.currency),
    currency: outcome.currency,
    reason: outcome.reason,
    reversal: outcome.reversal,
    virtual_account: outcome.account && accountJson(outcome.account),
    receipt_url: outcome.receiptUrl,
    apply_num: outcome.applyNum,
    message,
  };
}

/** `due_at` is the deadline of the deposit, in Unix seconds. */
export const accountJson = ({ bank, number, holder, dueAt, issuedAt }: VirtualAccount) => ({
  bank,
  number,
  holder,
  due_at: dueAt,
  issued_at: issuedAt,
});
